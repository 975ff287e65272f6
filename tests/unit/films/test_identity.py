"""The picture of identity removal: which frames each rule takes, and that the picture shows those."""

import cv2
import h5py
import numpy as np
import pytest

from talkface.drawing.canvas import to_bgr
from talkface.drawing.style import INK, ORANGE
from talkface.errors import TalkfaceError
from talkface.face import points
from talkface.face.identity import closure_order, neutral_shapes
from talkface.face.template import load_template
from talkface.films import identity as picture
from talkface.media.encoding import encode

OPTIONS = {"method": "fixed", "threshold": 1.0, "reference_frames": 2, "smooth_frames": 0}
GRIN = 20


@pytest.fixture
def speaking():
    """A face (40, 68, 2) that speaks, template frame; it closes best in a grin, and well in frames 8 and 30."""
    faces = np.repeat(load_template()[None], 40, axis=0)
    opening = 0.05 + 0.1 * np.abs(np.sin(np.arange(40) / 3))
    opening[[GRIN, 8, 30]] = 0.0, 0.004, 0.008
    for upper, lower in points.LIP_PAIRS:
        faces[:, lower, 1] = faces[:, upper, 1] + opening
    wide = 0.01 * (np.arange(40) % 7 - 2)  # the widths of speech
    wide[[8, 30]] = 0.0115  # hardly narrower than the mean, the grin included
    faces[:, 64, 0] += wide
    faces[GRIN, [48, 60], 0] -= 0.08
    faces[GRIN, [54, 64], 0] += 0.08
    return faces


def named(choices):
    return {choice.name: choice for choice in choices}


def test_each_rule_takes_its_frame(speaking):
    own, search, removal, paper = picture.ask_rules(speaking * 90 + 200, **OPTIONS)
    assert paper.frames[0] == GRIN
    assert paper.score[GRIN] > 2
    for choice in (own, search, removal):
        assert GRIN not in choice.frames
        assert choice.frames[0] == 8
    assert own.in_force
    assert not any(choice.in_force for choice in (search, removal, paper))
    assert (own.averaged, paper.averaged) == (2, 1)
    assert len(search.frames) > len(removal.frames)
    np.testing.assert_array_equal(own.frames, closure_order(speaking, threshold=1.0))


def test_the_rule_in_force_is_the_one_that_removes_identity(speaking):
    options = {**OPTIONS, "method": "published", "threshold": 0.5}
    choices = picture.ask_rules(speaking * 90 + 200, **options)
    [in_force] = [choice for choice in choices if choice.in_force]
    assert "threshold of the configuration" in in_force.name
    _, [closed] = neutral_shapes(
        [speaking * 90 + 200], template=load_template(), method="published", threshold=0.5, reference_frames=1
    )
    assert in_force.frames[0] == closed
    [removal] = [c for c in picture.ask_rules(speaking, **{**options, "threshold": 0.1}) if c.in_force]
    assert "removal" in removal.name


def test_the_toolkits_search_agrees_with_its_own_results(shared_data):
    """Where frame - reference + template is the template, the frame is the reference."""
    reference = shared_data / "reference"
    removed = np.load(reference / "obama2s_identity_removed.npy")
    template = np.load(reference / "eskimez2020_mean.npy")[:, :2]
    implied = np.nanargmin(np.abs(removed - template).max(axis=(1, 2)))
    aligned = np.load(reference / "obama2s_25fps.npy")
    known = np.flatnonzero(np.isfinite(aligned).all(axis=(1, 2)))
    choices = picture.ask_rules(aligned[known], **OPTIONS)
    assert choices[1].name == "Published toolkit: search"
    assert known[choices[1].frames[0]] == implied


def test_runners_up_are_moments_of_their_own(speaking):
    own = picture.ask_rules(speaking, **OPTIONS)[0]
    shown = [own.frames[place] for place in own.shown()]
    assert shown[:2] == [8, 30]
    assert np.diff(sorted(shown)).min() >= picture.APART
    few = picture.ask_rules(speaking[6:10], **OPTIONS)[-1]
    assert len(few.shown()) == picture.SHOWN  # neighbours, where there is nothing else
    assert [picture.ordinal(place) for place in (0, 1, 2, 3, 10, 11, 12, 20, 110)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "111th",
    ]  # fmt: skip


def test_measures_are_percent_of_the_outer_eye_distance(speaking):
    own, search, *_ = picture.ask_rules(speaking, **OPTIONS)
    width, opening = picture.measures(own, speaking[8] * 77, 8)
    expected = 100 * (speaking[8, 64] - speaking[8, 60])[0]
    assert width.startswith(f"width {expected:.0f} %, deviation −")
    assert opening == "opening 0.4 %"
    assert ", pairs " in picture.measures(search, speaking[8], 8)[1]
    own.score[8] = -0.04
    assert picture.measures(own, speaking[8], 8)[0].endswith("deviation +0.0")


