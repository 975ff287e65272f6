"""Pictures bent by a mesh: where each pixel comes from.

Axes: H and W of a window, V vertices, F triangles, S sources.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from talkface.face3d.rasteriser import rasterise

SMALLEST = 4  # pixels: a picture so small is not halved further


class Window(NamedTuple):
    """A rectangle of a picture, pixels: first column and row, width and height."""

    left: int
    top: int
    width: int
    height: int

    @property
    def corner(self) -> NDArray[np.float32]:
        """First column and row, (2,)."""
        return np.array([self.left, self.top], np.float32)

    @property
    def rows_and_columns(self) -> tuple[slice, slice]:
        """What cuts it out of a picture."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)

    @classmethod
    def around(cls, points: NDArray, margin: float, *, size: tuple[int, int]) -> "Window":
        """Return the window around points (P, 2) that lies in a picture of `size` (width, height)."""
        low = np.floor(points.min(axis=0) - margin).astype(int).clip(0, np.array(size) - 2)
        high = np.ceil(points.max(axis=0) + margin).astype(int).clip(low + 2, size)
        return cls(int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))

    def grid(self) -> NDArray[np.float32]:
        """Return the place (H, W, 2) of each pixel."""
        x, y = np.meshgrid(np.arange(self.width, dtype=np.float32), np.arange(self.height, dtype=np.float32))
        return np.stack([x, y], axis=-1) + self.corner


def where_from(
    target: NDArray, triangles: NDArray, sources: NDArray, window: Window
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Tell where in each source lies what a mesh shows in a window.

    Parameters
    ----------
    target : (V, 3) float32 array
        Pixels, pixels, nearness of the mesh as it is to be seen.
    triangles : (F, 3) int32 array
    sources : (V, 2 S) float32 array
        Pixels of the same vertices in each source.
    window : Window

    Returns
    -------
    places : (H, W, 2 S) float32 array
        Pixels; 0 where the mesh is not seen.
    covered : (H, W) bool array
        Where it is.
    """
    shifted = target - np.array([window.left, window.top, 0], np.float32)
    places = np.zeros((window.height, window.width, sources.shape[1]), np.float32)
    near = rasterise(shifted, triangles, np.ascontiguousarray(sources, np.float32), places)
    return places, np.isfinite(near)


def fill(values: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill what is not known of values (H, W, C) by means of ever larger surroundings; known (H, W) is 0 .. 1."""
    height, width = known.shape
    if min(height, width) <= SMALLEST:
        share = known.sum()
        mean = (values * known[..., None]).sum(axis=(0, 1)) / max(share, 1e-6)
        return values * known[..., None] + mean.astype(np.float32) * (1 - known[..., None])
    half = ((width + 1) // 2, (height + 1) // 2)
    weight = cv2.resize(known, half, interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(values * known[..., None], half, interpolation=cv2.INTER_AREA).reshape(*weight.shape, -1)
    mean = np.asarray(coarse / np.maximum(weight, 1e-6)[..., None], np.float32)
    filled = fill(mean, np.minimum(1, 4 * weight))
    upper = cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR).reshape(values.shape)
    return values * known[..., None] + upper * (1 - known[..., None])


def take(picture: NDArray, places: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take the pixels at places (H, W, 2) of a picture (h, w, 3), by cubic interpolation, as float32."""
    full = picture if picture.dtype == np.float32 else picture.astype(np.float32)
    taken = cv2.remap(full, places[..., 0], places[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(taken, np.float32)
