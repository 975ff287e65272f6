"""How late one series follows another: lags of the best correlation, finer than a step.

Sign: a positive lag says that the second series is late, so that what `a` shows at step t, `b` shows at t + lag.

Axes: T steps, L lags.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Lag(NamedTuple):
    """Lag of the best correlation in steps (positive: the second series is late), and that correlation, -1 .. 1."""

    lag: float
    correlation: float


def lag_correlations(a: ArrayLike, b: ArrayLike, *, most: int) -> NDArray[np.float64]:
    """Pearson's correlation of two series at each lag, over the steps where both are known.

    Parameters
    ----------
    a, b : (T,) arrays
        Equally spaced; the longer one is cut at its end.
    most : int
        Largest lag in steps, to either side.

    Returns
    -------
    (2 * most + 1,) array
        Of a[t] and b[t + lag] for lag = -most .. most; NaN where either is constant, or fewer than three steps overlap.
    """
    count = min(len(a), len(b))
    a, b = np.asarray(a, np.float64)[:count], np.asarray(b, np.float64)[:count]
    found = np.full(2 * most + 1, np.nan)
    for index, lag in enumerate(range(-most, most + 1)):
        left, right = a[max(0, -lag) : count - max(0, lag)], b[max(0, lag) : count - max(0, -lag)]
        if len(left) < 3 or abs(lag) >= count:
            continue
        left, right = left - left.mean(), right - right.mean()
        scale = np.sqrt(np.square(left).sum() * np.square(right).sum())
        if scale > 1e-12:
            found[index] = (left * right).sum() / scale
    return found


def best_lag(a: ArrayLike, b: ArrayLike, *, most: int) -> Lag:
    """The lag at which two series correlate best, refined by the parabola through the peak and its neighbours.

    Parameters
    ----------
    a, b : (T,) arrays
        Equally spaced; the longer one is cut at its end.
    most : int
        Largest lag in steps, to either side; less where the series is short: each lag keeps half of the steps.

    Returns
    -------
    Lag
        Positive: b is late. Without a peak (constant or too short a series) both are NaN.
    """
    most = min(most, min(len(a), len(b)) // 2)
    curve = lag_correlations(a, b, most=most)
    if np.isnan(curve).all():
        return Lag(float("nan"), float("nan"))
    top = int(np.nanargmax(curve))
    step, height = 0.0, float(curve[top])
    if 0 < top < len(curve) - 1:
        before, after = curve[top - 1], curve[top + 1]
        bend = before - 2 * height + after
        if bend < 0:  # NaN compares false
            step = float(0.5 * (before - after) / bend)
            height = float(height - 0.25 * (before - after) * step)
    return Lag(top - most + step, min(1.0, height))
