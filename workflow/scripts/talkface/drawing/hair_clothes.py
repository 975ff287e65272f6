# ruff: noqa: RUF005  (points are moved by adding a list to an array)
"""Hair, clothes and backdrop of a shaded portrait."""

import cv2
import numpy as np
from numpy.typing import NDArray

from talkface.drawing.canvas import SHIFT, Canvas, blend, ellipse, fixed, smooth, to_bgr
from talkface.drawing.characters import Appearance
from talkface.drawing.skin import skin_ramp

HAIR_STYLES = (
    "short", "side", "swept", "buzz", "bald", "receding", "afro", "curly", "long", "wavy", "bob", "fringe", "bun",
)  # fmt: skip


def paint_backdrop(canvas: Canvas, look: Appearance, rng: np.random.Generator) -> None:
    """Fill the picture with a soft gradient and a few lights out of focus."""
    height, width = canvas.shape
    upper, lower, light = map(to_bgr, look.backdrop)
    x = np.linspace(-1, 1, 64, dtype=np.float32)[None]
    y = np.linspace(0, 1, 64, dtype=np.float32)[:, None]
    ramp = np.clip(y + 0.12 * x, 0, 1)[..., None]
    ground = upper * (1 - ramp) + lower * ramp
    ground += (light - ground) * (0.55 * np.exp(-0.5 * (((x + 0.25) / 0.55) ** 2 + ((y - 0.3) / 0.33) ** 2)))[..., None]
    for channel, plane in enumerate(canvas.planes):
        plane[:] = cv2.resize(ground[..., channel], (width, height), interpolation=cv2.INTER_CUBIC)
    span = np.array([width, height]) / canvas.unit
    for _ in range(14):
        at = rng.uniform(0.02, 0.98, 2) * span - canvas.origin / canvas.unit
        radius = rng.uniform(0.08, 0.26)
        tint = blend(light, rng.uniform(150, 255, 3), 0.25)
        canvas.fill(ellipse(at, (radius, radius)), tint, blur=0.05, opacity=rng.uniform(0.06, 0.20))
    np.clip(canvas.planes, 0, 255, out=canvas.planes)


