"""Curves of a clip: what is drawn is what was measured, heard and said."""

import base64
import re
import xml.etree.ElementTree as ElementTree

import h5py
import matplotlib.colors
import numpy as np
import pytest
import soundfile

from talkface.corpus.annotations import Mark
from talkface.drawing.style import TRUTH, colour_of
from talkface.errors import TalkfaceError
from talkface.face import points
from talkface.face.template import load_template
from talkface.report.clip_curves import Curve, _place_names, curves_figure, draw_curves

RATE, FRAMES = 16_000, 75
SPACE = "{http://www.w3.org/2000/svg}"
QC = {
    "min_detected_share": 0.9, "min_face_px": 40, "max_faces": 1, "max_jitter_percent": 5.0, "min_duration_s": 0.4,
    "min_audio_dbfs": -60.0, "silence_dbfs": -50.0, "max_silence_share": 0.95, "max_offset_ms": None,
}  # fmt: skip
MARKS = [("", 0.0, 0.4), ("ʃ", 0.4, 0.8), ("a & $b$", 0.8, 1.6), ("<eps>", 1.6, 3.0)]


def face(opening):
    """Faces (T, 68, 2) of the template frame whose inner lips are so far apart, percent."""
    shapes = np.repeat(load_template()[None], len(opening), axis=0).astype(np.float32)
    for upper, lower in points.LIP_PAIRS:
        shapes[:, lower] = shapes[:, upper] + np.stack([0 * opening, opening / 100], axis=1)
    return shapes


def wave(phase=0.0, frames=FRAMES):
    return 10 + 6 * np.sin(np.arange(frames) / 6 + phase)


@pytest.fixture
def clip(tmp_path):
    """What the rules have of a clip of 3 s; its names are those of `draw_curves`."""
    rng = np.random.default_rng(3)
    samples = (rng.normal(0, 3000, 3 * RATE) * np.hanning(3 * RATE)).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="PCM_16")
    faces = 200 + 100 * face(wave())
    with h5py.File(tmp_path / "sound.h5", "w") as file:
        file["a"] = samples
        file["a"].attrs.update(rate=RATE, rejected="")
    with h5py.File(tmp_path / "landmarks.h5", "w") as file:
        group = file.create_group("a")
        group.attrs.update(rejected="", duration_s=3.0, source_fps=25.0)
        box = np.concatenate([faces.min(axis=1), faces.max(axis=1)], axis=1)
        group["landmarks"], group["box"] = faces, box
        group["detected"], group["faces"] = np.ones(FRAMES, bool), np.ones(4, np.int32)
    with h5py.File(tmp_path / "shapes.h5", "w") as file:
        file.create_group("a").attrs["rejected"] = ""
        file["a"]["shape"] = face(wave())
    for model, phase in (("talkface", 0.3), ("cnn", 1.0)):
        np.save(tmp_path / f"{model}.npy", face(wave(phase, FRAMES + 1)))
    with h5py.File(tmp_path / "marks.h5", "w") as file:
        names, starts, ends = zip(*MARKS, strict=True)
        file["phonemes/name"], file["phonemes/start_s"], file["phonemes/end_s"] = names, starts, ends
    return {
        "clip": "a",
        "audio": tmp_path / "a.wav",
        "predictions": {model: tmp_path / f"{model}.npy" for model in ("talkface", "cnn")},
        "colours": colour_of(["talkface", "cnn", "unseen"]),
        "qc": QC,
        "shapes": tmp_path / "shapes.h5",
        "landmarks": tmp_path / "landmarks.h5",
        "sound": tmp_path / "sound.h5",
        "marks": tmp_path / "marks.h5",
    }


def read(path):
    tree = ElementTree.parse(path)
    return tree, ["".join(text.itertext()) for text in tree.iter(f"{SPACE}text")]


def strokes_of(tree, colour):
    """Paths with a stroke of this colour."""
    return [path for path in tree.iter(f"{SPACE}path") if f"stroke: {colour}" in (path.get("style") or "")]


