"""Intervals and tests, against theory and against scipy."""

import numpy as np
import pytest
from scipy import stats

from talkface.evaluation.statistics import Draws, nanmean, paired_test


def test_one_speaker_is_the_plain_bootstrap():
    values = np.random.default_rng(0).normal(5, 1, (100, 1))
    found = Draws(["a"] * 100, seed=1).interval(values)
    assert found.value[0] == pytest.approx(values.mean())
    assert found.high[0] - found.low[0] == pytest.approx(2 * 1.96 * values.std() / 10, rel=0.1)
    theirs = stats.bootstrap((values[:, 0],), np.mean, method="percentile", rng=2).confidence_interval
    assert found.low[0] == pytest.approx(theirs.low, abs=0.03)
    assert found.high[0] == pytest.approx(theirs.high, abs=0.03)


def test_clips_of_one_speaker_are_no_independent_clips():
    """Four speakers who differ, their clips alike: the interval is that of four numbers, not of forty."""
    of_speaker = np.array([1.0, 2.0, 3.0, 4.0])
    values = np.repeat(of_speaker, 10)[:, None]
    found = Draws(list(np.repeat(list("abcd"), 10)), seed=1).interval(values)
    four = Draws(list("abcd"), seed=1).interval(of_speaker[:, None])
    assert found.low[0] == pytest.approx(four.low[0], abs=0.01)
    assert found.high[0] == pytest.approx(four.high[0], abs=0.01)
    alone = Draws(["a"] * 40, seed=1).interval(values)
    assert alone.high[0] - alone.low[0] < 0.6 * (found.high[0] - found.low[0])


def test_the_order_of_clips_and_the_company_of_other_columns_change_nothing_much():
    values = np.random.default_rng(0).normal(size=(12, 2))
    speakers = list("aabbccddeeff")
    both, one = Draws(speakers, seed=1).interval(values), Draws(speakers, seed=1).interval(values[:, :1])
    np.testing.assert_allclose([both.low[0], both.high[0]], [one.low[0], one.high[0]])
    again = Draws(speakers, seed=1).interval(values)
    np.testing.assert_array_equal(both.low, again.low)


def test_what_is_not_defined_does_not_count():
    values = np.array([[0.5, np.nan], [np.nan, np.nan], [0.7, np.nan]])
    found = Draws(list("aab"), seed=0).interval(values)
    assert found.value[0] == pytest.approx(0.6)
    np.testing.assert_array_equal(found.clips, [2, 0])
    assert found.low[0] == pytest.approx(0.5)
    assert found.high[0] == pytest.approx(0.7)
    assert np.isnan([found.value[1], found.low[1], found.high[1]]).all()
    np.testing.assert_allclose(nanmean([[1.0, np.nan], [3.0, np.nan]]), [2, np.nan])


@pytest.mark.parametrize("count", [3, 8, 12])
def test_all_turns_agree_with_scipy(count):
    differences = np.random.default_rng(count).normal(0.4, 1, (count, 3))
    theirs = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", vectorized=True, axis=0, n_resamples=np.inf
    ).pvalue
    np.testing.assert_allclose(paired_test(differences, seed=0), theirs)


def test_drawn_turns_agree_with_the_t_test():
    differences = np.random.default_rng(5).normal(0.25, 1, (60, 1))
    theirs = stats.ttest_1samp(differences[:, 0], 0).pvalue
    assert paired_test(differences, seed=0)[0] == pytest.approx(theirs, abs=0.02)


def test_p_by_hand():
    assert paired_test(np.array([[1.0], [2.0], [3.0]]), seed=0)[0] == pytest.approx(2 / 8)  # all the same sign
    assert paired_test(np.array([[1.0], [-1.0]]), seed=0)[0] == 1
    assert paired_test(np.zeros((5, 1)), seed=0)[0] == 1  # the same model twice
    assert np.isnan(paired_test(np.full((5, 1), np.nan), seed=0)[0])
    assert paired_test(np.array([[1.0], [np.nan], [2.0]]), seed=0)[0] == pytest.approx(2 / 4)


def test_p_is_never_zero():
    assert paired_test(np.ones((50, 1)), seed=0)[0] == pytest.approx(1 / 10_001)
