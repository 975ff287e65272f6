"""Sources of noise: recordings in a folder, or formulas, so that everything runs without any recording.

Axes: S samples at 16 kHz.
"""

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from talkface.errors import TalkfaceError
from talkface.files import writing

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
RATE = 16_000  # Hz
SECONDS = 10.0
LEVEL = 0.1  # root mean square of a file, full scale 1: 20 dB below it
LOUDEST = 0.99  # of full scale


def find_recordings(folder: str | Path, *, key: str = "noise.folder") -> list[str]:
    """Find the sound files of a folder, sorted; a TalkfaceError that names the config's `key` if there is none."""
    found = [
        str(path)
        for path in sorted(Path(folder).glob("*"))
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    ]
    if not found:
        raise TalkfaceError(
            f"{key}: no recording in {folder}; files ending in {', '.join(SUFFIXES)} were expected; "
            "correct the config, or set null for what is made by rules"
        )
    return found


def make_noises(files: Sequence[str | Path]) -> None:
    """Write noises as mono wav files; the stem of a file says which, and is the seed of its random numbers.

    Parameters
    ----------
    files : sequence of paths
        Stems are names of `NOISES`.
    """
    import soundfile  # not where the workflow is planned

    for path in map(Path, files):
        samples = make_noise(path.stem)
        with writing(path) as temporary:
            soundfile.write(str(temporary), samples, RATE, subtype="PCM_16")


