"""Plots of landmarks: where the face stands, what is shown of it, and what cannot be shown."""

import cv2
import h5py
import numpy as np
import pytest
import soundfile

from talkface.drawing.canvas import to_bgr
from talkface.drawing.style import BLUE, GROUND, INK
from talkface.errors import TalkfaceError
from talkface.face import identity, points
from talkface.face.template import load_template
from talkface.films import plots
from talkface.media.video import probe, read_frames

FRAMES, SIZE = 25, 400
OPTIONS = {"clip": "clip", "method": "fixed", "smooth_frames": 0}


def near(picture, place, colour, *, reach=3, least=60):
    """Whether some pixel around a place has a colour, to within `least` of 255."""
    x, y = np.rint(place).astype(int)
    part = picture[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1]
    return np.abs(part.astype(float) - to_bgr(colour)).max(axis=-1).min() < least


@pytest.fixture
def faces():
    """A face that opens its mouth, template frame, (T, 68, 2)."""
    faces = np.repeat(load_template()[None], FRAMES, axis=0)
    opened = [*range(55, 60), 65, 66, 67, *range(5, 12)]
    faces[:, opened, 1] += (0.15 * np.sin(np.linspace(0, np.pi, FRAMES)))[:, None]
    return faces


@pytest.fixture
def pixels(faces):
    """The same, moving over a picture, as in a video."""
    return faces * 60 + np.stack([np.linspace(150, 210, FRAMES), np.linspace(100, 90, FRAMES)], axis=-1)[:, None]


@pytest.fixture
def stages(tmp_path, faces, pixels):
    """Files of landmarks, shapes and sound of one clip, and a rejected one."""
    with h5py.File(tmp_path / "landmarks.h5", "w") as file:
        for clip, reason in (("clip", ""), ("dark", "no face in 20 of 25 frames")):
            group = file.create_group(clip)
            group.attrs.update(rejected=reason, width=360, height=288)
            group["landmarks"] = pixels.astype(np.float32)
            group["detected"], group["box"] = np.ones(FRAMES, bool), np.zeros((FRAMES, 4), np.float32)
    with h5py.File(tmp_path / "shapes.h5", "w") as file:
        file.create_group("clip").attrs.update(rejected="")
        file["clip"]["shape"] = faces.astype(np.float32)
        file.create_group("dark").attrs.update(rejected="no face in 20 of 25 frames")
    soundfile.write(tmp_path / "clip.wav", np.zeros(44_100, np.float32), 44_100)
    return tmp_path


def plotter(faces, *, template=None, **look):
    look = plots.PlotStyle(size=SIZE, **look)
    return plots.Plotter(faces, look=look, title="clip", subtitle="subtitle", unit="unit", template=template)


def place(faces, *, template=None, **look):
    return plots.choose_frame(faces, look=plots.PlotStyle(size=SIZE, **look), template=template).place(faces)


def test_the_face_stands_where_its_landmarks_are_in_every_frame(pixels):
    painter, places = plotter(pixels), place(pixels)
    assert places.min() >= 0
    assert places.max() < SIZE
    spread = places.max(axis=(0, 1)) - places.min(axis=(0, 1))
    assert spread.max() > 0.8 * SIZE  # the whole clip fills the picture
    ratio = (places[3, 45] - places[3, 36])[0] / (pixels[3, 45] - pixels[3, 36])[0]
    np.testing.assert_allclose(np.diff(places[:, 8], axis=0), ratio * np.diff(pixels[:, 8], axis=0), atol=1e-6)
    for frame in (0, 12, 24, 5):
        painter.paint(frame)
        assert all(near(painter.picture, places[frame, index], INK) for index in range(68))
    # what an earlier frame painted is gone
    left = places[24, 0] + [0.02 * SIZE, 0]
    painter.paint(24)
    assert near(painter.picture, places[24, 0], INK)
    painter.paint(0)
    assert not near(painter.picture, left, INK, reach=1)


