"""What a drawn head looks like: the colours of its vertices.

Axes: V vertices.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from talkface.face import points
from talkface.face3d.face_model import FaceModel, centre_of_eye

# Colours, sRGB, red green blue.
COLOURS = {
    "skin": (222, 170, 143), "lips": (190, 104, 96), "brows": (104, 72, 54), "mouth": (84, 28, 28),
    "tongue": (176, 88, 88), "teeth": (236, 229, 212), "eyes": (238, 236, 232), "irises": (92, 66, 42),
    "pupils": (14, 12, 12),
}  # fmt: skip
IRIS, PUPIL = 0.45, 0.19  # radii, in those of the eyeball
BROW = 0.035  # outer-eye distances: half the width of a brow
SOFT = 0.03  # outer-eye distances over which lips and brows become skin
BEFORE = 0.05  # outer-eye distances: lips lie no further behind their landmarks


def colours_of(model: FaceModel) -> NDArray[np.float32]:
    """Return the colour (V, 3) of each vertex, sRGB, 0 .. 255."""
    found = np.zeros((len(model.neutral), 3), np.float32)
    for name, of in model.parts.items():
        found[of] = COLOURS[name]
    if "skin" in model.parts:
        of, face = model.parts["skin"], model.neutral.astype(np.float32)
        for name, share in _make_up(face[of], face[model.landmarks]).items():
            found[of] += share[:, None] * (np.array(COLOURS[name], np.float32) - found[of])
    if "eyes" in model.parts:
        _paint_eyes(found, model.neutral, model.parts["eyes"])
    return found


def _make_up(skin: NDArray, marks: NDArray) -> dict[str, NDArray[np.float32]]:
    """Tell how much each vertex of the skin (V', 3) belongs to lips and brows: 0 .. 1, (V',) each."""
    lips, brows = np.zeros(len(skin), np.float32), np.zeros(len(skin), np.float32)
    contour = marks[list(points.OUTER_LIP), :2]
    behind = marks[list(points.LIPS), 2].min() - BEFORE
    near = np.flatnonzero((skin[:, 2] > behind) & (np.abs(skin[:, :2] - contour.mean(axis=0)) < 0.5).all(axis=1))
    inside = [cv2.pointPolygonTest(contour, (float(x), float(y)), True) for x, y in skin[near, :2]]
    lips[near] = (np.array(inside) / SOFT + 0.5).clip(0, 1)
    for brow in (points.RIGHT_BROW, points.LEFT_BROW):
        line = marks[list(brow), :2]
        place = np.linspace(0, len(line) - 1, 40)
        dense = np.column_stack([np.interp(place, np.arange(len(line)), line[:, axis]) for axis in range(2)])
        away = np.linalg.norm(skin[:, None, :2] - dense, axis=2).min(axis=1)
        front = skin[:, 2] > marks[list(brow), 2].min() - 0.1
        brows = np.maximum(brows, front * ((BROW - away) / SOFT + 0.5).clip(0, 1))
    return {"lips": lips, "brows": brows.astype(np.float32)}


def _paint_eyes(found: NDArray, face: NDArray, eyes: slice) -> None:
    """Paint irises and pupils on the eyeballs."""
    ball = face[eyes]
    for of in (ball[:, 0] > 0, ball[:, 0] <= 0):
        offset = (ball[of] - centre_of_eye(ball[of])) / (np.ptp(ball[of, 1]) / 2)
        away = np.where(offset[:, 2] > 0, np.hypot(offset[:, 0], offset[:, 1]), np.inf)
        rows = eyes.start + np.flatnonzero(of)
        found[rows[away < IRIS]] = COLOURS["irises"]
        found[rows[away < PUPIL]] = COLOURS["pupils"]
