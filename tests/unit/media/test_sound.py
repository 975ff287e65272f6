import librosa.filters
import numpy as np
import pytest
import soundfile
import torch

from talkface.errors import TalkfaceError
from talkface.media import sound
from talkface.models.layers import log_mel


@pytest.mark.parametrize(
    ("samples", "rate", "frames"),
    [
        (24_000, 8_000, 76),  # 3.000 s: 76 windows, 75 video frames
        (23_999, 8_000, 75),
        (320, 8_000, 2),
        (319, 8_000, 1),
        (1, 8_000, 1),
        (0, 8_000, 0),
        (132_300, 44_100, 76),
        (48_000, 16_000, 76),
        (23_824, 8_000, 75),  # GRID
    ],
)
def test_count_frames(samples, rate, frames):
    assert sound.count_frames(samples, rate) == frames


def level(samples, kind, *, cuts=(), rate=8_000):
    peak = np.abs(samples.astype(float)).max() / 32_768
    leveller = sound.Leveller(kind, rate=rate, peak=peak)
    return np.concatenate([leveller.apply(piece) for piece in np.split(samples, cuts)])


def tone(amplitude, seconds, rate=8_000):
    wave = amplitude * np.sin(2 * np.pi * 200 * np.arange(seconds * rate) / rate)
    return np.round(32_767 * wave).astype(np.int16)


def test_level_brings_the_peak_to_one_but_not_silence():
    assert np.abs(level(tone(0.5, 1), "peak")).max() == pytest.approx(1)
    assert np.abs(level(tone(0.001, 1), "peak")).max() == pytest.approx(0.1, rel=0.05)
    assert not level(tone(0, 1), "peak").any()


def test_running_level_knows_only_what_was_heard():
    quiet_then_loud = np.concatenate([tone(0.05, 2), tone(0.5, 2)])
    levelled = level(quiet_then_loud, "running")
    np.testing.assert_array_equal(levelled[:16_000], level(tone(0.05, 2), "running"))
    assert np.abs(levelled).max() < 1.000001
    assert np.abs(levelled[16_000:]).max() == pytest.approx(1)
    # It starts at -20 dB and forgets that by 3 dB a second: after two seconds a tone of -26 dB is at full scale.
    assert np.abs(levelled[:800]).max() == pytest.approx(0.5, rel=0.05)
    assert np.abs(levelled[15_800:16_000]).max() > 0.97
    assert np.abs(level(np.concatenate([tone(0.5, 1), tone(0.05, 1)]), "running")[8_100:8_500]).max() < 0.12


def test_steady_level_lifts_a_quiet_room_by_little():
    room, voice = tone(0.003, 3), tone(0.5, 1)
    levelled = level(np.concatenate([room, voice, room]), "steady")
    ends = [np.abs(levelled[begin : begin + 800]).max() for begin in (0, 3 * 8_000 - 800, 3 * 8_000, 7 * 8_000 - 800)]
    # It starts at -6 dB and forgets that by 1 dB a second, as it does the voice.
    lifted = 10 ** (np.array([6.0, 9.0]) / 20)
    assert ends == pytest.approx([0.003 * lifted[0], 0.003 * lifted[1], 1.0, 0.006 * lifted[1] / lifted[0]], rel=0.05)


def test_running_level_is_the_same_however_the_file_is_cut():
    samples = np.concatenate([tone(0.3, 1), tone(0, 1), tone(0.02, 1)])
    whole = level(samples, "running")
    np.testing.assert_allclose(level(samples, "running", cuts=(1, 700, 701, 9_000)), whole, rtol=1e-5)
    assert np.isfinite(whole).all()


def test_recorded_level_changes_nothing():
    np.testing.assert_allclose(level(tone(0.3, 1), "recorded"), tone(0.3, 1) / 32_768, rtol=1e-6)


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_resample_keeps_a_tone_and_its_place(rate):
    time = np.arange(44_100) / 44_100
    tone = np.round(16_000 * np.sin(2 * np.pi * 440 * time)).astype(np.int16)
    resampled = sound.resample(tone, 44_100, rate)
    assert resampled.dtype == np.int16
    assert len(resampled) == rate
    expected = 16_000 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    inner = slice(rate // 20, -rate // 20)
    assert np.abs(resampled[inner] - expected[inner]).max() < 40  # 0.25 %


def test_blocks_change_nothing():
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 50_001).astype(np.float32)
    whole = np.concatenate(list(sound.resample_blocks([samples], 44_100, 16_000)))
    pieces = np.concatenate(list(sound.resample_blocks(np.array_split(samples, 23), 44_100, 16_000)))
    assert len(whole) == int(np.ceil(50_001 * 16_000 / 44_100))
    assert len(whole) == len(pieces)
    assert np.abs(whole.astype(int) - pieces).max() <= 1  # of 32,768: rounding


