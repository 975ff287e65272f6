"""Overlay films: landmarks on the video they were measured in, and predictions put back on the real face.

Below the picture stands a strip with the clip, the number and the time of the frame, what the colours mean and, if the
clip was rejected, why.

Axes: T frames at 25 fps, 68 landmarks, 2 coordinates; pixels of the picture are (x, y).
"""

import contextlib
import itertools
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from talkface.conventions import FPS
from talkface.corpus.quality import brief, why_rejected
from talkface.drawing.canvas import SHIFT, fixed, to_bgr, triple
from talkface.drawing.landmarks import draw_lines, draw_numbers, draw_points
from talkface.drawing.lettering import clock, measure, wrap, write
from talkface.drawing.style import DOT, GROUND, INK, LINE, MARK, SKY, SOFT, TRUTH, scaled
from talkface.drawing.windows import Window
from talkface.errors import TalkfaceError
from talkface.face.faces import load_shapes
from talkface.face.measured import Measured, place_in_video, read_measured, read_shape
from talkface.face.points import LIPS, mouth_width, outer_eye_distance
from talkface.files import writing
from talkface.media.encoding import FilmPicture, encode, speech
from talkface.media.video import probe, read_frames

log = logging.getLogger(__name__)

LONGEST, LEAST = 1280, 720  # pixels: the longer side of a film; a video is scaled down to the one, up to the other
LETTERS = 1 / 38  # height of the letters, of the film's width: 10 pixels on a phone that is 390 wide
EYES = 170  # pixels: outer-eye distance of a face whose lines have the width of `style.LINE`
LENS = 0.34  # of the smaller side of the film: the picture of the enlarged mouth that goes with a prediction
MOUTH = 1.5  # of the width of the mouth: what it shows


@dataclass(frozen=True, kw_only=True)
class Layer:
    """What is drawn on a video, in its own pixels.

    Attributes
    ----------
    measured : Measured
    reason : str
        Why the clip was rejected, or empty.
    prediction : (T, 68, 2) array or None
        Pixels; NaN where it cannot be put on a face.
    model : str
    colour : str
        Colour of the prediction, "#rrggbb".
    """

    measured: Measured
    reason: str
    prediction: NDArray | None = None
    model: str = ""
    colour: str = INK


def film_size(width: int, height: int) -> tuple[int, int]:
    """Return the width and height at which a video is shown: even, the longer side from `LEAST` to `LONGEST` pixels."""
    longer = max(width, height)
    scale = min(max(longer, LEAST), LONGEST) / longer
    return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))


