"""Lags: their sign, their fractions, and what has none."""

import numpy as np
import pytest

from talkface.sync import best_lag, lag_correlations


def bumps(time):
    """A smooth series whose shape occurs once."""
    return np.exp(-(((time - 20) / 3) ** 2)) + 0.6 * np.exp(-(((time - 45) / 5) ** 2))


@pytest.mark.parametrize("late", [-6.0, -2.5, 0.0, 0.3, 4.0, 7.75])
def test_a_late_second_series_has_a_positive_lag(late):
    time = np.arange(75.0)
    found = best_lag(bumps(time), 3 + 2 * bumps(time - late), most=10)
    assert found.lag == pytest.approx(late, abs=0.05)
    assert found.correlation == pytest.approx(1, abs=0.01)


def test_correlations_by_hand():
    a, b = [0.0, 1, 0, 0, 0], [0.0, 0, 1, 0, 0]
    curve = lag_correlations(a, b, most=1)
    # lag 0: means 0.2; sum (a - .2)(b - .2) = 5 * .04 - .2 - .2 = -.2, of .8; lag 1: (0 1 0 0) and (0 1 0 0)
    np.testing.assert_allclose(curve[1:], [-0.25, 1])
    assert curve[0] == pytest.approx(-1 / 3)  # (1 0 0 0) and (0 0 1 0)


def test_lengths_may_differ():
    time = np.arange(75.0)
    assert best_lag(bumps(time), bumps(time - 2)[:74], most=10).lag == pytest.approx(2, abs=0.05)


def test_without_movement_or_length_there_is_no_lag():
    for a, b in [(np.ones(50), np.arange(50.0)), ([], []), ([1.0, 2.0], [1.0, 2.0])]:
        assert np.isnan(best_lag(a, b, most=10)).all()


def test_short_series_are_compared_over_half_of_their_steps():
    generator = np.random.default_rng(0)
    a = generator.standard_normal(8)
    assert abs(best_lag(a, generator.standard_normal(8), most=10).lag) <= 4
