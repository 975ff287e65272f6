"""Fit of a face in space to the landmarks of a video: one identity a person, weights and pose of the head a frame.

Gauss-Newton in all frames of a clip at once. A frame hangs on its neighbours by what weights and pose may change; each
step is solved by coordinate descent, which keeps the bounds 0 and 1 (`descent`). The identity is found before, from
frames of all the person's clips that differ most, and from some in which the mouth is closed, by the Schur complement
of all else.

Costs are in squared outer-eye distances, as in `weights`: what a landmark errs, times its trust.

Axes: T frames, 68 landmarks, 52 weights, I identities.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.transform import Rotation

from talkface.face import points
from talkface.face.identity import fit_similarity
from talkface.face3d import arkit
from talkface.face3d.bases import Bases, load_bases
from talkface.face3d.camera import DISTANCE, Camera, Pose, angles_of
from talkface.face3d.descent import descend
from talkface.face3d.weights import CHANGE, L1, as_arkit, hidden, movements, prior, trust

log = logging.getLogger(__name__)

IDENTITY_FRAMES = 80  # that tell an identity
IDENTITY_COST = 1e-4  # a frame: the variance of what a landmark errs in all frames alike
# While the identity is sought, weights cost so much more: what a face always shows is the person, no expression.
IDENTITY_SPARSER = 5.0
# And in those frames in which the mouth is most closed, a quarter as many, so much: there the face is at rest.
REST_SHARE, REST_SPARSER = 0.25, 100.0
IDENTITY_STEPS, STEPS, POSE_STEPS = 12, 10, 8
ENOUGH = 1e-3  # largest change of a weight or an angle after which nothing more is sought
DEPTH_TRUST = 0.1  # of the depth that the face mesh guesses, beside that of a place in the picture
UNKNOWNS = arkit.COUNT + 6  # a frame
BLOCK = 500  # frames whose equations are set up at once: 100 MB
ALL = slice(None)
Equations = tuple[NDArray, NDArray]
# Costs of squared differences between frames: of weights, turns, places beside, distance.
CHANGES = np.concatenate([np.full(arkit.COUNT, CHANGE), [0.25, 0.25, 0.25, 0.15, 0.15, 0.25]])


class Seen(NamedTuple):
    """What a clip shows.

    Attributes
    ----------
    landmarks : (T, 68, 2) array
        Pixels.
    depth : (T, 68) array or None
        Pixels, away from the camera, from any place on.
    camera : Camera
    """

    landmarks: NDArray
    depth: NDArray | None
    camera: Camera

    @property
    def eyes(self) -> float:
        """Distance of the outer eye corners, pixels."""
        return self.camera.focal / DISTANCE

    def part(self, rows: slice | NDArray) -> "Seen":
        """Return what some of the frames show."""
        return Seen(self.landmarks[rows], None if self.depth is None else self.depth[rows], self.camera)


@dataclass(frozen=True)
class Fit:
    """A fitted clip.

    Attributes
    ----------
    weights : (T, 52) float32 array
        0 .. 1, in the order of `arkit.NAMES`.
    pose : Pose
    placed : (T, 68, 3) array
        The landmarks of the fit before the camera, outer-eye distances.
    error : (T,) float array
        Root of the mean squared distance between the landmarks and those of the fit, % of the outer-eye distance.
    lip_error : (T,) float array
        The same of the lips.
    """

    weights: NDArray
    pose: Pose
    placed: NDArray
    error: NDArray
    lip_error: NDArray


def see(landmarks: NDArray, *, width: float, height: float, depth: NDArray | None = None) -> Seen:
    """Take landmarks (T, 68, 2) and depths (T, 68), pixels, as seen by a camera in front of the picture's middle."""
    landmarks = np.asarray(landmarks, np.float64)
    eyes = float(np.median(points.outer_eye_distance(landmarks)))
    return Seen(landmarks, depth, Camera.for_face(eyes, width=width, height=height))


def turned_away(clip: Seen, bases: Bases | None = None) -> float:
    """Return how far the head is turned from the camera where it is least so, radians of yaw."""
    pose = State.start(clip, bases or load_bases()).pose
    return float(np.abs(angles_of(pose.turn)[:, 0]).min())