def paint_body(canvas: Canvas, face: NDArray, look: Appearance) -> None:
    """Paint neck and clothes."""
    ramp = skin_ramp(look.skin)
    half, chin = face[16, 0], face[8, 1]
    neck = 0.50 * look.neck * half / 0.8
    top, shoulder = chin - 0.55, chin + 0.44
    tone = to_bgr(look.clothes)
    side = [(neck * 1.02, top), (neck * 0.97, chin), (neck * 0.98, chin + 0.16), (neck * 1.10, chin + 0.30)]
    right = np.array([*side, (neck * 1.5, shoulder + 0.10), (neck * 1.9, shoulder + 1.4)])
    outline = np.concatenate([smooth(right), smooth(right)[::-1] * [-1, 1]])
    window, cover = canvas.mask([outline], blur=0.006)
    body = np.zeros(canvas.shape, np.float32)
    body[window] = cover
    canvas.lay(window, cover, ramp[140])
    canvas.fill(
        [(neck * 0.2, top), (neck * 1.1, top), (neck * 1.4, shoulder), (neck * 0.45, shoulder)],
        ramp[60], blur=0.12, opacity=0.75, inside=body,
    )  # fmt: skip
    canvas.fill(ellipse([0.06, chin - 0.14], (half * 0.86, 0.36)), ramp[22], blur=0.07, opacity=0.78, inside=body)
    for s in (-1, 1):  # the two cords of the neck, and the collar bones
        cord = [(s * neck * 0.72, chin + 0.02), (s * neck * 0.42, chin + 0.30), (s * 0.06, chin + 0.50)]
        canvas.strokes([smooth(cord)], 0.035, ramp[90], blur=0.03, opacity=0.45, inside=body)
        bone = [(s * 0.09, chin + 0.52), (s * 0.42, chin + 0.47), (s * 0.85, chin + 0.50)]
        canvas.strokes([smooth(bone)], 0.03, ramp[200], blur=0.02, opacity=0.4, inside=body)

    collar = {"round": 0.30, "v": 0.28, "collar": 0.20, "turtle": 0.06}[look.neckline]
    dip = {"round": 0.56, "v": 0.86, "collar": 0.62, "turtle": 0.10}[look.neckline]
    base = neck * (1.12 if look.neckline in ("round", "v") else 1.03)
    opening = np.array([(base, chin + collar), (base * 0.75, chin + collar + 0.55 * (dip - collar)), (0, chin + dip)])
    if look.neckline == "turtle":
        opening = np.array(
            [(neck * 1.02, chin + collar), (neck * 0.5, chin + collar + 0.07), (0, chin + collar + 0.09)]
        )
    edge = smooth(np.concatenate([opening, opening[-2::-1] * [-1, 1]]), steps=8)
    if look.neckline in ("v", "collar"):
        edge = np.concatenate([opening[[0, 1]], opening[[2]], opening[[1, 0]] * [-1, 1]])
    slope = [(base + 0.01, chin + collar - 0.012), (base + 0.24, shoulder - 0.03), (1.16, shoulder + 0.12)]
    wide = look.shoulders
    outer = smooth(np.array([*slope, (1.50, shoulder + 0.30), (1.72, shoulder + 0.9), (1.8, shoulder + 2.5)]), steps=6)
    outer[:, 0] = base + (outer[:, 0] - base) * wide
    garment = np.concatenate([edge[::-1], outer, outer[::-1] * [-1, 1]])
    window, cover = canvas.mask([garment], blur=0.005)
    x, y = canvas.grid()
    rows, columns = window
    fall = np.clip(0.62 - 0.30 * x[:, columns] - 0.14 * (y[rows] - shoulder), 0.25, 1.1)
    for at, width, amount in ((-0.95, 0.16, 0.10), (-0.45, 0.10, -0.08), (0.35, 0.12, -0.09), (0.9, 0.2, 0.07)):
        lean = at * (1 + 0.22 * (y[rows] - shoulder))
        fall = fall + amount * np.exp(-0.5 * ((x[:, columns] - lean) / width) ** 2)
    canvas.lay(window, cover, np.clip(tone * (0.45 + 0.75 * fall[..., None]), 0, 255))
    dark, light = tone * 0.45, blend(tone, [255, 255, 255], 0.22)
    canvas.strokes([edge + [0, 0.02]], 0.03, dark, blur=0.012, opacity=0.55)
    canvas.strokes([edge + [0, 0.035]], 0.016, light, blur=0.006, opacity=0.5)
    if look.neckline == "collar":
        for s in (-1, 1):
            flap = np.array([(neck * 1.04, chin + 0.17), (neck * 0.74, chin + 0.42), (0.03, chin + 0.70),
                             (0.34, chin + 0.80), (neck * 1.25, chin + 0.40)]) * [s, 1]  # fmt: skip
            canvas.fill(flap, blend(tone, [255, 255, 255], 0.30 if s < 0 else 0.14), blur=0.004)
            canvas.strokes([flap[2:]], 0.014, dark, blur=0.008, opacity=0.6)
    elif look.neckline == "turtle":
        roll = np.concatenate([edge, (edge + [0, 0.24])[::-1]])
        canvas.fill(roll, blend(tone, light, 0.3), blur=0.012, opacity=0.7)
        canvas.strokes([edge + [0, 0.245]], 0.02, dark, blur=0.016, opacity=0.7)


def _comb(
    canvas: Canvas,
    region: NDArray,
    lines: list[NDArray],
    look: Appearance,
    rng: np.random.Generator,
    *,
    width: float = 0.0075,
    tones: list[float] | None = None,
) -> None:
    """Fill a region (H, W) with hair along guide lines: strands of five tones in three layers, some grey.

    `tones` (0-1) says how light each line is, so that neighbours can make a lock; without it chance decides.
    """
    tint = to_bgr(look.hair)
    rows, columns = np.flatnonzero(region.max(axis=1) > 0), np.flatnonzero(region.max(axis=0) > 0)
    if not len(rows):
        return
    window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    levels = rng.integers(0, 5, len(lines))
    if tones is not None:
        levels = np.clip(np.rint(4 * np.asarray(tones) + rng.normal(0, 0.9, len(lines))), 0, 4).astype(int)
    ground = tint * 0.66
    shades = [blend(tint * 0.42, blend(tint * 1.15, [200, 215, 235], 0.14), level / 4) for level in range(5)]
    for level in range(5 - round(5 * look.hair_grey), 5):
        shades[level] = blend(shades[level], [205, 205, 205], 0.6)
    hair = np.empty((window[0].stop - window[0].start, window[1].stop - window[1].start, 3), np.uint8)
    hair[:] = np.clip(ground, 0, 255)
    corner = [window[1].start, window[0].start]
    layer = rng.integers(0, 3, len(lines))
    thick = max(1, round(width * canvas.unit))
    for turn in range(3):
        for level in rng.permutation(5):
            chosen = np.flatnonzero((levels == level) & (layer == turn))
            strands = [fixed(canvas.pixels(lines[index]) - corner) for index in chosen]
            tone = blend(ground, shades[level], 0.72).clip(0, 255).tolist()
            cv2.polylines(hair, strands, False, tone, thick, cv2.LINE_AA if thick == 1 else cv2.LINE_8, SHIFT)
    canvas.lay(window, region[window], cv2.GaussianBlur(hair, (0, 0), 0.8))  # smooths the strands' steps too


