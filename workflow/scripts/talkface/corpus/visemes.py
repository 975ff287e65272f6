"""Visemes: the shape of the mouth from timed phonemes, a target for each sound, blended with its neighbours.

Lengths are units of the template frame (the outer-eye distance is 1). The same sound gives every speaker the same
opening and the same change of width; only the geometry of the face differs.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from talkface.drawing.characters import OPENING, TUCK
from talkface.media.phoneme import Phoneme

# Sound: opening of the inner lips, change of the mouth's width, rounding (0-1), lower lip tucked under the teeth (0-1),
# dominance: how far the sound imposes its shape on its neighbours.
# Openings and widths are ordered as in descriptive phonetics (open and close, spread and rounded vowels); their sizes
# are chosen so that wide speech stays within what people do (up to a quarter of the outer-eye distance).
TARGETS: dict[str, tuple[float, float, float, float, float]] = {
    "": (0.0, 0.0, 0.0, 0.0, 0.7),
    # open vowels
    "a": (0.25, 0.01, 0.0, 0.0, 1.0),
    "ɑ": (0.25, -0.01, 0.0, 0.0, 1.0),
    "æ": (0.22, 0.035, 0.0, 0.0, 1.0),
    "ʌ": (0.18, 0.0, 0.0, 0.0, 1.0),
    "ɐ": (0.17, 0.0, 0.0, 0.0, 0.8),
    # spread vowels
    "e": (0.13, 0.05, 0.0, 0.0, 1.0),
    "ɛ": (0.16, 0.035, 0.0, 0.0, 1.0),
    "i": (0.075, 0.08, 0.0, 0.0, 1.0),
    "ɪ": (0.10, 0.055, 0.0, 0.0, 0.9),
    "ᵻ": (0.09, 0.04, 0.0, 0.0, 0.7),
    "j": (0.07, 0.055, 0.0, 0.0, 0.8),
    # rounded vowels
    "ɒ": (0.20, -0.06, 0.4, 0.0, 1.0),
    "ɔ": (0.17, -0.09, 0.7, 0.0, 1.0),
    "o": (0.13, -0.125, 0.9, 0.0, 1.1),
    "ʊ": (0.085, -0.11, 0.8, 0.0, 1.0),
    "u": (0.065, -0.15, 1.0, 0.0, 1.2),
    "ʉ": (0.065, -0.135, 0.9, 0.0, 1.1),
    "w": (0.045, -0.155, 1.0, 0.0, 1.3),
    "ʍ": (0.045, -0.155, 1.0, 0.0, 1.3),
    # neutral vowels
    "ə": (0.11, 0.0, 0.0, 0.0, 0.6),
    "ɜ": (0.12, -0.02, 0.15, 0.0, 0.9),
    "ɚ": (0.11, -0.035, 0.2, 0.0, 0.8),
    # lips
    "p": (0.0, 0.0, 0.0, 0.0, 1.6),
    "b": (0.0, 0.0, 0.0, 0.0, 1.6),
    "m": (0.0, 0.0, 0.0, 0.0, 1.6),
    "f": (0.035, 0.01, 0.0, 1.0, 1.5),
    "v": (0.035, 0.01, 0.0, 1.0, 1.5),
    # tongue
    "θ": (0.07, 0.0, 0.0, 0.0, 0.9),
    "ð": (0.07, 0.0, 0.0, 0.0, 0.9),
    "t": (0.05, 0.01, 0.0, 0.0, 0.7),
    "d": (0.05, 0.01, 0.0, 0.0, 0.7),
    "n": (0.055, 0.01, 0.0, 0.0, 0.7),
    "l": (0.085, 0.015, 0.0, 0.0, 0.7),
    "s": (0.04, 0.035, 0.0, 0.0, 1.0),
    "z": (0.04, 0.035, 0.0, 0.0, 1.0),
    "ʃ": (0.065, -0.095, 0.7, 0.0, 1.1),
    "ʒ": (0.065, -0.095, 0.7, 0.0, 1.1),
    "ɹ": (0.07, -0.065, 0.5, 0.0, 0.9),
    "r": (0.08, -0.02, 0.1, 0.0, 0.7),
    "k": (0.08, 0.0, 0.0, 0.0, 0.5),
    "ɡ": (0.08, 0.0, 0.0, 0.0, 0.5),
    "ŋ": (0.08, 0.0, 0.0, 0.0, 0.6),
    "h": (0.10, 0.0, 0.0, 0.0, 0.3),
}
CLOSED = frozenset("pbm")
LIP_ON_TEETH = frozenset("fv")
FALLBACK = "ə"  # for a sound that the table does not know
# Half the reach of co-articulation: a sound's influence fades over about 100 ms on either side (Cohen and Massaro 1993
# blend by such dominance functions).
SPREAD_S = 0.042
_PLATEAU_S = 0.028  # least half-time of a closure: one frame of 25 fps falls into it wherever it lies
_RAMP_S = 0.035


def sounds(phonemes: Sequence[Phoneme]) -> list[tuple[str, float, float, bool]]:
    """List single sounds (symbol, start_s, end_s, stressed): diphthongs and affricates in halves, marks dropped.

    Examples
    --------
    >>> sounds([Phoneme("aɪ", 0.0, 0.5)])
    [('a', 0.0, 0.25, False), ('ɪ', 0.25, 0.5, False)]
    """
    parts = []
    for phoneme in phonemes:
        symbols = [symbol for symbol in phoneme.name if symbol in TARGETS]
        if phoneme.name and not symbols:
            symbols = [FALLBACK]
        symbols = symbols or [""]
        edges = np.linspace(phoneme.start_s, phoneme.end_s, len(symbols) + 1)
        for symbol, start, end in zip(symbols, edges[:-1], edges[1:], strict=True):
            parts.append((symbol, float(start), float(end), phoneme.stressed))
    return parts


def _plateau(times: NDArray, parts: Sequence[tuple], members: frozenset) -> NDArray[np.float64]:
    """Compute a gate (T,): 1 while one of the sounds is made, falling to 0 beside it."""
    gate = np.zeros(len(times))
    for symbol, start, end, _ in parts:
        if symbol in members:
            half = max(0.35 * (end - start), _PLATEAU_S)
            away = np.abs(times - (start + end) / 2) - half
            gate = np.maximum(gate, np.clip(1 - away / _RAMP_S, 0, 1))
    return gate * gate * (3 - 2 * gate)


def mouth_track(phonemes: Sequence[Phoneme], *, times: NDArray) -> NDArray[np.float64]:
    """Compute opening, width change, rounding and tuck at the given times.

    Parameters
    ----------
    phonemes : sequence of Phoneme
    times : (T,) array
        Seconds.

    Returns
    -------
    (T, 4) array
        Columns `OPENING`, `WIDTH` (units), `ROUND`, `TUCK` (0-1).
    """
    parts = sounds(phonemes)
    times = np.asarray(times, np.float64)
    total = np.full(len(times), 1e-6)
    track = np.zeros((len(times), 4))
    for symbol, start, end, stressed in parts:
        *values, dominance = TARGETS[symbol]
        presence = ndtr((times - start) / SPREAD_S) - ndtr((times - end) / SPREAD_S)
        weight = dominance * presence
        target = np.array(values)
        target[OPENING] *= 1.08 if stressed else 0.96
        track += weight[:, None] * target
        total += weight
    track /= total[:, None]
    teeth, closed = _plateau(times, parts, LIP_ON_TEETH), _plateau(times, parts, CLOSED)
    track[:, TUCK] = teeth * (1 - closed)
    track[:, OPENING] += teeth * (TARGETS["f"][OPENING] - track[:, OPENING])
    track[:, OPENING] *= 1 - closed
    return track
