"""Geometry of invented faces: the template varied, and a mouth that can take any shape.

Template frame: outer-eye distance 1, x right, y down, origin midway between the outer eye corners.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from talkface.face.points import LIPS
from talkface.face.template import load_template
from talkface.visemes import OPENING, ROUND, TUCK, WIDTH


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
    smile: float = 0.022
    brow_height: float = 1.0
    brow_arch: float = 1.0


def neutral_face(build: Build) -> NDArray[np.float64]:
    """Face (68, 2) at rest with closed lips, template frame: the template, varied."""
    face = load_template()
    jaw = face[:17]
    jaw[:, 1] *= build.length
    share = np.clip((jaw[:, 1] - 0.3) / (jaw[8, 1] - 0.3), 0, 1)  # 0 at the ear, 1 at the chin
    jaw[:, 0] *= build.width * (1 + (build.jaw - 1) * np.sin(np.pi * np.minimum(share * 0.75, 1)))
    jaw[:, 0] *= 1 + (build.chin - 1) * share**3
    for first, side in ((17, -1), (22, 1)):
        brow = face[first : first + 5]
        flat = brow[:, 1].mean()
        brow[:, 1] = (flat + (brow[:, 1] - flat) * build.brow_arch) * 1.0 - 0.10 * (build.brow_height - 1)
        brow[:, 0] *= 0.5 + 0.5 * build.width
        eye = face[36:42] if side < 0 else face[42:48]
        centre = eye.mean(axis=0)
        eye[:, 1] = centre[1] + (eye[:, 1] - centre[1]) * build.eyes
        eye[:, 1] -= build.eye_tilt * side * (eye[:, 0] - centre[0]) / 0.15
    face[27:36, 1] *= build.nose_length
    face[31:36, 0] *= build.nose_width
    middle = 0.5 + 0.5 * build.length
    face[list(LIPS)] = [0.0, face[[48, 54], 1].mean() * middle] + mouth_points(build, np.zeros((1, 4)))[0]
    face -= face[[36, 45]].mean(axis=0)
    return face / (face[45, 0] - face[36, 0])


def mouth_points(build: Build, track: NDArray) -> NDArray[np.float64]:
    """Lips (T, 20, 2) around the middle of the closed mouth, units.

    Parameters
    ----------
    build : Build
    track : (T, 4) array
        See `visemes.mouth_track`.
    """
    opening, rounding, tuck = track[:, OPENING], track[:, ROUND], track[:, TUCK]
    half = 0.285 * build.mouth_width + track[:, WIDTH] / 2
    drop, rise = 0.80 * opening, -0.20 * opening - 0.012 * tuck
    corner = 0.22 * opening - build.smile
    stretch = np.clip(1 - 0.9 * track[:, WIDTH], 0.8, 1.2) * (1 - 0.5 * opening)
    upper = 0.078 * build.upper_lip * stretch * (1 + 0.10 * rounding)
    lower = 0.098 * build.lower_lip * stretch * (1 + 0.12 * rounding) * (1 - 0.38 * tuck)
    lips = np.zeros((len(track), 20, 2))

    def put(index: int, x: NDArray, y: NDArray) -> None:
        lips[:, index, 0], lips[:, index, 1] = x, y

    inner = half - 0.045 - 0.012 * rounding
    round_x = 1 + 0.10 * rounding
    for side, corner_at, peak, shoulder, low, low_shoulder, in_corner, in_top, in_low in (
        (-1, 0, 2, 1, 10, 11, 12, 13, 19),
        (1, 6, 4, 5, 8, 7, 16, 15, 17),
    ):
        put(corner_at, side * half, corner)
        put(shoulder, side * 0.62 * half * round_x, rise + 0.35 * (corner - rise) - 0.66 * upper)
        put(peak, side * 0.25 * half, rise - upper)
        put(low, side * 0.30 * half * round_x, drop + 0.94 * lower)
        put(low_shoulder, side * 0.66 * half * round_x, drop + 0.30 * (corner - drop) + 0.62 * lower)
        put(in_corner, side * inner, corner * 0.92)
        put(in_top, side * 0.42 * half, rise + 0.14 * (corner - rise))
        put(in_low, side * 0.42 * half, drop + 0.14 * (corner - drop))
    put(3, 0 * half, rise - 0.80 * upper)
    put(9, 0 * half, drop + lower)
    put(14, 0 * half, rise)
    put(18, 0 * half, drop)
    return lips