def _region(canvas: Canvas, outlines: list[NDArray], *, blur: float = 0.012) -> NDArray[np.float32]:
    """Return the coverage (H, W), 0-1, of filled outlines on the whole canvas."""
    full = np.zeros(canvas.shape, np.float32)
    window, cover = canvas.mask(outlines, blur=blur)
    full[window] = cover
    return full


def _between(
    first: NDArray, second: NDArray, count: int, rng: np.random.Generator
) -> tuple[list[NDArray], list[float]]:
    """Return lines between two curves of equal length, a little disordered, and their tones: locks side by side."""
    lines, tones = [], []
    phase = np.linspace(0, 1, len(first))
    turn = (0.4, 2.1, 4.4)  # the same on both sides, so that locks meet at the parting
    for _ in range(count):
        share = rng.uniform(-0.03, 1.03)
        start = rng.uniform(-0.3, 0.8)
        keep = (phase >= start) & (phase <= start + rng.uniform(0.25, 0.7))
        if keep.sum() < 3:
            continue
        line = first + (second - first) * share
        sway = rng.normal(0, 0.008) + 0.010 * np.sin(phase * rng.uniform(5, 9) + rng.uniform(0, 6.3))
        lines.append((line + np.stack([sway, 0.3 * sway], -1))[keep])
        locks = np.sin(19 * share + turn[0]) + 0.7 * np.sin(41 * share + turn[1]) + 0.5 * np.sin(7 * share + turn[2])
        tones.append(0.5 + 0.28 * locks)
    return lines, tones


def _density(canvas: Canvas) -> int:
    """Return the number of strands on a head: more on a larger picture, where each is thinner."""
    return int(440 * max(canvas.unit / 108, 1))


