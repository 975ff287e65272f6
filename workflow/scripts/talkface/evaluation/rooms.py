"""Rooms: what a predicted mouth does before, between and after the words, where noise is heard and nobody speaks.

A clip's sound gets three stretches of noise made: before it, in its quietest place in the middle, and behind it. The
noise is one of evaluation's, 20 dB below the speech, and lies under the speech, too.

Axes: S samples, T frames of the clip, N frames of rooms, 68 points, 2 coordinates.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from talkface.conventions import FPS
from talkface.face import points
from talkface.face.template import load_template

ROOM_S = (3.0, 2.0, 2.0)  # before, between, after
BELOW_DB = 20.0  # of the noise, under the speech
NEAR_S = 0.4  # from speech: the mouth may be on its way
FIRST_S = 0.5  # of speech after a room: its first syllables
LOUD_DB = -20.0  # below the loud frames of a clip: someone speaks


@dataclass(frozen=True)
class Rooms:
    """What was predicted for a clip with rooms.

    Attributes
    ----------
    inside : (N, 68, 2) array
        Faces in the rooms, away from speech.
    before, after : (M, 68, 2) arrays
        Faces of the first syllables behind the rooms, as predicted without the rooms and with them.
    """

    inside: NDArray
    before: NDArray
    after: NDArray


@dataclass(frozen=True)
class Plan:
    """A clip with rooms: its sound, and which frames are which.

    Attributes
    ----------
    sound : (S,) array
        With silence in the rooms; full scale is 1.
    inside : int array
        Frames in rooms, away from speech.
    first : (M,) int array
        Frames of the clip that are the first syllables behind a room.
    moved : (M,) int array
        The same where they lie with rooms.
    """

    sound: NDArray
    inside: NDArray
    first: NDArray
    moved: NDArray


def add_rooms(sound: ArrayLike, loudness: ArrayLike, *, rate: int) -> Plan:
    """Put silent rooms before a clip, in its middle, and behind it.

    Parameters
    ----------
    sound : (S,) array
    loudness : (T,) array
        dB below the clip's loud frames, see `metrics.relative_loudness`.
    rate : int
        Hz.
    """
    sound, loudness = np.asarray(sound, np.float64), np.asarray(loudness)
    frames, hop = len(loudness), rate // FPS
    middle = slice(frames // 3, max(frames // 3 + 1, 2 * frames // 3))
    cut = middle.start + int(np.argmin(loudness[middle]))
    rooms = [round(seconds * FPS) for seconds in ROOM_S]
    silences = [np.zeros(room * hop) for room in rooms]
    whole = np.concatenate([silences[0], sound[: cut * hop], silences[1], sound[cut * hop :], silences[2]])
    near = round(NEAR_S * FPS)
    begins = (0, rooms[0] + cut, rooms[0] + rooms[1] + frames)
    inside = [
        np.arange(begin + near * (begin > 0), begin + room - near) for begin, room in zip(begins, rooms, strict=True)
    ]
    first, moved = [], []
    for begin, end, shift in ((0, cut, rooms[0]), (cut, frames, rooms[0] + rooms[1])):
        loud = begin + np.flatnonzero(loudness[begin:end] > LOUD_DB)
        if len(loud):
            spoken = np.arange(loud[0], min(end, loud[0] + round(FIRST_S * FPS)))
            first.append(spoken)
            moved.append(spoken + shift)
    return Plan(whole, np.concatenate(inside), _joined(first), _joined(moved))


def _joined(parts: Sequence[NDArray]) -> NDArray[np.intp]:
    return np.concatenate([np.zeros(0, np.intp), *parts])


def look_into(plan: Plan, with_rooms: NDArray, without: NDArray) -> Rooms:
    """Take what was predicted for a plan's sound, and for the clip without rooms, (T, 68, 2 or 3) each, apart."""
    known = plan.inside < len(with_rooms)
    both = (plan.moved < len(with_rooms)) & (plan.first < len(without))
    return Rooms(with_rooms[plan.inside[known]], without[plan.first[both]], with_rooms[plan.moved[both]])


def rest_opening(prediction: ArrayLike, truth: ArrayLike, *, rooms: Rooms | None) -> float:
    """Mean opening of the predicted mouth in rooms: noise 20 dB below the speech, before, between and after words.

    Parameters
    ----------
    prediction, truth : (T, 68, 2) arrays
        Not looked at.
    rooms : Rooms or None

    Returns
    -------
    float
        Percent of the outer-eye distance (`points.mouth_opening`); a mouth at rest has 2.6. NaN where no rooms were
        made.
    """
    if rooms is None or not len(rooms.inside):
        return float("nan")
    return 100 * float(points.mouth_opening(rooms.inside[..., :2]).mean())


def opening_kept(prediction: ArrayLike, truth: ArrayLike, *, rooms: Rooms | None) -> float:
    """Ratio of how far the mouth opens in the first half second of speech after a room, with and without the rooms.

    Openings count from that of a mouth at rest. Parameters as in `rest_opening`.

    Returns
    -------
    float
        1 where a mouth is as awake after noise as before; NaN where no rooms were made, or the mouth rests anyhow.
    """
    if rooms is None or not len(rooms.before):
        return float("nan")
    rest = points.mouth_opening(load_template())
    before, after = (
        float((points.mouth_opening(faces[..., :2]) - rest).mean()) for faces in (rooms.before, rooms.after)
    )
    return after / before if before > 0.01 else float("nan")
