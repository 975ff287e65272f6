"""Triangles become the right pixels, nearest first, quickly."""

import time

import numpy as np

from talkface.face3d.rasteriser import rasterise, shade

FRONT = np.array([[0, 1, 2]], np.int32)


def corners(points, z=1.0):
    return np.column_stack([np.array(points, np.float32), np.full(len(points), z)]).astype(np.float32)


def test_a_triangle_fills_what_lies_inside_and_blends_its_corners():
    picture = np.zeros((11, 11, 1), np.float32)
    near = rasterise(corners([(0, 0), (0, 10), (10, 0)]), FRONT, np.array([[0], [10], [20]], np.float32), picture)
    rows, columns = np.mgrid[:11, :11]
    inside = rows + columns <= 10
    assert (np.isfinite(near) == inside).all()
    np.testing.assert_allclose(picture[..., 0][inside], (rows + 2 * columns)[inside], atol=1e-4)


def test_what_turns_its_back_or_lies_outside_is_not_drawn():
    picture = np.zeros((8, 8, 1), np.float32)
    ones = np.ones((3, 1), np.float32)
    rasterise(corners([(0, 0), (7, 0), (0, 7)]), FRONT, ones, picture)
    rasterise(corners([(-30, -30), (-30, -10), (-10, -30)]), FRONT, ones, picture)
    assert picture.max() == 0
    rasterise(corners([(-50, -50), (-50, 90), (90, -50)]), FRONT, ones, picture)
    assert picture.min() == 1  # cut at the edges


def test_the_nearest_is_seen_whatever_is_drawn_first():
    far, near = corners([(0, 0), (0, 9), (9, 0)], z=1), corners([(0, 0), (0, 9), (9, 0)], z=2)
    colours = np.repeat(np.array([[5], [7]], np.float32), 3, axis=0)
    for order in ([[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]):
        picture = np.zeros((10, 10, 1), np.float32)
        depth = rasterise(np.concatenate([far, near]), np.array(order, np.int32), colours, picture)
        assert picture[1, 1, 0] == 7
        assert depth[1, 1] == 2


def test_light_falls_on_what_faces_it():
    square = np.array([[0, 0, 0], [0, 1, 0], [1, 0, 0]], np.float32)
    grey = np.full((3, 3), 100, np.float32)
    facing = shade(square, FRONT, grey)
    beside = shade(square[:, [2, 1, 0]] * np.array([1, 1, -1], np.float32), FRONT, grey)
    assert facing.min() > beside.max() > 0
    assert shade(square, FRONT, np.full((3, 3), 255, np.float32)).max() <= 255


def test_a_head_of_many_triangles_is_drawn_fast():
    side = 148  # 43,218 triangles
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    vertices = np.stack([columns * 256 / side, rows * 256 / side, np.sin(rows / 9) * np.cos(columns / 7)], -1)
    vertices = vertices.reshape(-1, 3).astype(np.float32)
    first = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).reshape(-1)
    triangles = np.concatenate(
        [np.stack([first, first + side, first + 1], -1), np.stack([first + 1, first + side, first + side + 1], -1)]
    ).astype(np.int32)
    colours = np.full((len(vertices), 3), 200, np.float32)

    def draw():
        picture = np.zeros((256, 256, 3), np.float32)
        rasterise(vertices, triangles, shade(vertices, triangles, colours), picture)
        return picture

    assert (draw()[:250, :250] > 0).all()
    begun = time.perf_counter()
    for _ in range(20):
        draw()
    assert 20 / (time.perf_counter() - begun) > 60  # 110 are wanted on an idle core, with a head's movement
