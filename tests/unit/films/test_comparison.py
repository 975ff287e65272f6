"""Films of source, landmarks and predictions: every panel shows the same instant, is named, and stands in its place."""

import av
import h5py
import numpy as np
import pytest
import soundfile

from talkface.drawing.canvas import to_bgr
from talkface.drawing.lettering import clock, measure, write
from talkface.drawing.style import BLUE, GROUND, INK, SOFT, VERMILION
from talkface.errors import TalkfaceError
from talkface.face import points
from talkface.face.template import load_template
from talkface.films.comparison import Layout, arrange, draw_comparison
from talkface.films.panels import BROWS, FOREHEAD, letters, place_faces, write_head, write_words
from talkface.media.encoding import encode
from talkface.media.video import probe, read_frames

FRAMES = 40
SIZE = 240  # of the source
RATE = 44_100


def opened(amounts):
    """Template faces (T, 68, 2) whose lower lip has fallen by amounts (T,)."""
    shapes = np.repeat(load_template()[None], len(amounts), axis=0)
    for index in (65, 66, 67, 55, 56, 57, 58, 59):
        shapes[:, index, 1] += amounts
    return shapes


def amount_of(frame):
    """How far the mouth of a frame is open: no two neighbours alike, and the last not like the first."""
    return 0.05 + 0.20 * ((7 * np.asarray(frame)) % FRAMES) / FRAMES


def level_of(frame):
    """How bright the source of a frame is."""
    return 40 + 4 * ((7 * np.asarray(frame)) % FRAMES)


def write_landmarks(path, clip, *, frames, rejected="", size=SIZE):
    """results/landmarks/{shard}.h5 of one clip: a face in the middle of the picture; none in a rejected one."""
    with h5py.File(path, "w") as file:
        group = file.create_group(clip)
        group.attrs.update(width=size, height=size, rejected=rejected, duration_s=frames / 25)
        if frames:
            face = load_template() * 60 + [size / 2, 90] + (np.nan if rejected else 0)
            group["landmarks"] = np.repeat(face[None], frames, axis=0)
            group["detected"] = np.full(frames, not rejected)
            group["box"] = np.tile([*face.min(axis=0), *face.max(axis=0)], (frames, 1))
            group["faces"] = np.ones(frames, np.int16)


def write_shapes(path, clip, shapes, *, rejected=""):
    """results/shapes/{speaker}.h5 of one clip."""
    with h5py.File(path, "w") as file:
        group = file.create_group(clip)
        group.attrs["rejected"] = rejected
        if not rejected:
            group["shape"] = shapes.astype(np.float32)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A clip whose brightness, landmarks and predictions all say which frame it is; a click at 1 s."""
    folder = tmp_path_factory.mktemp("clip")
    pictures = (np.full((SIZE, SIZE, 3), level_of(frame), np.uint8) for frame in range(FRAMES))
    encode(pictures, folder / "clip.mp4", size=(SIZE, SIZE))
    sound = np.zeros(RATE * FRAMES // 25)
    sound[RATE : RATE + 400] = 0.8
    soundfile.write(folder / "clip.wav", sound, RATE)
    truth = opened(amount_of(np.arange(FRAMES)))
    write_landmarks(folder / "landmarks.h5", "a", frames=FRAMES)
    write_shapes(folder / "shapes.h5", "a", truth)
    np.save(folder / "one.npy", truth.astype(np.float32))
    np.save(folder / "two.npy", np.concatenate([truth, truth[..., :1]], axis=-1).astype(np.float32)[:-1])
    return folder


def draw(folder, output, *, names=("one", "two"), video=True, **options):
    """A film of the fixture's clip."""
    files = {"video": "clip.mp4", "landmarks": "landmarks.h5", "shapes": "shapes.h5"} if video else {}
    options = {"panel": 200, "models": ("one", "two")} | {key: folder / name for key, name in files.items()} | options
    predictions = {name: folder / f"{name}.npy" for name in names}
    draw_comparison(predictions, folder / "clip.wav", output, clip="a", **options)
    return np.array(list(read_frames(probe(output), pixels="bgr24")), np.int16)


