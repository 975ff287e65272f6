"""Slaney's mel scale and its filters, as librosa has them.

Written out because librosa takes longer to import than a sentence to predict; a test holds them against librosa's.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

KNEE_HZ, KNEE = 1_000.0, 15.0  # linear up to here, logarithmic above
HZ_A_MEL = KNEE_HZ / KNEE
STEP = np.log(6.4) / 27  # of the logarithm of the frequency, a mel


def hz_to_mel(frequency: ArrayLike) -> NDArray[np.float64]:
    """Convert Hz to mel.

    Examples
    --------
    >>> hz_to_mel([1000, 6400]).tolist()
    [15.0, 42.0]
    """
    hz = np.asarray(frequency, np.float64)
    return np.where(hz < KNEE_HZ, hz / HZ_A_MEL, KNEE + np.log(np.maximum(hz, KNEE_HZ) / KNEE_HZ) / STEP)


def mel_to_hz(mel: ArrayLike) -> NDArray[np.float64]:
    """Convert mel to Hz."""
    mels = np.asarray(mel, np.float64)
    return np.where(mels < KNEE, HZ_A_MEL * mels, KNEE_HZ * np.exp(STEP * (np.maximum(mels, KNEE) - KNEE)))


def mel_frequencies(bands: int, *, low_hz: float, high_hz: float) -> NDArray[np.float64]:
    """Return `bands` frequencies that lie evenly on the mel scale, both ends among them, Hz."""
    return mel_to_hz(np.linspace(hz_to_mel(low_hz), hz_to_mel(high_hz), bands))


def mel_filters(
    *, rate: float, size: int, bands: int, low_hz: float = 0.0, high_hz: float | None = None
) -> NDArray[np.float32]:
    """Return the weights (bands, size // 2 + 1) of the bins of a Fourier transform of `size` samples in mel bands.

    Triangles over three neighbouring frequencies of `mel_frequencies`, each of area 1 (Hz).

    Parameters
    ----------
    rate : float
        Hz, of the samples.
    size : int
        Of the transform.
    bands : int
    low_hz, high_hz : float
        Hz; ends of the lowest and of the highest band, by default 0 and half the rate.
    """
    edges = mel_frequencies(bands + 2, low_hz=low_hz, high_hz=rate / 2 if high_hz is None else high_hz)
    widths = np.diff(edges)
    slopes = edges[:, None] - np.fft.rfftfreq(size, 1 / rate)  # (bands + 2, bins)
    rising, falling = -slopes[:-2] / widths[:-1, None], slopes[2:] / widths[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    return (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)
