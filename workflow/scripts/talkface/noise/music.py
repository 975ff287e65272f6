"""Synthesized music: chords, a melody and a rhythm, a noise with pitch and beat that is free of rights.

Notes are MIDI numbers: 69 is the A of 440 Hz, 12 an octave. Axes: S samples at 16 kHz.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from talkface.noise.training_formulas import RATE

SCALE = np.array([0, 2, 4, 5, 7, 9, 11])  # semitones of a major key
# Degrees of the scale on which the chords of four bars stand.
CHORDS = ((0, 4, 5, 3), (0, 5, 3, 4), (1, 4, 0, 0), (5, 3, 0, 4))


def hertz(note: float) -> float:
    """Convert a MIDI note to its frequency in Hz.

    Examples
    --------
    >>> hertz(69), hertz(57)
    (440.0, 220.0)
    """
    return float(440 * 2 ** ((np.asarray(note) - 69) / 12))


def _degree(key: int, degree: int) -> int:
    """Return the MIDI note of a degree of the major key on `key`; degree 7 lies an octave above 0."""
    return int(key + 12 * (degree // 7) + SCALE[degree % 7])


def _plucked(pitch: float, seconds: float) -> NDArray:
    """Synthesize a plucked string: eight harmonics, the higher ones dying sooner."""
    time = np.arange(round((seconds + 0.4) * RATE)) / RATE
    tones = sum(np.sin(2 * np.pi * k * pitch * time) * np.exp(-time * (2 + k)) / k for k in range(1, 9))
    return tones * np.minimum(1, time / 0.003) * np.minimum(1, (time[-1] - time) / 0.05)


def _bowed(pitch: float, seconds: float) -> NDArray:
    """Synthesize a section of strings: twelve harmonics that swell, with vibrato."""
    time = np.arange(round((seconds + 0.1) * RATE)) / RATE
    angle = 2 * np.pi * pitch * time + 0.004 * pitch / 5.5 * np.sin(2 * np.pi * 5.5 * time)
    tones = sum(np.sin(k * angle) / k**1.2 for k in range(1, 13) if k * pitch < RATE / 2)
    return tones * np.minimum(1, time / 0.12) * np.minimum(1, (time[-1] - time) / 0.1)


def _drum(rng: np.random.Generator, name: str) -> NDArray:
    """Synthesize a kick (falling tone), a snare (tone and noise) or a hat (hiss)."""
    time = np.arange(round(0.2 * RATE)) / RATE
    if name == "kick":
        return 1.6 * np.sin(2 * np.pi * (50 * time - 3 * np.exp(-time * 30))) * np.exp(-time * 18)
    hiss = np.diff(rng.standard_normal(len(time) + 1))
    if name == "snare":
        return 0.5 * (hiss + np.sin(2 * np.pi * 185 * time)) * np.exp(-time * 25)
    return 0.25 * np.diff(hiss, prepend=0) * np.exp(-time * 70)


def play(
    rng: np.random.Generator,
    time: NDArray,
    *,
    tempo: float,
    key: int,
    voice: Callable[[float, float], NDArray],
    drums: bool,
    beats: int = 4,
) -> NDArray:
    """Synthesize a piece of music as long as `time` (S,).

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws chords, melody and hiss.
    time : (S,) array
        Seconds; only its length counts.
    tempo : float
        Beats a minute.
    key : int
        MIDI note of the tonic.
    voice : function of a pitch in Hz and a length in seconds
        Sounds one note.
    drums : bool
        Whether a kick, a snare and hats mark the beats.
    beats : int
        Beats of a bar.
    """
    beat = 60 / tempo
    step = 2 if beats % 2 == 0 else 1  # beats that a chord lasts
    total = np.zeros(len(time) + 3 * RATE)

    def add(samples: NDArray, at: float, loud: float) -> None:
        part = total[round(at * RATE) :][: len(samples)]
        part += loud * samples[: len(part)]

    degree, chords = 7, CHORDS[rng.integers(len(CHORDS))]
    for bar in range(int(len(time) / RATE / beat / beats) + 1):
        begin, root = bar * beats * beat, chords[bar % 4]
        add(voice(hertz(_degree(key - 24, root)), beat * beats), begin, 0.8)
        for tone in (0, 2, 4):
            for onset in range(0, beats, step):
                add(voice(hertz(_degree(key - 12, root + tone)), step * beat), begin + onset * beat, 0.35)
        place = 0.0
        while place < beats:
            lasting = rng.choice([0.5, 1, 1.5], p=[0.5, 0.4, 0.1])
            if place == 0:  # a tone of the chord where the bar begins
                degree = min(
                    (root + tone + 7 * octave for tone in (0, 2, 4) for octave in (0, 1)), key=lambda d: abs(d - degree)
                )
            if rng.uniform() < 0.9:
                add(voice(hertz(_degree(key, degree)), lasting * beat), begin + place * beat, 0.7)
            degree = int(np.clip(degree + rng.choice([-2, -1, 1, 2]), 2, 12))
            place += lasting
        if drums:
            for place in range(2 * beats):
                add(_drum(rng, "hat"), begin + place * beat / 2, 1.0)
            for place in range(beats):
                add(_drum(rng, "snare" if place % 2 else "kick"), begin + place * beat, 1.0)
    return total[: len(time)]


MUSIC: dict[str, Callable[[np.random.Generator, NDArray], NDArray]] = {
    "music_band": partial(play, tempo=112, key=60, voice=_plucked, drums=True),
    "music_piano": partial(play, tempo=84, key=63, voice=_plucked, drums=False, beats=3),
    "music_strings": partial(play, tempo=66, key=58, voice=_bowed, drums=False),
}
