"""Tables of the page of an evaluation, made from its results."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import pandas as pd
from markupsafe import Markup

from talkface.evaluation.metrics import MEASURES
from talkface.evaluation.tables import Results, first_number
from talkface.report.cells import (
    Cell,
    Group,
    Head,
    Row,
    Table,
    bar_cell,
    decimals,
    gain_cell,
    mark_best,
    measured_cell,
    number,
    plain_cell,
)

Looks = Mapping[str, Mapping[str, str]]

FLOORS = {
    "floor:mean_face": "mean face",
    "floor:loudness": "loudness alone",
    "floor:phones": "phones and a table",
}
CEILINGS = {
    "ceiling:shifted_2": "truth, 2 frames (80 ms) late",
    "ceiling:shifted_1": "truth, 1 frame (40 ms) late",
    "ceiling:detector": "truth, measured again",
    "truth": "truth",
}
CONTROLS = {"shuffled": "frames in random order", "other_audio": "on another clip's sound"}
# Columns of the main table: measure, and whether in noise at the SNR nearest to 0 dB.
MAIN = (
    ("lip_rmse", False),
    ("lip_rmse", True),
    ("opening_correlation", False),
    ("opening_correlation", True),
    ("closure_rate", False),
    ("rest_opening", False),
    ("sync_truth_ms", False),
    ("silence_closed", False),
    ("jitter_ratio", False),
)
SHORT = {
    "opening_correlation": "correlation",
    "sync_truth_ms": "late by",
    "silence_closed": "closed in silence",
    "rest_opening": "opening in rooms",
    "closure_rate": "closed at /p\xa0b\xa0m/",
    "jitter_ratio": "jitter",
}
SPOKEN = {name for name, measure in MEASURES.items() if "spoken" in measure.needs}  # need to know what is said when
GREY = "#8a8a8a"
FEW_CLIPS = 16  # so many columns can still be read
# Columns of zoo.tsv, and how they are written and called.
TRAINING = {"best_step": ",.0f", "valid_loss": ".4g", "parameters": ",.0f", "learning_rate": "g", "schedule": ""}
TRAINING |= {"batch": "", "seconds": ",.0f"}
TRAINING_HEADS = ("kept step", "validation loss", "parameters", "learning rate", "schedule", "batch", "seconds")


def head_of(measure: str, snr_db: float | None = None, *, short: bool = False) -> Head:
    """Return the head of a measure's column."""
    known = MEASURES[measure]
    name = SHORT.get(measure, known.title) if short else known.title
    where = "" if snr_db is None else f", {snr_db:g}\xa0dB"
    unit = known.unit.replace("% of the outer-eye distance", "%")
    return Head(name + where, unit, f"{measure}: {known.title}, {known.unit}")


def main_table(results: Results, split: str, looks: Looks) -> Table:
    """Return the main measures of all models; below them floors, controls of the best model and ceilings."""
    known = set(results.summary["measure"])
    columns = [
        (measure, results.snr_db if noisy else None)
        for measure, noisy in MAIN
        if measure in known and not (noisy and results.snr_db is None)
        if measure not in SPOKEN or not math.isnan(results.value(split, "truth", measure))
    ]
    models = results.ranked(split)
    places = [_places(results, split, measure, snr_db=snr) for measure, snr in columns]
    floor = results.value(split, "floor:mean_face", "lip_rmse")
    errors = [results.row(split, model, "lip_rmse") for model in models]
    end = max([first_number(row["high"], row["value"]) for row in errors if row is not None], default=1.0)
    end = max(1.1 * floor, min(end, 1.6 * floor)) if floor > 0 else end  # what is far off must not squeeze the others

    def line(name: str, title: str) -> Row:
        """Return the row of a model, floor, control or ceiling."""
        found = [results.row(split, name, measure, snr_db=snr) for measure, snr in columns]
        cells = [measured_cell(row, count) for row, count in zip(found, places, strict=True)]
        look = looks.get(name)
        if name == "truth":  # nothing but what it is like by itself
            cells = [c if MEASURES[m].alone else Cell() for c, (m, _) in zip(cells, columns, strict=True)]
            return Row(title, [cells[0], Cell(), *cells[1:]])
        bar = bar_cell(
            results.row(split, name, "lip_rmse"), end=end, floor=floor, colour=look["colour"] if look else GREY
        )
        return Row(title, [cells[0], bar, *cells[1:]], look)

    groups = [Group([line(model, model) for model in models])]
    controls = {f"{models[0]}:{key}": f"{models[0]}, {title}" for key, title in CONTROLS.items()}
    below = {"Floors: what hears or learns nothing": FLOORS | controls, "Ceilings: how near anything comes": CEILINGS}
    for title, names in below.items():
        rows = [line(name, text) for name, text in names.items()]
        rows = [row for row in rows if any(cell.text and cell.sort != "nan" for cell in row.cells)]
        if rows:
            groups.append(Group(rows, title, quiet=True))
    heads = [head_of(measure, snr, short=True) for measure, snr in columns]
    heads.insert(1, Head("", title="lip error and its interval; dashed: the mean face"))
    for place, (measure, _) in enumerate(columns):
        mark_best(groups[0].rows, place + (place > 0), MEASURES[measure].better)
    return Table("model", heads, groups)


