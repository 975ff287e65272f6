import numpy as np
import pytest

from talkface import metrics, points


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
