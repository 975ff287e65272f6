"""The noise of an evaluation: what makes each kind what it is, and how recordings are gathered."""

import itertools

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.signal
import scipy.stats
import soundfile

from talkface.errors import TalkfaceError
from talkface.files import digest
from talkface.noise.evaluation_formulas import ENVIRONMENT, FORMULAS, make_test_noise, make_test_noises, to_level
from talkface.noise.evaluation_noise import KINDS, assemble_test_noise, lengthen, make_babble, shorten_pauses
from talkface.noise.music import MUSIC
from talkface.noise.training_formulas import NOISES, RATE, find_recordings


@pytest.fixture(scope="module")
def made():
    """Every noise by formula, (S,) each."""
    return {name: make_test_noise(name) for name in FORMULAS}


def powers(samples, edges):
    """Shares of the power between edges in Hz."""
    frequency, density = scipy.signal.welch(samples, RATE, nperseg=4_096)
    parts = [density[(frequency >= low) & (frequency < high)].sum() for low, high in itertools.pairwise(edges)]
    return np.array(parts) / density.sum()


def octaves(samples):
    """Level of the octaves from 125 Hz to 8 kHz, dB."""
    return 10 * np.log10(powers(samples, [125, 250, 500, 1_000, 2_000, 4_000, 8_000]))


