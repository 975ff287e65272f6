"""Sound of any file as mono int16, its faults in words, and the shards that hold it."""

import h5py
import numpy as np
import pytest
import soundfile

from talkface.errors import TalkfaceError
from talkface.files import digest
from talkface.media import audio

RATE = 22_050


def tone(seconds=1.0, *, rate=RATE, hertz=440.0, level=0.3):
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def frequency(samples, rate):
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return np.argmax(spectrum) * rate / len(samples)


@pytest.fixture
def spoken(tmp_path):
    path = tmp_path / "spoken.wav"
    soundfile.write(path, tone(), RATE)
    return path


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg", "m4a"])
def test_every_kind_of_speech_file(suffix, tmp_path):
    from tests.unit.media.test_video import encode, ffmpeg

    soundfile.write(tmp_path / "stereo.wav", np.stack([tone(), tone()], axis=1), RATE)
    path = encode(ffmpeg.input(str(tmp_path / "stereo.wav")), path=tmp_path / f"speech.{suffix}")
    samples = audio.extract_audio(path)
    assert samples.dtype == np.int16
    # mp3 and aac work in blocks of about a thousand samples and may round the end up to one.
    assert len(samples) == pytest.approx(44_100, abs=2300)
    assert frequency(samples, 44_100) == pytest.approx(440, abs=2)
    # Two equal channels averaged are one of them.
    assert np.abs(samples).max() == pytest.approx(0.3 * 32_768, rel=0.1)


def test_another_rate_and_stretch(spoken):
    samples = audio.extract_audio(spoken, rate=8_000, start_s=0.25, end_s=0.75)
    assert len(samples) == 4_000
    assert frequency(samples, 8_000) == pytest.approx(440, abs=2)


def test_a_float_master_is_the_file_itself(tmp_path):
    """At the rate of the source, 16 bits to the last, channels averaged without rounding."""
    channels = np.random.default_rng(0).integers(-20_000, 20_000, (RATE, 2)).astype(np.int16)
    soundfile.write(tmp_path / "stereo.wav", channels, RATE, subtype="PCM_16")
    audio.extract_wav(tmp_path / "stereo.wav", tmp_path / "master.wav", rate=None, as_float=True)
    samples, rate = soundfile.read(tmp_path / "master.wav", dtype="float32")
    assert (rate, soundfile.info(tmp_path / "master.wav").subtype) == (RATE, "FLOAT")
    np.testing.assert_allclose(samples, channels.mean(axis=1) / 32_768, atol=1e-7)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (np.zeros(0, np.float32), "no sample"),
        (np.zeros(4_000, np.float32), "digital silence"),
    ],
)
def test_sound_without_sound(content, words, tmp_path):
    path = tmp_path / "nothing.wav"
    soundfile.write(path, content, RATE)
    with pytest.raises(TalkfaceError, match=words) as caught:
        audio.extract_audio(path)
    assert "nothing.wav" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_video_without_sound(tmp_path):
    from tests.unit.media.test_video import encode, ffmpeg

    path = encode(ffmpeg.input("color=s=64x64:r=25:d=0.2", f="lavfi"), path=tmp_path / "mute.mp4", pix_fmt="yuv420p")
    with pytest.raises(TalkfaceError, match=r"mute\.mp4: no audio stream"):
        audio.extract_audio(path)


def test_one_bad_clip_does_not_stop_the_shard(tmp_path, spoken):
    letter = tmp_path / "letter.mp4"
    letter.write_text("Dear reader")
    shard = tmp_path / "results" / "shard.h5"
    audio.extract_audio_shard(
        [letter, spoken, spoken],
        shard,
        clips=["bad", "good", "part"],
        start_s=[None, None, 0.5],
        end_s=[None, None, None],
    )
    with h5py.File(shard) as file:
        assert len(file["bad"]) == 0
        assert "letter.mp4" in file["bad"].attrs["rejected"]
        assert len(file["good"]) == 44_100
        assert len(file["part"]) == 22_050
        attributes = dict(file["good"].attrs)
    assert attributes == {"rejected": "", "rate": 44_100, "source": "spoken.wav", "digest": digest(spoken)}