def paint_back_hair(canvas: Canvas, face: NDArray, look: Appearance, rng: np.random.Generator) -> None:
    """Paint the hair that falls behind the neck, or stands around the head."""
    half, chin = face[16, 0], face[8, 1]
    style, dense = look.hair_style, _density(canvas)
    if style in FALLING:
        right = _fall(style, half, chin)[0]
        left = right * [-1, 1]
        region = _region(canvas, [np.concatenate([right, left[::-1]])], blur=0.008)
        inner = right * [0.3, 1]
        lines, tones = _between(inner, right, dense // 3, rng)
        more, others = _between(inner * [-1, 1], left, dense // 3, rng)
        _comb(canvas, region, lines + more, look, rng, tones=tones + others)
        canvas.fill(
            ellipse([0, chin - 0.1], (half + 0.06, 0.85)),
            to_bgr(look.hair) * 0.22,
            blur=0.10,
            opacity=0.8,
            inside=region,
        )
    elif style == "afro":
        _curls(canvas, ellipse([0, -0.52], (half + 0.52, 0.98), steps=60), look, rng, count=900)
    elif style == "curly":
        around = ellipse([0, -0.30], (half + 0.30, 1.06), steps=60)
        _curls(canvas, around, look, rng, count=600)
    elif style == "bun":
        region = _region(canvas, [ellipse([0.02, -1.34], (0.30, 0.27))])
        rings = [
            ellipse([0.02, -1.30], (0.28 * r, 0.24 * r), angle=0.4)[rng.integers(20) :]
            for r in rng.uniform(0.15, 1.05, 90)
        ]
        _comb(canvas, region, rings, look, rng)


def _curls(canvas: Canvas, outline: NDArray, look: Appearance, rng: np.random.Generator, *, count: int) -> None:
    """Paint small curls over a region with an uneven edge."""
    low, high = outline.min(0), outline.max(0)
    centre = outline.mean(0)
    bumps = [outline]
    for index in range(0, len(outline), 2):
        bumps.append(ellipse(outline[index], (rng.uniform(0.05, 0.09),) * 2, steps=12))
    region = _region(canvas, bumps)
    curls = []
    for _ in range(count):
        at = rng.uniform(low - 0.05, high + 0.05)
        radius = rng.uniform(0.02, 0.05)
        start = rng.integers(16)
        curls.append(np.roll(ellipse(at, (radius, radius), steps=16), start, axis=0)[: rng.integers(8, 14)])
    _comb(canvas, region, curls, look, rng, width=0.014)
    x, y = canvas.grid()
    glow = np.exp(-0.5 * (((x - centre[0] + 0.35) / 0.45) ** 2 + ((y - low[1] - 0.3) / 0.3) ** 2))
    rows = slice(None), slice(None)
    canvas.lay(rows, 0.16 * glow * region, blend(to_bgr(look.hair), [200, 215, 235], 0.4))


FALLING = ("long", "wavy", "bob", "fringe")  # hair that hangs beside the face


def _fall(style: str, half: float, chin: float) -> tuple[NDArray, NDArray]:
    """Return the right half of hanging hair from crown to tip: outer curve and edge towards the face, (N, 2) each."""
    above = [(0.0, -1.25), (half * 0.42, -1.22), (half * 0.80 + 0.06, -1.02), (half + 0.10, -0.68), (half + 0.17, -0.2)]
    edge = [(0.0, -0.86), (half * 0.30, -0.80), (half * 0.66, -0.60), (half * 0.88, -0.26), (half * 0.92, 0.15)]
    if style == "fringe":
        edge[:4] = [(0.0, -0.43), (half * 0.34, -0.42), (half * 0.68, -0.41), (half * 0.86, -0.30)]
    if style in ("long", "wavy"):
        tip = (half + 0.04, chin + 0.62)
        outer = [*above, (half + 0.20, chin * 0.45), (half + 0.22, chin * 0.95), (half + 0.20, chin + 0.36), tip]
        edge += [(half * 0.93, chin * 0.5), (half * 0.97, chin * 0.95), (half * 0.98, chin + 0.34), tip]
    else:
        tip = (half - 0.02, chin * 0.95)
        outer = [*above, (half + 0.21, chin * 0.30), (half + 0.21, chin * 0.62), (half + 0.13, chin * 0.86), tip]
        edge += [(half * 0.92, chin * 0.32), (half * 0.90, chin * 0.60), (half * 0.90, chin * 0.82), tip]
    out, line = smooth(np.array(outer), steps=10), smooth(np.array(edge), steps=10)
    if style == "wavy":
        for curve, size in ((out, 0.055), (line, 0.035)):
            curve[:, 0] += size * np.sin(6.5 * curve[:, 1] + 1.2) * np.clip(curve[:, 1] + 0.5, 0, 1)
    return out, line


def _front(style: str, half: float, chin: float) -> tuple[NDArray, NDArray]:
    """Return outer curve and hairline (N, 2) of the hair in front, from the left over the crown to the right."""
    if style in FALLING:
        out, line = (curve[::-1] for curve in _fall(style, half, chin))
        return _mirrored(out), _mirrored(line)
    crown = {"side": -1.27, "swept": -1.33, "buzz": -1.10, "receding": -1.14, "bun": -1.19}.get(style, -1.22)
    puff = {"buzz": 0.015, "receding": 0.045, "bun": 0.05, "short": 0.06}.get(style, 0.09)
    outer = [(half + puff * 0.5, 0.06), (half + puff * 1.6, -0.28), (half * 0.98 + puff, -0.66),
             (half * 0.70 + puff, -1.0 - puff * 0.7), (half * 0.36, crown + 0.03), (0.0, crown)]  # fmt: skip
    hairline = {
        "buzz": [(0.995, 0.02), (0.95, -0.24), (0.86, -0.50), (0.64, -0.72), (0.32, -0.79), (0.0, -0.77)],
        "receding": [(0.985, 0.02), (0.95, -0.25), (0.88, -0.55), (0.72, -0.86), (0.36, -0.90), (0.0, -0.84)],
        "bun": [(0.985, 0.00), (0.93, -0.25), (0.84, -0.50), (0.60, -0.74), (0.30, -0.83), (0.0, -0.84)],
    }
    usual = [(0.985, 0.02), (0.93, -0.22), (0.84, -0.45), (0.60, -0.70), (0.30, -0.76), (0.0, -0.75)]
    inner = [(half * x, y) for x, y in hairline.get(style, usual)]
    return _mirrored(smooth(np.array(outer), steps=10)), _mirrored(smooth(np.array(inner), steps=10))


def _mirrored(curve: NDArray) -> NDArray:
    """Join the mirror image of a curve (N, 2), which ends on the middle line, and the curve in reverse."""
    return np.concatenate([curve * [-1, 1], curve[-2::-1]])


def paint_front_hair(canvas: Canvas, face: NDArray, look: Appearance, rng: np.random.Generator, head: NDArray) -> None:
    """Paint the hair over the skull, with its shadow on the forehead."""
    style, half = look.hair_style, face[16, 0]
    if style == "bald":
        return
    outer, line = _front(style, half, face[8, 1])
    tint = to_bgr(look.hair)
    if style in ("side", "swept"):  # parted: the hairline sinks to one side
        shift = np.interp(line[:, 0], [-half, -0.35 * half, -0.1 * half, half], [0.0, 0.07, -0.04, 0.0])
        line[:, 1] += shift
        outer[:, 1] += np.interp(outer[:, 0], [-half, -0.3 * half, 0.35 * half, half], [0, 0.03, -0.05, 0])
    canvas.strokes([line + [0.0, 0.03]], 0.07, skin_ramp(look.skin)[40], blur=0.035, opacity=0.55, inside=head)
    cap = np.concatenate([outer, line[::-1]])
    if style in ("afro", "curly"):
        _curls(canvas, cap, look, rng, count=700 if style == "afro" else 500)
        return
    if style == "buzz":
        region = _region(canvas, [cap], blur=0.03)
        canvas.lay((slice(None), slice(None)), region * 0.72, tint)
        dots = [np.array([p, p + rng.normal(0, 0.012, 2)]) for p in rng.uniform([-1, -1.2], [1, 0.1], (2500, 2))]
        canvas.strokes(dots[:1200], 0.008, tint * 0.6, opacity=0.5, inside=region)
        canvas.strokes(dots[1200:], 0.008, blend(tint, [190, 200, 215], 0.25), opacity=0.35, inside=region)
    else:
        region = _region(canvas, [cap], blur=0.010 if style != "receding" else 0.02)
        middle, dense, tones = len(outer) // 2, _density(canvas), None
        lines: list[NDArray] = []
        if style in ("side", "swept", "short", "receding"):
            # strands cross from the outer curve to the hairline, swept to one side
            lean = {"side": 0.42, "swept": 0.5, "short": 0.16, "receding": 0.25}[style]
            t = np.linspace(0, 1, 9)[:, None]
            for _ in range(2 * dense):
                at = rng.uniform(0, 1)
                here = outer[int(at * (len(outer) - 1))]
                far = np.clip(at + lean * rng.uniform(0.6, 1.2) * (1 - abs(2 * at - 1)), 0, 1)
                there = line[int(far * (len(line) - 1))] + rng.normal(0, 0.015, 2)
                strand = here * (1 - t) + there * t + np.array([0.0, -0.10]) * (4 * t * (1 - t))
                first = rng.integers(0, 4)
                lines.append(strand[first : first + rng.integers(4, 9)])
        else:
            lines, tones = _between(line[middle::-1], outer[middle::-1], dense // 2, rng)
            more, others = _between(line[middle:], outer[middle:], dense // 2, rng)
            lines, tones = lines + more, tones + others
        _comb(canvas, region, lines, look, rng, tones=tones)
    x, y = canvas.grid()
    sheen = np.exp(-0.5 * ((y + 0.98 - 0.25 * x**2 + 0.12 * x) / 0.075) ** 2) * np.exp(-0.5 * ((x + 0.22) / 0.5) ** 2)
    canvas.lay((slice(None), slice(None)), 0.30 * sheen * region, blend(tint, [225, 235, 245], 0.5))
    lower = np.exp(-0.5 * ((x - half - 0.1) / 0.25) ** 2)
    canvas.lay((slice(None), slice(None)), (0.35 * lower * region).astype(np.float32), tint * 0.3)
