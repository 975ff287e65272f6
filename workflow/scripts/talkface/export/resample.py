"""Weights at another frame rate, with the moments that matter kept."""

import numpy as np
from numpy.typing import NDArray

from talkface.conventions import FPS


def resample(values: NDArray, fps: float) -> NDArray[np.float64]:
    """Bring courses (T, N) from 25 to `fps` frames a second, linearly; each extreme of a course is kept.

    Lips that meet in one frame of the source would not meet in any new frame that lies beside it. So a value that is
    larger, or smaller, than its neighbours goes to the nearest new frame as it is.

    Returns
    -------
    (round(T / 25 * fps), N) array

    Examples
    --------
    >>> resample(np.array([[0.0], [1.0], [0.0]]), 30).round(2).ravel().tolist()
    [0.0, 1.0, 0.33, 0.0]
    """
    frames = len(values)
    if frames == 0:
        return np.empty((0, values.shape[1]))
    count = max(1, round(frames * fps / FPS))
    place = np.arange(count) * FPS / fps
    left = np.minimum(np.floor(place).astype(int), frames - 1)
    right = np.minimum(left + 1, frames - 1)
    share = (place - left)[:, None]
    found = values[left] * (1 - share) + values[right] * share
    inner = np.diff(values, axis=0)
    extreme = np.zeros(values.shape, bool)
    extreme[1:-1] = (inner[:-1] * inner[1:] < 0) | ((inner[:-1] != 0) ^ (inner[1:] != 0))
    nearest = np.minimum(np.round(np.arange(frames) * fps / FPS).astype(int), count - 1)
    rows, columns = np.nonzero(extreme)
    found[nearest[rows], columns] = values[rows, columns]
    return found
