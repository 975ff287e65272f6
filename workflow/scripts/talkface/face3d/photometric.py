"""Refinement of a fit by the pictures themselves: skin that looks the same in every frame.

Each vertex of a sample has one brightness in all frames, as far as light allows: pictures are taken as what is left of
them without slow changes of light, in units of the local contrast. What a vertex shows in the median of all frames is
what it is; weights and poses move until frames agree with it, the landmarks holding as before.

Axes: T frames, V vertices of the model, P of the sample, 52 weights.
"""

import logging
from collections.abc import Callable, Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from talkface.errors import TalkfaceError
from talkface.face import points
from talkface.face3d.bases import Bases
from talkface.face3d.camera import Camera, Pose
from talkface.face3d.face_model import FaceModel, normals_of
from talkface.face3d.fit import UNKNOWNS, Equations, Fit, Seen, State
from talkface.face3d.weights import from_arkit, movements

log = logging.getLogger(__name__)

SAMPLE = 2_500  # vertices
# Outer-eye distances: what lies nearer to the line between the lips looks otherwise when the mouth opens; it would keep
# lips apart that meet.
BETWEEN_LIPS = 0.09
DENSER, NEAR = 3.0, 0.15  # so much denser about eyes and mouth, as near as so many outer-eye distances
FACING = 0.35  # cosine: skin that faces the viewer at rest
EYES_PX = 100.0  # outer-eye distance at which pictures are looked at, at most
SLOW, SHARP = 0.12, 0.01  # outer-eye distances: slower changes are light, quicker ones noise
FAINT = 4.0  # grey levels: contrast below which there is none
WEIGHT = 3e-4  # of a vertex beside a landmark's squared outer-eye distance
DOUBT = 0.7  # units of the local contrast: a vertex that differs more counts less
STEPS = 4
PIECE = 1_000  # frames of a clip that are looked at together
MARGIN = 0.25  # outer-eye distances kept around the landmarks


class Sample:
    """Vertices whose brightness is followed.

    Attributes
    ----------
    neutral : (P, 3) array
    identity : (I, P, 3) array
    movement : (52, P, 3) array
    """

    def __init__(self, model: FaceModel, *, seed: int = 0):
        of, marks = model.parts["skin"], model.neutral[model.landmarks]
        skin, normals = model.neutral[of], normals_of(model.neutral, model.triangles)[of]
        top, bottom = marks[list(points.BROWS), 1].min() - 0.15, marks[8, 1] - 0.05
        front = (normals[:, 2] > FACING) & (skin[:, 1] > top) & (skin[:, 1] < bottom) & (np.abs(skin[:, 0]) < 0.68)
        between = marks[list(points.INNER_LIP), :2]
        front &= np.linalg.norm(skin[:, None, :2] - between, axis=2).min(axis=1) > BETWEEN_LIPS
        rows = np.flatnonzero(front)
        if len(rows) < UNKNOWNS:
            raise TalkfaceError(
                f"face_model: {len(rows)} vertices of skin face the viewer, {UNKNOWNS} or more were expected; take "
                "another face model, or set face3d.photometric to false"
            )
        busy = marks[list(points.EYES + points.LIPS), :2]
        away = np.linalg.norm(skin[rows, None, :2] - busy, axis=2).min(axis=1)
        share = np.where(away < NEAR, DENSER, 1.0)
        chosen = np.random.default_rng(seed).choice(rows, min(SAMPLE, len(rows)), replace=False, p=share / share.sum())
        vertices = of.start + np.sort(chosen)
        self.neutral = model.neutral[vertices].astype(np.float64)
        self.identity = model.identity[:, vertices].astype(np.float64)
        self.movement = movements(model.expression[:, vertices])

    def person(self, identity: NDArray) -> NDArray[np.float64]:
        """Return the resting vertices (P, 3) of a person."""
        known = identity[: len(self.identity)]
        return self.neutral + np.tensordot(known, self.identity[: len(known)], axes=1)


def refine(clip: Seen, frames: Iterable[NDArray], identity: NDArray, bases: Bases, sample: Sample, fitted: Fit) -> Fit:
    """Refine a fit by the frames of the clip.

    Parameters
    ----------
    clip, identity, bases, fitted
        As `fit.fit_clip` took and gave them.
    frames : iterable of (H, W) uint8 arrays
        Grey, as many as the clip has.
    sample : Sample

    Raises
    ------
    TalkfaceError
        If there are fewer frames.
    """
    count = len(clip.landmarks)
    given = iter(frames)
    parts = []
    for first in range(0, count, PIECE):
        rows = slice(first, min(first + PIECE, count))
        near, view = _zoom(clip.part(rows))
        pictures = [_flatten(view(frame), near.eyes) for _, frame in zip(range(rows.stop - first), given, strict=False)]
        if len(pictures) < rows.stop - first:
            raise TalkfaceError(
                f"the video has {first + len(pictures)} frames; {count} were expected, as many as faces"
            )
        parts.append(_refine(near, pictures, identity, bases, sample, _part_of_fit(fitted, rows)))
    return _join(parts)


def _join(parts: list[Fit]) -> Fit:
    def end_to_end(of: Callable[[Fit], NDArray]) -> NDArray:
        return np.concatenate([of(part) for part in parts])

    return Fit(
        end_to_end(lambda part: part.weights),
        Pose(end_to_end(lambda part: part.pose.turn), end_to_end(lambda part: part.pose.place)),
        end_to_end(lambda part: part.placed),
        end_to_end(lambda part: part.error),
        end_to_end(lambda part: part.lip_error),
    )


