"""Placement of the numbers of the 68 landmarks: outward from each part of the face, and no two on each other.

The places are chosen once for a clip and kept, relative to the points, so that numbers do not jump. Axes: K frames,
68 landmarks, 2 coordinates (x, y), pixels of the picture.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from talkface.drawing.canvas import SHIFT, fixed, to_bgr, triple
from talkface.drawing.lettering import measure, write
from talkface.face import points

DIGITS = 0.74  # height of a figure, of the height of the letters
DIRECTIONS, REACHES, SWEEPS = 16, (1.0, 1.4, 1.9, 2.5), 3
# What a place costs: figures on figures, on a point, on each of the spots along a stroke, and per radian and reach away
# from where it is expected.
ON_NUMBER, ON_POINT, ON_STROKE, TURNED, FAR = 60.0, 6.0, 0.7, 0.8, 2.0
NEAR = 6  # times the height of letters
SPOTS = np.array([0.25, 0.5, 0.75])  # of a stroke from point to point
LEADER = 1.25  # times the height of letters: a number further from its point is joined to it by a line
UP, DOWN, RIGHT = np.array([0, -1.0]), np.array([0, 1.0]), np.array([1.0, 0])


def outward(face: NDArray) -> NDArray[np.float64]:
    """Return the directions (68, 2), of length 1, in which the numbers of the points of a face (68, 2) are expected."""
    away = np.zeros((points.COUNT, 2))
    for group in (points.JAW, points.RIGHT_EYE, points.LEFT_EYE, points.OUTER_LIP, points.INNER_LIP):
        part = face[list(group)]
        away[list(group)] = part - part.mean(axis=0)
    # A mouth is flat: seen from its middle, all but the corners lie above or below.
    away[list(points.LIPS)] *= [0.35, 1.0]
    away[list(points.INNER_LIP), 1] = np.repeat([-1.0, 1.0], [5, 3]) * 3
    away[[60, 64]] = [[1.0, -1.0], [-1.0, -1.0]]  # inward: beyond them are the outer corners
    away[[48, 54]] = [[-1.0, 0], [1.0, 0]]
    away[list(points.BROWS)] = UP
    away[list(points.NOSE_BRIDGE)] = RIGHT
    away[list(points.NOSTRILS)] = DOWN
    return away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)


def half_sizes(size: int) -> NDArray[np.float64]:
    """Return half the width and height (68, 2) of each number in letters of `size` pixels, with a little room."""
    wide = np.array([measure(str(index), size=size) for index in range(points.COUNT)])
    return np.stack([wide / 2 + 1, np.full(len(wide), DIGITS * size / 2 + 1)], axis=-1)


def place_numbers(
    faces: NDArray, *, size: int, indices: Sequence[int] = tuple(range(points.COUNT)), radius: float = 3.0
) -> NDArray[np.float64]:
    """Choose where the middle of each number stands, relative to its point.

    Each takes in turn the cheapest of a ring of places, until all have moved a few times.

    Parameters
    ----------
    faces : (K, 68, 2) array
        Some frames of a clip, among them those with the mouth most closed and most open.
    size : int
        Height of the letters, pixels.
    indices : sequence of int
        The points that are numbered.
    radius : float
        Of the points, pixels.

    Returns
    -------
    (68, 2) float64 array
        Zero for points that are not numbered.
    """
    indices = list(indices)
    faces = np.asarray(faces, np.float64)
    half, wanted = half_sizes(size), outward(faces.mean(axis=0))
    angles = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=-1)  # (D, 2)
    offsets = np.zeros((points.COUNT, 2))
    for index in indices:
        offsets[index] = _reach(wanted[index], half[index], radius)
    strokes = _along_strokes(faces, indices)
    mean, spots = faces.mean(axis=0), strokes.mean(axis=0)
    turned = np.arccos(np.clip(ring @ wanted.T, -1, 1))  # (D, 68)
    reaches = np.repeat(REACHES, DIRECTIONS)
    for _ in range(SWEEPS):
        for index in indices:
            first = np.stack([_reach(direction, half[index], radius) for direction in ring])
            tried = np.concatenate([reach * first for reach in REACHES])  # (C, 2)
            middle = faces[:, index] + tried[:, None]  # (C, K, 2)
            # Only what lies near can be in the way.
            near = np.abs(mean - mean[index]).max(axis=1) < NEAR * size
            others = [other for other in indices if other != index and near[other]]
            beside = [*others, index]
            gap = np.abs(middle[:, :, None] - (faces + offsets)[:, others]) - half[index] - half[others]  # (C, K, O, 2)
            on_number = np.prod(np.maximum(-gap, 0), axis=-1).max(axis=1).sum(axis=-1) / np.prod(2 * half[index])
            on_number += 0.05 * (gap.max(axis=-1) < 0).any(axis=1).sum(axis=-1)
            gap = np.abs(middle[:, :, None] - faces[:, beside]) - half[index] - radius
            on_point = (gap.max(axis=-1) < 0).any(axis=1).sum(axis=-1)
            gap = (
                np.abs(middle[:, :, None] - strokes[:, np.abs(spots - mean[index]).max(axis=1) < NEAR * size])
                - half[index]
            )
            on_stroke = (gap.max(axis=-1) < 0).any(axis=1).sum(axis=-1)
            cost = ON_NUMBER * on_number + ON_POINT * on_point + ON_STROKE * on_stroke + FAR * (reaches - 1)
            cost = cost + TURNED * np.tile(turned[:, index], len(REACHES))
            offsets[index] = tried[cost.argmin()]
    return offsets


def write_numbers(
    picture: NDArray[np.uint8], landmarks: NDArray, offsets: NDArray, *, size: int, colour: str,
    indices: Sequence[int] = tuple(range(points.COUNT)),
) -> None:  # fmt: skip
    """Write the index of each landmark (68, 2), from 0 as dlib counts, at its `place_numbers`; NaN is left out."""
    places = landmarks + offsets
    lengths = np.linalg.norm(offsets, axis=1)
    known = [index for index in indices if np.isfinite(places[index]).all()]
    leaders = [
        fixed([landmarks[index], places[index] - offsets[index] * (0.55 * size / lengths[index])])
        for index in known
        if lengths[index] > LEADER * size
    ]
    cv2.polylines(picture, leaders, False, triple(to_bgr(colour)), 1, cv2.LINE_AA, SHIFT)
    for index in known:
        x, y = places[index]
        write(picture, str(index), (x, y + DIGITS * size / 2), size=size, colour=colour, anchor="centre")


def _along_strokes(faces: NDArray, indices: Sequence[int]) -> NDArray[np.float64]:
    """Return spots (K, N, 2) along the lines that join the points `indices` of faces (K, 68, 2)."""
    spots = []
    for group, closed in points.LINES.values():
        if set(group) <= set(indices):
            ends = faces[:, [*group, group[0]] if closed else list(group)]
            spots.append(ends[:, :-1, None] + np.diff(ends, axis=1)[:, :, None] * SPOTS[:, None])  # (K, S, 3, 2)
    return np.concatenate([part.reshape(len(faces), -1, 2) for part in spots], axis=1)


def _reach(direction: NDArray, half: NDArray, radius: float) -> NDArray[np.float64]:
    """Return the least offset of a number from its point in a direction at which the two do not overlap."""
    free = half + radius
    return direction * np.min(free / np.maximum(np.abs(direction), 1e-9))