def near(pictures, colour, within=70):
    """Which pixels (..., H, W) have nearly a colour."""
    return np.abs(pictures - to_bgr(colour)).sum(axis=-1) < within


def mouths(pictures, plan, index, *, top):
    """How open the mouth of each frame (T,) is in a panel, units: the lowest line of the mouth below the nose."""
    left, high, side, _ = plan.square_of(index)
    view = np.zeros((side, side, 3))
    face = place_faces(load_template(), view, top=top)
    unit = points.outer_eye_distance(face)
    x = slice(left + round(face[66, 0]) - 2, left + round(face[66, 0]) + 3)
    first, last = high + round(face[57, 1] - 0.03 * unit), high + round(face[8, 1] - 0.12 * unit)
    column = (pictures[:, first:last, x].max(axis=3) < 190).any(axis=2)  # (T, rows); skin and ground are brighter
    assert column.any(axis=1).all()
    return (first + column.shape[1] - 1 - column[:, ::-1].argmax(axis=1) - high - face[57, 1]) / unit


def check_step(seen, expected, *, atol):
    """What was seen in each frame (T,) and what each stands for differ by a constant (of encoding) at most."""
    seen, expected = np.asarray(seen, float), np.asarray(expected, float)
    np.testing.assert_allclose(seen - seen.mean(), expected - expected.mean(), atol=atol)


@pytest.mark.parametrize("layout", ["row", "column"])
def test_panels_show_the_same_instant(clip, tmp_path, layout):
    pictures = draw(clip, tmp_path / "film.mp4", names=["one"], layout=layout, style="line", panel=300)
    plan = Layout(3, layout=layout, panel=300)
    assert pictures.shape == (FRAMES, *((300, 900, 3) if layout == "row" else (900, 300, 3)))
    left, top, side, _ = plan.square_of(0)
    source = pictures[:, top + 20 : top + side - 20, left + 20 : left + side - 20].mean(axis=(1, 2, 3))
    check_step(source, level_of(np.arange(FRAMES)), atol=1.5)
    for index in (1, 2):
        seen = mouths(pictures, plan, index, top=BROWS)
        check_step(seen, amount_of(np.arange(FRAMES)), atol=0.02)


def test_painted_faces_and_true_lips_keep_step(clip, tmp_path):
    pictures = draw(clip, tmp_path / "film.mp4", names=["one"], panel=300)
    plan = Layout(3, layout="row", panel=300)
    for index in (1, 2):
        seen = mouths(pictures, plan, index, top=FOREHEAD)
        check_step(seen, amount_of(np.arange(FRAMES)), atol=0.02)


def heads(pictures, plan, index):
    """The strip above a panel, (T, rows, columns, 3)."""
    left, top, width, height = plan.head_of(index)
    return pictures[:, top : top + height, left : left + width]


def test_panels_are_named_in_their_colours(clip, tmp_path):
    pictures = draw(clip, tmp_path / "film.mp4")
    assert pictures.shape == (FRAMES, 400, 400, 3)
    plan = Layout(4, layout="row", panel=200)
    for index, colour in enumerate((INK, INK, BLUE, VERMILION)):
        name = heads(pictures, plan, index)[:, :, :60]
        assert near(name, colour).any(axis=(1, 2)).all()
        others = {INK, BLUE, VERMILION} - {colour}
        assert not any(near(name, other).any() for other in others)
    notes = [near(heads(pictures, plan, index)[:, :, 100:], SOFT, within=100).any() for index in (2, 3)]
    assert notes == [True, True]  # whose line it is that lies on the predictions
    for index in range(1, 4):  # what stands still stands still
        strip = heads(pictures, plan, index)
        assert np.abs(strip - strip[0]).mean() < 0.5


