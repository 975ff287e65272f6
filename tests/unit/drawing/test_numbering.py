"""Numbers beside landmarks: none on another, each near its point."""

import cv2
import numpy as np
import pytest

from talkface.drawing import numbering
from talkface.face import points
from talkface.face.template import load_template

SCALE, ORIGIN = 430, np.array([500, 350])


@pytest.fixture(scope="module")
def faces():
    """The template, pixels, its mouth closed to open."""
    faces = np.repeat(load_template()[None], 5, axis=0)
    for index in (*range(55, 60), 65, 66, 67, *range(6, 11)):
        faces[:, index, 1] += np.linspace(0, 0.25, 5)
    return faces * SCALE + ORIGIN


@pytest.mark.parametrize(
    ("indices", "zoom", "size"), [(tuple(range(68)), 1, 22), (points.LIPS, 2.8, 40)], ids=["face", "mouth"]
)
def test_no_number_lies_on_another_and_each_is_near_its_point(faces, indices, zoom, size):
    faces = faces * zoom
    offsets = numbering.place_numbers(faces, size=size, indices=indices)
    half = numbering.half_sizes(size)
    chosen = list(indices)
    middle = (faces + offsets)[:, chosen]
    gap = np.abs(middle[:, :, None] - middle[:, None]) - (half[chosen][:, None] + half[chosen])  # (K, N, N, 2)
    overlapping = (gap.max(axis=-1) < 0) & ~np.eye(len(chosen), dtype=bool)
    assert not overlapping.any(), np.argwhere(overlapping)[:5]
    assert np.linalg.norm(offsets[chosen], axis=1).max() < 3.5 * size
    assert np.linalg.norm(offsets[chosen], axis=1).min() > size / 3
    on_point = np.abs(middle[:, :, None] - faces[:, None, chosen]) - half[chosen][:, None]
    assert (on_point.max(axis=-1) < 0).mean() < 0.002


def test_numbers_stand_outside_the_jaw_and_the_lips(faces):
    offsets = numbering.place_numbers(faces, size=22)
    assert (offsets[:4, 0] < 0).all()
    assert (offsets[13:17, 0] > 0).all()
    assert (offsets[[56, 57, 58, 7, 8, 9], 1] > 0).all()
    assert (offsets[[50, 51, 52, 18, 19, 24], 1] < 0).all()


def test_numbers_are_written_beside_the_points_and_nan_is_left_out(faces):
    offsets = numbering.place_numbers(faces, size=22)
    face = faces[0].copy()
    face[8] = np.nan
    picture = np.full((1000, 1000, 3), 255, np.uint8)
    numbering.write_numbers(picture, face, offsets, size=22, colour="#000000")
    for index in (0, 19, 30, 57):
        x, y = np.rint(face[index] + offsets[index]).astype(int)
        assert picture[y - 8 : y + 8, x - 11 : x + 11].min() < 80, index
    x, y = np.rint(faces[0, 8] + offsets[8]).astype(int)
    assert picture[y - 8 : y + 8, x - 11 : x + 11].min() == 255
    assert cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).mean() > 240
