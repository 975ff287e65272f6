"""The 68 iBUG landmarks by name, in dlib's order, and the lengths measured between them. Indices are 0-based."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

COUNT = 68
JAW = tuple(range(17))
RIGHT_BROW = tuple(range(17, 22))  # the person's right: left in the picture
LEFT_BROW = tuple(range(22, 27))
BROWS = RIGHT_BROW + LEFT_BROW
NOSE_BRIDGE = tuple(range(27, 31))
NOSTRILS = tuple(range(31, 36))
NOSE = NOSE_BRIDGE + NOSTRILS
RIGHT_EYE = tuple(range(36, 42))
LEFT_EYE = tuple(range(42, 48))
EYES = RIGHT_EYE + LEFT_EYE
OUTER_LIP = tuple(range(48, 60))
INNER_LIP = tuple(range(60, 68))
LIPS = OUTER_LIP + INNER_LIP
OUTER_EYE_CORNERS = (36, 45)
EYE_CORNERS = (36, 39, 42, 45)
UPPER_FACE = BROWS + NOSE + EYES
# Points that speech does not move: lids blink, brows rise, nostrils and jaw follow the mouth.
STABLE = EYE_CORNERS + NOSE_BRIDGE
# Inner lip points that lie above each other (upper, lower).
LIP_PAIRS = ((61, 67), (62, 66), (63, 65))
# The lines that a face is drawn with: indices, and whether the last is joined to the first.
LINES = {
    "jaw": (JAW, False),
    "right brow": (RIGHT_BROW, False),
    "left brow": (LEFT_BROW, False),
    "nose bridge": (NOSE_BRIDGE, False),
    "nostrils": (NOSTRILS, False),
    "right eye": (RIGHT_EYE, True),
    "left eye": (LEFT_EYE, True),
    "outer lip": (OUTER_LIP, True),
    "inner lip": (INNER_LIP, True),
}
# Index of each point's mirror image: reflecting x and taking points in this order gives a face again.
MIRROR = np.concatenate(
    [
        np.arange(16, -1, -1),  # jaw
        np.arange(26, 16, -1),  # brows
        [27, 28, 29, 30, 35, 34, 33, 32, 31],  # nose
        [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40],  # eyes
        [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55],  # outer lips
        [64, 63, 62, 61, 60, 67, 66, 65],  # inner lips
    ]
)


def distance(landmarks: ArrayLike, a: int, b: int) -> NDArray:
    """Measure the distance between points `a` and `b` of landmarks (..., 68, 2 or 3), in their unit, shape (...)."""
    landmarks = np.asarray(landmarks)
    return np.linalg.norm(landmarks[..., a, :] - landmarks[..., b, :], axis=-1)


def outer_eye_distance(landmarks: ArrayLike) -> NDArray:
    """Measure the distance between the outer eye corners of landmarks (..., 68, 2 or 3), shape (...).

    Examples
    --------
    >>> face = np.zeros((68, 2))
    >>> face[45] = 3, 4
    >>> float(outer_eye_distance(face))
    5.0
    """
    return distance(landmarks, *OUTER_EYE_CORNERS)


def mouth_opening(landmarks: ArrayLike) -> NDArray:
    """Average the distances of the three pairs of inner lip points of landmarks (..., 68, 2 or 3), shape (...).

    Examples
    --------
    >>> face = np.zeros((68, 2))
    >>> face[[67, 66, 65], 1] = 2, 3, 4  # y of the lower inner lip
    >>> float(mouth_opening(face))
    3.0
    """
    return np.mean([distance(landmarks, upper, lower) for upper, lower in LIP_PAIRS], axis=0)


def mouth_width(landmarks: ArrayLike) -> NDArray:
    """Measure the distance between the mouth corners (48, 54) of landmarks (..., 68, 2 or 3), shape (...)."""
    return distance(landmarks, 48, 54)
