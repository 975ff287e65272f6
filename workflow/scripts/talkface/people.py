"""The people of the demo corpus: the face and the look that belong to each voice. All of them are invented."""

import zlib
from dataclasses import dataclass, field

import numpy as np

from talkface.faces import Build
from talkface.looks import Look


@dataclass(frozen=True, kw_only=True)
class Person:
    """Looks and build of one speaker."""

    look: Look = field(default_factory=Look)
    build: Build = field(default_factory=Build)


PEOPLE: dict[str, Person] = {
    "en-us+f2": Person(
        look=Look(
            skin="#e3b08e", lips="#bb4f4d", iris="#4f8a76", brow="#5b3a26", hair="#7a4526", hair_style="wavy",
            clothes="#2f6f73", neckline="v", backdrop=("#a9bcc1", "#6c8590", "#eef1ea"), blush=0.55, lashes=1.5,
            neck=0.84, shoulders=0.86, brow_width=0.78, age=0.1, freckles=True,
        ),
        build=Build(width=0.96, length=0.97, jaw=0.93, chin=0.88, eyes=1.42, eye_tilt=0.012, nose_width=0.86,
                    nose_length=0.96, mouth_width=0.98, upper_lip=1.08, lower_lip=1.10, brow_height=1.25),
    ),
    "en-us+m3": Person(
        look=Look(
            skin="#d9a27c", lips="#a64843", iris="#5d7fa6", brow="#3d2a1d", hair="#3f2a1c", hair_style="side",
            clothes="#3c4f7a", neckline="collar", backdrop=("#c4b79f", "#877a66", "#f4ead2"), beard=0.35, blush=0.25,
            lashes=0.6, brow_width=1.15, age=0.35,
        ),
        build=Build(width=1.02, length=1.04, jaw=1.07, chin=1.10, eyes=1.18, nose_width=1.04, nose_length=1.04,
                    mouth_width=1.05, upper_lip=0.86, lower_lip=0.92, brow_height=0.9, brow_arch=0.8),
    ),
    "en+m1": Person(
        look=Look(
            skin="#e4b586", lips="#b0524a", iris="#4a3122", brow="#1d1714", hair="#1f1a18", hair_style="swept",
            clothes="#b9483f", neckline="round", backdrop=("#93a7a0", "#4f6761", "#d7e6d8"), blush=0.2, lashes=0.8,
            neck=0.92, brow_width=1.05, age=0.15,
        ),
        build=Build(width=1.01, length=0.98, jaw=1.02, chin=0.98, eyes=1.14, eye_tilt=0.02, nose_width=1.06,
                    nose_length=0.97, mouth_width=1.0, upper_lip=0.98, lower_lip=1.0, brow_arch=0.75),
    ),
    "en+f4": Person(
        look=Look(
            skin="#efc5a8", lips="#a23a44", iris="#6286a3", brow="#9a8f87", hair="#c9c5c0", hair_style="bob",
            clothes="#6d4a77", neckline="turtle", backdrop=("#b6b0c4", "#6f6b86", "#f0e6ea"), blush=0.5, lashes=1.1,
            neck=0.84, shoulders=0.86, brow_width=0.75, age=0.85, hair_grey=0.5, earrings="#d8c27a",
        ),
        build=Build(width=0.99, length=1.0, jaw=1.02, chin=0.95, eyes=1.15, nose_width=0.98, nose_length=1.05,
                    mouth_width=1.02, upper_lip=0.84, lower_lip=0.92, brow_height=1.15),
    ),
    "en-us+m7": Person(
        look=Look(
            skin="#a26c4a", lips="#69282c", iris="#3a2418", brow="#1a1310", hair="#1c1512", hair_style="buzz",
            clothes="#d9a441", neckline="round", backdrop=("#7f9fb8", "#3f5f7d", "#dbe9f2"), beard=0.1, blush=0.15,
            lashes=0.9, brow_width=1.1, age=0.3,
        ),
        build=Build(width=1.0, length=1.02, jaw=1.05, chin=1.04, eyes=1.2, nose_width=1.2, nose_length=1.0,
                    mouth_width=1.08, upper_lip=1.18, lower_lip=1.15, brow_arch=0.85),
    ),
    "en-gb-x-rp+f1": Person(
        look=Look(
            skin="#935d41", lips="#611c2c", iris="#33211a", brow="#17110f", hair="#1d1613", hair_style="afro",
            clothes="#c6533a", neckline="round", backdrop=("#d6b98e", "#94703f", "#fbeccb"), blush=0.3, lashes=1.6,
            neck=0.84, shoulders=0.86, brow_width=0.85, age=0.15, earrings="#e2b93b",
        ),
        build=Build(width=0.95, length=0.97, jaw=0.94, chin=0.9, eyes=1.4, eye_tilt=0.014, nose_width=1.12,
                    nose_length=0.95, mouth_width=1.04, upper_lip=1.28, lower_lip=1.22, brow_height=1.2),
    ),
    "en-us+f5": Person(
        look=Look(
            skin="#bf8358", lips="#9c3646", iris="#3b261b", brow="#1b1412", hair="#191413", hair_style="long",
            clothes="#a3355c", neckline="round", backdrop=("#8fb0a4", "#4a7565", "#e2f0de"), blush=0.35, lashes=1.7,
            neck=0.84, shoulders=0.86, brow_width=0.9, age=0.2, earrings="#d9b65a",
        ),
        build=Build(width=0.96, length=0.99, jaw=0.93, chin=0.92, eyes=1.38, eye_tilt=0.01, nose_width=0.95,
                    nose_length=1.03, mouth_width=1.0, upper_lip=1.05, lower_lip=1.12, brow_height=1.1),
    ),
    "en+m4": Person(
        look=Look(
            skin="#e8b795", lips="#a94b47", iris="#6f8fa8", brow="#8a8178", hair="#b9b3aa", hair_style="receding",
            clothes="#4b5b4a", neckline="collar", backdrop=("#a3a9b5", "#5b6475", "#e6e9ee"), blush=0.45, lashes=0.5,
            brow_width=1.2, age=0.95, hair_grey=0.4,
        ),
        build=Build(width=1.03, length=1.02, jaw=1.06, chin=1.06, eyes=1.08, nose_width=1.12, nose_length=1.07,
                    mouth_width=1.05, upper_lip=0.78, lower_lip=0.86, brow_height=0.95),
    ),
    "en-us+f3": Person(
        look=Look(
            skin="#f0cbb0", lips="#c0525a", iris="#5b8c5a", brow="#8d4a22", hair="#b35a22", hair_style="bun",
            clothes="#3f6b4c", neckline="v", backdrop=("#b3c4d4", "#7187a1", "#f2f6fa"), blush=0.6, lashes=1.4,
            neck=0.84, shoulders=0.86, brow_width=0.75, age=0.1, freckles=True,
        ),
        build=Build(width=0.97, length=0.98, jaw=0.95, chin=0.93, eyes=1.4, eye_tilt=0.006, nose_width=0.9,
                    nose_length=0.98, mouth_width=0.99, upper_lip=1.0, lower_lip=1.08, brow_height=1.2),
    ),
    "en-gb-x-rp+m2": Person(
        look=Look(
            skin="#d5a67f", lips="#983c38", iris="#56452b", brow="#2c1d14", hair="#33231a", hair_style="curly",
            clothes="#5a6f86", neckline="round", backdrop=("#c9c0b2", "#8d8272", "#f6efe2"), beard=0.22, blush=0.3,
            lashes=0.8, brow_width=1.1, age=0.25,
        ),
        build=Build(width=1.0, length=1.03, jaw=1.02, chin=1.02, eyes=1.22, nose_width=1.02, nose_length=1.06,
                    mouth_width=1.02, upper_lip=0.95, lower_lip=1.0, brow_arch=0.9),
    ),
}  # fmt: skip


