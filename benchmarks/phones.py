"""Sounds that need lips, aligned to known words or recognised, beside phones that were marked by hand (TIMIT's).

    make bench-phones       results/benchmarks/phones.tsv

A sound is found where one of its kind lies within 60 ms, middle from middle.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "workflow" / "scripts"), str(HERE)]

from accuracy import command_line, save  # noqa: E402

from talkface.corpus import phones  # noqa: E402
from talkface.corpus.annotations import Mark  # noqa: E402
from talkface.media import phone_names  # noqa: E402

KINDS = {
    "lips meet, /p b m/": phone_names.BILABIAL,
    "lips are round, /o u w/": phone_names.ROUNDED,
    "lip on teeth, /f v/": phone_names.LABIODENTAL,
}
APART_S = 0.06
HEADER = 1024  # bytes of a SPHERE file before its samples


def read_wav(path: Path) -> NDArray[np.int16]:
    """Read a wav of TIMIT, which is a SPHERE or a RIFF file of 16 kHz and 16 bits."""
    data = path.read_bytes()
    return np.frombuffer(data[HEADER if data[:4] == b"NIST" else 44 :], "<i2")


def read_marks(path: Path) -> list[Mark]:
    """Read lines `first_sample end_sample name`; a closure and its release are one phone."""
    found: list[Mark] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        start, end, name = line.split()
        mark = Mark(name, int(start) / phones.RATE, int(end) / phones.RATE)
        if found and found[-1].name in ("pcl", "bcl") and name in ("p", "b"):
            mark = mark._replace(start_s=found.pop().start_s)
        found.append(mark)
    return found


def matches(found: Sequence[Mark], truth: Sequence[Mark], kind: frozenset[str]) -> tuple[int, int, int]:
    """Count how many of a kind are right, are found, and are there."""
    ours, theirs = (
        [(mark.start_s + mark.end_s) / 2 for mark in marks if phone_names.plain(mark.name) in kind]
        for marks in (found, truth)
    )
    left, right = list(theirs), 0
    for middle in ours:
        near = min(left, key=lambda other: abs(other - middle), default=np.inf)
        if abs(near - middle) <= APART_S:
            left.remove(near)
            right += 1
    return right, len(ours), len(theirs)


def main() -> None:
    """Measure, print and save the table."""
    given = command_line(__doc__ or "", "phones").parse_args()
    counts = {(kind, source): np.zeros(3, int) for kind in KINDS for source in ("words", "recognised")}
    for path in sorted((given.data / "voices" / "timit_nltk").glob("*.wav")):
        samples, truth = read_wav(path), read_marks(path.with_suffix(".phn"))
        words = read_marks(path.with_suffix(".wrd"))
        for source, marks in (("words", words), ("recognised", [])):
            found, _ = phones.find_phones(samples, marks)
            for kind, names in KINDS.items():
                counts[kind, source] += matches(found, truth, names)
    rows = []
    for kind in KINDS:
        row: dict[str, object] = {"sounds": kind, "marked": counts[kind, "words"][2]}
        for source in ("words", "recognised"):
            right, found, there = counts[kind, source]
            row |= {f"{source}_found": round(100 * right / there), f"{source}_right": round(100 * right / found)}
        rows.append(row)
    save(pd.DataFrame(rows), given.output)


if __name__ == "__main__":
    main()
