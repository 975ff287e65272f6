"""The square around a face: within the picture, the same for all frames, hair and chin inside."""

import numpy as np
import pytest

from talkface.face.template import load_template
from talkface.media.crop import Crop, face_crop

WIDTH, HEIGHT = 640, 480


def face(x, y, *, unit=60.0, frames=20):
    """A face (T, 68, 2) that trembles, its eyes about (x, y)."""
    shake = np.random.default_rng(0).normal(0, 1, (frames, 1, 2))
    return load_template() * unit + [x, y] + shake


def inside(crop):
    assert crop.side <= min(WIDTH, HEIGHT)
    assert 0 <= crop.left <= WIDTH - crop.side
    assert 0 <= crop.top <= HEIGHT - crop.side


def test_the_face_is_in_the_middle_with_room_around():
    landmarks = face(320, 220)
    crop = face_crop(landmarks, width=WIDTH, height=HEIGHT)
    inside(crop)
    placed = crop.place(landmarks, size=500)
    assert placed.min() > 100
    assert placed.max() < 450
    assert placed[..., 0].mean() == pytest.approx(250, abs=15)
    height = np.ptp(placed[..., 1], axis=1).mean()
    assert 0.35 * 500 < height < 0.5 * 500


@pytest.mark.parametrize("place", [(0, 0), (640, 480), (320, 470), (630, 20)])
def test_a_face_at_the_rim_keeps_the_square_in_the_picture(place):
    inside(face_crop(face(*place), width=WIDTH, height=HEIGHT))


def test_a_face_larger_than_the_picture_gets_all_of_it():
    crop = face_crop(face(320, 240, unit=400), width=WIDTH, height=HEIGHT)
    assert crop.side == HEIGHT
    inside(crop)


def test_frames_without_a_face_and_single_slips_do_not_count():
    landmarks = face(300, 220)
    whole = face_crop(landmarks, width=WIDTH, height=HEIGHT)
    landmarks[3], landmarks[7] = np.nan, landmarks[7] + 250
    partly = face_crop(landmarks, width=WIDTH, height=HEIGHT)
    np.testing.assert_allclose(partly, whole, atol=3)
    assert face_crop(np.full((5, 68, 2), np.nan), width=WIDTH, height=HEIGHT) == Crop(80, 0, 480)
    assert face_crop(np.empty((0, 68, 2)), width=300, height=400) == Crop(0, 50, 300)


def test_pixels_are_squares():
    """The outer edges of the crop are the outer edges of the picture it becomes."""
    crop = Crop(100, 40, 50)
    edges = np.array([[99.5, 39.5], [149.5, 89.5]])
    np.testing.assert_allclose(crop.place(edges, size=200), [[-0.5, -0.5], [199.5, 199.5]])
    np.testing.assert_allclose(crop.place(edges, size=50), [[-0.5, -0.5], [49.5, 49.5]])
