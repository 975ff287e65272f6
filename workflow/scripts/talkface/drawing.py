"""Painting a face from its 68 landmarks: the flat style of the published animations and a shaded portrait.

Both styles share the geometry: mouth, teeth, tongue, eyes and lids are built as outlines that already end at the lips
and lids (no clipping masks), so that a frame costs a few small polygon fills. What does not move with speech is
painted once; the skin of the shaded style is then pulled along by a smooth field through the landmarks.

Axes: T frames, H height, W width, C colours (blue, green, red). Landmarks are pixels unless a name says otherwise.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from talkface import points
from talkface.canvas import ONE, SHIFT, Canvas, colour, mix, smooth, spline_matrix, tapered
from talkface.looks import Look
from talkface.portrait import paint_skin, skin_ramp
from talkface.wardrobe import paint_back_hair, paint_body, paint_backdrop, paint_front_hair

STYLES = ("flat", "shaded")
TEETH_EDGE = (
    0.055  # lower edge of the upper teeth below the closed lips, units: they belong to the skull, not to the lip
)
LOWER_TEETH = 0.05  # height of the visible lower teeth above the lower lip's inner edge, units
_LID_UPPER = {36: (37, 38), 42: (43, 44)}
_LID_LOWER = {36: (41, 40), 42: (47, 46)}
_MARGIN = 0.13  # of a unit: how far lashes and lids reach beyond the eye


def close_eyes(landmarks: NDArray, amount: ArrayLike) -> NDArray:
    """Landmarks (..., 68, 2) with the lids moved together; amount 0 (as they are) to 1 (closed), shape (...)."""
    closed = np.array(landmarks, np.float64)
    amount = np.asarray(amount, np.float64)[..., None]
    for first in (36, 42):
        for upper, lower in zip(_LID_UPPER[first], _LID_LOWER[first], strict=True):
            gap = closed[..., lower, :] - closed[..., upper, :]
            closed[..., upper, :] += 0.88 * amount * gap
            closed[..., lower, :] -= 0.12 * amount * gap
    return closed


def blink_amounts(frames: int, *, fps: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """How far the eyes are closed in each frame (frames,), 0-1: a blink of a quarter second every two to five seconds.

    Rate of 15-20 blinks a minute in conversation: Bentivoglio et al. 1997, Movement Disorders 12(6).
    """
    amounts = np.zeros(frames)
    time = np.arange(frames) / fps
    at = rng.uniform(0.6, 2.2)
    while at < frames / fps:
        # the lid falls in about 80 ms and rises in about 160 ms
        amounts = np.maximum(amounts, np.interp(time - at, [-0.08, -0.01, 0.03, 0.19], [0, 1, 1, 0]))
        at += rng.uniform(2.0, 5.0)
    return amounts


def _fill(frame: NDArray, outline: NDArray, paint: tuple) -> None:
    cv2.fillPoly(frame, [np.rint(outline * ONE).astype(np.int32)], paint, cv2.LINE_AA, SHIFT)


def _triple(paint: ArrayLike) -> tuple[int, int, int]:
    blue, green, red = (int(value) for value in np.clip(np.rint(paint), 0, 255))
    return blue, green, red


@dataclass(frozen=True)
class Palette:
    """Colours of the moving parts, each (blue, green, red) or a list from the rim inwards."""

    upper_lip: list
    lower_lip: list
    cavity: tuple
    tongue: list
    teeth: list
    sclera: list
    iris: list
    pupil: tuple
    glint: tuple
    lash: tuple
    lid: list
    gloss: list


def _steps(first: ArrayLike, last: ArrayLike, count: int) -> list:
    return [_triple(mix(first, last, share)) for share in np.linspace(0, 1, count)]


def shaded_palette(look: Look) -> Palette:
    """Palette of a shaded face: every part a few tones, so that nested outlines make a gradient."""
    skin, lips, iris = skin_ramp(look.skin), colour(look.lips), colour(look.iris)
    rim = mix(skin[120], lips, 0.72)
    return Palette(
        upper_lip=[*_steps(rim, lips * 0.93, 3), *_steps(lips * 0.88, lips * 0.66, 4)],
        lower_lip=[*_steps(rim, lips * 1.02, 3), *_steps(mix(lips, [215, 205, 245], 0.12), lips * 0.80, 4)],
        cavity=_triple([22, 14, 40]),
        tongue=_steps([52, 42, 108], [92, 84, 176], 4),
        teeth=_steps([176, 186, 194], [226, 234, 238], 3),
        sclera=_steps([188, 190, 198], [232, 234, 238], 3),
        iris=[_triple(iris * 0.35), *_steps(iris * 0.75, np.clip(iris * 1.35 + 12, 0, 255), 4)],
        pupil=(16, 12, 12),
        glint=(255, 252, 250),
        lash=_triple(mix([20, 18, 24], colour(look.brow), 0.25)),
        lid=_steps(mix(skin[95], skin[60], 0.3), skin[120], 2),
        gloss=_steps(mix(lips, [215, 205, 245], 0.18), mix(lips, [235, 228, 255], 0.42), 4),
    )


FLAT_PALETTE = Palette(
    upper_lip=[_triple(colour("#a9433d"))],
    lower_lip=[_triple(colour("#c25850"))],
    cavity=_triple(colour("#3a1113")),
    tongue=[_triple(colour("#b5565a"))],
    teeth=[_triple(colour("#f4f1ea"))],
    sclera=[_triple(colour("#fbfaf6"))],
    iris=[_triple(colour("#2d5a45")), _triple(colour("#4c8a68"))],
    pupil=_triple(colour("#17211d")),
    glint=(255, 255, 255),
    lash=_triple(colour("#40291c")),
    lid=[],
    gloss=[],
)


class _Part:
    """A local frame along two points: x from the first to the second, lengths in units."""

    def __init__(self, first: NDArray, second: NDArray, unit: float) -> None:
        axis = second - first
        axis = axis / max(np.hypot(*axis), 1e-9)
        self.centre, self.unit = (first + second) / 2, unit
        self.turn = np.array([[axis[0], axis[1]], [-axis[1], axis[0]]])  # rows: x axis, y axis

    def local(self, pixels: NDArray) -> NDArray:
        return (pixels - self.centre) @ self.turn.T / self.unit

    def pixels(self, local: NDArray) -> NDArray:
        return local @ self.turn * self.unit + self.centre


def _profile(curve: NDArray, x: NDArray) -> NDArray:
    """Height of a curve at the given x; the curve runs from left to right."""
    return np.interp(x, np.maximum.accumulate(curve[:, 0]), curve[:, 1])


def draw_mouth(frame: NDArray, landmarks: NDArray, palette: Palette, *, unit: float, teeth_line: NDArray) -> None:
    """Paint cavity, teeth, tongue and lips.

    Parameters
    ----------
    frame : (H, W, 3) uint8 array
        Painted in place.
    landmarks : (68, 2) array
        Pixels.
    palette : Palette
    unit : float
        Outer-eye distance in pixels.
    teeth_line : (2,) array
        Pixel position of the middle of the upper teeth's lower edge.
    """
    part = _Part(landmarks[48], landmarks[54], unit)
    lips = part.local(landmarks[48:68])  # (20, 2)
    outer_upper = spline_matrix(7, steps=5) @ lips[:7]  # left to right, (31, 2)
    outer_lower = spline_matrix(7, steps=5) @ lips[[0, 11, 10, 9, 8, 7, 6]]
    inner_upper = spline_matrix(5, steps=6) @ lips[[12, 13, 14, 15, 16]]
    inner_lower = spline_matrix(5, steps=6) @ lips[[12, 19, 18, 17, 16]]
    x = np.linspace(lips[12, 0], lips[16, 0], 31)
    top = _profile(inner_upper, x)
    bottom = np.maximum(_profile(inner_lower, x), top)
    gap = (bottom - top).max()
    if gap * unit > 0.6:
        _fill(
            frame,
            part.pixels(np.concatenate([np.stack([x, top], -1), np.stack([x, bottom], -1)[::-1]])),
            palette.cavity,
        )
        share = (x - x[0]) / (x[-1] - x[0])
        if gap > 0.09:  # the tongue lies low in an open mouth
            for level, tone in enumerate(palette.tongue):
                reach = 0.36 - 0.05 * level
                crest = bottom + 0.02 - (0.42 - 0.03 * level) * gap * np.clip(1 - ((share - 0.5) / reach) ** 2, 0, 1)
                crest = np.clip(crest + 0.012 * level, top, bottom)
                keep = abs(share - 0.5) < reach
                line = np.stack([x, crest], -1)[keep], np.stack([x, bottom], -1)[keep]
                _fill(frame, part.pixels(np.concatenate([line[0], line[1][::-1]])), tone)
        arch = 1 - (2 * share - 1) ** 2  # the row of teeth bends away from the viewer
        edge = part.local(np.asarray(teeth_line))[1]
        for level, tone in enumerate(palette.teeth):
            inset = 0.055 * (1 - level / max(len(palette.teeth), 1))
            lower = np.clip(edge - 0.045 * (1 - arch) - 0.012 * level, top, bottom)
            keep = (share > 0.12 - inset) & (share < 0.88 + inset)
            line = np.stack([x, top], -1)[keep], np.stack([x, lower], -1)[keep]
            _fill(frame, part.pixels(np.concatenate([line[0], line[1][::-1]])), tone)
        if gap > 0.13:
            lower = np.clip(bottom - LOWER_TEETH * np.clip(gap - 0.13, 0, 0.12) / 0.12 * arch, top, bottom)
            keep = (share > 0.2) & (share < 0.8)
            line = np.stack([x, lower], -1)[keep], np.stack([x, bottom], -1)[keep]
            _fill(frame, part.pixels(np.concatenate([line[0], line[1][::-1]])), palette.teeth[0])
    for outer, inner, tones in (
        (outer_lower, inner_lower, palette.lower_lip),
        (outer_upper, inner_upper, palette.upper_lip),
    ):
        inner = np.concatenate([outer[:1], inner, outer[-1:]])
        inner = inner[np.rint(np.linspace(0, len(inner) - 1, len(outer))).astype(int)]
        for level, tone in enumerate(tones):
            rim = outer + (inner - outer) * (0.85 * level / len(tones))
            _fill(frame, part.pixels(np.concatenate([rim, inner[::-1]])), tone)
    middle = (outer_lower[15] + inner_lower[12]) / 2
    for level, tone in enumerate(palette.gloss):
        wide, high = 0.105 - 0.022 * level, 0.024 - 0.0045 * level
        t = np.linspace(0, 2 * np.pi, 20)
        spot = middle + np.stack(
            [wide * np.cos(t) - 0.03, high * np.sin(t) - 0.012 + 0.12 * (wide * np.cos(t)) ** 2], -1
        )
        _fill(frame, part.pixels(spot), tone)
    if gap * unit <= 1.5:  # the line between closed lips
        line = part.pixels(np.concatenate([outer_upper[:1], (inner_upper + inner_lower) / 2, outer_upper[-1:]]))
        widths = unit * np.interp(
            np.linspace(0, 1, len(line)), [0, 0.2, 0.5, 0.8, 1], [0.006, 0.013, 0.018, 0.013, 0.006]
        )
        _fill(frame, tapered(line, np.maximum(widths, 0.8)), _triple(np.array(palette.upper_lip[-1]) * 0.45))


def draw_eye(
    frame: NDArray, eye: NDArray, palette: Palette, *, unit: float, lashes: float = 1.0, rest: float = 0.1
) -> None:
    """Paint one eye from its six landmarks (6, 2) in pixels; `rest` is its height when open, units."""
    left, right = eye[0], eye[3]
    part = _Part(left, right, unit)
    corners = part.local(eye)
    upper = spline_matrix(4, steps=6) @ corners[[0, 1, 2, 3]]
    lower = spline_matrix(4, steps=6) @ corners[[0, 5, 4, 3]]
    x = np.linspace(corners[0, 0], corners[3, 0], 25)
    top = _profile(upper, x)
    bottom = np.maximum(_profile(lower, x), top)
    height = float((bottom - top).max())
    half = corners[3, 0]
    crest = np.stack([x, top - 0.030 - 0.012 * (1 - (x / half) ** 2)], -1)
    for level, tone in enumerate(palette.lid):  # the upper lid, wider when it is down
        fold = min(top.min(), -rest * 0.55) - 0.035
        rim = np.stack([x, fold + (top - fold) * (0.35 * level) + 0.055 * (x / half) ** 2], -1)
        _fill(frame, part.pixels(np.concatenate([rim, np.stack([x, top], -1)[::-1]])), tone)
    if height * unit > 0.8:
        for level, tone in enumerate(palette.sclera):
            drop = (0.16 * level) * (bottom - top)
            line = np.stack([x, np.minimum(top + drop, bottom)], -1), np.stack([x, bottom], -1)
            _fill(frame, part.pixels(np.concatenate([line[0], line[1][::-1]])), tone)
        centre = np.array([0.0, -0.012 + 0.5 * float(np.interp(0, x, top) + np.interp(0, x, bottom)) * 0.3])
        radius = 0.62 * rest + 0.006

        def disc(at: NDArray, size: float, tone: tuple) -> None:
            across = np.linspace(-size, size, 17)
            rise = np.sqrt(np.maximum(size**2 - across**2, 0))
            low, high = np.interp(at[0] + across, x, top), np.interp(at[0] + across, x, bottom)
            above, below = np.clip(at[1] - rise, low, high), np.clip(at[1] + rise, low, high)
            ring = np.concatenate([np.stack([at[0] + across, above], -1), np.stack([at[0] + across, below], -1)[::-1]])
            _fill(frame, part.pixels(ring), tone)

        count = len(palette.iris)
        for level, tone in enumerate(palette.iris):
            disc(centre + [0, 0.010 * level / count], radius * (1 - 0.42 * level / count), tone)
        disc(centre, radius * 0.44, palette.pupil)
        disc(centre + [-0.30 * radius, -0.34 * radius], radius * 0.24, palette.glint)
        if len(palette.sclera) > 1:
            shade = np.minimum(top + 0.010, bottom)
            line = np.stack([x, top], -1), np.stack([x, shade], -1)
            _fill(
                frame, part.pixels(np.concatenate([line[0], line[1][::-1]])), _triple(np.array(palette.iris[0]) * 0.7)
            )
    lid = np.stack([x, top], -1)
    weight = np.interp(np.linspace(-1, 1, len(x)), [-1, -0.4, 0.5, 1], [0.012, 0.022, 0.022, 0.012]) * (
        0.7 + 0.5 * lashes
    )
    _fill(frame, part.pixels(tapered(lid - [0, 0.004], weight)), palette.lash)
    under = np.stack([x, bottom], -1)[3:-2]
    tone = _triple(mix(palette.lash, palette.lid[0] if palette.lid else FLAT_PALETTE.lash, 0.62))
    _fill(frame, part.pixels(tapered(under + [0, 0.004], np.full(len(under), 0.009))), tone)
    if palette.lid:
        shadow = _triple(np.array(palette.lid[0]) * 0.72)
        fold = crest - [0, 0.012]
        _fill(
            frame,
            part.pixels(tapered(fold[2:-2], np.interp(np.arange(21), [0, 10, 20], [0.003, 0.011, 0.003]))),
            shadow,
        )


def _rectangle(pixels: NDArray, margin: float, shape: tuple) -> tuple[slice, slice]:
    """Window around pixels with a margin, on even coordinates (chroma is halved), within the picture."""
    low = np.maximum(np.floor(pixels.min(axis=0) - margin).astype(int) & ~1, 0)
    high = np.minimum((np.ceil(pixels.max(axis=0) + margin).astype(int) + 1) & ~1, [shape[1], shape[0]])
    high = np.maximum(high, low)
    return slice(low[1], high[1]), slice(low[0], high[0])


class FlatPainter:
    """The published painted face: plain colours on white, a forehead added above the brows.

    Parameters
    ----------
    rest : (68, 2) array
        Neutral face in pixels: gives the unit and where the upper teeth are.
    size : (width, height)
        Of the picture, pixels, even numbers.
    """

    def __init__(self, rest: NDArray, *, size: tuple[int, int]) -> None:
        self.rest = np.asarray(rest, np.float64)
        self.unit = float(points.outer_eye_distance(self.rest))
        self.frame = np.full((size[1], size[0], 3), _triple(colour("#f7f4ee")), np.uint8)
        self.ground = self.frame[0, 0].tolist()
        self.skin, self.shade, self.light, self.dark = (
            _triple(colour(code)) for code in ("#d99f78", "#c98b63", "#e6b28d", "#b2744f")
        )
        self.brow = _triple(colour("#54351f"))
        self._last: tuple[slice, slice] | None = None

    def paint(self, landmarks: NDArray) -> list[tuple[slice, slice]]:
        """Paint landmarks (68, 2) on `frame`; return the windows (rows, columns) that changed."""
        frame, unit = self.frame, self.unit
        landmarks = np.asarray(landmarks, np.float64)
        # forehead: points 17, 19, 24, 26 raised by 0.03 of a face 0.3 wide (the published figure), which is 0.17 units,
        # and rounded
        raised = landmarks[[26, 24, 19, 17]] - [[0, 0.30 * unit], [0, 0.52 * unit], [0, 0.52 * unit], [0, 0.30 * unit]]
        raised[[0, 3], 0] += [0.03 * unit, -0.03 * unit]
        face = smooth(np.concatenate([landmarks[:17], raised]), closed=True)
        window = _rectangle(face, 3, frame.shape)
        for old in [window] if self._last is None else [window, self._last]:
            frame[old] = self.ground
        _fill(frame, face, self.skin)
        nose = landmarks[27:36]
        wing = 0.02 * unit
        left, right = nose[4] - [wing, 0], nose[8] + [wing, 0]
        _fill(frame, np.array([nose[0], left, nose[3]]), self.shade)
        _fill(frame, np.array([nose[0], nose[3], right]), self.light)
        _fill(frame, np.concatenate([[nose[3]], [right], smooth(nose[[8, 7, 6, 5, 4]]), [left]]), self.dark)
        for first, nose_last in ((17, True), (22, False)):
            line = smooth(landmarks[first : first + 5])
            widths = np.linspace(0.02, 0.07, len(line)) * unit
            _fill(frame, tapered(line, widths if nose_last else widths[::-1]), self.brow)
        for first in (36, 42):
            draw_eye(frame, landmarks[first : first + 6], FLAT_PALETTE, unit=unit)
        teeth = landmarks[33] + (self.rest[62] - self.rest[33]) + [0, TEETH_EDGE * unit]
        draw_mouth(frame, landmarks, FLAT_PALETTE, unit=unit, teeth_line=teeth)
        changed = [window] if self._last is None else [window, self._last]
        self._last = window
        return changed


class ShadedPainter:
    """A lit portrait that follows its landmarks.

    Parameters
    ----------
    rest : (68, 2) array
        Neutral upright face with closed mouth, pixels: the portrait is painted around it.
    look : Look
    size : (width, height)
        Of the picture, pixels, even numbers.
    rng : numpy Generator
        For strands of hair, freckles and the backdrop.
    """

    # Landmarks that pull the skin: without lids and inner lips, which are painted on every frame.
    PULLING = (*range(27), *points.NOSE, *points.EYE_CORNERS, *points.OUTER_LIP)
    CELL = 12  # pixels between nodes of the displacement field

    def __init__(self, rest: NDArray, *, look: Look, size: tuple[int, int], rng: np.random.Generator) -> None:
        self.rest = np.asarray(rest, np.float64)
        self.look = look
        self.unit = float(points.outer_eye_distance(self.rest))
        self.origin = self.rest[list(points.OUTER_EYE_CORNERS)].mean(axis=0)
        self.palette = shaded_palette(look)
        self.still = self._portrait(size, rng)
        self.frame = self.still.copy()
        self._prepare_field()
        self._dirty: list[tuple[slice, slice]] = [(slice(0, size[1]), slice(0, size[0]))]
        self._open = [float(np.ptp(self.rest[k : k + 6, 1])) / self.unit for k in (36, 42)]

    def _portrait(self, size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.uint8]:
        face = (self.rest - self.origin) / self.unit
        canvas = Canvas(np.zeros((size[1], size[0], 3), np.float32), unit=self.unit, origin=self.origin)
        paint_backdrop(canvas, self.look, rng)
        paint_back_hair(canvas, face, self.look, rng)
        paint_body(canvas, face, self.look)
        head = paint_skin(canvas, face, self.look, rng)
        paint_front_hair(canvas, face, self.look, rng, head)
        return np.clip(np.rint(canvas.image), 0, 255).astype(np.uint8)

    def _prepare_field(self) -> None:
        """Weights that spread the landmarks' displacements over a coarse grid (thin-plate spline, linear in them)."""
        height, width = self.frame.shape[:2]
        u, o = self.unit, self.origin
        skull = np.array([(-0.8, -0.55), (-0.45, -1.0), (0, -1.15), (0.45, -1.0), (0.8, -0.55)]) * u + o
        columns, rows = np.linspace(0, width - 1, 6), np.linspace(0, height - 1, 6)
        border = np.array([(x, y) for x in columns for y in rows if x in columns[[0, -1]] or y in rows[[0, -1]]])
        chin = self.rest[8, 1]
        shoulders = np.array([(x * u + o[0], chin + 0.62 * u) for x in (-0.9, -0.45, 0, 0.45, 0.9)])
        self._skull = skull
        anchors = np.concatenate([border, shoulders[shoulders[:, 1] < height - 1]])
        pulling = self.rest[list(self.PULLING)]
        nodes = np.concatenate([pulling, skull, anchors])  # (N, 2)
        self._moved = len(pulling) + len(skull)
        self._grid = (-(-height // self.CELL) + 1, -(-width // self.CELL) + 1)
        gx, gy = np.meshgrid(np.arange(self._grid[1]) * self.CELL, np.arange(self._grid[0]) * self.CELL)
        grid = np.stack([gx.ravel(), gy.ravel()], -1).astype(float)

        def kernel(a: NDArray, b: NDArray) -> NDArray:
            squared = ((a[:, None] - b[None]) ** 2).sum(-1) / u**2
            return 0.5 * squared * np.log(squared + 1e-9)

        def affine(a: NDArray) -> NDArray:
            return np.column_stack([np.ones(len(a)), (a - o) / u])

        n = len(nodes)
        system = np.zeros((n + 3, n + 3))
        system[:n, :n] = kernel(nodes, nodes) + 1e-3 * np.eye(n)  # a little give: brows and lids may disagree
        system[:n, n:] = affine(nodes)
        system[n:, :n] = affine(nodes).T
        inverse = np.linalg.inv(system)[:, : self._moved]
        self._weights = (np.column_stack([kernel(grid, nodes), affine(grid)]) @ inverse).astype(np.float32)
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        self._identity = np.stack([x, y], -1)

    def _pose(self, landmarks: NDArray) -> NDArray:
        """Similarity (2, 3) from the resting face to this frame, by the points that speech does not move."""
        index = list(points.STABLE)
        source, target = self.rest[index], landmarks[index]
        a, b = source - source.mean(0), target - target.mean(0)
        scale = (a**2).sum()
        c, s = (a * b).sum() / scale, (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / scale
        turn = np.array([[c, -s], [s, c]])
        return np.column_stack([turn, target.mean(0) - turn @ source.mean(0)])

    def paint(self, landmarks: NDArray) -> list[tuple[slice, slice]]:
        """Paint landmarks (68, 2) on `frame`; return the windows (rows, columns) that changed."""
        landmarks = np.asarray(landmarks, np.float64)
        pose = self._pose(landmarks)
        target = np.concatenate([landmarks[list(self.PULLING)], self._skull @ pose[:, :2].T + pose[:, 2]])
        source = np.concatenate([self.rest[list(self.PULLING)], self._skull])
        pull = (self._weights @ (source - target).astype(np.float32)).reshape(*self._grid, 2)
        changed = self._dirty
        self._dirty = []
        for window in changed:
            self.frame[window] = self.still[window]
        window = self._warp(pull)
        if window is not None:
            self._dirty.append(window)
        unit = self.unit
        for index, first in enumerate((36, 42)):
            eye = landmarks[first : first + 6]
            draw_eye(self.frame, eye, self.palette, unit=unit, lashes=self.look.lashes, rest=self._open[index])
            self._dirty.append(_rectangle(eye, _MARGIN * unit, self.frame.shape))
        rest_teeth = (self.rest[62] + [0, TEETH_EDGE * unit]) @ pose[:, :2].T + pose[:, 2]
        draw_mouth(self.frame, landmarks, self.palette, unit=unit, teeth_line=rest_teeth)
        self._dirty.append(_rectangle(landmarks[48:60], 0.04 * unit, self.frame.shape))
        return [*changed, *self._dirty]

    def _warp(self, pull: NDArray) -> tuple[slice, slice] | None:
        """Move the still picture by a field (rows, columns, 2) of pixels; return the window that it touched."""
        moved = np.abs(pull).max(axis=-1) > 0.3
        if not moved.any():
            return None
        rows, columns = np.flatnonzero(moved.any(axis=1)), np.flatnonzero(moved.any(axis=0))
        low_r, high_r = max(rows[0] - 1, 0), min(rows[-1] + 1, self._grid[0] - 1)
        low_c, high_c = max(columns[0] - 1, 0), min(columns[-1] + 1, self._grid[1] - 1)
        cell = self.CELL
        height, width = self.frame.shape[:2]
        part = pull[low_r : high_r + 1, low_c : high_c + 1]
        # node k stands at pixel k * cell: resize samples at centres, so let it see half a cell more and cut
        shape = ((high_c - low_c + 1) * cell, (high_r - low_r + 1) * cell)
        fine = cv2.resize(part, shape, interpolation=cv2.INTER_LINEAR)[cell // 2 : -cell // 2, cell // 2 : -cell // 2]
        top, left = low_r * cell, low_c * cell
        fine = fine[: height - top, : width - left]
        window = (slice(top, top + fine.shape[0]), slice(left, left + fine.shape[1]))
        cv2.remap(
            self.still, cv2.add(fine, self._identity[window]), None, cv2.INTER_LINEAR, self.frame[window],
            cv2.BORDER_REPLICATE,
        )  # fmt: skip
        return window