def test_the_picture_holds_curves_sound_and_marks(clip, tmp_path):
    draw_curves(tmp_path / "out.svg", **clip)
    tree, texts = read(tmp_path / "out.svg")
    assert {"a", "truth", "talkface", "cnn", "ʃ", "a & $b$", "<eps>", "time, s", "kHz"} <= set(texts)
    assert "mouth opening, % of the outer-eye distance" in texts
    assert "unseen" not in texts
    images = list(tree.iter(f"{SPACE}image"))
    assert len(images) == 1
    (png,) = [value for name, value in images[0].items() if name.endswith("href")]
    data = base64.b64decode(png.split(",")[1])
    assert data[:4] == b"\x89PNG"
    assert int.from_bytes(data[16:20]) == 400  # a column every 7.5 ms of 3 s
    assert 60 <= int.from_bytes(data[20:24]) <= 64
    assert (tmp_path / "out.svg").stat().st_size < 120_000
    for colour in (TRUTH, *list(clip["colours"].values())[:2]):
        longest = max(strokes_of(tree, colour), key=lambda path: len(path.get("d")))
        assert len(re.findall("[ML]", longest.get("d"))) >= FRAMES
    assert not strokes_of(tree, clip["colours"]["unseen"])
    assert tree.getroot().find(f"{SPACE}title").text == "a: mouth opening over its sound"


def test_it_is_as_wide_as_a_desktop_or_a_telephone(clip, tmp_path, open_page):
    name = "a_clip_that_has_been_given_a_very_long_name_indeed_0123456789"
    for file, group in (("shapes", "a"), ("landmarks", "a"), ("sound", "a")):
        with h5py.File(clip[file], "a") as opened:
            opened.move(group, name)
    draw_curves(tmp_path / "out.svg", **{**clip, "clip": name})
    for width, expected in ((1280, 760), (390, 390)):
        page = open_page(tmp_path / "out.svg", width=width)
        box = page.evaluate(
            "(() => {const b = document.documentElement.getBoundingClientRect(); return [b.x, b.width]})()"
        )
        assert box == [(width - expected) / 2, expected]
        letters = page.evaluate("[...document.querySelectorAll('text')].map(t => t.getBoundingClientRect().height)")
        assert min(letters) >= 9
        beyond = page.evaluate("[...document.querySelectorAll('text')].map(t => t.getBoundingClientRect().right)")
        assert max(beyond) <= width


def test_curves_stand_at_their_frames_and_heights():
    opening = wave()
    figure = curves_figure(
        [Curve("truth", opening, TRUTH)], samples=np.ones(3 * RATE, np.int16), rate=RATE, marks=[], title="a"
    )
    line = next(x for x in figure.axes[0].lines if matplotlib.colors.same_color(x.get_color(), TRUTH))
    assert line.get_xdata() == pytest.approx(np.arange(FRAMES) / 25)
    assert line.get_ydata() == pytest.approx(opening)
    assert len({axis.get_xlim() for axis in figure.axes}) == 1
    assert figure.axes[0].get_xlim() == (0, 3)
    heights = [axis.get_position() for axis in figure.axes]
    assert heights[0].y0 >= heights[1].y1 - 1e-9
    assert heights[1].y0 >= heights[2].y1 - 1e-9


def test_marks_are_lines_through_all_panels_where_they_begin_and_end():
    marks = [Mark("a", 0.5, 1.0), Mark("b", 1.0, 1.5)]
    figure = curves_figure([], samples=np.ones(2 * RATE, np.int16), rate=RATE, marks=marks, title="a")
    for axis in figure.axes:
        (line,) = [line for line in axis.lines if line.get_gid() == "marks"]
        assert list(line.get_xdata()[::3]) == [0.5, 1.0, 1.5]
    names = {text.get_text(): text.get_position()[0] for text in figure.axes[0].texts}
    assert names == pytest.approx({"a": 0.75, "b": 1.25})


def test_names_that_would_touch_stand_on_other_levels():
    marks = [Mark("wide", 0.1 * k, 0.1 * (k + 1)) for k in range(40)]
    placed = _place_names(marks, 0.0, 4.0, per_inch=0.9)
    assert {level for _, level, _ in placed} == {0, 1, 2}
    for level in range(3):
        middles = [x for _, other, x in placed if other == level]
        assert np.diff(middles).min() > 0.27  # four letters
    assert len(placed) < len(marks)
    assert all(level == 0 for _, level, _ in _place_names(marks[::4], 0.0, 4.0, per_inch=0.9))
    assert _place_names([Mark("", 0, 1), Mark("x", 5, 6)], 0.0, 4.0, per_inch=0.9) == []


