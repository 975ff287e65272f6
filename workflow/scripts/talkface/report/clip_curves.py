"""Figure of one clip: mouth opening of truth and predictions over waveform, spectrogram and marks of what is said.

A long clip is broken into rows, as music is, so that one picture reads on a telephone as well.
"""

import html
import io
import logging
import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import soundfile
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import TextToPath
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from talkface.conventions import FPS
from talkface.corpus.annotations import Mark, read_marks
from talkface.corpus.quality import brief, why_rejected
from talkface.drawing.style import INK, PALETTE, SOFT, TRUTH
from talkface.errors import TalkfaceError
from talkface.face import points
from talkface.face.faces import load_shapes
from talkface.face.measured import read_shape
from talkface.files import writing
from talkface.report.figures import GREY, RULE, STROKES, STYLE
from talkface.report.spectrogram import outline, spectrogram, top_khz

log = logging.getLogger(__name__)

ROW_S = 4.0  # longest row: a sentence; phonemes last 80 ms, and their names stand apart
MOST_ROWS = 16  # longer clips have longer rows
COLUMNS = 400  # of a row of spectrogram: 10 ms each
MOST_COLUMNS = 3600  # of the whole picture, which must load on a telephone
MOST_MARKS = 1200  # whose names the picture holds; that is 100 s of phonemes
DENSEST = 110  # marks in a row: nearer than 3 points to each other they tell nothing
BANDS = 64  # rows of the spectrogram
# Shown below the loudest, without the highest thousandth, and in how many shades: few of them make a small file.
RANGE_DB, LOUDEST, LEVELS = 60, 99.9, 16
SHADES = LinearSegmentedColormap.from_list("sound", ["#ffffff", INK])
SVG_STYLE = {**STYLE, "svg.fonttype": "none", "font.sans-serif": ["DejaVu Sans"]}  # else each word names ten fonts
# Inches. On a telephone, 390 pixels wide, letters of 9 points in a figure of this width are 10 pixels high.
WIDTH, LEFT, RIGHT = 5.0, 0.42, 0.14
OPENING, SOUND, SPECTRUM, TICKS = 1.5, 0.36, 0.8, 0.34
PANELS = (OPENING, SOUND, SPECTRUM)
LINE, MARGIN = 0.19, 0.1  # a line of letters; above and below everything
DESKTOP = 760  # pixels: width in a window that has room
HEADING, TEXT, NAME = 11.0, 9.0, 8.5  # points: letters of the title, of all else, and of the names of marks
LEVELS_OF_NAMES, APART = 3, 0.02  # names that would touch stand on another level; inches


@dataclass(frozen=True)
class Curve:
    """Mouth opening (T,) in percent of the outer-eye distance, with its name and style."""

    name: str
    opening: NDArray[np.float64]
    colour: str
    stroke: Any = "-"
    width: float = 1.4


