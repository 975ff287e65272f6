"""Measures of predicted landmarks: pure functions of arrays in the template frame, and their registry.

Axes: T frames, 68 points, 2 coordinates, S samples, K coefficients. Errors are in percent of the distance of the outer
eye corners, which is the unit of the template frame, unless a definition says otherwise. Truth and prediction are
compared over their first min(T) frames. Where a measure is not defined it is NaN.
"""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import binary_erosion, gaussian_filter1d

from talkface.conventions import FPS, FULL_SCALE
from talkface.evaluation.articulation import closure_gap, closure_rate, lip_rounding, lip_teeth_gap
from talkface.evaluation.rooms import opening_kept, rest_opening
from talkface.face import points
from talkface.face.shape_model import ShapeModel
from talkface.face.sync import best_lag, lag_correlations
from talkface.face3d import arkit
from talkface.face3d.weights import weights_of

ALL = tuple(range(points.COUNT))
FRAME_MS = 1000 / FPS
COEFFICIENTS = 6  # of Eskimez et al. 2020
# Lags are sought within 10 frames, 400 ms. Further off, speech resembles itself again: syllables follow every 200 ms.
MOST_FRAMES = 10
SHIFTED_FRAMES = 3  # 120 ms to either side: what a recording may be off, and a syllable is not
# Frames, deviation of the Gaussian whose mean is taken off a series before its lag is sought: what is slower than a
# word says little about time, and where all sentences have one rhythm, as in GRID, it finds them all alike.
SLOW_FRAMES = 3
# Below this correlation the best lag is chance: the openings of two different sentences reach it in one of five to ten
# pairs (demo corpus, GRID speaker 1), opening and loudness of one clip in nine and six of ten.
LEAST_CORRELATION = 0.5
LOUD_PERCENTILE = 95  # of a clip's frames: what its loudness is measured from
# dB below the clip's loud frames: silence. In GRID, whose recordings are noisy, half of the frames without speech lie
# below -25 dB, in the demo corpus nearly all; vowels lie above -20 dB in both.
SILENCE_DB = -20.0
# Frames to either side that must be silent, too: the mouth opens about 100 ms before the voice is heard, and plosives
# are silent for 50 to 100 ms within a word.
SILENCE_MARGIN = 2
# Percent of the outer-eye distance. With the two limits above, 94 % of the silent frames of the demo corpus's test
# clips and 87 % of those of GRID speaker 1 are closed: resting lips lie 2.5 to 4 apart. The mean faces of both corpora
# lie at 6 or more, so that a face which never moves does not pass.
CLOSED_PERCENT = 5.0


