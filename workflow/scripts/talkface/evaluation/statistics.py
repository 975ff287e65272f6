"""Confidence intervals of means over clips, and tests of the differences between models.

Clips of one speaker resemble each other, so intervals draw speakers anew and then clips of each: with few speakers they
are wide, as they should be. All measures of a table share their draws, which makes a table of thousands of numbers a
few products of matrices.

Axes: C clips, M columns, D draws.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

DRAWS = 2_000  # of the bootstrap
FLIPS = 10_000  # of the permutation test; all of them where there are no more
BOUNDS = (2.5, 97.5)  # percentiles: a 95 % interval


class Interval(NamedTuple):
    """Values, the ends of their 95 % intervals, and how many clips count; (M,) arrays."""

    value: NDArray
    low: NDArray
    high: NDArray
    clips: NDArray


class Draws:
    """Clips drawn anew: speakers with replacement, then of each as many of its clips as it has, with replacement.

    Parameters
    ----------
    speakers : (C,) sequence of str
        Of each clip.
    seed : int
    draws : int
        D.

    Attributes
    ----------
    counts : (D, C) float64 array
        How often each clip was drawn.
    """

    def __init__(self, speakers: Sequence[str], *, seed: int, draws: int = DRAWS):
        generator = np.random.default_rng(seed)
        names, belongs = np.unique(np.asarray(speakers, dtype=str), return_inverse=True)
        times = generator.multinomial(len(names), np.full(len(names), 1 / len(names)), draws)  # (D, speakers)
        self.counts = np.zeros((draws, len(belongs)))
        for index in range(len(names)):
            own = np.flatnonzero(belongs == index)
            # A speaker drawn twice has clips drawn twice as often.
            self.counts[:, own] = generator.multinomial(times[:, index] * len(own), np.full(len(own), 1 / len(own)))

    def means(self, values: ArrayLike) -> NDArray[np.float64]:
        """Compute the means of values (C, M) in each draw, (D, M); NaN does not count."""
        values = np.asarray(values, np.float64)
        known = np.isfinite(values)
        drawn = self.counts @ known
        with np.errstate(invalid="ignore", divide="ignore"):
            return (self.counts @ np.where(known, values, 0.0)) / drawn

    def interval(self, values: ArrayLike) -> Interval:
        """Compute the means of values (C, M) with their intervals; NaN where no clip counts."""
        low, high = percentiles(self.means(values))
        return Interval(nanmean(values), low, high, np.isfinite(values).sum(axis=0))


def nanmean(values: ArrayLike, axis: int = 0) -> NDArray[np.float64]:
    """Compute the mean of what is no NaN; where that is nothing, NaN without a warning.

    Examples
    --------
    >>> nanmean([[1.0, np.nan], [3.0, np.nan]]).tolist()
    [2.0, nan]
    """
    values = np.asarray(values, np.float64)
    known = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known, values, 0.0).sum(axis=axis) / known.sum(axis=axis)


def percentiles(drawn: NDArray) -> tuple[NDArray, NDArray]:
    """Return the ends (M,) of the 95 % intervals of drawn numbers (D, M); a draw without a number does not count."""
    low, high = np.full((2, drawn.shape[1]), np.nan)
    known = np.isfinite(drawn)
    whole = known.all(axis=0)
    low[whole], high[whole] = np.percentile(drawn[:, whole], BOUNDS, axis=0)
    for column in np.flatnonzero(known.any(axis=0) & ~whole):
        low[column], high[column] = np.percentile(drawn[known[:, column], column], BOUNDS)
    return low, high


def paired_test(differences: ArrayLike, *, seed: int, flips: int = FLIPS) -> NDArray[np.float64]:
    """Test whether paired differences lie about zero: the permutation test that turns their signs round.

    Were two models equally good, each clip's difference would have either sign with the same chance. The test asks how
    often the mean difference would then be as far from zero as it is. All turns are tried where there are at most
    `flips`; else so many are drawn, and what was found counts as one of them.

    Parameters
    ----------
    differences : (C, M) array
        One model less the other, a clip a row; NaN does not count.
    seed : int
    flips : int

    Returns
    -------
    (M,) array
        Two-sided p, 0 .. 1; NaN where no clip counts.

    Examples
    --------
    >>> paired_test([[1.0], [2.0], [3.0]], seed=0).tolist()  # 2 of the 8 turns lie as far from zero
    [0.25]
    """
    differences = np.asarray(differences, np.float64)
    known = np.isfinite(differences)
    differences = np.where(known, differences, 0.0)
    count = len(differences)
    exact = 2**count <= flips
    if exact:
        bits = np.arange(2**count)[:, None] >> np.arange(count) & 1  # all turns
    else:
        bits = np.random.default_rng(seed).integers(0, 2, (flips, count))
    # Rounding must not tell a turn from its mirror image.
    found = np.abs(differences.sum(axis=0)) * (1 - 1e-12)
    as_far = (np.abs((1.0 - 2.0 * bits) @ differences) >= found).sum(axis=0)
    p = as_far / len(bits) if exact else (as_far + 1) / (len(bits) + 1)
    return np.where(known.any(axis=0), p, np.nan)
