"""Face crop: one square around the face for all frames of a clip, so that the picture does not shake.

Axes: T frames, 68 landmarks, 2 coordinates (x, y), pixels of the upright source.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SIDE = 2.3  # of the height from brows to chin (or of the width, if that is more): hair and neck are seen
RAISED = 0.10  # of that height: how far the middle of the picture lies above the middle of the face


class Crop(NamedTuple):
    """Square of a picture, in whole pixels."""

    left: int
    top: int
    side: int

    def place(self, landmarks: NDArray, *, size: int) -> NDArray[np.float64]:
        """Convert landmarks (..., 2) of the source to pixels of the crop scaled to `size` pixels.

        Examples
        --------
        >>> Crop(left=10, top=20, side=100).place(np.array([60, 70]), size=50)
        array([24.75, 24.75])
        """
        return (np.asarray(landmarks, np.float64) + 0.5 - [self.left, self.top]) * (size / self.side) - 0.5


def face_crop(landmarks: NDArray, *, width: int, height: int) -> Crop:
    """Find the square around the face of a clip.

    Parameters
    ----------
    landmarks : (T, 68, 2) array
        Frames with NaN are left out; with no other, the square is the middle of the picture.
    width, height : int
        Of the picture; the square lies within it.
    """
    most = min(width, height)
    known = np.asarray(landmarks)[np.isfinite(landmarks).all(axis=(1, 2))]
    if not len(known):
        return Crop((width - most) // 2, (height - most) // 2, most)
    low, high = np.median(known.min(axis=1), axis=0), np.median(known.max(axis=1), axis=0)  # (2,)
    extent = float((high - low).max())
    side = min(most, max(2, round(SIDE * extent)))
    x, y = (low + high) / 2 - [0, RAISED * extent]
    left = int(np.clip(round(x - side / 2), 0, width - side))
    top = int(np.clip(round(y - side / 2), 0, height - side))
    return Crop(left, top, side)
