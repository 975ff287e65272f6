"""A perspective camera, turns in space, and the angles of a head.

Space: x to the right of the picture, y down, z towards the viewer; the camera stands at the origin, what it sees has
negative z. A face of the template frame is placed by X = R v + t, in outer-eye distances.

Axes: T frames, P points.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

# A face a metre away, as Yi et al. 2020 place it (10 decimetres, focal length 1,015 pixels for a crop of 224); adults'
# outer eye corners lie 0.89 decimetres apart (ICT-FaceKit). What is nearer or farther looks a little less so.
DISTANCE = 10 / 0.89  # outer-eye distances
# The angles are those of ARKit's axes: y up, z towards the viewer.
FLIP = np.diag([1.0, -1.0, 1.0])
ORDER: Final = "YXZ"


@dataclass(frozen=True)
class Camera:
    """Focal length in pixels, and the middle (2,) of the picture."""

    focal: float
    centre: NDArray

    @classmethod
    def for_face(cls, eyes_px: float, *, width: float, height: float) -> "Camera":
        """Return the camera that sees a face with its eye corners `eyes_px` apart from `DISTANCE` away."""
        return cls(DISTANCE * eyes_px, np.array([width / 2, height / 2]))

    def project(self, points: ArrayLike) -> NDArray[np.float64]:
        """Project points (..., 3) into the picture: (..., 2), pixels."""
        points = np.asarray(points, np.float64)
        return self.centre - self.focal * points[..., :2] / points[..., 2:]

    def slopes(self, points: NDArray) -> NDArray[np.float64]:
        """Return the derivatives of `project` at points (..., 3): (..., 2, 3), pixels per outer-eye distance."""
        scale = -self.focal / points[..., 2]
        found = np.zeros((*points.shape[:-1], 2, 3))
        found[..., 0, 0] = found[..., 1, 1] = scale
        found[..., 2] = -scale[..., None] * points[..., :2] / points[..., 2:]
        return found


@dataclass(frozen=True)
class Pose:
    """Turns (T, 3, 3) and places (T, 3) of a head before the camera."""

    turn: NDArray
    place: NDArray

    def apply(self, face: NDArray) -> NDArray[np.float64]:
        """Place faces (P, 3) or (T, P, 3) of the template frame before the camera: (T, P, 3)."""
        return face @ self.turn.swapaxes(1, 2) + self.place[:, None]

    def moved(self, step: NDArray) -> "Pose":
        """Turn by the rotation vectors step[:, :3] and move by step[:, 3:], (T, 6)."""
        return Pose(Rotation.from_rotvec(step[:, :3]).as_matrix() @ self.turn, self.place + step[:, 3:])


def angles_of(turn: ArrayLike) -> NDArray[np.float64]:
    """Return yaw, pitch and roll of turns (T, 3, 3), radians, (T, 3).

    The axes are ARKit's: yaw turns the nose to the viewer's right, pitch turns it down, roll lifts the side of the face
    that is on the viewer's right; the roll comes first, the yaw last.
    """
    upright = FLIP @ np.asarray(turn, np.float64) @ FLIP
    return Rotation.from_matrix(upright).as_euler(ORDER)


def turn_of(angles: ArrayLike) -> NDArray[np.float64]:
    """Return the turns (T, 3, 3) of angles (T, 3); the inverse of `angles_of`."""
    return FLIP @ upright_turn(angles).as_matrix() @ FLIP


def upright_turn(angles: ArrayLike) -> Rotation:
    """Return the same turns about ARKit's own axes, y up."""
    return Rotation.from_euler(ORDER, np.asarray(angles, np.float64))
