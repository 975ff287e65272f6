"""Every container that may be opened is read: what an encoder wrote comes back, at its time and to its end."""

import subprocess

import numpy as np
import pytest

from talkface.media import decoding, video
from talkface.media.audio import extract_audio
from talkface.media.program import ffmpeg_program

SECONDS, BURST_S = 2.0, 1.0
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
AAC = ("-c:a", "aac")
# Of each name of decoding.CONTAINERS: the file's suffix, and how it is written: picture, sound. None: it has none.
WRITTEN = {
    "aac": ("aac", None, AAC), "ac3": ("ac3", None, ()), "aiff": ("aiff", None, ()), "asf": ("wmv", (), ()),
    "au": ("au", None, ()), "avi": ("avi", ("-c:v", "mpeg4"), ("-c:a", "pcm_s16le")), "caf": ("caf", None, ()),
    "dv": ("dv", ("-target", "pal-dv"), ()), "eac3": ("eac3", None, ()), "flac": ("flac", None, ()),
    "flv": ("flv", X264, AAC), "gif": ("gif", (), None), "h264": ("h264", X264, None),
    "hevc": ("hevc", ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"), None),
    "ivf": ("ivf", ("-c:v", "libvpx", "-deadline", "realtime"), None), "jpeg_pipe": ("jpg", ("-frames:v", "1"), None),
    "m4v": ("m4v", ("-c:v", "mpeg4", "-f", "m4v"), None), "matroska": ("mkv", X264, ("-c:a", "flac")),
    "webm": ("webm", ("-c:v", "libvpx", "-deadline", "realtime"), ("-c:a", "libopus")),
    "mjpeg": ("mjpeg", ("-pix_fmt", "yuvj420p"), None), "mov": ("mov", X264, ("-c:a", "pcm_s16le")),
    "mp3": ("mp3", None, ()), "mpeg": ("mpg", (), ()), "mpegts": ("ts", X264, AAC), "mpegvideo": ("m2v", (), None),
    "mxf": ("mxf", ("-c:v", "mpeg2video"), ("-c:a", "pcm_s16le", "-ar", "48000")),
    "nut": ("nut", X264, ("-c:a", "flac")),
    "ogg": ("ogg", None, ("-c:a", "libvorbis")), "png_pipe": ("png", ("-frames:v", "1"), None),
    "rm": ("rm", ("-c:v", "rv10"), ("-c:a", "ac3")), "tta": ("tta", None, ()), "voc": ("voc", None, ()),
    "w64": ("w64", None, ()), "wav": ("wav", None, ()), "wv": ("wv", None, ()),
    "yuv4mpegpipe": ("y4m", ("-pix_fmt", "yuv420p"), None),
}  # fmt: skip
# No encoder of ours writes these; frames of 20 ms (AMR: mode 0) by hand.
BY_HAND = {
    "amr": ("amr", b"#!AMR\n", b"\x04" + bytes(range(12))),
    "amrnb": ("amr", b"#!AMR\n", b"\x04" + bytes(range(12))),
    "amrwb": ("amr", b"#!AMR-WB\n", b"\x04" + bytes(range(17))),
}


def test_each_container_is_tried():
    assert set(WRITTEN) | set(BY_HAND) == set(decoding.CONTAINERS)


@pytest.mark.parametrize("name", WRITTEN)
def test_what_was_written_comes_back(name, tmp_path):
    suffix, picture, sound = WRITTEN[name]
    path = tmp_path / f"film.{suffix}"
    command = [ffmpeg_program(), "-nostdin", "-v", "error"]
    if picture is not None:
        # Dark, then white from the burst on.
        light = f"color=white:s=320x240:r=25:d={SECONDS},drawbox=c=black:t=fill:enable='lt(t,{BURST_S - 0.01})'"
        command += ["-f", "lavfi", "-i", light]
    if sound is not None:
        burst = f"sine=440:r=44100:d={SECONDS},volume=0:enable='lt(t,{BURST_S})'"
        command += ["-f", "lavfi", "-i", burst]
    subprocess.run([*command, *(picture or ()), *(sound or ()), str(path)], check=True)
    with decoding.opened(path) as container:
        assert name in container.format.name.split(",") or name in ("m4v", "webm", "matroska")
    media = video.probe(path)
    assert (media.has_video, media.has_audio) == (picture is not None, sound is not None)
    if picture is not None:
        frames = list(video.read_frames(media))
        single = "-frames:v" in picture
        assert len(frames) == (1 if single else pytest.approx(25 * SECONDS, abs=1))
        lights = [frame.mean() for frame in frames]
        if not single:
            assert next(i for i, light in enumerate(lights) if light > 128) == pytest.approx(25 * BURST_S, abs=1)
    if sound is not None:
        samples = np.abs(extract_audio(path).astype(float))
        assert len(samples) / 44_100 == pytest.approx(SECONDS, abs=0.06)
        # Bare AAC says nothing of what its encoder put before the first sample: 2,048 of them in ffmpeg's.
        late_s = 2_048 / 44_100 if name == "aac" else 0.0
        heard_s = np.flatnonzero(samples > 0.25 * samples.max())[0] / 44_100
        assert heard_s - late_s == pytest.approx(BURST_S, abs=0.03)


@pytest.mark.parametrize("name", BY_HAND)
def test_what_is_written_by_hand_is_heard(name, tmp_path):
    suffix, head, frame = BY_HAND[name]
    path = tmp_path / f"call.{suffix}"
    path.write_bytes(head + 50 * frame)
    samples = extract_audio(path)
    assert len(samples) / 44_100 == pytest.approx(1.0, abs=0.05)
    assert np.abs(samples).max() > 0


@pytest.fixture(scope="module")
def two_hours(tmp_path_factory):
    """Two pictures a second, as light as seconds have passed; a keyframe each ten seconds."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    picture = "color=black:s=32x32:r=2:d=7200,geq=lum='16+mod(floor(T),200)':cb=128:cr=128"
    command = [ffmpeg_program(), "-nostdin", "-v", "error", "-f", "lavfi", "-i", picture, *X264, "-g", "20", str(path)]
    subprocess.run(command, check=True)
    return path


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "flv"])
def test_a_start_deep_in_two_hours_is_cheap(suffix, two_hours, tmp_path, monkeypatch):
    path = tmp_path / f"copy.{suffix}"
    command = [ffmpeg_program(), "-nostdin", "-v", "error", "-i", str(two_hours), "-c", "copy", str(path)]
    subprocess.run(command, check=True)
    media, decoded, plain = video.probe(path), 0, decoding.decode

    def counted(*arguments):
        nonlocal decoded
        for frame in plain(*arguments):
            decoded += 1
            yield frame

    monkeypatch.setattr(decoding, "decode", counted)
    frames = list(video.read_frames(media, start_s=6_900.0, end_s=6_902.0))
    assert len(frames) == 50
    light = [frame.mean() for frame in frames]
    expected = (6_900 % 200 + np.array([0, 1])) / 219 * 255
    np.testing.assert_allclose([light[5], light[40]], expected, atol=3)
    # Of 14,400: the margin, two groups of pictures, the stretch, and what threads decode ahead.
    assert decoded < 2 * (decoding.MARGIN_S + 20 + 2) + 60
