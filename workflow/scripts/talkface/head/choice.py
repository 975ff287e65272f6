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
HEAD = 0.02  # of degrees by which heads are turned differently, squared
INSIDE = 0.5  # of areas between the lips, in thousandths of a squared outer-eye distance, squared
LEAP, LEAP_SHAPE = 3.0, 0.4  # of any leap, and of what the mouth leaps
STAND = 0.05  # of standing still, or going backwards
MEANT = 5  # nearest frames that tell what a wanted mouth shows inside
NEAREST = 3  # frames whose mean is the low band
SURE = 2.0  # how much worse, in deviations of the best, a frame is that still counts


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
    apart = distances(wanted, filmed.shape)
    if allowed is not None:
        apart[:, ~allowed] = np.inf
    count = min(CANDIDATES, int(np.isfinite(apart[0]).sum()))
    turned = np.degrees(np.linalg.norm(turn[:, None] - filmed.turn, axis=2))  # (T, N)
    cost = SHAPE * np.square(apart) + HEAD * np.square(turned)
    candidates = np.argpartition(cost, count - 1, axis=1)[:, :count]  # (T, K)
    costs = np.take_along_axis(cost, candidates, axis=1)
    order = np.argsort(costs, axis=1, kind="stable")
    candidates, costs = np.take_along_axis(candidates, order, axis=1), np.take_along_axis(costs, order, axis=1)
    meant = np.median(filmed.inside[candidates[:, :MEANT]], axis=1)  # (T, 3)
    unlike = 1e3 * np.linalg.norm(filmed.inside[candidates] - meant[:, None], axis=2)
    costs = costs + INSIDE * np.square(unlike / 10)
    path = _path(candidates, costs, filmed)
    best = np.argsort(costs, axis=1, kind="stable")[:, :NEAREST]
    near = np.take_along_axis(candidates, best, axis=1)
    worse = np.take_along_axis(costs, best, axis=1)
    worse = worse - worse[:, :1]
    share = np.exp(-worse / (SURE * (0.1 + np.take_along_axis(costs, best[:, :1], axis=1))))
    share /= share.sum(axis=1, keepdims=True)
    return Chosen(path, near, share.astype(np.float32), apart.min(axis=1))


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
    >>> fade(np.array([4, 5, 0]), np.zeros(9))[1]
    {5: 0.75, 0: 0.25}
    """
    found = []
    for t in range(len(path)):
        shares: dict[int, float] = {}
        for lead, share in ((0, 0.5), (-1, 0.25), (1, 0.25)):
            other = path[min(max(t + lead, 0), len(path) - 1)]
            shown = int(np.clip(other - lead, 0, len(video) - 1)) if 0 <= t + lead < len(path) else int(other)
            if video[shown] != video[other]:
                shown = int(other)
            shares[shown] = shares.get(shown, 0.0) + share
        found.append(shares)
    return found
