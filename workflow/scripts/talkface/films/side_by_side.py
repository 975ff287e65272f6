"""Films of a prediction beside the truth: two flat faces, their labels, and the opening of both mouths over time.

Axes: T frames at 25 fps, 68 landmarks, 2 coordinates; pixels of the picture are (x, y).
"""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import h5py
import numpy as np
from numpy.typing import NDArray

from talkface.drawing.canvas import SHIFT, fixed, to_bgr, triple
from talkface.drawing.lettering import write
from talkface.drawing.style import BLUE, INK, MARK, RULE, SOFT
from talkface.drawing.windows import Window, rectangle
from talkface.face.faces import hold
from talkface.face.points import mouth_opening
from talkface.files import writing
from talkface.films.panels import Board, FacePanel, Painter, write_head
from talkface.media.encoding import as_wav, encode
from talkface.media.sound import film_frames

log = logging.getLogger(__name__)

PANEL = (480, 430)  # pixels, width and height of a face's panel
HEAD, NAME, STRIP = 52, 40, 158  # pixels, heights of the title above, of what a panel is called, of the curves below
SIZE = (2 * PANEL[0], HEAD + PANEL[1] + STRIP)
MARGIN = 20  # pixels
TRUTH, PREDICTION = "truth", "prediction"
COLOURS = {TRUTH: INK, PREDICTION: BLUE}


class Curves:
    """The opening of each mouth over time, and a playhead.

    Parameters
    ----------
    view : (H, W, 3) uint8 array
        Part of a board.
    openings : mapping of truth and prediction to (T,) arrays
    frames : int
        How many the width stands for.
    """

    def __init__(self, view: NDArray[np.uint8], openings: Mapping[str, NDArray], *, frames: int) -> None:
        height, width = view.shape[:2]
        top, bottom = 30, height - 16
        highest = max(max((float(series.max(initial=0)) for series in openings.values()), default=0), 1e-6)
        self._x = MARGIN + (width - 2 * MARGIN) * np.arange(frames) / max(frames - 1, 1)
        ground = np.array([[MARGIN, bottom], [width - MARGIN, bottom]], float)
        cv2.polylines(view, [fixed(ground)], False, triple(to_bgr(RULE)), 1, cv2.LINE_AA, SHIFT)
        for name, series in openings.items():
            y = bottom - (bottom - top) * np.clip(series / highest, 0, 1)
            line = np.stack([self._x[: len(y)], y], axis=-1)
            cv2.polylines(view, [fixed(line)], False, triple(to_bgr(COLOURS[name])), 2, cv2.LINE_AA, SHIFT)
        write(view, "opening of the mouth", (MARGIN, 16), size=13, colour=SOFT)
        self._view, self._still = view, view.copy()
        self._last: Window | None = None

    def paint(self, frame: int) -> list[Window]:
        """Move the playhead."""
        if self._last is not None:
            self._view[self._last] = self._still[self._last]
        at = np.array([[self._x[frame], 24], [self._x[frame], len(self._view) - 10]])
        cv2.polylines(self._view, [fixed(at)], False, triple(to_bgr(MARK)), 1, cv2.LINE_AA, SHIFT)
        window = rectangle(at, 2, self._view.shape)
        changed = [window] if self._last is None else [self._last, window]
        self._last = window
        return changed


def paint_pairs(
    truth: NDArray, prediction: NDArray, *, title: str, note: str, model: str, frames: int
) -> Iterator[NDArray[np.uint8]]:
    """Paint the truth on the left, and on the right the prediction with a line around the true lips.

    Parameters
    ----------
    truth, prediction : (T, 68, 2) arrays
        Template frame; the last face of each is held.
    title, note : str
        What stands above, on the left and on the right.
    model : str
    frames : int

    Yields
    ------
    (3 H / 2, W) uint8 array
        Planar YUV, valid until the next one is asked for.
    """
    shown = {TRUTH: truth[:frames].astype(np.float64), PREDICTION: prediction[:frames].astype(np.float64)}
    openings = {name: mouth_opening(shapes) for name, shapes in shown.items()}
    held = {name: hold(shapes, frames) for name, shapes in shown.items()}
    board = Board(SIZE)
    write(board.picture, title, (MARGIN, 36), size=22, colour=INK, bold=True, width=PANEL[0] - 2 * MARGIN)
    place = (SIZE[0] - MARGIN, 36)
    write(board.picture, note, place, size=17, colour=SOFT, anchor="right", width=PANEL[0] - MARGIN)
    painters: list[tuple[int, int, Painter]] = []
    for left, name, label, note, lips in (
        (0, TRUTH, "truth", "", None),
        (PANEL[0], PREDICTION, model, "line: true lips", held[TRUTH]),
    ):
        write_head(board.cut(left, HEAD, PANEL[0], NAME), label, colour=COLOURS[name], size=20, note=note)
        view = board.cut(left, HEAD + NAME, PANEL[0], PANEL[1] - NAME)
        painters.append((left, HEAD + NAME, FacePanel(view, held[name], truth=lips)))
    below = HEAD + PANEL[1]
    painters.append((0, below, Curves(board.cut(0, below, SIZE[0], STRIP), openings, frames=frames)))
    yield from board.film(painters, frames=frames)


def film_pair(
    truth: NDArray, prediction: NDArray, output: str | Path, *, sound: NDArray[np.int16], rate: int, title: str,
    note: str, model: str,
) -> None:  # fmt: skip
    """Write a film of `paint_pairs` that lasts as long as its sound (S,) at `rate` Hz, to the nearest frame."""
    frames = film_frames(len(sound), rate)
    pictures = paint_pairs(truth, prediction, title=title, note=note, model=model, frames=frames)
    with as_wav(sound, rate) as speech, writing(output) as film:
        encode(pictures, film, size=SIZE, audio=speech, pixels="yuv420p")


def draw_worst(faces: str | Path, folder: str | Path) -> None:
    """Write a film of each prediction in results/evaluation/worst.h5.

    Parameters
    ----------
    faces : path
        Layout: `talkface.evaluation.shown_clips`.
    folder : path
        results/evaluation/worst/; gets {model}/{clip}.mp4.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with h5py.File(faces, "r") as file:
        for model, clips in file.get(PREDICTION, {}).items():
            for clip, prediction in clips.items():
                measures, sound = prediction.attrs, file[f"sound/{clip}"]
                correlation = measures["opening_correlation"]
                film_pair(
                    file[f"{TRUTH}/{clip}"][:],
                    prediction[:],
                    folder / model / f"{clip}.mp4",
                    sound=sound[:],
                    rate=int(sound.attrs["rate"]),
                    title=f"{clip}, speaker {measures['speaker']}",
                    note=f"lip error {measures['lip_rmse']:.2f} %"
                    + (f", correlation {correlation:.2f}" if np.isfinite(correlation) else ""),
                    model=model,
                )
                count += 1
    log.info("%s: %d films", folder, count)
