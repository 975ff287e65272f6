"""Which filmed frames lie behind the new speech: the head moves as it was filmed.

- `to_and_fro`: a stretch of one video, forwards and backwards in turn.
- `nearest_path`: the frames whose head turns most like a wanted course, going on by no more than two frames at a time,
  by dynamic programming over all of a video's frames.
- `key_poses`: as Yi et al. 2020 match it: at the extremes of the wanted roll a frame is chosen greedily, and frames
  between are interpolated.

Each returns numbers of frames, never of two videos.

Axes: T wanted frames, N filmed ones; angles are yaw, pitch, roll, radians.
"""

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import argrelextrema

TURN_FRAMES = 25  # at the ends of a video: where the head rests most in so many frames, the course turns round
STEPS = np.array([1, 0, 2])  # frames of the video from one of the film to the next
STEP_COSTS = np.array([0.0, 8.0, 2.0])  # squared degrees
TURN, BACKWARDS = 20.0, 0.05  # of turning round, and of each frame that runs backwards
HANNING, KEY_SHARE, KEY_APART = 7, 0.1, 3  # of Yi et al. 2020


def to_and_fro(starts: list[int], turn: NDArray, frames: int) -> NDArray[np.int64]:
    """Play the longest video's frames forwards and backwards.

    Parameters
    ----------
    starts : list of int
        First frame of each video, and N.
    turn : (N, 3) array
        Where the head rests near an end, the course turns round.
    frames : int
        T.

    Examples
    --------
    >>> to_and_fro([0, 4], np.zeros((4, 3)), 9).tolist()
    [0, 1, 2, 3, 2, 1, 0, 1, 2]
    """
    low, high = _longest(starts)
    speed = np.linalg.norm(np.diff(gaussian_filter1d(turn[low:high], 1, axis=0), axis=0), axis=1)
    near = min(TURN_FRAMES, (high - low) // 4)
    begin, end = low, high - 1
    if near and frames > high - low:
        begin = low + int(speed[:near].argmin())
        end = high - 1 - int(speed[::-1][:near].argmin())
    period = max(1, 2 * (end - begin))
    at = np.arange(frames) % period
    return begin + np.minimum(at, period - at)


def nearest_path(starts: list[int], turn: NDArray, wanted: NDArray) -> NDArray[np.int64]:
    """Find frames whose head turns as `wanted` (T, 3), about its own mean, by dynamic programming."""
    best: tuple[float, NDArray] | None = None
    for low, high in itertools.pairwise(starts):
        if high - low < 2:
            continue
        course = wanted - wanted.mean(axis=0) + turn[low:high].mean(axis=0)
        cost, path = _path(np.degrees(turn[low:high]), np.degrees(course))
        if best is None or cost < best[0]:
            best = cost, low + path
    return np.zeros(len(wanted), int) if best is None else best[1]


def _path(turn: NDArray, course: NDArray) -> tuple[float, NDArray[np.int64]]:
    """Find the cheapest path (T,) through all frames (N, 3) for a course (T, 3), degrees.

    A state is a frame and whether the film runs forwards or backwards there; to turn round costs.
    """
    count = len(turn)
    own = np.square(turn[None] - course[:, None]).sum(axis=2)  # (T, N)
    total = np.stack([own[0], own[0] + BACKWARDS])  # (2, N)
    back = np.empty((len(course), 2, count), np.int8)  # step, and 4 more if it came from the other way
    for t in range(1, len(course)):
        new = np.empty_like(total)
        for way, sign in enumerate((1, -1)):
            came = np.minimum(total[way], total[1 - way] + TURN)
            turned = total[1 - way] + TURN < total[way]
            before = np.arange(count)[None] - sign * STEPS[:, None]  # (S, N)
            inside = (before >= 0) & (before < count)
            ways = np.where(inside, came[before.clip(0, count - 1)] + STEP_COSTS[:, None], np.inf)
            step = ways.argmin(axis=0)
            new[way] = ways.min(axis=0) + own[t] + (BACKWARDS if way else 0.0)
            origin = before[step, np.arange(count)].clip(0, count - 1)
            back[t, way] = step + 4 * turned[origin]
        total = new
    now, at = divmod(int(total.argmin()), count)
    path = [at]
    for t in range(len(course) - 1, 0, -1):
        code = int(back[t, now, path[-1]])
        path.append(path[-1] - (1 - 2 * now) * int(STEPS[code % 4]))
        now = 1 - now if code >= 4 else now
    return float(total.min()), np.array(path[::-1])


def key_poses(starts: list[int], turn: NDArray, wanted: NDArray) -> NDArray[np.int64]:
    """Match key poses greedily, as Yi et al. 2020 do, within the longest video."""
    low, high = _longest(starts)
    filmed, frames = turn[low:high], len(wanted)
    course = wanted - wanted.mean(axis=0) + filmed.mean(axis=0)
    keys = _keys(course)
    chosen, last = [], 0
    for number, key in enumerate(keys):
        reach = len(filmed) if number == 0 else key - keys[number - 1]
        begin, end = (0, reach) if number == 0 else (max(0, last - reach), min(len(filmed), last + reach))
        apart = np.abs(filmed[begin:end] - course[key]).sum(axis=1)
        last = begin + int(apart.argmin())
        chosen.append(last)
    return low + np.rint(np.interp(np.arange(frames), keys, chosen)).astype(int)


def _keys(course: NDArray) -> list[int]:
    """Find the key frames of a course (T, 3): extremes of its smoothed roll, thinned; first and last are keys, too."""
    frames = len(course)
    window = np.hanning(HANNING)
    padded = np.pad(course[:, 2], HANNING // 2, "edge")
    roll = np.convolve(padded, window / window.sum(), "valid")
    extremes = np.sort(np.concatenate([argrelextrema(roll, np.greater)[0], argrelextrema(roll, np.less)[0]]))
    largest = np.abs(course).max(axis=1)
    keys = _thin(extremes.tolist(), largest)
    while len(keys) > max(1, KEY_SHARE * frames):
        values = roll[keys]
        kept = np.sort(np.concatenate([argrelextrema(values, np.greater)[0], argrelextrema(values, np.less)[0]]))
        if len(kept) in (0, len(keys)):
            break
        keys = [keys[k] for k in kept]
    return sorted({0, *(int(key) for key in keys), frames - 1})


def _thin(keys: list[int], largest: NDArray) -> list[int]:
    """Of two keys nearer than `KEY_APART`, keep the one whose largest angle is larger."""
    kept: list[int] = []
    for key in keys:
        if kept and key - kept[-1] < KEY_APART:
            if largest[key] > largest[kept[-1]]:
                kept[-1] = key
        else:
            kept.append(key)
    return kept


def _longest(starts: list[int]) -> tuple[int, int]:
    """Return the first frame of the longest video, and the one after its last."""
    return max(itertools.pairwise(starts), key=lambda ends: ends[1] - ends[0])
