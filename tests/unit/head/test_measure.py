"""What a film shows."""

import numpy as np
import pytest

from talkface.face import points
from talkface.head.measure import Faces, compare_lips, differences, head_motion, mouth_box, psnr, sharpness, ssim
from tests.unit.face3d.test_fit import film

FRAMES = 30


@pytest.fixture(scope="module")
def faces():
    rng = np.random.default_rng(0)
    landmarks = film(FRAMES)[0]
    eyes = float(points.outer_eye_distance(landmarks).mean())
    return Faces([rng.integers(0, 255, (480, 640, 3), np.uint8) for _ in range(FRAMES)], landmarks, eyes)


def test_a_picture_is_like_itself(faces):
    a, b = faces.pictures[:2]
    assert ssim(a, a) == pytest.approx(1)
    assert ssim(a, b) < 0.2
    assert psnr(a, a) > 100
    assert psnr(np.full_like(a, 100), np.full_like(a, 110)) == pytest.approx(28.13, abs=0.01)
    assert sharpness(a) > 10
    assert sharpness(np.full_like(a, 7)) == 0


def test_lips_that_are_found_where_asked_are_right_whatever_a_detector_always_adds(faces):
    found = compare_lips(faces.asked + np.array([3.0, -2.0]), faces)
    assert found["lips"] == pytest.approx(0, abs=1e-9)
    assert found["correlation"] == pytest.approx(1)
    assert found["amplitude"] == pytest.approx(1)
    half = faces.asked.copy()
    lower = [67, 66, 65]
    half[:, lower] = (faces.asked[:, lower] + faces.asked[:, [61, 62, 63]]) / 2
    assert compare_lips(half, faces)["amplitude"] == pytest.approx(0.5, abs=0.02)


def test_still_pictures_have_no_differences(faces):
    still = Faces([faces.pictures[0]] * 5, faces.asked[:5], faces.eyes)
    assert differences(still, 1).max() == 0
    assert len(differences(still, 2)) == 3
    assert differences(faces, 2).mean() > differences(faces, 1).mean()


def test_the_box_of_a_mouth_is_a_fifth_of_the_eyes_wider():
    rows, columns = mouth_box(np.array([[100.0, 50.0], [160.0, 70.0]]), 100)
    assert (rows, columns) == (slice(30, 90), slice(80, 180))


def test_motion_of_a_head():
    t = np.arange(500) / 25
    slow, quick = np.sin(2 * np.pi * 0.3 * t), np.sin(2 * np.pi * 3 * t)
    found = head_motion(np.radians(np.column_stack([slow, quick, 0 * t])))
    assert found["head yaw"] == pytest.approx(0.707, abs=0.01)
    assert found["head yaw, quicker than 1 Hz"] < 1
    assert found["head pitch, quicker than 1 Hz"] > 99
    assert found["head roll"] == 0
