"""Cepstra of speech beside a slow level and the bands' own statistics, all of them causal.

What is said of a syllable's loudness is how loud it stands among its neighbours: a level that forgets within seconds
erases it. So the level here falls by 1 dB a second, and the mean and deviation of each band are those of frames in
which someone speaks, with a prior worth ten seconds. A quiet room before the first word lies far below the level that
a voice is expected at, and stays there. Fourteen cepstra hold the vocal tract and leave the pitch out.

Axes: B stretches, M feature frames (10 ms), F mel bands, Q cepstra.
"""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

TABLE = Path(__file__).with_name("speech_bands.tsv")
DB = math.log(10) / 10  # a decibel in natural logarithms of power


class CepstraState(NamedTuple):
    """State before a feature frame: smoothed level (B), held level (B), and sums of the bands' statistics."""

    smooth: Tensor
    held: Tensor
    weight: Tensor  # (B), feature frames
    total: Tensor  # (B, F)
    square: Tensor  # (B, F)


class Cepstra(nn.Module):
    """Normalised cepstra and their slopes, of log-mel bands.

    Parameters
    ----------
    bands : int
        F.
    cepstra : int
        Q; twice as many numbers come out.
    frames_per_s : int
        Feature frames a second.
    """

    SMOOTH_S, FALL_DB = 0.06, 1.0  # time constant of the level; what it falls by in a second
    GATE_DB = 30.0  # below the level: nobody speaks
    MEMORY_S, PRIOR_S = 60.0, 10.0  # of the statistics of speech; what the table is worth
    SOFTEN, FLOOR = 0.3, -3.5  # of deviations; of what is normalised
    REACH = 2  # frames to either side, of slopes
    SLOPE = 4.0  # what slopes are multiplied by
    prior_mean: Tensor  # buffers
    prior_deviation: Tensor
    cosines: Tensor

    def __init__(self, *, bands: int, cepstra: int, frames_per_s: int):
        super().__init__()
        self.first_level, mean, deviation = read_speech_bands(bands)
        self.register_buffer("prior_mean", torch.from_numpy(mean).float(), persistent=False)
        self.register_buffer("prior_deviation", torch.from_numpy(deviation).float(), persistent=False)
        place = (torch.arange(bands) + 0.5) * math.pi / bands
        cosines = torch.cos(place[:, None] * torch.arange(cepstra)) * math.sqrt(2 / bands)  # (F, Q)
        cosines[:, 0] /= math.sqrt(2)
        self.register_buffer("cosines", cosines / math.sqrt(3), persistent=False)
        self.kept = math.exp(-1 / self.SMOOTH_S / frames_per_s)
        self.fall = self.FALL_DB * DB / frames_per_s
        self.memory, self.prior = self.MEMORY_S * frames_per_s, self.PRIOR_S * frames_per_s

    def begin(self, spectrum: Tensor) -> CepstraState:
        """Return the state before the first frame of a file."""
        stretches = len(spectrum)
        level = spectrum.new_full((stretches,), self.first_level)
        mean, deviation = self.prior_mean.expand(stretches, -1), self.prior_deviation.expand(stretches, -1)
        weight = spectrum.new_full((stretches,), self.prior)
        return CepstraState(level, level, weight, self.prior * mean, self.prior * (mean.square() + deviation.square()))

    def forward(self, spectrum: Tensor, last: int, state: CepstraState | None = None) -> tuple[Tensor, CepstraState]:
        """Normalise log-mel bands (B, M, F): (B, M - 4, 2 Q), and the state after frame `last`.

        Frame m of what comes out is of frame m + 2 of the spectrum.
        """
        with torch.autocast(spectrum.device.type, enabled=False):  # half precision would round the sums
            return self._normalise(spectrum.float(), last, self.begin(spectrum) if state is None else state)

    def _normalise(self, spectrum: Tensor, last: int, state: CepstraState) -> tuple[Tensor, CepstraState]:
        loud = torch.logsumexp(spectrum, dim=2)  # (B, M)
        age = torch.arange(1, loud.shape[1] + 1, device=loud.device)
        share = ((1 - self.kept) * self.kept ** (age[:, None] - age).clamp(min=0)).tril()  # (M, M)
        smooth = loud @ share.T + self.kept**age * state.smooth[:, None]
        rising = torch.maximum(smooth + self.fall * age, state.held[:, None]).cummax(dim=1).values
        held = rising - self.fall * age  # (B, M)
        beside = spectrum - held[..., None]
        speaks = (loud > held - self.GATE_DB * DB).double()
        # Sums that forget a share of themselves with each frame of speech: in units of what is kept at the end.
        spoken = speaks.cumsum(dim=1) / self.memory  # (B, M)
        grown = torch.exp(spoken)
        shares = (grown * speaks)[..., None]

        def fold(values: Tensor, before: Tensor) -> Tensor:
            return (before.double()[:, None] + (shares * values).cumsum(dim=1)) / grown[..., None]

        total = fold(beside.double(), state.total)
        square = fold(beside.double().square(), state.square)
        weight = fold(torch.ones_like(shares), state.weight[:, None])[..., 0]
        mean = total / weight[..., None]
        deviation = (square / weight[..., None] - mean.square()).clamp(min=0).sqrt()
        normal = ((beside - mean) / (deviation + self.SOFTEN)).float().clamp(min=self.FLOOR)  # (B, M, F)
        cepstra = normal @ self.cosines  # (B, M, Q)
        count, reach = cepstra.shape[1], self.REACH
        ahead = [cepstra[:, reach + k : count - reach + k] for k in range(-reach, reach + 1)]  # (B, M - 4, Q) each
        steps = zip(range(-reach, reach + 1), ahead, strict=True)
        slopes = torch.stack([k * each for k, each in steps]).sum(dim=0) / 10
        sums = (each[:, last].float() for each in (weight, total, square))
        after = CepstraState(smooth[:, last], held[:, last], *sums)
        return torch.cat([ahead[reach], self.SLOPE * slopes], dim=2), after


def read_speech_bands(bands: int) -> tuple[float, np.ndarray, np.ndarray]:
    """Read where speech begins to be expected, and mean and deviation (F) of its bands beside its level, log power."""
    table = np.loadtxt(TABLE, skiprows=2)
    first, (place, mean, deviation) = float(table[0, 3]), table[:, :3].T
    where = (np.arange(bands) + 0.5) / bands
    return first, np.interp(where, place, mean), np.interp(where, place, deviation)
