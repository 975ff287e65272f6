"""The table of persons whose talking heads are made.

config/persons.tsv: a row a video with `person`, `video`, and optionally `start_s` and `end_s`, seconds. Rows of one
person belong together.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from talkface.corpus.sheet import NAME, resolve_file
from talkface.errors import TalkfaceError

COLUMNS = ("person", "video", "start_s", "end_s")


class Person(NamedTuple):
    """Videos of a person: names in files of results/persons/, files, and where they begin and end, seconds or None."""

    names: list[str]
    videos: list[str]
    start_s: list[float | None]
    end_s: list[float | None]


def read_persons(path: str | Path, *, shipped: bool = False, nameable: Callable[[str], str] = str) -> dict[str, Person]:
    """Read the table of persons.

    Parameters
    ----------
    path : path
        Relative paths of videos start at its folder.
    shipped : bool
        Whether it is the table that comes along, whose videos rules make.
    nameable : callable
        Gives each video the path that it goes by.

    Raises
    ------
    TalkfaceError
        If it is no such table.
    """
    try:
        table = pd.read_csv(path, sep="\t", dtype={"person": str, "video": str}, comment="#")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise TalkfaceError(
            f"{path}: not readable as a table ({error}); person, video, start_s, end_s were expected"
        ) from None
    unknown = [str(column) for column in table if column not in COLUMNS]
    if unknown or not {"person", "video"} <= set(table):
        raise TalkfaceError(
            f"{path}: columns {', '.join(map(str, table))}; person, video and optionally start_s, end_s were expected"
        )
    for column in ("start_s", "end_s"):
        if column not in table:
            table[column] = np.nan
        if table[column].dtype.kind not in "fiu":
            raise TalkfaceError(f"{path}: {column} holds what is no number; seconds were expected; correct it")
    columns = (table[column].tolist() for column in COLUMNS)
    for number, (person, video, start, end) in enumerate(zip(*columns, strict=True), start=2):
        if not isinstance(person, str) or not NAME.fullmatch(person):
            raise TalkfaceError(f"{path}: row {number}: person {person!r}; letters, digits, _ and - were expected")
        if not isinstance(video, str):
            raise TalkfaceError(f"{path}: row {number}: no video; the path of one was expected")
        if start < 0 or end <= (start if start > 0 else 0):
            raise TalkfaceError(
                f"{path}: row {number}: from {start:g} to {end:g} s; a stretch of the video was expected"
            )
    found = {}
    for person, rows in table.groupby("person", sort=False):
        videos = [
            resolve_file(video, Path(path), row=str(person), column="video", shipped=shipped, must_exist=False)
            for video in rows["video"]
        ]
        found[str(person)] = Person(
            names_of(len(videos)), [nameable(v) for v in videos], _seconds(rows["start_s"]), _seconds(rows["end_s"])
        )
    return found


def _seconds(column: pd.Series) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in column]


def names_of(rows: int) -> list[str]:
    """Return the names of a person's videos in files of results/persons/, which sort as the rows do.

    Examples
    --------
    >>> names_of(2)
    ['video1', 'video2']
    >>> names_of(10)[0]
    'video01'
    """
    return [f"video{number:0{len(str(rows))}d}" for number in range(1, rows + 1)]