def make_noise(name: str, *, seconds: float = SECONDS) -> NDArray[np.float64]:
    """Synthesize a noise of `NOISES`, (S,) in [-1, 1]; the same at every call."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    samples = NOISES[name](rng, np.arange(round(seconds * RATE)) / RATE)
    samples = samples - samples.mean()
    samples *= LEVEL / np.sqrt(np.square(samples).mean())
    return samples * min(1.0, LOUDEST / np.abs(samples).max())


def coloured(rng: np.random.Generator, size: int, shape: Callable[[NDArray], NDArray]) -> NDArray:
    """Draw Gaussian noise (size,) of standard deviation 1, its amplitude at f Hz proportional to shape(f)."""
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    weight = shape(np.maximum(frequency, frequency[1]))
    weight[0] = 0
    samples = np.fft.irfft(weight * np.fft.rfft(rng.standard_normal(size)), size)
    return samples / samples.std()


def band(low: float, high: float) -> Callable[[NDArray], NDArray]:
    """Return the amplitude over frequency of a band from `low` to `high` Hz with soft edges (12 dB an octave)."""
    return lambda f: 1 / np.sqrt((1 + (low / f) ** 4) * (1 + (f / high) ** 4))


def slow(rng: np.random.Generator, size: int, hertz: float) -> NDArray:
    """Draw a curve (size,) of standard deviation 1 without frequencies from `hertz` on."""
    return coloured(rng, size, lambda f: 1.0 * (f < hertz))


def _brown(rng: np.random.Generator, time: NDArray) -> NDArray:
    """Synthesize brown noise: its power falls with 1/f^2; below 30 Hz, where no loudspeaker follows, it is flat."""
    return coloured(rng, len(time), lambda f: 1 / np.maximum(f, 30))


def _hum(rng: np.random.Generator, time: NDArray) -> NDArray:
    """Synthesize the hum of mains: 50 Hz and its harmonics over a floor of noise."""
    phases = rng.uniform(0, 2 * np.pi, 30)
    tones = sum(np.sin(2 * np.pi * 50 * k * time + phase) / k for k, phase in enumerate(phases, start=1))
    return tones + 0.05 * rng.standard_normal(len(time))


def _engine(rng: np.random.Generator, time: NDArray) -> NDArray:
    """Synthesize an engine: harmonics of a speed that rises and falls, rough at each stroke."""
    speed = 45 + 12 * slow(rng, len(time), 0.4).clip(-2, 2)  # strokes a second
    angle = 2 * np.pi * np.cumsum(speed) / RATE
    tones = sum(np.sin(k * angle + phase) / k for k, phase in enumerate(rng.uniform(0, 2 * np.pi, 24), start=1))
    rough = (1 + np.cos(angle)) * coloured(rng, len(time), band(200, 2_000))
    return tones + 0.4 * rough


def _wind(rng: np.random.Generator, time: NDArray) -> NDArray:
    """Synthesize wind: low noise in gusts of seconds."""
    gusts = np.exp(0.8 * slow(rng, len(time), 0.7))
    return gusts * coloured(rng, len(time), band(80, 400))


def _rain(rng: np.random.Generator, time: NDArray) -> NDArray:
    """Synthesize rain: hiss, and some 300 drops a second of random loudness, each a burst of milliseconds."""
    drops = np.where(rng.uniform(size=len(time)) < 300 / RATE, rng.exponential(size=len(time)), 0)
    fall = np.exp(-np.arange(round(0.02 * RATE)) / (0.002 * RATE))
    dense = np.convolve(drops, fall)[: len(time)] * rng.standard_normal(len(time))
    return dense + 0.3 * coloured(rng, len(time), band(1_000, 7_000))


def _clicks(rng: np.random.Generator, time: NDArray) -> NDArray:
    """Synthesize typing: bursts of about seven strokes a second, knocks of a few resonances, over a quiet room."""
    samples = 0.01 * coloured(rng, len(time), band(100, 3_000))
    place = 0.0
    span = np.arange(round(0.05 * RATE)) / RATE
    while place < time[-1] - 0.1:
        pitches, loud = rng.uniform([180, 900, 2_500], [260, 1_600, 5_000]), rng.uniform(0.3, 1.0)
        knock = sum(np.exp(-span * rate) * np.sin(2 * np.pi * p * span) for p, rate in zip(pitches, (90, 250, 500)))
        start = round(place * RATE)
        samples[start : start + len(span)] += loud * knock
        place += rng.uniform(0.6, 1.2) if rng.uniform() < 0.1 else rng.uniform(0.08, 0.2)
    return samples


def _siren(rng: np.random.Generator, time: NDArray) -> NDArray:
    """Synthesize a siren: a tone between 500 and 1,400 Hz, once in 4 s, two overtones, far away in traffic."""
    pitch = 950 - 450 * np.cos(2 * np.pi * time / 4)
    angle = 2 * np.pi * np.cumsum(pitch) / RATE
    tone = np.sin(angle) + 0.4 * np.sin(2 * angle) + 0.2 * np.sin(3 * angle)
    return (1 + 0.3 * slow(rng, len(time), 0.5)) * tone + 0.6 * coloured(rng, len(time), lambda f: f**-0.7)


def _fan(rng: np.random.Generator, time: NDArray) -> NDArray:
    """Synthesize a fan: broad noise, and the tone of the blades with its harmonics."""
    tones = sum(np.sin(2 * np.pi * 112 * k * time + phase) / k for k, phase in enumerate(rng.uniform(0, 6, 8), start=1))
    return coloured(rng, len(time), band(60, 1_200)) + 0.3 * tones


def _railway(rng: np.random.Generator, time: NDArray) -> NDArray:
    """Synthesize a train: a rumble, and the double knock of wheels over joints, a little faster and slower."""
    beats = np.cumsum(1.4 + 0.2 * slow(rng, len(time), 0.2).clip(-2, 2)) / RATE  # joints passed
    knock = sum(np.exp(-30 * ((beats - shift) % 1)) for shift in (0.0, 0.18))
    return coloured(rng, len(time), band(30, 250)) + 0.8 * knock * coloured(rng, len(time), band(150, 2_500))


def _saw(rng: np.random.Generator, time: NDArray) -> NDArray:
    """Synthesize a saw: a motor under a load that comes and goes, a rough tone up to 5 kHz."""
    load = slow(rng, len(time), 0.8).clip(-2, 2)
    angle = 2 * np.pi * np.cumsum(160 - 25 * load) / RATE
    tones = sum(np.sin(k * angle + phase) / np.sqrt(k) for k, phase in enumerate(rng.uniform(0, 6, 30), start=1))
    return tones + (1 + load.clip(0)) * coloured(rng, len(time), band(1_500, 5_000))


def _static(rng: np.random.Generator, time: NDArray) -> NDArray:
    """Synthesize static: hiss that jumps every tenth of a second or so to another band and loudness."""
    total, place = np.zeros(len(time)), 0
    while place < len(time):
        size = round(rng.uniform(0.05, 0.4) * RATE)
        low = np.exp(rng.uniform(np.log(60), np.log(3_000)))
        piece = coloured(rng, size, band(low, low * np.exp(rng.uniform(0.5, 3.0)))) * np.hanning(size)
        total[place : place + size] += 10 ** rng.uniform(-1, 0) * piece[: len(time) - place]
        place += size // 2
    return total


# Not white, pink, babble, other talkers or music: those judge what training with these is good for.
NOISES: dict[str, Callable[[np.random.Generator, NDArray], NDArray]] = {
    "brown": _brown,
    "hum": _hum,
    "fan": _fan,
    "engine": _engine,
    "railway": _railway,
    "saw": _saw,
    "wind": _wind,
    "rain": _rain,
    "clicks": _clicks,
    "static": _static,
    "siren": _siren,
}
