"""Any video comes out at 25 frames a second, upright, and in step with its sound."""

import shutil
import subprocess
import threading

import ffmpeg
import numpy as np
import pytest

from talkface.errors import InputError, TalkfaceError
from talkface.media import video
from talkface.media.audio import extract_audio
from talkface.media.program import ffmpeg_program
from tests.local_web import local_web

CLICKS_S = (1.0, 2.12)


def encode(*streams, path, **options):
    """Run ffmpeg on some streams."""
    ffmpeg.run(
        ffmpeg.output(*streams, video.address(path), **options),
        cmd=ffmpeg_program(),
        quiet=True,
        overwrite_output=True,
    )
    return path


def flash_and_click(path, *, fps=25, keep="1", late_s=None, **options):
    """A dark video of 3 s that flashes, and clicks at the same instants."""
    picture = ffmpeg.input(f"color=c=0x202020:s=160x120:r={fps}:d=3", f="lavfi")
    for t in CLICKS_S:
        # Half a millisecond early: the time of a frame at 29.97 fps is rounded.
        picture = picture.filter("drawbox", color="white", t="fill", enable=f"between(t,{t - 0.0005},{t + 0.1})")
    sound = "+".join(f"between(t,{t},{t + 0.1})*sin(6283*t)" for t in CLICKS_S)
    tone = ffmpeg.input(f"aevalsrc={sound.replace(',', chr(92) + ',')}:s=48000:d=3", f="lavfi")
    if late_s:  # the sound begins with the first click, in a stream that starts late
        tone = tone.filter("atrim", start=late_s)
    return encode(picture.filter("select", keep), tone, path=path, **options)


def onsets(signal, threshold):
    """First indices of the stretches above a threshold."""
    above = np.flatnonzero(np.asarray(signal) > threshold)
    return above[np.r_[True, np.diff(above) > len(signal) / 10]]


def check_step(path):
    """Flash and click within 20 ms of each other, and where they were put."""
    frames = np.array(list(video.read_frames(video.probe(path))))
    seen = onsets(frames.mean(axis=(1, 2)), 128) / 25
    heard = onsets(np.abs(extract_audio(path).astype(int)), 3000) / 44_100
    assert len(seen) == len(heard) == len(CLICKS_S)
    np.testing.assert_allclose(seen, heard, atol=0.020)
    np.testing.assert_allclose(heard, CLICKS_S, atol=0.030)
    assert abs(len(frames) - 75) <= 1


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return flash_and_click(tmp_path_factory.mktemp("plain") / "plain.mp4", pix_fmt="yuv420p")


KINDS = {
    "vfr.mp4": {"keep": "gt(random(7),0.5)+lt(mod(t+0.01,1),0.25)", "fps_mode": "vfr", "pix_fmt": "yuv420p"},
    "29.97.mp4": {"fps": "30000/1001", "pix_fmt": "yuv420p"},
    "50.mp4": {"fps": 50, "pix_fmt": "yuv420p"},
    "10-bit.mp4": {"pix_fmt": "yuv420p10le", "vcodec": "libx264"},
    "vp9.webm": {"vcodec": "libvpx-vp9", "acodec": "libopus", "deadline": "realtime", "cpu-used": 8},
    "mp3.mkv": {"fps": 30, "pix_fmt": "yuv420p", "acodec": "libmp3lame"},
    "mpeg1.mpg": {"vcodec": "mpeg1video", "acodec": "mp2"},
    "late sound.mkv": {"late_s": 0.7, "pix_fmt": "yuv420p", "acodec": "flac"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_flash_and_click_stay_together(kind, tmp_path):
    check_step(flash_and_click(tmp_path / kind, **KINDS[kind]))


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "mpg"])
def test_a_picture_that_starts_late_sets_the_zero(suffix, tmp_path):
    path = flash_and_click(tmp_path / f"late picture.{suffix}", keep="gte(t,0.4)", fps_mode="passthrough", bf=0)
    assert video.probe(path).offset_s == pytest.approx(0.4, abs=0.05)
    frames = np.array(list(video.read_frames(video.probe(path))))
    seen = onsets(frames.mean(axis=(1, 2)), 128) / 25
    heard = onsets(np.abs(extract_audio(path).astype(int)), 3000) / 44_100
    np.testing.assert_allclose(seen, np.subtract(CLICKS_S, 0.4), atol=0.021)
    np.testing.assert_allclose(seen, heard, atol=0.020)
    assert abs(len(frames) - 65) <= 1