def _part_of_fit(fitted: Fit, rows: slice) -> Fit:
    pose = Pose(fitted.pose.turn[rows], fitted.pose.place[rows])
    return Fit(fitted.weights[rows], pose, fitted.placed[rows], fitted.error[rows], fitted.lip_error[rows])


def _zoom(clip: Seen) -> tuple[Seen, Callable[[NDArray], NDArray[np.float32]]]:
    """Return the clip as seen in a cut around the face, no larger than is looked at, and what cuts a frame so."""
    scale = min(1.0, EYES_PX / clip.eyes)
    margin = MARGIN * clip.eyes
    low = np.floor(clip.landmarks.min(axis=(0, 1)) - margin).clip(0).astype(int)
    high = np.ceil(clip.landmarks.max(axis=(0, 1)) + margin).astype(int)

    def view(frame: NDArray) -> NDArray[np.float32]:
        cut = frame[low[1] : high[1], low[0] : high[0]]
        size = tuple(max(8, round(side * scale)) for side in cut.shape[1::-1])
        return cv2.resize(cut, size, interpolation=cv2.INTER_AREA).astype(np.float32)

    def moved(pixels: NDArray) -> NDArray:
        return (pixels - low + 0.5) * scale - 0.5

    camera = Camera(clip.camera.focal * scale, moved(clip.camera.centre))
    depth = None if clip.depth is None else clip.depth * scale
    return Seen(moved(clip.landmarks), depth, camera), view


def _flatten(picture: NDArray[np.float32], eyes: float) -> NDArray[np.float16]:
    """Take light out of a picture: what it differs from its surroundings, in units of how much it does so there."""
    fine = picture - cv2.GaussianBlur(picture, (0, 0), SLOW * eyes)
    contrast = np.sqrt(cv2.GaussianBlur(fine * fine, (0, 0), 2 * SLOW * eyes)) + FAINT
    return cv2.GaussianBlur(fine / contrast, (0, 0), max(0.8, SHARP * eyes)).astype(np.float16)


def _refine(clip: Seen, pictures: list[NDArray], identity: NDArray, bases: Bases, sample: Sample, fitted: Fit) -> Fit:
    """Refine a piece."""
    state = State(clip, bases, fitted.pose)
    state.weights = from_arkit(fitted.weights)
    person = sample.person(identity)
    for step in range(STEPS):
        differs = _Differences(state, pictures, person, sample.movement)
        log.debug("step %d: pictures differ by %.3f", step, np.abs(differs.missed).mean())
        state.advance(identity, more=differs.equations())
    return state.result(identity)


class _Differences:
    """What the vertices show in each frame, and what they should."""

    def __init__(self, state: State, pictures: list[NDArray], person: NDArray, movement: NDArray):
        self.state, self.pictures, self.movement = state, pictures, movement
        self.person = person
        seen = np.stack([self._sample(picture, self._pixels(t)) for t, picture in enumerate(pictures)])  # (T, P)
        self.missed = np.median(seen, axis=0) - seen

    def _turned(self, t: int) -> NDArray:
        face = self.person + np.tensordot(self.state.weights[t], self.movement, axes=1)
        return face @ self.state.pose.turn[t].T

    def _pixels(self, t: int) -> NDArray[np.float32]:
        placed = self._turned(t) + self.state.pose.place[t]
        return self.state.clip.camera.project(placed).astype(np.float32)

    @staticmethod
    def _sample(picture: NDArray, pixels: NDArray) -> NDArray[np.float32]:
        full = picture.astype(np.float32)
        x, y = pixels[None, :, 0], pixels[None, :, 1]
        return cv2.remap(full, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]

    def equations(self) -> Equations:
        """Return the normal equations (T, 58, 58) and (T, 58) that the differences ask for."""
        count = len(self.pictures)
        quadratic, pull = np.empty((count, UNKNOWNS, UNKNOWNS)), np.empty((count, UNKNOWNS))
        for t, slope in enumerate(self._slopes()):
            doubt = WEIGHT / (1 + np.square(self.missed[t] / DOUBT))
            weighed = slope * doubt[:, None]
            quadratic[t], pull[t] = weighed.T @ slope, weighed.T @ self.missed[t]
        return quadratic, pull

    def _slopes(self) -> Iterator[NDArray]:
        """Yield how weights and pose of each frame change what the vertices show, (P, 58)."""
        camera, pose = self.state.clip.camera, self.state.pose
        half = np.float32(0.5)
        for t, picture in enumerate(self.pictures):
            turned = self._turned(t)
            placed = turned + pose.place[t]
            pixels = camera.project(placed).astype(np.float32)
            full = picture.astype(np.float32)
            across, down = (
                self._sample(full, pixels + half * axis) - self._sample(full, pixels - half * axis)
                for axis in np.eye(2, dtype=np.float32)
            )
            slopes = camera.slopes(placed)  # (P, 2, 3)
            by_place = across[:, None] * slopes[:, 0] + down[:, None] * slopes[:, 1]  # (P, 3)
            by_weight = np.einsum("pc,kpc->pk", by_place @ pose.turn[t], self.movement, optimize=True)
            yield np.concatenate([by_weight, np.cross(turned, by_place), by_place], axis=1)