def test_what_changed_is_told(pixels):
    painter = plotter(pixels)
    before = painter.picture.copy()
    for frame in (0, 10, 11):
        windows = painter.paint(frame)
        kept = before.copy()
        for window in windows:
            kept[window] = painter.picture[window]
        np.testing.assert_array_equal(kept, painter.picture)
        before = painter.picture.copy()


def test_line_and_scatter(faces):
    places = place(faces)[0]
    between = (places[2] + places[3]) / 2
    line, scatter = plotter(faces), plotter(faces, kind="scatter", colour=BLUE)
    line.paint(0)
    scatter.paint(0)
    assert near(line.picture, between, INK)
    assert near(scatter.picture, places[2], BLUE)
    assert not near(scatter.picture, between, BLUE)


def test_mouth_only_fills_the_picture(faces):
    painter, places = plotter(faces, mouth_only=True), place(faces, mouth_only=True)
    painter.paint(0)
    lips = places[:, list(points.LIPS)]
    assert np.ptp(lips[..., 0]) > 0.8 * SIZE
    assert all(near(painter.picture, places[0, index], INK) for index in points.LIPS)
    dark = np.argwhere(painter.picture[60:].max(axis=-1) < 100)[:, ::-1] + [0, 60]
    assert dark.min(axis=0) == pytest.approx(lips[0].min(axis=0), abs=5)
    assert dark.max(axis=0) == pytest.approx(lips[0].max(axis=0), abs=5)


def test_one_scale_for_all_that_lies_in_the_template_frame(faces):
    template = load_template()
    still = np.repeat(template[None], 3, axis=0)
    np.testing.assert_allclose(place(faces, template=template)[0], place(still, template=template)[0])
    far = still.copy()
    far[1, 8, 1] += 2.0
    assert place(far, template=template).max() < SIZE


def test_numbers(faces):
    places = place(faces)[0]
    x, y = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    away = np.hypot(x - places[:, 0, None, None], y - places[:, 1, None, None]).min(axis=0) > 5  # from every point
    away[:60] = False  # the title
    ink = []
    for numbers in (True, False):
        painter = plotter(faces, kind="scatter", numbers=numbers)
        painter.paint(0)
        ink.append((away & (painter.picture.max(axis=-1) < 90)).sum())
    assert ink[1] == 0
    assert ink[0] > 68 * 5


