"""Panels of films that show faces beside each other in step: video, painted face, lines, clock and labels.

A `Board` is the picture; each part of it that moves has a painter of its own, which is asked for one frame after the
other and says which windows it changed. What stands still is written on the board once.

Axes: T frames at 25 fps, 68 landmarks, 2 coordinates; pixels of the picture are (x, y).
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from talkface.conventions import FPS
from talkface.drawing.canvas import SHIFT, fixed, to_bgr, triple
from talkface.drawing.landmarks import draw_lines
from talkface.drawing.lettering import LEAST, clock, measure, wrap, write
from talkface.drawing.painters import FlatPainter
from talkface.drawing.style import GROUND, INK, LINE, SOFT, THIN, TITLE, scaled
from talkface.drawing.windows import Window, clear, contains, rectangle, union, whole
from talkface.face.points import INNER_LIP, LIPS, OUTER_LIP
from talkface.face.template import resting_face
from talkface.media.encoding import YuvPicture

PHONE = 390  # pixels: the width of a film on a phone held upright
READABLE = 9  # pixels: the height of letters that can be read there
LARGEST = 0.072  # of a panel's height: letters do not become larger
# What a part has room for, units of the template frame, with a little air: from the top of a painted forehead, or from
# the brows, to a chin that has fallen; and between the ears.
FOREHEAD, BROWS, CHIN, EARS = -1.07, -0.46, 1.57, 1.8


class Painter(Protocol):
    """Painter of one part of a picture."""

    def paint(self, frame: int) -> list[Window]:
        """Paint frame number `frame`; return the windows (rows, columns) of the part that changed."""


class Board:
    """A picture of parts that are painted one by one, in the layout that x264 takes.

    Parameters
    ----------
    size : (width, height)
        Pixels, even numbers.

    Attributes
    ----------
    picture : (H, W, 3) uint8 array
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.picture = np.full((size[1], size[0], 3), triple(to_bgr(GROUND)), np.uint8)

    def cut(self, left: int, top: int, width: int, height: int) -> NDArray[np.uint8]:
        """Return a part of the picture, (height, width, 3): what is painted on it is painted on the board."""
        return self.picture[top : top + height, left : left + width]

    def film(self, painters: list[tuple[int, int, Painter]], *, frames: int) -> Iterator[NDArray[np.uint8]]:
        """Let painters paint one frame after the other.

        Parameters
        ----------
        painters : list of (left, top, Painter)
            Where each one's part begins; a later one paints over an earlier one.
        frames : int

        Yields
        ------
        (3 H / 2, W) uint8 array
            Planar YUV, valid until the next one is asked for.
        """
        planes = YuvPicture(self.size)
        planes.update(self.picture, [(slice(0, self.size[1]), slice(0, self.size[0]))])
        cv2.setNumThreads(1)  # from here on the encoder keeps the cores busy
        for frame in range(frames):
            changed = [
                (slice(rows.start + top, rows.stop + top), slice(columns.start + left, columns.stop + left))
                for left, top, painter in painters
                for rows, columns in painter.paint(frame)
            ]
            planes.update(self.picture, changed)
            yield planes.picture


def place_faces(shapes: NDArray, view: NDArray, *, top: float = FOREHEAD) -> NDArray[np.float64]:
    """Place faces (..., 68, 2) of the template frame in a part (H, W, 3) of a picture, pixels.

    `top`, in the template frame, is what just fits below the part's upper edge.
    """
    height, width = view.shape[:2]
    unit = min(height / (CHIN - top), width / EARS)
    return np.asarray(shapes, np.float64) * unit + [width / 2, height / 2 - (top + CHIN) / 2 * unit]


class VideoPanel:
    """Pictures as they come; the last one stays.

    Parameters
    ----------
    view : (H, W, 3) uint8 array
        Part of a board.
    pictures : iterable of (H, W, 3) uint8 arrays
        One a frame.
    """

    def __init__(self, view: NDArray[np.uint8], pictures: Iterable[NDArray[np.uint8]]) -> None:
        self._view, self._pictures = view, iter(pictures)

    def paint(self, frame: int) -> list[Window]:
        """Show the next picture."""
        picture = next(self._pictures, None)
        if picture is None:
            return []
        self._view[:] = picture
        return [whole(self._view)]


class FacePanel:
    """Flat painted faces, with a fine line along the true lips.

    Parameters
    ----------
    view : (H, W, 3) uint8 array
        Part of a board.
    shapes : (T, 68, 2) array
        Template frame, one a frame.
    truth : (T, 68, 2) array, optional
        Whose lips are drawn.
    """

    def __init__(self, view: NDArray[np.uint8], shapes: NDArray, *, truth: NDArray | None = None) -> None:
        self._view, self._faces = view, place_faces(shapes, view)
        self._truth = None if truth is None else place_faces(truth, view)
        self._painter = FlatPainter(place_faces(resting_face(), view), size=view.shape[1::-1])
        self._painter.frame = view  # it paints on the board itself
        self._width = fine(view)
        self._lips: Window | None = None

    def paint(self, frame: int) -> list[Window]:
        """Paint the face and the lips."""
        if self._truth is None:
            return self._painter.paint(self._faces[frame])
        if self._lips is not None:
            clear(self._view, self._lips, GROUND)
        (face,) = self._painter.paint(self._faces[frame])
        lips = draw_lips(self._view, self._truth[frame], colour=INK, width=self._width)
        # true lips may reach beyond a face that is predicted wrongly
        beyond = [window for window in (self._lips, lips) if window is not None and not contains(face, window)]
        self._lips = lips
        return [face, *beyond]


