"""Mouth and eyes, the parts of a face that are painted anew on every frame, in any palette.

Their outlines are built so that they already end at lips and lids: no clipping, only small polygons to fill. Shades are
nested outlines of a few shades.

Landmarks are pixels; inside, each part has a frame of its own: x along its corners, lengths in units (the outer-eye
distance).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from talkface.drawing.canvas import blend, spline_matrix, tapered, to_bgr, triple
from talkface.drawing.characters import Appearance
from talkface.drawing.skin import skin_ramp
from talkface.drawing.windows import Patch, Window

LOWER_TEETH = 0.05  # height of the visible lower teeth above the lower lip's inner edge, units
IRIS = 0.068  # radius, units: 11.7 mm across where the outer eye corners lie 87 mm apart
_LASH_MARGIN = 0.10  # how far lashes and the fold of the lid reach beyond the eye, units
_LIP_MARGIN = 0.04


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
    under: tuple
    gloss: list
    seam: tuple
    corner: list
    fold: tuple | None = None
    shade: tuple | None = None


def _steps(first: ArrayLike, last: ArrayLike, count: int) -> list:
    """Return `count` colours from the first to the last, evenly spaced."""
    return [triple(blend(first, last, share)) for share in np.linspace(0, 1, count)]


def shaded_palette(look: Appearance) -> Palette:
    """Return the palette of a shaded face: a few shades a part, so that nested outlines make a gradient."""
    skin, lips, iris = skin_ramp(look.skin), to_bgr(look.lips), to_bgr(look.iris)
    rim = blend(skin[120], lips, 0.72)
    return Palette(
        upper_lip=[*_steps(rim, lips * 0.93, 3), *_steps(lips * 0.88, lips * 0.66, 4)],
        lower_lip=[*_steps(rim, lips * 1.02, 3), *_steps(blend(lips, [215, 205, 245], 0.12), lips * 0.80, 4)],
        cavity=triple([22, 14, 40]),
        tongue=_steps([52, 42, 108], [92, 84, 176], 4),
        teeth=_steps([176, 186, 194], [226, 234, 238], 3),
        sclera=_steps([188, 190, 198], [232, 234, 238], 3),
        iris=[triple(iris * 0.35), *_steps(iris * 0.75, np.clip(iris * 1.35 + 12, 0, 255), 4)],
        pupil=(16, 12, 12),
        glint=(255, 252, 250),
        lash=triple(blend([20, 18, 24], to_bgr(look.brow), 0.25)),
        under=triple(blend(to_bgr(look.brow) * 0.4, skin[84], 0.62)),
        fold=triple(skin[62]),
        shade=triple(iris * 0.25),
        seam=triple(lips * 0.30),
        corner=_steps(blend(skin[92], rim, 0.45), lips * 0.38, 4),
        gloss=_steps(blend(lips, [215, 205, 245], 0.18), blend(lips, [235, 228, 255], 0.42), 4),
    )


FLAT_PALETTE = Palette(
    upper_lip=[triple(to_bgr("#a9433d"))],
    lower_lip=[triple(to_bgr("#c25850"))],
    cavity=triple(to_bgr("#3a1113")),
    tongue=[triple(to_bgr("#b5565a"))],
    teeth=[triple(to_bgr("#f4f1ea"))],
    sclera=[triple(to_bgr("#fbfaf6"))],
    iris=[triple(to_bgr("#2d5a45")), triple(to_bgr("#4c8a68"))],
    pupil=triple(to_bgr("#17211d")),
    glint=(255, 255, 255),
    lash=triple(to_bgr("#40291c")),
    under=triple(to_bgr("#7a5238")),
    gloss=[],
    seam=triple(to_bgr("#4d1b1a")),
    corner=[],
)


def _profile(curve: NDArray, x: NDArray) -> NDArray:
    """Return the height of a curve, which runs from left to right, at the given x."""
    return np.interp(x, np.maximum.accumulate(curve[:, 0]), curve[:, 1])


# Splines and spacings that every frame uses.
_LIP_OUTER, _LIP_INNER, _LID = spline_matrix(7, steps=5), spline_matrix(5, steps=6), spline_matrix(4, steps=6)
_OUTER_LOWER = [0, 11, 10, 9, 8, 7, 6]
_INNER_UPPER, _INNER_LOWER = [12, 13, 14, 15, 16], [12, 19, 18, 17, 16]
_SHARE = np.linspace(0, 1, 31)  # across the mouth
_ARCH = 1 - (2 * _SHARE - 1) ** 2  # the rows of teeth bend away from the viewer
_RIM = np.rint(np.linspace(0, 26, 31)).astype(int)  # inner curve with its corners (27) to the outer curve's length (31)
_ROUND = np.stack([np.cos(np.linspace(0, 2 * np.pi, 26)), np.sin(np.linspace(0, 2 * np.pi, 26))], -1)
_ACROSS = np.linspace(-1, 1, 25)  # across the eye
_LASH_WIDTH = np.interp(_ACROSS, [-1, -0.4, 0.5, 1], [0.012, 0.022, 0.022, 0.012])
_FOLD_WIDTH = np.interp(np.arange(21), [0, 10, 20], [0.003, 0.011, 0.003])
_UNDER_WIDTH = np.full(20, 0.009)
_SEAM_WIDTH = np.interp(np.linspace(0, 1, 27), [0, 0.2, 0.5, 0.8, 1], [0.012, 0.016, 0.018, 0.016, 0.012])


def draw_mouth(
    frame: NDArray[np.uint8], landmarks: NDArray, palette: Palette, *, unit: float, teeth_line: NDArray
) -> Window:
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

    Returns
    -------
    The window (rows, columns) that was painted on.
    """
    patch = Patch(frame, landmarks[48:60], landmarks[48], landmarks[54], unit=unit, margin=_LIP_MARGIN)
    lips = patch.local(landmarks[48:68])  # (20, 2)
    outer_upper, outer_lower = _LIP_OUTER @ lips[:7], _LIP_OUTER @ lips[_OUTER_LOWER]  # left to right, (31, 2)
    inner_upper, inner_lower = _LIP_INNER @ lips[_INNER_UPPER], _LIP_INNER @ lips[_INNER_LOWER]  # (25, 2)
    x = lips[12, 0] + (lips[16, 0] - lips[12, 0]) * _SHARE
    top = _profile(inner_upper, x)
    bottom = np.maximum(_profile(inner_lower, x), top)
    gap = float((bottom - top).max())
    if gap * unit > 0.6:
        patch.band(x, top, bottom, palette.cavity)
        if gap > 0.09:
            _tongue(patch, x, top, bottom, gap, palette)
        _teeth(patch, x, top, bottom, gap, palette, edge=patch.local(np.asarray(teeth_line))[1])
    for outer, inner, shades in (
        (outer_lower, inner_lower, palette.lower_lip),
        (outer_upper, inner_upper, palette.upper_lip),
    ):
        inner = np.concatenate([outer[:1], inner, outer[-1:]])[_RIM]
        for level, shade in enumerate(shades):
            rim = outer + (inner - outer) * (0.85 * level / len(shades))
            patch.fill(np.concatenate([rim, inner[::-1]]), shade, level=level)
    middle = (outer_lower[15] + inner_lower[12]) / 2 - [0.03, 0.012]
    for level, shade in enumerate(palette.gloss):
        spot = _ROUND * [0.105 - 0.022 * level, 0.024 - 0.0045 * level]
        spot[:, 1] += 0.12 * spot[:, 0] ** 2
        patch.fill(middle + spot, shade, level=level)
    if gap * unit <= 1.5:  # the line between closed lips
        line = np.concatenate([outer_upper[:1], (inner_upper + inner_lower) / 2, outer_upper[-1:]])
        patch.fill(tapered(line, np.maximum(_SEAM_WIDTH, 0.8 / unit)), palette.seam)
    for corner, inside in ((lips[0], lips[12]), (lips[6], lips[16])):  # where the lips meet it is dark
        for level, shade in enumerate(palette.corner):
            deep = corner + (inside - corner) * 0.25 * level
            patch.fill(deep + _ROUND * ([0.029 - 0.007 * level, 0.020 - 0.005 * level]), shade, level=level)
    return patch.paste()