def _pair(prediction: ArrayLike, truth: ArrayLike) -> tuple[NDArray, NDArray]:
    prediction, truth = np.asarray(prediction, np.float64), np.asarray(truth, np.float64)
    count = min(len(prediction), len(truth))
    return prediction[:count, ..., :2], truth[:count, ..., :2]


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

    Examples
    --------
    >>> truth = np.zeros((2, 68, 2))
    >>> round(rmse(truth + [0.03, 0.04], truth), 6)
    5.0
    """
    prediction, truth = _pair(prediction, truth)
    return float(100 * _mean(_per_frame(np.diff(prediction - truth, n=difference, axis=0), indices)))


def _per_frame(error: NDArray, indices: Sequence[int] = points.LIPS) -> NDArray:
    """Take the root of the mean over points of the squared length of error (T, 68, 2): (T,)."""
    return np.sqrt(np.square(error[:, list(indices)]).sum(axis=-1).mean(axis=1))


def _mean(values: NDArray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def coefficient_l1(prediction: ArrayLike, truth: ArrayLike, *, shape_model: ShapeModel) -> float:
    """Mean absolute error of the first 6 coefficients of the corpus's shape model, over frames and coefficients.

    The loss of Eskimez et al. 2020, who predict as many. Both faces are written with the components of the training
    frames, which have unit length, so that the number has the unit of the template frame.

    Parameters
    ----------
    prediction, truth : (T, 68, 2) arrays
    shape_model : ShapeModel

    Returns
    -------
    float
        Percent of the outer-eye distance.
    """
    prediction, truth = _pair(prediction, truth)
    model = shape_model.first(min(COEFFICIENTS, len(shape_model)))
    error = np.abs(model.encode(prediction) - model.encode(truth))  # (T, K)
    return 100 * _mean(error.mean(axis=1))


def rmse_width1(prediction: ArrayLike, truth: ArrayLike, *, indices: Sequence[int] = points.LIPS) -> float:
    """Root mean squared distance of the lips where faces are one unit wide, averaged over frames.

    Of the replication toolkit of Eskimez et al. 2020: half the mean width of the face is added to x, then all
    coordinates are divided by the largest x, which takes a face centred at 0 to a width of about 1. Prediction and
    truth are scaled each by its own width; then as `rmse`.

    Parameters
    ----------
    prediction, truth : (T, 68, 2) arrays
    indices : sequence of int
        The points that count; the lips by default.

    Returns
    -------
    float
        Widths of the face, not percent.
    """
    prediction, truth = _pair(prediction, truth)
    if not len(truth):
        return float("nan")
    return _mean(_per_frame(_to_width1(prediction) - _to_width1(truth), indices))


def _to_width1(faces: NDArray) -> NDArray:
    """Scale faces (T, 68, 2) to lie between 0 and 1 in x, alike in y."""
    moved = faces.copy()
    moved[..., 0] += np.ptp(faces[..., 0], axis=1).mean() / 2
    return moved / moved[..., 0].max()


def box_mse(prediction: ArrayLike, truth: ArrayLike) -> float:
    """Mean squared error of coordinates where each frame's own bounding box reaches from 0 to 1 in x and in y.

    Of Li et al. 2017, over 136 numbers a frame; as published, the jaw's opening takes part in the scale of both.

    Returns
    -------
    float
        Squared boxes, not percent.
    """
    prediction, truth = _pair(prediction, truth)
    return _mean(np.square(_into_box(prediction) - _into_box(truth)).mean(axis=(1, 2)))


def _into_box(faces: NDArray) -> NDArray:
    low, high = faces.min(axis=1, keepdims=True), faces.max(axis=1, keepdims=True)
    return (faces - low) / np.maximum(high - low, 1e-9)


def landmark_distance(prediction: ArrayLike, truth: ArrayLike, *, total: bool = True) -> float:
    """Landmark distance of the mouth, as the evaluation of ATVGnet has it (Chen et al. 2019).

    The 20 points of the mouth are centred on their mean, in prediction and truth alike, so that where the mouth lies
    does not count; the Euclidean distances are summed over the points and averaged over frames. Their paper:
    "Hierarchical Cross-Modal Talking Face Generation with Dynamic Pixel-Wise Loss".

    Parameters
    ----------
    prediction, truth : (T, 68, 2) arrays
    total : bool
        Sum over the 20 points (published); else their mean.

    Returns
    -------
    float
        Percent of the outer-eye distance.
    """
    prediction, truth = (faces[:, list(points.LIPS)] for faces in _pair(prediction, truth))
    error = (prediction - prediction.mean(axis=1, keepdims=True)) - (truth - truth.mean(axis=1, keepdims=True))
    distance = np.linalg.norm(error, axis=-1)  # (T, 20)
    return 100 * _mean(distance.sum(axis=1) if total else distance.mean(axis=1))


def opening_distance(prediction: ArrayLike, truth: ArrayLike) -> float:
    """Mean absolute difference of predicted and true mouth opening (`points.mouth_opening`), percent."""
    prediction, truth = _pair(prediction, truth)
    return 100 * _mean(np.abs(points.mouth_opening(prediction) - points.mouth_opening(truth)))


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

    Examples
    --------
    >>> truth = np.zeros((3, 68, 2))
    >>> truth[:, 66, 1] = [0.0, 0.1, 0.2]  # the lower lip moves down
    >>> round(opening_correlation(0.5 * truth, truth), 6)  # half as far, at the same time
    1.0
    """
    prediction, truth = _pair(prediction, truth)
    return correlation(points.mouth_opening(prediction), points.mouth_opening(truth))


