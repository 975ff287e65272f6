"""Plots of landmarks: as measured, aligned, freed of identity, or predicted; a film of all frames or a picture of one.

Every plot of a clip has the same scale in all frames, with x and y alike. What lies in the template frame is drawn at
one scale for all clips, unless a face would leave the picture.

Axes: T frames at 25 fps, 68 landmarks, 2 coordinates (x, y).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from talkface.conventions import FPS
from talkface.drawing import numbering
from talkface.drawing.canvas import SHIFT, blend, fixed, to_bgr, triple
from talkface.drawing.landmarks import draw_lines, draw_points
from talkface.drawing.lettering import clock, measure, write
from talkface.drawing.style import DOT, GROUND, INK, LABEL, LINE, NOTE, RULE, SOFT, THIN, TITLE, scaled
from talkface.errors import TalkfaceError
from talkface.face import points
from talkface.face.faces import hold, load_shapes
from talkface.face.identity import align, align_procrustes
from talkface.face.measured import read_measured, read_shape
from talkface.face.template import load_template
from talkface.files import writing
from talkface.media.encoding import YuvPicture, encode
from talkface.media.sound import frames_of

SUBTITLES = {
    "raw": "raw: as measured, pixels of the source",
    "aligned": "aligned: without the movement of the head",
    "identity_free": "identity-free: what the face does, on the template",
}
HEAD = 0.13  # of the picture's height: title and clock
MARGIN = 0.055  # of the picture's width: between the face and the edge, all around
TICKS = 5  # about so many lines of the grid each way
# Around the template, above left and below right, outer-eye distances: room for a mouth that opens; True: mouth only.
ROOM = {False: np.array([[0.08, 0.10], [0.08, 0.20]]), True: np.array([[0.03, 0.06], [0.03, 0.12]])}
PALE = 0.55  # share of the ground in lines with numbers
SIZE_OF_NUMBERS = {False: 0.022, True: 0.04}  # height of the letters, of the picture's; True: mouth only


@dataclass(frozen=True, kw_only=True)
class PlotStyle:
    """How landmarks are plotted.

    Attributes
    ----------
    kind : {"line", "scatter"}
    numbers : bool
        The index of each point beside it, from 0.
    mouth_only : bool
        The lips alone, filling the picture.
    size : int
        Pixels, width and height; even.
    colour : str
        Colour, "#rrggbb".
    """

    kind: str = "line"
    numbers: bool = False
    mouth_only: bool = False
    size: int = 1000
    colour: str = INK

    @property
    def indices(self) -> tuple[int, ...]:
        """Indices of the points that are shown."""
        return points.LIPS if self.mouth_only else tuple(range(points.COUNT))


@dataclass(frozen=True)
class Frame:
    """Where coordinates of a plot stand in the picture: place = coordinate * scale + offset."""

    scale: float
    offset: NDArray

    def place(self, coordinates: ArrayLike) -> NDArray[np.float64]:
        """Convert coordinates (..., 2) to pixels of the picture."""
        return np.asarray(coordinates, np.float64) * self.scale + self.offset


def blend_hex(first: str, second: str, share: float) -> str:
    """Mix two colours "#rrggbb": `share` of the way from the first to the second."""
    return "#" + "".join(f"{round(float(part)):02x}" for part in blend(to_bgr(first), to_bgr(second), share)[::-1])


def fit(low: NDArray, high: NDArray, *, box: tuple[float, float, float, float]) -> Frame:
    """Return the frame in which coordinates from `low` to `high`, (2,) each, fill a box (left, top, right, bottom)."""
    left, top, right, bottom = box
    scale = float(np.min(np.array([right - left, bottom - top]) / np.maximum(high - low, 1e-6)))
    return Frame(scale, np.array([left + right, top + bottom]) / 2 - scale * (low + high) / 2)


def choose_frame(faces: NDArray, *, look: PlotStyle, template: NDArray | None = None) -> Frame:
    """Choose the frame of a clip's plots.

    Parameters
    ----------
    faces : (T, 68, 2) array
        NaN where no face is known.
    look : PlotStyle
    template : (68, 2) array, optional
        If the faces are of its frame, there is room for it at least, so that clips have one scale.
    """
    shown = faces[:, list(look.indices)].reshape(-1, 2)
    shown = shown[np.isfinite(shown).all(axis=-1)]
    if template is not None:
        usual = template[list(look.indices)]
        above, below = ROOM[look.mouth_only]
        shown = np.concatenate([shown, [usual.min(axis=0) - above, usual.max(axis=0) + below]])
    if not len(shown):
        raise TalkfaceError("landmarks: no frame shows a face; expected at least one; check the video")
    edge = MARGIN * look.size
    box = (edge, HEAD * look.size + edge, look.size - edge, look.size - edge)
    return fit(shown.min(axis=0), shown.max(axis=0), box=box)


def steps_of(low: float, high: float) -> NDArray[np.float64]:
    """Return round numbers between two, about `TICKS` of them.

    Examples
    --------
    >>> steps_of(-90, 210).tolist()
    [-50.0, 0.0, 50.0, 100.0, 150.0, 200.0]
    """
    span = (high - low) / TICKS
    unit = 10.0 ** np.floor(np.log10(span))
    step = unit * min((1, 2, 5, 10), key=lambda factor: abs(np.log(factor * unit / span)))
    return step * np.arange(np.ceil(low / step), np.floor(high / step) + 1) + 0.0  # no -0


def paint_ground(frame: Frame, *, look: PlotStyle, title: str, subtitle: str, unit: str) -> NDArray[np.uint8]:
    """Paint what stays the same in all frames, (size, size, 3): title, kind, and a grid of coordinates."""
    size = look.size
    top, margin = round(HEAD * size), round(0.03 * size)
    letters = scaled(NOTE, panel=0.75 * size)
    picture = np.full((size, size, 3), triple(to_bgr(GROUND)), np.uint8)
    (left, upper), (right, lower) = (np.array([[0, top], [size, size]]) - frame.offset) / frame.scale
    rule, width = triple(to_bgr(RULE)), scaled(THIN, panel=0.5 * size)
    for x in steps_of(left, right):
        place = frame.place([x, 0])[0]
        cv2.polylines(picture, [fixed([[place, top], [place, size]])], False, rule, width, cv2.LINE_AA, SHIFT)
        if 2 * letters < place < size - letters - measure(f"{x:g}{unit}", size=letters):
            write(picture, f"{x:g}", (place + letters / 4, size - letters / 3), size=letters, colour=SOFT)
    for y in steps_of(upper, lower):
        place = frame.place([0, y])[1]
        if place > size - 1.5 * letters:  # the numbers of the columns stand there
            continue
        cv2.polylines(picture, [fixed([[0, place], [size, place]])], False, rule, width, cv2.LINE_AA, SHIFT)
        if place > top + letters:
            write(picture, f"{y:g}", (letters / 4, place - letters / 4), size=letters, colour=SOFT)
    write(
        picture, unit, (size - letters / 3, size - letters / 3), size=letters, colour=SOFT, anchor="right", halo=GROUND
    )
    large, small = scaled(TITLE, panel=0.9 * size), scaled(LABEL, panel=0.85 * size)
    write(picture, title, (margin, 0.055 * size), size=large, colour=INK, bold=True, width=round(0.55 * size))
    write(picture, subtitle, (margin, 0.105 * size), size=small, colour=SOFT, width=size - 2 * margin)
    return picture


class Plotter:
    """Painter of the plots of a clip, one frame after the other.

    Attributes
    ----------
    picture : (size, size, 3) uint8 array
        Blue, green, red.
    """

    def __init__(
        self, faces: NDArray, *, look: PlotStyle, title: str, subtitle: str, unit: str, template: NDArray | None = None
    ) -> None:
        frame = choose_frame(faces, look=look, template=template)
        self._look = look
        self._places = frame.place(faces)  # (T, 68, 2)
        self._ground = paint_ground(frame, look=look, title=title, subtitle=subtitle, unit=unit)
        self._painted: list[tuple[slice, slice]] = []
        self._radius = scaled(DOT, panel=look.size * (0.6 if look.numbers else 1) * (1.6 if look.mouth_only else 1))
        # With numbers, lines step back: they say what belongs together, and figures can be read upon them.
        self._pale = blend_hex(look.colour, GROUND, PALE if look.numbers else 0)
        self._letters = max(9, round(SIZE_OF_NUMBERS[look.mouth_only] * look.size))
        self._offsets = np.zeros((points.COUNT, 2))
        if look.numbers:
            self._offsets = numbering.place_numbers(
                self._some_places(), size=self._letters, indices=look.indices, radius=self._radius
            )
        self.picture = self._ground.copy()

    def _some_places(self) -> NDArray[np.float64]:
        """Choose frames (K, 68, 2) among which are the mouth most closed and most open; NaN is left out."""
        known = self._places[np.isfinite(self._places).all(axis=(1, 2))]
        known = known - known.mean(axis=1, keepdims=True)
        order = np.argsort(points.mouth_opening(known))
        return known[order[np.linspace(0, len(order) - 1, min(len(order), 7)).round().astype(int)]]

    def paint(self, frame: int, *, number: int | None = None) -> list[tuple[slice, slice]]:
        """Paint a frame into `picture`, with another number where it is held; return the windows that changed."""
        look, picture, before = self._look, self.picture, self._painted
        for window in before:
            picture[window] = self._ground[window]
        landmarks = self._places[frame]
        shown = landmarks[list(look.indices)]
        shown = shown[np.isfinite(shown).all(axis=-1)]
        size, letters = look.size, scaled(LABEL, panel=0.85 * look.size)
        text = clock(frame if number is None else number, fps=FPS)
        at, width = (0.97 * size, 0.055 * size), round(0.38 * size)
        write(picture, text, at, size=letters, colour=INK, anchor="right", width=width)
        self._painted = [(slice(0, round(0.075 * size)), slice(round(0.58 * size), size))]
        if not len(shown):
            middle = round(0.55 * size)
            large = scaled(TITLE, panel=1.4 * size)
            write(picture, "no face", (size / 2, middle), size=large, colour=SOFT, anchor="centre")
            self._painted.append((slice(middle - 2 * large, middle + large), slice(0, size)))
            return before + self._painted
        if look.kind == "line":
            width = scaled(THIN if look.numbers else LINE, panel=0.75 * size) + look.mouth_only
            draw_lines(picture, landmarks, colour=self._pale, width=width, mouth_only=look.mouth_only)
        if look.kind == "scatter" or look.numbers:
            draw_points(picture, landmarks, colour=look.colour, radius=self._radius, mouth_only=look.mouth_only)
        reach = 4 * self._letters if look.numbers else 3 * self._radius
        low, high = np.floor(shown.min(axis=0) - reach).astype(int), np.ceil(shown.max(axis=0) + reach).astype(int)
        (left, top), (right, bottom) = np.clip([low, high], 0, size)
        self._painted.append((slice(top, bottom), slice(left, right)))
        if look.numbers:
            numbering.write_numbers(
                picture, landmarks, self._offsets, size=self._letters, colour=INK, indices=look.indices
            )
        return before + self._painted


def read_faces(
    path: str | Path, *, clip: str, shape: str, method: str, smooth_frames: int
) -> NDArray[np.float64]:  # fmt: skip
    """Read the faces (T, 68, 2) of a clip that a plot shows.

    Parameters
    ----------
    path : path
        results/shapes/{speaker}.h5 for identity-free ones, else results/landmarks/{shard}.h5.
    clip : str
    shape : {"raw", "aligned", "identity_free"}
        raw: pixels of the upright source; the others: template frame.
    method : {"fixed", "published"}
        How faces are aligned, see `talkface.face.identity`.
    smooth_frames : int
        See `talkface.face.identity.align`.

    Raises
    ------
    TalkfaceError
        If the clip was rejected; the reason stands in the message.
    """
    if shape == "identity_free":
        return read_shape(path, clip).astype(np.float64)
    measured = read_measured(path, clip)
    if measured.rejected:
        raise TalkfaceError(
            f"{clip}: rejected ({measured.rejected}); a clip with a face was expected; results/qc/clips.tsv"
        )
    landmarks = measured.landmarks.astype(np.float64)
    return landmarks if shape == "raw" else align_faces(landmarks, method=method, smooth_frames=smooth_frames)


def align_faces(landmarks: NDArray, *, method: str, smooth_frames: int) -> NDArray[np.float64]:
    """Align landmarks (T, 68, 2) to the template frame, without the movement of the head, by the method given."""
    template = load_template()
    if method == "fixed":
        return align(landmarks, template, smooth_frames=smooth_frames)
    centre = template.mean(axis=0)  # procrustes leaves shapes centred and of norm 1; the template's own lead back
    return align_procrustes(landmarks) * np.linalg.norm(template - centre) + centre


def open_plotter(
    faces: str | Path, *, clip: str, model: str | None, shape: str, method: str, smooth_frames: int, look: PlotStyle
) -> tuple[Plotter, int]:
    """Make the plotter of a clip; return it and how many frames there are.

    Parameters
    ----------
    faces : path
        With a model its results/predictions/{model}/{clip}.npy, else see `read_faces`.
    clip : str
    model : str or None
    shape, method, smooth_frames
        See `read_faces`; a prediction has the template frame whatever they say.
    look : PlotStyle
    """
    shapes = (
        load_shapes(faces)
        if model
        else read_faces(faces, clip=clip, shape=shape, method=method, smooth_frames=smooth_frames)
    )
    pixels = shape == "raw" and not model
    subtitle = f"predicted by {model}" if model else SUBTITLES[shape]
    plotter = Plotter(
        shapes,
        look=look,
        title=clip,
        subtitle=subtitle + (", mouth only" if look.mouth_only else ""),
        unit="pixels" if pixels else "outer-eye distances",
        template=None if pixels else load_template(),
    )
    return plotter, len(shapes)


def draw_plot(
    faces: str | Path, audio: str | Path, output: str | Path, *, clip: str, shape: str, method: str,
    smooth_frames: int, look: dict, model: str | None = None,
) -> None:  # fmt: skip
    """Write a film of a clip's plots with its sound, as long as that, to the nearest frame; the last face is held.

    Parameters
    ----------
    faces, clip, shape, method, smooth_frames, model
        See `open_plotter`.
    audio : path
        A wav file.
    output : path
        An mp4, H.264 and AAC.
    look : dict
        Fields of `PlotStyle`.
    """
    chosen = PlotStyle(**look)
    plotter, count = open_plotter(
        faces, clip=clip, model=model, shape=shape, method=method, smooth_frames=smooth_frames, look=chosen
    )
    order = hold(np.arange(count), frames_of(audio))
    size = (chosen.size, chosen.size)
    with writing(output) as film:
        encode(paint_plots(plotter, order, size=size), film, size=size, audio=audio, pixels="yuv420p")


def paint_plots(plotter: Plotter, order: NDArray, *, size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    """Paint frames in an order as planar YUV (3 size / 2, size), each valid until the next one is asked for."""
    planes = YuvPicture(size)
    planes.update(plotter.picture, [(slice(0, size[1]), slice(0, size[0]))])
    cv2.setNumThreads(1)  # from here on the encoder keeps the cores busy
    for number, frame in enumerate(order):
        planes.update(plotter.picture, plotter.paint(int(frame), number=number))
        yield planes.picture


def draw_plot_frame(
    faces: str | Path, output: str | Path, *, clip: str, frame: int, shape: str, method: str, smooth_frames: int,
    look: dict, model: str | None = None,
) -> None:  # fmt: skip
    """Write the plot of one frame, numbered from 0, as a picture.

    Parameters
    ----------
    faces, clip, shape, method, smooth_frames, model
        See `open_plotter`.
    output : path
        A png.
    frame : int
    look : dict
        Fields of `PlotStyle`.

    Raises
    ------
    TalkfaceError
        If the clip has no such frame.
    """
    plotter, count = open_plotter(
        faces, clip=clip, model=model, shape=shape, method=method, smooth_frames=smooth_frames, look=PlotStyle(**look)
    )
    if frame >= count:
        raise TalkfaceError(f"{clip}: no frame {frame}; 0 to {count - 1} were expected ({faces}); ask for one of them")
    plotter.paint(frame)
    with writing(output) as picture:
        cv2.imwrite(str(picture), plotter.picture)
