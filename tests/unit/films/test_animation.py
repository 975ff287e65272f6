import subprocess

import cv2
import numpy as np
import pytest
import soundfile

from talkface.conventions import FPS
from talkface.errors import TalkfaceError
from talkface.face.faces import load_shapes
from talkface.face.points import LIP_PAIRS
from talkface.face.template import load_template, resting_face
from talkface.films.animation import animate, draw_animation, paint_frames
from talkface.media import program
from talkface.media.encoding import YuvPicture, encode
from talkface.media.program import ffmpeg_program
from talkface.media.video import probe

SIZE = 160
ODD_NAMES = ["-i film", "$(touch x) 'it`s' \"so\"", "лицо 顔 %d", "a;b&c|d"]


def talking(frames):
    """Template faces (frames, 68, 2) whose lips part and meet."""
    shapes = np.repeat(load_template()[None], frames, axis=0)
    opening = 0.1 * (1 - np.cos(np.arange(frames)))
    for index in (65, 66, 67, 55, 56, 57, 58, 59):
        shapes[:, index, 1] += opening
    return shapes


@pytest.fixture
def speech(tmp_path):
    """Write a wav of so many samples at 44.1 kHz."""

    def write(samples=44_100, name="speech.wav"):
        path = tmp_path / name
        soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, samples), 44_100)
        return path

    return write


def decoded(path):
    """Frames (T, H, W) grey and samples (S,) of a film."""
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (read := capture.read())[0]:
        frames.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2GRAY))
    command = [ffmpeg_program(), "-v", "error", "-i", f"file:{path}", "-f", "s16le", "-"]
    sound = subprocess.run(command, capture_output=True, check=True).stdout
    return np.array(frames), np.frombuffer(sound, np.int16)


@pytest.mark.parametrize("style", ["flat", "shaded"])
@pytest.mark.parametrize("samples", [44_100, 45_000, 1_000])
def test_a_film_lasts_as_long_as_its_speech(tmp_path, speech, style, samples):
    film = tmp_path / "film.mp4"
    animate(talking(26), film, audio=speech(samples), style=style, size=SIZE)
    media = probe(film)
    assert (media.width, media.height, media.fps) == (SIZE, SIZE, FPS)
    frames, sound = decoded(film)
    assert abs(len(frames) / FPS - samples / 44_100) <= 1 / FPS
    assert len(sound) == pytest.approx(samples, abs=1_100)  # AAC works in blocks of 1,024


def test_streams_are_h264_and_aac(tmp_path, speech):
    import av

    animate(talking(25), tmp_path / "film.mp4", audio=speech(), size=SIZE)
    with av.open(str(tmp_path / "film.mp4")) as file:
        video, audio = file.streams.video[0], file.streams.audio[0]
        assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert video.codec_context.colorspace == 6  # BT.601: without a word an HD player takes it for BT.709
        assert (audio.codec_context.name, audio.codec_context.sample_rate) == ("aac", 44_100)


@pytest.mark.parametrize("style", ["flat", "shaded"])
def test_frames_of_the_film_are_those_painted(tmp_path, speech, style):
    shapes = talking(25)
    animate(shapes, tmp_path / "film.mp4", audio=speech(), style=style, size=SIZE, seed=3)
    frames, _ = decoded(tmp_path / "film.mp4")
    for shown, picture in zip(frames, paint_frames(shapes, style=style, size=SIZE, blink=False, seed=3), strict=True):
        luma = (picture[:SIZE].astype(float) - 16) * 255 / 219  # limited to full range
        assert np.abs(shown - luma).mean() < 3
    mouth = frames[:, SIZE // 2 : SIZE * 3 // 4, SIZE // 3 : SIZE * 2 // 3].astype(float)
    assert np.abs(np.diff(mouth, axis=0)).mean() > 0.5  # it speaks


def test_sound_begins_with_the_picture(tmp_path):
    samples = np.zeros(44_100)
    samples[22_050:22_500] = 0.8  # a click at 0.5 s
    soundfile.write(tmp_path / "click.wav", samples, 44_100)
    animate(talking(25), tmp_path / "film.mp4", audio=tmp_path / "click.wav", size=SIZE)
    _, sound = decoded(tmp_path / "film.mp4")
    assert np.flatnonzero(np.abs(sound.astype(int)) > 8_000)[0] / 44_100 == pytest.approx(0.5, abs=0.005)


def test_yuv_windows_equal_the_whole(tmp_path):
    rng = np.random.default_rng(0)
    frame = cv2.GaussianBlur(rng.integers(0, 255, (40, 60, 3), np.uint8), (0, 0), 2)
    picture = YuvPicture((60, 40))
    picture.update(frame, [(slice(0, 40), slice(0, 60))])
    assert np.array_equal(picture.picture, cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420))
    frame[11:17, 5:20] = (10, 200, 90)
    picture.update(frame, [(slice(11, 17), slice(5, 20)), (slice(3, 3), slice(0, 4))])
    assert np.array_equal(picture.picture, cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420))


