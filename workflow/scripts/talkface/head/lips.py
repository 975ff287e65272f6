"""What weights do to the lips, by landmarks alone.

Axes: T frames, 52 weights.
"""

import numpy as np
from numpy.typing import NDArray

from talkface.face import points
from talkface.face3d.bases import load_bases


def opening(weights: NDArray) -> NDArray[np.float64]:
    """Return how far weights (T, 52) open the mouth beyond the resting face's, outer-eye distances."""
    expression = load_bases().expression
    upper, lower = (list(side) for side in zip(*points.LIP_PAIRS, strict=True))
    return weights @ (expression[:, lower, 1] - expression[:, upper, 1]).mean(axis=1)


def lips(weights: NDArray) -> NDArray[np.float64]:
    """Return where weights (T, 52) move the lips' landmarks, (T, 20, 3)."""
    return np.tensordot(weights, load_bases().expression[:, list(points.LIPS)], axes=1)


def lip_distance(one: NDArray, other: NDArray) -> float:
    """Return the mean distance of lip landmarks of weights (T, 52), % of the outer-eye distance."""
    return float(100 * np.linalg.norm(lips(one) - lips(other), axis=2).mean())