def draw_curves(
    output: str | Path,
    *,
    clip: str,
    audio: str | Path,
    predictions: Mapping[str, str | Path],
    colours: Mapping[str, str],
    qc: Mapping[str, Any],
    shapes: str | Path | None = None,
    landmarks: str | Path | None = None,
    sound: str | Path | None = None,
    marks: str | Path | None = None,
    start_s: float | None = None,
    end_s: float | None = None,
) -> None:
    """Draw the curves of one clip as SVG, text as text.

    Parameters
    ----------
    output : path
        results/curves/{clip}.svg.
    clip : str
    audio : path
        results/audio/{clip}.wav.
    predictions : mapping of model to path
        results/predictions/{model}/{clip}.npy.
    colours : mapping of model to colour
        "#rrggbb"; may hold more models, whose order says which share a colour.
    qc : mapping
        The limits of quality control, as in the config.
    shapes, landmarks, sound : path or None
        results/shapes/{speaker}.h5, results/landmarks/{shard}.h5, results/audio/{shard}.h5; None for a speech file,
        which has no truth. A clip that quality control rejects is drawn without it, and the picture says why.
    marks : path or None
        A file that `talkface.corpus.annotations.read_marks` knows.
    start_s, end_s : float or None
        The stretch of the video that the clip is.

    Raises
    ------
    TalkfaceError
        If a prediction is no array of faces, or the sound or the marks cannot be read.
    """
    try:
        samples, rate = soundfile.read(str(audio), dtype="int16")
    except soundfile.LibsndfileError as error:
        raise TalkfaceError(f"{audio}: not a wav file ({error}); expected the sound of the clip") from None
    if not len(samples):
        raise TalkfaceError(f"{audio}: no samples; expected the sound of the clip; give a longer recording")
    curves, note = [], "A speech file: there is no truth to compare with."
    if shapes is not None and landmarks is not None and sound is not None:
        reason = why_rejected(clip, audio=sound, landmarks=landmarks, **qc)
        note = f"No truth: the clip is rejected ({brief(reason)})." if reason else ""
        if not reason:
            curves.append(Curve("truth", _opening(read_shape(shapes, clip)), TRUTH, width=2.0))
    places = {model: place // len(PALETTE) for place, model in enumerate(colours)}
    curves += [
        Curve(model, _opening(load_shapes(path)), colours[model], STROKES[places[model] % len(STROKES)])
        for model, path in predictions.items()
    ]
    known = read_marks(marks, start_s=start_s, end_s=end_s) if marks else []
    figure = curves_figure(curves, samples=samples, rate=rate, marks=known, title=clip, note=note)
    with writing(output) as temporary:
        temporary.write_text(_as_svg(figure, title=f"{clip}: mouth opening over its sound"), encoding="utf-8")
    log.info("%s: %d curves, %d marks, %.2f s", output, len(curves), len(known), len(samples) / rate)


def _opening(shapes: NDArray) -> NDArray[np.float64]:
    """Return the mouth opening (T,) of shapes (T, 68, 2) of the template frame, percent of the outer-eye distance."""
    return 100 * points.mouth_opening(shapes)


def curves_figure(
    curves: Sequence[Curve], *, samples: NDArray[np.int16], rate: int, marks: Sequence[Mark], title: str, note: str = ""
) -> Figure:
    """Draw the figure: a row every 4 s, each with the names of marks, the curves, the waveform and the spectrogram.

    Parameters
    ----------
    curves : sequence of Curve
    samples : (S,) int16 array
    rate : int
        Hz.
    marks : sequence of Mark
    title, note : str
        Above the rows.
    """
    duration = len(samples) / rate
    rows = min(max(math.ceil(duration / ROW_S - 0.25), 1), MOST_ROWS)  # a rest of a second does not make a row
    length = duration / rows
    starts = [row * length for row in range(rows)]
    per_inch = length / (WIDTH - LEFT - RIGHT)  # seconds
    crowded = any(
        sum(mark.start_s < start + length and mark.end_s > start for mark in marks) > DENSEST for start in starts
    )
    if crowded or len(marks) > MOST_MARKS:
        note, marks = f"{note} Too long to show the {len(marks)} marks.".strip(), []
    named = [_place_names(marks, start, start + length, per_inch=per_inch) for start in starts]
    levels = max((level + 1 for row in named for _, level, _ in row), default=0)
    room = (WIDTH - 2 * MARGIN) / max(_width(note), 1e-9)  # a share of the note
    notes = textwrap.wrap(note, max(int(0.95 * room * len(note)), 20), break_on_hyphens=False)
    samples_of = _legend(curves)
    lines = 1 + len(notes) + max((line + 1 for _, line, _ in samples_of), default=0) + 1
    high = levels * LINE + sum(PANELS) + TICKS
    height = lines * LINE + rows * high + 2 * MARGIN
    with matplotlib.rc_context(SVG_STYLE):
        figure = Figure(figsize=(WIDTH, height), facecolor="white")
        _write_head(figure, title=title, notes=notes, samples_of=samples_of, lines=lines)
        top = 1.06 * max((float(curve.opening.max()) for curve in curves), default=1.0)
        columns = max(min(COLUMNS, MOST_COLUMNS // rows), 1)
        pictures = [_hear(samples, rate, start, length, columns) for start in starts]
        loudest = float(np.percentile(np.concatenate([picture for picture, _, _ in pictures], axis=1), LOUDEST))
        peak = max(*(float(np.abs(part).max()) for _, *parts in pictures for part in parts), 1e-3)
        for row, start in enumerate(starts):
            axes = _stack(figure, height - MARGIN - lines * LINE - row * high - levels * LINE)
            _draw_opening(axes[0], curves, start, length, top=max(top, 1.0))
            _draw_sound(axes[1], pictures[row][1:], start, length, peak=peak)
            _draw_spectrum(axes[2], pictures[row][0], start, length, loudest=loudest, top=top_khz(rate))
            axes[0].set_xlim(start, start + length)
            _draw_marks(axes, marks, start, start + length)
            _write_names(axes[0], named[row])
        axes[2].set_xlabel("time, s", labelpad=1)
    return figure


def _write_head(
    figure: Figure, *, title: str, notes: Sequence[str], samples_of: Sequence[tuple[Curve, int, float]], lines: int
) -> None:
    """Write the head, `lines` high: title, notes, strokes of `_legend` with their names, what the first panel shows."""
    height = figure.get_figheight()

    def middle(line: int) -> float:
        """Return the height of a line's middle, a share of the figure's."""
        return (height - MARGIN - (line + 0.5) * LINE) / height

    def write(x: float, line: int, text: str, **kept: Any) -> None:
        """Write at x inches."""
        figure.text(x / WIDTH, middle(line), text, va="center", parse_math=False, **kept)

    wide = _width(title, size=HEADING, weight="bold")
    write(MARGIN, 0, title, fontsize=HEADING * min(1, (WIDTH - 2 * MARGIN) / wide), fontweight="bold")
    for line, text in enumerate(notes, start=1):
        write(MARGIN, line, text)
    for curve, place, x in samples_of:
        line = 1 + len(notes) + place
        write(x + 0.3, line, curve.name)
        dash = {"color": curve.colour, "linestyle": curve.stroke, "linewidth": 1.3 * curve.width}
        figure.add_artist(Line2D([x / WIDTH, (x + 0.24) / WIDTH], 2 * [middle(line)], **dash))
    write(MARGIN, lines - 1, "mouth opening, % of the outer-eye distance", color=SOFT)


def _stack(figure: Figure, top: float) -> list[Axes]:
    """Add the panels of a row below each other, from `top` inches above the lower edge on; they share their time."""
    height = figure.get_figheight()
    axes: list[Axes] = []
    for panel in PANELS:
        top -= panel
        box = (LEFT / WIDTH, top / height, (WIDTH - LEFT - RIGHT) / WIDTH, panel / height)
        axes.append(figure.add_axes(box, sharex=axes[0] if axes else None))
    return axes


def _write_names(axis: Axes, named: Sequence[tuple[Mark, int, float]]) -> None:
    """Write the names of marks, as `_place_names` gives them, above the panel."""
    across = axis.get_xaxis_transform()
    for mark, level, x in named:
        place = 1 + (level + 0.45) * LINE / OPENING
        axis.text(x, place, mark.name, transform=across, ha="center", va="center", fontsize=NAME, parse_math=False)
        if level:
            ends = [1.0, place - 0.4 * LINE / OPENING]
            axis.plot([x, x], ends, transform=across, color=GREY, linewidth=0.4, clip_on=False)


def _width(text: str, *, size: float = TEXT, weight: str = "normal") -> float:
    """Return the width, inches, of text in letters of `size` points; browsers' own letters are hardly ever wider."""
    font = FontProperties(size=size, weight=weight)
    return TextToPath().get_text_width_height_descent(text, font, ismath=False)[0] / 72


def _legend(curves: Sequence[Curve]) -> list[tuple[Curve, int, float]]:
    """Place the curves in the legend: the line of the head of each, and where its stroke begins, inches."""
    placed, line, x = [], 0, MARGIN
    for curve in curves:
        width = 0.3 + _width(curve.name) + 0.18
        if x > MARGIN and x + width > WIDTH - MARGIN:
            line, x = line + 1, MARGIN
        placed.append((curve, line, x))
        x += width
    return placed


def _place_names(marks: Sequence[Mark], start: float, end: float, *, per_inch: float) -> list[tuple[Mark, int, float]]:
    """Place the names of marks in a row: those that are written, with the level from below and the middle in seconds.

    A name stands on the lowest level where it does not touch the one before; where none has room it is left out.
    """
    placed, taken = [], [-math.inf] * LEVELS_OF_NAMES
    for mark in marks:
        low, high = max(mark.start_s, start), min(mark.end_s, end)
        if not mark.name or low >= end or high <= start or high - low < (mark.end_s - mark.start_s) / 2:
            continue  # a mark at the end of a row is named where most of it lies
        half = (_width(mark.name, size=NAME) + APART) / 2 * per_inch
        middle = min(max((low + high) / 2, start + half), max(end - half, start + half))
        level = next((level for level in range(LEVELS_OF_NAMES) if middle - half >= taken[level]), None)
        if level is not None:
            taken[level] = middle + half
            placed.append((mark, level, middle))
    return placed


def _hear(
    samples: NDArray, rate: int, start: float, length: float, columns: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Compute a row of sound: spectrogram (R, C) in dB, lowest and highest sample (C,) of each column."""
    edges = start + np.arange(columns + 1) * length / columns
    picture = spectrogram(samples, rate=rate, centres_s=(edges[1:] + edges[:-1]) / 2, rows=BANDS)
    return picture, *outline(samples, rate=rate, edges_s=edges)


def _draw_opening(axis: Axes, curves: Sequence[Curve], start: float, length: float, *, top: float) -> None:
    """Draw the curves of a row."""
    for place, curve in enumerate(curves):
        first = max(int(start * FPS) - 1, 0)  # a curve enters and leaves a row at its edges
        shown = slice(first, math.ceil((start + length) * FPS) + 2)
        times, opening = _thin(np.arange(len(curve.opening))[shown] / FPS, curve.opening[shown])
        stroke = {"color": curve.colour, "linestyle": curve.stroke, "linewidth": curve.width}
        axis.plot(times, opening, zorder=3 + place, solid_joinstyle="round", **stroke)
    axis.set_ylim(0, top)
    axis.set_yticks([tick for tick in MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(0, top) if 0 <= tick <= top])
    axis.grid(axis="y", color=RULE, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.tick_params(bottom=False, labelbottom=False, length=2, pad=2)
    axis.spines["bottom"].set_visible(False)


def _thin(times: NDArray, values: NDArray) -> tuple[NDArray, NDArray]:
    """Thin a series (T,) to the lowest and the highest of every few values, where there are more than can be seen."""
    count = math.ceil(2 * len(values) / COLUMNS)
    if count <= 2:
        return times, values
    parts = np.array_split(np.arange(len(values)), math.ceil(len(values) / count))
    kept = [sorted({part[values[part].argmin()], part[values[part].argmax()]}) for part in parts]
    places = np.concatenate(kept)
    return times[places], values[places]


def _draw_sound(axis: Axes, parts: Sequence[NDArray], start: float, length: float, *, peak: float) -> None:
    """Draw the waveform of a row, lowest and highest sample (C,) of each column."""
    low, high = (part / peak for part in parts)
    times = start + (np.arange(len(low)) + 0.5) * length / len(low)
    axis.fill_between(times, low, high, color=SOFT, linewidth=0.3)
    axis.set_ylim(-1.1, 1.1)
    axis.set_yticks([])
    axis.tick_params(bottom=False, labelbottom=False)
    for spine in axis.spines.values():
        spine.set_visible(False)


def _draw_spectrum(axis: Axes, picture: NDArray, start: float, length: float, *, loudest: float, top: float) -> None:
    """Draw the spectrogram (R, C) of a row, dB."""
    shades = np.clip(1 + (picture - loudest) / RANGE_DB, 0, 1)
    axis.imshow(
        np.round(shades * (LEVELS - 1)) / (LEVELS - 1), extent=(start, start + length, 0, top), cmap=SHADES, vmin=0,
        vmax=1, origin="lower", aspect="auto", interpolation="none",
    )  # fmt: skip
    axis.set_yticks([0, int(top / 2), int(top)])
    axis.set_ylabel("kHz", labelpad=1)
    axis.tick_params(length=2, pad=2)


def _draw_marks(axes: Sequence[Axes], marks: Sequence[Mark], start: float, end: float) -> None:
    """Draw a thin line wherever a mark begins or ends; one path an axis."""
    times = sorted({round(time, 4) for mark in marks for time in mark[1:] if start < time < end})
    for axis, colour in zip(axes, (GREY, GREY, INK), strict=True):
        x = np.repeat(times, 3)
        y = np.tile([0.0, 1.0, np.nan], len(times))
        axis.plot(
            x, y, color=colour, linewidth=0.4, alpha=0.75, transform=axis.get_xaxis_transform(), zorder=2, gid="marks"
        )


def _as_svg(figure: Figure, *, title: str) -> str:
    """Return the figure as SVG that keeps text as text and fits the width of a desktop or a telephone."""
    with matplotlib.rc_context(SVG_STYLE):
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", buffer.getvalue(), flags=re.S)
    width, height = figure.get_size_inches()
    size = f'width="{DESKTOP}" height="{DESKTOP * height / width:.0f}"'
    style = "display: block; margin: auto; max-width: 100%; height: auto"
    # A tenth of a point is a fifth of a pixel, and makes the file half as long.
    text = re.sub(r'\bd="[^"]*"', lambda path: re.sub(r"(\.\d)\d+", r"\1", path[0]), text)
    text = re.sub(r' transform="rotate\(-0 [^"]*"', "", text)
    text = re.sub(r'\bwidth="[^"]*" height="[^"]*"', f'{size} style="{style}"', text, count=1)
    return re.sub(r"(<svg\b[^>]*>)", rf"\1\n <title>{html.escape(title)}</title>", text, count=1)
