"""Drawn people: appearance and build of a face, shapes of its lips, and who speaks with which voice of the demo.

All of them are invented. Template frame: outer-eye distance 1, x right, y down, origin midway between the outer eye
corners.
"""

import zlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from talkface.face.points import LIPS
from talkface.face.template import load_template

# Columns of what a mouth does over time, see `talkface.corpus.visemes.mouth_track`.
OPENING, WIDTH, ROUND, TUCK = range(4)


@dataclass(frozen=True, kw_only=True)
class Appearance:
    """Appearance of a shaded face; colours are "#rrggbb".

    Attributes
    ----------
    skin : str
        Colour of lit skin; shadows and lights are derived from it.
    lips, iris, brow, hair, clothes : str
        Colours.
    hair_style : str
        One of `hair_clothes.HAIR_STYLES`.
    neckline : str
        "round", "v", "collar" or "turtle".
    backdrop : tuple of str
        Upper and lower colour and the colour of the out-of-focus lights.
    hair_grey : float
        Share of grey strands, 0-1.
    age : float
        Strength of folds and lines, 0-1.
    beard : float
        0 none, 0.4 stubble, 1 a full short beard.
    lashes : float
        Weight of the upper lid's line, 1 is ordinary.
    blush : float
        Strength of colour on cheeks and nose, 0-1.
    freckles : bool
        Freckles over nose and cheeks.
    brow_width : float
        Thickness of the brows, 1 is ordinary.
    earrings : str
        Colour, "" for none.
    neck, shoulders : float
        Their width, 1 is broad.
    """

    skin: str = "#dba27f"
    lips: str = "#b4504b"
    iris: str = "#5a7fa0"
    brow: str = "#4a3222"
    hair: str = "#4a3020"
    hair_style: str = "short"
    clothes: str = "#40586b"
    neckline: str = "round"
    backdrop: tuple[str, str, str] = ("#8fa6b2", "#5d7482", "#d9e4e6")
    hair_grey: float = 0.0
    age: float = 0.2
    beard: float = 0.0
    lashes: float = 1.0
    blush: float = 0.4
    freckles: bool = False
    brow_width: float = 1.0
    earrings: str = ""
    neck: float = 1.0
    shoulders: float = 1.0


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
    """Build a face (68, 2) at rest with closed lips, template frame, by varying the template."""
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
    """Build lips (T, 20, 2) around the middle of the closed mouth, units.

    Parameters
    ----------
    build : Build
    track : (T, 4) array
        See `talkface.corpus.visemes.mouth_track`.
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


@dataclass(frozen=True, kw_only=True)
class Person:
    """Looks and build of one speaker."""

    look: Appearance = field(default_factory=Appearance)
    build: Build = field(default_factory=Build)


PEOPLE: dict[str, Person] = {
    "en-us+f2": Person(
        look=Appearance(
            skin="#e3b08e", lips="#bb4f4d", iris="#4f8a76", brow="#5b3a26", hair="#7a4526", hair_style="wavy",
            clothes="#2f6f73", neckline="v", backdrop=("#a9bcc1", "#6c8590", "#eef1ea"), blush=0.55, lashes=1.5,
            neck=0.84, shoulders=0.86, brow_width=0.78, age=0.1, freckles=True,
        ),
        build=Build(width=0.96, length=0.97, jaw=0.93, chin=0.88, eyes=1.42, eye_tilt=0.012, nose_width=0.86,
                    nose_length=0.96, mouth_width=0.98, upper_lip=1.08, lower_lip=1.10, brow_height=1.25),
    ),
    "en-us+m3": Person(
        look=Appearance(
            skin="#d9a27c", lips="#a64843", iris="#5d7fa6", brow="#3d2a1d", hair="#3f2a1c", hair_style="side",
            clothes="#3c4f7a", neckline="collar", backdrop=("#c4b79f", "#877a66", "#f4ead2"), beard=0.35, blush=0.25,
            lashes=0.6, brow_width=1.15, age=0.35,
        ),
        build=Build(width=1.02, length=1.04, jaw=1.07, chin=1.10, eyes=1.18, nose_width=1.04, nose_length=1.04,
                    mouth_width=1.05, upper_lip=0.86, lower_lip=0.92, brow_height=0.9, brow_arch=0.8),
    ),
    "en+m1": Person(
        look=Appearance(
            skin="#e4b586", lips="#b0524a", iris="#4a3122", brow="#1d1714", hair="#1f1a18", hair_style="swept",
            clothes="#b9483f", neckline="round", backdrop=("#93a7a0", "#4f6761", "#d7e6d8"), blush=0.2, lashes=0.8,
            neck=0.92, brow_width=1.05, age=0.15,
        ),
        build=Build(width=1.01, length=0.98, jaw=1.02, chin=0.98, eyes=1.14, eye_tilt=0.02, nose_width=1.06,
                    nose_length=0.97, mouth_width=1.0, upper_lip=0.98, lower_lip=1.0, brow_arch=0.75),
    ),
    "en+f4": Person(
        look=Appearance(
            skin="#efc5a8", lips="#a23a44", iris="#6286a3", brow="#9a8f87", hair="#c9c5c0", hair_style="bob",
            clothes="#6d4a77", neckline="turtle", backdrop=("#b6b0c4", "#6f6b86", "#f0e6ea"), blush=0.5, lashes=1.1,
            neck=0.84, shoulders=0.86, brow_width=0.75, age=0.85, hair_grey=0.5, earrings="#d8c27a",
        ),
        build=Build(width=0.99, length=1.0, jaw=1.02, chin=0.95, eyes=1.15, nose_width=0.98, nose_length=1.05,
                    mouth_width=1.02, upper_lip=0.84, lower_lip=0.92, brow_height=1.15),
    ),
    "en-us+m7": Person(
        look=Appearance(
            skin="#a26c4a", lips="#69282c", iris="#3a2418", brow="#1a1310", hair="#1c1512", hair_style="buzz",
            clothes="#d9a441", neckline="round", backdrop=("#7f9fb8", "#3f5f7d", "#dbe9f2"), beard=0.1, blush=0.15,
            lashes=0.9, brow_width=1.1, age=0.3,
        ),
        build=Build(width=1.0, length=1.02, jaw=1.05, chin=1.04, eyes=1.2, nose_width=1.2, nose_length=1.0,
                    mouth_width=1.08, upper_lip=1.18, lower_lip=1.15, brow_arch=0.85),
    ),
    "en-gb-x-rp+f1": Person(
        look=Appearance(
            skin="#935d41", lips="#611c2c", iris="#33211a", brow="#17110f", hair="#1d1613", hair_style="afro",
            clothes="#c6533a", neckline="round", backdrop=("#d6b98e", "#94703f", "#fbeccb"), blush=0.3, lashes=1.6,
            neck=0.84, shoulders=0.86, brow_width=0.85, age=0.15, earrings="#e2b93b",
        ),
        build=Build(width=0.95, length=0.97, jaw=0.94, chin=0.9, eyes=1.4, eye_tilt=0.014, nose_width=1.12,
                    nose_length=0.95, mouth_width=1.04, upper_lip=1.28, lower_lip=1.22, brow_height=1.2),
    ),
    "en-us+f5": Person(
        look=Appearance(
            skin="#bf8358", lips="#9c3646", iris="#3b261b", brow="#1b1412", hair="#191413", hair_style="long",
            clothes="#a3355c", neckline="round", backdrop=("#8fb0a4", "#4a7565", "#e2f0de"), blush=0.35, lashes=1.7,
            neck=0.84, shoulders=0.86, brow_width=0.9, age=0.2, earrings="#d9b65a",
        ),
        build=Build(width=0.96, length=0.99, jaw=0.93, chin=0.92, eyes=1.38, eye_tilt=0.01, nose_width=0.95,
                    nose_length=1.03, mouth_width=1.0, upper_lip=1.05, lower_lip=1.12, brow_height=1.1),
    ),
    "en+m4": Person(
        look=Appearance(
            skin="#e8b795", lips="#a94b47", iris="#6f8fa8", brow="#8a8178", hair="#b9b3aa", hair_style="receding",
            clothes="#4b5b4a", neckline="collar", backdrop=("#a3a9b5", "#5b6475", "#e6e9ee"), blush=0.45, lashes=0.5,
            brow_width=1.2, age=0.95, hair_grey=0.4,
        ),
        build=Build(width=1.03, length=1.02, jaw=1.06, chin=1.06, eyes=1.08, nose_width=1.12, nose_length=1.07,
                    mouth_width=1.05, upper_lip=0.78, lower_lip=0.86, brow_height=0.95),
    ),
    "en-us+f3": Person(
        look=Appearance(
            skin="#f0cbb0", lips="#c0525a", iris="#5b8c5a", brow="#8d4a22", hair="#b35a22", hair_style="bun",
            clothes="#3f6b4c", neckline="v", backdrop=("#b3c4d4", "#7187a1", "#f2f6fa"), blush=0.6, lashes=1.4,
            neck=0.84, shoulders=0.86, brow_width=0.75, age=0.1, freckles=True,
        ),
        build=Build(width=0.97, length=0.98, jaw=0.95, chin=0.93, eyes=1.4, eye_tilt=0.006, nose_width=0.9,
                    nose_length=0.98, mouth_width=0.99, upper_lip=1.0, lower_lip=1.08, brow_height=1.2),
    ),
    "en-gb-x-rp+m2": Person(
        look=Appearance(
            skin="#d5a67f", lips="#983c38", iris="#56452b", brow="#2c1d14", hair="#33231a", hair_style="curly",
            clothes="#5a6f86", neckline="round", backdrop=("#c9c0b2", "#8d8272", "#f6efe2"), beard=0.22, blush=0.3,
            lashes=0.8, brow_width=1.1, age=0.25,
        ),
        build=Build(width=1.0, length=1.03, jaw=1.02, chin=1.02, eyes=1.22, nose_width=1.02, nose_length=1.06,
                    mouth_width=1.02, upper_lip=0.95, lower_lip=1.0, brow_arch=0.9),
    ),
}  # fmt: skip


def person_of(voice: str) -> Person:
    """Return the person who speaks with a voice: one of `PEOPLE`, else one drawn at random, seeded by the name."""
    if voice in PEOPLE:
        return PEOPLE[voice]
    rng = np.random.default_rng(zlib.crc32(voice.encode()))
    base = list(PEOPLE.values())
    look = base[rng.integers(len(base))].look if base else Appearance()
    vary = {name: rng.uniform(0.92, 1.08) for name in ("width", "length", "jaw", "nose_width", "mouth_width", "eyes")}
    return Person(look=look, build=Build(**vary))


# The face that speaks in animations.
PRESENTER = Person(
    look=Appearance(
        skin="#e0ab87", lips="#b84c4d", iris="#4f7d6b", brow="#4c3222", hair="#5a3826", hair_style="wavy",
        clothes="#2f6f73", neckline="v", backdrop=("#9db4bd", "#66808c", "#e3ecec"), blush=0.5, lashes=1.5,
        neck=0.84, shoulders=0.88, brow_width=0.8, age=0.1,
    ),
    build=Build(width=0.96, length=0.98, jaw=0.93, chin=0.9, eyes=1.4, eye_tilt=0.01, nose_width=0.88, nose_length=0.97,
                mouth_width=1.0, upper_lip=1.05, lower_lip=1.1, brow_height=1.2),
)  # fmt: skip