def test_a_frame_without_a_face_says_so(faces):
    faces[4] = np.nan
    painter = plotter(faces)
    painter.paint(3)
    painter.paint(4)
    empty = painter.picture
    middle = empty[round(0.48 * SIZE) : round(0.58 * SIZE), SIZE // 3 : 2 * SIZE // 3]
    assert middle.min() < 140  # words
    places = place(faces)[3]
    assert not any(near(empty, places[index], INK, reach=1) for index in (2, 8, 14, 19))
    painter.paint(5)
    assert near(painter.picture, places[8], INK, reach=12)
    with pytest.raises(TalkfaceError, match="no frame shows a face"):
        plotter(np.full((3, 68, 2), np.nan))


def test_grid_lines_stand_at_round_numbers():
    np.testing.assert_allclose(plots.steps_of(-0.93, 1.1), [-0.5, 0, 0.5, 1])
    np.testing.assert_allclose(plots.steps_of(103, 310), [150, 200, 250, 300])


def test_aligned_by_each_method(pixels, faces):
    fixed = plots.align_faces(pixels, method="fixed", smooth_frames=0)
    np.testing.assert_allclose(fixed, faces, atol=1e-9)
    published = plots.align_faces(pixels, method="published", smooth_frames=9)
    np.testing.assert_allclose(points.outer_eye_distance(published), 1, atol=0.08)
    template = load_template()
    shape, [closed] = identity.neutral_shapes(
        [pixels], template=template, method="published", threshold=1.3, reference_frames=1
    )
    np.testing.assert_allclose(published - published[closed] + template, shape, atol=1e-5)


def test_the_film_and_the_picture_of_a_frame_show_the_same(stages, faces):
    film, picture = stages / "film.mp4", stages / "7.png"
    look = {"size": SIZE, "kind": "scatter"}
    options = {**OPTIONS, "shape": "identity_free", "look": look}
    plots.draw_plot(stages / "shapes.h5", stages / "clip.wav", film, **options)
    media = probe(film)
    assert (media.width, media.height, media.fps, media.has_audio) == (SIZE, SIZE, 25, True)
    assert media.duration_s == pytest.approx(1.0, abs=0.02)
    frames = list(read_frames(media, pixels="bgr24"))
    assert len(frames) == 25
    plots.draw_plot_frame(stages / "shapes.h5", picture, frame=7, **options)
    still = cv2.imread(str(picture)).astype(float)
    errors = [np.abs(frame - still).mean() for frame in frames]
    assert np.argmin(errors) == 7
    assert errors[7] < 3
    assert errors[8] > errors[7]


def test_a_last_face_is_held_and_frames_go_on_counting(stages, faces):
    np.save(stages / "short.npy", faces[:20].astype(np.float32))
    film = stages / "film.mp4"
    plots.draw_plot(
        stages / "short.npy", stages / "clip.wav", film, model="cnn", shape="raw", look={"size": SIZE}, **OPTIONS
    )
    frames = [frame.astype(float) for frame in read_frames(probe(film), pixels="bgr24")]
    change = np.abs(frames[24] - frames[21]).max(axis=-1)
    head = round(0.075 * SIZE)
    assert change[head + 2 :].max() < 40
    assert change[:head, SIZE // 2 :].max() > 100


def test_a_prediction_has_the_template_frame_and_its_first_two_coordinates(stages, faces):
    deep = np.concatenate([faces, np.full((FRAMES, 68, 1), 7.0)], axis=-1).astype(np.float32)
    np.save(stages / "deep.npy", deep)
    np.save(stages / "flat.npy", faces.astype(np.float32))
    pictures = []
    for name in ("deep", "flat"):
        output = stages / f"{name}.png"
        options = {**OPTIONS, "shape": "raw", "look": {"size": SIZE, "colour": BLUE}}
        plots.draw_plot_frame(stages / f"{name}.npy", output, frame=3, model="cnn", **options)
        pictures.append(cv2.imread(str(output)))
    np.testing.assert_array_equal(*pictures)
    places = place(faces, template=load_template())[3]
    assert all(near(pictures[0], places[index], BLUE) for index in range(68))


@pytest.mark.parametrize(
    ("shape", "source"), [("raw", "landmarks"), ("aligned", "landmarks"), ("identity_free", "shapes")]
)
def test_each_shape_is_read_from_its_file(stages, faces, pixels, shape, source):
    found = plots.read_faces(stages / f"{source}.h5", shape=shape, **OPTIONS)
    np.testing.assert_allclose(found, pixels if shape == "raw" else faces, atol=2e-3)
    with pytest.raises(TalkfaceError, match=r"dark: rejected \(no face in 20 of 25 frames\)"):
        plots.read_faces(stages / f"{source}.h5", shape=shape, **{**OPTIONS, "clip": "dark"})


def test_a_frame_beyond_the_end_is_refused(stages):
    with pytest.raises(TalkfaceError, match="clip: no frame 25; 0 to 24 were expected"):
        plots.draw_plot_frame(
            stages / "shapes.h5", stages / "25.png", frame=25, shape="identity_free", look={}, **OPTIONS
        )
    assert not (stages / "25.png").exists()


def test_colours_are_blended():
    assert plots.blend_hex(INK, GROUND, 0) == INK
    assert plots.blend_hex("#000000", "#ffffff", 0.5) == "#808080"
