"""A fit finds what a camera saw: identity, weights, pose; and a camera is one."""

import time

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from talkface.face import points
from talkface.face3d import arkit
from talkface.face3d.bases import load_bases
from talkface.face3d.camera import DISTANCE, Camera, Pose, angles_of, turn_of
from talkface.face3d.fit import fit_clip, fit_identity, see

JAW, CLOSE = arkit.INDEX["jawOpen"], arkit.INDEX["mouthClose"]
SIZE = {"width": 640, "height": 480}


def film(frames=120, *, seed=0, noise_px=0.0, yaw=0.25):
    """Landmarks (T, 68, 2) of somebody who speaks and moves his head; his weights, angles and identity."""
    rng = np.random.default_rng(seed)
    bases, t = load_bases(), np.arange(frames)
    identity = np.zeros(100)
    identity[:20] = rng.standard_normal(20)
    weights = np.zeros((frames, arkit.COUNT))
    weights[:, JAW] = (0.3 + 0.3 * np.sin(t / 3)).clip(0, 1)
    weights[:, CLOSE] = np.where(np.sin(t / 11) > 0.6, weights[:, JAW], 0)
    weights[:, arkit.INDEX["mouthPucker"]] = (0.5 * np.sin(t / 7)).clip(0)
    for side in ("Left", "Right"):
        weights[:, arkit.INDEX[f"mouthSmile{side}"]] = (0.5 * np.sin(t / 13)).clip(0)
        weights[:, arkit.INDEX[f"eyeBlink{side}"]] = np.exp(-np.square((t % 40 - 20) / 2.0))
    angles = np.column_stack([yaw * np.sin(t / 20), 0.1 * np.sin(t / 17), 0.08 * np.sin(t / 23)])
    place = np.column_stack([0.3 * np.sin(t / 30), 0.1 * np.cos(t / 30), -DISTANCE + 0.3 * np.sin(t / 40)])
    faces = bases.neutral + np.tensordot(identity, bases.identity, axes=1)
    faces = faces + np.tensordot(weights, bases.expression, axes=1)
    camera = Camera.for_face(110, **SIZE)
    landmarks = camera.project(Pose(turn_of(angles), place).apply(faces))
    return landmarks + noise_px * rng.standard_normal(landmarks.shape), weights, angles, identity


def correlation(a, b):
    return float(np.corrcoef(a, b)[0, 1])


@pytest.mark.parametrize("noise_px", [0.0, 0.5])
def test_a_fit_finds_weights_and_pose_of_an_unknown_person(noise_px):
    landmarks, weights, angles, _ = film(noise_px=noise_px)
    seen = see(landmarks, **SIZE)
    found = fit_clip(seen, fit_identity([seen]))
    assert found.error.mean() < 0.6 + noise_px
    assert correlation(found.weights[:, JAW], weights[:, JAW]) > 0.95
    assert correlation(found.weights[:, CLOSE], weights[:, CLOSE]) > 0.9
    assert correlation(found.weights[:, arkit.INDEX["eyeBlinkLeft"]], weights[:, arkit.INDEX["eyeBlinkLeft"]]) > 0.9
    turned = angles_of(found.pose.turn)
    for axis in range(3):
        assert correlation(turned[:, axis], angles[:, axis]) > 0.95
    assert np.abs(turned[:, 0] - angles[:, 0]).max() < np.radians(6)
    assert ((found.weights >= 0) & (found.weights <= 1)).all()


def test_a_fit_is_no_rougher_than_the_landmarks():
    landmarks, *_ = film(noise_px=1.0)
    seen = see(landmarks, **SIZE)
    found = fit_clip(seen, fit_identity([seen]))

    def rough(course):
        return np.abs(np.diff(course, n=2, axis=0)).mean()

    assert rough(seen.camera.project(found.placed)) < 0.6 * rough(landmarks)


def test_two_clips_of_a_person_share_an_identity():
    first, *_, identity = film(60, seed=3)
    second = film(60, seed=3, yaw=0.4)[0]
    found = fit_identity([see(first, **SIZE), see(second, **SIZE)])
    person, mean = (
        load_bases().neutral + np.tensordot(each, load_bases().identity, axes=1) for each in (identity, 0 * identity)
    )
    fitted = load_bases().neutral + np.tensordot(found, load_bases().identity, axes=1)
    away, before = (np.linalg.norm(each - person, axis=1)[17:].mean() for each in (fitted, mean))
    assert away < 0.6 * before


def test_six_hundred_frames_take_seconds():
    landmarks, *_ = film(600)
    fit_clip(see(landmarks[:5], **SIZE), np.zeros(100))  # compiles
    begun = time.perf_counter()
    seen = see(landmarks, **SIZE)
    fit_clip(seen, fit_identity([seen]))
    assert time.perf_counter() - begun < 10


def test_one_frame_can_be_fitted():
    seen = see(film(1)[0], **SIZE)
    assert fit_clip(seen, fit_identity([seen])).weights.shape == (1, 52)


def test_the_camera_sees_what_it_is_asked_to():
    camera = Camera.for_face(100, **SIZE)
    pixels = camera.project(Pose(np.eye(3)[None], np.array([[0, 0, -DISTANCE]])).apply(load_bases().neutral))[0]
    assert 95 < points.outer_eye_distance(pixels) < 105
    spots = np.array([[0.3, -0.2, -10.0], [0.0, 0.5, -12.0]])
    numeric = [(camera.project(spots + step) - camera.project(spots - step)) / 2e-6 for step in 1e-6 * np.eye(3)]
    np.testing.assert_allclose(camera.slopes(spots), np.stack(numeric, -1), rtol=1e-5, atol=1e-5)


def test_angles_turn_the_head_as_arkit_says():
    nose = np.array([0.0, 0.0, 1.0])
    assert (turn_of([[0.3, 0, 0]])[0] @ nose)[0] > 0.2  # yaw: to the viewer's right
    assert (turn_of([[0, 0.3, 0]])[0] @ nose)[1] > 0.2  # pitch: down
    assert (turn_of([[0, 0, 0.3]])[0] @ [1.0, 0, 0])[1] < -0.2  # roll: the viewer's right rises
    angles = np.random.default_rng(0).uniform(-0.8, 0.8, (20, 3))
    np.testing.assert_allclose(angles_of(turn_of(angles)), angles, atol=1e-9)
    pose = Pose(turn_of(angles), np.zeros((20, 3))).moved(np.tile([0, 0, 0.1, 1, 2, 3], (20, 1)))
    np.testing.assert_allclose(pose.turn, Rotation.from_rotvec([0, 0, 0.1]).as_matrix() @ turn_of(angles), atol=1e-12)
