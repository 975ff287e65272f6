"""ARKit's weights of faces whose identity was removed: of landmarks alone, without a picture and without a face model.

A face in the template frame is the resting face and a sum of movements (`bases`). The weights solve, for all frames of
a file at once, least squares between the two with bounds 0 .. 1, by coordinate descent; what the landmarks cannot tell
is decided by priors: as few weights as possible and as small ones (L1 and L2), left as right, a frame as its
neighbours. Lips never close further than the jaw is open: `mouthClose` is at most `jawOpen`.

`Follower` does the same frame by frame, for live use.

Axes: T frames, 68 landmarks, D coordinates (2 or 3), 52 weights.
"""

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from talkface.face import points
from talkface.face.depth import rest_in_space
from talkface.face.faces import checked
from talkface.face.template import load_template
from talkface.face3d import arkit
from talkface.face3d.bases import load_bases
from talkface.face3d.descent import descend

# How far a landmark is trusted. A contour is no line on the skin: it slides over it.
TRUST = {points.JAW: 0.3, points.BROWS: 1.0, points.NOSE: 0.5, points.EYES: 1.5, points.LIPS: 2.0}
# Costs, in squared outer-eye distances summed over trusted coordinates.
L1, L2, SIDES, CHANGE = 4e-4, 2e-3, 4e-3, 2e-3
# Movements that are each other's opposite; both at once cost as much as they share.
OPPOSITES = (("mouthLeft", "mouthRight"), ("jawLeft", "jawRight"), ("eyeBlinkLeft", "eyeWideLeft"),
             ("eyeBlinkRight", "eyeWideRight"), ("mouthSmileLeft", "mouthFrownLeft"),
             ("mouthSmileRight", "mouthFrownRight"), ("browDownLeft", "browOuterUpLeft"),
             ("browDownRight", "browOuterUpRight"))  # fmt: skip
BOTH = 5e-2
# Of which 68 landmarks show next to nothing: gaze, and cheeks, which the lips would explain away.
HIDDEN = ("eyeLook", "cheek", "tongue", "noseSneer", "jawForward")
HIDDEN_COST = 20.0  # times that of others
# What an error says is to be done about faces that are none.
INSTEAD = "interpolate them or leave them out"


class Problem(NamedTuple):
    """What of the least squares is alike in every frame.

    Attributes
    ----------
    movement : (68 * D, 52) array
        Trusted movements; the column of mouthClose holds those of the jaw that opens while the lips stay closed.
    trust : (68 * D,) array
    rest : (68, D) array
    quadratic : (52, 52) array
    linear : (52,) array
        Of the costs alone.
    """

    movement: NDArray
    trust: NDArray
    rest: NDArray
    quadratic: NDArray
    linear: NDArray


@functools.cache
def problem(dimensions: int) -> Problem:
    """Set up the least squares of faces in 2 or 3 dimensions."""
    trusted = np.repeat(np.sqrt(trust()), dimensions)
    movement = movements(load_bases().expression)[..., :dimensions].reshape(arkit.COUNT, -1).T * trusted[:, None]
    rest = load_template() if dimensions == 2 else rest_in_space(load_template())
    return Problem(movement, trusted, rest, movement.T @ movement + prior(), L1 * hidden())


def trust() -> NDArray[np.float64]:
    """Return how far each landmark is trusted, (68,)."""
    found = np.empty(points.COUNT)
    for group, value in TRUST.items():
        found[list(group)] = value
    return found


def movements(expression: NDArray) -> NDArray[np.float64]:
    """Return the movements (52, V, 3) that are weighed: that of mouthClose together with the jaw, lips on lips."""
    found = np.array(expression, np.float64)
    found[arkit.INDEX["mouthClose"]] += found[arkit.INDEX["jawOpen"]]
    return found


def hidden() -> NDArray[np.float64]:
    """Return how much dearer each weight (52,) is than one that landmarks show."""
    return np.array([HIDDEN_COST if name.startswith(HIDDEN) else 1.0 for name in arkit.NAMES])


def prior() -> NDArray[np.float64]:
    """Return the quadratic costs of weights, (52, 52): of each, of left and right that differ, and of opposites."""
    unlike = np.eye(arkit.COUNT) - np.eye(arkit.COUNT)[arkit.MIRROR]
    found = np.diag(L2 * hidden()) + SIDES / 2 * unlike.T @ unlike
    for pair in OPPOSITES:
        one, other = (arkit.INDEX[name] for name in pair)
        found[one, other] += BOTH
        found[other, one] += BOTH
    return found


def weights_of(shape: ArrayLike) -> NDArray[np.float32]:
    """Find ARKit's weights of faces.

    Parameters
    ----------
    shape : (T, 68, 2 or 3) array
        Template frame, identity removed: what a model predicts, or `results/shapes`.

    Returns
    -------
    (T, 52) float32 array
        0 .. 1, in the order of `arkit.NAMES`. tongueOut is 0, which no landmark shows.

    Raises
    ------
    TalkfaceError
        If these are no such faces.

    Examples
    --------
    >>> weights = weights_of(np.repeat(load_template()[None], 3, axis=0))
    >>> weights.shape, float(weights.max().round(3))
    ((3, 52), 0.0)
    """
    shape = checked(shape, "faces", remedy=INSTEAD)
    same = problem(shape.shape[2])
    found = np.zeros((len(shape), arkit.COUNT))
    descend(found, same.quadratic[None], _pull(shape, same), _CHANGES)
    return as_arkit(found)


class Follower:
    """The same frame by frame: each is pulled towards the one before, as much as towards both neighbours in a file."""

    def __init__(self) -> None:
        self._last: NDArray | None = None

    def push(self, shape: ArrayLike) -> NDArray[np.float32]:
        """Find the weights (52,) of the next face (68, 2 or 3)."""
        faces = checked(np.asarray(shape)[None], "faces", remedy=INSTEAD)
        same = problem(faces.shape[2])
        quadratic, pull = same.quadratic, _pull(faces, same)
        if self._last is None:
            self._last = np.zeros(arkit.COUNT)
        else:
            quadratic = quadratic + 2 * CHANGE * np.eye(arkit.COUNT)
            pull = pull + 2 * CHANGE * self._last
        found = self._last[None].copy()
        descend(found, quadratic[None], pull, _CHANGES)
        self._last = found[0]
        return as_arkit(found)[0]


def _pull(shape: NDArray, same: Problem) -> NDArray[np.float64]:
    """Return the linear part of each frame's least squares, (T, 52)."""
    return ((shape - same.rest).reshape(len(shape), len(same.trust)) * same.trust) @ same.movement - same.linear


_CHANGES = np.full(arkit.COUNT, CHANGE)


def as_arkit(found: NDArray) -> NDArray[np.float32]:
    """Turn weights of `movements` into ARKit's: a jaw that opens behind closed lips is an open jaw, too."""
    jaw, close = arkit.INDEX["jawOpen"], arkit.INDEX["mouthClose"]
    found = found.copy()
    found[:, jaw] += found[:, close]
    return found.astype(np.float32).clip(0, 1)


def from_arkit(weights: NDArray) -> NDArray[np.float64]:
    """Turn ARKit's weights (T, 52) into those of `movements`; the inverse of `as_arkit`."""
    jaw, close = arkit.INDEX["jawOpen"], arkit.INDEX["mouthClose"]
    found = weights.astype(np.float64)
    found[:, jaw] = (found[:, jaw] - found[:, close]).clip(0)
    return found
