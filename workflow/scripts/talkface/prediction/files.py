"""Reader of predicted faces (.npy), with checks and a length that fits their sound.

Axes: T frames at 25 fps, 68 landmarks, 2 coordinates.
"""

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from talkface.errors import TalkfaceError

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
    if shapes.ndim != 3 or shapes.shape[1] != 68 or shapes.shape[2] not in (2, 3) or not len(shapes):
        raise TalkfaceError(
            f"{path}: an array of shape {shapes.shape}; expected (frames, 68, 2) or (frames, 68, 3); predict it again"
        )
    if not np.issubdtype(shapes.dtype, np.floating):
        raise TalkfaceError(f"{path}: numbers of type {shapes.dtype}; expected floats in the template frame")
    bad = np.flatnonzero(~np.isfinite(shapes).all(axis=(1, 2)))
    if len(bad):
        raise TalkfaceError(
            f"{path}: {len(bad)} of {len(shapes)} frames hold NaN or infinity, the first is frame {bad[0]}; "
            "expected finite coordinates; check the training of the model and predict again"
        )
    return shapes.astype(np.float64)


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