def _tongue(patch: Patch, x: NDArray, top: NDArray, bottom: NDArray, gap: float, palette: Palette) -> None:
    """Paint the tongue, low in an open mouth."""
    for level, shade in enumerate(palette.tongue):
        reach = 0.36 - 0.05 * level
        crest = bottom + 0.02 - (0.42 - 0.03 * level) * gap * np.clip(1 - ((_SHARE - 0.5) / reach) ** 2, 0, 1)
        crest = np.clip(crest + 0.012 * level, top, bottom)
        keep = np.abs(_SHARE - 0.5) < reach
        patch.band(x[keep], crest[keep], bottom[keep], shade, level=level)


def _teeth(
    patch: Patch, x: NDArray, top: NDArray, bottom: NDArray, gap: float, palette: Palette, *, edge: float
) -> None:
    """Paint upper teeth down to `edge`, where the lips show them, and lower teeth in a wide-open mouth."""
    for level, shade in enumerate(palette.teeth):
        inset = 0.06 * level / len(palette.teeth)
        lower = np.clip(edge - 0.16 * (1 - _ARCH) ** 3 - 0.012 * level, top, bottom)
        keep = np.abs(_SHARE - 0.5) < 0.44 - inset
        patch.band(x[keep], top[keep], lower[keep], shade, level=level)
    if gap > 0.13:
        lower = np.clip(bottom - LOWER_TEETH * min((gap - 0.13) / 0.12, 1) * _ARCH, top, bottom)
        patch.band(x[6:-6], lower[6:-6], bottom[6:-6], palette.teeth[0])


