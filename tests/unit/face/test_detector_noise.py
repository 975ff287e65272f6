"""The measurement measured: what the second encoding does to a picture, and what of it reaches the shapes."""

import h5py
import numpy as np
import pytest

from talkface.face import identity, points
from talkface.face.detection import landmark_shard
from talkface.face.detector_noise import measure_again, measure_detector
from talkface.face.template import load_template
from talkface.media.encoding import encode_again
from talkface.media.video import probe, read_frames
from tests.unit.media.test_video import encode, ffmpeg


@pytest.mark.parametrize("size", ["160x120", "151x101"])
def test_a_shift_of_one_pixel(tmp_path, size):
    bars = ffmpeg.input(f"testsrc2=s={size}:r=30:d=1.2", f="lavfi")
    video = encode(bars, path=tmp_path / "bars.mkv", vcodec="ffv1", pix_fmt="yuv444p")
    encode_again(video, tmp_path / "again.mp4", start_s=0.2, end_s=1.0, crf=0)
    before = np.array(list(read_frames(probe(video), start_s=0.2, end_s=1.0)))
    again = np.array(list(read_frames(probe(tmp_path / "again.mp4"))))
    assert len(again) == len(before) == 20
    height, width = before.shape[1:]
    moved = again[:, 1:height, 1:width].astype(float) - before[:, :-1, :-1]
    assert np.abs(moved).mean() < 1.5
    assert np.abs(again[:, :height, :width].astype(float) - before).mean() > 4  # so the test can tell
    edge = again[:, 1:height, 0].astype(float) - before[:, :-1, 0]
    assert np.abs(edge).mean() < 1.5
    encode_again(video, tmp_path / "still.mp4", crf=40, shift_px=0)
    still = np.array(list(read_frames(probe(tmp_path / "still.mp4"))))[5:25, :height, :width]
    assert 1 < np.abs(still.astype(float) - before).mean() < 12
    assert (tmp_path / "still.mp4").stat().st_size < (tmp_path / "again.mp4").stat().st_size / 3


def faces(*, frames=40, seed=0):
    """Pixels of a face that talks and nods, (T, 68, 2)."""
    rng = np.random.default_rng(seed)
    shape = np.repeat(load_template()[None], frames, axis=0)
    shape[:, [55, 56, 57, 58, 59, 65, 66, 67], 1] += 0.1 * (1 + np.sin(np.arange(frames) / 3))[:, None]
    shape += 0.002 * rng.standard_normal(shape.shape)
    return 100 * shape + np.array([150, 120]) + 5 * np.sin(np.arange(frames) / 10)[:, None, None]


@pytest.mark.parametrize("method", ["fixed", "published"])
def test_only_the_second_measurement_counts(method):
    template = load_template()
    clips = [faces(seed=0), faces(seed=1, frames=30)]
    options = {"template": template, "method": method, "smooth_frames": 9}
    shape, _ = identity.neutral_shapes(clips, threshold=1.0, reference_frames=5, **options)
    shape, mean = shape[:40], np.concatenate(clips).mean(axis=0)
    # Moved, turned and scaled as a whole: nothing is left of it.
    turn = 1.3 * np.array([[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]])
    same = measure_again(clips[0], clips[0] @ turn + 7, shape, mean=mean, **options)
    np.testing.assert_allclose(same, shape, atol=1e-6)
    # One point displaced by a hundredth of the outer-eye distance, in one frame.
    other = clips[0].copy()
    other[20, 8, 1] += 0.01 * points.outer_eye_distance(clips[0])[20]
    error = np.linalg.norm(measure_again(clips[0], other, shape, mean=mean, **options) - shape, axis=-1)
    assert error[20, 8] == pytest.approx(0.01, rel=0.1)
    error[20, 8] = 0
    assert error.max() < 1e-3


def measured(clips, videos, folder, *, method="fixed"):
    """First and second shapes of some clips of one speaker."""
    none = [None] * len(clips)
    landmark_shard(videos, folder / "landmarks.h5", clips=clips, start_s=none, end_s=none)
    files = dict.fromkeys(clips, folder / "landmarks.h5")
    options = {"template": load_template(), "method": method, "smooth_frames": 9}
    rest = {"threshold": 1.0, "reference_frames": 5, "reference": "clip"}
    identity.shapes_of_speaker(files, output=folder / "shapes.h5", **rest, **options)
    measure_detector(
        videos, folder / "again.h5", clips=clips, start_s=none, end_s=none, landmarks=files,
        shapes=folder / "shapes.h5", **options,
    )  # fmt: skip
    return h5py.File(folder / "shapes.h5"), h5py.File(folder / "again.h5")


def test_real_faces(shared_data, tmp_path):
    clips = ["bbaf4p", "lrarzn"]  # the second begins with grey frames and is rejected
    first, again = measured(clips, [shared_data / "grid" / "s1" / f"{clip}.mpg" for clip in clips], tmp_path)
    with first, again:
        assert "no face in frames 0 to 11" in again["lrarzn"].attrs["rejected"]
        assert "shape" not in again["lrarzn"]
        group = again["bbaf4p"]
        assert (group.attrs["rejected"], group.attrs["crf"], group.attrs["shift_px"]) == ("", 28, 1)
        truth, found = first["bbaf4p"]["shape"][:], group["shape"][:]
        assert (found.shape, found.dtype) == (truth.shape, np.float32)
        lips = 100 * np.linalg.norm(found - truth, axis=-1)[:, list(points.LIPS)]
        assert 0.2 < lips.mean() < 1.0  # percent of the outer-eye distance
        opening = np.corrcoef(points.mouth_opening(truth), points.mouth_opening(found))[0, 1]
        assert opening > 0.9


@pytest.mark.parametrize("method", ["fixed", "published"])
def test_a_speaker_of_whom_no_clip_can_be_used(shared_data, tmp_path, method):
    first, again = measured(["lrarzn"], [shared_data / "grid" / "s1" / "lrarzn.mpg"], tmp_path, method=method)
    with first, again:
        assert "no face in frames 0 to 11" in again["lrarzn"].attrs["rejected"]


def test_a_shard_without_clips_is_an_empty_file(tmp_path):
    measure_detector(
        [], tmp_path / "again.h5", clips=[], start_s=[], end_s=[], landmarks={}, shapes=tmp_path / "none.h5",
        template=load_template(), method="published", smooth_frames=9,
    )  # fmt: skip
    with h5py.File(tmp_path / "again.h5") as file:
        assert not len(file)
