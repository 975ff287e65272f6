"""Trust in the points of a mouth: whether they depend on what is seen, or on where their search begins.

The predictor starts from the box of the face. Lips that are seen draw its points to one place from wherever it starts;
behind a mask, a hand or a microphone they stay apart, while those of the upper face do not (those of a tilted or dark
face do). Of the measures that were tried (`make trust`, docs/benchmarks.md) this one tells covered mouths best, and it
costs nothing: the predictions from shifted boxes are there for their mean. Half a mouth, with a straight edge below the
upper lip, can be fitted as well as a whole one; but then it never opens.

Axes: T frames, 68 points.
"""

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from talkface.face.points import mouth_opening, outer_eye_distance

SPREAD = 0.004  # outer-eye distances; lips whose predictions lie further apart are in doubt,
RATIO = 1.5  # if they also lie so much further apart than those of the upper face


def spread_of(group: h5py.Group) -> NDArray[np.float32]:
    """Read how far the points of lips and upper face lie apart (T, 2), see `detection.Track`; NaN in older files."""
    if "spread" in group:
        return group["spread"][:]
    return np.full((len(group["landmarks"]), 2), np.nan, np.float32)


def doubt_share(spread: ArrayLike) -> float:
    """Measure the share of a clip's frames in which the mouth's points are in doubt.

    Parameters
    ----------
    spread : (T, 2) array
        Of lips and upper face, see `detection.Track`; frames without a face (NaN) do not count.

    Returns
    -------
    float
        0 to 1; NaN where no frame has a face.

    Examples
    --------
    >>> doubt_share([[0.002, 0.003], [0.003, 0.001], [0.02, 0.004], [float("nan"), float("nan")]])
    0.3333333333333333
    """
    lips, upper = np.asarray(spread, float).reshape(-1, 2).T
    known = ~np.isnan(lips)
    doubted = (lips > SPREAD) & (lips > RATIO * upper)
    return float(doubted[known].mean()) if known.any() else float("nan")


def mouth_motion(landmarks: ArrayLike) -> float:
    """Measure how much a mouth opens and closes, in percent of the outer-eye distance.

    Parameters
    ----------
    landmarks : (T, 68, 2) array
        Any unit; frames without a face (NaN) do not count.

    Returns
    -------
    float
        Standard deviation of the opening; 2 to 8 of people who speak. NaN where no frame has a face.
    """
    landmarks = np.asarray(landmarks, np.float64)
    known = landmarks[~np.isnan(landmarks).any(axis=(1, 2))]
    if not len(known):
        return float("nan")
    return float(100 * mouth_opening(known).std() / np.median(outer_eye_distance(known)))


def is_trusted(
    landmarks: ArrayLike, spread: ArrayLike, *, max_doubt_share: float | None, min_motion_percent: float | None
) -> bool:
    """Tell whether the mouth of a clip can be believed to be seen, and to be one that speaks; a limit of None is none.

    Parameters
    ----------
    landmarks, spread
        See `mouth_motion` and `doubt_share`.
    max_doubt_share : float or None
    min_motion_percent : float or None
    """
    seen = max_doubt_share is None or not doubt_share(spread) > max_doubt_share
    return seen and (min_motion_percent is None or not mouth_motion(landmarks) < min_motion_percent)
