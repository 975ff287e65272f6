"""Tables of a page: cells, rows and heads as page.html takes them, and the format of numbers."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

DASH, DOTS, MINUS = "\N{EN DASH}", "\N{HORIZONTAL ELLIPSIS}", "\N{MINUS SIGN}"
BAR = 126  # points


@dataclass
class Bar:
    """A value and its interval as a picture; places in points, 0 .. `BAR`, None where there is none."""

    value: float | None
    low: float | None
    high: float | None
    floor: float | None
    colour: str


@dataclass
class Cell:
    """What stands in a cell: text, interval below it, what it is sorted by, a title, a style (up, down, none, text)."""

    text: str = ""
    sort: str = ""
    interval: str = ""
    title: str = ""
    css: str = ""
    best: bool = False
    bar: Bar | None = None


@dataclass
class Head:
    """What stands above a column."""

    text: str
    unit: str = ""
    title: str = ""
    css: str = ""


@dataclass
class Row:
    """A line of a table; `look` is the colour and the dashes that the figures have for the model."""

    name: str
    cells: list[Cell]
    look: Mapping[str, str] | None = None


@dataclass
class Group:
    """Rows that stay together when a table is sorted."""

    rows: list[Row]
    title: str = ""
    quiet: bool = False


@dataclass
class Table:
    """Groups of rows below their heads; `corner` stands above the names of the rows."""

    corner: str
    heads: list[Head]
    groups: list[Group]
    title: str = ""


def decimals(values: Sequence[float]) -> int:
    """Choose the decimals of a column: three figures of the median of its values, from 0.01 to 1 two decimals.

    Examples
    --------
    >>> decimals([1.0, 2.0, 4.0]), decimals([150.0]), decimals([0.002])
    (2, 0, 4)
    """
    finite = np.abs([value for value in values if math.isfinite(value)])
    finite = finite[finite > 0]
    if not len(finite):
        return 2
    power = math.floor(math.log10(float(np.median(finite))))
    return max(0, 2 - max(power, 0)) if power >= -2 else 1 - power


def number(value: float, places: int) -> str:
    """Format a number with a true minus sign, NaN as a dash.

    Examples
    --------
    >>> number(-1.25, 2), number(-0.001, 2), number(math.nan, 2)
    ('−1.25', '0.00', '–')
    """
    text = f"{value:.{places}f}" if math.isfinite(value) else DASH
    return text.replace("-", MINUS) if float(text.replace(DASH, "0")) else text.removeprefix("-")


def percent(value: float) -> str:
    """Format a gain in percent: one decimal below 10, none above."""
    return number(value, 1 if abs(value) < 9.95 else 0)


def measured_cell(row: Mapping[Hashable, Any] | None, places: int) -> Cell:
    """Return a cell with value and interval of a row of summary.tsv."""
    if row is None or not math.isfinite(row["value"]):
        return Cell(DASH, "nan")
    cell = Cell(number(row["value"], places), f"{row['value']:.6g}")
    if math.isfinite(row["low"]) and math.isfinite(row["high"]):
        cell.interval = f"{number(row['low'], places)} {DOTS} {number(row['high'], places)}"
    return cell


def gain_cell(row: Mapping[Hashable, Any] | None, *, names: str = "") -> Cell:
    """Return a cell with a gain of pairs.tsv, coloured where its interval excludes zero; brief if `names` are given."""
    if row is None or not math.isfinite(row["gain"]):
        return Cell(DASH, "nan", css="none")
    css = "up" if row["gain_low"] > 0 else "down" if row["gain_high"] < 0 else "none"
    within = f"{percent(row['gain_low'])} {DOTS} {percent(row['gain_high'])}"
    cell = Cell(percent(row["gain"]), f"{row['gain']:.6g}", css=css)
    if names:
        cell.title = f"{names}: {cell.text} %, 95 % interval {within}, p = {row['p']:.3g}"
    else:
        cell.interval, cell.title = within, f"p = {row['p']:.3g}"
    return cell


def plain_cell(value: object, how: str = "") -> Cell:
    """Return a cell with a number in a given format, a text, or a dash."""
    if isinstance(value, str):
        return Cell(value, css="none")
    known = isinstance(value, (int, float, np.number)) and math.isfinite(value)
    return Cell(format(value, how), f"{value:.6g}") if known else Cell(DASH, "nan")


def bar_cell(row: Mapping[Hashable, Any] | None, *, end: float, floor: float, colour: str) -> Cell:
    """Return a cell with a bar for a row of summary.tsv on an axis from 0 to `end`, with a tick at `floor`."""

    def place(value: float) -> float | None:
        return round(4 + (BAR - 8) * min(max(value / end, 0), 1), 1) if math.isfinite(value) else None

    known = row or dict.fromkeys(("value", "low", "high"), math.nan)
    value, low, high = (place(known[name]) for name in ("value", "low", "high"))
    bar = Bar(value, low, high, place(floor), colour)
    return Cell(sort=f"{known['value']:.6g}", bar=bar)


def mark_best(rows: Sequence[Row], column: int, better: str) -> None:
    """Mark the best cell of a column; `better` is low, high, zero (nearest to it) or one."""
    values = np.array([float(row.cells[column].sort or "nan") for row in rows])
    good = {"low": -values, "high": values, "zero": -np.abs(values), "one": -np.abs(values - 1)}[better]
    if np.isfinite(good).sum() > 1:
        rows[int(np.nanargmax(good))].cells[column].best = True


def name_model(model: str) -> Markup:
    """Mark up a model's name for a sentence."""
    return Markup("<code>{}</code>").format(model)


def counted(count: int, noun: str) -> str:
    """Write a count and its noun."""
    return f"{count:,} {noun}{'s' * (count != 1)}"
