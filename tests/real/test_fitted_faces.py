"""Real faces in space: fits lie on what was seen, and pictures refine them."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from eyes import frames_of, look
from face3d import EYES_PX, SIZE, act, correlation, drawn, roughness

from talkface.errors import TalkfaceError
from talkface.face import points
from talkface.face3d import arkit
from talkface.face3d.bases import load_bases
from talkface.face3d.face_model import load_face_model
from talkface.face3d.fit import fit_clip, fit_identity, see
from talkface.face3d.looks import colours_of
from talkface.face3d.photometric import Sample, refine

JAW, CLOSE = arkit.INDEX["jawOpen"], arkit.INDEX["mouthClose"]
FRAMES = 80


@pytest.fixture(scope="module")
def model(shared_data):
    return load_face_model(shared_data / "models" / "ict_facekit.npz")


def test_the_table_of_bases_is_the_models(model):
    bases = load_bases()
    np.testing.assert_allclose(model.neutral[model.landmarks], bases.neutral, atol=2e-3)
    np.testing.assert_allclose(model.expression[:, model.landmarks], bases.expression, atol=3e-3)
    np.testing.assert_allclose(model.identity[:, model.landmarks], bases.identity, atol=1e-3)
    assert len(model.neutral) == 21_984
    assert set(model.parts) == {"skin", "mouth", "tongue", "teeth", "eyes"}


@pytest.mark.parametrize("detector", ["dlib", "mesh"])
@pytest.mark.parametrize("clip", ["talking/person31.mp4", "grid/s1/bbaf4p.mpg", "talking/lavse_sp01_001.mp4"])
def test_a_fit_lies_on_what_was_seen(shared_data, detector, clip):
    frames = frames_of(shared_data / clip, end_s=2.0)
    height, width = frames[0].shape[:2]
    track = look(detector, frames)
    seen = see(track.landmarks, width=width, height=height, depth=track.depth)
    bases = load_bases().as_seen_by(detector)
    found = fit_clip(seen, fit_identity([seen], bases), bases)
    assert found.error.mean() < 2.0
    assert found.lip_error.mean() < 1.7
    projected = seen.camera.project(found.placed)
    assert roughness(projected) < roughness(seen.landmarks)
    assert correlation(points.mouth_opening(projected), points.mouth_opening(seen.landmarks)) > 0.97


@pytest.fixture(scope="module")
def head(model):
    """A drawn head: its frames, its weights, and what the mesh makes of it."""
    identity, weights, pose = act(np.random.default_rng(4))
    frames = list(drawn(model, colours_of(model), identity, weights[:FRAMES], pose))
    track = look("mesh", frames)
    seen = see(track.landmarks, width=SIZE, height=SIZE, depth=track.depth)
    bases = load_bases().as_seen_by("mesh")
    person = fit_identity([seen], bases)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    return grey, weights[:FRAMES], seen, person, bases, fit_clip(seen, person, bases)


def test_pictures_refine_a_fit(model, head):
    grey, weights, seen, person, bases, before = head
    after = refine(seen, grey, person, bases, Sample(model), before)
    assert EYES_PX > 100  # larger than what pictures are looked at
    for column in (JAW, CLOSE):
        was, now = (correlation(weights[:, column], fit.weights[:, column]) for fit in (before, after))
        assert now > was, arkit.NAMES[column]
    assert correlation(weights[:, JAW], after.weights[:, JAW]) > 0.88
    assert correlation(weights[:, CLOSE], after.weights[:, CLOSE]) > 0.8
    assert after.error.mean() < before.error.mean() + 0.5


def test_a_video_that_is_too_short_is_said(model, head):
    grey, _, seen, person, bases, before = head
    with pytest.raises(TalkfaceError, match="the video has 50 frames; 80 were expected"):
        refine(seen, grey[:50], person, bases, Sample(model), before)