@pytest.mark.parametrize(("seconds", "rows"), [(0.04, 1), (4.9, 1), (12, 3), (200, 16)])
def test_long_clips_stand_in_rows(seconds, rows):
    frames = int(seconds * 25)
    samples = np.ones(int(seconds * 1000), np.int16)
    figure = curves_figure(
        [Curve("cnn", wave(frames=frames + 1), "#0072b2")], samples=samples, rate=1000, marks=[], title="long"
    )
    assert len(figure.axes) == 3 * rows
    limits = [figure.axes[3 * row].get_xlim() for row in range(rows)]
    assert [first for first, _ in limits] == pytest.approx(np.arange(rows) * seconds / rows)
    assert limits[-1][1] == pytest.approx(seconds)
    for axis, (first, last) in zip(figure.axes[::3], limits, strict=True):
        times = axis.lines[0].get_xdata()
        assert times[0] <= first + 0.081
        assert times[-1] >= min(last, frames / 25) - 0.041 - (last - first) / 200
        assert axis.get_ylim() == figure.axes[0].get_ylim()


def test_marks_too_many_to_tell_apart_are_left_out_with_a_word():
    marks = [Mark("x", 0.01 * k, 0.01 * (k + 1)) for k in range(300)]
    figure = curves_figure([], samples=np.ones(3 * RATE, np.int16), rate=RATE, marks=marks, title="a")
    assert "Too long to show the 300 marks." in [text.get_text() for text in figure.texts]
    assert not figure.axes[0].texts


def test_a_rejected_clip_is_drawn_without_truth_and_says_why(clip, tmp_path):
    with h5py.File(clip["landmarks"], "a") as file:
        file["a"]["faces"][:] = 2
    draw_curves(tmp_path / "out.svg", **clip)
    tree, texts = read(tmp_path / "out.svg")
    assert "truth" not in texts
    assert {"talkface", "cnn", "ʃ"} <= set(texts)
    assert "No truth: the clip is rejected (" in " ".join(texts)
    assert "faces" in " ".join(texts)
    assert max(len(path.get("d")) for path in strokes_of(tree, clip["colours"]["cnn"])) > 500


def test_a_speech_file_has_predictions_alone(clip, tmp_path):
    for name in ("shapes", "landmarks", "sound", "marks"):
        clip[name] = None
    draw_curves(tmp_path / "out.svg", **clip)
    _, texts = read(tmp_path / "out.svg")
    assert "A speech file: there is no truth to compare with." in texts
    assert {"talkface", "cnn"} <= set(texts)
    assert "truth" not in texts


def test_a_stretch_moves_the_marks(clip, tmp_path):
    draw_curves(tmp_path / "out.svg", start_s=1.0, end_s=1.5, **clip)
    _, texts = read(tmp_path / "out.svg")
    assert "a & $b$" in texts
    assert not {"ʃ", "<eps>"} & set(texts)


def test_models_that_share_a_colour_differ_in_stroke(clip, tmp_path):
    many = [f"model{k}" for k in range(8)]
    clip["predictions"] = dict.fromkeys(many, clip["predictions"]["cnn"])
    clip["colours"] = colour_of(many)
    draw_curves(tmp_path / "out.svg", **clip)
    tree, _ = read(tmp_path / "out.svg")
    assert clip["colours"]["model0"] == clip["colours"]["model7"]
    dashes = {"stroke-dasharray" in path.get("style") for path in strokes_of(tree, clip["colours"]["model0"])}
    assert dashes == {True, False}


def test_the_same_clip_gives_the_same_file(clip, tmp_path):
    for name in ("one.svg", "two.svg"):
        draw_curves(tmp_path / name, **clip)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_faults_are_one_line(clip, tmp_path):
    for name, data, found in (
        ("audio", b"none", "not a wav file"),
        ("marks", b"none", "no HDF5 with phonemes/name"),
    ):
        path = tmp_path / f"bad.{'wav' if name == 'audio' else 'h5'}"
        path.write_bytes(data)
        with pytest.raises(TalkfaceError, match=found) as error:
            draw_curves(tmp_path / "out.svg", **{**clip, name: path})
        assert "\n" not in str(error.value)
    soundfile.write(tmp_path / "empty.wav", np.zeros(0, np.int16), RATE)
    with pytest.raises(TalkfaceError, match="no samples"):
        draw_curves(tmp_path / "out.svg", **{**clip, "audio": tmp_path / "empty.wav"})
    np.save(clip["predictions"]["cnn"], np.zeros((3, 4)))
    with pytest.raises(TalkfaceError, match=r"cnn\.npy: an array \(3, 4\)"):
        draw_curves(tmp_path / "out.svg", **clip)
    assert not (tmp_path / "out.svg").exists()
