"""Pictures of a person who shows another expression than filmed, from what was filmed alone.

`real`: a frame of the person is bent by the mesh from its expression to the wanted one. Its mouth is replaced by real
ones (`choice`), each bent from its own pose and expression: the low band is the mean of the nearest, the high band that
of one, so that light is calm and teeth are sharp. Colours are matched on a ring round the lips.

Axes: H and W of a window, V vertices of the region.
"""

from collections.abc import Callable, Mapping
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


class Layers(NamedTuple):
    """What the picture of a mouth is made of, in a window (H, W) of the frame; pictures blue green red, 0 .. 255.

    Attributes
    ----------
    window : Window
    below : (H, W, 3) float32 array
        The frame, bent.
    real : (H, W, 3) float32 array
        Real mouths in two bands, in the colours of what is below.
    near : list of (H, W, 3) float32 arrays
        Those of the low band, nearest first, in their own colours.
    mask : (H, W) float32 array
        How far what is below is replaced, 0 .. 1.
    lips : (12, 2) array
        Outer lips, pixels of the window.
    inner : (8, 2) array
        Inner lips.
    eyes : float
        Outer-eye distance, pixels.
    """

    window: Window
    below: NDArray
    real: NDArray
    near: list[NDArray]
    mask: NDArray
    lips: NDArray
    inner: NDArray
    eyes: float

    def composed(self) -> NDArray[np.float32]:
        """Return the picture of the window."""
        return self.below + self.mask[..., None] * (self.real - self.below)


class Painter:
    """Painter of wanted expressions on frames of a person.

    Parameters
    ----------
    actor : Actor
    mouths : Mouths
        Of the same frames, or of the first of them.
    refine : callable, optional
        Makes of the layers of a mouth its picture (H, W, 3); by default they are composed as they are.
    """

    def __init__(self, actor: Actor, mouths: Mouths, refine: Callable[[Layers], NDArray[np.float32]] = Layers.composed):
        self.actor, self.mouths, self.refine = actor, mouths, refine

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
        window, bent, target = self._bent(frame, n, weights, at)
        if mouth is not None:
            layers = self._layers(window, bent, target, mouth, self.actor.eyes_of(n))
            bent[_inside(layers.window, window)] = self.refine(layers)
        found = frame.copy()
        found[window.rows_and_columns] = np.rint(bent.clip(0, 255)).astype(np.uint8)
        return found

    def layers(
        self, frame: NDArray[np.uint8], n: int, weights: NDArray, mouth: Mouth, *, at: int | None = None
    ) -> Layers:
        """Return what the picture of a mouth is made of; parameters as in `paint`."""
        return self._layers(*self._bent(frame, n, weights, at), mouth, self.actor.eyes_of(n))

    def _bent(
        self, frame: NDArray[np.uint8], n: int, weights: NDArray, at: int | None
    ) -> tuple[Window, NDArray[np.float32], NDArray[np.float32]]:
        """Bend a frame: the window that changes, its picture, and where the mesh is to be seen (V, 3)."""
        actor, posed = self.actor, n if at is None else at
        target, own = actor.seen(posed, actor.spoken(posed, weights)), actor.seen(n)
        moved = np.abs(target[:, :2] - own[:, :2]).max(axis=1) > MOVED_PX
        moved[actor.region.outer_lip] = True
        size = (frame.shape[1], frame.shape[0])
        window = Window.around(target[moved, :2], FREE * actor.eyes_of(n), size=size)
        return window, bend(frame, target, own, actor.region.triangles, window), target

    def _layers(self, window: Window, bent: NDArray[np.float32], target: NDArray, mouth: Mouth, eyes: float) -> Layers:
        """Bend real mouths to where the mesh is to be seen."""
        region = self.actor.region
        lips = target[region.outer_lip, :2]
        around = Window.around(lips, (LIPS + 3 * FEATHER + RING) * eyes, size=(10**6, 10**6))
        inner = _common(around, window)
        donors = list({**mouth.sharp, **mouth.near})
        sources = [self.actor.seen(d)[:, :2] - self.mouths.corner[d] for d in donors]
        places, covered = where_from(target, region.triangles, np.concatenate(sources, axis=1), inner)
        known = covered.astype(np.float32)
        taken = {
            d: take(self.mouths.picture(d), fill(places[..., 2 * k : 2 * k + 2], known)) for k, d in enumerate(donors)
        }
        sigma = BAND * eyes
        mean, sharp = (_mix(taken, of) for of in (mouth.near, mouth.sharp))
        real = sharp + blurred(mean - sharp, sigma)
        mask, ring = _masks(lips - inner.corner, inner, eyes)
        below = bent[_inside(inner, window)]
        real += fill(blurred(below - real, sigma), ring * known)
        near = [taken[d] for d in mouth.near]
        inside = target[region.inner_lip, :2] - inner.corner
        return Layers(inner, below, real, near, mask, lips - inner.corner, inside, eyes)


def _inside(inner: Window, outer: Window) -> tuple[slice, slice]:
    """Return rows and columns of a window in the picture of another."""
    top, left = inner.top - outer.top, inner.left - outer.left
    return slice(top, top + inner.height), slice(left, left + inner.width)


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
