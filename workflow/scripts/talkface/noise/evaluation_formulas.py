"""Synthesized noise of evaluation: formulas that no training uses.

Axes: S samples at 16 kHz.
"""

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from talkface.files import writing
from talkface.noise.music import MUSIC
from talkface.noise.training_formulas import LEVEL, LOUDEST, RATE, band, coloured, slow

SECONDS = 20.0  # of what is made by formula


def to_level(samples: NDArray) -> NDArray[np.int16]:
    """Scale samples (S,) to int16 at a root mean square of 20 dB below full scale, less where the peaks forbid."""
    samples = samples * (LEVEL / np.sqrt(np.square(samples).mean()))
    return np.round(32_767 * samples * min(1.0, LOUDEST / np.abs(samples).max())).astype(np.int16)


def make_test_noises(files: Sequence[str | Path]) -> None:
    """Write noises as mono wav files at 16 kHz; the stem of a file says which: a name of `FORMULAS`."""
    import soundfile  # not where the workflow is planned

    for path in map(Path, files):
        samples = to_level(make_test_noise(path.stem))
        with writing(path) as temporary:
            soundfile.write(str(temporary), samples, RATE, subtype="PCM_16")


def make_test_noise(name: str, *, seconds: float = SECONDS) -> NDArray[np.float64]:
    """Synthesize a noise of `FORMULAS`, (S,), of mean 0 and standard deviation 1; the same at every call."""
    rng = np.random.default_rng(zlib.crc32(f"evaluation {name}".encode()))
    samples = FORMULAS[name](rng, np.arange(round(seconds * RATE)) / RATE)
    return (samples - samples.mean()) / samples.std()


def _white(rng: np.random.Generator, time: NDArray) -> NDArray:
    return rng.standard_normal(len(time))


def _pink(rng: np.random.Generator, time: NDArray) -> NDArray:
    """Synthesize pink noise: its power falls with 1/f, by 3 dB an octave."""
    return coloured(rng, len(time), lambda f: f**-0.5)


def _surf(rng: np.random.Generator, time: NDArray) -> NDArray:
    """Synthesize waves: every 6 to 9 s a roar swells slowly, breaks with a hiss and runs out."""
    swell, hiss = np.full(len(time), 0.15), np.full(len(time), 0.03)
    peak = rng.uniform(0, 3)
    while peak < time[-1] + 5:
        since, height = time - peak, rng.uniform(0.6, 1.2)
        swell += height * np.exp(-np.where(since < 0, (since / 1.8) ** 2, since / 2.0))
        hiss += 0.6 * height * np.where(since < 0, 0, (since / 0.4).clip(0, 1) * np.exp(-since / 1.3))
        peak += rng.uniform(6, 9)
    return swell * coloured(rng, len(time), band(60, 700)) + hiss * coloured(rng, len(time), band(1_500, 6_000))


def _fire(rng: np.random.Generator, time: NDArray) -> NDArray:
    """Synthesize a fire: a low roar, and some ten crackles a second, in flurries, each a burst of milliseconds."""
    flurry = np.exp(0.8 * slow(rng, len(time), 0.8))
    crackles = np.where(rng.uniform(size=len(time)) < 10 * flurry / RATE, rng.pareto(1.8, len(time)).clip(0, 5), 0)
    fall = np.exp(-np.arange(round(0.02 * RATE)) / (0.0015 * RATE))
    bursts = np.convolve(crackles, fall)[: len(time)] * coloured(rng, len(time), band(800, 6_500))
    return bursts + 0.25 * coloured(rng, len(time), band(40, 250))


def _crickets(rng: np.random.Generator, time: NDArray) -> NDArray:
    """Synthesize four tree crickets: tones between 2.2 and 3.6 kHz, two to three chirps of three pulses a second."""
    total = 0.05 * coloured(rng, len(time), band(300, 3_000))
    for pitch, rate, loud in zip(rng.uniform(2_200, 3_600, 4), rng.uniform(2.0, 3.2, 4), rng.uniform(0.3, 1.0, 4)):
        phase = (time * rate + 0.15 * slow(rng, len(time), 0.5) + rng.uniform()) % 1  # of the chirp
        pulse = np.sin(np.pi * (phase * 10 % 1)) ** 2 * (phase < 0.3)
        total += loud * pulse * np.sin(2 * np.pi * pitch * time + rng.uniform(0, 6))
    return total