class LinePanel:
    """Landmarks as lines, with a fine line along the true lips.

    Parameters
    ----------
    view : (H, W, 3) uint8 array
        Part of a board.
    shapes : (T, 68, 2) array
        Template frame, one a frame.
    colour : str
        Colour of the lines, "#rrggbb".
    truth : (T, 68, 2) array, optional
        Whose lips are drawn.
    top : float
        `FOREHEAD`: as large as a painted face; `BROWS`: as large as there is room for.
    """

    def __init__(
        self, view: NDArray[np.uint8], shapes: NDArray, *, colour: str, truth: NDArray | None = None, top: float = BROWS
    ) -> None:
        self._view, self._faces, self._colour = view, place_faces(shapes, view, top=top), colour
        self._truth = None if truth is None else place_faces(truth, view, top=top)
        self._width, self._line = fine(view), scaled(LINE, panel=view.shape[0])
        self._last: Window | None = None

    def paint(self, frame: int) -> list[Window]:
        """Draw the lines."""
        window = rectangle(self._faces[frame], 2 + self._line, self._view.shape)
        if self._last is not None:
            clear(self._view, self._last, GROUND)
        draw_lines(self._view, self._faces[frame], colour=self._colour, width=self._line)
        if self._truth is not None:
            window = union(window, draw_lips(self._view, self._truth[frame], colour=INK, width=self._width))
        changed = window if self._last is None else union(window, self._last)
        self._last = window
        return [changed]


class Clock:
    """Number and time of the frame, at the right end of the strip above a panel.

    Parameters
    ----------
    view : (H, W, 3) uint8 array
        Part of a board.
    frames : int
        How many there are.
    size : int
        Height of the letters, pixels.

    Attributes
    ----------
    left : int
        Pixels from the left end of the strip to where it begins.
    """

    def __init__(self, view: NDArray[np.uint8], *, frames: int, size: int) -> None:
        height, width = view.shape[:2]
        widest = clock(frames - 1, fps=FPS)
        while size > LEAST and measure(widest, size=size) > 0.7 * width:
            size -= 1
        # digits differ in width: it begins at one place, so that it does not tremble
        self.left = max(0, width - height // 2 - even(1.04 * measure(widest, size=size)))
        self._window = slice(0, height), slice(self.left, width)
        self._view, self._size = view, size

    def paint(self, frame: int) -> list[Window]:
        """Write the number and the time."""
        clear(self._view, self._window, GROUND)
        place = self.left, baseline(self._view, self._size)
        write(self._view, clock(frame, fps=FPS), place, size=self._size, colour=INK)
        return [self._window]


def baseline(view: NDArray, size: int) -> float:
    """Return the baseline at which letters of a size lie midway in a strip (H, W, 3)."""
    return len(view) / 2 + 0.36 * size


def fine(view: NDArray) -> int:
    """Return the width of the line along the true lips in a part, pixels."""
    return scaled(THIN, panel=view.shape[0])


def even(size: float) -> int:
    """Round a size to the nearest even number, at least 2."""
    return max(2, 2 * round(size / 2))


def draw_lips(view: NDArray[np.uint8], landmarks: NDArray, *, colour: str, width: int) -> Window:
    """Draw the outlines of the lips of landmarks (68, 2), pixels; return the window that they lie in."""
    lips = [fixed(landmarks[list(part)]) for part in (OUTER_LIP, INNER_LIP)]
    cv2.polylines(view, lips, True, triple(to_bgr(colour)), width, cv2.LINE_AA, SHIFT)
    return rectangle(landmarks[list(LIPS)], 2 + width, view.shape)


def letters(panel: float, *, width: int) -> int:
    """Return the height of the letters above panels in a film of a width: readable on a phone if the panel allows."""
    return min(max(scaled(TITLE, panel=panel), -(-width * READABLE // PHONE)), max(READABLE, round(LARGEST * panel)))


def write_head(view: NDArray[np.uint8], label: str, *, colour: str, size: int, note: str = "") -> None:
    """Write what a panel shows into a strip (H, W, 3) above it, on the left, and a note on the right if it has room."""
    height, width = view.shape[:2]
    margin, base = height // 2, baseline(view, size)
    room = width - 2 * margin
    small = max(LEAST, round(0.65 * size))
    beside = room - min(measure(note, size=small), width // 2) - margin
    if note and measure(label, size=LEAST, bold=True) <= beside:
        room = beside
        write(view, note, (width - margin, base), size=small, colour=SOFT, anchor="right", width=width // 2)
    if room > 0:  # panels of a few pixels have none beside the clock
        write(view, label, (margin, base), size=size, colour=colour, bold=True, width=room)


def write_words(view: NDArray[np.uint8], words: str, *, size: int) -> None:
    """Write a sentence into the middle of a part (H, W, 3), in as many lines as it needs."""
    height, width = view.shape[:2]
    lines = wrap(words, size=size, width=0.9 * width)
    while size > LEAST and (1.35 * size * len(lines) > 0.9 * height or too_wide(lines, size=size, width=0.9 * width)):
        size -= 1
        lines = wrap(words, size=size, width=0.9 * width)
    top = height / 2 - (len(lines) - 1) / 2 * 1.35 * size
    for index, line in enumerate(lines):
        place = (width / 2, top + 1.35 * size * index + 0.36 * size)
        write(view, line, place, size=size, colour=SOFT, anchor="centre")


def too_wide(lines: list[str], *, size: int, width: float) -> bool:
    """Tell whether one of these lines is wider than `width` pixels."""
    return any(measure(line, size=size) > width for line in lines)