def test_portrait_phone_video_is_upright(tmp_path, plain):
    landscape = encode(
        ffmpeg.input("color=c=black:s=160x120:r=25:d=1", f="lavfi").filter(
            "drawbox", w=40, h=40, color="white", t="fill"
        ),
        path=tmp_path / "landscape.mp4",
        pix_fmt="yuv420p",
    )
    turned = {}
    for name, source in (("corner", landscape), ("phone", plain)):
        # The note that the frames are to be turned, as phones write it; the frames stay as they are.
        stream = ffmpeg.input(video.address(source), display_rotation=90)
        turned[name] = encode(stream, path=tmp_path / f"{name}.mp4", c="copy")
    media = video.probe(turned["corner"])
    assert (media.width, media.height) == (120, 160)
    frame = next(iter(video.read_frames(media)))
    assert frame.shape == (160, 120)
    assert frame[-30:, :30].mean() > 200  # turned to the left, the upper left corner is the lower left one
    assert frame[:30, :30].mean() < 50
    small = next(iter(video.read_frames(media, pixels="bgr24", size=(60, 80))))
    assert small.shape == (80, 60, 3)
    assert small[-15:, :15].mean() > 200
    check_step(turned["phone"])


def test_stretch_of_a_clip(plain):
    frames = np.array(list(video.read_frames(video.probe(plain), start_s=0.5, end_s=1.5)))
    assert len(frames) == 25
    assert onsets(frames.mean(axis=(1, 2)), 128)[0] / 25 == pytest.approx(0.5, abs=0.0201)
    sound = extract_audio(plain, start_s=0.5, end_s=1.5)
    assert len(sound) == pytest.approx(44_100, abs=1100)
    assert onsets(np.abs(sound.astype(int)), 3000)[0] / 44_100 == pytest.approx(0.5, abs=0.01)


def test_grey_has_the_full_range(tmp_path):
    source = ffmpeg.input("color=c=white:s=64x64:r=25:d=0.2", f="lavfi")
    path = encode(source, path=tmp_path / "white.mp4", pix_fmt="yuv420p")
    assert next(iter(video.read_frames(video.probe(path)))).min() >= 253
    assert next(iter(video.read_frames(video.probe(path), pixels="rgb24"))).shape == (64, 64, 3)


@pytest.mark.parametrize(
    "name",
    ["-rf.mp4", "with space.mp4", 'it\'s "it".mp4', "$(touch x).mp4", "речь 話.mp4", "50%d:0.mp4", "a&b;c|d.mp4"],
)
def test_no_name_is_taken_for_anything_else(name, tmp_path, plain, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(plain, tmp_path / name)
    media = video.probe(name)
    assert len(list(video.read_frames(media))) == 75
    assert len(extract_audio(name)) > 40_000
    assert video.save_frames(name, f"frames of {name}", end_s=0.2) == 5
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name, f"frames of {name}"])


def test_saved_frames_are_numbered_from_zero(tmp_path, plain):
    assert video.save_frames(plain, tmp_path / "f", end_s=0.4) == 10
    assert sorted(p.name for p in (tmp_path / "f").iterdir())[::9] == ["000000.jpg", "000009.jpg"]


