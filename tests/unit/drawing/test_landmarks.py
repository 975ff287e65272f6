"""Landmarks as lines, points and numbers."""

from itertools import pairwise

import numpy as np
import pytest

from talkface.drawing.canvas import to_bgr
from talkface.drawing.landmarks import draw_lines, draw_numbers, draw_points
from talkface.face.points import JAW, LINES, LIPS
from talkface.face.template import load_template

BLUE = "#0072b2"
FACE = load_template() * 160 + [200, 150]  # lies within 400 x 400


def paper():
    return np.full((400, 400, 3), 255, np.uint8)


def at(picture, place):
    x, y = np.rint(place).astype(int)
    return picture[y, x].astype(int)


def inked(picture):
    return (picture != 255).any(axis=2)


def test_lines_join_the_points_of_each_part():
    picture = paper()
    draw_lines(picture, FACE, colour=BLUE, width=3)
    for indices, closed in LINES.values():
        ends = [*indices, indices[0]] if closed else list(indices)
        for first, second in pairwise(ends):
            np.testing.assert_allclose(at(picture, FACE[[first, second]].mean(axis=0)), to_bgr(BLUE), atol=40)
    between = FACE[[16, 26]].mean(axis=0)  # jaw and brow are not joined
    assert (at(picture, between) == 255).all()
    assert (at(picture, FACE[[0, 16]].mean(axis=0) + np.array([20, 80])) == 255).all()


def test_wider_lines_cover_more():
    thin, wide = paper(), paper()
    draw_lines(thin, FACE, colour=BLUE, width=1)
    draw_lines(wide, FACE, colour=BLUE, width=5)
    assert inked(wide).sum() > 2 * inked(thin).sum()


@pytest.mark.parametrize("draw", [draw_lines, draw_points, draw_numbers])
def test_the_mouth_only(draw):
    size = {draw_lines: {"width": 2}, draw_points: {"radius": 2}, draw_numbers: {"size": 9}}[draw]
    picture, whole = paper(), paper()
    draw(picture, FACE, colour=BLUE, mouth_only=True, **size)
    draw(whole, FACE, colour=BLUE, **size)
    rows, columns = np.nonzero(inked(picture))
    low, high = FACE[list(LIPS)].min(axis=0), FACE[list(LIPS)].max(axis=0)
    assert (low[0] - 5 <= columns.min(), columns.max() <= high[0] + 24) == (True, True)
    assert (low[1] - 16 <= rows.min(), rows.max() <= high[1] + 5) == (True, True)
    assert inked(whole).sum() > 1.8 * inked(picture).sum()


def test_points_are_discs_of_their_radius():
    picture = paper()
    draw_points(picture, np.array([[100.25, 60.5], [300.0, 200.0]]), colour=BLUE, radius=6)
    np.testing.assert_allclose(at(picture, (100, 60)), to_bgr(BLUE), atol=2)
    covered = (255.0 - picture[150:250, 250:350, 2]).sum() / 255  # red of blue ink is 0
    assert covered == pytest.approx(np.pi * 36, rel=0.2)
    rows, columns = np.nonzero(inked(picture[:120]))
    assert rows.mean() == pytest.approx(60.5, abs=0.3)
    assert columns.mean() == pytest.approx(100.25, abs=0.3)


def test_what_is_not_known_is_not_drawn():
    face = FACE.copy()
    face[list(JAW)] = np.nan
    for draw, size in ((draw_lines, {"width": 2}), (draw_points, {"radius": 3}), (draw_numbers, {"size": 9})):
        picture = paper()
        draw(picture, face, colour=BLUE, **size)
        assert inked(picture).any()
        assert not inked(picture)[int(FACE[8, 1]) - 4 :].any()
        picture = paper()
        draw(picture, np.full((68, 2), np.nan), colour=BLUE, **size)
        assert not inked(picture).any()


def test_numbers_stand_beside_their_points():
    picture = paper()
    face = np.full((68, 2), np.nan)
    face[[7, 48]] = (100, 100), (250, 300)
    draw_numbers(picture, face, colour=BLUE, size=14)
    rows, columns = np.nonzero(inked(picture))
    first = rows < 200
    assert columns[first].min() > 100
    assert rows[first].max() <= 100
    assert np.ptp(columns[~first]) > 1.5 * np.ptp(columns[first])  # two digits
