"""Wideband spectrogram and outline of the waveform, at as many columns as a picture has.

Axes: S samples, C columns, R rows of a spectrogram.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from talkface.conventions import FULL_SCALE

WINDOW_S = 0.012  # short enough that single openings of the glottis and the bursts of plosives show, as phoneticians do
TOP_HZ = 8000  # fricatives lie below
EMPHASIS_HZ = 50  # from here on 6 dB an octave are added, which speech loses towards the top; as Praat has it
FLOOR_POWER = 1e-12  # -120 dB, where full scale is 1


def spectrogram(samples: NDArray[np.int16], *, rate: int, centres_s: ArrayLike, rows: int) -> NDArray[np.float64]:
    """Compute the level of the sound over time and frequency.

    Parameters
    ----------
    samples : (S,) int16 array
    rate : int
        Hz.
    centres_s : (C,) array
        Instants of the columns, seconds; beyond the sound there is silence.
    rows : int
        Bands of equal width from 0 to 8 kHz, or to half the rate; at most as many as there are frequencies.

    Returns
    -------
    (R, C) array
        dB of a sinusoid at full scale, before emphasis; lowest band first.
    """
    width = max(round(WINDOW_S * rate), 8)
    window = np.hanning(width + 2)[1:-1]
    first = np.round(np.asarray(centres_s) * rate).astype(int) - width // 2  # (C,)
    # The stretch that the columns reach into, with a sample before it.
    begin, end = int(first.min()) - 1, int(first.max()) + width
    heard = np.asarray(samples[max(begin, 0) : max(end, 0)], np.float64) / FULL_SCALE
    heard = np.pad(heard, (min(max(-begin, 0), end - begin), 0))[: end - begin]
    heard = np.pad(heard, (0, end - begin - len(heard)))
    emphasised = heard[1:] - np.exp(-2 * np.pi * EMPHASIS_HZ / rate) * heard[:-1]
    first = first - begin - 1
    pieces = emphasised[first[:, None] + np.arange(width)] * window  # (C, width)
    count = 1 << (width - 1).bit_length()
    power = np.square(np.abs(np.fft.rfft(pieces, count))) * (2 / window.sum()) ** 2  # (C, frequencies)
    power = power[:, : int(min(TOP_HZ, rate / 2) / rate * count) + 1]
    edges = np.linspace(0, power.shape[1], min(rows, power.shape[1]) + 1).astype(int)
    bands = np.add.reduceat(power, edges[:-1], axis=1) / np.diff(edges)  # (C, R)
    return 10 * np.log10(np.maximum(bands.T, FLOOR_POWER))


def top_khz(rate: int) -> float:
    """Return the highest frequency of a spectrogram of sound of this rate, kHz."""
    return min(TOP_HZ, rate / 2) / 1000


def outline(
    samples: NDArray[np.int16], *, rate: int, edges_s: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest and the highest sample of each column, (C,) each, full scale 1.

    Parameters
    ----------
    samples : (S,) int16 array
    rate : int
        Hz.
    edges_s : (C + 1,) array
        Where columns begin and the last ends, seconds, rising; a column beyond the sound is 0.
    """
    edges = np.clip(np.round(np.asarray(edges_s) * rate).astype(int), 0, len(samples))
    heard = np.append(
        np.asarray(samples[edges[0] : edges[-1]], np.float64) / FULL_SCALE, 0.0
    )  # of a column beyond the sound
    starts = edges[:-1] - edges[0]
    return np.minimum.reduceat(heard, starts), np.maximum.reduceat(heard, starts)
