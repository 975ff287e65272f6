"""Mel-frequency cepstra as the package python_speech_features computes them, and windows of them.

Yi et al. 2020 give their network 12 cepstra (the first of 13 is dropped) in 28 frames of 10 ms about each picture, from
120 ms before it to 160 ms after; 1,920 zeros stand at both ends of the sound.

Axes: S samples at 16 kHz, M frames of 10 ms, T pictures.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

RATE = 16_000
EMPHASIS, WINDOW, STEP, FFT = 0.97, 400, 160, 512  # samples: 25 ms without a taper, 10 ms
FILTERS, CEPSTRA, LIFTER = 26, 13, 22
PADDING = 1_920  # samples of silence at both ends
ROWS, EVERY = 28, 4  # frames of cepstra a picture is given, and from picture to picture
WIDTH = ROWS * (CEPSTRA - 1)


def mfcc(samples: NDArray) -> NDArray[np.float64]:
    """Compute cepstra 1 to 12 of samples (S,) at 16 kHz, (M, 12); they do not depend on the level."""
    signal = np.asarray(samples, np.float64)
    signal = np.append(signal[:1], signal[1:] - EMPHASIS * signal[:-1])
    count = 1 + max(0, -(-(len(signal) - WINDOW) // STEP))
    padded = np.pad(signal, (0, max(0, (count - 1) * STEP + WINDOW - len(signal))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::STEP][:count]
    power = np.square(np.abs(np.fft.rfft(frames, FFT))) / FFT
    energy = power @ filters().T
    energy = np.where(energy == 0, np.finfo(float).eps, energy)
    cepstra = dct(np.log(energy), type=2, axis=1, norm="ortho")[:, :CEPSTRA]
    lift = 1 + LIFTER / 2 * np.sin(np.pi * np.arange(CEPSTRA) / LIFTER)
    return (cepstra * lift)[:, 1:]


def filters() -> NDArray[np.float64]:
    """Return the triangular filters (26, 257), whose corners lie on whole bins."""
    highest = 2595 * np.log10(1 + RATE / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, highest, FILTERS + 2) / 2595) - 1)
    corner = np.floor((FFT + 1) * hertz / RATE)
    found = np.zeros((FILTERS, FFT // 2 + 1))
    for row in range(FILTERS):
        low, middle, high = corner[row : row + 3]
        up, down = np.arange(int(low), int(middle)), np.arange(int(middle), int(high))
        found[row, up] = (up - low) / (middle - low)
        found[row, down] = (high - down) / (high - middle)
    return found


def windows(samples: NDArray) -> NDArray[np.float32]:
    """Return what the network is given for each picture: (T, 28, 12), T = floor(M / 4) - 6.

    Examples
    --------
    >>> windows(np.zeros(16_000)).shape  # a second
    (24, 28, 12)
    """
    cepstra = mfcc(np.pad(np.asarray(samples, np.float64), PADDING))
    count = max(1, len(cepstra) // EVERY - ROWS // EVERY + 1)
    short = max(0, (count - 1) * EVERY + ROWS - len(cepstra))
    cepstra = np.pad(cepstra, ((0, short), (0, 0)))
    view = np.lib.stride_tricks.sliding_window_view(cepstra, ROWS, axis=0)[::EVERY][:count]  # (T, 12, 28)
    return view.swapaxes(1, 2).astype(np.float32)
