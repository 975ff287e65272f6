"""Page of quality control: how many clips are used, why the others are not, and the measures of each."""

import logging
import re
from pathlib import Path

import pandas as pd

from talkface.corpus.quality import find_doubtful
from talkface.errors import TalkfaceError
from talkface.report.cells import Cell, Group, Head, Row, Table, counted, plain_cell
from talkface.report.templates import fill

log = logging.getLogger(__name__)

# Columns of results/qc/clips.tsv that are measures: title, unit, how it is written.
MEASURED = {
    "duration_s": ("duration", "s", ".2f"),
    "detected_share": ("face found", "share", ".2f"),
    "face_size_px": ("face", "px wide", ".0f"),
    "faces": ("faces", "at most", ".0f"),
    "longest_gap_frames": ("longest gap", "frames", ".0f"),
    "jitter_percent": ("jitter", "% of the eyes", ".2f"),
    "mouth_motion_percent": ("mouth moves by", "% of the eyes", ".1f"),
    "mouth_doubt_share": ("mouth in doubt", "share", ".2f"),
    "audio_s": ("length of sound", "s", ".2f"),
    "audio_dbfs": ("sound", "dBFS", ".1f"),
    "silence_share": ("silence", "share", ".2f"),
    "av_offset_ms": ("sound late by", "ms", ".0f"),
    "av_certainty": ("how sure", "0 to 1", ".2f"),
}
MOST_ROWS = 1500  # a browser takes no page of more than about 1.5 MB from within another


def read_quality(path: str | Path) -> pd.DataFrame:
    """Read results/qc/clips.tsv; a TalkfaceError if it lacks a column."""
    texts = dict.fromkeys(("clip", "speaker", "split", "accepted", "reason"), str)
    table = pd.read_csv(path, sep="\t", keep_default_na=False, na_values=[""], dtype=texts)
    missing = [name for name in texts if name not in table]
    if missing:
        raise TalkfaceError(f"{path}: no column {', '.join(missing)}; delete it and run again")
    return table.assign(reason=table["reason"].fillna(""))


def kind_of(reason: str) -> str:
    """Sum a reason up: the settings that it names, else its first clause without file and numbers.

    Examples
    --------
    >>> kind_of("a face in 90% of the frames (qc.min_detected_share: 0.95)")
    'qc.min_detected_share'
    >>> kind_of("videos/a.mp4: no video stream; a video was expected")
    'no video stream'
    """
    named = dict.fromkeys(re.findall(r"\b(?:qc|landmarks|media)\.\w+", reason))
    if named:
        return ", ".join(named)
    return re.sub(r"\s*\d+(?:[.,]\d+)*\s*", " … ", re.split(r": ", reason, maxsplit=1)[-1].split(";")[0]).strip()


def counts_table(table: pd.DataFrame) -> Table:
    """Return clips and speakers of each split, and how many are used."""

    def line(name: str, rows: pd.DataFrame) -> Row:
        """Return the row of a split."""
        used = rows[rows["accepted"] == "yes"]
        counts = len(rows), len(used), len(rows) - len(used), used["speaker"].nunique()
        minutes = float(used["duration_s"].sum()) / 60 if "duration_s" in used else float("nan")
        return Row(name, [plain_cell(count, ",.0f") for count in counts] + [plain_cell(minutes, ".1f")])

    rows = [line(str(split), rows) for split, rows in table.groupby("split", sort=False)]
    heads = [
        Head("clips"),
        Head("accepted"),
        Head("rejected"),
        Head("speakers", "accepted"),
        Head("minutes", "accepted"),
    ]
    return Table("split", heads, [Group(rows), Group([line("all", table)])])


def reasons_table(table: pd.DataFrame) -> Table | None:
    """Return why clips are rejected, the most frequent first, with a clip as an example; None where all are used."""
    rejected = table[table["accepted"] != "yes"]
    rows = []
    kinds = rejected["reason"].map(kind_of)
    for kind, count in kinds.value_counts().items():
        first = rejected[kinds == kind].iloc[0]
        example = f"{first['clip']}: {re.sub(r'^[^:]*/', '', first['reason'])}"
        rows.append(Row(str(kind), [plain_cell(count, ",.0f"), Cell(example, css="text")]))
    return Table("why", [Head("clips"), Head("for example", css="text")], [Group(rows)]) if rows else None


def clips_table(table: pd.DataFrame, *, most_rows: int = MOST_ROWS) -> Table:
    """Return every clip, the rejected ones first; at most so many rows."""
    ordered = table.sort_values("accepted", kind="stable").head(most_rows)  # "no" comes before "yes"
    columns = [name for name in MEASURED if name in table]
    reasons = bool((table["reason"] != "").any())
    rows = []
    for row in ordered.to_dict("records"):
        good = row["accepted"] == "yes"
        cells = [Cell(str(row[name]), css="none") for name in ("speaker", "split")]
        cells.append(Cell("yes" if good else "no", "1" if good else "0", css="" if good else "down"))
        cells += [Cell(re.sub(r"^[^:]*/", "", row["reason"]), css="text")] if reasons else []
        cells += [plain_cell(row[name], MEASURED[name][2]) for name in columns]
        rows.append(Row(str(row["clip"]), cells))
    heads = [Head("speaker"), Head("split"), Head("accepted"), *([Head("reason", css="text")] if reasons else [])]
    heads += [Head(*MEASURED[name][:2]) for name in columns]
    return Table("clip", heads, [Group(rows)])


def write_quality(output: str | Path, *, table: str | Path, most_rows: int = MOST_ROWS) -> None:
    """Write the page of quality control.

    Parameters
    ----------
    output : path
        results/report/quality.html.
    table : path
        results/qc/clips.tsv.
    most_rows : int
        Rows of clips on the page; rejected clips come first.
    """
    read = read_quality(table)
    used = int((read["accepted"] == "yes").sum())
    content = {
        "all": counted(len(read), "clip"),
        "used": used,
        "rejected": len(read) - used,
        "found": find_doubtful(read) if "audio_s" in read else {},
        "counts": counts_table(read),
        "reasons": reasons_table(read),
        "clips": clips_table(read, most_rows=most_rows),
        "left": max(0, len(read) - most_rows),
        "bar": 0,
    }
    fill("quality_page.html", output, content)
    log.info("%s: %d of %s", output, used, counted(len(read), "clip"))