def modulation(samples, low, high):
    """Deviation of the envelope (10 ms) between two rates in Hz, relative to its mean."""
    envelope = np.abs(samples[: len(samples) // 160 * 160]).reshape(-1, 160).mean(axis=1)
    amplitude = 2 * np.abs(np.fft.rfft(envelope / envelope.mean())) / len(envelope)
    rate = np.fft.rfftfreq(len(envelope), 0.01)
    return np.sqrt(np.square(amplitude[(rate >= low) & (rate < high)]).sum() / 2)


def strongest_rate(samples, low, high):
    """The rate in Hz at which the envelope varies most."""
    envelope = np.abs(samples[: len(samples) // 160 * 160]).reshape(-1, 160).mean(axis=1)
    amplitude, rate = np.abs(np.fft.rfft(envelope - envelope.mean())), np.fft.rfftfreq(len(envelope), 0.01)
    inside = (rate >= low) & (rate < high)
    return rate[inside][np.argmax(amplitude[inside])]


def spread(samples):
    """Deviation of the level of 100 ms, dB."""
    pieces = samples[: len(samples) // 1_600 * 1_600].reshape(-1, 1_600)
    return (10 * np.log10(np.square(pieces).mean(axis=1))).std()


def test_formulas_are_none_of_the_trainings(made):
    assert not FORMULAS.keys() & NOISES.keys()
    assert not set(FORMULAS.values()) & set(NOISES.values())
    assert len(ENVIRONMENT) >= 6
    assert len(MUSIC) >= 3
    for name, samples in made.items():
        assert len(samples) >= 10 * RATE
        assert np.isfinite(samples).all()
        assert (samples.mean(), samples.std()) == pytest.approx((0, 1), abs=1e-9)
        np.testing.assert_array_equal(samples, make_test_noise(name))
    names = list(made)
    for index, name in enumerate(names):  # and no two are one
        assert all(abs(np.corrcoef(made[name], made[other])[0, 1]) < 0.2 for other in names[:index])


@pytest.mark.parametrize(("kind", "slope"), [("white", 3.01), ("pink", 0.0)])  # dB an octave of power in octaves
def test_colours(made, kind, slope):
    for number in (1, 2):
        samples = made[f"{kind}_{number}"]
        np.testing.assert_allclose(np.diff(octaves(samples)), slope, atol=0.4)
        assert scipy.stats.kurtosis(samples) == pytest.approx(0, abs=0.1)
        assert spread(samples) < 2


def test_environment(made):
    # Surf swells once in 6 to 9 s; a helicopter's blades pass eleven times a second; crickets chirp two to three times.
    assert 1 / 10 <= strongest_rate(made["surf"], 0.05, 5) <= 1 / 5
    assert strongest_rate(made["helicopter"], 2, 20) == pytest.approx(11, abs=0.4)
    assert powers(made["crickets"], [2_000, 4_000])[0] > 0.9
    assert modulation(made["crickets"], 1.5, 8) > 0.4
    # Crackles are rare and strong; claps are many.
    assert scipy.stats.kurtosis(made["fire"]) > 30
    assert 1 < scipy.stats.kurtosis(made["applause"]) < scipy.stats.kurtosis(made["fire"])
    # Bubbles lie between 0.4 and 3 kHz.
    assert powers(made["brook"], [300, 3_500])[0] > 0.9
    # The partials of bells are a handful of lines.
    _, density = scipy.signal.welch(made["bells"], RATE, nperseg=RATE)
    assert np.sort(density)[-60:].sum() > 0.9 * density.sum()
    assert sum(spread(made[name]) > 2 for name in ENVIRONMENT) >= 4  # most come and go


@pytest.mark.parametrize("name", MUSIC)
def test_music_is_in_tune_and_in_time(made, name):
    samples, options = made[name], MUSIC[name].keywords
    spectrum = np.square(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))))
    frequency = np.fft.rfftfreq(len(samples), 1 / RATE)
    heard = (frequency > 100) & (frequency < 600)  # fundamentals
    note = 69 + 12 * np.log2(frequency[heard] / 440)
    near = np.abs(note - np.round(note)) < 0.2  # 40 % of the axis
    assert spectrum[heard][near].sum() > 0.75 * spectrum[heard].sum()
    # Seven of twelve pitch classes make a key.
    weight = np.bincount(np.round(note[near]).astype(int) % 12, spectrum[heard][near], minlength=12)
    scale = (options["key"] + np.array([0, 2, 4, 5, 7, 9, 11])) % 12
    assert weight[scale].sum() > 0.9 * weight.sum()
    # What begins, begins on beats.
    envelope = np.abs(scipy.signal.stft(samples, RATE, nperseg=1_024, noverlap=864)[2])
    onsets = np.convolve(np.diff(np.log(envelope + 1e-2), axis=1).clip(0).sum(axis=0), np.hanning(9), "same")
    onsets -= onsets.mean()
    lags = np.correlate(onsets, onsets, "full")[len(onsets) - 1 :] / np.square(onsets).sum()
    beat = 6_000 / options["tempo"]  # steps of 10 ms
    between = max(lags[round(beat * share)] for share in (0.62, 0.88, 1.12, 1.38))
    assert lags[round(beat)] > 0.15
    assert lags[round(beat)] > 2 * between


def speech(rng, seconds, pitch):
    """A buzz in the rhythm of syllables with pauses, (S,)."""
    time = np.arange(round(seconds * RATE)) / RATE
    loud = np.sin(2 * np.pi * 2 * time + rng.uniform(0, 6)).clip(0) * (np.sin(0.9 * time + rng.uniform(0, 6)) > -0.5)
    return 0.2 * loud * np.sign(np.sin(2 * np.pi * pitch * time)) + 1e-5 * rng.standard_normal(len(time))


@pytest.fixture
def folder(tmp_path):
    """Six talkers of unequal loudness, one of them brief, and one noise of 5 s in stereo."""
    rng = np.random.default_rng(0)
    (tmp_path / "speech").mkdir()
    for number, seconds in enumerate([14, 15, 16, 17, 18, 3]):
        samples = rng.uniform(0.05, 1) * speech(rng, seconds, 90 + 20 * number)
        soundfile.write(tmp_path / "speech" / f"t{number}.wav", samples, 22_050 if number % 2 else 16_000)
    (tmp_path / "noise").mkdir()
    hiss = np.concatenate([rng.uniform(-0.5, 0.5, 3 * 8_000), np.zeros(2 * 8_000)])
    soundfile.write(tmp_path / "noise" / "hiss.flac", np.stack([hiss, hiss], axis=1), 8_000)
    (tmp_path / "noise" / "notes.txt").write_text("a hiss")
    make_test_noises([tmp_path / f"{name}.wav" for name in ("music_band", "white_1", "pink_1")])
    return tmp_path


def assemble(folder, **changes):
    given = {
        "environment": find_recordings(folder / "noise", key="evaluate.noise.environment"),
        "speech": find_recordings(folder / "speech", key="evaluate.noise.speech"),
        "music": [folder / "music_band.wav"],
        "white": [folder / "white_1.wav"],
        "pink": [folder / "pink_1.wav"],
    }
    assemble_test_noise(folder / "noise.h5", **(given | changes))
    return h5py.File(folder / "noise.h5")


def test_recordings_are_gathered_kind_by_kind(folder):
    with assemble(folder) as file:
        assert set(file) == set(KINDS)
        for group in file.values():
            for data in group.values():
                assert (data.dtype, data.attrs["rate"]) == (np.int16, RATE)
                assert len(data) >= 10 * RATE
                assert np.sqrt(np.square(data[:] / 32_767).mean()) == pytest.approx(0.1, abs=1e-3)
        hiss = file["environment/hiss"]
        assert hiss.attrs["digest"] == digest(folder / "noise" / "hiss.flac")
        quiet = np.abs(hiss[: 8 * RATE].astype(float)).reshape(-1, 1_600).mean(axis=1) < 10
        assert 0.2 * 80 / 4 <= quiet.sum() <= 0.2 * 80  # 2 of 5 s were silent; now it is half a second of 3.5 s
        assert list(file["talker"]) == ["t0", "t1", "t2", "t3", "t4"]  # not the brief one
        names = {digest(folder / "speech" / f"t{number}.wav") for number in range(5)}
        for babble in file["babble"].values():
            assert set(babble.attrs["digest"].split(",")) == names
        # Five talkers leave no gap and little of the rhythm of one.
        one, many = file["talker/t0"][:].astype(float), file["babble/babble_1"][:].astype(float)
        assert modulation(many, 1, 8) < 0.6 * modulation(one, 1, 8)
        assert scipy.stats.kurtosis(many) < scipy.stats.kurtosis(one)
    with assemble(folder, seed=1) as file:
        assert not np.array_equal(many, file["babble/babble_1"][:])


def test_every_talker_of_babble_is_as_loud(folder):
    time = np.arange(15 * RATE) / RATE
    tones = [loud * np.sin(2 * np.pi * pitch * time) for pitch, loud in ((300, 0.01), (500, 1.0), (700, 0.1))]
    shares = powers(make_babble(tones, rng=np.random.default_rng(0)), [200, 400, 600, 800])
    np.testing.assert_allclose(shares, 1 / 3, atol=0.02)


def test_too_few_talkers_are_refused(folder):
    with pytest.raises(TalkfaceError, match=r"evaluate.noise.speech: 2 sound files; babble needs 3 talkers"):
        assemble(folder, speech=[folder / "speech" / f"t{number}.wav" for number in (0, 1)])
    with assemble(folder, speech=[folder / "speech" / f"t{number}.wav" for number in (0, 1, 5)]) as file:
        assert len(file["talker"]) == 3  # the brief one is repeated
        assert len(file["talker/t5"]) >= 10 * RATE


def test_bad_recordings_are_refused(folder):
    soundfile.write(folder / "mute.wav", np.zeros(RATE), RATE)
    with pytest.raises(TalkfaceError, match=r"mute\.wav: digital silence"):
        assemble(folder, environment=[folder / "mute.wav"])
    with pytest.raises(TalkfaceError, match="another recording of white has the same stem"):
        assemble(folder, white=[folder / "white_1.wav", folder / "white_1.wav"])
    with pytest.raises(TalkfaceError, match=r"evaluate.noise.speech: no recording in .*nowhere"):
        find_recordings(folder / "nowhere", key="evaluate.noise.speech")
    assert not list(folder.glob(".noise*"))


def test_pauses_and_repetitions():
    rng = np.random.default_rng(0)
    loud = rng.standard_normal(RATE)
    gap = np.concatenate([loud, 1e-4 * rng.standard_normal(3 * RATE), loud])
    assert len(shorten_pauses(gap, longest_s=0.3)) / RATE == pytest.approx(2.3, abs=0.15)
    assert len(shorten_pauses(loud, longest_s=0.3)) == RATE
    tone = np.sin(2 * np.pi * 440.3 * np.arange(RATE) / RATE)
    long = lengthen(tone, 3 * RATE)
    assert len(long) >= 3 * RATE
    assert np.abs(np.diff(long)).max() < 1.5 * np.abs(np.diff(tone)).max()  # no click
    assert lengthen(tone, 100) is tone
    assert np.abs(to_level(np.r_[np.zeros(1_000), 1.0])).max() == pytest.approx(0.99 * 32_767, abs=1)


def test_talkers_are_nobody_of_the_demo_corpus(project):
    demo = pd.read_csv(project / "config" / "demo.tsv", sep="\t", comment="#")
    talkers = pd.read_csv(project / "config" / "talkers.tsv", sep="\t", comment="#")
    assert len(talkers) >= 6
    assert talkers["talker"].is_unique
    assert not set(talkers["voice"]) & set(demo["voice"])
    # Not the same variant with another accent either.
    assert not set(talkers["voice"].str.split("+").str[1]) & set(demo["voice"].str.split("+").str[1])
    assert not set(talkers["text"]) & set(demo["text"])


def test_real_recordings(shared_data, tmp_path):
    make_test_noises([tmp_path / f"{name}.wav" for name in ("music_band", "white_1", "pink_1")])
    assemble_test_noise(
        tmp_path / "noise.h5",
        environment=find_recordings(shared_data / "noise", key="evaluate.noise.environment"),
        speech=find_recordings(shared_data / "speech", key="evaluate.noise.speech"),
        music=[tmp_path / "music_band.wav"],
        white=[tmp_path / "white_1.wav"],
        pink=[tmp_path / "pink_1.wav"],
    )
    with h5py.File(tmp_path / "noise.h5") as file:
        assert len(file["environment"]) >= 10
        assert len(file["talker"]) >= 10
        rhythm = {
            kind: [modulation(data[:].astype(float), 2, 8) for data in file[kind].values()]
            for kind in ("talker", "babble")
        }
        assert max(rhythm["babble"]) < min(rhythm["talker"])
        for group in file.values():
            for data in group.values():
                samples = data[:].astype(float)
                pieces = np.square(samples[: len(samples) // RATE * RATE].reshape(-1, RATE)).mean(axis=1)
                assert pieces.min() > 1e-5 * pieces.max()  # in every second something is heard