def draw_eye(
    frame: NDArray[np.uint8], eye: NDArray, palette: Palette, *, unit: float, lashes: float = 1.0, rest: float = 0.1
) -> Window:
    """Paint one eye.

    Parameters
    ----------
    frame : (H, W, 3) uint8 array
        Painted in place.
    eye : (6, 2) array
        Its landmarks, pixels.
    palette : Palette
    unit : float
        Outer-eye distance in pixels.
    lashes : float
        Weight of the upper lid's line.
    rest : float
        Height of the eye when it is open, units: the iris keeps its size when the lids move.

    Returns
    -------
    The window (rows, columns) that was painted on.
    """
    patch = Patch(frame, eye, eye[0], eye[3], unit=unit, margin=_LASH_MARGIN)
    corners = patch.local(eye)
    half = float(corners[3, 0])
    x = half * _ACROSS
    top = _profile(_LID @ corners[[0, 1, 2, 3]], x)
    bottom = np.maximum(_profile(_LID @ corners[[0, 5, 4, 3]], x), top)
    open_ = bottom - top
    if float(open_.max()) * unit > 0.8:
        for level, shade in enumerate(palette.sclera):
            patch.band(x, top + 0.16 * level * open_, bottom, shade, level=level)
        _iris(patch, x, top, bottom, palette, radius=min(0.62 * rest + 0.006, IRIS))
        if palette.shade:  # of the upper lid on the eye
            patch.band(x, top, np.minimum(top + 0.010, bottom), palette.shade)
    lid = np.stack([x, top - 0.004], -1)
    patch.fill(tapered(lid, _LASH_WIDTH * (0.7 + 0.5 * lashes)), palette.lash)
    patch.fill(tapered(np.stack([x, bottom + 0.004], -1)[3:-2], _UNDER_WIDTH), palette.under)
    if palette.fold:
        fold = np.stack([x, top - 0.042 - 0.012 * (1 - _ACROSS**2)], -1)[2:-2]
        patch.fill(tapered(fold, _FOLD_WIDTH), palette.fold)
    return patch.paste()


def _iris(patch: Patch, x: NDArray, top: NDArray, bottom: NDArray, palette: Palette, *, radius: float) -> None:
    """Paint rings of the iris, pupil and glint, each cut by the lids."""
    count = len(palette.iris)
    centre = 0.15 * float(top[len(x) // 2] + bottom[len(x) // 2]) - 0.012
    rings = [(0.0, centre + 0.010 * k / count, radius * (1 - 0.42 * k / count)) for k in range(count)]
    rings += [(0.0, centre, 0.44 * radius), (-0.30 * radius, centre - 0.34 * radius, 0.24 * radius)]
    at = np.array(rings)  # x, y, radius
    discs = _ROUND[None] * at[:, None, 2:] + at[:, None, :2]  # (rings, 26, 2)
    discs[..., 1] = np.clip(discs[..., 1], np.interp(discs[..., 0], x, top), np.interp(discs[..., 0], x, bottom))
    for disc, shade in zip(discs, [*palette.iris, palette.pupil, palette.glint], strict=True):
        patch.fill(disc, shade)
