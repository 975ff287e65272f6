"""What the face mesh sees of real people: closed lips, tilts, darkness, far away, and when it is not there."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from eyes import area, far_away, frames_of, in_the_dark, look, repeatability, turned

from talkface.corpus.annotations import read_marks
from talkface.face.detection import landmark_shard
from talkface.face.points import mouth_opening, outer_eye_distance

CLIP = "grid/others/brbk7n.mpg"
CLOSED = ("b", "bin", "blue", "by", "m", "p", "place", "please")  # words of GRID that begin with closed lips
OPEN = ("at", "i", "k", "now", "five", "nine", "a", "eight", "h", "again", "o", "r")
CLIPS = 10


@pytest.fixture(scope="module")
def frames(shared_data):
    return frames_of(shared_data / CLIP, end_s=0.6)


@pytest.fixture(scope="module")
def plain(frames):
    return look("mesh", frames)


@pytest.mark.parametrize("degrees", [45, 60, 90])
def test_a_tilted_head(degrees, frames, plain):
    track = look("mesh", [turned(frame, degrees) for frame in frames])
    assert track.detected.all()
    opening, before = (mouth_opening(each.landmarks) / outer_eye_distance(each.landmarks) for each in (track, plain))
    assert np.abs(opening - before).max() < 0.02


def test_a_tenth_of_the_light(frames, plain):
    track = look("mesh", [in_the_dark(frame) for frame in frames])
    assert track.detected.all()
    away = np.linalg.norm(track.landmarks - plain.landmarks, axis=-1).mean()
    assert away < 0.05 * np.median(outer_eye_distance(plain.landmarks))


def test_a_face_of_24_pixels(frames, plain):
    face_px = float(np.median(np.ptp(plain.landmarks[:, :17, 0], axis=1)))
    far = [far_away(cv2.resize(frame, (1280, 1024)), face_px * 1280 / frame.shape[1]) for frame in frames]
    track = look("mesh", far)
    assert track.detected.mean() > 0.9
    assert np.median(np.ptp(track.landmarks[:, :17, 0], axis=1)) == pytest.approx(24, abs=4)


def test_a_face_that_is_blurred_away_is_lost(frames):
    blurred = [cv2.GaussianBlur(frame, (0, 0), 40) if 4 <= number < 9 else frame for number, frame in enumerate(frames)]
    track = look("mesh", blurred)
    np.testing.assert_array_equal(np.flatnonzero(~track.detected), range(4, 9))
    assert track.rejected == ""  # five frames are filled in
    assert np.isfinite(track.landmarks).all()


def test_equal_runs_and_what_is_stored(shared_data, tmp_path):
    import h5py

    stored = []
    for number in range(2):
        path = tmp_path / f"{number}.h5"
        landmark_shard([shared_data / CLIP], path, clips=["a"], start_s=[None], end_s=[0.4], detector="mesh")
        with h5py.File(path) as file:
            assert file["a"].attrs["detector"] == "mesh"
            stored.append({name: file["a"][name][:] for name in file["a"]})
    assert stored[0]["depth"].shape == (10, 68)
    assert stored[0]["blendshapes"].shape == (10, 51)
    assert 0 <= stored[0]["blendshapes"].min() <= stored[0]["blendshapes"].max() <= 1
    for name, array in stored[0].items():
        np.testing.assert_array_equal(array, stored[1][name])


def test_lips_close_where_words_say_so(shared_data):
    """Gaps where words begin with closed lips, beside those in words with an open sound, by both detectors."""
    clips = sorted((shared_data / "grid" / "s1").glob("*.mpg"))
    gaps = {(detector, kind): [] for detector in ("dlib", "mesh") for kind in ("closed", "open")}
    for clip in clips[:: len(clips) // CLIPS]:
        marks = read_marks(shared_data / "grid" / "align" / f"{clip.stem}.align")
        frames = frames_of(clip, end_s=3.0)
        for detector in ("dlib", "mesh"):
            track = look(detector, frames)
            if track.rejected:
                continue
            gap = 100 * mouth_opening(track.landmarks) / np.median(outer_eye_distance(track.landmarks))
            steps = np.arange(0, len(gap) / 25, 0.01)
            gap = np.interp(steps, np.arange(len(gap)) / 25, gap)
            for mark in marks:
                if mark.name in CLOSED:
                    within = (steps >= mark.start_s - 0.08) & (steps <= mark.start_s + 0.1)
                    gaps[detector, "closed"].append(gap[within].min())
                elif mark.name in OPEN:
                    within = (steps >= mark.start_s) & (steps <= mark.end_s)
                    gaps[detector, "open"].append(np.median(gap[within]))
    assert np.median(gaps["mesh", "closed"]) <= 1.0
    assert np.median(gaps["dlib", "closed"]) > 2.0
    seen = {detector: area(gaps[detector, "closed"], gaps[detector, "open"]) for detector in ("dlib", "mesh")}
    assert seen["mesh"] >= 0.82


def test_lips_measured_again(shared_data, tmp_path):
    clips = sorted((shared_data / "grid" / "s1").glob("*.mpg"))[20:140:60]
    assert repeatability("mesh", clips, tmp_path) <= 0.55
    assert repeatability("mesh", [shared_data / "talking" / "person31.mp4"], tmp_path) <= 0.30
