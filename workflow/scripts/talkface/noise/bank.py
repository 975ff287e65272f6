"""Noise of training: recordings gathered in one file, random stretches of them mixed in at a given ratio.

results/noise.h5, as Eskimez et al. 2020 laid it out: at the top level one mono array (S,) a recording, here int16 at
16 kHz, named like the recording's file. Attributes of each: `rate` (Hz; files of the authors lack it and hold 8 kHz),
`digest` (sha256 of the recording's file). Files with floating-point samples of any level are read as well.

Axes: B stretches, N samples, R recordings, S samples of a recording.
"""

import logging
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor

from talkface.errors import TalkfaceError
from talkface.files import digest, writing
from talkface.media.sound import by_stem, read_blocks

log = logging.getLogger(__name__)

RATE = 16_000  # Hz, of what is gathered here
PUBLISHED_RATE = 8_000  # Hz, of Eskimez et al. 2020
SHORTEST_S = 0.28  # a window of theirs: 2,240 samples
# Mean square, where the loudest sample of the recording is 1; a quieter stretch is silence and stays so.
QUIETEST = 1e-10


def assemble_noise(files: Sequence[str | Path], output: str | Path) -> None:
    """Gather recordings of noise in one file.

    Parameters
    ----------
    files : sequence of paths
        Sound files of any rate and number of channels (wav, flac, ogg, mp3).
    output : path
        The HDF5 to write, layout above.

    Raises
    ------
    TalkfaceError
        If a recording is unreadable, shorter than a window or silent, or two have the same name.
    """
    if not files:
        raise TalkfaceError("noise: no recording; at least one sound file is needed; see noise.folder in the config")
    with writing(output) as temporary, h5py.File(temporary, "w") as file:
        for stem, path in by_stem(files).items():
            samples = np.concatenate(list(read_blocks(path, RATE)))  # (S,)
            _check(samples, str(path), rate=RATE)
            data = file.create_dataset(stem, data=samples)
            data.attrs.update(rate=RATE, digest=digest(path))
            log.info("%s: %.1f s", path, len(samples) / RATE)


def _check(samples: NDArray, where: str, *, rate: int) -> None:
    """Raise a TalkfaceError that begins with `where` unless samples (S,) can serve as noise."""
    shortest = math.ceil(SHORTEST_S * rate)
    if len(samples) < shortest:
        raise TalkfaceError(
            f"{where}: {len(samples)} samples at {rate} Hz; a noise must last a window, {shortest} samples or more; "
            "take a longer recording or leave it out"
        )
    if not np.isfinite(samples).all():
        raise TalkfaceError(f"{where}: samples that are no numbers (NaN or infinite); noise was expected; repair it")
    if not samples.any():
        raise TalkfaceError(f"{where}: digital silence; noise was expected; leave this recording out")


class NoiseBank:
    """Recordings end to end, on the device of the training, from which stretches are cut.

    Parameters
    ----------
    recordings : sequence of (S,) arrays
        All at one rate; each is scaled so that its loudest sample is 1.
    """

    def __init__(self, recordings: Sequence[NDArray]):
        scaled = [_to_full_scale(samples) for samples in recordings]
        self.samples = torch.from_numpy(np.concatenate(scaled))  # (sum of S)
        self.lengths = torch.tensor([len(samples) for samples in scaled])  # (R)
        self.offsets = self.lengths.cumsum(0) - self.lengths  # (R)

    def __len__(self) -> int:
        """Return the number of recordings, R."""
        return len(self.lengths)

    def to(self, device: torch.device | str) -> "NoiseBank":
        """Move the recordings to a device; returns the bank itself."""
        self.samples, self.lengths, self.offsets = (
            held.to(device) for held in (self.samples, self.lengths, self.offsets)
        )
        return self

    def cut(self, draw: Tensor, samples: int) -> Tensor:
        """Cut stretches (B, samples) of recordings, float32.

        Parameters
        ----------
        draw : (B, 2) tensor
            In [0, 1): which recording, and where in it the stretch begins. A recording shorter than `samples` is
            repeated.
        samples : int
            N.
        """
        which = (draw[:, 0] * len(self)).long().clamp(max=len(self) - 1)  # (B); a float may round up to the end
        length = self.lengths[which]
        places = torch.where(length >= samples, length - samples + 1, length)
        start = torch.minimum((draw[:, 1] * places).long(), places - 1)  # (B)
        place = start[:, None] + torch.arange(samples, device=self.samples.device)  # (B, N)
        return self.samples[self.offsets[which][:, None] + place % length[:, None]]


def _to_full_scale(samples: NDArray) -> NDArray[np.float32]:
    exact = np.asarray(samples, np.float64)  # in int16, the absolute value of -32,768 is negative
    return (exact / np.abs(exact).max()).astype(np.float32)


def read_noise(path: str | Path, rate: int) -> NoiseBank:
    """Read the recordings of a noise file at `rate` Hz.

    Raises
    ------
    TalkfaceError
        If the file is no HDF5, holds no recordings, or one that is too short, silent or not made of numbers.
    """
    try:
        with h5py.File(path, "r") as file:
            recordings = [_resample(samples, own, rate) for samples, own in _recordings(file, path)]
    except OSError as error:
        raise TalkfaceError(
            f"{path}: not readable as HDF5 ({error}); a noise file was expected; make it: snakemake results/noise.h5"
        ) from None
    if not recordings:
        raise TalkfaceError(
            f"{path}: no recording; one array of samples each was expected at the top level; "
            "make it: snakemake results/noise.h5"
        )
    return NoiseBank(recordings)


def _recordings(file: h5py.File, path: str | Path) -> Iterator[tuple[NDArray, int]]:
    """Read samples (S,) and rate of each array of numbers at the top level, checked."""
    for name, data in file.items():
        if not isinstance(data, h5py.Dataset) or data.dtype.kind not in "iuf":
            continue
        where, own = f"{path}, {name}", int(data.attrs.get("rate", PUBLISHED_RATE))
        samples = np.asarray(data[()])
        if samples.size != max(samples.shape, default=0):
            raise TalkfaceError(
                f"{where}: an array of shape {samples.shape}; one of samples (S,) was expected; make it mono"
            )
        samples = samples.reshape(-1)
        _check(samples, where, rate=own)
        yield samples, own


def _resample(samples: NDArray, rate: int, new_rate: int) -> NDArray:
    return samples if rate == new_rate else soxr.resample(samples.astype(np.float32), rate, new_rate)


def add_noise(clean: Tensor, noise: Tensor, snr_db: Tensor) -> Tensor:
    """Add noise to speech at a given ratio of their powers, (B, N).

    Eskimez et al. 2020: the gain of the noise is sqrt(P_speech / P_noise / 10^(snr / 10)), P the mean square.

    Parameters
    ----------
    clean, noise : (B, N) tensors
        The gain follows from each stretch as a whole. Where either is silent the speech stays as it is.
    snr_db : tensor that broadcasts to (B, 1)
        Signal-to-noise ratio, dB.
    """
    speech_power = clean.square().mean(dim=1, keepdim=True)  # (B, 1)
    noise_power = noise.square().mean(dim=1, keepdim=True)
    gain = (speech_power / noise_power.clamp(min=QUIETEST) * 10 ** (-snr_db / 10)).sqrt()
    return torch.addcmul(clean, noise, gain * (noise_power >= QUIETEST))
