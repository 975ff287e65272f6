"""How a face is followed: with a detector that sees white squares, so that every move of the face can be made up."""

import cv2
import dlib
import h5py
import numpy as np
import pytest

from talkface.errors import TalkfaceError
from talkface.face import detection, tracking

SIZE = 100  # of a square
BACKGROUND = np.random.default_rng(3).uniform(20, 60, (240, 400)).astype(np.uint8)


class Detector:
    """Finds white squares of at least 60 pixels, and counts its calls."""

    def __init__(self):
        self.areas = []

    def __call__(self, picture, upsample):
        self.areas.append(picture.size)
        _, _, stats, _ = cv2.connectedComponentsWithStats((picture > 180).astype(np.uint8))
        squares = [s for s in stats[1:] if min(s[2], s[3]) >= 60 and max(s[2], s[3]) < 1.1 * min(s[2], s[3])]
        return [dlib.rectangle(*(int(v) for v in (x, y, x + w - 1, y + h - 1))) for x, y, w, h, _ in squares]


@pytest.fixture
def detector(monkeypatch):
    """The square detector, and a predictor that puts all points at even places in the box."""
    fake = Detector()
    grid = np.stack([np.linspace(0, 1, 68), np.linspace(1, 0, 68) ** 2], axis=1)

    def predict(predictor, pictures, which, boxes):
        return boxes[:, None, :2] + grid * (boxes[:, None, 2:] - boxes[:, None, :2])

    monkeypatch.setattr(detection, "load_detector", lambda path: (fake, None))
    monkeypatch.setattr(tracking, "predict", predict)
    return fake


def frame(*places, size=SIZE, background=BACKGROUND):
    """A picture with squares whose upper left corners are given; their texture belongs to the place in the tuple."""
    picture = background.copy()
    for row, (x, y) in enumerate(places):
        square = np.random.default_rng(row).uniform(190, 255, (size, size))
        picture[y : y + size, x : x + size] = square[: picture.shape[0] - y, : picture.shape[1] - x]
    return picture


def track(frames, **options):
    return detection.track_face(frames, predictor="none", **options)


def left(result):
    return result.box[:, 0]


def test_a_still_face_costs_one_search_and_few_confirmations(detector):
    result = track([frame((150, 80))] * 60)
    assert result.rejected == ""
    assert result.detected.all()
    np.testing.assert_allclose(left(result), 150, atol=1)
    assert result.faces[0] == 1
    assert (result.faces[1:] == -1).all()
    whole = sum(area >= BACKGROUND.size for area in detector.areas)
    assert whole == 1
    assert len(detector.areas) <= 10


def test_a_moving_face_is_followed(detector):
    places = [(20 + 4 * i, 80) for i in range(60)]
    result = track([frame(place) for place in places])
    assert result.rejected == ""
    np.testing.assert_allclose(left(result)[10:-10], [x for x, _ in places][10:-10], atol=2)
    np.testing.assert_allclose(left(result), [x for x, _ in places], atol=25)


def test_landmarks_are_in_pixels_of_the_frame(detector):
    result = track([frame((150, 80))] * 8)
    np.testing.assert_allclose(result.landmarks[:, 0], [[150, 179]] * 8, atol=1.5)
    np.testing.assert_allclose(result.landmarks[:, -1], [[249, 80]] * 8, atol=1.5)
    assert result.landmarks.dtype == np.float32


@pytest.mark.parametrize("edge", [(0, 80), (300, 80), (150, 0), (150, 140)])
def test_a_face_at_the_edge(edge, detector):
    result = track([frame(edge)] * 12)
    assert result.rejected == ""
    np.testing.assert_allclose(result.box[:, :2], [edge] * 12, atol=1.5)


