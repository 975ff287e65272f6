"""Landmarks of real people: near the published ones, steadier, and honest about what is no single face."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from landmarking import compare, frames_of
from published_landmarking import load_published, published_landmarks

from talkface.face.detection import track_face
from talkface.face.points import outer_eye_distance
from talkface.face.predictor import predictor_path
from talkface.media.video import probe, read_frames

# Clip and the stretch of it in seconds: the published procedure takes 20 to 400 ms a frame.
CLIPS = {
    "grid/s1/bbaf4p.mpg": (0, 2),
    "grid/s1/lrarzn.mpg": (0, 2),  # begins with 12 grey frames
    "grid/others/brbk7n.mpg": (0, 2),
    "talking/person31.mp4": (0, 1),
    "talking/obama2s.mp4": (0.52, 1.12),  # before that it fades in
    "talking/lavse_sp05_320.mp4": (0.5, 1.1),
}


@pytest.fixture(scope="module")
def predictor():
    return predictor_path()


@pytest.fixture(scope="module")
def models(predictor):
    return load_published(predictor)


@pytest.mark.parametrize("clip", CLIPS)
def test_near_the_published_points_and_no_less_steady(clip, shared_data, predictor, models):
    start_s, end_s = CLIPS[clip]
    frames = list(read_frames(probe(shared_data / clip), start_s=start_s, end_s=end_s))
    track = track_face(frames, predictor=predictor, max_gap_frames=12)
    assert track.rejected == ""
    published = published_landmarks(frames, models=models)
    found = ~np.isnan(published[:, 0, 0])
    np.testing.assert_array_equal(track.detected, found)
    ours = np.where(track.detected[:, None, None], track.landmarks.astype(np.float64), np.nan)
    distance, ratio = compare(ours, published)
    assert distance <= 1.0
    assert ratio <= 1.0
    # A comparison that would pass with anything proves nothing.
    shift = np.array([0.02, 0.0]) * np.nanmedian(outer_eye_distance(published))
    assert compare(ours + shift, published)[0] > 1.0
    assert compare(ours + np.arange(len(ours))[:, None, None] % 2 * shift, published)[1] > 1.0


def test_grey_beginning_is_held_or_rejected(shared_data, predictor):
    frames = frames_of(shared_data / "grid/s1/lrarzn.mpg")
    track = track_face(frames, predictor=predictor)
    assert "no face in frames 0 to 11" in track.rejected
    np.testing.assert_array_equal(np.flatnonzero(~track.detected), range(12))
    held = track_face(frames, predictor=predictor, max_gap_frames=12)
    assert held.rejected == ""
    np.testing.assert_array_equal(held.landmarks[:12], np.tile(held.landmarks[12], (12, 1, 1)))


def test_two_faces(shared_data, predictor):
    left, right = (frames_of(shared_data / f"grid/{name}.mpg", seconds=1.6) for name in ("s1/bbaf4p", "others/brbk7n"))
    both = [np.hstack(pair) for pair in zip(left, right, strict=True)]
    track = track_face(both, predictor=predictor)
    assert track.rejected == ""
    assert track.faces[0] == 2
    # The larger one, bbaf4p, throughout.
    alone = track_face(left, predictor=predictor)
    eyes = np.linalg.norm(alone.landmarks[:, 36] - alone.landmarks[:, 45], axis=-1).mean()
    assert np.abs(track.landmarks - alone.landmarks).mean() < 0.02 * eyes


def test_a_cut_to_another_person(shared_data, predictor):
    first, second = (
        frames_of(shared_data / f"grid/{name}.mpg", seconds=1.2) for name in ("s1/bbaf4p", "others/lbax4n")
    )
    track = track_face(first[:18] + second, predictor=predictor)
    assert "cut at frame 18 " in track.rejected


def test_a_cut_to_a_face_elsewhere(shared_data, predictor):
    frames = frames_of(shared_data / "grid/s1/bbaf4p.mpg", seconds=1.6)
    moved = [np.roll(frame, 110, axis=1) for frame in frames]
    assert "cut at frame 13 " in track_face(frames[:13] + moved[13:], predictor=predictor).rejected


def test_nobody_there(shared_data, predictor):
    # The wall above the head.
    frames = [frame[:60] for frame in frames_of(shared_data / "grid/s1/bbaf4p.mpg", seconds=1)]
    assert "no face" in track_face(frames, predictor=predictor).rejected


def test_a_face_that_is_covered_for_a_while(shared_data, predictor):
    frames = frames_of(shared_data / "grid/s1/bbaf4p.mpg", seconds=2)
    whole = track_face(frames, predictor=predictor)
    covered = [frame.copy() for frame in frames]
    for frame in covered[21:25]:
        frame[80:270, 60:300] = 90
    track = track_face(covered, predictor=predictor)
    assert track.rejected == ""
    np.testing.assert_array_equal(np.flatnonzero(~track.detected), range(21, 25))
    eyes = np.linalg.norm(whole.landmarks[0, 36] - whole.landmarks[0, 45])
    assert np.abs(track.landmarks - whole.landmarks).mean() < 0.02 * eyes


def test_twice_the_same(shared_data, predictor):
    frames = frames_of(shared_data / "talking/person31.mp4", seconds=0.6)
    one, two = (track_face(frames, predictor=predictor) for _ in range(2))
    np.testing.assert_array_equal(one.landmarks, two.landmarks)
