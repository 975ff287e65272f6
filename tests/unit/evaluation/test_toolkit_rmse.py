"""The replication toolkit's measure of one clip: hand-computed values, its control, and the mean face."""

import numpy as np
import pytest

from talkface.evaluation.toolkit_rmse import FLOOR, SHUFFLES, measure_rows
from talkface.face import points
from talkface.face.template import load_template

FRAMES = 100
LIFT = 0.05


def lifted(shares):
    """The template (T, 68, 2) with its lips lowered by shares (T,) of LIFT."""
    faces = np.repeat(load_template()[None], len(shares), axis=0)
    faces[:, list(points.LIPS), 1] += LIFT * np.asarray(shares)[:, None]
    return faces


def rows_of(predictions, truth, *, seed=1):
    mean = load_template()
    return measure_rows(predictions, truth, clip="a", detector="dlib", mean=mean, seed=seed).set_index("model")


def width1():
    """What a template's coordinates are divided by: its largest x after half its width is added."""
    x = load_template()[:, 0]
    return (x + (x.max() - x.min()) / 2).max()


def test_values_by_hand():
    table = rows_of({"cnn": lifted(np.ones(FRAMES))}, lifted(np.zeros(FRAMES)))
    row = table.loc["cnn"]
    assert row["lip_rmse"] == pytest.approx(100 * LIFT)
    assert row["lip_rmse_width1"] == pytest.approx(LIFT / width1())
    assert row["face_rmse_width1"] == pytest.approx(LIFT / width1() * np.sqrt(20 / 68))
    assert (row["frames"], row["shuffles"]) == (FRAMES, SHUFFLES)
    floor = table.loc[FLOOR]
    assert floor["lip_rmse"] == floor["lip_rmse_width1"] == pytest.approx(0, abs=1e-12)
    assert np.isnan(floor["lip_rmse_shuffled"])
    assert floor["shuffles"] == 0


def test_a_width_of_its_own_does_not_count():
    """Faces are scaled each by their own width: one twice as large in all is the same face."""
    truth = lifted(np.zeros(FRAMES))
    row = rows_of({"cnn": 2 * truth}, truth).loc["cnn"]
    assert row["lip_rmse_width1"] == pytest.approx(0, abs=1e-12)
    assert row["lip_rmse"] > 10


def test_the_control_keeps_everything_but_the_timing():
    """Lips go up and down in turn: right to the frame, the error is nothing; in random order half of them miss."""
    turns = np.arange(FRAMES) % 2
    row = rows_of({"cnn": lifted(turns)}, lifted(turns)).loc["cnn"]
    assert row["lip_rmse"] == pytest.approx(0, abs=1e-12)
    assert row["lip_rmse_shuffled"] == pytest.approx(50 * LIFT, rel=0.06)
    # Matches of two halves are hypergeometric: their number has the deviation sqrt(100) / 2 / sqrt(99 / 100).
    assert row["lip_rmse_shuffled_sd"] == pytest.approx(100 * LIFT * 2 * 2.5 / FRAMES, rel=0.6)
    assert row["lip_rmse_width1_shuffled"] == pytest.approx(LIFT / width1() / 2, rel=0.06)


def test_orders_come_from_the_seed():
    truth, prediction = lifted(np.sin(np.arange(FRAMES) / 7)), lifted(np.sin(np.arange(FRAMES + 1) / 5))
    first, second = (rows_of({"cnn": prediction, "other": prediction}, truth) for _ in range(2))
    assert first.equals(second)
    assert list(first.loc["cnn"]) == list(first.loc["other"])
    assert first.loc["cnn", "frames"] == FRAMES
    other = rows_of({"cnn": prediction}, truth, seed=2).loc["cnn"]
    assert other["lip_rmse"] == first.loc["cnn", "lip_rmse"]
    assert other["lip_rmse_shuffled"] != first.loc["cnn", "lip_rmse_shuffled"]
