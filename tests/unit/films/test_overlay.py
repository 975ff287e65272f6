"""Films and pictures of landmarks on their video: what stands where, in which colour, and when."""

import av
import cv2
import ffmpeg
import h5py
import numpy as np
import pytest

from talkface.drawing.canvas import to_bgr
from talkface.drawing.style import BLUE, INK, MARK, SKY
from talkface.errors import TalkfaceError
from talkface.face.template import load_template
from talkface.films import overlay
from talkface.films.overlay import draw_overlay, draw_overlay_frame, film_size, read_layer
from talkface.films.source import crop_source
from talkface.media.audio import extract_audio
from talkface.media.crop import face_crop
from talkface.media.video import probe, read_frames
from tests.unit.media.test_video import check_step, encode, flash_and_click

FRAMES, FILLED = 20, (4, 5)
FACE = load_template() * 60 + [160, 90]
BOX = (110, 60, 215, 165)
QC = {
    "min_detected_share": 0.5, "min_face_px": 40, "max_faces": 1, "max_jitter_percent": 5.0, "min_duration_s": 0.4,
    "min_audio_dbfs": -60.0, "silence_dbfs": -50.0, "max_silence_share": 0.95, "max_offset_ms": None,
}  # fmt: skip
WIDTH, HEIGHT = 720, 540  # of the picture in the film
SCALE = WIDTH / 320


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """A grey video of 320x240 at 30 frames a second that turns lighter after 0.4 s, with a tone."""
    picture = ffmpeg.input("color=c=0x808080:s=320x240:r=30:d=0.8", f="lavfi")
    picture = picture.filter("drawbox", color="0xb0b0b0", t="fill", enable="gte(t,0.399)")
    tone = ffmpeg.input("sine=d=0.8", f="lavfi")
    return encode(picture, tone, path=tmp_path_factory.mktemp("video") / "grey.mp4", pix_fmt="yuv420p", crf=12)


@pytest.fixture
def clip(tmp_path, video):
    """Write what the stages leave behind; give the arguments of `draw_overlay`."""

    def write(*, rejected="", samples=35_280, landmarks=FACE, model=None, step=(0, 0), **others):
        course = np.arange(FRAMES)[:, None, None] * np.float32(step)  # of a head that moves so many pixels a frame
        known = np.repeat(np.asarray(landmarks, np.float32)[None], FRAMES, axis=0) + course
        box = np.tile(np.float32(BOX if np.isfinite(landmarks).all() else 4 * [np.nan]), (FRAMES, 1))
        box += np.tile(course[:, 0], 2)
        detected = ~np.isin(np.arange(FRAMES), FILLED)
        with h5py.File(tmp_path / "landmarks.h5", "w") as file:
            group = file.create_group("grey")
            group["landmarks"], group["detected"], group["box"] = known, detected & np.isfinite(box).all(axis=1), box
            group["faces"] = np.ones(FRAMES, np.int16)
            group.attrs.update(width=320, height=240, rejected=rejected, duration_s=FRAMES / 25, source_fps=30)
        with h5py.File(tmp_path / "audio.h5", "w") as file:
            file["grey"] = (8_000 * np.sin(np.arange(samples) / 10)).astype(np.int16)
            file["grey"].attrs.update(rate=44_100, rejected="")
        arguments = {
            "video": video, "landmarks": tmp_path / "landmarks.h5", "audio": tmp_path / "audio.h5", "clip": "grey",
            "start_s": None, "end_s": None, "boxes": True, "numbers": False, "qc": QC,
        }  # fmt: skip
        if model is not None:
            with h5py.File(tmp_path / "shapes.h5", "w") as file:
                file.create_group("grey").attrs.update(rejected=rejected)
                if not rejected:
                    file["grey/shape"] = np.repeat(load_template()[None], FRAMES, axis=0)
            prediction = np.repeat(load_template()[None], FRAMES - 1, axis=0)
            prediction[:, 48:] += [0, 0.4]  # the lips far below
            np.save(tmp_path / "prediction.npy", prediction.astype(np.float32))
            arguments |= {"shapes": tmp_path / "shapes.h5", "predictions": tmp_path / "prediction.npy"}
            arguments |= {"model": model, "colour": BLUE}
        return arguments | others

    return write


def film(arguments, path):
    draw_overlay(output=path, **arguments)
    return list(read_frames(probe(path), pixels="bgr24"))


def picture(arguments, frame, path):
    draw_overlay_frame(output=path, frame=frame, **arguments)
    return cv2.imread(str(path))


def in_film(points):
    return (np.asarray(points, float) + 0.5) * SCALE - 0.5


def share(part, colour, *, tolerance=45):
    """How much of a part of a picture has a colour."""
    return float((np.abs(part.astype(int) - to_bgr(colour)).max(axis=-1) < tolerance).mean())


