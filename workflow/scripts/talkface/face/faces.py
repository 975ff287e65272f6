"""Faces as arrays: their checks, the reader of predicted ones (.npy), a length that fits their sound.

Axes: T frames at 25 fps, 68 landmarks, D coordinates (2 or 3).
"""

import logging
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from talkface.errors import TalkfaceError
from talkface.face import points

log = logging.getLogger(__name__)


def load_shapes(path: str | Path) -> NDArray[np.float64]:
    """Load landmarks to animate in the plane of the picture, (T, 68, 2); see `load_landmarks`."""
    return load_landmarks(path)[..., :2]


def load_landmarks(path: str | Path) -> NDArray[np.float64]:
    """Load landmarks to animate from an .npy of (T, 68, 2) or (T, 68, 3), template frame, with all coordinates.

    Raises
    ------
    TalkfaceError
        If the file is no such array, is empty, or holds NaN or infinity.
    """
    try:
        shapes = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise TalkfaceError(f"{path}: not an .npy array ({error}); predict it again") from None
    if not np.issubdtype(shapes.dtype, np.floating):
        raise TalkfaceError(f"{path}: numbers of type {shapes.dtype}; expected floats in the template frame")
    if not len(shapes):
        raise TalkfaceError(f"{path}: no frames, an array {shapes.shape}; one or more were expected; predict it again")
    return checked(shapes, path, remedy="check the training of the model and predict again")


def checked(faces: ArrayLike, where: str | Path, *, remedy: str) -> NDArray[np.float64]:
    """Return faces (T, 68, D) as float64.

    Parameters
    ----------
    faces : array
    where : str or path
        What an error names.
    remedy : str
        What it says is to be done.

    Raises
    ------
    TalkfaceError
        If they are something else, or not finite.
    """
    faces = np.asarray(faces, np.float64)
    check_shape(faces, where, remedy=remedy)
    check_finite(faces, where, remedy=remedy)
    return faces


def check_shape(faces: NDArray, where: str | Path, *, remedy: str) -> None:
    """Raise a TalkfaceError if an array is not (T, 68, 2 or 3)."""
    if faces.ndim != 3 or faces.shape[1] != points.COUNT or faces.shape[2] not in (2, 3):
        raise TalkfaceError(
            f"{where}: an array {faces.shape}; (frames, 68, 2) or (frames, 68, 3) was expected, the 68 points of dlib; "
            f"{remedy}"
        )


def check_finite(faces: NDArray, where: str | Path, *, remedy: str) -> None:
    """Raise a TalkfaceError if a coordinate of faces (T, 68, D) is NaN or infinite."""
    bad = np.flatnonzero(~np.isfinite(faces).all(axis=(1, 2)))
    if len(bad):
        raise TalkfaceError(
            f"{where}: {len(bad)} of {len(faces)} frames hold NaN or infinite values, the first is frame {bad[0]}; "
            f"numbers were expected; {remedy}"
        )


def hold(shapes: NDArray, frames: int) -> NDArray:
    """Bring faces (T, ...) to (frames, ...): the last one is held, or those beyond are left out.

    Examples
    --------
    >>> hold(np.array([10, 20, 30]), 4).tolist()
    [10, 20, 30, 30]
    """
    if abs(frames - len(shapes)) > 1:
        how = "cut" if len(shapes) > frames else "held"
        log.warning("%d shapes for %d frames of audio: %s", len(shapes), frames, how)
    return shapes[np.minimum(np.arange(frames), len(shapes) - 1)]
