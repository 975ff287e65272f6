"""Marks of a clip: sounds or words with their start and end, from files that aligners and people write.

| ending | who writes it | holds |
|---|---|---|
| .TextGrid | Praat, the Montreal Forced Aligner | tiers of intervals, seconds; in Praat's long or short text format |
| .align | GRID | lines `start end word`, in 1/25000 s |
| .tsv, .txt | Audacity's labels, tables | lines `start_s end_s name`, separated by tabs, with or without this heading |
| .h5 | the demo corpus | phonemes/name, phonemes/start_s, phonemes/end_s |

Of a TextGrid the tier of phones counts, else the first tier of intervals.
"""

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import h5py

from talkface.errors import TalkfaceError

GRID_RATE = 25_000  # Hz; GRID's alignments count samples of 25 kHz
# As aligners name the tier: "phones", of several speakers "anna - phones"; "phonemes", "phoneme", "phone".
PHONES = re.compile(r"\bphon(e|eme)s?\b", re.IGNORECASE)
BESIDE = (".TextGrid", ".align", ".tsv")  # endings of marks that lie beside a sound file
HEADING = ["start_s", "end_s", "name"]
# Praat reads numbers, <flags> and "texts" that stand alone and passes over everything else; ! begins a comment.
TOKEN = re.compile(
    r'"(?P<text>(?:[^"]|"")*)"|(?<!\S)(?:![^\n]*|(?P<flag><[^>\s]*>)|'
    r"(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?!\S))"
)
ADVICE = "mend the file, or leave the clip's column marks empty"


class Mark(NamedTuple):
    """A sound or word, with its start and end in seconds of the clip; the name is empty for a pause."""

    name: str
    start_s: float
    end_s: float


def find_marks(path: str | Path) -> str | None:
    """Find the marks that lie beside a sound file, of the same name but for the ending; None if there are none."""
    return next((str(file) for ending in BESIDE if (file := Path(path).with_suffix(ending)).is_file()), None)


class _Fault(ValueError):
    """What was found, and what was expected."""


def read_marks(path: str | Path, *, start_s: float | None = None, end_s: float | None = None) -> list[Mark]:
    """Read the marks of a clip, in order of time.

    Parameters
    ----------
    path : path
        One of the formats above, by its ending; its times count from the first frame of the video.
    start_s, end_s : float, optional
        The stretch of the video that the clip is: times then count from start_s, and what lies outside is left out.

    Raises
    ------
    TalkfaceError
        If there is no such file, it is of another kind, cannot be read, or holds no mark.
    """
    path = Path(path)
    read = READERS.get(path.suffix.lower())
    if read is None:
        raise TalkfaceError(
            f"{path}: marks ending in {path.suffix or 'nothing'}; one of {', '.join(ENDINGS)} was expected; {ADVICE}"
        )
    try:
        marks = [Mark(name.strip(), start, end) for name, start, end in read(path)]
        for mark in marks:
            if not (math.isfinite(mark.start_s) and math.isfinite(mark.end_s) and 0 <= mark.start_s <= mark.end_s):
                raise _Fault(
                    f"{mark.name!r} from {mark.start_s:g} to {mark.end_s:g} s; times that do not run backwards, from 0 "
                    "on, were expected"
                )
        if not marks:
            raise _Fault("no marks in it; at least one was expected")
    except OSError as error:
        raise TalkfaceError(f"{path}: cannot be read ({error.strerror}); marks were expected; {ADVICE}") from None
    except UnicodeError:
        raise TalkfaceError(f"{path}: not a text in UTF-8 or UTF-16; marks were expected; {ADVICE}") from None
    except _Fault as fault:
        raise TalkfaceError(f"{path}: {fault}; {ADVICE}") from None
    start, end = start_s or 0.0, math.inf if end_s is None else end_s
    inside = (mark for mark in sorted(marks, key=lambda mark: mark[1:]) if mark.end_s > start and mark.start_s < end)
    return [Mark(mark.name, max(mark.start_s, start) - start, min(mark.end_s, end) - start) for mark in inside]


