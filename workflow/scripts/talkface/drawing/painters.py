"""Painters of a face from its 68 landmarks: the flat style of the published animations and a shaded portrait.

Both styles share the geometry: mouth, teeth, tongue, eyes and lids are built as outlines that already end at the lips
and lids (no clipping masks), so that a frame costs a few small polygon fills. What does not move with speech is
painted once; the skin of the shaded style is then pulled along by a smooth field through the landmarks.

Axes: T frames, H height, W width, C colours (blue, green, red). Landmarks are pixels unless a name says otherwise.
"""

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from talkface.drawing.canvas import SHIFT, Canvas, fixed, smooth, tapered, to_bgr, triple
from talkface.drawing.characters import Appearance
from talkface.drawing.hair_clothes import paint_back_hair, paint_backdrop, paint_body, paint_front_hair
from talkface.drawing.mouth_eyes import FLAT_PALETTE, draw_eye, draw_mouth, shaded_palette
from talkface.drawing.skin import paint_skin
from talkface.drawing.windows import Patch, Window, contains, flattened, rectangle, remainders, row_factor, union
from talkface.face import points

STYLES = ("flat", "shaded")
# Lower edge of the upper teeth below the closed lips, units: teeth belong to the skull, not to the lip.
TEETH_EDGE = 0.055
_BROW = np.interp(np.linspace(0, 1, 25), [0, 0.15, 1], [0.055, 0.07, 0.012])  # its width from the nose outwards, units
# The forehead of the flat face, right half: half widths of the face, units above the brows.
_FOREHEAD = np.array([(0.98, 0.10), (0.88, 0.38), (0.66, 0.60), (0.32, 0.70)])
STILL = 0.0008  # units (0.2 pixels of 250): brows, eyes and nose that moved less since they were painted stay
_LID_UPPER = {36: (37, 38), 42: (43, 44)}
_LID_LOWER = {36: (41, 40), 42: (47, 46)}


def close_eyes(landmarks: NDArray, amount: ArrayLike) -> NDArray:
    """Move the lids of landmarks (..., 68, 2) together; amount 0 (as they are) to 1 (closed), shape (...)."""
    closed = np.array(landmarks, np.float64)
    amount = np.asarray(amount, np.float64)[..., None]
    for first in (36, 42):
        for upper, lower in zip(_LID_UPPER[first], _LID_LOWER[first], strict=True):
            gap = closed[..., lower, :] - closed[..., upper, :]
            closed[..., upper, :] += 0.88 * amount * gap
            closed[..., lower, :] -= 0.12 * amount * gap
    return closed


