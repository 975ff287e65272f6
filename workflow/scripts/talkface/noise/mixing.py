"""Speech mixed with noise at an exact ratio, for evaluation.

The level of speech is that of its active parts, as ITU-T P.56 (method B) measures it: pauses do not make a sentence
quieter, so that a ratio means the same for a hasty and for a hesitant speaker. The level of noise is its mean power
over the stretch that is mixed in.

results/evaluation/noise.h5: a group a kind of noise, in it a dataset a recording, (S,) int16 with the attributes `rate`
(Hz) and `digest` (sha256 of the recording's file, comma-separated where it was made of several).

Axes: S samples.
"""

import zlib
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import soxr
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import maximum_filter1d
from scipy.signal import lfilter

from talkface.conventions import FULL_SCALE
from talkface.errors import TalkfaceError
from talkface.media.sound import resample_blocks

# Of ITU-T P.56, method B, whose thresholds lie 6 dB apart.
SMOOTHING_S = 0.03  # time constant of both stages of the envelope
HANGOVER_S = 0.2  # a sound lasts on for so long
MARGIN_DB = 15.9  # by which the active level lies above the threshold that decides what is active
THRESHOLDS_DB = np.arange(-96.0, 0.0, 3.0)  # of full scale, from the last of 16 bits on

TRIES = 10  # for a stretch of noise that sounds
PAUSE_SHARE = 1e-3  # of a recording's mean power; a quieter stretch is a pause in it
LOUDEST = (FULL_SCALE - 1) / FULL_SCALE