def test_the_same_rate_is_left_alone():
    samples = np.arange(-100, 100, dtype=np.int16)
    np.testing.assert_array_equal(sound.resample(samples, 8_000, 8_000), samples)
    assert len(sound.resample(samples[:0], 44_100, 8_000)) == 0


def test_log_mel_by_the_definition():
    audio = np.random.default_rng(0).uniform(-1, 1, 4_000).astype(np.float32)
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    mel = librosa.filters.mel(sr=16_000, n_fft=512, n_mels=64, fmin=50.0, fmax=7_000)
    frames = np.stack([audio[m * 160 : m * 160 + 400] * taper for m in range(23)])
    expected = np.log(1e-6 + (np.abs(np.fft.rfft(frames, 512)) ** 2) @ mel.T)
    ours = log_mel.LogMel(rate=16_000, bands=64, hop=160, window=400)(torch.from_numpy(audio)[None])[0]
    np.testing.assert_allclose(ours.numpy(), expected, atol=1e-3)


def test_another_vocal_tract_moves_a_tone_to_another_band():
    layer = log_mel.LogMel(rate=16_000, bands=64, hop=160, window=400, warp=0.1)
    time = torch.arange(8_000) / 16_000

    def band(frequency, choice):
        tone = torch.sin(2 * torch.pi * frequency * time)[None]
        return layer(tone, torch.tensor([choice]))[0].mean(dim=0).argmax().item()

    for frequency in (800, 2_000, 4_000):
        assert band(frequency, 8) == pytest.approx(band(1.1 * frequency, 4), abs=1)
        assert band(frequency, 0) == pytest.approx(band(0.9 * frequency, 4), abs=1)
        assert band(frequency, 0) < band(frequency, 4) < band(frequency, 8)
    tone = torch.sin(2 * torch.pi * 800 * time)[None]
    torch.testing.assert_close(layer(tone), layer(tone, torch.tensor([4])))


def test_a_feature_frame_sees_its_samples_only():
    layer = log_mel.LogMel(rate=16_000, bands=40, hop=160, window=400)
    click = torch.zeros(1, 4_000)
    click[0, 1_000] = 1
    heard = (layer(click) - layer(torch.zeros(1, 4_000)))[0].abs().amax(dim=1) > 1e-3
    frames = torch.nonzero(heard)[:, 0].tolist()
    assert frames == [m for m in range(23) if m * 160 < 1_000 < m * 160 + 400]


def test_read_blocks_averages_channels(tmp_path):
    path = tmp_path / "a b'$(touch x).wav"
    stereo = np.stack([np.full(9_000, 0.5), np.full(9_000, -0.25)], axis=1)
    soundfile.write(path, stereo, 8_000, subtype="FLOAT")
    samples = np.concatenate(list(sound.read_blocks(path, 8_000, block_s=0.1)))
    assert len(samples) == 9_000
    assert np.unique(samples).tolist() == [4_096]


@pytest.mark.parametrize(("right", "kept"), [(-1.0, 1.0), (-0.98, 1.0), (0.0, 0.5), (1.0, 1.0), (-0.3, 0.35)])
def test_of_two_channels_that_cancel_the_first_is_taken(tmp_path, right, kept):
    left = np.random.default_rng(0).uniform(-0.3, 0.3, 8_000).astype(np.float32)
    soundfile.write(tmp_path / "stereo.wav", np.stack([left, right * left], axis=1), 8_000, subtype="FLOAT")
    heard = np.concatenate(list(sound.read_sound(tmp_path / "stereo.wav", block_s=0.1)))
    np.testing.assert_allclose(heard, kept * left, atol=1e-6)


@pytest.mark.parametrize("bad", ["nan", "inf", "empty", "text", "missing"])
def test_bad_sound_is_refused_in_one_line(tmp_path, bad):
    path = tmp_path / f"{bad}.wav"
    samples = np.zeros(8_000, np.float32)
    if bad in ("nan", "inf"):
        samples[4_000] = float(bad)
        soundfile.write(path, samples, 8_000, subtype="FLOAT")
    elif bad == "empty":
        soundfile.write(path, samples[:0], 8_000)
    elif bad == "text":
        path.write_text("this is no sound")
    with pytest.raises(TalkfaceError) as caught:
        list(sound.read_blocks(path, 16_000))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert {"nan": "no number (NaN or infinite) at 0.5000 s", "inf": "at 0.5000 s", "empty": "no samples"}.get(
        bad, "not readable"
    ) in str(caught.value)
