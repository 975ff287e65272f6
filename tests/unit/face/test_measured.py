"""What pictures of a clip are made from, and predictions put back on its face."""

import h5py
import numpy as np
import pytest

from talkface.corpus.quality import brief
from talkface.errors import TalkfaceError
from talkface.face import points
from talkface.face.identity import align
from talkface.face.measured import place_in_video, read_measured, read_shape
from talkface.face.template import load_template

FRAMES = 40


@pytest.fixture
def talker():
    """Shapes of the template frame whose mouth opens, and the same head turned, scaled and moved, in pixels.

    The person's own face differs from the template's; lips and jaw move alike.
    """
    template = load_template()
    shapes = np.repeat(template[None], FRAMES, axis=0)
    opening = 0.1 * (1 - np.cos(np.arange(FRAMES) / 3))
    shapes[:, [*range(55, 60), 65, 66, 67], 1] += opening[:, None]
    own = template * [1.06, 1.0]
    own += 0.03 * np.random.default_rng(0).standard_normal((68, 2))
    own[list(points.STABLE)] = template[list(points.STABLE)] * 1.01
    angle, scale = 0.35 * np.sin(np.arange(FRAMES) / 9), 90 + 15 * np.cos(np.arange(FRAMES) / 7)
    turn = np.stack([np.stack([np.cos(angle), -np.sin(angle)], -1), np.stack([np.sin(angle), np.cos(angle)], -1)], -2)
    matrix = scale[:, None, None] * turn  # (T, 2, 2)
    heads = (shapes - template + own) @ matrix.swapaxes(-1, -2) + [[300, 200]]
    return shapes, heads, matrix


def test_a_prediction_that_is_the_shape_is_the_face_itself(talker):
    shapes, heads, _ = talker
    np.testing.assert_allclose(place_in_video(shapes, shape=shapes, landmarks=heads), heads, atol=1e-9)


def test_a_lip_difference_turns_and_grows_with_the_head(talker):
    shapes, heads, matrix = talker
    prediction = shapes.copy()
    prediction[:, 57] += [0.02, 0.10]  # the lower lip to the right and down, of the template
    placed = place_in_video(prediction, shape=shapes, landmarks=heads)
    moved = placed - heads
    expected = np.array([0.02, 0.10]) @ matrix.swapaxes(-1, -2)
    assert np.linalg.norm(expected, axis=-1).min() > 7  # pixels
    np.testing.assert_allclose(moved[:, 57], expected, rtol=0.03, atol=0.1)
    assert np.abs(np.delete(moved, 57, axis=1)).max() < 1e-9
    # an open mouth makes no head larger: the way is that of the points that do not speak
    wide = shapes.copy()
    wide[:, 57, 1] += 0.5
    again = place_in_video(wide + (prediction - shapes), shape=wide, landmarks=heads)
    np.testing.assert_allclose(again, placed, atol=1e-9)


def test_it_is_the_way_back_of_the_alignment(talker):
    shapes, heads, _ = talker
    aligned = align(heads, load_template())
    prediction = shapes + 0.05
    placed = place_in_video(prediction, shape=aligned, landmarks=heads)
    # brought to the template again, the placed face differs from the measured one as the prediction from the shape
    still = list(points.STABLE)
    back = np.linalg.lstsq(np.c_[heads[7, still], np.ones(len(still))], aligned[7, still], rcond=None)[0]
    np.testing.assert_allclose(np.c_[placed[7], np.ones(68)] @ back, prediction[7], atol=1e-6)


def test_lengths_and_a_third_coordinate(talker):
    shapes, heads, _ = talker
    deep = np.concatenate([shapes[:10] + 0.1, np.full((10, 68, 1), 5.0)], axis=-1)
    placed = place_in_video(deep, shape=shapes, landmarks=heads)
    assert placed.shape == heads.shape
    held = np.concatenate([shapes[:10], np.repeat(shapes[9:10], FRAMES - 10, axis=0)]) + 0.1
    np.testing.assert_allclose(placed, place_in_video(held, shape=shapes, landmarks=heads))
    longer = np.concatenate([shapes, shapes])
    np.testing.assert_allclose(place_in_video(longer, shape=shapes, landmarks=heads), heads, atol=1e-9)


def test_what_landmarking_found(tmp_path):
    with h5py.File(tmp_path / "shard.h5", "w") as file:
        group = file.create_group("good")
        group["landmarks"], group["detected"] = np.ones((3, 68, 2), np.float32), np.array([True, False, True])
        group["box"] = np.ones((3, 4), np.float32)
        group.attrs.update(width=640, height=480, rejected="")
        file.create_group("torn").attrs.update(rejected="torn.mp4: not a media file")
    good = read_measured(tmp_path / "shard.h5", "good")
    assert good.landmarks.shape == (3, 68, 2)
    assert list(good.detected) == [True, False, True]
    assert (good.width, good.height, good.rejected) == (640, 480, "")
    torn = read_measured(tmp_path / "shard.h5", "torn")
    assert torn.landmarks.shape == (0, 68, 2)
    assert (torn.width, torn.rejected) == (0, "torn.mp4: not a media file")


def test_the_shape_of_a_rejected_clip_is_refused_with_the_reason(tmp_path):
    with h5py.File(tmp_path / "speaker.h5", "w") as file:
        file.create_group("good")["shape"] = np.ones((3, 68, 2), np.float32)
        file.create_group("bad").attrs.update(rejected="no face in any of 3 frames")
    assert read_shape(tmp_path / "speaker.h5", "good").shape == (3, 68, 2)
    with pytest.raises(TalkfaceError, match=r"bad: rejected \(no face in any of 3 frames\)") as caught:
        read_shape(tmp_path / "speaker.h5", "bad")
    assert "\n" not in str(caught.value)


def test_reasons_without_paths():
    assert brief("/data/a b/x.mpg: no face in frames 0 to 10; at most 10 are filled in") == (
        "no face in frames 0 to 10; at most 10 are filled in"
    )
    assert brief("a face in 90% of the frames (qc.min_detected_share: 0.95)") == (
        "a face in 90% of the frames (qc.min_detected_share: 0.95)"
    )
    assert brief("data/x.mpg: no face; data/x.mpg: no audio stream; speech was expected") == (
        "no face; no audio stream; speech was expected"
    )
    assert brief("") == ""
