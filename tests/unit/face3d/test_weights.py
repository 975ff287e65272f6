"""ARKit's weights of landmarks alone: what went in comes out, within bounds, as few as can be, in time."""

import time

import numpy as np
import pytest

from talkface.errors import TalkfaceError
from talkface.face import points
from talkface.face.template import load_template
from talkface.face3d import arkit
from talkface.face3d.bases import load_bases
from talkface.face3d.weights import Follower, problem, weights_of

JAW, CLOSE = arkit.INDEX["jawOpen"], arkit.INDEX["mouthClose"]


def shown(weights, dimensions=2):
    """Faces (T, 68, D) that show weights."""
    return problem(dimensions).rest + np.tensordot(weights, load_bases().expression, axes=1)[..., :dimensions]


def spoken(frames=300, seed=0):
    """Weights of somebody who speaks, blinks and smiles: smooth courses, left as right."""
    rng = np.random.default_rng(seed)
    weights = np.zeros((frames, arkit.COUNT))
    for name in ("jawOpen", "mouthFunnel", "mouthPucker", "mouthSmile", "mouthUpperUp", "eyeBlink", "browInnerUp"):
        course = np.convolve(rng.standard_normal(frames + 8), np.hanning(9) / 2.5, mode="valid")
        sides = [f"{name}Left", f"{name}Right"] if f"{name}Left" in arkit.INDEX else [name]
        for side in sides:
            weights[:, arkit.INDEX[side]] = (0.7 * course).clip(0, 1)
    weights[:, CLOSE] = weights[:, JAW] * (np.sin(np.arange(frames) / 5) > 0.5)
    return weights


def correlation(a, b):
    return float(np.corrcoef(a, b)[0, 1])


@pytest.mark.parametrize("dimensions", [2, 3])
def test_weights_come_back(dimensions):
    weights = spoken()
    found = weights_of(shown(weights, dimensions))
    assert found.dtype == np.float32
    assert ((found >= 0) & (found <= 1)).all()
    assert correlation(found[:, JAW], weights[:, JAW]) > 0.95
    assert correlation(found[:, CLOSE], weights[:, CLOSE]) > 0.9
    for name in ("eyeBlinkLeft", "eyeBlinkRight", "browInnerUp", "mouthSmileLeft", "mouthSmileRight"):
        assert correlation(found[:, arkit.INDEX[name]], weights[:, arkit.INDEX[name]]) > 0.9, name
    assert np.abs(found - weights).mean() < 0.03
    before, after = (points.mouth_opening(shown(each)) for each in (weights, found))
    assert correlation(before, after) > 0.99


def test_a_second_round_trip_keeps_the_mouth():
    once = weights_of(shown(spoken()))
    twice = weights_of(shown(once))
    assert correlation(points.mouth_opening(shown(once)), points.mouth_opening(shown(twice))) > 0.99


def test_a_resting_face_has_no_weights():
    assert weights_of(np.repeat(load_template()[None], 5, axis=0)).max() < 1e-3


def test_lips_close_no_further_than_the_jaw_is_open():
    rng = np.random.default_rng(1)
    found = weights_of(shown(spoken()) + 0.02 * rng.standard_normal((300, 68, 2)))
    assert (found[:, CLOSE] <= found[:, JAW] + 1e-6).all()


def test_opposites_do_not_show_at_once():
    weights = np.zeros((20, arkit.COUNT))
    weights[:, arkit.INDEX["mouthLeft"]] = 0.5
    found = weights_of(shown(weights))
    assert found[:, arkit.INDEX["mouthLeft"]].min() > 0.3
    assert found[:, arkit.INDEX["mouthRight"]].max() < 0.02


def test_mirrored_faces_have_mirrored_weights():
    weights = spoken(60)
    weights[:, arkit.INDEX["mouthSmileLeft"]] = 0
    faces = shown(weights)
    other = (faces * [-1, 1])[:, points.MIRROR]
    np.testing.assert_allclose(weights_of(other), weights_of(faces)[:, arkit.MIRROR], atol=0.02)


def test_frame_by_frame_is_nearly_the_same_and_in_time():
    faces = shown(spoken())
    follower = Follower()
    follower.push(faces[0])
    begun = time.perf_counter()
    live = np.stack([follower.push(face) for face in faces])
    assert (time.perf_counter() - begun) / len(faces) < 1e-3
    whole = weights_of(faces)
    assert correlation(live[:, JAW], whole[:, JAW]) > 0.98
    begun = time.perf_counter()
    weights_of(faces)
    assert len(faces) / (time.perf_counter() - begun) > 500


def test_no_frames_have_no_weights():
    assert weights_of(np.empty((0, 68, 2))).shape == (0, arkit.COUNT)


@pytest.mark.parametrize(
    ("faces", "said"),
    [
        (np.zeros((3, 67, 2)), r"an array \(3, 67, 2\); \(frames, 68, 2\) or \(frames, 68, 3\) was expected"),
        (np.zeros((68, 2)), r"\(68, 2\)"),
        (np.where(np.arange(3)[:, None, None] == 1, np.nan, np.zeros((3, 68, 2))), "1 of 3 frames hold NaN .* frame 1"),
    ],
)
def test_what_are_no_faces_is_refused(faces, said):
    with pytest.raises(TalkfaceError, match=said):
        weights_of(faces)