@pytest.mark.parametrize("style", ["flat", "shaded"])
def test_eyes_blink_on_request(style):
    def pictures(blink):
        return [
            p[:SIZE].copy()
            for p in paint_frames(talking(100) * 0 + resting_face(), style=style, size=SIZE, blink=blink)
        ]

    still, blinking = pictures(False), pictures(True)
    assert max(np.abs(p.astype(int) - still[0]).max() for p in still) == 0
    changed = [np.abs(p.astype(int) - q).max() > 20 for p, q in zip(still, blinking, strict=True)]
    assert 3 <= sum(changed) < 40


def test_the_resting_face_is_the_template_with_closed_lips():
    face, template = resting_face(), load_template()
    for upper, lower in LIP_PAIRS:
        assert np.array_equal(face[upper], face[lower])
    others = [i for i in range(68) if i not in np.ravel(LIP_PAIRS)]
    assert np.array_equal(face[others], template[others])


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_names(tmp_path, speech, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    audio = speech(8_000, name=f"{name}.wav")
    np.save(f"{name}.npy", talking(5))
    draw_animation(f"{name}.npy", audio.name, f"{name}.mp4", style="flat", size=SIZE, blink=False, seed=0)
    assert probe(tmp_path / f"{name}.mp4").has_video
    assert not (tmp_path / "x").exists()
    assert len(list(tmp_path.iterdir())) == 3


def save(path, array):
    np.save(path, array)
    return path


def test_shapes_may_have_three_coordinates(tmp_path):
    deep = np.concatenate([talking(4), np.ones((4, 68, 1))], axis=-1).astype(np.float32)
    assert load_shapes(save(tmp_path / "deep.npy", deep)) == pytest.approx(talking(4), abs=1e-6)


@pytest.mark.parametrize(
    ("array", "word"),
    [
        (np.zeros((4, 66, 2)), r"array \(4, 66, 2\)"),
        (np.zeros((0, 68, 2)), r"array \(0, 68, 2\)"),
        (np.zeros((68, 2)), r"array \(68, 2\)"),
        (np.zeros((3, 68, 2), int), "type int64"),
        (np.where(np.arange(5)[:, None, None] < 3, talking(5), np.nan), "2 of 5 frames .* first is frame 3"),
        (np.full((5, 68, 2), np.inf), "5 of 5 frames"),
    ],
)
def test_bad_predictions_are_refused_by_name(tmp_path, speech, array, word):
    path = save(tmp_path / "bad.npy", array)
    with pytest.raises(TalkfaceError, match=word) as error:
        draw_animation(path, speech(), tmp_path / "a.mp4", style="flat", size=SIZE, blink=False, seed=0)
    assert str(path) in str(error.value)
    assert not (tmp_path / "a.mp4").exists()


def test_a_pickle_or_a_letter_is_no_array(tmp_path):
    np.save(tmp_path / "pickle.npy", np.array([{}], dtype=object))
    (tmp_path / "letter.npy").write_text("Dear reader")
    (tmp_path / "empty.npy").write_bytes(b"")
    for name in ("pickle", "letter", "empty"):
        with pytest.raises(TalkfaceError, match=f"{name}.npy: not an .npy array"):
            load_shapes(tmp_path / f"{name}.npy")


def test_bad_audio_is_refused_and_leaves_nothing(tmp_path, speech):
    (tmp_path / "letter.wav").write_text("Dear reader")
    with pytest.raises(TalkfaceError, match=r"letter\.wav: not a wav file"):
        animate(talking(5), tmp_path / "a.mp4", audio=tmp_path / "letter.wav", size=SIZE)
    with pytest.raises(TalkfaceError, match="no samples"):
        animate(talking(5), tmp_path / "a.mp4", audio=speech(0), size=SIZE)
    assert not list(tmp_path.glob("*.mp4"))


def test_a_mismatch_of_lengths_is_reported(tmp_path, speech, caplog):
    animate(talking(10), tmp_path / "a.mp4", audio=speech(), size=SIZE)
    assert "10 shapes for 25 frames" in caplog.text
    assert len(decoded(tmp_path / "a.mp4")[0]) == 25


def test_what_ffmpeg_says_reaches_the_user(tmp_path):
    frames = (np.zeros((SIZE, SIZE, 3), np.uint8) for _ in range(50))
    with pytest.raises(TalkfaceError, match=r"ffmpeg could not write it: .*missing\.wav"):
        encode(frames, tmp_path / "a.mp4", size=(SIZE, SIZE), audio=tmp_path / "missing.wav")


def test_a_painter_that_fails_stops_the_encoder(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(
        program.subprocess,
        "Popen",
        lambda *a, popen=subprocess.Popen, **k: started.append(popen(*a, **k)) or started[-1],
    )

    def frames():
        yield np.zeros((SIZE, SIZE, 3), np.uint8)
        raise KeyError("paint")

    with pytest.raises(KeyError):
        encode(frames(), tmp_path / "a.mp4", size=(SIZE, SIZE))
    assert started[0].poll() is not None