def _places(results: Results, split: str, measure: str, *, snr_db: float | None = None) -> int:
    """Choose the decimals of a measure's column."""
    fixed = {"ms": 0, "-1 .. 1": 2, "share": 2, "ratio": 2}
    if MEASURES[measure].unit in fixed:
        return fixed[MEASURES[measure].unit]
    return decimals([results.value(split, model, measure, snr_db=snr_db) for model in results.models])


def full_table(results: Results, split: str, looks: Looks) -> Table:
    """Return all measures of all models, controls, floors and ceilings, clean."""
    measures = [name for name in MEASURES if name in set(results.summary["measure"])]
    models = results.ranked(split)
    places = {measure: _places(results, split, measure) for measure in measures}
    parts = {"": {model: model for model in models}}
    parts |= {title.capitalize(): {f"{m}:{key}": m for m in models} for key, title in CONTROLS.items()}
    parts["Floors and ceilings"] = FLOORS | CEILINGS
    groups = []
    for title, names in parts.items():
        rows = []
        for name, text in names.items():
            found = [results.row(split, name, measure) for measure in measures]
            if any(row is not None for row in found):
                cells = [measured_cell(row, places[m]) for row, m in zip(found, measures, strict=True)]
                rows.append(Row(text, cells, looks.get(name)))
        if rows:
            groups.append(Group(rows, title, quiet=bool(title)))
    for place, measure in enumerate(measures):
        mark_best(groups[0].rows, place, MEASURES[measure].better)
    return Table("model", [head_of(measure) for measure in measures], groups)


def noise_tables(results: Results, split: str, looks: Looks) -> list[Table]:
    """Return lip error and correlation at the SNR nearest to 0 dB, kind by kind."""
    rows = results.summary[(results.summary["split"] == split) & (results.summary["snr_db"] == results.snr_db)]
    kinds = [kind for kind in rows["condition"].unique() if kind != "all"]
    if not kinds:
        return []
    tables = []
    for measure, title in (("lip_rmse", "Lip error, %"), ("opening_correlation", "Mouth-opening correlation")):
        lines = []
        for model in results.ranked(split):
            found = [results.row(split, model, measure)]
            found += [results.row(split, model, measure, snr_db=results.snr_db, kind=kind) for kind in [*kinds, "all"]]
            lines.append(Row(model, [measured_cell(row, 2) for row in found], looks.get(model)))
        for place in range(len(kinds) + 2):
            mark_best(lines, place, MEASURES[measure].better)
        heads = [Head(text) for text in ("clean", *kinds, "all kinds")]
        tables.append(Table("model", heads, [Group(lines)], title=f"{title}, at {results.snr_db:g} dB"))
    return tables


def gain_table(results: Results, split: str, chosen: Sequence[tuple[str, str]]) -> Table:
    """Return what the first of each pair gains over the second, clean and at each SNR."""
    levels = [None, *sorted(results.pairs["snr_db"].dropna().unique(), reverse=True)]
    groups = []
    for measure, title in (("lip_rmse", "Lip error, %"), ("opening_correlation", "Correlation, hundredths")):
        rows = [
            Row(
                f"{model} over {other}",
                [gain_cell(results.gain(model, other, split, snr_db=snr, measure=measure)) for snr in levels],
            )
            for model, other in chosen
        ]
        groups.append(Group(rows, title))
    return Table("pair", [Head("clean" if snr is None else f"{snr:g} dB") for snr in levels], groups)


def pair_tables(results: Results, split: str, looks: Looks) -> list[Table]:
    """Return the gains in lip error of each model over each other, clean and in noise."""
    models = results.ranked(split)
    levels = [None] if results.snr_db is None else [None, results.snr_db]
    tables = []
    for snr in levels if len(models) > 1 else []:
        rows = [
            Row(
                model,
                [
                    Cell(css="none")
                    if model == other
                    else gain_cell(results.gain(model, other, split, snr_db=snr), names=f"{model} over {other}")
                    for other in models
                ],
                looks.get(model),
            )
            for model in models
        ]
        if any(cell.sort not in ("", "nan") for row in rows for cell in row.cells):
            title = "Clean sound" if snr is None else f"In noise at {snr:g} dB, mean over its kinds"
            tables.append(Table("", [Head(model) for model in models], [Group(rows)], title=title))
    return tables


