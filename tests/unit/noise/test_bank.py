"""The noise file, stretches cut from it, and their ratio to speech."""

import h5py
import numpy as np
import pytest
import soundfile
import torch

from talkface.errors import TalkfaceError
from talkface.noise.bank import NoiseBank, add_noise, assemble_noise, read_noise
from talkface.noise.training_formulas import NOISES, find_recordings, make_noise, make_noises


@pytest.fixture
def tones(tmp_path):
    """Two recordings, stereo at 44.1 kHz and mono at 8 kHz."""
    time = np.arange(44_100) / 44_100
    stereo = np.stack([0.5 * np.sin(2 * np.pi * 440 * time), np.zeros_like(time)], axis=1)
    soundfile.write(tmp_path / "tone.wav", stereo, 44_100)
    soundfile.write(tmp_path / "hiss.flac", np.random.default_rng(0).uniform(-0.3, 0.3, 8_000), 16_000)
    return [tmp_path / "tone.wav", tmp_path / "hiss.flac"]


def test_recordings_are_gathered_at_16_khz(tones, tmp_path):
    assemble_noise(tones, tmp_path / "noise.h5")
    with h5py.File(tmp_path / "noise.h5") as file:
        assert set(file) == {"tone", "hiss"}
        tone = file["tone"]
        assert (tone.shape, tone.dtype, tone.attrs["rate"]) == ((16_000,), np.int16, 16_000)
        assert len(tone.attrs["digest"]) == 64
        assert np.abs(tone[:]).max() / 32_768 == pytest.approx(0.25, abs=0.01)  # channels are averaged
        np.testing.assert_array_equal(file["hiss"][:], soundfile.read(tones[1], dtype="int16")[0])
    bank = read_noise(tmp_path / "noise.h5", 8_000)
    assert len(bank) == 2
    assert len(read_noise(tmp_path / "noise.h5", 16_000).samples) == 2 * len(bank.samples)


def test_a_file_of_the_authors_layout_is_read(tmp_path):
    generator = np.random.default_rng(0)
    with h5py.File(tmp_path / "theirs.h5", "w") as file:
        file["rain"] = 1e-6 * generator.standard_normal(5_000)  # of any level
        file["train"] = generator.standard_normal((1, 3_000)).astype(np.float32)
        file["steps"] = np.full(2_240, -32_768, np.int16)
        file["comment"] = "recorded in the street"
    bank = read_noise(tmp_path / "theirs.h5", 8_000)
    assert bank.lengths.tolist() == [5_000, 2_240, 3_000]
    assert bank.samples.abs().max() == 1
    assert bank.samples[:5_000].abs().max() == 1


def write(path, **arrays):
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array
    return path


NOISE = np.random.default_rng(0).standard_normal(3_000)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"a": NOISE[:2_239]}, "a: 2239 samples at 8000 Hz; a noise must last a window, 2240 samples or more"),
        ({"a": NOISE, "b": np.zeros(3_000)}, "b: digital silence"),
        ({"a": np.where(np.arange(3_000) == 7, np.nan, NOISE)}, "a: samples that are no numbers"),
        ({"a": np.where(np.arange(3_000) == 7, np.inf, NOISE)}, "a: samples that are no numbers"),
        ({"a": NOISE.reshape(2, -1)}, r"a: an array of shape \(2, 1500\)"),
        ({"a": "a letter"}, "no recording; one array of samples each was expected"),
        ({}, "no recording"),
    ],
)
def test_a_bad_noise_file_is_one_line(tmp_path, arrays, said):
    path = write(tmp_path / "bad.h5", **arrays)
    with pytest.raises(TalkfaceError, match=said) as caught:
        read_noise(path, 8_000)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_noise_file_is_one_line(tmp_path):
    (tmp_path / "letter.h5").write_text("Dear reader")
    for name in ("letter.h5", "absent.h5"):
        with pytest.raises(TalkfaceError, match=f"{name}: not readable as HDF5"):
            read_noise(tmp_path / name, 8_000)


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (np.zeros(8_000), "digital silence"),
        (NOISE[:100] / 10, "200 samples at 16000 Hz; a noise must last a window"),
        (np.where(np.arange(3_000) == 7, np.nan, NOISE), "no number"),
    ],
)
def test_a_bad_recording_is_one_line_and_leaves_no_file(tmp_path, samples, said):
    path, output = tmp_path / "bad.wav", tmp_path / "noise.h5"
    soundfile.write(path, samples, 8_000, subtype="FLOAT")
    output.write_text("what was there before")
    with pytest.raises(TalkfaceError, match=said) as caught:
        assemble_noise([path], output)
    assert str(path) in str(caught.value)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["bad.wav", "noise.h5"]
    assert output.read_text() == "what was there before"


