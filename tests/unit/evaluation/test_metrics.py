import numpy as np
import pytest

from talkface.evaluation import metrics
from talkface.evaluation.articulation import Spoken
from talkface.evaluation.rooms import Rooms
from talkface.face import points
from talkface.face.shape_model import ShapeModel
from talkface.face.template import load_template


@pytest.fixture
def truth():
    return np.random.default_rng(0).standard_normal((20, 68, 2))


def test_rmse_by_hand(truth):
    moved = truth.copy()
    moved[..., 0] += 0.03
    moved[..., 1] += 0.04
    assert metrics.rmse(moved, truth) == pytest.approx(5.0)  # every point is 0.05 away: 5 %
    lips = truth.copy()
    lips[:, 48, 0] += 0.1  # one of 20 lip points, in every frame: sqrt(0.01 / 20)
    assert metrics.rmse(lips, truth, indices=points.LIPS) == pytest.approx(100 * np.sqrt(0.01 / 20))
    assert metrics.rmse(lips, truth) == pytest.approx(100 * np.sqrt(0.01 / 68))


def test_rmse_averages_roots_over_frames(truth):
    moved = truth.copy()
    moved[:10, :, 0] += 0.2  # half of the frames 20 %, the other half nothing; the root of the mean would be 14.1
    assert metrics.rmse(moved, truth) == pytest.approx(10.0)


def test_the_longer_one_is_cut(truth):
    assert metrics.rmse(np.concatenate([truth, truth + 9]), truth) == 0
    assert metrics.rmse(truth[:7], truth) == 0
    assert np.isnan(metrics.rmse(truth[:0], truth))


