"""The 68 landmarks on a picture: as lines, as points and as numbers.

Axes: 68 landmarks, 2 coordinates (x, y), pixels of the picture. Points that are NaN are left out.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from talkface.drawing.canvas import ONE, SHIFT, fixed, to_bgr, triple
from talkface.drawing.lettering import write
from talkface.face.points import LINES, LIPS


def draw_lines(
    picture: NDArray[np.uint8], landmarks: NDArray, *, colour: str, width: float, mouth_only: bool = False
) -> None:
    """Draw brows, eyes, nose, lips and jaw as lines.

    Parameters
    ----------
    picture : (H, W, 3) uint8 array
    landmarks : (68, 2) array
    colour : str
        Colour, "#rrggbb".
    width : float
        Pixels.
    mouth_only : bool
    """
    for closed in (False, True):
        groups = [
            fixed(landmarks[list(indices)])
            for indices, ends_meet in LINES.values()
            if ends_meet == closed
            and (not mouth_only or set(indices) <= set(LIPS))
            and np.isfinite(landmarks[list(indices)]).all()
        ]
        if groups:
            cv2.polylines(picture, groups, closed, triple(to_bgr(colour)), max(1, round(width)), cv2.LINE_AA, SHIFT)


def draw_points(
    picture: NDArray[np.uint8], landmarks: NDArray, *, colour: str, radius: float, mouth_only: bool = False
) -> None:
    """Draw the landmarks as discs of a radius in pixels."""
    shown = landmarks[list(LIPS)] if mouth_only else landmarks
    paint, size = triple(to_bgr(colour)), round(radius * ONE)
    for place in np.rint(shown[np.isfinite(shown).all(axis=1)] * ONE).astype(int).tolist():
        cv2.circle(picture, place, size, paint, cv2.FILLED, cv2.LINE_AA, SHIFT)


def draw_numbers(
    picture: NDArray[np.uint8], landmarks: NDArray, *, colour: str, size: int, mouth_only: bool = False,
    halo: str | None = None,
) -> None:  # fmt: skip
    """Write the index of each landmark, from 0 as dlib counts, above and to the right of it."""
    for index in LIPS if mouth_only else range(len(landmarks)):
        if np.isfinite(landmarks[index]).all():
            write(
                picture, str(index), landmarks[index] + [0.25 * size, -0.25 * size], size=size, colour=colour, halo=halo
            )
