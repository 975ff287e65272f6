"""Predictions as the program of Eskimez et al. 2020 writes them, for use with it.

| file | holds |
|---|---|
| predicted.npy | (T, 68, D) float32: faces in the frame of the shape model, 25 fps |
| speech_orig.npy | (S,) float32 in [-1, 1]: the speech at 22,050 Hz |

D is 2, and 3 for imported models with a shape model in space.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from talkface.conventions import FULL_SCALE
from talkface.face.faces import load_landmarks
from talkface.face.shape_files import to_frame_of
from talkface.files import writing
from talkface.media.sound import read_blocks

SPEECH_RATE = 22_050  # Hz; what librosa loads a file at unless told otherwise


def share_prediction(
    prediction: str | Path,
    sound: str | Path,
    *,
    faces: str | Path,
    speech: str | Path,
    shape_model: Mapping[str, str | Path] | None = None,
) -> None:
    """Write a prediction in the frame of its shape model, and its speech.

    Parameters
    ----------
    prediction : path
        results/predictions/{model}/{clip}.npy, template frame.
    sound : path
        results/audio/float/{clip}.wav.
    faces, speech : paths
        Outputs.
    shape_model : mapping of mean to path, optional
        Of an imported model; the shape models of others lie in the template frame.

    Raises
    ------
    TalkfaceError
        If the prediction, or the mean shape, is no such array, or the sound cannot be read.
    """
    shapes = load_landmarks(prediction)
    if shape_model:
        shapes = to_frame_of(shape_model["mean"], shapes)
    with writing(faces) as temporary:
        np.save(temporary, shapes.astype(np.float32))
    blocks = list(read_blocks(sound, SPEECH_RATE, rounded=False))
    with writing(speech) as temporary:
        np.save(temporary, np.concatenate(blocks) / np.float32(FULL_SCALE))
