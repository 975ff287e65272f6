"""Networks as Yi et al. 2020 publish them."""

import numpy as np
import pytest
import torch

from talkface.head.published import atc
from talkface.head.published.mfcc import EVERY, PADDING, ROWS, mfcc, windows

# Cepstra 1 to 4 of the first three frames of 1,000 samples, default_rng(5).integers(-9000, 9000): by the package
# python_speech_features 0.6.
REFERENCE = [
    [-36.8122, -7.7097, -9.9757, -6.5779], [-34.8675, -5.198, -7.0333, -5.5623], [-36.1114, -7.8421, -7.2756, -4.1483],
]  # fmt: skip


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(5).integers(-9000, 9000, 1000)


def test_cepstra_are_those_of_the_package(noise):
    found = mfcc(noise)
    assert found.shape == (5, 12)
    np.testing.assert_allclose(found[:3, :4], REFERENCE, atol=1e-3)


def test_the_package_itself_says_the_same(noise):
    package = pytest.importorskip("python_speech_features")
    np.testing.assert_allclose(mfcc(noise), package.mfcc(noise, 16_000)[:, 1:], atol=1e-9)


def test_cepstra_do_not_depend_on_the_level_and_silence_has_none(noise):
    np.testing.assert_allclose(mfcc(noise), mfcc(noise / 1000), atol=1e-9)
    assert np.abs(mfcc(np.zeros(3000))).max() < 1e-9
    assert mfcc(np.ones(10)).shape == (1, 12)


def test_a_picture_is_given_28_frames_of_which_the_first_begins_120_ms_before_it():
    sound = np.zeros(32_000)
    sound[16_000:] = np.random.default_rng(0).standard_normal(16_000)  # from 1 s on
    found = windows(sound)
    rows = len(mfcc(np.pad(sound, PADDING)))
    assert found.shape == (rows // EVERY - 6, ROWS, 12)
    loud = np.abs(found).max(axis=2) > 1e-6  # (T, 28)
    assert not loud[:21].any()
    assert loud[25, 12:].all()  # picture 25 is the instant 1 s: its sound begins 12 frames of 10 ms into the window
    assert not loud[25, :10].any()


def test_the_network_has_the_published_size():
    convolutions = 640 + 128 + 73_856 + 256 + 295_168 + 512 + 590_080 + 512 + 1_180_160 + 1_024
    linear = 12_288 * 2_048 + 2_048 + 2_048 * 256 + 256
    lstm = 3 * (4 * 256 * 512 + 2 * 4 * 256)
    count = sum(parameter.numel() for parameter in atc.Atc().parameters())
    assert count == convolutions + linear + lstm + 256 * 70 + 70
    assert atc.Atc()(torch.zeros(1, 2, 28, 12)).shape == (1, 2, 70)


def test_the_loss_is_the_published_one():
    truth = torch.zeros(1, 16, 70)
    shown = truth.clone()
    shown[..., :64] = 0.5
    assert float(atc.loss(shown, truth, 64)) == pytest.approx(0.25)
    shown = truth.clone()
    shown[..., 64:] = 0.5
    assert float(atc.loss(shown, truth, 64)) == pytest.approx(0.2 * 0.25)
    shown = truth.clone()
    shown[:, 8:, 64:] = 1.0  # one step of 1
    assert float(atc.loss(shown, truth, 64)) == pytest.approx(0.2 * 0.5 + 0.01)


def test_it_learns_the_same_again(monkeypatch):
    monkeypatch.setattr(atc, "FRAMES", 4)
    monkeypatch.setattr(atc, "BATCH", 2)
    rng = np.random.default_rng(0)
    cepstra = rng.standard_normal((10, 28, 12)).astype(np.float32)
    target = np.column_stack([cepstra[:, 12, 0], np.zeros(10), np.zeros(10)]) / 5
    video = np.repeat([0, 1], 5)
    one, other = (atc.train(cepstra, target, video, expressions=2, epochs=1) for _ in range(2))
    for name, tensor in one.items():
        torch.testing.assert_close(tensor, other[name])
    further = atc.train(cepstra, target, video, expressions=2, epochs=1, start=one)
    assert not torch.equal(further["out.weight"], one["out.weight"])
    assert atc.apply(one, cepstra, 3).shape == (10, 3)
