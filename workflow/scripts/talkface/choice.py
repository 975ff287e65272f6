"""Which clip stands for all others where one has to be shown."""

from collections.abc import Sequence
from pathlib import Path


def first_accepted(clips: Sequence[str], table: str | Path) -> str:
    """The first clip that quality control does not reject.

    Asked while jobs are planned: where the table is not there yet, or rejects all of them, it is the first of all.

    Parameters
    ----------
    clips : sequence of str
        At least one.
    table : path
        results/qc/clips.tsv.
    """
    path = Path(table)
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else [""]
    names = lines[0].split("\t")
    rows = (dict(zip(names, line.split("\t"), strict=False)) for line in lines[1:])
    rejected = {row.get("clip") for row in rows if row.get("accepted") == "no"}
    return next((clip for clip in clips if clip not in rejected), clips[0])