def test_a_long_name_takes_the_room_of_the_note():
    strip, name = np.full((20, 200, 3), 255, np.uint8), "external-a_model_with_a_rather_long_name"
    write_head(strip, "cnn", colour=BLUE, size=12, note="line: true lips")
    assert near(strip.astype(int), SOFT, within=100).any()
    strip[:] = 255
    write_head(strip, name, colour=BLUE, size=12, note="line: true lips")
    assert not near(strip.astype(int), SOFT, within=60).any()
    columns = np.flatnonzero((strip < 200).any(axis=(0, 2)))
    assert columns.max() < 200 - 10 + 2


def test_the_number_and_the_time_are_those_of_the_frame(clip, tmp_path):
    pictures = draw(clip, tmp_path / "film.mp4", names=["one"], panel=300)
    plan = Layout(3, layout="row", panel=300)
    size = round(0.85 * plan.letters)
    strip = heads(pictures, plan, 0).min(axis=3)  # (T, rows, columns)
    dark = (strip < 140).any(axis=(0, 1))
    begins = len(dark) // 3 + dark[len(dark) // 3 :].argmax()  # behind the name
    expected = np.full((FRAMES, plan.head, 300 - begins + 4, 3), 245, np.uint8)
    for frame, picture in enumerate(expected):
        place = (4, plan.head / 2 + 0.36 * size)
        write(picture, clock(frame, fps=25), place, size=size, colour=INK)
    for frame in (0, 9, 10, 25, FRAMES - 1):
        seen = strip[frame][:, begins - 4 :]
        apart = np.abs(seen - expected.min(axis=3)).mean(axis=(1, 2))
        assert apart.argmin() == frame


def test_the_sound_is_the_clips(clip, tmp_path):
    draw(clip, tmp_path / "film.mp4")
    media = probe(tmp_path / "film.mp4")
    assert media.fps == 25
    assert media.duration_s == pytest.approx(FRAMES / 25, abs=0.04)
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]
    with av.open(str(tmp_path / "film.mp4")) as container:
        assert len(container.streams.audio) == 1
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
        rate = container.streams.audio[0].rate
    assert np.flatnonzero(np.abs(sound) > 0.2)[0] / rate == pytest.approx(1.0, abs=0.02)


