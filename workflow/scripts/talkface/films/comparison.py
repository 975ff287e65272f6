"""Comparison films: the video of a clip, its landmarks and the predictions of models beside each other, in step.

Axes: T frames at 25 fps, 68 landmarks, 2 coordinates; pixels of the picture are (x, y).
"""

import contextlib
import functools
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from talkface.corpus.quality import brief, why_rejected
from talkface.drawing.style import TRUTH, colour_of
from talkface.errors import TalkfaceError
from talkface.face.faces import hold, load_shapes
from talkface.face.measured import Measured, read_measured, read_shape
from talkface.files import writing
from talkface.films.panels import (
    BROWS,
    FOREHEAD,
    Board,
    Clock,
    FacePanel,
    LinePanel,
    Painter,
    VideoPanel,
    even,
    letters,
    write_head,
    write_words,
)
from talkface.media.crop import face_crop
from talkface.media.encoding import encode
from talkface.media.sound import frames_of
from talkface.media.video import probe, read_frames

log = logging.getLogger(__name__)

LAYOUTS, STYLES = ("row", "column"), ("flat", "line")
MOST = 3  # panels in one row or column; on a phone more of them are too small to see a mouth


def arrange(count: int, *, layout: str) -> list[tuple[int, int]]:
    """Choose row and column of each of `count` panels: in one row or column; more than `MOST` nearly in a square.

    Examples
    --------
    >>> arrange(3, layout="row")
    [(0, 0), (0, 1), (0, 2)]
    >>> arrange(4, layout="row")
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    """
    if layout not in LAYOUTS:
        raise ValueError(f"layout {layout!r}; expected one of {', '.join(LAYOUTS)}")
    length = count if count <= MOST else math.isqrt(count - 1) + 1
    places = [divmod(index, length) for index in range(count)]
    return places if layout == "row" else [(row, column) for column, row in places]


class Layout:
    """Where panels and their heads lie in a film.

    Parameters
    ----------
    count : int
        Number of panels.
    layout : {"row", "column"}
    panel : int
        Pixels, both ways, even.

    Attributes
    ----------
    size : (width, height)
        Of the film, pixels.
    letters, head : int
        Heights of the letters and of the strip above each panel, pixels.
    side : int
        Of the square below it, pixels.
    """

    def __init__(self, count: int, *, layout: str, panel: int) -> None:
        places = arrange(count, layout=layout)
        rows, columns = (1 + max(numbers) for numbers in zip(*places, strict=True))
        self.size = columns * panel, rows * panel
        self.letters = letters(panel, width=self.size[0])
        # both edges of the square that lies in the middle below it are even
        self.head = 2 * even(0.7 * self.letters)
        self.side = panel - self.head
        self._places, self._panel = places, panel

    def head_of(self, index: int) -> tuple[int, int, int, int]:
        """Return left, top, width and height of the strip above a panel."""
        row, column = self._places[index]
        return column * self._panel, row * self._panel, self._panel, self.head

    def square_of(self, index: int) -> tuple[int, int, int, int]:
        """Return left, top, width and height of the square below its strip."""
        left, top, _, _ = self.head_of(index)
        return left + self.head // 2, top + self.head, self.side, self.side


def paint_comparison(
    predictions: Mapping[str, NDArray], *, frames: int, layout: str, panel: int, style: str,
    colours: Mapping[str, str], source: Callable[[int], Iterable[NDArray[np.uint8]]] | str | None = None,
    truth: NDArray | str | None = None,
) -> tuple[tuple[int, int], Iterator[NDArray[np.uint8]]]:  # fmt: skip
    """Paint the panels of a comparison.

    Parameters
    ----------
    predictions : mapping of a model's name to a (T, 68, 2) array
        Template frame; the last face is held.
    frames : int
    layout : {"row", "column"}
    panel : int
        Pixels, both ways, even.
    style : {"flat", "line"}
        How predictions are drawn.
    colours : mapping of a model's name to "#rrggbb"
    source : function, str or None
        Gives the pictures (side, side, 3) of the video in a size; why there are none; or no panel for it.
    truth : (T, 68, 2) array, str or None
        Identity-free shapes, template frame; why there are none; or no panel for them.

    Returns
    -------
    size : (width, height)
        Pixels.
    pictures : iterator of (3 H / 2, W) uint8 arrays
        Planar YUV; each is valid until the next one is asked for.
    """
    if style not in STYLES:
        raise ValueError(f"style {style!r}; expected one of {', '.join(STYLES)}")
    known = hold(truth, frames) if isinstance(truth, np.ndarray) else None
    ceiling = FOREHEAD if style == "flat" else BROWS  # all faces of a film are of one size
    note = "" if known is None else "line: true lips"
    # What each panel is called, in which colour, what it notes, and what it shows: words, or what a painter is made of.
    shown: list[tuple[str, str, str, str | NDArray | Callable[[int], Iterable[NDArray[np.uint8]]]]] = []
    if source is not None:
        shown.append(("source", TRUTH, "", source))
    if truth is not None:
        shown.append(("landmarks", TRUTH, "", truth if known is None else known))
    shown += [(model, colours[model], note, hold(shapes, frames)) for model, shapes in predictions.items()]
    plan = Layout(len(shown), layout=layout, panel=panel)
    board = Board(plan.size)
    painters: list[tuple[int, int, Painter]] = []
    for index, (label, colour, note, content) in enumerate(shown):
        left, top, width, height = plan.square_of(index)
        view = board.cut(left, top, width, height)
        head = plan.head_of(index)
        if index == 0:
            watch = Clock(board.cut(*head), frames=frames, size=round(0.85 * plan.letters))
            painters.append((head[0], head[1], watch))
            head = (head[0], head[1], watch.left, head[3])
        write_head(board.cut(*head), label, colour=colour, size=plan.letters, note=note)
        if isinstance(content, str):
            write_words(view, content, size=plan.letters)
        elif callable(content):
            painters.append((left, top, VideoPanel(view, content(plan.side))))
        elif style == "flat" and content is not known:
            painters.append((left, top, FacePanel(view, content, truth=known)))
        else:
            lips = None if content is known else known
            painters.append((left, top, LinePanel(view, content, colour=colour, truth=lips, top=ceiling)))
    return plan.size, board.film(painters, frames=frames)