def test_a_threshold_that_none_passes_is_shown(speaking):
    own = picture.ask_rules(speaking, **{**OPTIONS, "threshold": 1e-9})[0]
    assert not len(own.frames)
    painted = picture.paint_choice(own, speaking, frames={}, colour="#000000")
    assert painted.shape[1] == picture.WIDTH


@pytest.fixture
def stages(tmp_path, speaking):
    """A video whose grey says which frame it is, with landmarks and shapes."""
    pixels = speaking * 60 + [150, 80]
    grey = (np.full((240, 300, 3), 30 + 5 * number, np.uint8) for number in range(40))
    encode(grey, tmp_path / "clip.mp4", size=(300, 240))
    with h5py.File(tmp_path / "landmarks.h5", "w") as file:
        for clip, reason in (("clip", ""), ("dark", "no face")):
            file.create_group(clip).attrs.update(rejected=reason, width=300, height=240)
            file[clip]["landmarks"] = pixels.astype(np.float32)
            file[clip]["detected"], file[clip]["box"] = np.ones(40, bool), np.zeros((40, 4), np.float32)
    shape, _ = neutral_shapes([pixels], template=load_template(), **OPTIONS)
    with h5py.File(tmp_path / "shapes.h5", "w") as file:
        file.create_group("clip").attrs.update(rejected="", reference_clip="clip", reference_frame=8)
        file["clip"]["shape"] = shape
    np.save(tmp_path / "clip.npy", speaking.astype(np.float32))
    return tmp_path


def tiles_of(image):
    """Colours in the upper corner of the first tile of each rule, found by their thick frames, and their heights."""
    strip = image[:, picture.MARGIN + 2 : picture.MARGIN + 7].astype(float)
    dark = (np.abs(strip - to_bgr(INK)).max(axis=-1) < 12).all(axis=1).astype(int)
    starts, ends = np.flatnonzero(np.diff(dark) == 1), np.flatnonzero(np.diff(dark) == -1)
    edges = starts[ends - starts > 200]
    return [image[edge + 20, picture.MARGIN + 20].astype(int) for edge in edges], edges


def test_the_picture_shows_the_frames_that_were_taken(stages):
    output = stages / "clip.png"
    picture.draw_identity(
        stages / "landmarks.h5", output, clip="clip", shapes=stages / "shapes.h5", video=stages / "clip.mp4", **OPTIONS
    )
    image = cv2.imread(str(output))
    assert image.shape[1] == picture.WIDTH
    found, edges = tiles_of(image)
    assert len(found) == 4
    for shade, frame in zip(found, (8, 8, 8, GRIN), strict=True):
        np.testing.assert_allclose(shade, 30 + 5 * frame, atol=5)
    # "in force" is set off above the first rule's tiles and no other's
    right = (
        np.abs(image[:, -picture.MARGIN - 8 : -picture.MARGIN - 4].astype(float) - to_bgr(INK)).max(axis=(1, 2)) < 12
    )
    assert right[edges[0] - 200 : edges[0]].sum() > 30
    assert not right[edges[1] - 200 : edges[1]].any()
    assert (np.abs(image[edges[-1] :].astype(float) - to_bgr(ORANGE)).max(axis=-1) < 25).sum() > 500


def test_a_prediction_needs_no_video(stages):
    output = stages / "model.png"
    picture.draw_identity(stages / "clip.npy", output, clip="clip", model="cnn", colour="#d55e00", **OPTIONS)
    image = cv2.imread(str(output))
    assert (np.abs(image.astype(float) - to_bgr("#d55e00")).max(axis=-1) < 25).sum() > 5000
    assert len(tiles_of(image)[0]) == 4


def test_frames_are_taken_from_the_stretch(stages):
    frames = picture.frames_at(stages / "clip.mp4", {0, 5}, start_s=0.4, end_s=1.2)
    assert sorted(frames) == [0, 5]
    np.testing.assert_allclose([frames[0].mean(), frames[5].mean()], [30 + 5 * 10, 30 + 5 * 15], atol=3)


def test_a_rejected_clip_is_refused(stages):
    with pytest.raises(TalkfaceError, match=r"dark: rejected \(no face\)"):
        picture.draw_identity(
            stages / "landmarks.h5", stages / "dark.png", clip="dark", shapes=stages / "shapes.h5",
            video=stages / "clip.mp4", **OPTIONS,
        )  # fmt: skip
    assert not (stages / "dark.png").exists()
