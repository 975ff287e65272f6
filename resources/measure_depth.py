"""Depth of the mean face, measured on the open face model ICT-FaceKit: `make template DATA=folder`.

The model (MIT, University of Southern California, Institute for Creative Technologies 2020; THIRD_PARTY.md) is a head
in space with the 68 points marked on it. It is turned about the axis through the ears until its points inside the
contour lie as those of the template do, and measured in outer-eye distances: z grows towards the viewer and is 0 midway
between the outer eye corners. Two tables come out of it, see `talkface.face.depth`.

It is read from `models/ict_facekit.npz` below the folder: of the model's repository (ICT-VGL/ICT-FaceKit) the neutral
mesh as `neutral` (V, 3) and `quads`, the expressions as `expr_names` and `expr_delta` (N, V, 3), differences from it,
and `landmark_vertices` (68,).
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator, RBFInterpolator

from talkface.face import points
from talkface.face.depth import CHIN, DEPTH, RELIEF, save_depth, save_relief
from talkface.face.template import load_template

FACE = 9409  # vertices of the skin come first
INSIDE = list(range(17, 68))  # the contour of a picture is no line on the skin
STEP = np.radians(0.25)
# Points on the skin between the landmarks, of the middle and of the right half: chosen by hand so that the surface
# through all of them has no long edges.
MIDDLE = [(0, -0.84), (0, -0.54), (0, -0.26), (0, 1.14)]
RIGHT = [
    (-0.25, -0.81), (-0.48, -0.72), (-0.66, -0.56), (-0.77, -0.36), (-0.81, -0.15),  # hairline
    (-0.22, -0.55), (-0.44, -0.51), (-0.62, -0.36), (-0.70, -0.10),  # forehead and temple
    (-0.30, -0.17), (-0.50, -0.14), (-0.15, -0.08),  # above the eye
    (-0.12, 0.12), (-0.14, 0.33),  # side of the nose
    (-0.30, 0.16), (-0.50, 0.16), (-0.66, 0.25),  # below the eye
    (-0.30, 0.36), (-0.48, 0.38), (-0.64, 0.48), (-0.30, 0.60), (-0.46, 0.62), (-0.60, 0.72),  # cheek
    (-0.42, 0.84), (-0.52, 0.96), (-0.32, 0.98), (-0.39, 1.10), (-0.20, 1.06), (-0.23, 1.21),  # beside the chin
]  # fmt: skip


def turned(face: NDArray, angle: float) -> NDArray[np.float64]:
    """Turn points (..., 3) about the x axis, radians; positive angles lower what is near."""
    cos, sin = np.cos(angle), np.sin(angle)
    x, y, z = np.moveaxis(face, -1, 0)
    return np.stack([x, y * cos - z * sin, y * sin + z * cos], axis=-1)


def symmetric(face: NDArray) -> NDArray[np.float64]:
    """Return the mean of points or movements (68, 3) and their mirror image."""
    return (face + face[points.MIRROR] * [-1, 1, 1]) / 2


class Head:
    """The model in the template frame.

    Attributes
    ----------
    skin : (FACE, 3) array
    marks : (68, 3) array
        The landmarks, symmetric.
    """

    def __init__(self, path: Path) -> None:
        self._model = np.load(path, allow_pickle=False)
        self._at = self._model["landmark_vertices"]
        skin = self._model["neutral"][:FACE].astype(np.float64) * [1, -1, 1]  # its y points up
        corners = skin[self._at[list(points.OUTER_EYE_CORNERS)]]
        self._unit = np.linalg.norm(corners[1] - corners[0])
        skin = (skin - corners.mean(axis=0)) / self._unit
        marks, template = symmetric(skin[self._at]), load_template()
        angles = np.arange(-np.radians(30), np.radians(30), STEP)
        errors = [np.sum((turned(marks, angle)[INSIDE, :2] - template[INSIDE]) ** 2) for angle in angles]
        self.angle = float(angles[np.argmin(errors)])
        self.skin, self.marks = turned(skin, self.angle), turned(marks, self.angle)

    def moved(self, movement: NDArray) -> NDArray[np.float64]:
        """Take a movement of all vertices (V, 3) of the model to the landmarks, (68, 3)."""
        return turned(movement[self._at].astype(np.float64) * [1, -1, 1] / self._unit, self.angle)

    def movement(self, *names: str) -> NDArray[np.float64]:
        """Return how the landmarks move (68, 3) when expressions of the model are fully shown."""
        known = list(self._model["expr_names"])
        return symmetric(self.moved(sum(self._model["expr_delta"][known.index(name)].astype(float) for name in names)))

    def depth_at(self, places: NDArray) -> NDArray[np.float64]:
        """Return z (N,) of the skin at places (N, 2) of the template, to whose face the model's is bent."""
        quads = self._model["quads"]
        quads = quads[(quads < FACE).all(axis=1)]
        across, along = self.skin[quads[:, 2]] - self.skin[quads[:, 0]], self.skin[quads[:, 3]] - self.skin[quads[:, 1]]
        normals = np.cross(across, along)  # of the quads
        area = np.zeros((FACE, 3))
        for corner in quads.T:
            np.add.at(area, corner, normals)
        outwards = np.sign(area[self._at[30], 2])  # the tip of the nose faces the viewer
        front = area[:, 2] * outwards > 0.05 * np.linalg.norm(area, axis=1)
        bend = RBFInterpolator(self.marks[:, :2], load_template(), smoothing=1e-3, kernel="thin_plate_spline")
        return LinearNDInterpolator(bend(self.skin[front, :2]), self.skin[front, 2])(places)


def measure(head: Head) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Measure the tables of `talkface.face.depth`: (68, 3) of z, swing, narrowing, and relief (K, 3) of x, y, z."""
    jaw = head.movement("jawOpen")
    pucker, stretch = head.movement("mouthPucker"), head.movement("mouthStretch_L", "mouthStretch_R")
    flat = head.marks[:, :2]
    opening = points.mouth_opening(flat + jaw[:, :2]) - points.mouth_opening(flat)
    drop = jaw[list(CHIN), 1].mean()
    width = points.mouth_width(flat)
    by_jaw, by_pucker, by_stretch = (width - points.mouth_width(flat + m[:, :2]) for m in (jaw, pucker, stretch))
    table = np.zeros((68, 3))
    table[:, 0] = head.marks[:, 2]
    lips, contour = list(points.LIPS), list(points.JAW)
    table[lips, 2] = (pucker[lips, 2] - stretch[lips, 2]) / (by_pucker - by_stretch)
    table[lips, 1] = (jaw[lips, 2] - table[lips, 2] * by_jaw) / opening  # a jaw that drops narrows the mouth as well
    table[contour, 1] = jaw[contour, 2] / drop
    places = np.array([*MIDDLE, *RIGHT, *[(-x, y) for x, y in RIGHT]], np.float64)
    z = head.depth_at(places)
    half = len(RIGHT)
    sides = (z[len(MIDDLE) : len(MIDDLE) + half] + z[len(MIDDLE) + half :]) / 2
    return table, np.column_stack([places, np.concatenate([z[: len(MIDDLE)], sides, sides])])


if __name__ == "__main__":
    path = Path(sys.argv[1]) / "models" / "ict_facekit.npz"
    head = Head(path)
    table, relief = measure(head)
    origin = f"measured from ICT-FaceKit, turned by {np.degrees(head.angle):.2f} degrees (make template)"
    save_depth(table, DEPTH, origin=origin)
    save_relief(relief, RELIEF, origin=origin)
    sys.stdout.write(f"{DEPTH}, {RELIEF}: {origin}\n")
