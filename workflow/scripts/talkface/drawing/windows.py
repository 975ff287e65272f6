"""Windows of a picture: their arithmetic, and a patch of one that is painted at several times its height."""

import cv2
import numpy as np
from numpy.typing import NDArray

from talkface.drawing.canvas import ONE, SHIFT, to_bgr, triple

Window = tuple[slice, slice]  # rows, columns


def rectangle(pixels: NDArray, margin: float, shape: tuple) -> Window:
    """Return the window around pixels with a margin, on even coordinates (chroma is halved), within the picture."""
    limit = [shape[1], shape[0]]
    low = np.clip(np.floor(pixels.min(axis=0) - margin).astype(int) & ~1, 0, limit)
    high = np.clip((np.ceil(pixels.max(axis=0) + margin).astype(int) + 1) & ~1, low, limit)
    return slice(low[1], high[1]), slice(low[0], high[0])


def union(first: Window, second: Window) -> Window:
    """Return the smallest window that holds both."""
    rows, columns = (slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(first, second, strict=True))
    return rows, columns


def contains(outer: Window, inner: Window) -> bool:
    """Tell whether the inner window lies within the outer one."""
    return all(a.start <= b.start and b.stop <= a.stop for a, b in zip(outer, inner, strict=True))


def remainders(window: Window, hole: Window) -> list[Window]:
    """Cut a hole out of a window; return what is left as up to four windows.

    Examples
    --------
    >>> remainders((slice(0, 4), slice(0, 8)), (slice(0, 4), slice(2, 8)))
    [(slice(0, 4, None), slice(0, 2, None))]
    """
    (rows, columns), (hole_rows, hole_columns) = window, hole
    if min(rows.stop, hole_rows.stop) <= max(rows.start, hole_rows.start) or (
        min(columns.stop, hole_columns.stop) <= max(columns.start, hole_columns.start)
    ):
        return [window]
    top = min(max(hole_rows.start, rows.start), rows.stop)
    bottom = max(min(hole_rows.stop, rows.stop), top)
    left = min(max(hole_columns.start, columns.start), columns.stop)
    right = max(min(hole_columns.stop, columns.stop), left)
    parts = [
        (slice(rows.start, top), columns),
        (slice(bottom, rows.stop), columns),
        (slice(top, bottom), slice(columns.start, left)),
        (slice(top, bottom), slice(right, columns.stop)),
    ]
    return [part for part in parts if all(side.stop > side.start for side in part)]


def whole(view: NDArray) -> Window:
    """Return the window of the whole picture."""
    return slice(0, view.shape[0]), slice(0, view.shape[1])


def clear(view: NDArray[np.uint8], window: Window, colour: str) -> None:
    """Fill a window of a picture with a colour; OpenCV does it in a tenth of numpy's time."""
    rows, columns = window
    corner = columns.stop - 1, rows.stop - 1
    cv2.rectangle(view, (columns.start, rows.start), corner, triple(to_bgr(colour)), cv2.FILLED)


def row_factor(unit: float) -> int:
    """Return the rows per row of the frame while outlines are filled, a power of two; fewer for a larger face."""
    return 2 if unit > 160 else 4


def flattened(tall: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Average every `factor` rows, a power of two, of a picture (factor H, W) or (factor H, W, C)."""
    for _ in range(factor.bit_length() - 1):
        tall = np.asarray(cv2.addWeighted(tall[0::2], 0.5, tall[1::2], 0.5, 0), np.uint8)
    return tall


class Patch:
    """A window of a frame, made a few times as tall, where outlines are filled, then taken back.

    OpenCV rounds the rows of a polygon's corners to whole pixels, which makes lips and lids look ragged; here that is a
    fraction of a pixel of the frame. Pixels that nothing was painted on come back unchanged.

    Parameters
    ----------
    frame : (H, W, 3) uint8 array
    pixels : (N, 2) array
        Points that the window must hold.
    first, last : (2,) arrays
        Corners of the part, pixels: its local x axis runs from one to the other, the origin lies midway.
    unit : float
        Pixels.
    margin : float
        Of the window around the points, units.
    """

    def __init__(
        self, frame: NDArray[np.uint8], pixels: NDArray, first: NDArray, last: NDArray, *, unit: float, margin: float
    ) -> None:
        self.frame = frame
        self.window = rectangle(pixels, margin * unit, frame.shape)
        axis = last - first
        axis = axis / max(float(np.hypot(axis[0], axis[1])), 1e-9)
        self._turn = np.array([[axis[0], axis[1]], [-axis[1], axis[0]]])  # rows: x axis, y axis
        self._centre, self._unit = (first + last) / 2, unit
        self._outlines: list[NDArray] = []
        self._paints: list[tuple] = []
        self._lines: list[int] = []

    def local(self, pixels: NDArray) -> NDArray:
        """Convert pixels to local coordinates."""
        return (pixels - self._centre) @ self._turn.T / self._unit

    def fill(self, outline: NDArray, paint: tuple, *, level: int = 0) -> None:
        """Fill an outline (N, 2), local coordinates, over what was filled before.

        Only the outermost of nested outlines (level 0) is anti-aliased: the steps between its tones are too small to
        show an edge, and an anti-aliased one costs several times as much.
        """
        self._outlines.append(outline)
        self._paints.append(paint)
        self._lines.append(cv2.LINE_8 if level else cv2.LINE_AA)

    def band(self, x: NDArray, above: NDArray, below: NDArray, paint: tuple, *, level: int = 0) -> None:
        """Fill between two curves over the same x, (N,) each."""
        outline = np.empty((2 * len(x), 2))
        outline[: len(x), 0], outline[len(x) :, 0] = x, x[::-1]
        outline[: len(x), 1], outline[len(x) :, 1] = above, below[::-1]
        self.fill(outline, paint, level=level)

    def paste(self) -> Window:
        """Fill the outlines and put the window back into the frame; return it."""
        rows, columns = self.window
        if rows.stop <= rows.start or columns.stop <= columns.start:  # the part lies outside the picture
            return self.window
        factor = row_factor(self._unit)
        tall = np.repeat(self.frame[self.window], factor, axis=0)
        corner = np.array([columns.start, rows.start]) - 0.5
        pixels = np.concatenate(self._outlines) @ (self._turn * self._unit)
        pixels = ((pixels + (self._centre - corner)) * [1, factor] - 0.5) * ONE
        whole, start = np.rint(pixels).astype(np.int32), 0
        for outline, paint, line in zip(self._outlines, self._paints, self._lines, strict=True):
            cv2.fillPoly(tall, [whole[start : start + len(outline)]], paint, line, SHIFT)
            start += len(outline)
        self.frame[self.window] = flattened(tall, factor)
        return self.window
