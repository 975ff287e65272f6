"""Levels and ratios measured on what comes out."""

import h5py
import numpy as np
import pytest

from talkface.errors import TalkfaceError
from talkface.noise.mixing import TestNoises, active_level, add_noise, seed_of, to_rate
from tests.toy_corpus import envelope, sound

RATE = 16_000


def tone(seconds, level_db, rate=RATE):
    """A sine of that root mean square."""
    return np.sqrt(2) * 10 ** (level_db / 20) * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)


@pytest.mark.parametrize("rate", [8_000, 44_100])
@pytest.mark.parametrize("level", [-50.0, -26.0, -10.0])
def test_the_level_of_a_tone_is_its_power(rate, level):
    assert active_level(tone(3, level, rate), rate) == pytest.approx(level, abs=0.1)


def test_pauses_do_not_count():
    pause = np.zeros(4 * RATE)
    speech = np.concatenate([pause, tone(4, -20), pause, tone(4, -20), pause])
    assert 10 * np.log10(np.square(speech).mean()) == pytest.approx(-20 - 10 * np.log10(20 / 8), abs=0.01)
    # The sound lasts on for 0.2 s, twice in 8.4 s.
    assert active_level(speech, RATE) == pytest.approx(-20 - 10 * np.log10(8.4 / 8), abs=0.1)


def test_silence_and_what_is_hardly_more():
    assert active_level(np.zeros(RATE), RATE) == -np.inf
    assert active_level(tone(1, -120), RATE) == pytest.approx(-120, abs=0.1)
    click = np.zeros(RATE)
    click[100] = 0.5
    assert np.isfinite(active_level(click, RATE))


@pytest.fixture(scope="module")
def speech():
    loudness = envelope(100, np.random.default_rng(1), per_frame=RATE // 25)
    loudness[RATE : 2 * RATE] = 0  # a pause
    return sound(loudness, RATE, np.random.default_rng(2)) / 32_768


@pytest.mark.parametrize("snr", [-10, 0, 15, 30])
def test_the_ratio_of_what_comes_out(speech, snr):
    noise = np.random.default_rng(3).laplace(size=len(speech))
    level = active_level(speech, RATE)
    mixture = add_noise(speech, noise, snr_db=snr, level_db=level)
    assert np.abs(mixture).max() <= 1
    # Speech and noise are told apart by least squares: what came out is a sum of both and nothing else.
    shares, rest, *_ = np.linalg.lstsq(np.stack([speech, noise], axis=1), mixture, rcond=None)
    assert rest[0] < 1e-20
    heard = active_level(shares[0] * speech, RATE)
    disturbed = 10 * np.log10(np.square(shares[1] * noise).mean())
    assert heard - disturbed == pytest.approx(snr, abs=0.05)
    if np.abs(mixture).max() < 0.999:
        assert shares[0] == pytest.approx(1)  # only what would not fit is turned down


def test_the_ratio_survives_the_way_to_a_networks_rate(speech):
    """Noise that lies within the band of both rates; the speech's own level moves by a little."""
    noise = tone(len(speech) / RATE, -30)
    mixture = add_noise(speech, noise, snr_db=5, level_db=active_level(speech, RATE))
    low = {name: to_rate(data, RATE, 8_000) / 32_768 for name, data in (("s", speech), ("n", noise), ("m", mixture))}
    shares, *_ = np.linalg.lstsq(np.stack([low["s"], low["n"]], axis=1), low["m"], rcond=None)
    disturbed = 10 * np.log10(np.square(shares[1] * low["n"]).mean())
    assert active_level(shares[0] * low["s"], 8_000) - disturbed == pytest.approx(5, abs=0.3)


def test_silent_speech_stays_alone():
    silence = np.zeros(100)
    np.testing.assert_array_equal(add_noise(silence, np.ones(100), snr_db=0, level_db=-np.inf), silence)


def test_each_mixture_has_a_seed_of_its_own():
    seeds = {seed_of(1, clip, kind, snr) for clip in "abc" for kind in ("pink", "white") for snr in range(-10, 31, 5)}
    assert len(seeds) == 3 * 2 * 9
    assert seed_of(1, "a", "pink", -10) == 3075043046  # on every machine


@pytest.fixture
def noises(tmp_path):
    """Two kinds; the recordings of one can be told by their level, the other is short."""
    with h5py.File(tmp_path / "noise.h5", "w") as file:
        generator = np.random.default_rng(0)
        for kind, name, samples in (
            ("environment", "quiet", generator.integers(-100, 100, 5 * RATE)),
            ("environment", "loud", generator.integers(-9_000, 9_000, 5 * RATE)),
            ("music", "short", generator.integers(-900, 900, RATE // 2)),
            ("talker", "pauses", np.concatenate([np.zeros(50 * RATE), generator.integers(-900, 900, 100)])),
        ):
            data = file.create_dataset(f"{kind}/{name}", data=samples.astype(np.int16))
            data.attrs.update(rate=RATE, digest=name)
    return tmp_path / "noise.h5"


def test_stretches_are_drawn_by_their_seed(noises):
    bank = TestNoises(noises)
    assert list(bank.kinds) == ["environment", "music", "talker"]

    def cut(kind, seed, rate=44_100):
        return bank.cut(kind, samples=rate, rate=rate, generator=np.random.default_rng(seed))

    np.testing.assert_array_equal(cut("environment", 1), cut("environment", 1))
    assert not np.array_equal(cut("environment", 1), cut("environment", 2))
    loud = [np.abs(cut("environment", seed)).max() > 0.1 for seed in range(12)]
    assert 0 < sum(loud) < 12  # both recordings are drawn
    assert cut("music", 1, rate=8_000).shape == (8_000,)
    assert np.square(cut("music", 1)[22_050:]).mean() > 0  # repeated
    for seed in range(5):
        assert np.square(cut("talker", seed)).mean() > 0  # never a pause alone


def test_files_without_noise(tmp_path):
    (tmp_path / "text.h5").write_text("noise")
    with pytest.raises(TalkfaceError, match=r"text\.h5: not readable as HDF5"):
        TestNoises(tmp_path / "text.h5")
    with h5py.File(tmp_path / "empty.h5", "w"):
        pass
    with pytest.raises(TalkfaceError, match=r"empty\.h5: no recording of a kind"):
        TestNoises(tmp_path / "empty.h5")
    with h5py.File(tmp_path / "silent.h5", "w") as file:
        file["white/one"] = np.zeros(100, np.int16)
    with pytest.raises(TalkfaceError, match=r"silent\.h5, white/one: silence; noise was expected"):
        TestNoises(tmp_path / "silent.h5")
