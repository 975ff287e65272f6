"""Offset of sound and picture: the lag at which two series correlate best, to a fraction of a step.

Sign: a positive lag says that the second series is late, so that what `a` shows at step t, `b` shows at t + lag. A
positive offset of a clip says that its sound is late.

The offset of a clip is found by what mouths and voices share whoever speaks: an open mouth is loud, and a wide one
has its second formant high, which rounded lips lower. Slow changes are left out, for they fit at any lag.

Axes: T steps, L lags, S samples, F frames of 40 ms, N steps of 10 ms, B bands.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from talkface.conventions import FPS
from talkface.face import points

STEP_S = 0.01  # of what is compared
MOST_S = 0.4  # offsets are sought to either side; syllables, which fit to others, come each 200 ms
# Hz. Chosen with the other constants on 140 clips of GRID's speaker s1, 5 of others and 50 of the demo corpus, as those
# under which the fewest of them lie far from the median of their kind; for mesh on 150 clips of seven speakers of GRID.
BANDS = ((600, 1_000), (1_000, 1_600), (1_600, 2_500), (2_500, 4_000))
WINDOW_S = 0.06
RANGE_DB = 30.0  # under the loud parts of a band (95 of 100 steps are quieter): what is quieter yet is silence
SLOW_S = {"dlib": 0.5, "mesh": 0.7}  # by detector: span of the moving average that is taken away
WIDTH_WEIGHT = {"dlib": 0.5, "mesh": 0.25}  # of the width's correlation, where that of the opening counts 1
APART_S = 0.08  # a peak so far from the best one is another
INDEPENDENT_HZ = 12.0  # independent values a second of what changes slower than in 6 Hz
CERTAIN = 0.8  # of `Offset.certainty`: enough to judge by; none of the clips above was wrong from 0.7 on
UNSURE = 0.7  # less: no offset stands out; 15 of 86 clips of real people lie below, so that it judges none alone
# A clip this long tells its offset to 20 ms: of stretches of 15 s of GRID's s1, their sound moved at random by up to
# 200 ms, 97 % (dlib) and 96 % (mesh) do; of clips of 3 s, 65 % (`make bench-timing`).
TELLING_S = 15.0
LITTLE_MS = 20.0  # an offset below half a frame is left as it is
DRIFT_S = 20.0  # clips shorter than this are too short to find an offset in each half
OUTER_LIP_PAIRS = ((50, 58), (51, 57), (52, 56))  # outer lip points that lie above each other
_BLOCK = 1_000  # windows


class Lag(NamedTuple):
    """Lag of the best correlation in steps (positive: the second series is late), and that correlation, -1 .. 1."""

    lag: float
    correlation: float


def lag_correlations(a: NDArray, b: NDArray, *, most: int) -> NDArray[np.float64]:
    """Compute Pearson's correlation of two series at each lag, over the steps where both are known.

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


def best_lag(a: NDArray, b: NDArray, *, most: int) -> Lag:
    """Find the lag at which two series correlate best, refined by the parabola through the peak and its neighbours.

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
    return Lag(math.nan, math.nan) if np.isnan(curve).all() else _refine(curve)


def _refine(curve: NDArray) -> Lag:
    """Find the peak of correlations at lags -most .. most, by the parabola through it and its neighbours."""
    most, top = len(curve) // 2, int(np.nanargmax(curve))
    step, height = 0.0, float(curve[top])
    if 0 < top < len(curve) - 1:
        before, after = curve[top - 1], curve[top + 1]
        bend = before - 2 * height + after
        if bend < 0:  # NaN compares false
            step = float(0.5 * (before - after) / bend)
            height = float(height - 0.25 * (before - after) * step)
    return Lag(top - most + step, min(1.0, height))


class Offset(NamedTuple):
    """Delay of a clip's sound in ms (positive: late; NaN: not found), and its certainty, 0 .. 1."""

    offset_ms: float
    certainty: float


def audio_video_offset(landmarks: ArrayLike, samples: ArrayLike, *, rate: int, detector: str = "dlib") -> Offset:
    """Measure the offset of sound and picture of a clip.

    Parameters
    ----------
    landmarks : (F, 68, 2) array
        Any unit, one a frame of 40 ms.
    samples : (S,) array
        Any scale; sample 0 belongs to the instant of the first frame.
    rate : int
        Hz, 8,000 or more.
    detector : {"dlib", "mesh"}
        Whose landmarks these are.

    Returns
    -------
    Offset
        Positive: the sound is late. The certainty is the probability that the best peak of the correlation is really
        higher than the next one, by Fisher's transformation: 0.5 means that there are two. Both are NaN where nothing
        moves, nothing sounds, or the clip is shorter than a second.
    """
    mouth, voice = mouth_series(landmarks), voice_series(samples, rate=rate)
    count = min(len(mouth), len(voice))
    if count * STEP_S < 1:
        return Offset(math.nan, math.nan)
    most = round(MOST_S / STEP_S)
    mouth, voice = (_without_slow(series[:count], SLOW_S[detector]) for series in (mouth, voice))
    opening, width = (lag_correlations(a, b, most=most) for a, b in zip(mouth.T, voice.T, strict=True))
    if np.isnan(opening).any():
        return Offset(math.nan, math.nan)
    weight = WIDTH_WEIGHT[detector]
    curve = (opening + weight * np.nan_to_num(width)) / (1 + weight)
    found = _refine(curve)
    # A value at the edge counts as another peak, for the curve may rise beyond it.
    peaks = np.r_[True, (curve[1:-1] >= curve[:-2]) & (curve[1:-1] > curve[2:]), True]
    others = curve[peaks & (np.abs(np.arange(-most, most + 1) - found.lag) > APART_S / STEP_S)]
    gap = math.atanh(min(found.correlation, 0.999)) - math.atanh(max(others.max(initial=-0.999), -0.999))
    deviation = math.sqrt(2 / max(1.0, INDEPENDENT_HZ * count * STEP_S - 3))
    return Offset(1_000 * STEP_S * found.lag, 0.5 * (1 + math.erf(gap / deviation / math.sqrt(2))))


