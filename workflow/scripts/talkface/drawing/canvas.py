"""Canvas in the units of a face: anti-aliased strokes and fills, and the smooth curves they follow.

Coordinates are those of the template frame (x right, y down, outer-eye distance 1) unless a name says pixels.
Colours are written as "#rrggbb" and kept as blue, green, red, the order of OpenCV.
"""

import functools
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

SHIFT = 4  # OpenCV's fixed-point fraction of coordinates: 1/16 pixel, so that shapes move without steps
ONE = 1 << SHIFT


def triple(paint: ArrayLike) -> tuple[int, int, int]:
    """Round a colour to the tuple of integers, 0-255, that OpenCV's drawing functions take."""
    blue, green, red = (int(value) for value in np.clip(np.rint(paint), 0, 255))
    return blue, green, red


def to_bgr(colour: str) -> NDArray[np.float32]:
    """Return blue, green, red (0-255) of "#rrggbb".

    Examples
    --------
    >>> to_bgr("#ff8000").tolist()
    [0.0, 128.0, 255.0]
    """
    return np.array([int(colour[i : i + 2], 16) for i in (5, 3, 1)], np.float32)


def blend(first: ArrayLike, second: ArrayLike, share: float) -> NDArray[np.float32]:
    """Mix two colours: `share` of the way from the first to the second.

    Examples
    --------
    >>> blend([0, 100, 200], [100, 100, 100], 0.25).tolist()
    [25.0, 100.0, 175.0]
    """
    return (np.asarray(first) * (1 - share) + np.asarray(second) * share).astype(np.float32)


@functools.cache
def spline_matrix(count: int, *, closed: bool = False, steps: int = 6) -> NDArray[np.float64]:
    """Return the matrix (M, count) from control points to points of the Catmull-Rom curve through them.

    Parameters
    ----------
    count : int
        Number of control points.
    closed : bool
        Whether the curve returns to its first point.
    steps : int
        Points per segment; an open curve also ends on its last control point.
    """
    segments = count if closed else count - 1
    t = np.arange(steps) / steps
    basis = 0.5 * np.stack([-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3], -1)
    matrix = np.zeros((segments * steps + (not closed), count))
    for segment in range(segments):
        for k in range(4):
            rows = slice(segment * steps, (segment + 1) * steps)
            index = segment + k - 1
            if closed:
                matrix[rows, index % count] += basis[:, k]
            elif index < 0:  # beyond an end: the mirror image of the neighbour
                matrix[rows, 0] += 2 * basis[:, k]
                matrix[rows, 1] -= basis[:, k]
            elif index >= count:
                matrix[rows, count - 1] += 2 * basis[:, k]
                matrix[rows, count - 2] -= basis[:, k]
            else:
                matrix[rows, index] += basis[:, k]
    if not closed:
        matrix[-1, -1] = 1
    matrix.flags.writeable = False
    return matrix


def smooth(points: ArrayLike, *, closed: bool = False, steps: int = 6) -> NDArray[np.float64]:
    """Return points (M, 2) of the Catmull-Rom curve through control points (N, 2)."""
    points = np.asarray(points, np.float64)
    return spline_matrix(len(points), closed=closed, steps=steps) @ points


def fixed(points: ArrayLike) -> NDArray[np.int32]:
    """Convert pixel coordinates (N, 2) to OpenCV's fixed-point numbers, (N, 1, 2)."""
    return np.rint(np.asarray(points) * ONE).astype(np.int32)[:, None]


def tapered(line: ArrayLike, widths: ArrayLike) -> NDArray[np.float64]:
    """Return the closed outline (2N, 2) of a stroke along a line (N, 2) with its width at each point, (N,)."""
    line = np.asarray(line, np.float64)
    along = np.gradient(line, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    across = along[:, ::-1] * [-0.5, 0.5] * np.asarray(widths, np.float64)[:, None]
    return np.concatenate([line + across, (line - across)[::-1]])


def ellipse(centre: ArrayLike, radii: ArrayLike, *, angle: float = 0.0, steps: int = 32) -> NDArray[np.float64]:
    """Return the outline (steps, 2) of an ellipse turned by `angle` radians."""
    t = np.arange(steps) * (2 * np.pi / steps)
    x, y = np.cos(t) * np.asarray(radii)[0], np.sin(t) * np.asarray(radii)[1]
    turned = [x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)]
    return np.stack(turned, -1) + np.asarray(centre)


