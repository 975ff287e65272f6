"""The published picture: a textured, lit head of the person drawn over a real frame.

As Yi et al. 2020 render before their network refines: the skin has the texture of one frame of the person, light
changes with the head's turn, and mouth, teeth and tongue are the face model's own. What was drawn is put into the frame
by Poisson blending (Perez et al. 2003).

Axes: H and W of the frame, V vertices of the whole face model.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from talkface.face import points
from talkface.face3d.looks import colours_of
from talkface.face3d.rasteriser import rasterise, shade
from talkface.head.actor import Actor
from talkface.head.lips import opening
from talkface.head.picture import Mouth
from talkface.head.warp import Window, take

BEHIND = -0.55  # outer-eye distances: skin so far behind the eyes is not drawn
ABOVE, BELOW = -0.45, 0.06  # outer-eye distances: skin is drawn from above the eyes to below the chin
EDGE = 0.05  # outer-eye distances by which the blended region is smaller than what was drawn
INSIDE = 0.6  # how bright the inside of a mouth is beside its lips
MARGIN_PX = 8


def reference_frame(actor: Actor, among: NDArray | slice = slice(None)) -> int:
    """Choose the frame that textures are taken from, among some: turned to the camera, mouth closed."""
    away = np.degrees(np.abs(actor.turn[among])).sum(axis=1)
    return int((away + 100 * opening(actor.weights[among])).argmin())


class TexturedPainter:
    """Painter of wanted expressions, as `picture.Painter`.

    Parameters
    ----------
    actor : Actor
    reference : int
        From `reference_frame`.
    texture : (H, W, 3) uint8 array
        That frame, blue green red.
    """

    def __init__(self, actor: Actor, reference: int, texture: NDArray[np.uint8]):
        model = actor.region.model
        self.actor, self.model, self.texture = actor, model, texture
        self.person = model.person(actor.identity)
        marks = model.neutral[model.landmarks]
        skin, of = model.triangles_of("skin"), model.neutral
        drawn = (of[:, 2] > BEHIND) & (of[:, 1] > ABOVE) & (of[:, 1] < marks[8, 1] + BELOW)
        self.skin = skin[drawn[skin].all(axis=1)]
        self.inside = np.concatenate([model.triangles_of(name) for name in ("mouth", "tongue", "teeth")])
        self.source, _, self.light = self._posed(reference, actor.weights[reference])
        lit = take(texture, self.source[None, model.landmarks[list(points.OUTER_LIP)], :2])[0].mean(axis=0)
        colours = colours_of(model)[:, ::-1]
        lips = colours[model.landmarks[list(points.OUTER_LIP)]].mean(axis=0)
        self.colours = np.ascontiguousarray(INSIDE * colours * (lit.mean() / lips.mean()), np.float32)

    def _posed(self, n: int, weights: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        """Return vertices in frame `n` (V, 3), pixels and nearness, the turned head (V, 3), and its light (V, 1)."""
        face = self.model.shown(self.person, weights).astype(np.float32)
        turned = (face @ self.actor.turned(n).T).astype(np.float32)
        light = shade(turned, self.model.triangles, np.ones((len(turned), 3), np.float32))[:, :1]
        return self.actor.before(n, face), turned, light

    def paint(
        self, frame: NDArray[np.uint8], n: int, weights: NDArray, mouth: Mouth | None = None
    ) -> NDArray[np.uint8]:
        """Return frame `n` (H, W, 3) with a head over it that shows weights (52,); `mouth` is not looked at."""
        actor, eyes = self.actor, self.actor.eyes_of(n)
        target, turned, light = self._posed(n, actor.spoken(n, weights))
        window = Window.around(target[self.skin.ravel(), :2], MARGIN_PX, size=(frame.shape[1], frame.shape[0]))
        shifted = target - np.array([window.left, window.top, 0], np.float32)
        values = np.concatenate([self.source[:, :2], light / self.light], axis=1)
        places = np.zeros((window.height, window.width, 3), np.float32)
        depth = rasterise(shifted, self.skin, values, places)
        drawn = np.isfinite(depth)
        picture = frame[window.rows_and_columns].astype(np.float32)
        textured = take(self.texture, np.ascontiguousarray(places[..., :2])) * places[..., 2:]
        picture[drawn] = textured[drawn]
        rasterise(shifted, self.inside, shade(turned, self.model.triangles, self.colours), picture, depth)
        return _blend(frame, picture.clip(0, 255).astype(np.uint8), np.isfinite(depth), window, EDGE * eyes)


def _blend(
    frame: NDArray[np.uint8], picture: NDArray[np.uint8], drawn: NDArray[np.bool_], window: Window, edge: float
) -> NDArray[np.uint8]:
    """Put what was drawn into a frame by Poisson blending; holes in it are filled."""
    contours, _ = cv2.findContours(drawn.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    mask = np.zeros(drawn.shape, np.uint8)
    cv2.drawContours(mask, contours, -1, 255, cv2.FILLED)
    mask[:1], mask[-1:], mask[:, :1], mask[:, -1:] = 0, 0, 0, 0
    mask = np.asarray(cv2.erode(mask, np.ones((3, 3), np.uint8), iterations=max(1, round(edge))), np.uint8)
    if not mask.any():
        return frame.copy()
    x, y, width, height = cv2.boundingRect(mask)
    middle = (window.left + x + width // 2, window.top + y + height // 2)
    return np.asarray(cv2.seamlessClone(picture, frame, mask, middle, cv2.NORMAL_CLONE), np.uint8)