def test_a_stretch_of_the_video(clip, tmp_path):
    soundfile.write(tmp_path / "part.wav", np.zeros(RATE * 10 // 25), RATE)
    write_landmarks(tmp_path / "landmarks.h5", "a", frames=10)
    write_shapes(tmp_path / "shapes.h5", "a", opened(amount_of(np.arange(10))))
    draw_comparison(
        {}, tmp_path / "part.wav", tmp_path / "film.mp4", clip="a", video=clip / "clip.mp4", panel=200,
        landmarks=tmp_path / "landmarks.h5", shapes=tmp_path / "shapes.h5", start_s=12 / 25, end_s=22 / 25,
    )  # fmt: skip
    pictures = np.array(list(read_frames(probe(tmp_path / "film.mp4"))), float)
    assert pictures.shape == (10, 200, 400)
    seen = pictures[:, 100:180, 60:140].mean(axis=(1, 2))
    np.testing.assert_allclose(seen, level_of(np.arange(12, 22)), atol=7)  # other stretches differ by 16 at least


def test_a_speech_file_shows_predictions_alone(clip, tmp_path):
    pictures = draw(clip, tmp_path / "film.mp4", video=False)
    assert pictures.shape == (FRAMES, 200, 400, 3)
    plan = Layout(2, layout="row", panel=200)
    for index, colour in enumerate((BLUE, VERMILION)):
        assert near(heads(pictures, plan, index)[:, :, :60], colour).any()
        skin = near(pictures[:, 60:180, index * 200 + 40 : index * 200 + 160], "#d99f78")
        assert skin.mean(axis=(1, 2)).min() > 0.3
    assert not near(heads(pictures, plan, 1)[:, :, 100:], SOFT, within=100).any()  # no true lips


def test_a_rejected_clip_says_why(clip, tmp_path):
    reason = "data/a.mp4: no face in any of 40 frames"
    write_shapes(tmp_path / "shapes.h5", "a", None, rejected=reason)
    files = {"landmarks": tmp_path / "landmarks.h5", "shapes": tmp_path / "shapes.h5"}
    for name, frames in (("torn", 0), ("there", FRAMES)):  # a torn video has a size and no landmarks
        write_landmarks(files["landmarks"], "a", frames=frames, rejected=reason)
        pictures = draw(clip, tmp_path / f"{name}.mp4", names=["two"], panel=300, **files)
        plan = Layout(3, layout="row", panel=300)
        left, top, side, _ = plan.square_of(1)
        said = np.full((side, side, 3), to_bgr(GROUND), np.uint8)
        write_words(said, "rejected: no face in any of 40 frames", size=plan.letters)
        seen = pictures[:, top : top + side, left : left + side]
        assert np.abs(seen - said).mean() < 3
        assert near(seen, SOFT).any()
        left, top, side, _ = plan.square_of(0)
        source = pictures[:, top : top + side, left : left + side].mean(axis=(1, 2, 3))
        assert np.ptp(source) > 100 if frames else np.ptp(source) < 2
        assert near(heads(pictures, plan, 2)[:, :, :60], VERMILION).any()  # its colour is that of its place
        assert not near(heads(pictures, plan, 2)[:, :, 160:], SOFT, within=100).any()


def test_what_quality_control_rejects_says_why(clip, tmp_path):
    """By a limit, not by landmarking: landmarks are there, yet they are no truth."""
    with h5py.File(tmp_path / "audio.h5", "w") as file:
        file["a"] = np.full(RATE * FRAMES // 25, 3_000, np.int16)
        file["a"].attrs.update(rate=RATE, rejected="")
    limits = {
        "min_detected_share": 0.5, "min_face_px": 40, "max_faces": 1, "max_jitter_percent": 5.0, "min_duration_s": 0.4,
        "min_audio_dbfs": -60.0, "silence_dbfs": -50.0, "max_silence_share": 0.95,
    }  # fmt: skip
    plan = Layout(3, layout="row", panel=300)
    left, top, side, _ = plan.square_of(1)
    panels = {}
    for least in (0.4, 30.0):
        pictures = draw(
            clip, tmp_path / f"{least}.mp4", names=["one"], panel=300, style="line", sound=tmp_path / "audio.h5",
            qc=limits | {"min_duration_s": least},
        )  # fmt: skip
        panels[least] = pictures[:, top : top + side, left : left + side]
    assert near(panels[0.4], INK).mean() > 0.01
    assert not near(panels[30.0], INK).any()
    assert near(panels[30.0], SOFT).any()


def test_what_is_too_short_is_held(clip, tmp_path):
    np.save(tmp_path / "short.npy", opened(amount_of(np.arange(10))))
    draw_comparison({"short": tmp_path / "short.npy"}, clip / "clip.wav", tmp_path / "film.mp4", clip="a", panel=200)
    pictures = np.array(list(read_frames(probe(tmp_path / "film.mp4"))), float)[:, 40:]
    assert len(pictures) == FRAMES
    changes = np.abs(np.diff(pictures, axis=0)).mean(axis=(1, 2))
    assert changes[:9].min() > 5 * changes[15:].max()


def test_a_wrong_face_leaves_nothing_behind(clip, tmp_path):
    """True lips outside of a predicted face are seen and wiped away; a face beyond its panel spares the others."""
    truth = opened(np.full(FRAMES, 0.1)) + np.where(np.arange(FRAMES) % 2, 0.3, -0.3)[:, None, None] * [1, 0]
    write_shapes(tmp_path / "shapes.h5", "a", truth)
    np.save(tmp_path / "wrong.npy", opened(np.zeros(FRAMES)) * 0.3 + [3.0, -1.5])
    draw_comparison(
        {"wrong": tmp_path / "wrong.npy", "two": clip / "two.npy"}, clip / "clip.wav", tmp_path / "film.mp4", clip="a",
        video=clip / "clip.mp4", landmarks=clip / "landmarks.h5", shapes=tmp_path / "shapes.h5", panel=200,
    )  # fmt: skip
    pictures = np.array(list(read_frames(probe(tmp_path / "film.mp4"), pixels="bgr24")), np.int16)
    plan = Layout(4, layout="row", panel=200)
    left, top, side, _ = plan.square_of(2)
    dark = pictures[:, top : top + side, left : left + side].max(axis=3) < 170
    places = place_faces(truth[:, list(points.LIPS)], np.zeros((side, side, 3)))[..., 0]
    for frame in range(FRAMES):
        columns = np.flatnonzero(dark[frame].any(axis=0))
        assert columns.min() == pytest.approx(places[frame].min(), abs=4)
        assert columns.max() == pytest.approx(places[frame].max(), abs=4)
    left, top, side, _ = plan.square_of(3)
    neighbour = near(pictures[:, top : top + side, left : left + side], "#d99f78").mean(axis=(1, 2))
    assert neighbour.min() > 0.3
    assert np.ptp(neighbour) < 0.05


@pytest.mark.parametrize(
    ("count", "shape"), [(1, (1, 1)), (2, (1, 2)), (3, (1, 3)), (4, (2, 2)), (5, (2, 3)), (7, (3, 3)), (14, (4, 4))]
)
def test_many_panels_make_a_square(count, shape):
    for layout, expected in (("row", shape), ("column", shape[::-1])):
        places = arrange(count, layout=layout)
        assert len(set(places)) == count
        assert tuple(1 + max(numbers) for numbers in zip(*places, strict=True)) == expected
        size = Layout(count, layout=layout, panel=100).size
        assert size == (100 * expected[1], 100 * expected[0])


def test_letters_can_be_read_on_a_phone():
    for count in (1, 3, 9):
        plan = Layout(count, layout="row", panel=500)
        assert plan.letters * min(1, 390 / plan.size[0]) > 8.9
    assert letters(100, width=300) == 9
    for panel in (64, 130, 498):
        plan = Layout(3, layout="row", panel=panel)
        assert all(number % 2 == 0 for index in range(3) for number in plan.square_of(index))
        assert plan.square_of(2)[0] + plan.side <= plan.size[0]


def test_the_smallest_panels(clip, tmp_path):
    assert draw(clip, tmp_path / "three.mp4", names=["one"], panel=64).shape == (FRAMES, 64, 192, 3)
    assert draw(clip, tmp_path / "one.mp4", names=["one"], video=False, panel=64).shape == (FRAMES, 64, 64, 3)


def test_words_fit_their_panel():
    for size in (80, 400):
        view = np.full((size, size, 3), 255, np.uint8)
        write_words(view, "rejected: no face in frames 0 to 10 (landmarks.max_gap_frames); " * 2, size=30)
        inked = (view < 200).any(axis=2)
        assert inked.any()
        if size == 400:
            assert not inked[:, [0, 1, -2, -1]].any()
            assert not inked[[0, 1, -2, -1]].any()
            assert measure("m", size=30) > 20


def test_bad_requests(clip, tmp_path):
    with pytest.raises(TalkfaceError, match="a: neither a video nor a prediction"):
        draw(clip, tmp_path / "film.mp4", names=[], video=False)
    with pytest.raises(ValueError, match="style 'shaded'"):
        draw(clip, tmp_path / "film.mp4", style="shaded")
    with pytest.raises(ValueError, match="layout 'ring'"):
        draw(clip, tmp_path / "film.mp4", layout="ring")
    np.save(tmp_path / "one.npy", np.full((5, 68, 2), np.nan))
    with pytest.raises(TalkfaceError, match="5 of 5 frames hold NaN"):
        draw_comparison({"one": tmp_path / "one.npy"}, clip / "clip.wav", tmp_path / "film.mp4", clip="a")
    assert [path.name for path in tmp_path.iterdir()] == ["one.npy"]