def blurred(cover: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Blur an array (H, W) by a Gaussian of `sigma` pixels; a wide one is made on a smaller copy and looks the same."""
    if sigma < 0.3:
        return cover
    shrink = int(sigma / 3)
    if shrink < 2 or min(cover.shape) < 4 * shrink:
        return np.asarray(cv2.GaussianBlur(cover, (0, 0), sigma), np.float32)
    height, width = cover.shape
    small = cv2.resize(cover, (-(-width // shrink), -(-height // shrink)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / shrink)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


class Canvas:
    """A picture that is painted in units of a face.

    Attributes
    ----------
    planes : (3, H, W) float32 array
        Blue, green and red, 0-255.

    Parameters
    ----------
    size : (width, height)
        Pixels.
    unit : float
        Pixels per unit (the outer-eye distance in pixels).
    origin : (2,) array
        Pixel position of the origin.
    """

    def __init__(self, size: tuple[int, int], *, unit: float, origin: ArrayLike) -> None:
        self.planes = np.zeros((3, size[1], size[0]), np.float32)
        self.unit = float(unit)
        self.origin = np.asarray(origin, np.float64)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width, pixels."""
        _, height, width = self.planes.shape
        return height, width

    def picture(self) -> NDArray[np.uint8]:
        """Return what has been painted, (H, W, 3)."""
        planes = [np.clip(np.rint(plane), 0, 255).astype(np.uint8) for plane in self.planes]
        return np.asarray(cv2.merge(planes), np.uint8)

    def pixels(self, points: ArrayLike) -> NDArray[np.float64]:
        """Convert points in units to pixels."""
        return np.asarray(points, np.float64) * self.unit + self.origin

    def grid(self, step: int = 1) -> tuple[NDArray, NDArray]:
        """Return coordinates in units, x (1, W) and y (H, 1), of every `step`-th pixel."""
        height, width = self.shape
        x = (np.arange(0, width, step) - self.origin[0]) / self.unit
        y = (np.arange(0, height, step) - self.origin[1]) / self.unit
        return x[None].astype(np.float32), y[:, None].astype(np.float32)

    def _window(self, pixels: NDArray, margin: float) -> tuple[slice, slice]:
        """Return the window (rows, columns) around pixels with a margin, within the picture."""
        height, width = self.shape
        low = np.floor(pixels.min(axis=0) - margin - 1).astype(int)
        high = np.ceil(pixels.max(axis=0) + margin + 2).astype(int)
        (left, top), (right, bottom) = np.maximum(low, 0), np.minimum(high, [width, height])
        return slice(top, max(bottom, top)), slice(left, max(right, left))

    def mask(
        self, outlines: Sequence[ArrayLike], *, blur: float = 0.0, stroke: float = 0.0
    ) -> tuple[tuple[slice, slice], NDArray[np.float32]]:
        """Return the coverage (0-1) of filled outlines, or of strokes along them, in the window that they need.

        Parameters
        ----------
        outlines : sequence of (N, 2) arrays
            In units.
        blur : float
            Standard deviation in units.
        stroke : float
            0 fills the outlines, a width in units draws open lines.
        """
        lines = [self.pixels(outline) for outline in outlines]
        sigma, width = blur * self.unit, stroke * self.unit
        rows, columns = self._window(np.concatenate(lines), 3 * sigma + width)
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        if 0 in shape:
            return (rows, columns), np.zeros(shape, np.float32)
        moved = [line - [columns.start, rows.start] for line in lines]
        if stroke:
            mask = np.zeros(shape, np.uint8)
            cv2.polylines(mask, [fixed(line) for line in moved], False, 255, max(1, round(width)), cv2.LINE_AA, SHIFT)
        else:
            # OpenCV rounds the rows of a polygon's corners to whole pixels, which shows as a ragged edge: twice the
            # size where the edge stays sharp
            fine = 1 if sigma > 1.5 else 2
            mask = np.zeros((shape[0] * fine, shape[1] * fine), np.uint8)
            for line in moved:
                cv2.fillPoly(mask, [fixed((line + 0.5) * fine - 0.5)], 255, cv2.LINE_AA, SHIFT)
            if fine > 1:
                mask = cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_AREA)
        covered = mask.astype(np.float32) * (1 / 255)
        if stroke and width < 1:
            covered *= width
        return (rows, columns), blurred(covered, sigma)

    def lay(self, window: tuple[slice, slice], cover: NDArray, paint: ArrayLike) -> None:
        """Blend a colour (3,), or a picture of the window's size (h, w, 3), into the window by its coverage (0-1)."""
        paint = np.asarray(paint, np.float32)
        for channel, plane in enumerate(self.planes):
            part = plane[window]
            part += cover * (paint[..., channel] - part)

    def fill(
        self,
        outline: ArrayLike,
        paint: ArrayLike,
        *,
        blur: float = 0.0,
        opacity: float = 1.0,
        inside: NDArray | None = None,
    ) -> None:
        """Fill an outline; `inside` (H, W), 0-1, keeps the paint within a region."""
        window, cover = self.mask([outline], blur=blur)
        if inside is not None:
            cover = cover * inside[window]
        self.lay(window, cover * opacity, paint)

    def strokes(
        self,
        lines: Sequence[ArrayLike],
        width: float,
        paint: ArrayLike,
        *,
        blur: float = 0.0,
        opacity: float = 1.0,
        inside: NDArray | None = None,
    ) -> None:
        """Draw open lines of one width and colour."""
        window, cover = self.mask(lines, blur=blur, stroke=width)
        if inside is not None:
            cover = cover * inside[window]
        self.lay(window, cover * opacity, paint)

    def glow(
        self,
        centre: ArrayLike,
        radii: ArrayLike,
        paint: ArrayLike,
        *,
        opacity: float,
        angle: float = 0.0,
        inside: NDArray | None = None,
    ) -> None:
        """Blend a Gaussian spot in; `radii` are its standard deviations in units."""
        centre, radii = np.asarray(centre, np.float64), np.asarray(radii, np.float64)
        reach = 3 * radii.max() * self.unit
        window = self._window(self.pixels(centre)[None], reach)
        rows, columns = window
        x = ((np.arange(columns.start, columns.stop) - self.origin[0]) / self.unit - centre[0])[None]
        y = ((np.arange(rows.start, rows.stop) - self.origin[1]) / self.unit - centre[1])[:, None]
        along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        cover = opacity * np.exp(-0.5 * ((along / radii[0]) ** 2 + (across / radii[1]) ** 2))
        if inside is not None:
            cover = cover * inside[window]
        self.lay(window, cover.astype(np.float32), paint)