def test_saved_frames_are_numbered_from_where_it_is_wanted(tmp_path, plain):
    """The number is all that changes: the picture of each instant stays."""
    video.save_frames(plain, tmp_path / "zero", start_s=0.92, end_s=1.2)
    assert video.save_frames(plain, tmp_path / "one", start_s=0.92, end_s=1.2, first_frame=1) == 7
    assert sorted(p.name for p in (tmp_path / "one").iterdir())[::6] == ["000001.jpg", "000007.jpg"]
    for number in range(7):
        first, second = (
            (tmp_path / name).read_bytes() for name in (f"zero/{number:06}.jpg", f"one/{number + 1:06}.jpg")
        )
        assert first == second
    assert len({file.read_bytes() for file in (tmp_path / "one").iterdir()}) > 1  # dark, then the flash


def test_other_sizes_and_planes(plain):
    frames = list(video.read_frames(video.probe(plain), end_s=0.2, pixels="bgr24", size=(80, 100)))
    assert frames[0].shape == (100, 80, 3)
    planar = list(video.read_frames(video.probe(plain), start_s=1, end_s=1.2, pixels="yuv420p", size=(320, 240)))
    assert len(planar) == 5
    assert planar[0].shape == (360, 320)
    luma, chroma = planar[0][:240], planar[0][240:]
    assert all(one.flags.c_contiguous and one.flags.owndata for one in (*frames, *planar))
    assert luma.mean() == pytest.approx(235, abs=3)  # white, limited range
    assert chroma.mean() == pytest.approx(128, abs=2)


def test_leaving_early_stops_the_decoder(plain):
    frames = video.read_frames(video.probe(plain))
    next(frames)
    frames.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "frames"]