def opening_correlation_shifted(prediction: ArrayLike, truth: ArrayLike) -> float:
    """Pearson's correlation of predicted and true mouth opening at the shift of at most 120 ms at which it is highest.

    Where recordings are late or early by a few frames it says what a model hears, whenever it shows it.

    Returns
    -------
    float
        -1 .. 1; NaN where either does not move.
    """
    prediction, truth = _pair(prediction, truth)
    opened = points.mouth_opening(prediction), points.mouth_opening(truth)
    found = lag_correlations(*opened, most=SHIFTED_FRAMES)
    return float("nan") if np.isnan(found).all() else float(np.nanmax(found))


def correlation(a: ArrayLike, b: ArrayLike) -> float:
    """Compute Pearson's correlation of two series (T,), -1 .. 1; NaN where either is constant or shorter than two.

    Examples
    --------
    >>> round(correlation([1, 2, 3], [6, 4, 2]), 6)
    -1.0
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if len(a) < 2 or np.ptp(a) < 1e-9 or np.ptp(b) < 1e-9:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def weight_error(prediction: ArrayLike, truth: ArrayLike) -> float:
    """Mean absolute difference of ARKit's 52 weights of prediction and truth, both found from their landmarks.

    Parameters
    ----------
    prediction, truth : (T, 68, 2 or 3) arrays
        Template frame; x and y count.

    Returns
    -------
    float
        0 .. 1; NaN without frames.

    Examples
    --------
    >>> face = np.zeros((3, 68, 2))
    >>> weight_error(face, face)
    0.0
    """
    prediction, truth = _pair(prediction, truth)
    return _mean(np.abs(_weights(prediction) - _weights(truth)))


def jaw_correlation(prediction: ArrayLike, truth: ArrayLike) -> float:
    """Correlation over time of the weight jawOpen of prediction and truth, both found from their landmarks.

    Parameters as in `weight_error`.

    Returns
    -------
    float
        -1 .. 1; NaN where one of them never changes.
    """
    prediction, truth = _pair(prediction, truth)
    jaw = arkit.INDEX["jawOpen"]
    return correlation(_weights(prediction)[:, jaw], _weights(truth)[:, jaw])


def _weights(faces: NDArray) -> NDArray[np.float32]:
    return _weights_of(np.ascontiguousarray(faces).tobytes(), len(faces))


@functools.lru_cache(maxsize=8)
def _weights_of(content: bytes, frames: int) -> NDArray[np.float32]:
    """Find the weights of faces; two measures look at the same ones, and a truth is compared many times."""
    return weights_of(np.frombuffer(content).reshape(frames, points.COUNT, 2))


def depth_rmse(prediction: ArrayLike, truth: ArrayLike) -> float:
    """Root of the mean squared difference of the third coordinate, averaged over frames.

    Parameters
    ----------
    prediction, truth : (T, 68, 3) arrays
        Template frame; the longer one is cut.

    Returns
    -------
    float
        Percent of the outer-eye distance; NaN unless both have a third coordinate (`landmarks.dimensions: 3`).

    Examples
    --------
    >>> round(depth_rmse(np.full((2, 68, 3), 0.1), np.zeros((2, 68, 3))), 6)
    10.0
    """
    prediction, truth = np.asarray(prediction, np.float64), np.asarray(truth, np.float64)
    if prediction.shape[-1] != 3 or truth.shape[-1] != 3:
        return math.nan
    count = min(len(prediction), len(truth))
    return 100 * _mean(np.sqrt(np.square(prediction[:count, :, 2] - truth[:count, :, 2]).mean(axis=1)))


def sync_truth(prediction: ArrayLike, truth: ArrayLike) -> float:
    """How late the predicted mouth opens: the lag at which its opening correlates best with the true one.

    Lags of at most 10 frames, refined by a parabola through the best and its neighbours; what is slower than a word is
    taken off before (a Gaussian mean of deviation 3 frames). The lip-sync offset of talking-head evaluations, here
    measured on landmarks.

    Returns
    -------
    float
        Milliseconds, positive where the prediction is late; NaN where the best correlation lies below 0.5 or at the
        edge of the lags.
    """
    prediction, truth = _pair(prediction, truth)
    return _lag_ms(points.mouth_opening(truth), points.mouth_opening(prediction))


def sync_audio(prediction: ArrayLike, truth: ArrayLike, *, loudness: ArrayLike) -> float:
    """How late the predicted mouth opens after the sound: the lag at which its opening correlates best with loudness.

    As `sync_truth`; silence counts as 20 dB below the clip's loud frames.

    Parameters
    ----------
    prediction, truth : (T, 68, 2) arrays
        The truth only says how many frames count; the measure of the truth itself is what a prediction should have.
    loudness : (T,) array
        dB, of the clean sound, see `frame_loudness`.

    Returns
    -------
    float
        Milliseconds, positive where the mouth is late; NaN as in `sync_truth`.
    """
    prediction, _ = _pair(prediction, truth)
    return _lag_ms(heard_loudness(loudness), points.mouth_opening(prediction))


def _lag_ms(earlier: NDArray, later: NDArray) -> float:
    count = min(len(earlier), len(later))
    if count < 4 or np.ptp(earlier[:count]) < 1e-9 or np.ptp(later[:count]) < 1e-9:
        return float("nan")
    quick = [series[:count] - gaussian_filter1d(series[:count], SLOW_FRAMES) for series in (earlier, later)]
    found = best_lag(*quick, most=MOST_FRAMES)
    at_edge = abs(found.lag) >= min(MOST_FRAMES, count // 2)
    return float("nan") if at_edge or not found.correlation >= LEAST_CORRELATION else FRAME_MS * found.lag


def silence_closed(prediction: ArrayLike, truth: ArrayLike, *, loudness: ArrayLike) -> float:
    """Share of the silent frames in which the predicted mouth is closed.

    A frame is silent where it and two frames to either side lie 20 dB or more below the clip's loud frames (their 95th
    percentile), and closed where the mouth's opening is at most 5 % of the outer-eye distance.

    Parameters
    ----------
    prediction, truth : (T, 68, 2) arrays
        The truth only says how many frames count.
    loudness : (T,) array
        dB, of the clean sound, see `frame_loudness`.

    Returns
    -------
    float
        0 .. 1, 1 for a mouth that rests; NaN where nothing is silent.
    """
    prediction, _ = _pair(prediction, truth)
    quiet = relative_loudness(loudness)[: len(prediction)] <= SILENCE_DB
    silent = binary_erosion(quiet, np.ones(2 * SILENCE_MARGIN + 1, bool), border_value=1)
    closed = 100 * points.mouth_opening(prediction)[: len(quiet)] <= CLOSED_PERCENT
    return _mean(closed[silent])


def jitter_ratio(prediction: ArrayLike, truth: ArrayLike) -> float:
    """Jitter of the predicted lips over that of the true ones.

    Jitter is the root mean squared length over the lip points of their second difference in time, averaged over frames.

    Returns
    -------
    float
        1 where both move as roughly; below, the prediction is smoother. NaN where the truth does not move.

    Examples
    --------
    >>> truth = np.zeros((6, 68, 2))
    >>> truth[::2] = 0.01
    >>> round(jitter_ratio(0.5 * truth, truth), 6)
    0.5
    """
    prediction, truth = (_per_frame(np.diff(faces, n=2, axis=0)) for faces in _pair(prediction, truth))
    return _mean(prediction) / _mean(truth) if len(truth) and truth.any() else float("nan")


def frame_loudness(samples: ArrayLike, *, rate: int, frames: int) -> NDArray[np.float64]:
    """Measure the level of the 40 ms of sound around each frame.

    Parameters
    ----------
    samples : (S,) int16 array
    rate : int
        Hz.
    frames : int
        T; beyond the sound there is silence.

    Returns
    -------
    (T,) array
        dB below full scale, at least -120; frame i stands for 40 ms centred on i/25 s.
    """
    window = round(rate / FPS)
    power = np.square(np.asarray(samples, np.float64) / FULL_SCALE)
    total = np.concatenate([[0.0], np.cumsum(np.pad(power, (window // 2, window)))])
    start = np.minimum(np.arange(frames) * rate // FPS, len(total) - 1 - window)
    mean = np.maximum(total[start + window] - total[start], 0) / window  # (T,)
    return 10 * np.log10(np.maximum(mean, 1e-12))


def relative_loudness(loudness: ArrayLike) -> NDArray[np.float64]:
    """Return the loudness (T,) in dB above the clip's loud frames (their 95th percentile)."""
    loudness = np.asarray(loudness, np.float64)
    return loudness - np.percentile(loudness, LOUD_PERCENTILE) if len(loudness) else loudness


