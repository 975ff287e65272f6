"""Training files in the layouts of the published systems, written from our own corpus (see `exchange`)."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from talkface.conventions import FPS
from talkface.errors import TalkfaceError
from talkface.face.shape_model import FIELDS, ShapeModel, ShapeStatistics
from talkface.files import writing
from talkface.media.sound import Leveller
from talkface.models.networks.lstm import Network
from talkface.training.dataset import Clip, gather, read_accepted
from talkface.training.exchange import COEFFICIENTS, FRAMES, RATE_2018, RATE_2020

log = logging.getLogger(__name__)


def export_a(
    output: str | Path,
    *,
    quality: str | Path,
    audio: Sequence[str | Path],
    shapes: Sequence[str | Path],
    landmarks: Sequence[str | Path],
) -> None:
    """Write the training and validation clips in the layout of Eskimez et al. 2018: its features, its normalisation.

    Clips are cut into rows of 75 frames; the last row repeats the clip's last frame in silence.

    Parameters
    ----------
    output : path
        results/dataset/export_a.hdf5.
    quality, audio, shapes, landmarks : path, sequences of paths
        As in `dataset.assemble_dataset`.

    Raises
    ------
    TalkfaceError
        If a split is left without clips, or an accepted clip is missing from the files.
    """
    accepted = _without_test(quality)
    model = _fit(accepted, shapes)
    network = Network(model, **Network.PUBLISHED["arguments"])

    def arrays(clip: Clip) -> dict[str, NDArray]:
        assert clip.landmarks is not None  # gather has read them
        frames = _rows_of(clip) * FRAMES
        sound = _padded(clip.audio[RATE_2018], frames * RATE_2018 // FPS)
        levelled = Leveller(network.level, rate=RATE_2018).apply(sound)
        with torch.inference_mode():
            heard = network.listen(torch.from_numpy(levelled), frames).numpy()
        return {"MelFeatures": heard, "flmark": _repeated(network.carry_over(clip.landmarks), frames)}

    clips = gather(accepted, audio=audio, shapes=shapes, landmarks=landmarks, rates=[RATE_2018])
    _write(output, clips, arrays, model)


def export_b(
    output: str | Path, *, quality: str | Path, audio: Sequence[str | Path], shapes: Sequence[str | Path]
) -> None:
    """Write the training and validation clips in the layout of Eskimez et al. 2020.

    Coefficients are those of the first 6 components of the dataset's shape model. Each clip's sound is scaled by its
    loudest sample. Rows as in `export_a`; parameters and errors, too.
    """
    accepted = _without_test(quality)
    model = _fit(accepted, shapes)

    def arrays(clip: Clip) -> dict[str, NDArray]:
        frames = _rows_of(clip) * FRAMES
        sound = clip.audio[RATE_2020].astype(np.float32)
        sound /= max(1, np.abs(sound).max(initial=0))
        padded = _padded(sound, frames * RATE_2020 // FPS).reshape(frames, -1)
        return {"landmarks": _repeated(model.encode(clip.shape), frames), "speech": padded}

    clips = gather(accepted, audio=audio, shapes=shapes, landmarks=None, rates=[RATE_2020])
    _write(output, clips, arrays, model)


def _without_test(quality: str | Path) -> pd.DataFrame:
    accepted = read_accepted(quality)
    return accepted[accepted["split"] != "test"]


def _fit(accepted: pd.DataFrame, shapes: Iterable[str | Path]) -> ShapeModel:
    """Fit the shape model of the training clips, as the dataset has it."""
    statistics = None
    for path in shapes:
        with h5py.File(path, "r") as file:
            for name in file:
                if name in accepted.index and accepted.at[name, "split"] == "train" and "shape" in file[name]:
                    shape = file[name]["shape"][:]
                    statistics = statistics or ShapeStatistics(shape[0])
                    statistics.add(shape)
    if statistics is None:
        raise TalkfaceError("results/shapes: no shape of a training clip; delete the folder to have it made again")
    return statistics.fit(COEFFICIENTS)


def _rows_of(clip: Clip) -> int:
    return -(-len(clip.shape) // FRAMES)


def _padded(sound: NDArray, samples: int) -> NDArray:
    """Cut sound, or fill it with silence, to `samples` samples."""
    return np.pad(sound[:samples], (0, max(0, samples - len(sound))))


def _repeated(frames: NDArray, count: int) -> NDArray:
    """Cut frames (T, ...), or repeat the last one, to (count, ...)."""
    return frames[np.minimum(np.arange(count), len(frames) - 1)]


def _write(
    output: str | Path, clips: Iterator[Clip], arrays: Callable[[Clip], dict[str, NDArray]], model: ShapeModel
) -> None:
    """Write what `arrays` makes of each clip, frames (T, ...), as rows of 75 frames."""
    with writing(output) as temporary, h5py.File(temporary, "w") as file:
        names: dict[str, list[str]] = {"clip": [], "speaker": []}
        for clip in clips:
            for name, frames in arrays(clip).items():
                shape = (_rows_of(clip), -1) if name == "speech" else (_rows_of(clip), FRAMES, -1)
                rows = frames.astype(np.float32).reshape(shape)
                if name not in file:
                    size = rows.shape[1:]
                    file.create_dataset(name, (0, *size), np.float32, maxshape=(None, *size), chunks=(1, *size))
                data = file[name]
                data.resize(len(data) + len(rows), axis=0)
                data[-len(rows) :] = rows
            names["clip"] += [clip.name] * len(rows)
            names["speaker"] += [clip.speaker] * len(rows)
        for name, values in names.items():
            file.create_dataset(name, data=values, dtype=h5py.string_dtype())
        for field in FIELDS:
            file[f"shape_model/{field}"] = getattr(model, field)
    log.info("%s: %d rows of %d clips", output, len(names["clip"]), len(set(names["clip"])))
