"""The table of persons whose talking heads are made.

config/persons.tsv: a row a video with `person`, `video`, and optionally `start_s` and `end_s`, seconds. Rows of one
person belong together.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from talkface.corpus.sheet import check_name, read_seconds, read_texts, resolve_file
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
    path = Path(path)
    table = read_texts(path, advice="write one, or correct persons in the config")
    if set(table) - set(COLUMNS) or not {"person", "video"} <= set(table):
        raise TalkfaceError(
            f"{path}: columns {', '.join(map(str, table))}; person, video and optionally start_s, end_s were expected"
        )
    for column in ("start_s", "end_s"):
        table[column] = read_seconds(table, column, path)
    columns = (table[column].tolist() for column in COLUMNS)
    for person, video, start, end in zip(*columns, strict=True):
        check_name(person, kind="person", where=str(path))
        if not video.strip():
            raise TalkfaceError(f"{path}: {person}: no video; the path of one was expected")
        if start < 0 or end <= (start if start > 0 else 0) or np.isinf([start, end]).any():
            raise TalkfaceError(f"{path}: {person}: {video}: ends before it begins; 0 <= start_s < end_s was expected")
    found = {}
    for person in dict.fromkeys(table["person"]):
        rows = table[table["person"] == person]
        videos = [
            resolve_file(video, path, row=person, column="video", shipped=shipped, must_exist=False)
            for video in rows["video"]
        ]
        found[person] = Person(
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
