"""Pictures bent by a mesh."""

import cv2
import numpy as np
import pytest

from talkface.head.picture import bend
from talkface.head.warp import Window, fill, take, where_from

SIZE = 80


@pytest.fixture(scope="module")
def mesh():
    """A square of 9 x 9 vertices in the middle, and its triangles."""
    side = np.linspace(20, 60, 9)
    x, y = (axis.ravel() for axis in np.meshgrid(side, side))
    vertices = np.column_stack([x, y, np.ones_like(x)]).astype(np.float32)
    corner = np.array([9 * row + column for row in range(8) for column in range(8)])
    first = np.column_stack([corner, corner + 9, corner + 1])
    second = np.column_stack([corner + 1, corner + 9, corner + 10])
    return vertices, np.concatenate([first, second]).astype(np.int32)


@pytest.fixture(scope="module")
def picture():
    rng = np.random.default_rng(0)
    return cv2.GaussianBlur(rng.uniform(0, 255, (SIZE, SIZE, 3)).astype(np.float32), (0, 0), 3).astype(np.uint8)


def test_what_is_known_stays_and_the_rest_follows():
    values = np.zeros((33, 47, 2), np.float32)
    values[..., 0], values[..., 1] = 3, -5
    known = np.zeros((33, 47), np.float32)
    known[5:9, 7:30] = 1
    np.testing.assert_allclose(fill(values * known[..., None], known), values, atol=1e-3)
    ramp = np.broadcast_to(np.linspace(0, 1, 64, dtype=np.float32)[None, :, None], (64, 64, 1)).copy()
    ends = np.zeros((64, 64), np.float32)
    ends[:, :4] = ends[:, -4:] = 1
    found = fill(ramp * ends[..., None], ends)[32, :, 0]
    assert found[:4] == pytest.approx(ramp[0, :4, 0])
    assert (np.diff(found) > -0.02).all()


def test_nothing_known_is_nothing():
    assert np.isfinite(fill(np.zeros((16, 16, 3), np.float32), np.zeros((16, 16), np.float32))).all()


def test_a_window_stays_in_the_picture():
    window = Window.around(np.array([[-5.0, 70.0], [30.0, 90.0]]), 3, size=(SIZE, SIZE))
    assert (window.left, window.top) == (0, 67)
    assert window.left + window.width == 33
    assert window.top + window.height == SIZE
    assert window.grid()[0, 0].tolist() == [0, 67]


def test_a_mesh_that_does_not_move_changes_nothing(mesh, picture):
    vertices, triangles = mesh
    window = Window(5, 5, 70, 70)
    found = bend(picture, vertices, vertices, triangles, window)
    np.testing.assert_allclose(found, picture[window.rows_and_columns], atol=0.51)


def test_a_mesh_that_moves_takes_the_picture_along_and_leaves_the_edge(mesh, picture):
    vertices, triangles = mesh
    target = vertices + np.array([4, 0, 0], np.float32)
    window = Window(0, 0, SIZE, SIZE)
    found = bend(picture, target, vertices, triangles, window)
    np.testing.assert_allclose(found[30:50, 30:50], picture[30:50, 26:46], atol=1)
    np.testing.assert_allclose(found[[0, -1]], picture[[0, -1]], atol=1)


def test_where_from_tells_places_of_all_sources(mesh):
    vertices, triangles = mesh
    sources = np.concatenate([vertices[:, :2] + 1, 2 * vertices[:, :2]], axis=1)
    places, covered = where_from(vertices, triangles, sources, Window(10, 10, 60, 60))
    assert covered[20, 20]
    assert not covered[2, 2]
    np.testing.assert_allclose(places[20, 20], [31, 31, 60, 60], atol=1e-3)


def test_pixels_are_taken_where_they_lie(picture):
    grid = Window(3, 4, 20, 20).grid()
    np.testing.assert_allclose(take(picture, grid), picture[4:24, 3:23], atol=1e-3)