def seeds_table(results: Results, split: str, looks: Looks) -> Table | None:
    """Return how far models trained from other seeds lie apart; None without further seeds."""
    rows = results.summary[(results.summary["split"] == split) & results.summary["measure"].str.endswith("_over_seeds")]
    lines = []
    for row in rows.to_dict("records"):
        measure = row["measure"].removesuffix("_over_seeds")
        cells = [
            Cell(MEASURES[measure].title if measure in MEASURES else measure, css="text"),
            plain_cell(row["clips"], ".0f"),
        ]
        values = (results.value(split, row["model"], measure), row["value"], row["low"], row["high"])
        lines.append(Row(row["model"], cells + [Cell(number(value, 3)) for value in values], looks.get(row["model"])))
    heads = [Head("measure", css="text")]
    heads += [Head(text) for text in ("seeds", "mean", "standard deviation", "smallest", "largest")]
    return Table("model", heads, [Group(lines)]) if lines else None


def clip_table(results: Results, split: str, looks: Looks) -> Table | None:
    """Return lip error and, below it, correlation of each clip in clean sound; None where there are too many clips."""
    rows = results.clips[(results.clips["split"] == split) & results.clips["model"].isin(results.models)]
    speakers = dict(sorted(zip(rows["clip"].astype(str), rows["speaker"].astype(str), strict=True)))
    if not 0 < len(speakers) <= FEW_CLIPS:
        return None
    found = {(row["model"], str(row["clip"])): row for row in rows.to_dict("records")}
    lines = []
    for model in results.ranked(split):
        cells = []
        for clip in speakers:
            row = found.get((model, clip), {})
            cell = plain_cell(row.get("lip_rmse"), ".2f")
            cell.interval = f"r {number(row.get('opening_correlation', math.nan), 2)}"
            cells.append(cell)
        lines.append(Row(model, cells, looks.get(model)))
    for place in range(len(speakers)):
        mark_best(lines, place, "low")
    return Table("model", [Head(clip, f"speaker {speaker}") for clip, speaker in speakers.items()], [Group(lines)])


def worst_table(results: Results, split: str, looks: Looks, *, films: Path | None) -> Table | None:
    """Return the worst clips of each model, with links to those of their films that exist; None without any."""
    rows = results.worst[(results.worst["split"] == split) & results.worst["model"].isin(results.models)]
    if rows.empty:
        return None
    lines, most = [], int(rows.groupby("model").size().max())
    for model in results.ranked(split):
        cells = [_film(row, films) for row in rows[rows["model"] == model].to_dict("records")]
        if cells:
            lines.append(Row(model, cells + [Cell()] * (most - len(cells)), looks.get(model)))
    heads = [Head("worst" if place == 0 else f"{place + 1}.") for place in range(most)]
    return Table("model", heads, [Group(lines)])


def _film(row: Mapping, films: Path | None) -> Cell:
    """Return a cell with the name of a clip, linked to its film if that exists, and its measures."""
    clip, model = str(row["clip"]), str(row["model"])
    text: str | Markup = clip
    if films is not None and (films / model / f"{clip}.mp4").is_file():
        text = Markup('<a href="{}">{}</a>').format(f"{quote(films.name)}/{quote(model)}/{quote(clip)}.mp4", clip)
    measures = f"{number(row['lip_rmse'], 2)} %, correlation {number(row['opening_correlation'], 2)}"
    return Cell(text, f"{row['lip_rmse']:.6g}", measures, title=f"speaker {row['speaker']}")


def training_table(zoo: pd.DataFrame, looks: Looks) -> Table:
    """Return how each model was trained, from zoo.tsv."""
    lines = []
    for row in zoo.to_dict("records"):
        trained = row["steps"] > 0
        ended = "" if not trained else "patience" if row["stopped_early"] == "yes" else "limit"
        cells = [
            plain_cell(row["learnt_from"] if isinstance(row["learnt_from"], str) else math.nan),
            plain_cell(row["steps"] if trained else "made elsewhere", ",.0f"),
            plain_cell(ended),
            *(plain_cell(row[name] if trained else "", how) for name, how in TRAINING.items()),
        ]
        lines.append(Row(str(row["model"]), cells, looks.get(str(row["model"]))))
    heads = [
        Head("learnt from", title="whose landmarks it learnt from"),
        Head("steps"),
        Head("ended at", title="patience: so long without a better validation loss; limit: of steps"),
        *(Head(title) for title in TRAINING_HEADS),
    ]
    return Table("model", heads, [Group(lines)])
