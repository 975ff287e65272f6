"""Mouth cues as rhubarb-lip-sync writes them: which of a few drawn mouths is shown from when on.

| cue | mouth | here |
|---|---|---|
| X | at rest | closed for a third of a second or longer |
| A | closed, as for p, b, m | closed for less |
| B | nearly closed, teeth seen | little open |
| C | open | open |
| D | wide open | far open |
| E | a little rounded | open and narrowed |
| F | puckered | little open and narrowed |
| G | teeth on the lower lip | lower lip rolled in below open lips |

H, the tongue behind the upper teeth as for a long l, does not show on lips; a C stands for it.

Axes: T frames at 25 a second.
"""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from talkface.conventions import FPS
from talkface.face import points
from talkface.face3d import arkit
from talkface.face3d.bases import load_bases
from talkface.files import writing

# % of the outer-eye distance, of a mouth that opens; the resting lips of the model have 1.2.
CLOSED, LITTLE, FAR = 3.0, 7.0, 14.0
NARROW = 0.93  # of the resting mouth's width
ROLLED = 0.3  # weight of the lower lip
REST_FRAMES, LEAST_FRAMES = 8, 2

Cue = tuple[float, float, str]  # start and end, seconds, and the letter


def find_cues(weights: NDArray) -> list[Cue]:
    """Tell the cues of weights (T, 52); each lasts two frames or more, and the first begins at 0.

    Examples
    --------
    >>> open_mouth = np.zeros((30, 52))
    >>> open_mouth[12:20, arkit.INDEX["jawOpen"]] = 0.6
    >>> find_cues(open_mouth)
    [(0.0, 0.48, 'X'), (0.48, 0.8, 'D'), (0.8, 1.2, 'X')]
    """
    bases = load_bases()
    faces = bases.neutral[:, :2] + np.tensordot(weights, bases.expression[..., :2], axes=1)
    opening = 100 * points.mouth_opening(faces)
    narrow = points.mouth_width(faces) < NARROW * points.mouth_width(bases.neutral[:, :2])
    rolled = weights[:, arkit.INDEX["mouthRollLower"]] > ROLLED
    letters = np.select(
        [opening < CLOSED, rolled & (opening < FAR), narrow & (opening < LITTLE), narrow & (opening < FAR)],
        ["A", "G", "F", "E"],
        np.select([opening < LITTLE, opening < FAR], ["B", "C"], "D"),
    )
    runs = _runs(letters)
    runs = [(a, b, "X" if letter == "A" and b - a >= REST_FRAMES else letter) for a, b, letter in runs]
    return [(a / FPS, b / FPS, letter) for a, b, letter in _without_flicker(runs)]


def _runs(letters: NDArray) -> list[tuple[int, int, str]]:
    """Return first frame, frame after the last, and letter of each run of equal letters."""
    edges = [0, *(np.flatnonzero(letters[1:] != letters[:-1]) + 1), len(letters)] if len(letters) else [0]
    return [(int(a), int(b), str(letters[a])) for a, b in itertools.pairwise(edges)]


def _without_flicker(runs: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Let runs of one frame become part of the one before, but for lips that meet, which last two."""
    found: list[tuple[int, int, str]] = []
    for a, b, letter in runs:
        start = max(a, found[-1][1]) if found else 0
        if letter == "A" and b - start < LEAST_FRAMES:
            b = start + LEAST_FRAMES
        if found and (b - start < LEAST_FRAMES or letter == found[-1][2]):
            found[-1] = (found[-1][0], max(b, found[-1][1]), found[-1][2])
        else:
            found.append((start, b, letter))
    last = runs[-1][1] if runs else 0
    return [(a, min(b, last), letter) for a, b, letter in found if a < last]


def write_cues(cues: Sequence[Cue], *, table: str | Path, json_file: str | Path, sound: str) -> None:
    """Write cues as rhubarb-lip-sync does: a line of start and letter each, the last at the end; and as JSON."""
    end = cues[-1][1] if cues else 0.0
    with writing(table) as temporary:
        lines = [f"{start:.2f}\t{letter}\n" for start, _, letter in cues]
        temporary.write_text("".join([*lines, f"{end:.2f}\tX\n"]), encoding="utf-8")
    content = {
        "metadata": {"soundFile": sound, "duration": round(end, 2)},
        "mouthCues": [{"start": round(a, 2), "end": round(b, 2), "value": letter} for a, b, letter in cues],
    }
    with writing(json_file) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
