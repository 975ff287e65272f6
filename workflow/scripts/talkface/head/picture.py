"""Pictures of a person who shows another expression than filmed, from what was filmed alone.

`real`: a frame of the person is bent by the mesh from its expression to the wanted one. Its mouth is replaced by real
ones (`choice`), each bent from its own pose and expression: the low band is the mean of the nearest, the high band that
of one, so that light is calm and teeth are sharp. Colours are matched on a ring round the lips.

Axes: H and W of a window, V vertices of the region.
"""

from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from talkface.head.actor import Actor, Mouths
from talkface.head.warp import Window, fill, take, where_from

# All in outer-eye distances.
FREE = 0.30  # around what moves: over so much a bend fades away
LIPS, FEATHER = 0.12, 0.035  # around the lips: what is replaced, and how softly
RING = 0.10  # around that: where colours are matched
BAND = 0.035  # standard deviation: what is smoother is the low band
MOVED_PX = 0.25  # pixels: what moves by less stays


class Mouth(NamedTuple):
    """Which filmed mouths are shown, frame by share: in the high band, and in the low one."""

    sharp: Mapping[int, float]
    near: Mapping[int, float]


class Painter:
    """Painter of wanted expressions on frames of a person.

    Parameters
    ----------
    actor : Actor
    mouths : Mouths
        Of the same frames, or of the first of them.
    """

    def __init__(self, actor: Actor, mouths: Mouths):
        self.actor, self.mouths = actor, mouths

    def paint(
        self, frame: NDArray[np.uint8], n: int, weights: NDArray, mouth: Mouth | None, *, at: int | None = None
    ) -> NDArray[np.uint8]:
        """Return a frame of the person with another expression.

        Parameters
        ----------
        frame : (H, W, 3) uint8 array
            Frame `n`, blue green red.
        n : int
        weights : (52,) array
            Wanted; of them those of speech count.
        mouth : Mouth or None
            None: the frame's own mouth is bent.
        at : int, optional
            Number of a frame whose pose, and whose face above, is shown; by default that of `n`.

        Returns
        -------
        (H, W, 3) uint8 array
        """
        actor, eyes = self.actor, self.actor.eyes_of(n)
        size = (frame.shape[1], frame.shape[0])
        posed = n if at is None else at
        target = actor.seen(posed, actor.spoken(posed, weights))
        own = actor.seen(n)
        moved = np.abs(target[:, :2] - own[:, :2]).max(axis=1) > MOVED_PX
        moved[actor.region.outer_lip] = True
        window = Window.around(target[moved, :2], FREE * eyes, size=size)
        bent = bend(frame, target, own, actor.region.triangles, window)
        if mouth is not None:
            self._replace_mouth(bent, window, target, mouth, eyes)
        found = frame.copy()
        found[window.rows_and_columns] = np.rint(bent.clip(0, 255)).astype(np.uint8)
        return found

    def _replace_mouth(
        self, bent: NDArray[np.float32], window: Window, target: NDArray, mouth: Mouth, eyes: float
    ) -> None:
        """Put real mouths into a bent window, in place."""
        lips = target[self.actor.region.outer_lip, :2]
        inner = Window.around(lips, (LIPS + 3 * FEATHER + RING) * eyes, size=(10**6, 10**6))
        inner = _common(inner, window)
        donors = list({**mouth.sharp, **mouth.near})
        sources = [self.actor.seen(d)[:, :2] - self.mouths.corner[d] for d in donors]
        places, covered = where_from(target, self.actor.region.triangles, np.concatenate(sources, axis=1), inner)
        known = covered.astype(np.float32)
        taken = {
            d: take(self.mouths.picture(d), fill(places[..., 2 * k : 2 * k + 2], known)) for k, d in enumerate(donors)
        }
        sigma = BAND * eyes
        mean, sharp = (_mix(taken, of) for of in (mouth.near, mouth.sharp))
        real = sharp + blurred(mean - sharp, sigma)
        mask, ring = _masks(lips - inner.corner, inner, eyes)
        rows = slice(inner.top - window.top, inner.top - window.top + inner.height)
        columns = slice(inner.left - window.left, inner.left - window.left + inner.width)
        below = bent[rows, columns]
        real += fill(blurred(below - real, sigma), ring * known)
        bent[rows, columns] = below + mask[..., None] * (real - below)


def _mix(pictures: Mapping[int, NDArray], shares: Mapping[int, float]) -> NDArray[np.float32]:
    """Return the mean of pictures by their shares."""
    return np.sum([share * pictures[number] for number, share in shares.items()], axis=0, dtype=np.float32)


def blurred(picture: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Return the low band of a picture; `sigma` in pixels."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)


def bend(
    frame: NDArray[np.uint8], target: NDArray, own: NDArray, triangles: NDArray, window: Window
) -> NDArray[np.float32]:
    """Bend a window of a frame so that the mesh seen at `own` is seen at `target`; what lies beside follows."""
    places, covered = where_from(target, triangles, own[:, :2], window)
    grid = window.grid()
    shift = np.where(covered[..., None], places - grid, 0)
    known = covered.astype(np.float32)
    edge = np.ones_like(known)
    edge[1:-1, 1:-1] = 0
    still = edge * (1 - known)
    shift = fill(shift.astype(np.float32), np.maximum(known, still))
    return take(frame, grid + shift)


def _common(one: Window, other: Window) -> Window:
    """Return the part of one window that lies in the other."""
    left, top = max(one.left, other.left), max(one.top, other.top)
    right = min(one.left + one.width, other.left + other.width)
    bottom = min(one.top + one.height, other.top + other.height)
    return Window(left, top, max(right - left, 1), max(bottom - top, 1))


def _masks(lips: NDArray, window: Window, eyes: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how far the mouth is replaced (H, W), 0 .. 1, and where around it colours are matched."""
    inside = np.zeros((window.height, window.width), np.uint8)
    cv2.fillPoly(inside, [np.round(16 * lips).astype(np.int32)], 1, shift=4)
    away = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3) / eyes
    ring = ((away > LIPS) & (away < LIPS + RING)).astype(np.float32)
    t = ((LIPS + FEATHER - away) / (2 * FEATHER)).clip(0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32), ring
