"""The part of a face model that speech moves: its triangles, and the mouth between the lips closed by a fan.

The skin of ICT-FaceKit goes on behind the lips and ends in a loop. A fan over that loop makes the inside of the mouth a
surface, too, so that what a real picture shows there is carried along by it.

Axes: V vertices of the region, F triangles, 52 weights.
"""

from collections import Counter, defaultdict
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from talkface.errors import TalkfaceError
from talkface.face import points
from talkface.face3d import arkit
from talkface.face3d.face_model import FaceModel

# What speech moves; all else is the upper face's, which stays as it was filmed.
SPOKEN = np.array([name.startswith(("jaw", "mouth", "cheekPuff", "tongue")) for name in arkit.NAMES])
STILL = 6e-3  # outer-eye distances: what no weight of speech moves further is not of the region
BEHIND = -0.75  # outer-eye distances: neither what lies so far behind the eyes
AROUND = 0.30  # outer-eye distances: vertices round the lips by which mouths are compared
FEWEST, MOST = 8, 400  # corners of a loop behind the lips


class Region:
    """What of a face model speech moves.

    Parameters
    ----------
    model : FaceModel
        With ARKit's expressions.

    Attributes
    ----------
    vertices : (V - 1,) int array
        Of the model; the last vertex of the region is the middle of the fan.
    triangles : (F, 3) int32 array
    """

    def __init__(self, model: FaceModel):
        self.model = model
        moved = np.linalg.norm(model.expression[SPOKEN], axis=2).max(axis=0) > STILL
        moved &= model.neutral[:, 2] > BEHIND
        skin = model.triangles_of("skin")
        skin = skin[moved[skin].any(axis=1)]
        loop = _loop_behind_lips(model)
        self.vertices = np.union1d(np.unique(skin), np.unique(loop))
        place = np.full(len(model.neutral), -1, np.int32)
        place[self.vertices] = np.arange(len(self.vertices), dtype=np.int32)
        middle = np.full((len(loop), 1), len(self.vertices), np.int32)
        fan = np.concatenate([place[loop][:, ::-1], middle], axis=1)
        self.triangles = np.concatenate([place[skin], fan]).astype(np.int32)
        self._loop = place[np.unique(loop)]
        self._movement = model.expression[:, self.vertices]
        self._identity = model.identity[:, self.vertices]
        self._neutral = model.neutral[self.vertices]

    def person(self, identity: ArrayLike) -> NDArray[np.float32]:
        """Return the region (V - 1, 3) of a person's resting face."""
        known = np.asarray(identity, np.float32)[: len(self._identity)]
        return self._neutral + np.tensordot(known, self._identity[: len(known)], axes=1)

    def shown(self, person: NDArray, weights: NDArray) -> NDArray[np.float32]:
        """Return the vertices (V, 3) of a person (V - 1, 3) that shows weights (52,), the fan's middle last."""
        moved = np.flatnonzero(weights)
        face = person + np.tensordot(weights[moved].astype(np.float32), self._movement[moved], axes=1)
        return np.concatenate([face, face[self._loop].mean(axis=0, keepdims=True)])

    @cached_property
    def compared(self) -> NDArray[np.int64]:
        """Rows of the vertices (C,) by which mouths are compared: lips and what lies round them, down to the chin."""
        lips = self.model.landmarks[list(points.LIPS)]
        away = np.linalg.norm(self._neutral[:, None] - self.model.neutral[lips], axis=2).min(axis=1)
        below = self._neutral[:, 1] > self.model.neutral[lips, 1].mean()
        rows = np.flatnonzero((away < AROUND / 3) | ((away < AROUND) & below))
        return rows[:: max(1, len(rows) // MOST)]

    def compare(self, weights: NDArray) -> NDArray[np.float32]:
        """Return what weights (T, 52) make of these vertices, less the resting face, (T, C, 3)."""
        return np.tensordot(weights.astype(np.float32), self._movement[:, self.compared], axes=1)

    @cached_property
    def outer_lip(self) -> NDArray[np.int64]:
        """Rows of the vertices (12,) of the outer lips' landmarks."""
        return np.searchsorted(self.vertices, self.model.landmarks[list(points.OUTER_LIP)])

    @cached_property
    def inner_lip(self) -> NDArray[np.int64]:
        """Rows of the vertices (8,) of the inner lips' landmarks."""
        return np.searchsorted(self.vertices, self.model.landmarks[list(points.INNER_LIP)])


def _loop_behind_lips(model: FaceModel) -> NDArray[np.int64]:
    """Find the edges (E, 2) in which the skin ends behind the lips, each as the triangle beside it runs."""
    edges: Counter = Counter()
    for a, b, c in model.triangles_of("skin"):
        edges.update(((a, b), (b, c), (c, a)))
    border = [(a, b) for a, b in edges if (b, a) not in edges]
    after = defaultdict(list)
    for a, b in border:
        after[a].append(b)
    lips = model.neutral[model.landmarks[list(points.INNER_LIP)]].mean(axis=0)
    loops, seen = [], set()
    for start in list(after):
        loop, at = [], start
        while at not in seen and after[at]:
            seen.add(at)
            loop.append((at, after[at][0]))
            at = after[at][0]
        if FEWEST <= len(loop) <= MOST:
            loops.append(np.array(loop))
    if not loops:
        raise TalkfaceError("face_model: the skin has no opening between the lips; ICT-FaceKit was expected")
    nearest = min(loops, key=lambda loop: np.linalg.norm(model.neutral[loop[:, 0]].mean(axis=0) - lips))
    return np.asarray(nearest)