def _read_text(path: Path) -> str:
    """Read a text in UTF-8, or in UTF-16 with its byte-order mark, as Praat writes what is not plain English."""
    data = path.read_bytes()
    return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")


def _read_textgrid(path: Path) -> list[tuple[str, float, float]]:
    """Read the intervals of the tier that counts; the long format is the short one with words in between."""
    tokens = (token for token in TOKEN.finditer(_read_text(path)) if token.lastgroup)  # a comment is of no group

    def take(kind: str) -> str:
        token = next(tokens, None)
        if token is None or token.lastgroup != kind:
            found = "the end of the file" if token is None else repr(token[0])
            raise _Fault(f"{found} instead of a {kind}; a TextGrid in Praat's text format was expected")
        return token[kind].replace('""', '"')

    def number() -> float:
        return float(take("number"))

    if not take("text").startswith("ooTextFile") or take("text") != "TextGrid":  # older: "ooTextFile short"
        raise _Fault("no TextGrid in Praat's text format; one was expected")
    number(), number()
    tiers: list[tuple[str, list[tuple[str, float, float]]]] = []
    for _ in range(_count(number()) if take("flag") == "<exists>" else 0):
        kind, name, _, _ = take("text"), take("text"), number(), number()
        count = _count(number())
        if kind == "IntervalTier":
            rows = [(number(), number(), take("text")) for _ in range(count)]
            tiers.append((name, [(label, start, end) for start, end, label in rows]))
        else:
            for _ in range(count):  # a tier of points
                number(), take("text")
    if not tiers:
        raise _Fault("no tier of intervals; one was expected")
    return next((rows for name, rows in tiers if PHONES.search(name)), tiers[0][1])


def _count(number: float) -> int:
    if not number.is_integer():
        raise _Fault(f"{number:g} instead of how many there are; a TextGrid in Praat's text format was expected")
    return int(number)


def _read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Read the lines that are not empty, with their numbers."""
    for number, line in enumerate(_read_text(path).splitlines(), start=1):
        if line.strip():
            yield number, line


def _seconds(fields: list[str], *, line: int, rate: int = 1) -> tuple[float, float]:
    """Convert the first two fields of a line to seconds."""
    try:
        return float(fields[0]) / rate, float(fields[1]) / rate
    except (ValueError, IndexError):
        raise _Fault(f"line {line}: {' '.join(fields)!r}; start, end and a name were expected") from None


def _read_align(path: Path) -> Iterator[tuple[str, float, float]]:
    for number, line in _read_lines(path):
        fields = line.split()
        start, end = _seconds(fields, line=number, rate=GRID_RATE)
        yield " ".join(fields[2:]), start, end


def _read_table(path: Path) -> Iterator[tuple[str, float, float]]:
    for number, line in _read_lines(path):
        fields = [field.strip() for field in line.split("\t")]
        # Audacity continues a label with a line of frequencies that begins with a backslash.
        if not (number == 1 and fields == HEADING) and fields[0] != "\\":
            start, end = _seconds(fields, line=number)
            yield " ".join(fields[2:]), start, end


def _read_h5(path: Path) -> list[tuple[str, float, float]]:
    path.open("rb").close()  # says why it cannot be read, which HDF5 does not
    try:
        with h5py.File(path, "r") as file:
            columns = file["phonemes/name"].asstr()[:], file["phonemes/start_s"][:], file["phonemes/end_s"][:]
    except (OSError, KeyError, AttributeError, TypeError, ValueError):
        raise _Fault("no HDF5 with phonemes/name, phonemes/start_s and phonemes/end_s; these were expected") from None
    return [(name, float(start), float(end)) for name, start, end in zip(*columns, strict=False)]


ENDINGS = (".TextGrid", ".align", ".tsv", ".txt", ".h5")
READERS: dict[str, Callable] = dict(
    zip(map(str.lower, ENDINGS), (_read_textgrid, _read_align, _read_table, _read_table, _read_h5), strict=True)
)
