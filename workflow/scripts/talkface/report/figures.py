"""Figures of training and evaluation: loss curves, errors over SNR, gains, box plots by speaker.

Each `..._figure` draws a figure from tables as results/evaluation/ has them; `narrow` lays it out for a telephone.
Each network has a colour (`talkface.drawing.style`), its entries a stroke and a tint.
"""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.figure
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.text import Text
from matplotlib.typing import RcKeyType
from numpy.typing import ArrayLike, NDArray

from talkface.drawing.style import BLUE, INK, PALETTE
from talkface.evaluation.tables import (
    best_of,
    choose_pairs,
    floor_of,
    gains_of,
    own_of,
    read_clean_clips,
    read_pairs,
    read_summary,
)
from talkface.files import writing

GREY, RULE = "#8a8a8a", "#e2e2e2"  # axes and grids, paler than letters
STROKES: tuple = ("-", (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (5, 1.4, 1.2, 1.4)))
TINTS = (0.0, 0.45, 0.25, 0.65)  # share of white
STYLE: dict[RcKeyType, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "text.color": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "font.size": 9,
    "svg.hashsalt": "talkface",  # the same numbers give the same file
}
ROOM = 12.0  # points from one line of labels to the next
WIDE, NARROW = 10.6, 4.4  # inches
FAR = 1.9  # times the mean face's error: what lies beyond would squeeze the rest, and is written at the edge
# What the curves show, and what is drawn behind them: name in the table, name in the picture.
CURVES = {"lip_rmse": "lip error, % of the outer-eye distance", "opening_correlation": "correlation of mouth opening"}
FLOORS = {
    "floor:mean_face": "mean face",
    "ceiling:shifted_1": "truth shifted by 1 frame",
    "ceiling:shifted_2": "truth shifted by 2 frames",
    "ceiling:detector": "noise of the detector",
}


@dataclass(frozen=True)
class LineStyle:
    """Colour and stroke of a model, the same in all figures."""

    colour: str
    stroke: Any

    def sample(self) -> dict[str, str]:
        """Return colour and dashes for a sample of the stroke on a page."""
        dashes = "" if self.stroke == "-" else " ".join(f"{1.6 * part:g}" for part in self.stroke[1])
        return {"colour": self.colour, "dashes": dashes}