class OverlayPainter:
    """Painter of the frames of one clip.

    Parameters
    ----------
    layer : Layer
    clip : str
    boxes, numbers : bool
        The box of the detector; the index of each point.

    Attributes
    ----------
    size : (width, height)
        Of the video in the picture.
    picture : (H, W, 3) uint8 array
        Video and strip; blue, green, red. Who paints a frame puts the video's pixels in first.
    """

    def __init__(self, layer: Layer, *, clip: str, boxes: bool, numbers: bool) -> None:
        measured = layer.measured
        self.layer, self.boxes, self.numbers = layer, boxes, numbers
        self.size = width, height = film_size(measured.width, measured.height)
        self.letters = letters = max(9, round(LETTERS * width))
        self._margin, self._bold = margin, _ = round(0.8 * letters), round(1.2 * letters)
        line = round(1.55 * letters)
        lines = wrap(f"rejected: {layer.reason}", size=letters, width=width - 2 * margin) if layer.reason else []
        strip = 2 * round((margin + line * (2 + len(lines))) / 2)
        self.picture = np.full((height + strip, width, 3), triple(to_bgr(GROUND)), np.uint8)
        rows = [height + round(0.35 * margin) + line * (row + 1) - round(0.3 * line) for row in range(2 + len(lines))]
        room = width - 2 * margin - measure("frame 00000   000.00 s", size=letters)
        write(self.picture, clip, (width - margin, rows[0]), size=letters, colour=INK, bold=True, anchor="right",
              width=room)  # fmt: skip
        for row, text in zip(rows[2:], lines, strict=True):
            write(self.picture, text, (margin, row), size=letters, colour=MARK)
        # the clock, which alone changes in the strip
        self._clock = (margin, rows[0])
        self._below = slice(height, rows[0] + round(0.4 * letters)), slice(0, width - margin - room)
        # a pixel is a square: its middle, not its corner, is scaled
        self._scale = np.array([width / measured.width, height / measured.height])
        self.landmarks = self._scaled(measured.landmarks)
        self.box = self._scaled(measured.box.reshape(-1, 2, 2))
        self.prediction = None if layer.prediction is None else self._scaled(layer.prediction)
        eyes = outer_eye_distance(self.landmarks)
        known = eyes[np.isfinite(eyes)]
        self._stroke = float(np.clip((np.median(known) if len(known) else EYES) / EYES, 0.4, 1.6))
        self._legend(rows[1])
        widths = mouth_width(self.landmarks)
        self._extent = MOUTH * float(np.median(widths[np.isfinite(widths)])) if len(known) else 0.0
        placed = layer.prediction is not None and bool(np.isfinite(layer.prediction).any())
        self._lens = self._free_corner() if placed else None

    def _scaled(self, points: NDArray) -> NDArray[np.float64]:
        """Convert pixels of the source to pixels of the film."""
        return (np.asarray(points, np.float64) + 0.5) * self._scale - 0.5

    def _legend(self, row: int) -> None:
        """Paint the legend: what the colours mean, each as it is drawn; smaller where it would not fit."""
        layer, size = self.layer, self.letters
        filled = layer.measured.landmarks[~layer.measured.detected]
        entries = [("measured", TRUTH), ("interpolated", MARK), ("box", SKY), (layer.model, layer.colour)]
        kept = (True, np.isfinite(filled).any(), self.boxes, layer.prediction is not None)
        names = [name for (name, _), keep in zip(entries, kept, strict=True) if keep]
        while (
            size > 9 and sum(measure(name, size=size) + 2.6 * size for name in names) > self.size[0] - 2 * self._margin
        ):
            size -= 1
        x, y, reach = float(self._margin), row - 0.33 * size, round(0.2 * size)
        for place, ((name, colour), keep) in enumerate(zip(entries, kept, strict=True)):
            if not keep:
                continue
            ends = np.array([[x, y], [x + size, y]])
            if place == 2:
                self._draw_box(self.picture, ends + np.array([[0, -0.3], [0, 0.3]]) * size, colour=colour)
            else:
                points = np.array([(x + 0.15 * size, y), (x + 0.85 * size, y)])
                width = max(1, round((0.2 if place == 3 else 0.1) * size))
                cv2.polylines(self.picture, [fixed(ends)], False, triple(to_bgr(colour)), width, cv2.LINE_AA, SHIFT)
                if place < 2:
                    draw_points(self.picture, points, colour=colour, radius=reach)
                if place == 1:
                    draw_points(self.picture, points, colour=GROUND, radius=0.5 * reach)
            write(self.picture, name, (x + 1.4 * size, row), size=size, colour=SOFT if place == 2 else colour)
            x += measure(name, size=size) + 2.6 * size

    def _free_corner(self) -> Window | None:
        """Find an upper corner of the video that the face leaves free, for the enlarged mouth; None without one."""
        known = self.box[np.isfinite(self.box).all(axis=(1, 2))]  # (K, 2, 2)
        if not len(known):
            return None
        (left, top), (right, _) = np.median(known, axis=0)
        most, margin = LENS * min(self.size), 2 * (self._margin // 2)
        # beside the face or above it
        rooms = [max(beside, top) - 2 * margin for beside in (self.size[0] - right, left)]
        room = rooms[0] if rooms[0] >= min(most, rooms[1]) else rooms[1]
        if room < 0.6 * most or min(self.size) < most + 2 * margin:  # a video may be a strip of few pixels
            return None
        side = 2 * int(min(room, most) / 2)
        begin = self.size[0] - margin - side if room == rooms[0] else margin
        return slice(margin, margin + side), slice(begin, begin + side)

    def _mouth(self, number: int) -> tuple[NDArray, NDArray] | None:
        """Return top left and bottom right of what the corner shows of a frame; None if it shows nothing."""
        lips = self.landmarks[number, list(LIPS)]
        if self._lens is None or not np.isfinite(lips).all():
            return None
        middle = (lips.min(axis=0) + lips.max(axis=0)) / 2
        return middle - self._extent / 2, middle + self._extent / 2

    def _enlarge(self, number: int, *, low: NDArray) -> NDArray[np.uint8]:
        """Enlarge the mouth of a frame that is not painted on yet, with the measured and the predicted lips."""
        assert self._lens is not None  # else `_mouth` returns None
        assert self.prediction is not None  # without one there is no lens
        side = self._lens[0].stop - self._lens[0].start
        factor = side / self._extent
        move = np.array([[factor, 0, -factor * low[0]], [0, factor, -factor * low[1]]])
        warped = cv2.warpAffine(self.picture[: self.size[1]], move, (side, side), borderMode=cv2.BORDER_REPLICATE)
        lens = np.asarray(warped, np.uint8)
        colour = TRUTH if self.layer.measured.detected[number] else MARK
        measured, predicted = ((faces[number] - low) * factor for faces in (self.landmarks, self.prediction))
        stroke = scaled(LINE, panel=2 * side)
        draw_lines(lens, predicted, colour=self.layer.colour, width=2.4 * stroke, mouth_only=True)
        draw_lines(lens, measured, colour=colour, width=stroke, mouth_only=True)
        draw_points(lens, measured, colour=colour, radius=stroke, mouth_only=True)
        cv2.rectangle(lens, (0, 0), (side - 1, side - 1), triple(to_bgr(GROUND)), max(2, stroke))
        return lens

    def window(self, number: int) -> Window:
        """Return the window of the video within which frame `number` is painted; even bounds."""
        shown = [self.landmarks[number], self.box[number]]
        if self.prediction is not None:
            shown.append(self.prediction[number])
        shown += [np.array(corners) for corners in (self._place(number), self._mouth(number)) if corners]
        points = np.concatenate(shown)
        points = points[np.isfinite(points).all(axis=1)]
        if not len(points):
            return slice(0, 0), slice(0, 0)
        margin = 2 * self.letters  # more than any stroke and number
        left, top = np.clip(points.min(axis=0) - margin, 0, self.size).astype(int) & ~1
        right, bottom = np.clip(points.max(axis=0) + margin + 1, 0, self.size).astype(int) + 1 & ~1
        return slice(int(top), int(bottom)), slice(int(left), int(right))

    def paint(self, number: int) -> list[Window]:
        """Paint what belongs to frame `number` on the video's pixels in `picture`; give the windows that it changed."""
        picture, changed = self.picture[: self.size[1]], [self.window(number), self._below]
        mouth = self._mouth(number)
        lens = self._enlarge(number, low=mouth[0]) if mouth else None
        landmarks, detected = self.landmarks[number], bool(self.layer.measured.detected[number])
        known = np.isfinite(landmarks).all()
        colour = TRUTH if detected else MARK
        line, dot = LINE * self._stroke, 0.7 * DOT * self._stroke
        thin = 0.45 * line if detected else line  # a thin line has no colour in a film, whose planes of it are halved
        rim = max(1.0, self._stroke)  # light, so that dark lines are seen on dark hair, and colours on skin
        if self.boxes and np.isfinite(self.box[number]).all():
            self._draw_box(picture, self.box[number], colour=SKY if detected else MARK)
        draw_lines(picture, landmarks, colour=GROUND, width=thin + 2 * rim)
        draw_points(picture, landmarks, colour=GROUND, radius=dot + rim)
        if self.prediction is not None:  # below the measured points: both are seen where they agree
            draw_lines(picture, self.prediction[number], colour=GROUND, width=line + 2 * rim)
            draw_lines(picture, self.prediction[number], colour=self.layer.colour, width=line)
        draw_lines(picture, landmarks, colour=colour, width=thin)
        draw_points(picture, landmarks, colour=colour, radius=dot)
        if not detected:  # hollow: told from a prediction of the same colour
            draw_points(picture, landmarks, colour=GROUND, radius=0.5 * dot)
        if known and self.numbers:
            draw_numbers(picture, landmarks, colour=INK, size=max(8, round(0.55 * self.letters)), halo=GROUND)
        if lens is not None and self._lens is not None:
            picture[self._lens] = lens
            changed.append(self._lens)
        if place := self._place(number):
            at, word = (place[0][0], place[1][1]), self._word(number)
            write(picture, word, at, size=self._bold, colour=MARK, bold=True, halo=GROUND)
        strip = self.picture[self._below]
        strip[:] = triple(to_bgr(GROUND))
        write(self.picture, clock(number, fps=FPS), self._clock, size=self.letters, colour=INK)
        return changed

    def _word(self, number: int) -> str:
        """Return what is said of a frame whose points were not measured; empty where they were."""
        if self.layer.measured.detected[number]:
            return ""
        return "interpolated" if np.isfinite(self.landmarks[number]).all() else "no face"

    def _place(self, number: int) -> tuple[NDArray, NDArray] | None:
        """Place the word of a frame, top left and bottom right: above the box, within the picture, or in the corner."""
        if not self._word(number):
            return None
        size = np.array([measure(self._word(number), size=self._bold, bold=True), self._bold])
        low = np.full(2, float(self._margin))
        if np.isfinite(self.box[number]).all():
            above = self.box[number, 0] - [0, 1.4 * self._bold]
            low = np.clip(above, low, np.maximum(low, self.size - size - self._margin))
        return low, low + size

    def _draw_box(self, picture: NDArray[np.uint8], box: NDArray, *, colour: str) -> None:
        """Draw a box (2, 2), pixels, with a light rim."""
        first, last = (tuple(int(value) for value in np.rint(corner)) for corner in box)
        width = max(2, round(0.6 * LINE * self._stroke))
        cv2.rectangle(picture, first, last, triple(to_bgr(GROUND)), width + 2, cv2.LINE_AA)
        cv2.rectangle(picture, first, last, triple(to_bgr(colour)), width, cv2.LINE_AA)


def read_layer(
    landmarks: str | Path, *, clip: str, audio: str | Path, qc: Mapping, shapes: str | Path | None = None,
    predictions: str | Path | None = None, model: str | None = None, colour: str | None = None,
) -> Layer:  # fmt: skip
    """Read what is drawn on the video of a clip.

    Parameters
    ----------
    landmarks, audio : path
        The shard of the clip, results/landmarks/ and results/audio/.
    clip : str
    qc : mapping
        The limits of `talkface.corpus.quality.check_quality`.
    shapes, predictions : path, optional
        results/shapes/{speaker}.h5 and an .npy of `talkface.face.faces.load_shapes`, to put a prediction on the
        face; both or none.
    model, colour : str
        Its name and colour.

    Raises
    ------
    TalkfaceError
        If the video does not decode; the prediction is no landmarks.
    """
    measured = read_measured(landmarks, clip)
    if not len(measured.landmarks):
        raise TalkfaceError(f"{clip}: no picture to draw on: {measured.rejected}")
    reason = why_rejected(clip, audio=audio, landmarks=landmarks, **qc)
    placed = None
    if predictions is not None:
        predicted, placed = load_shapes(predictions), np.full(measured.landmarks.shape, np.nan)
        if not measured.rejected:
            assert shapes is not None  # they are given with a prediction
            placed = place_in_video(predicted, shape=read_shape(shapes, clip), landmarks=measured.landmarks)
    return Layer(measured=measured, reason=brief(reason), prediction=placed, model=model or "", colour=colour or INK)


def paint_film(painter: OverlayPainter, frames: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """Paint frames of the video (3 height / 2, width) into pictures of the film, all planar YUV; see `FilmPicture`.

    Each is valid until the next is asked for.
    """
    height, width = painter.picture.shape[:2]
    planes = FilmPicture((width, height))
    planes.update(painter.picture, [(slice(0, height), slice(0, width))])
    cv2.setNumThreads(1)  # decoder and encoder keep the cores busy
    for number, frame in enumerate(itertools.islice(frames, len(painter.landmarks))):
        planes.lay(frame)
        planes.show(painter.picture, painter.window(number))
        planes.update(painter.picture, painter.paint(number))
        yield planes.picture


def draw_overlay(
    video: str | Path, output: str | Path, *, landmarks: str | Path, audio: str | Path, clip: str,
    start_s: float | None, end_s: float | None, boxes: bool, numbers: bool, **others: Any,
) -> None:  # fmt: skip
    """Write the film of a clip with its landmarks, and a prediction if one is given; it lasts as long as the picture.

    Parameters
    ----------
    video : path
        The source.
    output : path
        An mp4, H.264 and AAC.
    landmarks, audio, clip, **others
        See `read_layer`.
    start_s, end_s : float or None
        Stretch of the video in seconds.
    boxes, numbers : bool
        See `OverlayPainter`.
    """
    layer = read_layer(landmarks, audio=audio, clip=clip, **others)
    painter = OverlayPainter(layer, clip=clip, boxes=boxes, numbers=numbers)
    frames = read_frames(probe(video), start_s=start_s, end_s=end_s, pixels="yuv420p", size=painter.size)
    size = (painter.picture.shape[1], painter.picture.shape[0])
    with speech(audio, clip, frames=len(painter.landmarks)) as wav, writing(output) as film:
        encode(paint_film(painter, frames), film, size=size, audio=wav, pixels="yuv420p")


def draw_overlay_frame(
    video: str | Path, output: str | Path, *, frame: int, landmarks: str | Path, audio: str | Path, clip: str,
    start_s: float | None, end_s: float | None, boxes: bool, numbers: bool, **others: Any,
) -> None:  # fmt: skip
    """Write one picture of the film that `draw_overlay` writes, a png.

    Raises
    ------
    TalkfaceError
        If the clip has no such frame.
    """
    layer = read_layer(landmarks, audio=audio, clip=clip, **others)
    count = len(layer.measured.landmarks)
    if frame >= count:
        raise TalkfaceError(f"{clip}: no frame {frame}; it has {count} frames, from 0 to {count - 1}; name one of them")
    painter = OverlayPainter(layer, clip=clip, boxes=boxes, numbers=numbers)
    frames = read_frames(probe(video), start_s=start_s, end_s=end_s, pixels="bgr24", size=painter.size)
    with contextlib.closing(frames):
        painter.picture[: painter.size[1]] = next(itertools.islice(frames, frame, None))
    painter.paint(frame)
    with writing(output) as picture:
        cv2.imwrite(str(picture), painter.picture)
