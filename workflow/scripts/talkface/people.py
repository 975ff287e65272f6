"""The people of the demo corpus: the face and the look that belong to each voice. All of them are invented."""

import zlib
from dataclasses import dataclass, field

import numpy as np

from talkface.looks import Look


@dataclass(frozen=True, kw_only=True)
class Build:
    """Geometry of a face, as factors of the template unless a unit is given.

    Attributes
    ----------
    width, length, jaw, chin : float
        Width of the face, its height below the eyes, width of the jaw and of the chin relative to the face.
    eyes, eye_tilt : float
        Height of the eyes; rise of the outer corners of the lids in units.
    nose_width, nose_length : float
    mouth_width, upper_lip, lower_lip : float
        Width of the mouth and thickness of the lips.
    smile : float
        How far the corners of the mouth stand up at rest, units.
    brow_height, brow_arch : float
        Distance of the brows from the eyes and their curvature.
    """

    width: float = 1.0
    length: float = 1.0
    jaw: float = 1.0
    chin: float = 1.0
    eyes: float = 1.15
    eye_tilt: float = 0.0
    nose_width: float = 1.0
    nose_length: float = 1.0
    mouth_width: float = 1.0
    upper_lip: float = 1.0
    lower_lip: float = 1.0
    smile: float = 0.012
    brow_height: float = 1.0
    brow_arch: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Person:
    """Looks and build of one speaker."""

    look: Look = field(default_factory=Look)
    build: Build = field(default_factory=Build)


PEOPLE: dict[str, Person] = {}


def person_of(voice: str) -> Person:
    """The person who speaks with a voice: one of `PEOPLE`, or for any other voice one drawn by chance from its name."""
    if voice in PEOPLE:
        return PEOPLE[voice]
    rng = np.random.default_rng(zlib.crc32(voice.encode()))
    base = list(PEOPLE.values())
    look = base[rng.integers(len(base))].look if base else Look()
    vary = {name: rng.uniform(0.92, 1.08) for name in ("width", "length", "jaw", "nose_width", "mouth_width", "eyes")}
    return Person(look=look, build=Build(**vary))