def choose_looks(networks: Mapping[str, str]) -> dict[str, LineStyle]:
    """Choose the style of each model, from the mapping of model to its network (or any other name of its family)."""
    families = list(dict.fromkeys(networks.values()))
    seen: dict[str, int] = {}
    looks = {}
    for model, family in networks.items():
        place = seen[family] = seen.get(family, -1) + 1
        base = np.array(matplotlib.colors.to_rgb(PALETTE[families.index(family) % len(PALETTE)]))
        tint = TINTS[place // len(STROKES) % len(TINTS)]
        colour = matplotlib.colors.to_hex(tuple(base + (1 - base) * tint))
        looks[model] = LineStyle(colour, STROKES[place % len(STROKES)])
    return looks


def save(figure: Figure, output: str | Path) -> None:
    """Write a figure, whole or not at all; the suffix chooses the format."""
    with matplotlib.rc_context(STYLE), writing(output) as temporary:
        figure.savefig(temporary, dpi=150, metadata={"Date": None} if Path(output).suffix == ".svg" else None)


def inline_svg(figure: Figure, *, prefix: str) -> str:
    """Return a figure as an <svg> element for a page: text stays text, no ground, ids begin with `prefix`."""
    with matplotlib.rc_context({**STYLE, "svg.fonttype": "none"}):
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", text)


def spread(places: ArrayLike, *, room: float, low: float, high: float) -> NDArray[np.float64]:
    """Move places (N,) as little as need be, to stand `room` apart within low .. high; order is kept.

    Examples
    --------
    >>> spread([4.0, 4.0], room=2.0, low=0.0, high=10.0).tolist()
    [3.0, 5.0]
    """
    places = np.asarray(places, np.float64)
    if not len(places):
        return places
    room = min(room, (high - low) / max(len(places) - 1, 1))
    order = np.argsort(places, kind="stable")
    steps = room * np.arange(len(places))
    from scipy.optimize import isotonic_regression  # a third of a second's import, of names side by side alone

    moved = isotonic_regression(places[order] - steps).x
    moved = np.clip(moved, low, max(high - steps[-1], low)) + steps
    result = np.empty_like(moved)
    result[order] = moved
    return result


class _Sound:
    """Axis of SNR: numbers in their place, clean beyond the highest."""

    def __init__(self, summary: pd.DataFrame) -> None:
        self.snr_db = sorted(summary["snr_db"].dropna().unique())
        steps = np.diff(self.snr_db)
        self.step = float(steps.min()) if len(steps) else 5.0
        self.clean = (self.snr_db[-1] if self.snr_db else 0.0) + 1.6 * self.step

    def place(self, snr_db: pd.Series) -> NDArray[np.float64]:
        """Return where conditions stand on the axis; no number is clean."""
        return snr_db.fillna(self.clean).to_numpy(float)

    def mark(self, axis: Axes, *, label: bool, small: bool = False) -> None:
        """Set ticks and limits of an axis; a small panel names the lowest and the middle number alone."""
        shown = [x for x in self.snr_db if x % 10 == 0] or self.snr_db
        if small:
            shown = sorted({*self.snr_db[:1], *self.snr_db[len(self.snr_db) // 2 :][:1]})
        texts = [f"{x:g}".replace("-", "\N{MINUS SIGN}") for x in shown]
        axis.set_xticks([*shown, self.clean], [*texts, "clean"])
        axis.set_xticks(self.snr_db, minor=True)
        first = self.snr_db[0] if self.snr_db else self.clean - self.step
        axis.set_xlim(first - 0.4 * self.step, self.clean + 0.5 * self.step)
        if label:
            axis.set_xlabel("SNR, dB" if small else "signal-to-noise ratio, dB")


def _series(summary: pd.DataFrame, model: str, condition: str, sound: _Sound) -> tuple[NDArray, pd.DataFrame]:
    """Return places and rows of a model over SNR, clean at the end; from the rows of one split and measure."""
    rows = summary[(summary["model"] == model) & summary["condition"].isin([condition, "clean"])]
    rows = rows.sort_values("snr_db", na_position="last")
    return sound.place(rows["snr_db"]), rows


def _draw_curve(axis: Axes, x: NDArray, rows: pd.DataFrame, look: LineStyle, *, band: float, width: float) -> None:
    """Draw a model over SNR, with the intervals as a band of this opacity; clean stands apart as a dot."""
    value = rows["value"].to_numpy(float)
    noisy = rows["snr_db"].notna().to_numpy()
    if band:
        low, high = rows["low"].to_numpy(float), rows["high"].to_numpy(float)
        axis.fill_between(x[noisy], low[noisy], high[noisy], color=look.colour, alpha=band, linewidth=0)
        axis.vlines(x[~noisy], low[~noisy], high[~noisy], color=look.colour, linewidth=0.9, alpha=0.6)
    axis.plot(x[noisy], value[noisy], color=look.colour, linestyle=look.stroke, linewidth=width)
    joint = [*np.flatnonzero(noisy)[-1:], *np.flatnonzero(~noisy)]
    axis.plot(x[joint], value[joint], color=look.colour, linestyle=look.stroke, linewidth=0.5 * width, alpha=0.7)
    axis.plot(x[~noisy], value[~noisy], "o", color=look.colour, markersize=2.2 * width)


def _top_of_errors(rows: pd.DataFrame, models: Sequence[str]) -> float:
    """Choose where the axis of an error ends: at the largest value, unless a model lies far beyond the mean face."""
    values = rows[rows["model"].isin(models)]["value"]
    largest = values.max()
    floor = rows.loc[rows["model"] == "floor:mean_face", "value"]
    least = 1.15 * floor.max() if len(floor) else 0.0
    limit = FAR * floor.max() if len(floor) else largest
    return float(max(1.05 * min(largest, max(limit, 1.3 * values.min())), least))


class _End(NamedTuple):
    """Right end of a curve: its last point, name and style."""

    x: float
    y: float
    name: str
    look: LineStyle


def _write_ends(axis: Axes, ends: Sequence[_End], *, top: float) -> list[Text]:
    """Write the names at the right of an axis; `_place_ends` moves them apart once the size is known."""
    texts = []
    for end in ends:
        colour = matplotlib.colors.to_hex(tuple(0.8 * np.array(matplotlib.colors.to_rgb(end.look.colour))))
        beyond = f" \N{UPWARDS ARROW} {end.y:.1f}" if end.y > top else ""
        name = end.name + beyond
        texts.append(axis.text(1.15, 0.5, name, transform=axis.transAxes, va="center", fontsize=8.5, color=colour))
    return texts


def _place_ends(figure: Figure, written: Sequence[tuple[Axes, Sequence[_End], list[Text]]]) -> None:
    """Move the names to the heights of their curves, apart from each other; join them with a sample of the stroke."""
    engine = figure.get_layout_engine()
    assert engine is not None  # the figure is made with layout="constrained"
    engine.execute(figure)
    figure.set_layout_engine("none")  # once is enough
    for axis, ends, texts in written:
        height = axis.get_window_extent().height * 72 / figure.dpi
        (left, right), (low, high) = axis.get_xlim(), axis.get_ylim()
        heights = [(min(end.y, high) - low) / (high - low) for end in ends]
        apart = spread(heights, room=ROOM / height, low=0.0, high=1.0)
        for end, text, at, place in zip(ends, texts, heights, apart, strict=True):
            text.set_position((1.15, place))
            kept: dict[str, Any] = {"transform": axis.transAxes, "clip_on": False, "color": end.look.colour}
            axis.plot([(end.x - left) / (right - left), 1.045], [at, place], linewidth=0.5, **kept)
            axis.plot([1.045, 1.135], [place, place], linewidth=1.7, linestyle=end.look.stroke, **kept)


def noise_figure(summary: pd.DataFrame, *, split: str, networks: Mapping[str, str], narrow: bool = False) -> Figure:
    """Draw lip error and correlation of each model over SNR: mean over the kinds of noise, then kind by kind.

    Parameters
    ----------
    summary : DataFrame
        results/evaluation/summary.tsv.
    split : str
    networks : mapping of model to its network
        The models drawn, one colour a network.
    narrow : bool
    """
    rows = summary[(summary["split"] == split) & summary["measure"].isin(CURVES)]
    sound = _Sound(rows)
    kinds = [kind for kind in rows["condition"].unique() if kind not in ("clean", "all")]
    looks = choose_looks(networks)
    own = own_of(networks)
    # Where many bands would lie on each other, those of the best own model and the best other one are seen.
    best = {best_of(rows, models, split=split) for models in (own, [m for m in networks if m not in own])}
    faint = min(0.13, 0.4 / len(networks)) if networks else 0.0
    tall = max(3.3, 1.15 * (len(networks) + len(FLOORS)) * ROOM / 72)  # inches
    columns = 2 if narrow else max(len(kinds), 1)
    lines = -(-len(kinds) // columns)
    small = [1.75] * (lines * (1 if narrow else len(CURVES)))  # inches; on a telephone the correlations are left out
    with matplotlib.rc_context(STYLE):
        heights = [tall + 0.5] * (len(CURVES) if narrow else 1) + [sum(small)] * bool(small)
        figure = Figure(figsize=(NARROW if narrow else WIDE, sum(heights) + 0.3), layout="constrained")
        grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
        mains = grid if narrow else grid[0].subgridspec(1, len(CURVES))
        panels = grid[-1].subgridspec(len(small), columns) if small else None
        written = []
        for place, (measure, title) in enumerate(CURVES.items()):
            chosen = rows[rows["measure"] == measure]
            axis = figure.add_subplot(mains[place])
            top = _top_of_errors(chosen, list(networks)) if measure == "lip_rmse" else 1.0
            ends = _draw_floors(axis, chosen, sound)
            for model, look in looks.items():
                x, series = _series(chosen, model, "all", sound)
                known = series["value"].notna().to_numpy()
                if not known.any():
                    continue
                _draw_curve(axis, x[known], series[known], look, band=0.13 if model in best else faint, width=1.7)
                ends.append(_End(x[known][-1], float(series["value"][known].iloc[-1]), model, look))
            axis.set_title(f"{title}\n", pad=2)
            axis.text(0, 1.0, "mean over kinds of noise, 95 % band", transform=axis.transAxes, va="bottom", fontsize=8)
            sound.mark(axis, label=True)
            _finish(axis, measure, top, chosen)
            written.append((axis, ends, _write_ends(axis, ends, top=top if measure == "lip_rmse" else 2.0)))
            if panels is not None and place * lines < len(small):
                where = [panels[place * lines + k // columns, k % columns] for k in range(len(kinds))]
                _draw_kinds(figure, where, chosen, kinds, looks, sound, columns, measure, top)
        _place_ends(figure, written)
    return figure


def _finish(axis: Axes, measure: str, top: float, rows: pd.DataFrame) -> None:
    """Set grid and vertical limits of a panel of `noise_figure`."""
    axis.grid(axis="y", color=RULE, linewidth=0.7)
    axis.set_axisbelow(True)
    if measure == "lip_rmse":
        axis.set_ylim(0, top)
    else:
        axis.set_ylim(min(0.0, 1.1 * float(rows["value"].min())), 1.0)


def _draw_floors(axis: Axes, rows: pd.DataFrame, sound: _Sound, *, mean_face_only: bool = False) -> list[_End]:
    """Draw lines of floors and ceilings; return what is to be written at their ends."""
    ends = []
    for name, title in FLOORS.items():
        value = rows.loc[(rows["model"] == name) & (rows["condition"] == "clean"), "value"]
        if value.notna().any() and (name == "floor:mean_face" or not mean_face_only):
            look = LineStyle(GREY, (0, (6, 3)) if name == "floor:mean_face" else (0, (1, 2)))
            axis.axhline(float(value.iloc[0]), color=GREY, linewidth=1.1, linestyle=look.stroke, zorder=1)
            ends.append(_End(sound.clean + 0.5 * sound.step, float(value.iloc[0]), title, look))
    return ends


def _draw_kinds(
    figure: Figure, where: Sequence[SubplotSpec], rows: pd.DataFrame, kinds: Sequence[str],
    looks: Mapping[str, LineStyle], sound: _Sound, columns: int, measure: str, top: float,
) -> None:  # fmt: skip
    """Draw small panels, one a kind of noise, strokes as in the large one."""
    first: Axes | None = None
    for place, kind in enumerate(kinds):
        axis = figure.add_subplot(where[place], sharex=first, sharey=first)
        first = first or axis
        _draw_floors(axis, rows, sound, mean_face_only=True)
        for model, look in looks.items():
            x, series = _series(rows, model, kind, sound)
            _draw_curve(axis, x, series, look, band=0, width=1.1)
        axis.set_title(kind, fontweight="normal")
        sound.mark(axis, label=place >= len(kinds) - columns, small=True)
        _finish(axis, measure, top, rows)
        if place % columns:
            axis.tick_params(labelleft=False)
        else:
            axis.set_ylabel("lip error, %" if measure == "lip_rmse" else "correlation")


def gain_figure(pairs: pd.DataFrame, *, split: str, chosen: Sequence[tuple[str, str]], narrow: bool = False) -> Figure:
    """Draw what one model gains over another at each SNR, with its interval; a hollow dot where that holds zero.

    Parameters
    ----------
    pairs : DataFrame
        results/evaluation/pairs.tsv.
    split : str
    chosen : sequence of (model, other)
    narrow : bool
    """
    rows = pairs[(pairs["split"] == split) & pairs["condition"].isin(["all", "clean"])]
    sound = _Sound(rows)
    titles = {"lip_rmse": "lip error:\ngain, %", "opening_correlation": "correlation:\ngain, hundredths"}
    columns = min(2 if narrow else 4, max(len(chosen), 1))
    blocks = -(-max(len(chosen), 1) // columns)
    with matplotlib.rc_context(STYLE):
        width = NARROW if narrow else max(WIDE * columns / 4, 5.4)
        figure = Figure(figsize=(width, 3.9 * blocks), layout="constrained")
        grid = figure.add_gridspec(2 * blocks, columns)
        for place, (model, other) in enumerate(chosen):
            block, column = divmod(place, columns)
            for line, (measure, title) in enumerate(titles.items()):
                axis = figure.add_subplot(grid[2 * block + line, column])  # each with a scale of its own: gains differ
                _draw_gains(axis, sound, gains_of(rows, model, other, split=split, measure=measure))
                low, high = axis.get_ylim()
                axis.set_ylim(min(low, -1), max(high, 1))
                if line == 0:
                    axis.set_title(f"{model}\nover {other}", fontsize=9)
                sound.mark(axis, label=line == 1, small=narrow)
                if column == 0:
                    axis.set_ylabel(title)
        if not chosen:
            figure.text(0.5, 0.5, "no two models to compare", ha="center", va="center")
    return figure


def _draw_gains(axis: Axes, sound: _Sound, gains: pd.DataFrame) -> None:
    """Draw the gains of a pair of models with their intervals."""
    x = sound.place(gains["snr_db"])
    gain, low, high = (gains[name].to_numpy(float) for name in ("gain", "gain_low", "gain_high"))
    axis.axhline(0, color=INK, linewidth=0.8)
    for better, colour in ((True, BLUE), (False, PALETTE[1])):
        for sure in (True, False):
            at = ((gain >= 0) == better) & (((low > 0) | (high < 0)) == sure)
            axis.vlines(x[at], low[at], high[at], color=colour, linewidth=1.6, alpha=0.9 if sure else 0.45)
            face = colour if sure else "white"
            axis.plot(x[at], gain[at], "o", color=colour, markerfacecolor=face, markersize=4.6, linestyle="none")
    axis.grid(axis="y", color=RULE, linewidth=0.7)
    axis.set_axisbelow(True)


def speakers_figure(
    clips: pd.DataFrame, *, split: str, networks: Mapping[str, str], floor: float | None = None, narrow: bool = False
) -> Figure:
    """Draw the lip error of clean clips: a panel a speaker, a box and its clips for each model, best model on top.

    Parameters
    ----------
    clips : DataFrame
        From `read_clean_clips`.
    split : str
    networks : mapping of model to its network
    floor : float, optional
        Lip error of the mean face, drawn as a line.
    narrow : bool
    """
    rows = clips[(clips["split"] == split) & clips["model"].isin(list(networks))]
    order = list(rows.groupby("model")["lip_rmse"].mean().sort_values().index)
    speakers = sorted(rows["speaker"].astype(str).unique())
    looks = choose_looks(networks)
    columns = min(2 if narrow else 5, max(len(speakers), 1))
    lines = -(-max(len(speakers), 1) // columns)
    with matplotlib.rc_context(STYLE):
        width = NARROW if narrow else min(WIDE, 1.6 + 2.6 * columns)
        figure = Figure(figsize=(width, lines * (0.75 + 0.2 * max(len(order), 2))), layout="constrained")
        panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        largest = float(rows["lip_rmse"].max()) if len(rows) else 1.0
        limit = largest if floor is None else min(largest, max(FAR * floor, 1.3 * float(rows["lip_rmse"].min())))
        for axis, speaker in zip(panels.flat, speakers, strict=False):
            values = {
                model: group["lip_rmse"].dropna().to_numpy(float)
                for model, group in rows[rows["speaker"].astype(str) == speaker].groupby("model")
            }
            drawn = [values.get(model, np.zeros(0)) for model in order]
            _draw_boxes(axis, drawn, [looks[model].colour for model in order], end=1.05 * limit)
            if floor is not None:
                axis.axvline(floor, color=GREY, linewidth=1.1, linestyle=(0, (6, 3)), zorder=1)
            count = max((len(v) for v in values.values()), default=0)
            axis.set_title(f"{speaker}, {count} clip{'s' * (count != 1)}", fontweight="normal")
            axis.set_yticks(range(len(order)), order)
            axis.tick_params(axis="y", length=0)
            axis.set_xlim(0, 1.05 * limit)
            axis.grid(axis="x", color=RULE, linewidth=0.7)
            axis.set_axisbelow(True)
        if speakers:
            panels[0, 0].invert_yaxis()
        for axis in panels.flat[len(speakers) :]:
            axis.set_visible(False)
            panels[-2, list(panels[-1]).index(axis)].tick_params(labelbottom=True)
        dashed = "" if floor is None else "   (dashed: mean face)"
        figure.supxlabel(f"lip error, % of the outer-eye distance{dashed}", fontsize=9)
    return figure


def _draw_boxes(axis: Axes, values: Sequence[NDArray], colours: Sequence[str], *, end: float) -> None:
    """Draw box plots: quartiles, median, whiskers to the ends, each clip a dot; a median beyond the end in words."""
    for place, (numbers, colour) in enumerate(zip(values, colours, strict=True)):
        if len(numbers) > 1:
            low, first, middle, third, high = np.percentile(numbers, [0, 25, 50, 75, 100])
            axis.hlines(place, low, high, color=colour, linewidth=0.9)
            axis.barh(place, third - first, left=first, height=0.56, color=colour, alpha=0.28, linewidth=0)
            axis.vlines(middle, place - 0.28, place + 0.28, color=colour, linewidth=1.8)
        axis.plot(numbers, np.full(len(numbers), place), "o", color=colour, markersize=2.6, alpha=0.75)
        if len(numbers) and np.median(numbers) > end:
            text = f"{np.median(numbers):.1f} \N{RIGHTWARDS ARROW}"
            axis.text(end, place, text, ha="right", va="center", fontsize=8, color=colour)


def curves_figure(curves: Mapping[str, str | Path], *, narrow: bool = False) -> Figure:
    """Draw the losses of training and validation of each model by step; a dot where the weights were kept."""
    columns = max(min(len(curves), 2 if narrow else 4), 1)
    lines = max(-(-len(curves) // columns), 1)
    with matplotlib.rc_context(STYLE):
        width = NARROW if narrow else max(WIDE * columns / 4, 4.4)
        figure = Figure(figsize=(width, (1.9 if narrow else 2.3) * lines + 0.3), layout="constrained")
        panels = figure.subplots(lines, columns, squeeze=False)
        drawn: list = []
        for axis, (model, path) in zip(panels.flat, curves.items(), strict=False):
            curve = pd.read_csv(path, sep="\t")
            best = curve.iloc[int(curve["valid_loss"].argmin())]
            marker = "o" if len(curve) < 3 else None  # a line needs points to be seen
            drawn = [
                *axis.plot(curve["step"], curve["train_loss"], color=GREY, marker=marker, label="training"),
                *axis.plot(curve["step"], curve["valid_loss"], color=BLUE, marker=marker, label="validation"),
                *axis.plot(best["step"], best["valid_loss"], "o", color=BLUE, markersize=5, label="kept"),
            ]
            axis.set_title(model)
            kept = f"{best['valid_loss']:.3g} at {best['step']:.0f}"
            axis.text(0.98, 0.97, kept, transform=axis.transAxes, ha="right", va="top", fontsize=8, color=BLUE)
            axis.set_xlim(0, None)
            axis.locator_params(nbins=4)
            axis.margins(y=0.15)
            axis.grid(axis="y", color=RULE)
        for axis in panels.flat[len(curves) :]:
            axis.set_visible(False)
        figure.supxlabel("step", fontsize=9)
        figure.supylabel("loss", fontsize=9)
        if drawn:
            figure.legend(handles=drawn, loc="outside upper right", ncols=3, frameon=False, fontsize=8.5)
    return figure


def plot_curves(curves: Mapping[str, str | Path], output: str | Path) -> None:
    """Draw the losses of training and validation of each model by step.

    Parameters
    ----------
    curves : mapping of model to its curve.tsv
    output : path
        Picture; the suffix chooses the format.
    """
    save(curves_figure(curves), output)


def plot_noise(summary: str | Path, output: str | Path, *, split: str, networks: Mapping[str, str]) -> None:
    """Draw `noise_figure` of results/evaluation/summary.tsv."""
    save(noise_figure(read_summary(summary), split=split, networks=networks), output)


def plot_gain(
    pairs: str | Path,
    output: str | Path,
    *,
    summary: str | Path,
    split: str,
    networks: Mapping[str, str],
    twins: Sequence[Sequence[str]],
) -> None:
    """Draw `gain_figure` of results/evaluation/pairs.tsv for the pairs of `choose_pairs`."""
    chosen = choose_pairs(read_summary(summary), twins, split=split, networks=networks)
    save(gain_figure(read_pairs(pairs), split=split, chosen=chosen), output)


def plot_speakers(
    tables: Mapping[str, str | Path],
    output: str | Path,
    *,
    summary: str | Path,
    split: str,
    networks: Mapping[str, str],
) -> None:
    """Draw `speakers_figure` of results/evaluation/clips/{model}.tsv."""
    floor = floor_of(read_summary(summary), split=split)
    save(speakers_figure(read_clean_clips(tables), split=split, networks=networks, floor=floor), output)