def test_ffmpeg_of_the_wheel_serves_where_there_is_none(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "imageio_ffmpeg" in video.ffmpeg_program()


def refuse(call, *words):
    with pytest.raises(TalkfaceError) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text
    for word in words:
        assert word in text
    return text


def test_what_is_no_video(tmp_path, plain):
    text = tmp_path / "letter.mp4"
    text.write_text("Dear reader, " * 1000)
    refuse(lambda: video.probe(text), "letter.mp4", "not a media file")
    (tmp_path / "empty.mp4").touch()
    refuse(lambda: video.probe(tmp_path / "empty.mp4"), "empty file")
    refuse(lambda: video.probe(tmp_path / "nothing.mp4"), "no such file")
    data = plain.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: len(data) // 2])  # the index of an mp4 stands at its end
    refuse(lambda: video.probe(cut), "cut.mp4", "truncated")


def test_a_video_cut_off_after_its_index(tmp_path, plain):
    noisy = ffmpeg.input("testsrc2=s=160x120:r=25:d=3", f="lavfi").filter("noise", alls=40, allf="t")
    whole = encode(noisy, path=tmp_path / "whole.mp4", pix_fmt="yuv420p", movflags="faststart")
    data = whole.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: len(data) // 2])
    refuse(lambda: list(video.read_frames(video.probe(cut))), "cut.mp4", "truncated")


def test_sound_alone_is_no_video(tmp_path):
    path = encode(ffmpeg.input("sine=d=1", f="lavfi"), path=tmp_path / "tone.wav")
    media = video.probe(path)
    assert media.has_audio
    assert not media.has_video
    refuse(lambda: list(video.read_frames(media)), "tone.wav", "no video stream")
    refuse(lambda: video.save_frames(path, tmp_path / "f"), "no video stream")


def test_a_stretch_beyond_the_end(plain):
    refuse(lambda: list(video.read_frames(video.probe(plain), start_s=10, end_s=11)), "plain.mp4", "start_s")


PLAYLISTS = {
    "hls.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{file}\n#EXTINF:3,\n{url}\n#EXT-X-ENDLIST\n",
    "hls.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{url}\n#EXT-X-ENDLIST\n",
    "concat.mkv": "ffconcat version 1.0\nfile '{file}'\nfile '{url}'\n",
    "dash.mp4": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet>'
    '<Representation id="1"><BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>',
    "sdp.avi": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n",
}


@pytest.mark.parametrize("name", PLAYLISTS)
def test_nothing_but_the_file_itself_is_read(name, tmp_path, plain):
    """A video that is a playlist is refused by name, and what it names is not touched."""
    shutil.copy(plain, tmp_path / "secret.mp4")
    with local_web() as web:
        url = f"{web.url}/secret.mp4"
        web.files["/secret.mp4"] = plain.read_bytes()
        text = PLAYLISTS[name].format(file=tmp_path / "secret.mp4", url=url, port=url.rpartition(":")[2].split("/")[0])
        (tmp_path / name).write_text(text)
        for read in (video.probe, extract_audio):
            with pytest.raises(InputError, match="which names other files") as error:
                read(tmp_path / name)
            assert name in str(error.value)
        assert web.asked == []


def tone(hertz, seconds=1.0):
    return ffmpeg.input(f"sine=frequency={hertz}:duration={seconds}", f="lavfi")


def film(colour="gray", seconds=1.0, size="160x120"):
    return ffmpeg.input(f"color=c={colour}:s={size}:r=25:d={seconds}", f="lavfi")


@pytest.mark.parametrize(
    ("stored", "aspect", "shown"),
    [("120x160", "4/3", (160, 160)), ("160x120", "8/9", (160, 135)), ("160x120", "1", (160, 120))],
)
def test_pixels_become_square(stored, aspect, shown, tmp_path):
    """Wherever a picture is read; never smaller than it is stored."""
    path = encode(film(size=stored).filter("setsar", aspect), path=tmp_path / "tv.mp4", pix_fmt="yuv420p")
    media = video.probe(path)
    assert (media.width, media.height) == shown
    assert next(iter(video.read_frames(media))).shape == shown[::-1]
    assert next(iter(video.read_frames(media, pixels="bgr24"))).shape == (*shown[::-1], 3)


def loudest_hertz(path):
    samples = extract_audio(path).astype(float)
    return np.abs(np.fft.rfft(samples)).argmax() * 44_100 / len(samples)


def test_the_default_sound_goes_before_the_first(tmp_path):
    """As recorders mark the microphone beside the desktop; without a mark the first is taken."""
    for name, marks, hertz in (
        ("marked.mp4", {"disposition:a:0": "0", "disposition:a:1": "default"}, 880),
        ("first.mkv", {"disposition:a:0": "0", "disposition:a:1": "0"}, 440),
    ):
        path = encode(film(), tone(440), tone(880), path=tmp_path / name, pix_fmt="yuv420p", **marks)
        assert loudest_hertz(path) == pytest.approx(hertz, abs=5)


def test_a_film_goes_before_an_unmarked_cover(tmp_path):
    cover = encode(film("red", 0.04, "300x300"), path=tmp_path / "cover.jpg", **{"frames:v": 1})
    plain = encode(film("white"), tone(440), path=tmp_path / "plain.mp4", pix_fmt="yuv420p")
    inputs = [ffmpeg.input(video.address(path)) for path in (cover, plain)]
    path = encode(inputs[0].video, inputs[1].video, inputs[1].audio, path=tmp_path / "both.mkv", c="copy")
    media = video.probe(path)
    assert (media.width, media.height) == (160, 120)
    frames = list(video.read_frames(media))
    assert len(frames) == 25
    assert frames[0].mean() > 250


ENDS = {
    "mkv": {"pix_fmt": "yuv420p"},
    "webm": {"vcodec": "libvpx", "acodec": "libopus", "deadline": "realtime"},
    "flv": {"pix_fmt": "yuv420p", "vcodec": "libx264", "ar": 44100},
    "wmv": {"vcodec": "wmv2", "acodec": "wmav2"},
    "mp4": {"pix_fmt": "yuv420p"},
}


@pytest.mark.parametrize("kind", ENDS)
def test_a_picture_may_end_before_its_sound(kind, tmp_path):
    """And a file that was cut off is truncated all the same."""
    path = encode(film(seconds=1.6), tone(440, 3), path=tmp_path / f"film.{kind}", **ENDS[kind])
    assert len(list(video.read_frames(video.probe(path)))) == 40


@pytest.mark.parametrize("kind", ["mkv", "flv"])
def test_a_file_that_was_cut_off_is_truncated(kind, tmp_path):
    noise = film(seconds=3).filter("noise", alls=60, allf="t")
    whole = encode(noise, tone(440, 3), path=tmp_path / f"whole.{kind}", **ENDS[kind])
    path = tmp_path / f"cut.{kind}"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(InputError, match="truncated"):
        list(video.read_frames(video.probe(path)))


def test_recordings_joined_end_to_end_go_on(tmp_path):
    """Whose times begin anew at the joint."""
    one = flash_and_click(tmp_path / "one.ts", pix_fmt="yuv420p")
    path = tmp_path / "two.ts"
    path.write_bytes(one.read_bytes() * 2)
    frames = np.array(list(video.read_frames(video.probe(path))))
    seen = onsets(frames.mean(axis=(1, 2)), 128) / 25
    heard = onsets(np.abs(extract_audio(path).astype(int)), 3000) / 44_100
    np.testing.assert_allclose(seen, [*CLICKS_S, *np.add(CLICKS_S, 3)], atol=0.06)
    np.testing.assert_allclose(heard, seen, atol=0.08)
    # The sound ends later than the picture, and goes on with the picture all the same.
    np.testing.assert_allclose(heard[len(CLICKS_S) :] - heard[: len(CLICKS_S)], 3, atol=0.002)


def test_pictures_before_the_first_time_that_is_said(tmp_path):
    """A cut by copying, in the middle of a group of pictures: Matroska says no time below zero."""
    whole, path = flash_and_click(tmp_path / "whole.mp4", pix_fmt="yuv420p"), tmp_path / "cut.mkv"
    command = [ffmpeg_program(), "-nostdin", "-v", "error", "-ss", "0.8", "-i", str(whole), "-c", "copy"]
    subprocess.run([*command, "-avoid_negative_ts", "disabled", str(path)], check=True)
    media = video.probe(path)
    assert media.zero_s == pytest.approx(-0.8, abs=0.001)
    assert len(list(video.read_frames(media))) == 75
    check_step(path)


def test_a_gap_of_the_sound_is_kept(tmp_path):
    """As telephones begin: a first packet, 15 ms of nothing, the rest."""
    plain, path = flash_and_click(tmp_path / "plain.mkv", pix_fmt="yuv420p", acodec="flac"), tmp_path / "gap.mkv"
    command = [ffmpeg_program(), "-nostdin", "-v", "error", "-i", str(plain), "-c:v", "copy", "-c:a", "flac"]
    subprocess.run([*command, "-af", "asetpts=PTS+if(gt(T\\,0.04)\\,0.015/TB\\,0)", str(path)], check=True)
    before, after = (np.abs(extract_audio(each).astype(int)) for each in (plain, path))
    late_s = (onsets(after, 3000) - onsets(before, 3000)) / 44_100
    np.testing.assert_allclose(late_s, 0.015, atol=0.001)


def test_a_picture_that_changes_its_size_keeps_the_first(tmp_path):
    path = tmp_path / "call.ts"
    parts = [
        encode(film("white", size=size), path=tmp_path / f"{size}.ts", pix_fmt="yuv420p", output_ts_offset=offset)
        for offset, size in enumerate(("160x120", "320x240"))
    ]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = list(video.read_frames(video.probe(path)))
    assert {frame.shape for frame in frames} == {(120, 160)}
    assert abs(len(frames) - 50) <= 1
