"""Pictures of sound: tones, clicks and silence appear where and when they are heard."""

import numpy as np
import pytest

from talkface.report.spectrogram import outline, spectrogram, top_khz

RATE = 44_100


def tone(hz, *, seconds=1.0, rate=RATE, level=0.5):
    return np.round(32_768 * level * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)).astype(np.int16)


@pytest.mark.parametrize("rate", [RATE, 16_000, 8_000])
@pytest.mark.parametrize("hz", [700, 3_300])
def test_a_tone_stands_in_its_band(hz, rate):
    picture = spectrogram(tone(hz, rate=rate), rate=rate, centres_s=np.linspace(0.1, 0.9, 20), rows=64)
    band = 1000 * top_khz(rate) / len(picture)
    assert picture.shape[1] == 20
    assert abs((picture.mean(axis=1).argmax() + 0.5) * band - hz) <= band
    assert picture.max() > np.median(picture) + 30


def test_a_click_stands_at_its_time():
    samples = np.zeros(RATE, np.int16)
    samples[RATE // 2] = 30_000
    centres = (np.arange(100) + 0.5) / 100
    picture = spectrogram(samples, rate=RATE, centres_s=centres, rows=32)
    heard = picture.max(axis=0) > -100
    assert 0.49 < centres[heard].mean() < 0.51
    assert heard.sum() <= 2
    assert picture[:, ~heard].max() == pytest.approx(-120)


def test_a_stretch_is_as_in_the_whole():
    samples = np.random.default_rng(1).normal(0, 3000, RATE).astype(np.int16)
    centres = (np.arange(100) + 0.5) / 100
    whole = spectrogram(samples, rate=RATE, centres_s=centres, rows=64)
    part = spectrogram(samples, rate=RATE, centres_s=centres[40:60], rows=64)
    assert part == pytest.approx(whole[:, 40:60], abs=1e-6)


def test_beyond_the_sound_there_is_silence():
    picture = spectrogram(tone(500, seconds=0.1), rate=RATE, centres_s=[-0.5, 0.0, 0.05, 0.1, 0.5], rows=16)
    loud = picture.max(axis=0)
    assert loud[0] == loud[-1] == pytest.approx(-120)
    assert (loud[1:4] > -40).all()


def test_outline():
    samples = np.zeros(1000, np.int16)
    samples[[0, 150, 799]] = [16_384, -32_768, 8_192]
    low, high = outline(samples, rate=1000, edges_s=np.array([0.0, 0.1, 0.2, 0.7, 0.8, 1.0, 1.2]))
    assert list(high) == [0.5, 0, 0, 0.25, 0, 0]
    assert list(low) == [0, -1, 0, 0, 0, 0]
    low, high = outline(samples, rate=1000, edges_s=np.array([0.1, 0.15, 0.2]))
    assert list(low) == [0, -1]