def _brook(rng: np.random.Generator, time: NDArray) -> NDArray:
    """Synthesize bubbles: eighty a second, each a tone of 0.4 to 2.5 kHz that rises and dies away (Minnaert)."""
    total = 0.15 * coloured(rng, len(time), band(300, 3_000))
    span = np.arange(round(0.06 * RATE)) / RATE
    for place in rng.uniform(0, time[-1] - 0.07, round(80 * time[-1])):
        pitch = np.exp(rng.uniform(np.log(400), np.log(2_500)))
        tone = np.sin(2 * np.pi * pitch * (span + rng.uniform(1, 4) * span**2)) * np.exp(-span * pitch / 8)
        total[round(place * RATE) :][: len(span)] += rng.exponential() * tone * np.minimum(1, span / 0.001)
    return total


def _helicopter(rng: np.random.Generator, time: NDArray) -> NDArray:
    """Synthesize a helicopter: eleven thuds a second and the whine of a turbine, coming nearer and going away."""
    angle = 2 * np.pi * np.cumsum(11 + 0.2 * slow(rng, len(time), 0.3)) / RATE
    thud = np.exp(6 * (np.cos(angle) - 1))
    blades = thud * coloured(rng, len(time), band(60, 400)) + 0.4 * thud * coloured(rng, len(time), band(400, 2_500))
    whine = 0.05 * np.sin(2 * np.pi * 1_870 * time + np.sin(2 * np.pi * 0.7 * time))
    return (1 + 0.4 * slow(rng, len(time), 0.15).clip(-1.5, 1.5)) * (blades + whine)


def _bells(rng: np.random.Generator, time: NDArray) -> NDArray:
    """Synthesize three church bells, struck in turn: six partials of a minor-third bell that die away in seconds."""
    total = 0.01 * coloured(rng, len(time), band(100, 2_000))
    place, number = 0.0, 0
    while place < time[-1]:
        since = (time - place).clip(0)
        for ratio, loud, lasting in zip(
            (0.5, 1, 1.2, 1.5, 2, 3), (0.5, 0.8, 0.7, 0.3, 1, 0.3), (5, 3, 2, 1.5, 1.2, 0.4)
        ):
            pitch = (392, 440, 523)[number % 3] * ratio * (1 + 0.002 * rng.standard_normal())
            total += (time >= place) * loud * np.exp(-since / lasting) * np.sin(2 * np.pi * pitch * since)
        place, number = place + rng.uniform(0.9, 1.1), number + 1
    return total


def _applause(rng: np.random.Generator, time: NDArray) -> NDArray:
    """Synthesize applause: thirty people, three to five claps a second, each a short burst in a band of its own."""
    total, span = np.zeros(len(time)), np.arange(round(0.03 * RATE)) / RATE
    for _ in range(30):
        pitch, loud, step = rng.uniform(900, 2_600), rng.uniform(0.3, 1), rng.uniform(0.2, 0.33)
        for place in np.arange(rng.uniform(0, step), time[-1] - 0.1, step):
            start = round((place + rng.uniform(0, 0.03)) * RATE)
            clap = coloured(rng, len(span), band(0.7 * pitch, 1.4 * pitch)) * np.exp(-span / 0.005)
            total[start : start + len(span)] += loud * rng.uniform(0.5, 1) * clap
    return total


ENVIRONMENT: dict[str, Callable[[np.random.Generator, NDArray], NDArray]] = {
    "surf": _surf,
    "fire": _fire,
    "crickets": _crickets,
    "brook": _brook,
    "helicopter": _helicopter,
    "bells": _bells,
    "applause": _applause,
}
WHITE = {"white_1": _white, "white_2": _white}
PINK = {"pink_1": _pink, "pink_2": _pink}
FORMULAS = ENVIRONMENT | MUSIC | WHITE | PINK