@pytest.mark.parametrize("begin", [1, 13, 20, 22, 37])
@pytest.mark.parametrize("length", [1, 3, 5])
def test_a_short_gap_is_filled_and_flagged(begin, length, detector):
    frames = [frame((100 + i, 80)) for i in range(40)]
    for number in range(begin, min(40, begin + length)):
        frames[number] = BACKGROUND
    result = track(frames)
    assert result.rejected == ""
    np.testing.assert_array_equal(np.flatnonzero(~result.detected), range(begin, min(40, begin + length)))
    # Interpolated, or held at the end.
    np.testing.assert_allclose(left(result), 100 + np.arange(40), atol=6)
    assert not np.isnan(result.landmarks).any()


@pytest.mark.parametrize("begin", [0, 10, 32])
def test_a_long_gap_rejects(begin, detector):
    frames = [frame((100, 80)) for _ in range(40)]
    frames[begin : begin + 8] = [BACKGROUND] * 8
    result = track(frames)
    assert f"no face in frames {begin} to {begin + 7}" in result.rejected
    assert np.isnan(result.landmarks[begin : begin + 8]).all()
    assert result.detected.sum() == 32
    assert track(frames, max_gap_frames=8).rejected == ""


def test_grey_frames_at_the_beginning_are_not_even_searched(detector):
    frames = [np.full_like(BACKGROUND, 128)] * 12 + [frame((100, 80))] * 20
    result = track(frames, max_gap_frames=12)
    np.testing.assert_array_equal(np.flatnonzero(~result.detected), range(12))
    assert result.rejected == ""
    assert result.faces[0] == 0
    assert sum(area >= BACKGROUND.size for area in detector.areas) <= 2


def test_no_face_at_all(detector):
    result = track([BACKGROUND] * 80)
    assert "no face in any of 80 frames" in result.rejected
    assert not result.detected.any()
    # The costly searches become rarer.
    assert sum(area > 2 * BACKGROUND.size for area in detector.areas) <= 7


def test_no_frames(detector):
    assert "no face in any of 0 frames" in track([]).rejected


def test_of_two_faces_the_larger_is_kept_by_its_place(detector):
    small = frame((280, 60), size=80)
    both = [small.copy() for _ in range(40)]
    for number, picture in enumerate(both):
        # The face that was the larger one shrinks; it stays the one.
        side = 110 - number
        picture[90 : 90 + side, 60 : 60 + side] = frame((0, 0), size=side)[:side, :side]
    result = track(both, recount_frames=20)
    assert result.rejected == ""
    assert result.detected.all()
    assert (left(result) < 80).all()
    assert result.faces[0] == 2
    assert set(result.faces[1:]) == {-1, 2}


@pytest.mark.parametrize("at", [7, 15, 21])
def test_a_cut_to_another_place_is_noticed(at, detector):
    frames = [frame((30, 20))] * at + [frame((270, 120))] * (40 - at)
    result = track(frames)
    assert f"cut at frame {at} " in result.rejected
    assert result.detected.all()
    # Not tracked through: each side keeps its own place.
    np.testing.assert_allclose(left(result)[:at], 30, atol=1)
    np.testing.assert_allclose(left(result)[at:], 270, atol=1)


def test_a_cut_to_another_face_in_the_same_place_is_noticed(detector):
    wall = np.tile(np.linspace(0, 170, 400), (240, 1)).astype(np.uint8)
    first, second = frame((150, 80), background=wall), frame((150, 80), background=wall[:, ::-1])
    rng = np.random.default_rng(0)
    frames = [first] * 17 + [second] * 23
    frames = [(f + rng.normal(0, 1, f.shape)).clip(0, 255).astype(np.uint8) for f in frames]
    assert "cut at frame 17 " in track(frames).rejected


def test_light_that_changes_is_no_cut(detector):
    dim = (frame((150, 80)) * 0.85).astype(np.uint8)
    assert track([frame((150, 80))] * 17 + [dim] * 20).rejected == ""


def test_a_face_that_jumps_within_a_gap(detector):
    frames = [frame((30, 20))] * 15 + [BACKGROUND] * 3 + [frame((270, 120))] * 15
    assert track(frames).rejected.startswith(("cut at frame 15 ", "cut at frame 18 "))