def draw_comparison(
    predictions: Mapping[str, str | Path], audio: str | Path, output: str | Path, *, clip: str,
    video: str | Path | None = None, landmarks: str | Path | None = None, shapes: str | Path | None = None,
    sound: str | Path | None = None, qc: Mapping[str, Any] | None = None, start_s: float | None = None,
    end_s: float | None = None, models: Sequence[str] = (), layout: str = "row", panel: int = 500, style: str = "flat",
) -> None:  # fmt: skip
    """Film a clip: its video, its landmarks and what models predict, in step, with its sound.

    Parameters
    ----------
    predictions : mapping of a model's name to an .npy of (T, 68, 2 or 3)
    audio : path
        A wav file; the film lasts as long, to the nearest frame.
    output : path
        An mp4.
    clip : str
        Its group in the two files below.
    video, landmarks, shapes : path, optional
        Of a clip of the sheet: its video, results/landmarks/{shard}.h5 and results/shapes/{speaker}.h5. A speech file
        has none of them; its film shows predictions alone.
    sound, qc : path and mapping, optional
        results/audio/{shard}.h5 and the limits of quality control, as in the config: a clip that it rejects is shown
        without its truth, and the film says why. Without them only what landmarking found wrong counts.
    start_s, end_s : float, optional
        Stretch of the video, seconds.
    models : sequence of str
        Names whose order gives each model its colour; others follow.
    layout, panel, style
        See `paint_comparison`.

    Raises
    ------
    TalkfaceError
        If there is nothing to show, a prediction is no face, the sound is empty, the stretch lies beyond the video, or
        ffmpeg fails.
    """
    frames = frames_of(audio)
    if video is None and not predictions:
        raise TalkfaceError(
            f"{clip}: neither a video nor a prediction; something to show was expected; name a model in look.models"
        )
    colours = colour_of([*models, *predictions])
    faces = {model: load_shapes(path) for model, path in predictions.items()}
    with contextlib.ExitStack() as stack, writing(output) as film:
        source: Callable[[int], Iterable[NDArray]] | str | None = None
        truth: NDArray | str | None = None
        if video is not None:
            assert landmarks is not None  # the files of a clip are given together
            assert shapes is not None
            measured = read_measured(landmarks, clip)
            reason = measured.rejected
            if sound is not None:
                reason = why_rejected(clip, audio=sound, landmarks=landmarks, **(qc or {}))
            truth = f"rejected: {brief(reason)}" if reason else read_shape(shapes, clip)
            source = "the video does not decode"
            if len(measured.landmarks):
                source = functools.partial(_pictures, stack, video, measured, start_s=start_s, end_s=end_s)
        size, pictures = paint_comparison(
            faces, frames=frames, layout=layout, panel=panel, style=style, colours=colours, source=source, truth=truth
        )
        encode(pictures, film, size=size, audio=audio, pixels="yuv420p")
    log.info("%s: %d frames of %dx%d", output, frames, *size)


def _pictures(
    stack: contextlib.ExitStack, video: str | Path, measured: Measured, side: int, *, start_s: float | None,
    end_s: float | None,
) -> Iterator[NDArray[np.uint8]]:  # fmt: skip
    """Decode pictures (side, side, 3) of a video around the face; the decoder ends with the stack."""
    crop = face_crop(measured.landmarks, width=measured.width, height=measured.height)
    pictures = read_frames(probe(video), start_s=start_s, end_s=end_s, pixels="bgr24", crop=crop, size=side)
    return stack.enter_context(contextlib.closing(pictures))
