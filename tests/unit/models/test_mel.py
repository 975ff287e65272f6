"""The mel scale and its filters are librosa's."""

import librosa
import numpy as np
import pytest

from talkface.models.layers.mel import hz_to_mel, mel_filters, mel_frequencies, mel_to_hz


@pytest.mark.parametrize(
    ("rate", "size", "bands", "ends"),
    [
        (44_100, 1_764, 64, {}),  # of Eskimez et al. 2018
        (16_000, 512, 32, {"low_hz": 50.0, "high_hz": 7_000.0}),
        (16_000 * 0.85, 512, 32, {"low_hz": 50.0, "high_hz": 7_000.0}),  # another vocal tract
        (8_000, 256, 20, {"low_hz": 200.0}),
    ],
)
def test_filters(rate, size, bands, ends):
    expected = librosa.filters.mel(
        sr=rate, n_fft=size, n_mels=bands, fmin=ends.get("low_hz", 0.0), fmax=ends.get("high_hz")
    )
    made = mel_filters(rate=rate, size=size, bands=bands, **ends)
    assert made.dtype == expected.dtype
    np.testing.assert_allclose(made, expected, rtol=1e-6, atol=1e-10)


def test_the_scale_and_its_inverse():
    hz = np.array([0.0, 50, 999.9, 1_000, 1_000.1, 7_000, 22_050])
    np.testing.assert_allclose(hz_to_mel(hz), librosa.hz_to_mel(hz), rtol=1e-12)
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(hz)), hz, rtol=1e-12)
    np.testing.assert_allclose(
        mel_frequencies(34, low_hz=50, high_hz=7_000), librosa.mel_frequencies(34, fmin=50, fmax=7_000), rtol=1e-12
    )
