"""Where noises come from: recordings in a folder, or formulas, so that all can be tried without any recording.

Axes: S samples at 16 kHz.
"""

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from talkface.errors import TalkfaceError
from talkface.storage import writing

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
RATE = 16_000  # Hz
SECONDS = 10.0
LEVEL = 0.1  # root mean square of a file, full scale 1: 20 dB below it
LOUDEST = 0.99  # of full scale


def find_recordings(folder: str | Path) -> list[str]:
    """Sound files of a folder, in order of their names; a TalkfaceError if there are none."""
    found = [
        str(path)
        for path in sorted(Path(folder).glob("*"))
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    ]
    if not found:
        raise TalkfaceError(
            f"noise.folder: no recording in {folder}; files ending in {', '.join(SUFFIXES)} were expected; "
            "correct the config, or set null for the noises of the demo"
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
    """A noise of `NOISES`, (S,) in [-1, 1]; the same at every call."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    samples = NOISES[name](rng, np.arange(round(seconds * RATE)) / RATE)
    samples = samples - samples.mean()
    samples *= LEVEL / np.sqrt(np.square(samples).mean())
    return samples * min(1.0, LOUDEST / np.abs(samples).max())


def _coloured(rng: np.random.Generator, size: int, shape: Callable[[NDArray], NDArray]) -> NDArray:
    """Gaussian noise (size,) of deviation 1 whose amplitude at f Hz is proportional to shape(f)."""
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    weight = shape(np.maximum(frequency, frequency[1]))
    weight[0] = 0
    samples = np.fft.irfft(weight * np.fft.rfft(rng.standard_normal(size)), size)
    return samples / samples.std()


def _band(low: float, high: float) -> Callable[[NDArray], NDArray]:
    """Amplitude over frequency of a band from `low` to `high` Hz with soft edges (12 dB an octave)."""
    return lambda f: 1 / np.sqrt((1 + (low / f) ** 4) * (1 + (f / high) ** 4))


def _slow(rng: np.random.Generator, size: int, hertz: float) -> NDArray:
    """A curve (size,) of deviation 1 that moves no faster than `hertz`."""
    return _coloured(rng, size, lambda f: 1.0 * (f < hertz))


def _white(rng, time):
    return rng.standard_normal(len(time))


def _pink(rng, time):
    """Power falls with 1/f, by 3 dB an octave."""
    return _coloured(rng, len(time), lambda f: f**-0.5)


def _brown(rng, time):
    """Power falls with 1/f^2; below 30 Hz, where no loudspeaker follows, it no longer rises."""
    return _coloured(rng, len(time), lambda f: 1 / np.maximum(f, 30))


def _hum(rng, time):
    """Mains: 50 Hz and its harmonics over a floor of noise."""
    phases = rng.uniform(0, 2 * np.pi, 30)
    tones = sum(np.sin(2 * np.pi * 50 * k * time + phase) / k for k, phase in enumerate(phases, start=1))
    return tones + 0.05 * rng.standard_normal(len(time))


def _engine(rng, time):
    """Harmonics of a speed that rises and falls, rough at each stroke."""
    speed = 45 + 12 * _slow(rng, len(time), 0.4).clip(-2, 2)  # strokes a second
    angle = 2 * np.pi * np.cumsum(speed) / RATE
    tones = sum(np.sin(k * angle + phase) / k for k, phase in enumerate(rng.uniform(0, 2 * np.pi, 24), start=1))
    rough = (1 + np.cos(angle)) * _coloured(rng, len(time), _band(200, 2_000))
    return tones + 0.4 * rough


def _wind(rng, time):
    """Low noise in gusts of seconds."""
    gusts = np.exp(0.8 * _slow(rng, len(time), 0.7))
    return gusts * _coloured(rng, len(time), _band(80, 400))


def _rain(rng, time):
    """Hiss, and some 300 drops a second of random loudness, each a burst of a few milliseconds."""
    drops = np.where(rng.uniform(size=len(time)) < 300 / RATE, rng.exponential(size=len(time)), 0)
    fall = np.exp(-np.arange(round(0.02 * RATE)) / (0.002 * RATE))
    dense = np.convolve(drops, fall)[: len(time)] * rng.standard_normal(len(time))
    return dense + 0.3 * _coloured(rng, len(time), _band(1_000, 7_000))


def _clicks(rng, time):
    """Typing: in bursts, about seven strokes a second, each a knock of a few resonances, over a quiet room."""
    samples = 0.01 * _coloured(rng, len(time), _band(100, 3_000))
    place = 0.0
    span = np.arange(round(0.05 * RATE)) / RATE
    while place < time[-1] - 0.1:
        pitches, loud = rng.uniform([180, 900, 2_500], [260, 1_600, 5_000]), rng.uniform(0.3, 1.0)
        knock = sum(np.exp(-span * rate) * np.sin(2 * np.pi * p * span) for p, rate in zip(pitches, (90, 250, 500)))
        start = round(place * RATE)
        samples[start : start + len(span)] += loud * knock
        place += rng.uniform(0.6, 1.2) if rng.uniform() < 0.1 else rng.uniform(0.08, 0.2)
    return samples


def _babble(rng, time):
    """Six voices at once: buzzes through bands that move like formants, loud and soft in the rhythm of syllables."""
    total = np.zeros(len(time))
    for pitch in rng.uniform(95, 230, 6):
        angle = 2 * np.pi * np.cumsum(pitch * (1 + 0.1 * _slow(rng, len(time), 3).clip(-2, 2))) / RATE
        low = 500 + 150 * _slow(rng, len(time), 4).clip(-2, 2)  # Hz
        high = 1_600 + 400 * _slow(rng, len(time), 4).clip(-2, 2)
        voice = np.zeros(len(time))
        for k in range(1, int(3_500 / pitch)):
            loud = 1 / (1 + ((k * pitch - low) / 120) ** 2) + 0.5 / (1 + ((k * pitch - high) / 180) ** 2)
            voice += loud * np.sin(k * angle)
        breath = _coloured(rng, len(time), _band(2_500, 6_000))
        syllables = (0.4 + _slow(rng, len(time), 4)).clip(0)
        total += syllables * voice + 0.05 * (-0.2 - _slow(rng, len(time), 4)).clip(0) * breath
    return total


def _siren(rng, time):
    """A tone that wails between 500 and 1,400 Hz once in 4 s, with two overtones, far away in traffic."""
    pitch = 950 - 450 * np.cos(2 * np.pi * time / 4)
    angle = 2 * np.pi * np.cumsum(pitch) / RATE
    tone = np.sin(angle) + 0.4 * np.sin(2 * angle) + 0.2 * np.sin(3 * angle)
    return (1 + 0.3 * _slow(rng, len(time), 0.5)) * tone + 0.6 * _coloured(rng, len(time), lambda f: f**-0.7)


# White, pink, brown and hum stay as they are; the others change from moment to moment.
NOISES: dict[str, Callable[[np.random.Generator, NDArray], NDArray]] = {
    "white": _white,
    "pink": _pink,
    "brown": _brown,
    "hum": _hum,
    "engine": _engine,
    "wind": _wind,
    "rain": _rain,
    "clicks": _clicks,
    "babble": _babble,
    "siren": _siren,
}
