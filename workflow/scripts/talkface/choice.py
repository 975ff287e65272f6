"""Which clips can be shown, as far as quality control has said."""

from collections.abc import Sequence
from pathlib import Path


def accepted(clips: Sequence[str], table: str | Path) -> list[str]:
    """Those of some clips that quality control does not reject; all of them where its table is not there yet.

    Asked while jobs are planned, so it reads the table by itself.

    Parameters
    ----------
    clips : sequence of str
    table : path
        results/qc/clips.tsv.
    """
    path = Path(table)
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else [""]
    names = lines[0].split("\t")
    rows = (dict(zip(names, line.split("\t"), strict=False)) for line in lines[1:])
    rejected = {row.get("clip") for row in rows if row.get("accepted") == "no"}
    return [clip for clip in clips if clip not in rejected]