def fit_identity(clips: Sequence[Seen], bases: Bases | None = None) -> NDArray[np.float64]:
    """Find the identity (I,), in standard deviations, that all clips of a person share."""
    bases = bases or load_bases()
    openings = [points.mouth_opening(clip.landmarks) / points.outer_eye_distance(clip.landmarks) for clip in clips]
    closed = np.quantile(np.concatenate(openings), REST_SHARE / 2)
    chosen, states = [], []
    for clip, opening in zip(clips, openings, strict=True):
        count = -(-IDENTITY_FRAMES // len(clips))
        rest = _some(np.flatnonzero(opening <= closed), round(REST_SHARE * count))
        rows = np.concatenate([_most_different(clip.landmarks, count), rest])
        sparser = np.where(np.arange(len(rows)) < len(rows) - len(rest), IDENTITY_SPARSER, REST_SPARSER)
        chosen.append(rows)
        states.append(State.start(clip.part(rows), bases, sparser=sparser))
    identity = np.zeros(len(bases.identity))
    frames = sum(map(len, chosen))
    for _ in range(IDENTITY_STEPS):
        matrix = IDENTITY_COST * frames * np.eye(len(identity))
        vector = -IDENTITY_COST * frames * identity
        solved = []
        for state in states:
            state.advance(identity, change=0.0)
            residual, slope, across = state.linearised(identity, with_identity=True)
            assert across is not None
            quadratic, pull = state.equations(residual, slope)
            mixed = slope.swapaxes(1, 2) @ across  # (T, N, I)
            state.hold(quadratic, pull, mixed)
            found = np.linalg.solve(quadratic, np.concatenate([pull[..., None], mixed], axis=2))
            flat = across.reshape(-1, len(identity))
            matrix += flat.T @ flat - np.einsum("tni,tnj->ij", mixed, found[..., 1:])
            vector += flat.T @ residual.reshape(-1) - np.einsum("tni,tn->i", mixed, found[..., 0])
            solved.append(found)
        step = cho_solve(cho_factor(matrix), vector)
        identity = identity + step
        for state, found in zip(states, solved, strict=True):
            state.take(found[..., 0] - found[..., 1:] @ step)
        if np.abs(step).max() < 10 * ENOUGH:
            break
    return identity


def fit_clip(clip: Seen, identity: NDArray, bases: Bases | None = None) -> Fit:
    """Find weights and pose of each frame of a clip whose person's identity (I,) is known.

    Examples
    --------
    >>> import numpy as np
    >>> from talkface.face3d.camera import Camera, Pose
    >>> face = load_bases().neutral + 0.5 * load_bases().expression[arkit.INDEX["jawOpen"]]
    >>> pose = Pose(np.eye(3)[None], np.array([[0.0, 0.0, -DISTANCE]]))
    >>> camera = Camera.for_face(100, width=640, height=480)
    >>> found = fit_clip(see(camera.project(pose.apply(face)), width=640, height=480), np.zeros(1))
    >>> bool(abs(found.weights[0, arkit.INDEX["jawOpen"]] - 0.5) < 0.1)
    True
    """
    state = State.start(clip, bases or load_bases())
    for _ in range(STEPS):
        if state.advance(identity) < ENOUGH:
            break
    return state.result(identity)


def _some(rows: NDArray, most: int) -> NDArray[np.int64]:
    """Take at most so many of some rows, evenly."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(int)] if most else rows[:0]


def _most_different(landmarks: NDArray, count: int) -> NDArray[np.int64]:
    """Choose frames, each as far as can be from those chosen before: (count or fewer,)."""
    centred = landmarks - landmarks.mean(axis=1, keepdims=True)
    flat = centred.reshape(len(landmarks), -1)
    chosen = [int(np.square(flat - flat.mean(axis=0)).sum(axis=1).argmin())]
    nearest = np.full(len(flat), np.inf)
    while len(chosen) < min(count, len(flat)):
        nearest = np.minimum(nearest, np.square(flat - flat[chosen[-1]]).sum(axis=1))
        chosen.append(int(nearest.argmax()))
    return np.array(chosen)


class State:
    """Weights and poses of a clip on their way, and the equations of the next step.

    Attributes
    ----------
    weights : (T, 52) array
        Of `weights.movements`, not ARKit's yet.
    pose : Pose
    clip : Seen
    """

    def __init__(self, clip: Seen, bases: Bases, pose: Pose, *, sparser: NDArray | None = None):
        self.clip, self.pose = clip, pose
        dearer = np.ones(len(clip.landmarks)) if sparser is None else sparser  # (T)
        self.cost = dearer[:, None] * L1 * hidden()
        self.neutral, self.identity, self.movement = bases.neutral, bases.identity, movements(bases.expression)
        self.weights = np.zeros((len(clip.landmarks), arkit.COUNT))
        self.trust = np.sqrt(trust())
        self.prior = prior()

    @classmethod
    def start(cls, clip: Seen, bases: Bases, *, sparser: NDArray | None = None) -> "State":
        """Begin with a resting face that looks into the camera; then turn it until what speech does not move fits."""
        still = list(points.STABLE)
        rest = np.broadcast_to(bases.neutral[None, still, :2], (len(clip.landmarks), len(still), 2))
        matrix, _ = fit_similarity(rest, clip.landmarks[:, still])
        scale = np.linalg.norm(matrix[:, :, 0], axis=1)  # pixels per outer-eye distance
        turn = np.zeros((len(scale), 3, 3))
        turn[:, :2, :2] = matrix / scale[:, None, None]
        turn[:, 2, 2] = 1
        distance = clip.camera.focal / scale
        middle = (clip.landmarks[:, still].mean(axis=1) - clip.camera.centre) / scale[:, None]
        place = np.column_stack([middle, -distance])
        state = cls(clip, bases, Pose(turn, place), sparser=sparser)
        for _ in range(POSE_STEPS):
            residual, slope, _ = state.linearised(np.zeros(0))
            slope = slope[..., arkit.COUNT :]
            quadratic = slope.swapaxes(1, 2) @ slope + 1e-3 * np.eye(6)
            pull = (slope.swapaxes(1, 2) @ residual[..., None])[..., 0]
            state.pose = state.pose.moved(np.linalg.solve(quadratic, pull[..., None])[..., 0])
        return state

    def face(self, identity: NDArray, rows: slice = ALL) -> NDArray:
        """Return the faces (T, 68, 3) in the template frame."""
        person = self.neutral + np.tensordot(identity, self.identity[: len(identity)], axes=1)
        return person + np.tensordot(self.weights[rows], self.movement, axes=1)

    def result(self, identity: NDArray) -> Fit:
        """Return what was found."""
        placed = self.pose.apply(self.face(identity))
        missed = (self.clip.landmarks - self.clip.camera.project(placed)) / self.clip.eyes
        return Fit(
            as_arkit(self.weights),
            self.pose,
            placed,
            100 * np.sqrt(np.square(missed).sum(axis=2).mean(axis=1)),
            100 * np.sqrt(np.square(missed[:, list(points.LIPS)]).sum(axis=2).mean(axis=1)),
        )

    def linearised(
        self, identity: NDArray, rows: slice = ALL, *, with_identity: bool = False
    ) -> tuple[NDArray, NDArray, NDArray | None]:
        """Return what is missed (T, R), and how weights and pose (T, R, 58) and identity (T, R, I) would change it."""
        camera = self.clip.camera
        turned = self.face(identity, rows) @ self.pose.turn[rows].swapaxes(1, 2)  # (T, 68, 3)
        frames = len(turned)
        placed = turned + self.pose.place[rows, None]
        slopes = camera.slopes(placed) / self.clip.eyes  # (T, 68, 2, 3)
        missed = (self.clip.landmarks[rows] - camera.project(placed)) / self.clip.eyes
        if self.clip.depth is not None:
            slopes = np.concatenate([slopes, np.broadcast_to([[[[0.0, 0, 1]]]], (frames, points.COUNT, 1, 3))], axis=2)
            lacking = -self.clip.depth[rows] / self.clip.eyes - placed[..., 2]
            lacking = DEPTH_TRUST * (lacking - lacking.mean(axis=1, keepdims=True))
            missed = np.concatenate([missed, lacking[..., None]], axis=2)
        slopes = slopes * self.trust[:, None, None]
        if self.clip.depth is not None:
            slopes[:, :, 2] *= DEPTH_TRUST
        missed = missed * self.trust[:, None]
        by_face = slopes @ self.pose.turn[rows, None]  # (T, 68, D, 3): of movements in the template frame
        moved = np.einsum("tpdc,kpc->tpdk", by_face, self.movement, optimize=True)
        about = np.zeros((frames, points.COUNT, 3, 3))  # of a small turn: its vector crossed with the point
        x, y, z = np.moveaxis(turned, -1, 0)
        about[..., 0, 1], about[..., 0, 2], about[..., 1, 2] = z, -y, x
        about -= about.swapaxes(-1, -2)
        slope = np.concatenate([moved, slopes @ about, slopes], axis=3)
        across = None
        if with_identity:
            across = np.einsum("tpdc,kpc->tpdk", by_face, self.identity[: len(identity)], optimize=True)
            across = across.reshape(frames, -1, len(identity))
        return missed.reshape(frames, -1), slope.reshape(frames, -1, arkit.COUNT + 6), across

    def equations(self, residual: NDArray, slope: NDArray, rows: slice = ALL) -> tuple[NDArray, NDArray]:
        """Return the normal equations (T, 58, 58) and (T, 58) of the next step, with priors."""
        quadratic = slope.swapaxes(1, 2) @ slope
        pull = (slope.swapaxes(1, 2) @ residual[..., None])[..., 0]
        quadratic[:, : arkit.COUNT, : arkit.COUNT] += self.prior
        pull[:, : arkit.COUNT] -= self.weights[rows] @ self.prior + self.cost[rows]
        quadratic[:, range(arkit.COUNT, UNKNOWNS), range(arkit.COUNT, UNKNOWNS)] += 1e-6
        return quadratic, pull

    def advance(self, identity: NDArray, *, change: float = 1.0, more: Equations | None = None) -> float:
        """Take the step to the best weights and poses, bounds kept; return the largest change of a weight or an angle.

        Parameters
        ----------
        identity : (I,) array
        change : float
            Multiplies what differences between frames cost.
        more : (T, 58, 58) and (T, 58) arrays, optional
            Equations that hold besides.
        """
        blocks = [slice(first, first + BLOCK) for first in range(0, len(self.weights), BLOCK)]
        found = [self.equations(*self.linearised(identity, rows)[:2], rows) for rows in blocks]
        quadratic, pull = (np.concatenate(part) for part in zip(*found, strict=True))
        if more is not None:
            quadratic, pull = quadratic + more[0], pull + more[1]
        start = np.concatenate([self.weights, np.zeros((len(pull), 6))], axis=1)
        pull += (quadratic[:, :, : arkit.COUNT] @ self.weights[..., None])[..., 0]
        turned = Rotation.from_matrix(self.pose.turn[1:] @ self.pose.turn[:-1].swapaxes(1, 2)).as_rotvec()
        before = np.concatenate(
            [np.zeros((len(turned), arkit.COUNT)), turned.reshape(-1, 3), np.diff(self.pose.place, axis=0)], axis=1
        )
        reached = start.copy()
        descend(reached, quadratic, pull, change * CHANGES, before=before)
        return self.take(reached - start)

    def hold(self, quadratic: NDArray, pull: NDArray, mixed: NDArray) -> None:
        """Let weights at their bounds stand still in equations."""
        held = np.zeros(pull.shape, bool)
        held[:, : arkit.COUNT] = (self.weights <= 0) | (self.weights >= 1)
        quadratic[held] = 0
        quadratic.swapaxes(1, 2)[held] = 0
        rows, columns = np.nonzero(held)
        quadratic[rows, columns, columns] = 1
        pull[held] = 0
        mixed[held] = 0

    def take(self, step: NDArray) -> float:
        """Take a step (T, 58); return the largest change of a weight or an angle."""
        before = self.weights
        self.weights = (before + step[:, : arkit.COUNT]).clip(0, 1)
        jaw, close = arkit.INDEX["jawOpen"], arkit.INDEX["mouthClose"]
        self.weights[:, jaw] = np.minimum(self.weights[:, jaw], 1 - self.weights[:, close])
        self.pose = self.pose.moved(step[:, arkit.COUNT :])
        return max(np.abs(self.weights - before).max(), np.abs(step[:, arkit.COUNT : arkit.COUNT + 3]).max())