def test_correlation_by_hand():
    assert metrics.correlation([0, 1, 2], [1, 3, 5]) == pytest.approx(1)
    assert metrics.correlation([0, 1, 2], [5, 3, 1]) == pytest.approx(-1)
    assert metrics.correlation([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx(0.8)
    assert np.isnan(metrics.correlation([1, 1, 1], [1, 2, 3]))
    assert np.isnan(metrics.correlation([1], [1]))


def test_opening_correlation_looks_at_the_inner_lips_alone(truth):
    opening = np.linspace(0, 1, 20)
    faces = np.zeros((20, 68, 2))
    faces[:, [65, 66, 67], 1] = opening[:, None]
    other = np.zeros((20, 68, 2))
    other[:, [65, 66, 67], 1] = 2 * opening[:, None] + 0.1
    other[:, 8] = truth[:, 8]
    assert metrics.opening_correlation(other, faces) == pytest.approx(1)


def test_shuffled_keeps_the_frames_and_loses_their_order(truth):
    mixed = metrics.shuffled(truth, np.random.default_rng(1))
    assert not np.array_equal(mixed, truth)
    np.testing.assert_array_equal(np.sort(mixed[:, 0, 0]), np.sort(truth[:, 0, 0]))
    again = metrics.shuffled(truth, np.random.default_rng(1))
    np.testing.assert_array_equal(mixed, again)


def mouths(opening):
    """Faces (T, 68, 2) whose inner lip pairs are so far apart, and that do nothing else."""
    faces = np.repeat(load_template()[None], len(opening), axis=0)
    for upper, lower in points.LIP_PAIRS:
        faces[:, lower] = faces[:, upper] + np.stack([np.zeros(len(opening)), np.asarray(opening)], axis=1)
    return faces


def test_differences_in_time_by_hand(truth):
    moved = truth.copy()
    moved[1::2, :, 0] += 0.03  # every other frame: each first difference is 3 % off, each second one 6 %
    assert metrics.MEASURES["lip_rmse_first_difference"].function(moved, truth) == pytest.approx(3)
    assert metrics.MEASURES["lip_rmse_second_difference"].function(moved, truth) == pytest.approx(6)
    assert np.isnan(metrics.rmse(truth[:2], truth[:2], difference=2))


def test_coefficients_by_hand():
    components = np.eye(8, 136)
    model = ShapeModel(np.zeros((68, 2)), components, np.full(8, 0.1), np.ones(8))
    truth, prediction = np.zeros((4, 68, 2)), np.zeros((4, 68, 2))
    prediction[:, 0, 0] = 0.06  # the first coefficient alone: 6 % over six coefficients
    prediction[:2, 3, 0] = 1.0  # the seventh does not count
    assert metrics.coefficient_l1(prediction, truth, shape_model=model) == pytest.approx(1.0)
    assert metrics.coefficient_l1(prediction, truth, shape_model=model.first(2)) == pytest.approx(3.0)


def test_faces_of_width_one_by_hand():
    truth = np.zeros((2, 68, 2))
    truth[:, 0, 0], truth[:, 16, 0] = -2, 2  # width 4: x becomes 0 .. 4, then 0 .. 1
    moved = truth.copy()
    moved[:, 48, 1] = 0.4  # of a face 4 wide: 0.1; one of 20 points
    assert metrics.rmse_width1(moved, truth) == pytest.approx(np.sqrt(0.01 / 20))
    assert metrics.rmse_width1(3 * moved, truth) == pytest.approx(np.sqrt(0.01 / 20))  # each by its own width
    assert np.isnan(metrics.rmse_width1(truth[:0], truth))


def test_the_face_box_by_hand():
    truth = np.zeros((2, 68, 2))
    truth[:, 0], truth[:, 16] = [-1, 0], [1, 1]  # the box; other points lie at its (0.5, 0)
    moved = truth.copy()
    moved[0, 30] = [0.2, 0.3]  # 0.1 and 0.3 of the box: (0.01 + 0.09) / 136 in one of two frames
    assert metrics.box_mse(moved, truth) == pytest.approx(0.1 / 136 / 2)
    assert metrics.box_mse(5 * moved + 3, truth) == pytest.approx(0.1 / 136 / 2)


def test_landmark_distance_by_hand(truth):
    moved = truth.copy()
    moved[:, 48:] += [0.3, -0.1]  # where the mouth lies does not count
    moved[:, 48, 0] += 0.2  # one point 0.2 off: 0.19 from the new mean, the other 19 points 0.01
    assert metrics.landmark_distance(moved, truth) == pytest.approx(100 * (0.19 + 19 * 0.01))
    assert metrics.landmark_distance(moved, truth, total=False) == pytest.approx(100 * (0.19 + 19 * 0.01) / 20)


def test_opening_distance_by_hand():
    assert metrics.opening_distance(mouths([0.1, 0.3]), mouths([0.1, 0.2])) == pytest.approx(5)


def bumps(time):
    return 0.1 + 0.1 * np.exp(-(((time - 20) / 3) ** 2)) + 0.08 * np.exp(-(((time - 45) / 4) ** 2))


@pytest.mark.parametrize("late", [-4.0, 0.0, 2.5, 7.0])
def test_a_late_mouth_has_a_positive_offset(late):
    time = np.arange(70.0)
    truth, prediction = mouths(bumps(time)), mouths(bumps(time - late))
    assert metrics.sync_truth(prediction, truth) == pytest.approx(40 * late, abs=3)
    loudness = -40 + 200 * (bumps(time) - 0.1)  # of the sound the truth was said to
    assert metrics.sync_audio(prediction, truth, loudness=loudness) == pytest.approx(40 * late, abs=3)


def test_an_offset_needs_movement_and_likeness():
    time = np.arange(70.0)
    moving, still = mouths(bumps(time)), mouths(np.full(70, 0.1))
    assert np.isnan(metrics.sync_truth(still, moving))
    assert np.isnan(metrics.sync_truth(mouths(bumps(time - 14)), moving))  # later than any lag sought
    assert np.isnan(metrics.sync_truth(mouths(np.random.default_rng(0).uniform(0, 0.2, 70)), moving))
    assert np.isnan(metrics.sync_audio(moving, moving, loudness=np.full(70, -30.0)))
    assert np.isnan(metrics.sync_truth(moving[:3], moving[:3]))


def test_silence_by_hand():
    loudness = np.full(40, -20.0)
    loudness[10:20] = -60.0  # silent with two frames to either side: 12 .. 17
    loudness[25:29] = -60.0  # too short a silence
    opening = np.full(40, 0.2)
    opening[12:15] = 0.04
    assert metrics.silence_closed(mouths(opening), mouths(opening), loudness=loudness) == pytest.approx(3 / 6)
    assert metrics.silence_closed(mouths(opening)[:15], mouths(opening), loudness=loudness) == 1
    assert np.isnan(metrics.silence_closed(mouths(opening), mouths(opening), loudness=np.full(40, -20.0)))


def test_jitter_by_hand(truth):
    still = np.zeros((9, 68, 2))
    shaken = still.copy()
    shaken[1::2, 48:, 0] = 1.0
    assert metrics.jitter_ratio(3 * shaken, shaken) == pytest.approx(3)
    assert metrics.jitter_ratio(still, shaken) == 0
    assert np.isnan(metrics.jitter_ratio(shaken, still))
    assert np.isnan(metrics.jitter_ratio(truth[:2], truth[:2]))


def test_loudness_by_hand():
    rate = 1_000  # 40 samples a frame
    samples = np.zeros(200, np.int16)
    samples[60:100] = 16_384  # 0.06 .. 0.1 s: all of the 40 ms around frame 2, at 0.08 s
    found = metrics.frame_loudness(samples, rate=rate, frames=6)
    assert found[2] == pytest.approx(20 * np.log10(0.5), abs=1e-6)
    np.testing.assert_allclose(found[[0, 1, 3, 4, 5]], -120)
    assert metrics.frame_loudness(samples, rate=rate, frames=9)[8] == -120  # beyond the sound
    np.testing.assert_allclose(metrics.relative_loudness([-30.0, -10.0, -10.0])[0], -20)


def test_a_late_truth():
    np.testing.assert_array_equal(metrics.delayed(np.array([1, 2, 3, 4]), 2), [1, 1, 1, 2])


KNOWN = {
    "shape_model": ShapeModel(np.zeros((68, 2)), np.eye(2, 136), np.full(2, 0.1), np.ones(2)),
    "loudness": np.linspace(-60, -20, 20),
    "spoken": Spoken([(0.2, 0.3)], [(0.3, 0.4)], [(0.4, 0.5)], [(0.2, 0.6)], source="words"),
    "rooms": Rooms(*np.random.default_rng(1).standard_normal((3, 5, 68, 2))),
}


@pytest.mark.parametrize("name", metrics.MEASURES)
def test_every_measure_has_its_best_value_at_the_truth(name, truth):
    measure = metrics.MEASURES[name]
    known = {key: KNOWN[key] for key in measure.needs}
    assert measure.better in ("low", "high", "zero", "one")
    assert measure.function.__doc__ or measure.function.func.__doc__
    if name == "depth_rmse":  # which is not known of faces in the plane
        assert np.isnan(measure.function(truth, truth))
        deep = np.concatenate([truth, truth[..., :1]], axis=-1)
        assert measure.function(deep, deep) == 0
        assert measure.function(deep + np.array([5, 5, 0.02]), deep) == pytest.approx(2)
        return
    value = measure.function(truth + 0.0, truth, **known)
    best = {"low": 0, "zero": 0, "high": 1, "one": 1}[measure.better]
    assert isinstance(value, float)
    if measure.alone:  # looks at the prediction alone, here of noise
        np.testing.assert_equal(measure.function(truth, 2 * truth, **known), value)
    else:
        assert value == pytest.approx(best, abs=1e-9)
    deep = np.concatenate([truth, truth[..., :1]], axis=-1)
    assert measure.function(deep, truth, **known) == pytest.approx(value, nan_ok=True)  # x and y count


def test_all_of_them_at_once(truth):
    found = metrics.measure_all(truth, truth, **KNOWN)
    assert list(found) == list(metrics.MEASURES)