def heard_loudness(loudness: ArrayLike) -> NDArray[np.float64]:
    """Return the same (T,), at least `SILENCE_DB`: how quiet a silence is says nothing."""
    return np.maximum(relative_loudness(loudness), SILENCE_DB)


def shuffled(prediction: ArrayLike, generator: np.random.Generator) -> NDArray:
    """Put the frames of a prediction (T, 68, 2) in random order: the control that keeps everything but the timing.

    Examples
    --------
    >>> sorted(shuffled([10, 20, 30], np.random.default_rng(0)).tolist())
    [10, 20, 30]
    """
    prediction = np.asarray(prediction)
    return prediction[generator.permutation(len(prediction))]


def delayed(truth: ArrayLike, frames: int) -> NDArray:
    """Delay a truth (T, 68, 2) by so many frames, its first frame repeated: a perfect but late prediction.

    Examples
    --------
    >>> delayed([10, 20, 30, 40], 1).tolist()
    [10, 10, 20, 30]
    """
    truth = np.asarray(truth)
    return truth[np.maximum(np.arange(len(truth)) - frames, 0)]


class Measure(NamedTuple):
    """An entry of the registry.

    Attributes
    ----------
    function : callable
        Of prediction and truth, (T, 68, 2) each, and the keywords `needs`; gives a float. The first paragraph of its
        docstring is the definition that the evaluation page shows.
    unit : str
    better : {"low", "high", "zero", "one"}
        Which values are good.
    title : str
        For people.
    source : str
        Who measures so.
    needs : tuple of str
        Of "loudness" ((T,) dB of the clean sound), "shape_model" (of the training frames), "spoken" (when the sounds
        that need lips are spoken, `articulation.Spoken`) and "rooms" (what is predicted where nobody speaks,
        `rooms.Rooms`).
    alone : bool
        It looks at the prediction alone, so that the truth has a number of its own.
    """

    function: Callable[..., float]
    unit: str
    better: str
    title: str
    source: str
    needs: tuple[str, ...] = ()
    alone: bool = False


