"""Import of predictions made elsewhere, `<clip>.npy` of (T, 68, 2 or 3) in any frame.

One similarity a file takes it into the template frame: the one that brings its mean outer eye corners there, so that
what the face does between frames stays as it was. A third coordinate is scaled alike.

The replication toolkit of Eskimez et al. 2020 leaves rows of NaN before the first frame in which a face was found; that
face stands there, too. Later it repeats the last face itself, so NaN further on is a fault of the file.
"""

import logging
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from talkface.errors import TalkfaceError
from talkface.face import points
from talkface.face.faces import check_finite, check_shape
from talkface.face.identity import fit_similarity
from talkface.files import writing
from talkface.media.sound import count_frames

log = logging.getLogger(__name__)

CORNERS = np.array([[-0.5, 0.0], [0.5, 0.0]])  # of the template frame
# Of the outer-eye distance: a file whose corners lie as near as that is in the template frame already. Predictions of
# our own models stray by less, and no frame in pixels or of unit norm comes by chance as near.
ALREADY_THERE = 0.02


def read_prediction(path: str | Path, *, frames: int) -> NDArray[np.float32]:
    """Read the landmarks of a file in the template frame.

    Parameters
    ----------
    path : path
        An .npy of (T, 68, 2 or 3) numbers, y downwards as in pictures; never unpickled. Its first frames may be all
        NaN: the first face is held there.
    frames : int
        How many the sound has at 25 a second; T may be one less or more.

    Returns
    -------
    (T, 68, 2 or 3) float32 array

    Raises
    ------
    TalkfaceError
        If the file is no such array, or holds no face.
    """
    try:
        with open(path, "rb") as file:
            landmarks = np.lib.format.read_array(file, allow_pickle=False)
    except FileNotFoundError:
        raise TalkfaceError(f"{path}: there is no such file; a prediction (frames, 68, 2 or 3) was expected") from None
    except (OSError, ValueError, EOFError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TalkfaceError(
            f"{path}: not readable ({reason}); an .npy of numbers was expected; save it again with numpy.save"
        ) from None
    if landmarks.dtype.kind not in "fiu":
        raise TalkfaceError(f"{path}: an array of {landmarks.dtype}; numbers were expected; save it again")
    check_shape(landmarks, path, remedy="save it again")
    if abs(len(landmarks) - frames) > 1:
        raise TalkfaceError(
            f"{path}: {len(landmarks)} frames; {frames} were expected for its sound, 25 a second (one less or more is "
            "well); predict at 25 frames a second"
        )
    landmarks = _hold_first(landmarks.astype(np.float64), where=path)
    check_finite(landmarks, path, remedy="predict it again")
    return to_template_frame(landmarks, where=path).astype(np.float32)


def _hold_first(landmarks: NDArray[np.float64], *, where: str | Path) -> NDArray[np.float64]:
    """Put the first face of (T, 68, D) into the frames of nothing but NaN before it, and tell how many they were."""
    empty = np.asarray(np.isnan(landmarks).all(axis=(1, 2)))  # (T)
    if not empty.any():
        return landmarks
    if empty.all():
        raise TalkfaceError(f"{where}: all {len(empty)} frames are NaN; a face was expected; check the video it is of")
    first = int(np.argmin(empty))
    if first:
        log.warning("%s: no face in the first %d of %d frames; the first face is held there", where, first, len(empty))
    return np.concatenate([np.repeat(landmarks[first : first + 1], first, axis=0), landmarks[first:]])


def to_template_frame(landmarks: NDArray, *, where: str | Path) -> NDArray[np.float64]:
    """Move landmarks (T, 68, D) by the one similarity that takes their mean outer eye corners to the template's."""
    corners = landmarks[:, list(points.OUTER_EYE_CORNERS), :2].mean(axis=0)  # (2, 2)
    if np.allclose(*corners):
        raise TalkfaceError(f"{where}: both outer eye corners at one place; faces of 68 points were expected")
    moved = landmarks
    if np.abs(corners - CORNERS).max() > ALREADY_THERE:
        matrix, offset = fit_similarity(corners[None], CORNERS)
        flat = landmarks[..., :2] @ matrix[0].T + offset[0]
        depth = landmarks[..., 2:] * np.sqrt(np.linalg.det(matrix[0]))
        moved = np.concatenate([flat, depth], axis=-1)
    if moved[:, 8, 1].mean() < 0:
        raise TalkfaceError(
            f"{where}: the chin lies above the eyes; y was expected to point down, as in pictures; turn y round"
        )
    return moved


def import_prediction(source: str | Path, output: str | Path, *, audio: str | Path) -> None:
    """Write a prediction made elsewhere as one of ours.

    Parameters
    ----------
    source : path
        See `read_prediction`.
    output : path
        results/predictions/external-{name}/{clip}.npy: (T, 68, 2 or 3) float32, template frame, 25 fps.
    audio : path
        The sound it belongs to, any wav file.
    """
    info = soundfile.info(str(audio))
    landmarks = read_prediction(source, frames=count_frames(info.frames, info.samplerate))
    with writing(output) as temporary:
        np.save(temporary, landmarks)
    log.info("%s: %d frames from %s", output, len(landmarks), source)