def person_of(voice: str) -> Person:
    """The person who speaks with a voice: one of `PEOPLE`, or for any other voice one drawn by chance from its name."""
    if voice in PEOPLE:
        return PEOPLE[voice]
    rng = np.random.default_rng(zlib.crc32(voice.encode()))
    base = list(PEOPLE.values())
    look = base[rng.integers(len(base))].look if base else Look()
    vary = {name: rng.uniform(0.92, 1.08) for name in ("width", "length", "jaw", "nose_width", "mouth_width", "eyes")}
    return Person(look=look, build=Build(**vary))


# The face that speaks in animations.
PRESENTER = Person(
    look=Look(
        skin="#e0ab87", lips="#b84c4d", iris="#4f7d6b", brow="#4c3222", hair="#5a3826", hair_style="wavy",
        clothes="#2f6f73", neckline="v", backdrop=("#9db4bd", "#66808c", "#e3ecec"), blush=0.5, lashes=1.5,
        neck=0.84, shoulders=0.88, brow_width=0.8, age=0.1,
    ),
    build=Build(width=0.96, length=0.98, jaw=0.93, chin=0.9, eyes=1.4, eye_tilt=0.01, nose_width=0.88, nose_length=0.97,
                mouth_width=1.0, upper_lip=1.05, lower_lip=1.1, brow_height=1.2),
)  # fmt: skip