def test_a_failure_leaves_no_half_shard(tmp_path, spoken):
    shard = tmp_path / "shard.h5"
    with pytest.raises(ValueError, match="zip"):
        audio.extract_audio_shard([spoken], shard, clips=["a", "b"], start_s=[None], end_s=[None])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["spoken.wav"]


def test_wav_comes_back(tmp_path, spoken):
    audio.extract_wav(spoken, tmp_path / "out.wav")
    samples, rate = soundfile.read(tmp_path / "out.wav", dtype="int16")
    assert rate == 44_100
    np.testing.assert_array_equal(samples, audio.extract_audio(spoken))


def test_long_sound_comes_in_blocks(tmp_path):
    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "long.wav", rng.uniform(-0.5, 0.5, 30 * RATE), RATE)
    blocks = list(audio.sound_blocks(tmp_path / "long.wav"))
    assert len(blocks) > 1
    assert max(len(block) for block in blocks) <= RATE
    assert sum(len(block) for block in blocks) == 30 * 44_100


def speechlike(seconds=1.0):
    """Noise whose loudness comes and goes."""
    time = np.arange(round(seconds * audio.RATE)) / audio.RATE
    return 0.3 * np.random.default_rng(3).uniform(-1, 1, len(time)) * np.sin(2 * np.pi * time) ** 2


@pytest.mark.parametrize("share", [-1.0, -0.95])
def test_of_two_channels_that_cancel_one_is_taken(share, tmp_path, caplog):
    mono = speechlike()
    soundfile.write(tmp_path / "turned.wav", np.stack([mono, share * mono], axis=1), audio.RATE)
    soundfile.write(tmp_path / "mono.wav", mono, audio.RATE)
    np.testing.assert_allclose(
        audio.extract_audio(tmp_path / "turned.wav"), audio.extract_audio(tmp_path / "mono.wav"), atol=1
    )
    assert "one channel is the other turned over" in caplog.text


def test_of_two_channels_that_differ_the_mean_is_taken(tmp_path):
    left, right = speechlike(), np.random.default_rng(4).uniform(-0.3, 0.3, audio.RATE)
    soundfile.write(tmp_path / "both.wav", np.stack([left, right], axis=1), audio.RATE)
    expected = np.round((left + right) / 2 * 32_768)
    np.testing.assert_allclose(audio.extract_audio(tmp_path / "both.wav"), expected, atol=2)


def test_floats_over_full_scale_are_scaled(tmp_path, caplog):
    loud = 10 * speechlike()
    soundfile.write(tmp_path / "hot.wav", loud, audio.RATE, subtype="FLOAT")
    samples = audio.extract_audio(tmp_path / "hot.wav")
    np.testing.assert_allclose(samples, loud / np.abs(loud).max() * 32_768, atol=2)
    assert "over full scale" in caplog.text


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_sample_that_is_no_number_is_named_with_its_place(subtype, value, tmp_path):
    samples = speechlike()
    samples[22_050] = value
    soundfile.write(tmp_path / "bad.wav", samples, audio.RATE, subtype=subtype)
    with pytest.raises(TalkfaceError, match=r"bad\.wav: a sample that is no number .* at 0\.5000 s"):
        audio.extract_audio(tmp_path / "bad.wav")


def test_a_voice_of_zeros_is_taken_with_a_warning(tmp_path, caplog):
    """The face rests; as a clip of a corpus it is rejected (`test_sound_without_sound`)."""
    soundfile.write(tmp_path / "zeros.wav", np.zeros(audio.RATE), audio.RATE)
    audio.extract_wav(tmp_path / "zeros.wav", tmp_path / "out.wav")
    assert not soundfile.read(tmp_path / "out.wav")[0].any()
    assert "zeros.wav: digital silence; the face will rest" in caplog.text