def correction_ms(offset_ms: float, certainty: float, duration_s: float) -> float:
    """Tell by how much a clip's sound should come earlier (ms; negative: later): its offset, where that is certain.

    0 where it is not: in clips shorter than `TELLING_S`, below a certainty of `CERTAIN`, below `LITTLE_MS`, unknown.

    Examples
    --------
    >>> correction_ms(80.0, 0.99, 30.0), correction_ms(80.0, 0.99, 3.0), correction_ms(float("nan"), 0.9, 30.0)
    (80.0, 0.0, 0.0)
    """
    certain = certainty >= CERTAIN and duration_s >= TELLING_S and abs(offset_ms) >= LITTLE_MS
    return float(offset_ms) if certain else 0.0


def audio_video_drift(landmarks: ArrayLike, samples: ArrayLike, *, rate: int, detector: str = "dlib") -> float:
    """Measure how much later the sound is at the end of a clip than at its start, in ms.

    Twice the difference of the offsets of the second and the first half, whose middles are half a clip apart. The
    timestamps of a file do not tell this: sound and picture of two clocks carry none that disagree. NaN where the clip
    is shorter than `DRIFT_S`, or either half has no offset that is certain enough. Parameters as above.
    """
    landmarks, samples = np.asarray(landmarks), np.asarray(samples)
    if len(landmarks) / FPS < DRIFT_S:
        return math.nan
    middle = len(landmarks) // 2
    start = round(middle / FPS * rate)
    first = audio_video_offset(landmarks[:middle], samples[:start], rate=rate, detector=detector)
    second = audio_video_offset(landmarks[middle:], samples[start:], rate=rate, detector=detector)
    if not min(first.certainty, second.certainty) >= CERTAIN:
        return math.nan
    return 2 * (second.offset_ms - first.offset_ms)


def mouth_series(landmarks: ArrayLike) -> NDArray[np.float64]:
    """Measure opening of lips and jaw, and width of the mouth, each 10 ms, (N, 2), in outer-eye distances."""
    landmarks = np.asarray(landmarks, np.float64)
    if not len(landmarks):
        return np.zeros((0, 2))
    outer = np.mean([points.distance(landmarks, upper, lower) for upper, lower in OUTER_LIP_PAIRS], axis=0)
    jaw = points.distance(landmarks, 30, 8)  # tip of the nose to the chin
    opening = points.mouth_opening(landmarks) + outer + jaw
    series = np.stack([opening, points.distance(landmarks, 60, 64)], axis=1) / np.median(
        points.outer_eye_distance(landmarks)
    )  # (F, 2)
    steps = np.arange(int((len(series) - 1) / FPS / STEP_S) + 1) * STEP_S * FPS
    return np.stack([np.interp(steps, np.arange(len(series)), column) for column in series.T], axis=1)  # (N, 2)


def voice_series(samples: ArrayLike, *, rate: int) -> NDArray[np.float64]:
    """Measure loudness, and height of the second formant, each 10 ms, (N, 2), in dB.

    Step n is the instant n/100 s, in the middle of its window. Loudness is the mean level of the lowest and the
    highest of `BANDS`, height the level of the third less that of the second.
    """
    samples = np.asarray(samples, np.float64)
    size, half = round(WINDOW_S * rate), round(WINDOW_S * rate / 2)
    padded = np.pad(samples, (half, size))
    starts = np.round(np.arange(int(len(samples) / rate / STEP_S)) * STEP_S * rate).astype(int)
    frequency, taper = np.fft.rfftfreq(size, 1 / rate), np.hanning(size)
    inside = np.stack([(frequency >= low) & (frequency < high) for low, high in BANDS], axis=1)  # (bins, B)
    power = np.zeros((len(starts), len(BANDS)))
    for begin in range(0, len(starts), _BLOCK):  # a block at a time: windows overlap six times
        frames = padded[starts[begin : begin + _BLOCK, None] + np.arange(size)] * taper
        power[begin : begin + _BLOCK] = np.square(np.abs(np.fft.rfft(frames))) @ inside
    if not power.any():
        return np.zeros((len(starts), 2))
    level = 10 * np.log10(np.maximum(power, 1e-12 * power.max()))
    level = np.maximum(level, np.percentile(level, 95, axis=0) - RANGE_DB)
    return np.stack([(level[:, 0] + level[:, 3]) / 2, level[:, 2] - level[:, 1]], axis=1)


def _without_slow(series: NDArray, slow_s: float) -> NDArray:
    """Subtract from series (N, C) their moving average over so many seconds, mirrored at the ends."""
    window = np.hanning(2 * round(slow_s / STEP_S / 2) + 3)[1:-1]
    window /= window.sum()
    padded = np.pad(series, ((len(window) // 2,) * 2, (0, 0)), mode="reflect")
    return series - np.stack([np.convolve(column, window, "valid") for column in padded.T], axis=1)
