"""Measures of predicted landmarks: pure functions of arrays in the template frame.

Axes: T frames, 68 points, 2 coordinates. Errors are in percent of the distance of the outer eye corners, which is the
unit of the template frame. Truth and prediction are compared over their first min(T) frames.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from talkface import points

ALL = tuple(range(points.COUNT))


def _pair(prediction: ArrayLike, truth: ArrayLike) -> tuple[NDArray, NDArray]:
    prediction, truth = np.asarray(prediction, np.float64), np.asarray(truth, np.float64)
    count = min(len(prediction), len(truth))
    return prediction[:count], truth[:count]


def rmse(prediction: ArrayLike, truth: ArrayLike, *, indices: Sequence[int] = ALL, difference: int = 0) -> float:
    """Root of the mean squared distance between predicted and true points, averaged over frames.

    Parameters
    ----------
    prediction, truth : (T, 68, 2) arrays
        Template frame; the longer one is cut.
    indices : sequence of int
        The points that count, for instance `points.LIPS`; all by default.
    difference : int
        0 compares positions, 1 and 2 their first and second differences from frame to frame, as Eskimez et al. 2018 do.

    Returns
    -------
    float
        Percent of the outer-eye distance (per frame, per squared frame); NaN when there are too few frames.

    Notes
    -----
    Per frame the root of the mean over points of the squared distance, then the mean over frames, as the replication
    toolkit of Eskimez et al. 2020 measures it, though in another unit.
    """
    prediction, truth = _pair(prediction, truth)
    if len(truth) <= difference:
        return float("nan")
    error = np.diff(prediction - truth, n=difference, axis=0)
    squared = np.square(error).sum(axis=-1)[:, list(indices)]  # (T, points)
    return float(100 * np.sqrt(squared.mean(axis=1)).mean())


def opening_correlation(prediction: ArrayLike, truth: ArrayLike) -> float:
    """Pearson's correlation over time of predicted and true mouth opening.

    Mouth opening is the mean distance of the inner lip pairs (`points.mouth_opening`).

    Parameters
    ----------
    prediction, truth : (T, 68, 2) arrays

    Returns
    -------
    float
        -1 .. 1; NaN where either does not move.
    """
    prediction, truth = _pair(prediction, truth)
    return correlation(points.mouth_opening(prediction), points.mouth_opening(truth))


def correlation(a: ArrayLike, b: ArrayLike) -> float:
    """Pearson's correlation of two series (T,), -1 .. 1; NaN where either is constant or shorter than two."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if len(a) < 2 or np.ptp(a) < 1e-9 or np.ptp(b) < 1e-9:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def shuffled(prediction: ArrayLike, generator: np.random.Generator) -> NDArray:
    """The frames of a prediction (T, 68, 2) in random order: the control that keeps everything but the timing."""
    prediction = np.asarray(prediction)
    return prediction[generator.permutation(len(prediction))]