def active_level(samples: ArrayLike, rate: int) -> float:
    """Measure the level of the active parts of speech, ITU-T P.56 method B.

    An envelope of two exponential means is compared with thresholds; what lies above one, and 0.2 s after, is active,
    and the level is all energy over the active time. The level sought is the one that lies 15.9 dB above its threshold,
    interpolated between neighbouring ones.

    Parameters
    ----------
    samples : (S,) array
        Full scale is 1.
    rate : int
        Hz.

    Returns
    -------
    float
        dB of full scale; -inf for silence.
    """
    samples = np.asarray(samples, np.float64)
    energy = np.square(samples).sum()
    if not energy:
        return float("-inf")
    decay = np.exp(-1 / (SMOOTHING_S * rate))
    envelope = lfilter([(1 - decay) ** 2], [1, -2 * decay, decay**2], np.abs(samples))
    hold = round(HANGOVER_S * rate)
    # The largest value of the last 0.2 s: a sample is active for the thresholds below it.
    held = maximum_filter1d(envelope, hold + 1, origin=hold // 2, mode="constant")
    active = len(held) - np.searchsorted(np.sort(held), 10 ** (THRESHOLDS_DB / 20))  # samples
    levels = 10 * np.log10(energy / np.maximum(active, 1))
    above = levels - THRESHOLDS_DB
    crossed = np.flatnonzero((above <= MARGIN_DB) & (active > 0))
    last = np.flatnonzero(active > 0)[-1:]
    if not len(crossed) or not crossed[0]:  # clicks, or quieter than the lowest threshold
        return float(levels[last[0]] if len(last) else 10 * np.log10(energy / len(samples)))
    pair = slice(crossed[0] - 1, crossed[0] + 1)
    return float(np.interp(-MARGIN_DB, -above[pair], levels[pair]))


def add_noise(speech: ArrayLike, noise: ArrayLike, *, snr_db: float, level_db: float) -> NDArray[np.float64]:
    """Add noise to speech at a given ratio.

    Parameters
    ----------
    speech, noise : (S,) arrays
        Full scale is 1; the noise may have any level, but is not silent.
    snr_db : float
        Level of the speech over mean power of the noise, dB.
    level_db : float
        Of the speech, see `active_level`; where it is -inf the speech stays alone.

    Returns
    -------
    (S,) array
        The whole is turned down where it would lie beyond full scale; the ratio stays.

    Examples
    --------
    >>> noise = np.array([1.0, -1.0, 1.0, -1.0])
    >>> add_noise(np.zeros(4), noise, snr_db=20, level_db=-20).round(4)  # 40 dB below full scale
    array([ 0.01, -0.01,  0.01, -0.01])
    """
    speech, noise = np.asarray(speech, np.float64), np.asarray(noise, np.float64)
    gain = 10 ** ((level_db - snr_db) / 20) / np.sqrt(np.square(noise).mean())
    mixture = speech + gain * noise
    return mixture / max(1.0, np.abs(mixture).max(initial=0) / LOUDEST)


def seed_of(*parts: object) -> int:
    """Make a seed of names and numbers: the same on every machine, another one for each mixture."""
    return zlib.crc32("|".join(map(str, parts)).encode())


def to_rate(samples: NDArray, rate: int, new_rate: int) -> NDArray[np.int16]:
    """Resample samples (S,) of full scale 1 to (ceil(S * new_rate / rate),) int16."""
    blocks = resample_blocks([samples.astype(np.float32)], rate, new_rate)
    return np.concatenate([np.zeros(0, np.int16), *blocks])


class Recording(NamedTuple):
    """A noise: samples (S,) int16, their rate in Hz, their mean power where full scale is 1."""

    samples: NDArray[np.int16]
    rate: int
    power: float


class TestNoises:
    """Noises of evaluation, read from their file.

    Parameters
    ----------
    path : path
        Layout above.

    Attributes
    ----------
    kinds : dict of kind to its recordings

    Raises
    ------
    TalkfaceError
        If the file has no kinds, or a recording is empty or silent.
    """

    __test__ = False  # no test, for pytest

    def __init__(self, path: str | Path):
        self.kinds: dict[str, list[Recording]] = {}
        try:
            with h5py.File(path, "r") as file:
                for kind, group in file.items():
                    self.kinds[kind] = [self._read(group[name], f"{path}, {kind}/{name}") for name in sorted(group)]
        except OSError as error:
            raise TalkfaceError(f"{path}: not readable as HDF5 ({error}); delete it to have it made again") from None
        if not self.kinds or not all(self.kinds.values()):
            raise TalkfaceError(f"{path}: no recording of a kind of noise; delete it to have it made again")

    @staticmethod
    def _read(data: h5py.Dataset, where: str) -> Recording:
        samples = data[:]
        power = float(np.square(samples / FULL_SCALE).mean()) if len(samples) else 0.0
        if not power:
            raise TalkfaceError(f"{where}: silence; noise was expected; leave this recording out")
        return Recording(samples, int(data.attrs["rate"]), power)

    def cut(self, kind: str, *, samples: int, rate: int, generator: np.random.Generator) -> NDArray[np.float64]:
        """Cut a stretch of a recording of one kind, both drawn; short recordings are repeated, pauses are avoided.

        Parameters
        ----------
        kind : str
        samples : int
            S.
        rate : int
            Hz, wanted.
        generator : Generator

        Returns
        -------
        (S,) array
            Full scale is 1.
        """
        recordings = self.kinds[kind]
        recording = recordings[generator.integers(len(recordings))]
        wanted = -(-samples * recording.rate // rate) + 1
        stretches = (self._stretch(recording, wanted, generator) for _ in range(TRIES))
        sounding = (piece for piece in stretches if np.square(piece).mean() > PAUSE_SHARE * recording.power)
        stretch = next(sounding, None)
        if stretch is None:  # a few clicks in long silence: begin with the loudest
            start = int(np.abs(recording.samples.astype(np.int32)).argmax())
            stretch = np.resize(np.roll(recording.samples, -start), wanted) / FULL_SCALE
        resampled = stretch if recording.rate == rate else soxr.resample(stretch, recording.rate, rate)
        return np.resize(resampled, samples)

    @staticmethod
    def _stretch(recording: Recording, wanted: int, generator: np.random.Generator) -> NDArray[np.float64]:
        start = int(generator.integers(max(1, len(recording.samples) - wanted + 1)))
        return np.resize(recording.samples[start : start + wanted], wanted) / FULL_SCALE