def around(image, points, reach=3):
    """Small squares about points, (N, 2 reach + 1, 2 reach + 1, 3)."""
    return np.stack([
        image[y - reach : y + reach + 1, x - reach : x + reach + 1] for x, y in np.rint(in_film(points)).astype(int)
    ])  # fmt: skip


def middles(points, indices):
    return (points[indices[:-1]] + points[indices[1:]]) / 2


def test_film_of_a_clip(clip, tmp_path):
    path = tmp_path / "overlay" / "grey.mp4"
    frames = film(clip(), path)
    media = probe(path)
    assert (media.width, media.fps, media.has_audio) == (WIDTH, 25, True)
    assert HEIGHT + 40 < media.height < HEIGHT + 90
    assert len(frames) == FRAMES
    jaw = middles(FACE, list(range(17)))
    for number, frame in enumerate(frames):
        filled = number in FILLED
        found = around(frame, jaw)
        assert (share(found, INK) > 0.1) != filled
        assert (share(found, MARK) > 0.1) == filled
        left, top, _, bottom = np.rint(in_film(np.reshape(BOX, (2, 2)))).astype(int).ravel()
        edge = frame[top + 20 : bottom - 20, left - 2 : left + 3]
        assert (share(edge, SKY) > 0.15) != filled
        # the word stands above the box, and only there
        above = frame[top - 34 : top - 6, left : left + 200]
        assert (share(above, MARK) > 0.05) == filled
        # nothing but the video elsewhere
        ground = 176 if number >= 10 else 128
        np.testing.assert_allclose(frame[300:530, 10:180].mean(axis=(0, 1)), ground, atol=4)
    strips = np.stack([frame[HEIGHT:] for frame in frames]).astype(int)
    changes = np.abs(strips - strips[0]).max(axis=(0, 3)) > 60
    assert changes.any()
    assert np.nonzero(changes)[1].max() < WIDTH / 2  # the clock on the left, the name on the right stands still
    assert share(strips[0, :, WIDTH // 2 :], INK) > 0.005


def test_a_frame_is_one_picture_of_the_film(clip, tmp_path):
    arguments = clip(model="cnn", numbers=True, step=(-3, 2))  # what is painted moves, and nothing stays behind
    frames = film(arguments, tmp_path / "a.mp4")
    for number in (0, FILLED[0], FRAMES - 1):
        image = picture(arguments, number, tmp_path / f"{number}.png")
        assert image.shape == frames[number].shape
        # thin coloured lines lose colour in the film, whose planes of colour have half the size
        grey, other = (cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).astype(np.float32) for part in (image, frames[number]))
        assert cv2.blur(np.abs(grey - other), (16, 16)).max() < 25


def test_a_prediction_on_the_face(clip, tmp_path):
    image = picture(clip(model="cnn"), 8, tmp_path / "8.png")
    mouth = list(range(48, 60))
    where = middles(FACE + np.array([0, 24]), mouth)
    assert share(around(image, where), BLUE) > 0.25  # where the model has the lips
    assert share(around(image, middles(FACE, mouth)), BLUE) == 0
    assert share(around(image, middles(FACE, mouth)), INK) > 0.15  # where they were measured
    assert share(around(image, middles(FACE, list(range(17)))), BLUE) > 0.1  # both agree: both are seen
    assert share(around(image, middles(FACE, list(range(17)))), INK) > 0.1
    assert share(image[HEIGHT:], BLUE) > 0.003  # its name in the strip
    corner = image[: HEIGHT // 3, -HEIGHT // 3 :]  # the mouth once more, three times as large
    assert min(share(corner, BLUE), share(corner, INK)) > 0.01
    without = picture(clip(), 8, tmp_path / "without.png")
    assert share(without, BLUE) == 0
    assert share(without[: HEIGHT // 3, -HEIGHT // 3 :], INK) == 0


def test_the_enlarged_mouth_hides_no_face(clip, tmp_path):
    """It stands where there is room: on the right, else on the left, else nowhere."""
    sides = {}
    for place, step in {"middle": (0, 0), "right": (9, -6), "left": (-9, -6)}.items():
        image = picture(clip(model="cnn", step=step), FRAMES - 1, tmp_path / f"{place}.png")
        sides[place] = [share(part, BLUE) > 0.01 for part in (image[:180, :180], image[:180, -180:])]
    assert sides == {"middle": [False, True], "right": [True, False], "left": [False, True]}
    large, small = load_template() * 140 + [160, 100], load_template() * 4 + [160, 3]
    for face, box, height in ((large, [20.0, 5, 300, 230], 240), (small, [155.0, 0, 165, 8], 8)):  # a face; a strip
        layer = overlay.Layer(
            measured=overlay.Measured(
                landmarks=face[None], detected=np.ones(1, bool), box=np.array([box]), width=320, height=height,
                rejected="",
            ),
            reason="", prediction=face[None], model="cnn", colour=BLUE,
        )  # fmt: skip
        painter = overlay.OverlayPainter(layer, clip="x", boxes=False, numbers=False)
        painter.paint(0)
        assert share(painter.picture[: min(180, painter.size[1]), -180:], BLUE) < 0.01


def test_what_is_not_wanted_is_left_out(clip, tmp_path):
    plain = picture(clip(boxes=False), 8, tmp_path / "plain.png")
    assert share(plain, SKY, tolerance=25) == 0
    boxed = picture(clip(), 8, tmp_path / "boxed.png")
    assert share(boxed, SKY, tolerance=25) > 0
    numbered = picture(clip(boxes=False, numbers=True), 8, tmp_path / "numbered.png")
    assert share(numbered[:HEIGHT], INK) > 1.5 * share(plain[:HEIGHT], INK)


def test_a_clip_without_a_face_says_why(clip, tmp_path):
    reason = f"{tmp_path}/far/away/grey.mp4: no face in any of 20 frames; one of at least 40 pixels was expected"
    arguments = clip(rejected=reason, landmarks=np.full((68, 2), np.nan), model="cnn")
    layer = read_layer(**{key: value for key, value in arguments.items() if key not in (
        "video", "start_s", "end_s", "boxes", "numbers")})  # fmt: skip
    assert layer.reason == "no face in any of 20 frames; one of at least 40 pixels was expected"
    image = picture(arguments, 8, tmp_path / "8.png")
    assert len(film(arguments, tmp_path / "film.mp4")) == FRAMES
    accepted = picture(clip(), 8, tmp_path / "accepted.png")
    assert len(image) > len(accepted) + 20  # lines more in the strip
    assert share(image[len(accepted) :], MARK) > 0.02
    assert share(image[:60, :200], MARK) > 0.03  # "no face", in the corner
    assert share(image[:HEIGHT], INK) == 0
    assert share(image[:HEIGHT], BLUE) == 0


def test_what_quality_control_rejects_says_why(clip, tmp_path):
    strict = clip(qc=QC | {"min_detected_share": 0.95})
    kept = {key: strict[key] for key in ("landmarks", "audio", "clip", "qc")}
    assert read_layer(**kept).reason == "a face in 90% of the frames (qc.min_detected_share: 0.95)"
    image = picture(strict, 8, tmp_path / "8.png")
    assert share(image[HEIGHT + 40 :], MARK) > 0.01
    assert share(around(image, middles(FACE, list(range(17)))), INK) > 0.1  # the landmarks are shown all the same


def test_a_clip_without_sound_is_shown(clip, tmp_path):
    frames = film(clip(samples=0), tmp_path / "mute.mp4")
    assert len(frames) == FRAMES
    assert not probe(tmp_path / "mute.mp4").has_audio


def test_a_film_lasts_as_long_as_its_picture(clip, tmp_path):
    arguments = clip(samples=5 * 44_100)
    film(arguments, tmp_path / "film.mp4")
    kept = {key: arguments[key] for key in ("video", "landmarks", "audio", "clip", "start_s", "end_s")}
    crop_source(output=tmp_path / "source.mp4", **kept)
    for name in ("film", "source"):
        with av.open(str(tmp_path / f"{name}.mp4")) as container:
            assert container.duration / av.time_base == pytest.approx(FRAMES / 25, abs=0.05)
            assert len(container.streams.audio) == 1


def test_picture_and_sound_stay_together(tmp_path):
    path = flash_and_click(tmp_path / "29.97.mp4", fps="30000/1001", pix_fmt="yuv420p")
    with h5py.File(tmp_path / "landmarks.h5", "w") as file:
        group = file.create_group("flash")
        group["landmarks"], group["box"] = (
            np.full((75, 68, 2), np.nan, np.float32),
            np.full((75, 4), np.nan, np.float32),
        )
        group["detected"], group["faces"] = np.zeros(75, bool), np.zeros(75, np.int16)
        group.attrs.update(width=160, height=120, rejected="", duration_s=3.0)
    with h5py.File(tmp_path / "audio.h5", "w") as file:
        file["flash"] = extract_audio(path)
        file["flash"].attrs.update(rate=44_100, rejected="")
    common = {"landmarks": tmp_path / "landmarks.h5", "audio": tmp_path / "audio.h5", "clip": "flash"}
    crop_source(path, tmp_path / "source.mp4", start_s=None, end_s=None, **common)
    check_step(tmp_path / "source.mp4")
    draw_overlay(path, tmp_path / "overlay.mp4", start_s=None, end_s=None, boxes=True, numbers=True, qc=QC, **common)
    check_step(tmp_path / "overlay.mp4")


def test_a_stretch_of_a_video(clip, tmp_path):
    image = picture(clip(start_s=0.36, end_s=0.76), 2, tmp_path / "2.png")  # 0.44 s of the video
    np.testing.assert_allclose(image[300:530, 10:180].mean(), 176, atol=4)
    image = picture(clip(start_s=0.2, end_s=0.76), 2, tmp_path / "early.png")
    np.testing.assert_allclose(image[300:530, 10:180].mean(), 128, atol=4)


def refuse(call, *words):
    with pytest.raises(TalkfaceError) as caught:
        call()
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_a_frame_beyond_the_clip(clip, tmp_path):
    arguments = clip()
    refuse(lambda: picture(arguments, 20, tmp_path / "20.png"), "grey: no frame 20", "20 frames, from 0 to 19")
    assert not (tmp_path / "20.png").exists()


def test_a_video_that_does_not_decode(clip, tmp_path):
    arguments = clip()
    with h5py.File(arguments["landmarks"], "w") as file:
        file.create_group("grey").attrs.update(rejected="grey.mp4: not a media file", duration_s=0.0)
    refuse(lambda: film(arguments, tmp_path / "a.mp4"), "grey: no picture to draw on", "grey.mp4: not a media file")
    refuse(lambda: picture(arguments, 0, tmp_path / "0.png"), "grey.mp4: not a media file")
    kept = {key: arguments[key] for key in ("video", "landmarks", "audio", "clip", "start_s", "end_s")}
    refuse(lambda: crop_source(output=tmp_path / "s.mp4", **kept), "grey: no picture to crop", "not a media file")
    assert not list(tmp_path.glob("*.mp4"))


def test_a_prediction_that_is_none(clip, tmp_path):
    arguments = clip(model="cnn")
    np.save(arguments["predictions"], np.full((5, 68, 2), np.nan))
    refuse(lambda: picture(arguments, 0, tmp_path / "0.png"), "prediction.npy", "NaN")


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ((320, 240), (720, 540)),  # letters on a small one could not be read
        ((360, 288), (720, 576)),
        ((1000, 700), (1000, 700)),
        ((1920, 1080), (1280, 720)),
        ((1080, 1920), (720, 1280)),
        ((801, 601), (800, 600)),  # the encoder takes even numbers
    ],
)
def test_sizes(source, shown):
    assert film_size(*source) == shown


def test_the_strokes_follow_the_face():
    def stroke(unit):
        known = np.repeat((load_template() * unit + [400, 300])[None], 3, axis=0)
        measured = overlay.Measured(
            landmarks=known, detected=np.ones(3, bool), box=np.full((3, 4), np.nan), width=800, height=600, rejected=""
        )
        layer = overlay.Layer(measured=measured, reason="")
        painter = overlay.OverlayPainter(layer, clip="x", boxes=False, numbers=False)
        painter.picture[:600] = 255
        painter.paint(0)
        return (painter.picture[:600] != 255).any(axis=2).sum()

    assert stroke(200) > 3 * stroke(60)


def test_source_around_the_face(clip, tmp_path, video):
    """A mark on the video stands in the crop where the crop says."""
    marked = ffmpeg.input(str(video)).video.filter("drawbox", x=150, y=90, w=20, h=20, color="red", t="fill")
    path = encode(marked, ffmpeg.input(str(video)).audio, path=tmp_path / "marked.mp4", pix_fmt="yuv420p", crf=12)
    arguments = clip(video=path)
    kept = {key: arguments[key] for key in ("video", "landmarks", "audio", "clip", "start_s", "end_s")}
    crop_source(output=tmp_path / "source.mp4", **kept)
    media = probe(tmp_path / "source.mp4")
    assert (media.width, media.height, media.fps, media.has_audio) == (480, 480, 25, True)
    frames = list(read_frames(media, pixels="bgr24"))
    assert len(frames) == FRAMES
    crop = face_crop(FACE[None], width=320, height=240)
    (left, top), (right, bottom) = crop.place([[150, 90], [169, 109]], size=480)
    rows, columns = np.nonzero((frames[3][..., 2].astype(int) - frames[3][..., 0]) > 100)
    np.testing.assert_allclose([columns.min(), columns.max()], [left, right], atol=5)
    np.testing.assert_allclose([rows.min(), rows.max()], [top, bottom], atol=5)
    assert frames[3][5, 5].mean() == pytest.approx(128, abs=4)
    assert frames[-1][5, 5].mean() == pytest.approx(176, abs=4)


def test_source_of_a_clip_without_a_face(clip, tmp_path):
    arguments = clip(landmarks=np.full((68, 2), np.nan), rejected="no face")
    kept = {key: arguments[key] for key in ("video", "landmarks", "audio", "clip", "start_s", "end_s")}
    crop_source(output=tmp_path / "source.mp4", **kept)
    assert len(list(read_frames(probe(tmp_path / "source.mp4")))) == FRAMES
