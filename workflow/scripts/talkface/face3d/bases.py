"""Bases of a face at its 68 landmarks: how identities and ARKit's weights move them, in the template frame.

landmark_bases.tsv, measured from the open model ICT-FaceKit (`make bases`): a row for each landmark that a vector of
a basis moves; what has no row stays where it is. `dlib` and `mesh` are where these detectors see the points of the
neutral face instead, measured on some ten people: a contour is no line on the skin, and each draws lips and brows in
its own way. Space as in `face.depth`: x to the right of the picture, y down, z
towards the viewer, outer-eye distance 1, the origin midway between the outer eye corners of the neutral face.

Axes: I identities, 52 expressions, 68 landmarks.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from talkface.face import points
from talkface.face3d import arkit

TABLE = Path(__file__).with_name("landmark_bases.tsv")
DETECTORS = ("dlib", "mesh")
LEAST = 5e-5  # of the outer-eye distance: a movement that is less is none
NEUTRAL, IDENTITY = "neutral", "identity"


@dataclass(frozen=True)
class Bases:
    """Neutral face and bases at the landmarks.

    Attributes
    ----------
    neutral : (68, 3) array
    identity : (I, 68, 3) array
        Each a standard deviation long.
    expression : (52, 68, 3) array
        In the order of `arkit.NAMES`.
    seen : dict of (68, 3) arrays
        By detector, where it sees the points of the neutral face, less where they are.
    """

    neutral: NDArray
    identity: NDArray
    expression: NDArray
    seen: Mapping[str, NDArray] = field(default_factory=dict)

    def as_seen_by(self, detector: str) -> "Bases":
        """Return the same with the neutral face as a detector sees it."""
        return Bases(self.neutral + self.seen[detector], self.identity, self.expression)


def save_bases(bases: Bases, path: str | Path, *, origin: str) -> None:
    """Write bases below a line that says where they come from."""
    named = [(NEUTRAL, bases.neutral)]
    named += [(f"{IDENTITY}{number:03d}", one) for number, one in enumerate(bases.identity)]
    named += zip(arkit.NAMES, bases.expression, strict=True)
    named += [(name, bases.seen[name]) for name in DETECTORS]
    rows = [
        (name, point, *(value.round(4) + 0.0))
        for name, vectors in named
        for point, value in enumerate(vectors)
        if np.abs(value).max() >= LEAST
    ]
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"# {origin}\n")
        pd.DataFrame(rows, columns=["basis", "point", "x", "y", "z"]).to_csv(
            file, sep="\t", index=False, float_format="%.4g"
        )


@functools.cache
def load_bases() -> Bases:
    """Read the table that comes along."""
    table = pd.read_csv(TABLE, sep="\t", comment="#", dtype={"basis": str})
    names = [name for name in dict.fromkeys(table["basis"]) if name.startswith(IDENTITY)]
    place = {name: row for row, name in enumerate([NEUTRAL, *names, *arkit.NAMES, *DETECTORS])}
    vectors = np.zeros((len(place), points.COUNT, 3))
    vectors[table["basis"].map(place), table["point"]] = table[["x", "y", "z"]]
    vectors.setflags(write=False)
    last = 1 + len(names)
    seen = dict(zip(DETECTORS, vectors[last + arkit.COUNT :], strict=True))
    return Bases(vectors[0], vectors[1:last], vectors[last : last + arkit.COUNT], seen)