LIP = partial(rmse, indices=points.LIPS)
EYES = "% of the outer-eye distance"
MEASURES: dict[str, Measure] = {
    "lip_rmse": Measure(LIP, EYES, "low", "lip error", "Eskimez et al. 2018"),
    "face_rmse": Measure(rmse, EYES, "low", "face error", "Eskimez et al. 2018"),
    "lip_rmse_first_difference": Measure(
        partial(LIP, difference=1), f"{EYES} a frame", "low", "lip velocity error", "Eskimez et al. 2018"
    ),
    "lip_rmse_second_difference": Measure(
        partial(LIP, difference=2), f"{EYES} a squared frame", "low", "lip acceleration error", "Eskimez et al. 2018"
    ),
    "coefficient_l1": Measure(
        coefficient_l1, EYES, "low", "error of shape coefficients", "Eskimez et al. 2020", ("shape_model",)
    ),
    "lip_rmse_width1": Measure(
        rmse_width1, "face widths", "low", "lip error, faces of width 1", "replication toolkit of Eskimez et al. 2020"
    ),
    "box_mse": Measure(box_mse, "squared face boxes", "low", "squared error in the face box", "Li et al. 2017"),
    "lmd_sum": Measure(
        landmark_distance, EYES, "low", "landmark distance, sum of 20 centred mouth points", "Chen et al. 2019"
    ),
    "lmd_mean": Measure(
        partial(landmark_distance, total=False), EYES, "low", "landmark distance, mean over points", "Chen et al. 2019"
    ),
    "opening_distance": Measure(opening_distance, EYES, "low", "mouth-opening error", "talkface"),
    "opening_correlation": Measure(opening_correlation, "-1 .. 1", "high", "mouth-opening correlation", "talkface"),
    "opening_correlation_shifted": Measure(
        opening_correlation_shifted, "-1 .. 1", "high", "mouth-opening correlation, best shift", "talkface"
    ),
    "sync_truth_ms": Measure(sync_truth, "ms", "zero", "mouth later than the true one", "talkface"),
    "sync_audio_ms": Measure(sync_audio, "ms", "zero", "mouth later than the sound", "talkface", ("loudness",), True),
    "silence_closed": Measure(
        silence_closed, "share", "one", "mouth closed in silence", "talkface", ("loudness",), alone=True
    ),
    "rest_opening": Measure(
        rest_opening, EYES, "low", "opening where nobody speaks", "talkface", ("rooms",), alone=True
    ),
    "opening_kept": Measure(opening_kept, "ratio", "one", "opening after a pause", "talkface", ("rooms",), alone=True),
    "closure_rate": Measure(
        closure_rate, "share", "one", "lips that meet at /p b m/", "talkface", ("spoken",), alone=True
    ),
    "closure_gap": Measure(closure_gap, EYES, "low", "gap of the lips at /p b m/", "talkface", ("spoken",), alone=True),
    "lip_rounding": Measure(
        lip_rounding, EYES, "high", "mouth narrower at /o u w/", "talkface", ("spoken",), alone=True
    ),
    "lip_teeth_gap": Measure(
        lip_teeth_gap, EYES, "low", "lower lip below the teeth at /f v/", "talkface", ("spoken",), alone=True
    ),
    "weight_error": Measure(weight_error, "0 .. 1", "low", "error of ARKit's weights", "talkface"),
    "jaw_correlation": Measure(jaw_correlation, "-1 .. 1", "high", "correlation of jawOpen", "talkface"),
    "depth_rmse": Measure(depth_rmse, EYES, "low", "error of the depth", "talkface"),
    "jitter_ratio": Measure(jitter_ratio, "ratio", "one", "jitter relative to the truth", "talkface"),
}


def measure_all(prediction: ArrayLike, truth: ArrayLike, **known: Any) -> dict[str, float]:
    """Take all measures of one clip, in the order of the registry.

    Parameters
    ----------
    prediction, truth : (T, 68, 2 or 3) arrays
        Template frame; x and y count.
    **known
        What measures need: loudness, shape_model, spoken, rooms.
    """
    return {name: measure.function(prediction, truth, **_needed(measure, known)) for name, measure in MEASURES.items()}


def _needed(measure: Measure, known: Mapping[str, Any]) -> dict[str, Any]:
    return {name: known[name] for name in measure.needs}
