"""Which clips can be shown, as far as quality control has said.

Asked while jobs are planned, so the table is read by hand; where it is not there yet, no clip is left out.
"""

from collections.abc import Sequence
from pathlib import Path


def accepted(clips: Sequence[str], table: str | Path) -> list[str]:
    """Those of some clips that quality control does not reject.

    Parameters
    ----------
    clips : sequence of str
    table : path
        results/qc/clips.tsv.
    """
    return _but(clips, table, column="accepted", value="no")


def decoded(clips: Sequence[str], table: str | Path) -> list[str]:
    """Those of some clips whose video has frames; arguments as in `accepted`."""
    return _but(clips, table, column="frames", value="0")


def _but(clips: Sequence[str], table: str | Path, *, column: str, value: str) -> list[str]:
    """Clips without those that have a value in a column of the table."""
    path = Path(table)
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else [""]
    names = lines[0].split("\t")
    rows = (dict(zip(names, line.split("\t"), strict=False)) for line in lines[1:])
    left_out = {row.get("clip") for row in rows if row.get(column) == value}
    return [clip for clip in clips if clip not in left_out]
