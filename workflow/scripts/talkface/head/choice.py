"""Choice of filmed mouths: for each wanted one the frame of the person that shows it best, and that goes on well.

A path through the person's frames is sought by Viterbi's algorithm: a frame costs what its lips and chin differ from
those wanted, its head from where the head will be, and its inside of the mouth from that of others as near; going on as
filmed costs nothing, a leap costs what the mouth leaps.

Axes: T wanted frames, N filmed ones, K candidates, C vertices (`Region.compared`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CANDIDATES = 40  # filmed frames that are looked at for each wanted one
SHAPE = 1.0  # of the root mean squared distance of vertices, in hundredths of the outer-eye distance, squared
HEAD = 0.03  # of degrees by which heads are turned differently, squared
INSIDE = 0.5  # of areas between the lips, in hundredths of a squared outer-eye distance, squared
LEAP, LEAP_SHAPE = 3.0, 0.4  # of any leap, and of what the mouth leaps
STAND = 0.05  # of standing still, or going backwards
MEANT = 5  # nearest frames that tell what a wanted mouth shows inside
FADE = 0.7  # of a frame of the path; the rest is that of the frames before and after it
NEAREST = 4  # frames whose mean is the low band
SURE, LEAST = 2.0, 0.1  # a frame counts e times less that costs so many times as much more as the best and this
BLOCK = 500  # wanted frames that are compared at once


class Filmed(NamedTuple):
    """What is known of each filmed frame: shape (N, C, 3), turn (N, 3), inside (N, 3), video (N,)."""

    shape: NDArray
    turn: NDArray
    inside: NDArray
    video: NDArray


class Chosen(NamedTuple):
    """Frames chosen for each wanted mouth.

    Attributes
    ----------
    path : (T,) int array
        The one whose details are shown.
    near : (T, NEAREST) int array
        Those whose mean is shown below them.
    share : (T, NEAREST) float32 array
        Of each in that mean.
    distance : (T,) float32 array
        From each wanted mouth to the nearest filmed one, % of the outer-eye distance.
    """

    path: NDArray
    near: NDArray
    share: NDArray
    distance: NDArray


def distances(wanted: NDArray, filmed: NDArray) -> NDArray[np.float32]:
    """Return the root mean squared distances (T, N) of vertices, hundredths of the outer-eye distance."""
    a, b = wanted.reshape(len(wanted), -1), filmed.reshape(len(filmed), -1)
    squared = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1) - 2 * a @ b.T
    return 100 * np.sqrt(np.maximum(squared, 0) / wanted.shape[1]).astype(np.float32)


def choose(wanted: NDArray, turn: NDArray, filmed: Filmed, *, allowed: NDArray | None = None) -> Chosen:
    """Choose filmed mouths.

    Parameters
    ----------
    wanted : (T, C, 3) array
        Lips and what lies round them.
    turn : (T, 3) array
        Of the head that will show them, radians.
    filmed : Filmed
    allowed : (N,) bool array, optional
        Frames that may be taken; by default all.

    Returns
    -------
    Chosen
    """
    free = np.arange(len(filmed.video)) if allowed is None else np.flatnonzero(allowed)
    parts = [
        _candidates(wanted[first : first + BLOCK], turn[first : first + BLOCK], filmed, free)
        for first in range(0, len(wanted), BLOCK)
    ]
    candidates, costs, distance = (np.concatenate(column) for column in zip(*parts, strict=True))
    path = _path(candidates, costs, filmed)
    best = np.argsort(costs, axis=1, kind="stable")[:, :NEAREST]
    near = np.take_along_axis(candidates, best, axis=1)
    worse = np.take_along_axis(costs, best, axis=1)
    share = np.exp(-(worse - worse[:, :1]) / (SURE * (LEAST + worse[:, :1])))
    share /= share.sum(axis=1, keepdims=True)
    return Chosen(path, near, share.astype(np.float32), distance)


def _candidates(wanted: NDArray, turn: NDArray, filmed: Filmed, free: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Return filmed frames (T, K) that may show each wanted mouth, cheapest first, their costs, and how near one is."""
    apart = distances(wanted, filmed.shape[free])  # (T, N)
    turned = np.degrees(np.linalg.norm(turn[:, None] - filmed.turn[free], axis=2))
    cost = SHAPE * np.square(apart) + HEAD * np.square(turned)
    count = min(CANDIDATES, len(free))
    rows = np.argpartition(cost, count - 1, axis=1)[:, :count]
    costs = np.take_along_axis(cost, rows, axis=1)
    order = np.argsort(costs, axis=1, kind="stable")
    candidates = free[np.take_along_axis(rows, order, axis=1)]
    meant = np.median(filmed.inside[candidates[:, :MEANT]], axis=1)  # (T, 3)
    unlike = 100 * np.linalg.norm(filmed.inside[candidates] - meant[:, None], axis=2)
    return candidates, np.take_along_axis(costs, order, axis=1) + INSIDE * np.square(unlike), apart.min(axis=1)


def _path(candidates: NDArray, costs: NDArray, filmed: Filmed) -> NDArray[np.int64]:
    """Find the cheapest path (T,) through the candidates (T, K)."""
    total, back = costs[0], []
    last = len(filmed.video) - 1
    for t in range(1, len(candidates)):
        before, now = candidates[t - 1], candidates[t]
        after = np.minimum(before + 1, last)  # the filmed successor
        after = np.where(filmed.video[after] == filmed.video[before], after, before)
        leap = distances(filmed.shape[after], filmed.shape[now])  # (K, K)
        inside = 1e2 * np.linalg.norm(filmed.inside[after][:, None] - filmed.inside[now][None], axis=2)
        step = now[None, :] - before[:, None]
        same = filmed.video[now][None, :] == filmed.video[before][:, None]
        going = LEAP + LEAP_SHAPE * np.square(leap) + INSIDE * np.square(inside)
        going = np.where(same & (step == 1), 0.0, np.where(same & (np.abs(step) <= 1), np.minimum(going, STAND), going))
        whole = total[:, None] + going
        back.append(whole.argmin(axis=0))
        total = whole.min(axis=0) + costs[t]
    rows = [int(total.argmin())]
    for came in reversed(back):
        rows.append(int(came[rows[-1]]))
    return candidates[np.arange(len(candidates)), rows[::-1]]


def fade(path: NDArray, video: NDArray) -> list[dict[int, float]]:
    """Fade a path (T,) of frames over three frames where it leaps: the frames shown at each instant, by share.

    Examples
    --------
    >>> {frame: round(share, 2) for frame, share in fade(np.array([4, 5, 0]), np.zeros(9))[1].items()}
    {5: 0.85, 0: 0.15}
    """
    found = []
    for t in range(len(path)):
        shares: dict[int, float] = {}
        for lead, share in ((0, FADE), (-1, (1 - FADE) / 2), (1, (1 - FADE) / 2)):
            other = path[min(max(t + lead, 0), len(path) - 1)]
            shown = int(np.clip(other - lead, 0, len(video) - 1)) if 0 <= t + lead < len(path) else int(other)
            if video[shown] != video[other]:
                shown = int(other)
            shares[shown] = shares.get(shown, 0.0) + share
        found.append(shares)
    return found