def test_recordings_of_one_name_and_an_empty_folder_are_refused(tones, tmp_path):
    soundfile.write(tmp_path / "tone.flac", NOISE / 10, 8_000)
    assert [path.split(".")[-1] for path in find_recordings(tmp_path)] == ["flac", "flac", "wav"]
    with pytest.raises(TalkfaceError, match=r"tone.wav: .*tone.flac has the same stem"):
        assemble_noise(find_recordings(tmp_path), tmp_path / "noise.h5")
    with pytest.raises(TalkfaceError, match=r"no recording in .*nowhere"):
        find_recordings(tmp_path / "nowhere")
    with pytest.raises(TalkfaceError, match="no recording"):
        assemble_noise([], tmp_path / "noise.h5")


def test_stretches_come_from_everywhere_and_a_draw_says_which():
    bank = NoiseBank([np.arange(1, 5_001), np.arange(1, 3_001)])
    draw = torch.rand(4_000, 2, generator=torch.Generator().manual_seed(0))
    cut = bank.cut(draw, 2_240)
    assert cut.shape == (4_000, 2_240)
    assert cut.dtype == torch.float32
    assert torch.equal(cut, bank.cut(draw, 2_240))
    first = draw[:, 0] < 0.5
    start = (cut[:, 0] * torch.where(first, 5_000, 3_000)).round().long() - 1
    assert start[first].min() <= 5
    assert start[first].max() >= 2_760 - 5  # 5,000 - 2,240
    assert start[~first].max() <= 760
    steps = cut.diff(dim=1)
    assert steps.min() > 0  # none runs over an end
    assert bank.cut(torch.tensor([[0.0, 0.0], [1 - 1e-8, 1 - 1e-8]]), 2_240).isfinite().all()


def test_a_recording_shorter_than_a_stretch_is_repeated():
    bank = NoiseBank([np.arange(1, 2_301), np.ones(10_000)])
    cut = bank.cut(torch.tensor([[0.2, 0.5]]), 7_000)[0]
    torch.testing.assert_close(cut[2_300:], cut[:-2_300])
    assert cut[0] == 1_151 / 2_300


@pytest.mark.parametrize("snr_db", [-10, 0, 6, 30])
def test_the_ratio_is_the_one_asked_for(snr_db):
    generator = torch.Generator().manual_seed(0)
    clean = 0.01 * torch.randn(4, 7_000, generator=generator)
    noise = torch.tensor([[1.0], [1e-3], [30.0], [0.1]]) * torch.randn(4, 7_000, generator=generator)
    added = add_noise(clean, noise, torch.tensor(float(snr_db))) - clean
    found = 10 * torch.log10(clean.square().mean(1) / added.square().mean(1))
    torch.testing.assert_close(found, torch.full((4,), float(snr_db)), atol=0.01, rtol=0)


def test_silence_of_either_adds_nothing_and_is_a_number():
    speech, silence = torch.randn(1, 2_240), torch.zeros(1, 2_240)
    assert torch.equal(add_noise(speech, silence, torch.tensor(0.0)), speech)
    assert torch.equal(add_noise(speech, 1e-7 * speech, torch.tensor(0.0)), speech)
    assert torch.equal(add_noise(silence, speech, torch.tensor(0.0)), silence)
    assert torch.equal(add_noise(silence, silence, torch.tensor(0.0)), silence)


def test_noises_made_by_formula(tmp_path):
    assert len(NOISES) >= 8
    files = [tmp_path / f"{name}.wav" for name in NOISES]
    make_noises(files)
    spread = {}
    for path in files:
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.duration) == (16_000, 1, 10.0)
        samples, _ = soundfile.read(path)
        np.testing.assert_allclose(samples, make_noise(path.stem), atol=1e-4)
        assert 0.03 < np.sqrt(np.square(samples).mean()) < 0.11
        power = np.square(samples.reshape(100, -1)).mean(axis=1)  # of 100 ms
        spread[path.stem] = (10 * np.log10(power)).std()
    assert spread["hum"] < 0.5
    assert not {"white", "pink", "babble"} & set(NOISES)  # kept for the evaluation
    assert sum(value > 2 for value in spread.values()) >= 4  # some come and go
    assemble_noise(files, tmp_path / "noise.h5")
    assert len(read_noise(tmp_path / "noise.h5", 8_000)) == len(NOISES)


def test_real_recordings(shared_data, tmp_path):
    files = find_recordings(shared_data / "noise")
    assemble_noise(files, tmp_path / "noise.h5")
    bank = read_noise(tmp_path / "noise.h5", 8_000)
    assert len(bank) == len(files) >= 10
    assert bank.cut(torch.rand(64, 2), 7_040).isfinite().all()
