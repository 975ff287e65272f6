import cv2
import numpy as np
import pytest
import soundfile
from PIL import Image

from talkface.errors import TalkfaceError
from talkface.face.template import load_template
from talkface.films.animation import paint_frames
from talkface.films.gif import GIF_FPS, delays, draw_gif, resample, write_gif

SIZE = 160


def talking(frames):
    """Template faces (frames, 68, 2) whose lips part and meet."""
    shapes = np.repeat(load_template()[None], frames, axis=0)
    opening = 0.1 * (1 - np.cos(np.arange(frames) / 2))
    for index in (65, 66, 67, 55, 56, 57, 58, 59):
        shapes[:, index, 1] += opening
    return shapes


def decoded(path):
    """Pictures (T, H, W, 3), blue, green, red; delays in hundredths of a second; how often it is shown again."""
    with Image.open(path) as gif:
        pictures, stand, loop = [], [], gif.info.get("loop")
        for number in range(gif.n_frames):
            gif.seek(number)
            pictures.append(np.array(gif.convert("RGB"))[..., ::-1])
            stand.append(gif.info["duration"] / 10)
    return np.array(pictures), np.array(stand), loop


def test_faces_between_two_frames_are_mixed():
    shapes = np.arange(26)[:, None, None] * np.ones((1, 68, 2))  # face i at i / 25 s
    moved = resample(shapes, 24)
    assert moved[:, 0, 0] == pytest.approx(np.arange(24) * 25 / 24)
    assert resample(shapes[:3], 6)[:, 0, 0] == pytest.approx([0, 25 / 24, 2, 2, 2, 2])


@pytest.mark.parametrize("frames", [1, 7, 24, 72, 1000])
def test_delays_keep_step(frames):
    stand = delays(frames)
    assert set(stand) <= {4, 5}
    assert np.abs(np.cumsum(stand) - np.arange(1, frames + 1) * 100 / 24).max() <= 0.5


@pytest.mark.parametrize("style", ["flat", "shaded"])
def test_a_gif_is_as_long_as_the_sound_and_goes_on_for_ever(tmp_path, style):
    soundfile.write(tmp_path / "speech.wav", np.zeros(int(1.6 * 44_100)), 44_100)
    np.save(tmp_path / "face.npy", talking(40).astype(np.float32))
    files = tmp_path / "face.npy", tmp_path / "speech.wav", tmp_path / "face.gif"
    draw_gif(*files, style=style, size=SIZE, blink=False, seed=0)
    pictures, stand, loop = decoded(tmp_path / "face.gif")
    assert pictures.shape == (38, SIZE, SIZE, 3)
    assert stand.tolist() == delays(38).tolist()
    assert stand.sum() / 100 == pytest.approx(1.6, abs=0.5 / GIF_FPS)
    assert 100 * len(stand) / stand.sum() == pytest.approx(24, rel=0.01)
    assert loop == 0


@pytest.mark.parametrize(("style", "error"), [("flat", 4), ("shaded", 9)])
def test_the_pictures_are_those_painted(tmp_path, style, error):
    shapes = talking(14)
    write_gif(shapes, tmp_path / "face.gif", style=style, size=SIZE, blink=False, seed=3)
    pictures, _, _ = decoded(tmp_path / "face.gif")
    painted = paint_frames(shapes, style=style, size=SIZE, blink=False, seed=3)
    for shown, planes in zip(pictures, painted, strict=True):
        wanted = cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420)
        assert np.abs(shown.astype(int) - wanted).mean() < error
    mouth = pictures[:, SIZE // 2 : SIZE * 3 // 4, SIZE // 3 : SIZE * 2 // 3].astype(int)
    assert np.abs(mouth[6] - mouth[0]).max() > 100  # it speaks


def test_eyes_blink_at_the_same_instants_as_in_the_film():
    def closed(fps, frames):
        rest = np.repeat(load_template()[None], frames, axis=0)
        options = {"style": "flat", "size": SIZE, "blink": True, "seed": 5, "fps": fps}
        pictures = [picture.copy() for picture in paint_frames(rest, **options)]
        differ = [np.abs(picture.astype(int) - pictures[0]).max() > 20 for picture in pictures]
        return np.flatnonzero(differ)[[0, -1]] / fps

    assert closed(24, 96) == pytest.approx(closed(25, 100), abs=0.05)


def test_no_speech_is_refused(tmp_path):
    soundfile.write(tmp_path / "speech.wav", np.zeros(0), 44_100)
    np.save(tmp_path / "face.npy", talking(3))
    files = tmp_path / "face.npy", tmp_path / "speech.wav", tmp_path / "face.gif"
    with pytest.raises(TalkfaceError, match=r"speech\.wav: no samples"):
        draw_gif(*files, style="flat", size=SIZE, blink=False, seed=0)
    assert not (tmp_path / "face.gif").exists()