def blink_amounts(frames: int, *, fps: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw blinks at random: how far the eyes are closed in each frame (frames,), 0-1; one every two to five seconds.

    A blink takes a quarter of a second. Rate of 15-20 blinks a minute in conversation: Bentivoglio et al. 1997,
    Movement Disorders 12(6).
    """
    amounts = np.zeros(frames)
    time = np.arange(frames) / fps
    at = rng.uniform(0.6, 2.2)
    while at < frames / fps:
        # the lid falls in about 80 ms and rises in about 160 ms
        amounts = np.maximum(amounts, np.interp(time - at, [-0.08, -0.01, 0.03, 0.19], [0, 1, 1, 0]))
        at += rng.uniform(2.0, 5.0)
    return amounts


class FlatPainter:
    """The published painted face: plain colours on white, a forehead added above the brows.

    Parameters
    ----------
    rest : (68, 2) array
        Neutral face in pixels: gives the unit and where the upper teeth are.
    size : (width, height)
        Of the picture, pixels, even numbers.

    Attributes
    ----------
    frame : (H, W, 3) uint8 array
        The picture.
    """

    GROUND, SKIN = "#f7f4ee", "#d99f78"

    def __init__(self, rest: NDArray, *, size: tuple[int, int]) -> None:
        self.rest = np.asarray(rest, np.float64)
        self.unit = float(points.outer_eye_distance(self.rest))
        ground, skin = to_bgr(self.GROUND), to_bgr(self.SKIN)
        self.frame = np.full((size[1], size[0], 3), triple(ground), np.uint8)
        # coverage of the skin (0-255) to each colour: slope and value at 0
        self._tones = [(float(s - g) / 255, float(g)) for s, g in zip(skin, ground, strict=True)]
        self._shade, self._light, self._dark = (triple(to_bgr(colour)) for colour in ("#c98b63", "#e6b28d", "#b2744f"))
        self._brow = triple(to_bgr("#54351f"))
        self._last: Window | None = None
        # brows, eyes and nose as last painted: landmarks (31, 2), window, its pixels
        self._upper: tuple[NDArray, Window, NDArray[np.uint8]] | None = None

    def paint(self, landmarks: NDArray) -> list[Window]:
        """Paint landmarks (68, 2) on `frame`; return the windows (rows, columns) that changed."""
        landmarks, unit = np.asarray(landmarks, np.float64), self.unit
        # the published face raises points 17, 19, 24 and 26 by a tenth of its width; here the forehead is rounded
        half, brow = (landmarks[16] - landmarks[0]) / 2, landmarks[17:27].mean(axis=0)
        up = np.array([half[1], -half[0]]) / np.hypot(*half) * unit
        right = _FOREHEAD[:, :1] * half + _FOREHEAD[:, 1:] * up
        left = -_FOREHEAD[::-1, :1] * half + _FOREHEAD[::-1, 1:] * up
        face = smooth(np.concatenate([landmarks[:17], brow + right, brow + left]), closed=True, steps=10)
        window = rectangle(face, 2, self.frame.shape)
        if self._last is not None:  # the last face must go as well
            window = union(window, self._last)
        self._last = rectangle(face, 2, self.frame.shape)
        rows, columns = window
        size = (columns.stop - columns.start, rows.stop - rows.start)
        if min(size) > 0:
            factor = row_factor(unit)
            tall = np.zeros((factor * size[1], size[0]), np.uint8)
            corner = np.array([columns.start, rows.start]) - 0.5
            cv2.fillPoly(tall, [fixed((face - corner) * [1, factor] - 0.5)], 255, cv2.LINE_AA, SHIFT)
            cover = flattened(tall, factor)
            self.frame[window] = cv2.merge([cv2.convertScaleAbs(cover, alpha=a, beta=b) for a, b in self._tones])
        self._upper_face(landmarks)
        teeth = landmarks[33] + (self.rest[62] - self.rest[33]) + [0, TEETH_EDGE * unit]
        draw_mouth(self.frame, landmarks, FLAT_PALETTE, unit=unit, teeth_line=teeth)
        return [window]

    def _upper_face(self, landmarks: NDArray) -> None:
        """Paint brows, eyes and nose if they moved, else put back what was painted last."""
        upper = landmarks[17:48]
        if self._upper is not None:
            last, window, picture = self._upper
            if np.abs(upper - last).max() <= STILL * self.unit:
                self.frame[window] = picture
                return
        self._nose_and_brows(landmarks)
        for first in (36, 42):
            draw_eye(self.frame, landmarks[first : first + 6], FLAT_PALETTE, unit=self.unit)
        # everything in this window lies within the skin, so that it can be put on any later one
        window = rectangle(upper, 0.10 * self.unit, self.frame.shape)
        self._upper = upper.copy(), window, self.frame[window].copy()

    def _nose_and_brows(self, landmarks: NDArray) -> None:
        """Paint nose and brows."""
        corners, unit = landmarks[[36, 45]], self.unit
        patch = Patch(self.frame, landmarks[27:36], *corners, unit=unit, margin=0.04)
        nose = patch.local(landmarks[27:36])
        left, right = nose[4] - [0.02, 0], nose[8] + [0.02, 0]
        patch.fill(np.array([nose[0], left, nose[3]]), self._shade)
        patch.fill(np.array([nose[0], nose[3], right]), self._light)
        patch.fill(np.concatenate([nose[3:4], [right], smooth(nose[[8, 7, 6, 5, 4]]), [left]]), self._dark)
        patch.paste()
        for first, inwards in ((17, True), (22, False)):
            brow = landmarks[first : first + 5]
            patch = Patch(self.frame, brow, *corners, unit=unit, margin=0.06)
            patch.fill(tapered(smooth(patch.local(brow)), _BROW[::-1] if inwards else _BROW), self._brow)
            patch.paste()


class ShadedPainter:
    """A lit portrait that follows its landmarks.

    Parameters
    ----------
    rest : (68, 2) array
        Neutral upright face with closed mouth, pixels: the portrait is painted around it.
    look : Appearance
    size : (width, height)
        Of the picture, pixels, even numbers.
    rng : numpy Generator
        For strands of hair, freckles and the backdrop.
    """

    REACH = 0.5  # units
    LEAST = 0.5  # pixels: what moves less stays
    # Landmarks that pull the skin: without lids and inner lips, which are painted on every frame.
    PULLING = (*range(27), *points.NOSE, *points.EYE_CORNERS, *points.OUTER_LIP)

    def __init__(self, rest: NDArray, *, look: Appearance, size: tuple[int, int], rng: np.random.Generator) -> None:
        self.rest = np.asarray(rest, np.float64)
        self.look = look
        self.unit = float(points.outer_eye_distance(self.rest))
        self.origin = self.rest[list(points.OUTER_EYE_CORNERS)].mean(axis=0)
        self.palette = shaded_palette(look)
        self.still = self._portrait(size, rng)
        self._still4 = cv2.cvtColor(
            self.still, cv2.COLOR_BGR2BGRA
        )  # OpenCV moves four channels in half the time of three
        self.frame = self.still.copy()
        self._skull = self.origin + self.unit * np.array([(-0.9, -0.5), (0.0, -1.2), (0.9, -0.5)])
        self._prepare_field()
        self._painted: list[Window] = []  # what differs from the still picture
        self._eyes: dict[int, tuple[NDArray, Window]] = {}  # as last painted, by their first landmark
        self._open = [float(np.ptp(self.rest[k : k + 6, 1])) / self.unit for k in (36, 42)]
        self._teeth = self.rest[62] + [0, TEETH_EDGE * self.unit]

    def _portrait(self, size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Paint all that does not move with speech, (H, W, 3)."""
        face = (self.rest - self.origin) / self.unit
        canvas = Canvas(size, unit=self.unit, origin=self.origin)
        paint_backdrop(canvas, self.look, rng)
        paint_back_hair(canvas, face, self.look, rng)
        paint_body(canvas, face, self.look)
        head = paint_skin(canvas, face, self.look, rng)
        paint_front_hair(canvas, face, self.look, rng, head)
        # dither: the soft backdrop would show steps; skin moves, and moving grain costs the encoder dear
        canvas.planes += rng.uniform(-0.7, 0.7, canvas.shape) * (1 - head)
        return canvas.picture()

    def _prepare_field(self) -> None:
        """Prepare the field on a coarse grid: weights of the head's movement, fading out, and of the landmarks' pull.

        The pull of a landmark ends at `REACH` (radial basis functions of compact support, Wendland 1995), so that a
        word moves the lower face alone.
        """
        height, width = self.frame.shape[:2]
        unit = self.unit
        self._cell = max(8, int(unit / 9))  # pixels between nodes of the grid
        self._grid = (-(-height // self._cell) + 1, -(-width // self._cell) + 1)
        x, y = np.meshgrid(np.arange(self._grid[1]) * self._cell, np.arange(self._grid[0]) * self._cell)
        self._nodes = np.stack([x, y], -1).reshape(-1, 2).astype(np.float64)

        def kernel(first: NDArray, second: NDArray) -> NDArray:
            r = np.minimum(np.linalg.norm(first[:, None] - second[None], axis=-1) / (self.REACH * unit), 1)
            return (1 - r) ** 4 * (4 * r + 1)

        self._pulling = list(self.PULLING)
        source = self.rest[self._pulling]
        system = kernel(source, source) + 1e-3 * np.eye(len(source))  # a little give where neighbours disagree
        self._weights = (kernel(self._nodes, source) @ np.linalg.inv(system)).astype(np.float32)
        # 1 on the head, falling to 0 at the shoulders and towards the edge of the picture
        local = (self._nodes - self.origin) / unit
        chin = (self.rest[8, 1] - self.origin[1]) / unit
        away = np.hypot(local[:, 0] / 0.95, (local[:, 1] - 0.05) / np.where(local[:, 1] > 0.05, chin, 1.25))
        border = np.minimum(self._nodes, [width - 1, height - 1] - self._nodes).min(axis=1) / unit
        fade = np.clip((1.75 - away) / 0.6, 0, 1) * np.clip(border / 0.35, 0, 1)
        self._fade = (fade * fade * (3 - 2 * fade))[:, None]
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        self._identity = np.stack([columns, rows], -1)

    def _field(self, landmarks: NDArray, pose: NDArray) -> NDArray[np.float32]:
        """Return where each node of the grid takes its colour from, less its own place: (rows, columns, 2) pixels."""
        back = np.linalg.inv(pose[:, :2])
        still = (landmarks[self._pulling] - pose[:, 2]) @ back.T  # the landmarks, if the head had not moved
        pull = self._weights @ (self.rest[self._pulling] - still).astype(np.float32)
        if np.abs(self._skull @ pose[:, :2].T + pose[:, 2] - self._skull).max() > self.LEAST:
            pull = pull + self._fade * ((self._nodes - pose[:, 2]) @ back.T - self._nodes)
        return pull.reshape(*self._grid, 2).astype(np.float32)

    def _pose(self, landmarks: NDArray) -> NDArray:
        """Fit the similarity (2, 3) from the resting face to this frame, by the points that speech does not move."""
        index = list(points.STABLE)
        source, target = self.rest[index], landmarks[index]
        a, b = source - source.mean(0), target - target.mean(0)
        scale = (a**2).sum()
        c, s = (a * b).sum() / scale, (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / scale
        turn = np.array([[c, -s], [s, c]])
        return np.column_stack([turn, target.mean(0) - turn @ source.mean(0)])

    def paint(self, landmarks: NDArray) -> list[Window]:
        """Paint landmarks (68, 2) on `frame`; return the windows (rows, columns) that changed."""
        landmarks, unit = np.asarray(landmarks, np.float64), self.unit
        pose = self._pose(landmarks)
        warped = self._warp(self._field(landmarks, pose))
        changed = [] if warped is None else [warped]
        kept = self._kept_eyes(landmarks, warped)
        for old in self._painted:
            if old in kept.values() or (warped is not None and contains(warped, old)):
                continue  # still right, or already painted over by the warp
            changed.append(old)
            for window in [old] if warped is None else remainders(old, warped):
                self.frame[window] = self.still[window]
        self._painted = changed[:1] if warped is not None else []
        self._painted += kept.values()
        for rest, first in zip(self._open, (36, 42), strict=True):
            if first in kept:
                continue
            eye = landmarks[first : first + 6]
            window = draw_eye(self.frame, eye, self.palette, unit=unit, lashes=self.look.lashes, rest=rest)
            self._eyes[first] = (eye.copy(), window)
            self._painted.append(window)
        teeth = self._teeth @ pose[:, :2].T + pose[:, 2]
        self._painted.append(draw_mouth(self.frame, landmarks, self.palette, unit=unit, teeth_line=teeth))
        return changed + [window for window in self._painted if window not in kept.values()]

    def _kept_eyes(self, landmarks: NDArray, warped: Window | None) -> dict[int, Window]:
        """Return the windows of the eyes, by their first landmark, that need no new paint."""
        kept = {}
        for first, (eye, window) in self._eyes.items():
            still = np.abs(landmarks[first : first + 6] - eye).max() <= STILL * self.unit
            # What is painted now, or put back, must leave it alone.
            others = [old for old in [*self._painted, warped] if old is not None and old != window]
            if still and all(remainders(window, other) == [window] for other in others):
                kept[first] = window
        return kept

    def _warp(self, pull: NDArray) -> Window | None:
        """Move the still picture by a field (rows, columns, 2) of pixels; return the window that it touched."""
        moved = np.abs(pull).max(axis=-1) > self.LEAST
        if not moved.any():
            return None
        rows, columns = np.flatnonzero(moved.any(axis=1)), np.flatnonzero(moved.any(axis=0))
        low_r, high_r = max(rows[0] - 1, 0), min(rows[-1] + 1, self._grid[0] - 1)
        low_c, high_c = max(columns[0] - 1, 0), min(columns[-1] + 1, self._grid[1] - 1)
        cell = self._cell
        height, width = self.frame.shape[:2]
        part = pull[low_r : high_r + 1, low_c : high_c + 1]
        # node k stands at pixel k * cell: resize samples at centres, so let it see half a cell more and cut
        shape = ((high_c - low_c + 1) * cell, (high_r - low_r + 1) * cell)
        fine = cv2.resize(part, shape, interpolation=cv2.INTER_LINEAR)[cell // 2 : -cell // 2, cell // 2 : -cell // 2]
        top, left = low_r * cell, low_c * cell
        fine = fine[: height - top, : width - left]
        window = (slice(top, top + fine.shape[0]), slice(left, left + fine.shape[1]))
        places = cv2.add(fine, self._identity[window])
        skin = cv2.remap(  # type: ignore[call-overload]  # the stubs lack None: x and y lie in one map
            self._still4, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        cv2.cvtColor(skin, cv2.COLOR_BGRA2BGR, self.frame[window])
        return window