def test_a_detector_that_goes_to_and_fro_is_no_cut(detector, monkeypatch):
    """Two places of one picture, of which now this and now that one looks like a face."""
    picture = frame((30, 20), (270, 120))
    rng = np.random.default_rng(0)
    frames = [(picture + rng.normal(0, 1, picture.shape)).clip(0, 255).astype(np.uint8) for _ in range(40)]
    found = detection.load_detector(None)[0]

    def fickle(picture, upsample):
        boxes, wide = found(picture, upsample), picture.shape[1] > 250
        # In the whole frame one at a time; in the windows around them not for long.
        calls = len(found.areas)
        return boxes[(calls // 4) % 2 :][:1] if wide else [] if calls % 4 == 0 else boxes

    monkeypatch.setattr(detection, "load_detector", lambda path: (fickle, None))
    reason = track(frames, max_gap_frames=40).rejected
    assert "cut" not in reason.replace("no cut between them", "")
    assert reason.startswith("the detector goes to and fro; a face in frame ")


def test_lips_that_follow_the_box_are_in_doubt(detector):
    spread = track([frame((30, 20))] * 12).spread  # the predictor here always follows
    assert spread.shape == (12, 2)
    # Boxes shifted by 4.5 % of the face: deviations of 3.7 % in x and none in y.
    eyes = np.hypot(9 / 67, (1 - 36 / 67) ** 2 - (1 - 45 / 67) ** 2)
    np.testing.assert_allclose(spread, 0.045 * np.sqrt(2 / 3) / 2 / eyes, rtol=0.01)
    assert np.isnan(track([BACKGROUND] * 6).spread).all()


def test_the_same_frames_give_the_same_numbers(detector):
    frames = [frame((20 + 3 * i, 80)) for i in range(30)]
    np.testing.assert_array_equal(track(frames).landmarks, track(iter(frames)).landmarks)


def test_dlib_is_given_pictures_without_gaps_between_their_rows():
    # It reads row after row, whatever the strides of an array say, and finds other faces or none.
    wide = np.full((240, 424), 255, np.uint8)
    wide[:, :400] = BACKGROUND
    for width, height in ((400, 240), (300, 180), (200, 120)):
        assert tracking._resize(wide[:, :400], width, height).flags.c_contiguous
    np.testing.assert_array_equal(tracking._resize(wide[:, :400], 400, 240), BACKGROUND)


def test_longest_gap():
    assert detection.longest_gap(np.array([1, 1, 1])) == (0, 0)
    assert detection.longest_gap(np.array([0, 1, 0, 0, 1, 0])) == (2, 2)
    assert detection.longest_gap(np.array([0, 0, 0])) == (0, 3)


def test_a_bad_clip_does_not_stop_the_shard(tmp_path):
    from tests.unit.media.test_video import encode, ffmpeg

    letter = tmp_path / "letter.mp4"
    letter.write_text("Dear reader")
    bars = encode(
        ffmpeg.input("testsrc2=s=320x240:r=30:d=0.5", f="lavfi"), path=tmp_path / "bars.mp4", pix_fmt="yuv420p"
    )
    shard = tmp_path / "shard.h5"
    detection.landmark_shard([letter, bars], shard, clips=["letter", "bars"], start_s=[None, 0.1], end_s=[None, 0.4])
    with h5py.File(shard) as file:
        assert "letter.mp4: not a media file" in file["letter"].attrs["rejected"]
        assert len(file["letter"]) == 0
        group = file["bars"]
        assert "bars.mp4: no face" in group.attrs["rejected"]
        assert group["landmarks"].shape[1:] == (68, 2)
        assert len(group["detected"]) == round(group.attrs["duration_s"] * 25) in (7, 8)
        assert (group.attrs["width"], group.attrs["height"], group.attrs["fps"]) == (320, 240, 25)
        assert group.attrs["source_fps"] == pytest.approx(30)


def test_a_missing_predictor_is_no_fault_of_the_clips(tmp_path):
    with pytest.raises(TalkfaceError, match="no such file"):
        detection.landmark_shard([], tmp_path / "s.h5", clips=[], start_s=[], end_s=[], predictor=tmp_path / "none.dat")
    assert not list(tmp_path.iterdir())
