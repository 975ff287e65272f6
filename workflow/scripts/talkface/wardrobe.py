"""Hair, clothes and backdrop of a shaded portrait."""

import cv2
import numpy as np
from numpy.typing import NDArray

from talkface.canvas import Canvas, colour, ellipse, mix, smooth
from talkface.looks import Look
from talkface.portrait import skin_ramp

HAIR_STYLES = (
    "short", "side", "swept", "buzz", "bald", "receding", "afro", "curly", "long", "wavy", "bob", "fringe", "bun", "pony",
)  # fmt: skip


def paint_backdrop(canvas: Canvas, look: Look, rng: np.random.Generator) -> None:
    """Fill the picture with a soft gradient and a few lights out of focus."""
    height, width = canvas.image.shape[:2]
    upper, lower, light = map(colour, look.backdrop)
    x = np.linspace(-1, 1, 64, dtype=np.float32)[None]
    y = np.linspace(0, 1, 64, dtype=np.float32)[:, None]
    ramp = np.clip(y + 0.12 * x, 0, 1)[..., None]
    ground = upper * (1 - ramp) + lower * ramp
    ground += (light - ground) * (0.55 * np.exp(-0.5 * (((x + 0.25) / 0.55) ** 2 + ((y - 0.3) / 0.33) ** 2)))[..., None]
    canvas.image[:] = cv2.resize(ground, (width, height), interpolation=cv2.INTER_CUBIC)
    span = np.array([width, height]) / canvas.unit
    for _ in range(14):
        at = rng.uniform(0.02, 0.98, 2) * span - canvas.origin / canvas.unit
        radius = rng.uniform(0.08, 0.26)
        tint = mix(light, rng.uniform(150, 255, 3), 0.25)
        canvas.fill(ellipse(at, (radius, radius)), tint, blur=0.05, opacity=rng.uniform(0.06, 0.20))
    canvas.image[:] = np.clip(canvas.image, 0, 255)


def paint_body(canvas: Canvas, face: NDArray, look: Look) -> None:
    """Paint neck and clothes."""
    ramp = skin_ramp(look.skin)
    half, chin = face[16, 0], face[8, 1]
    neck = 0.60 * half / 0.8 * (1.08 if look.beard else 1.0)
    top, shoulder = chin - 0.55, chin + 0.50
    tone = colour(look.clothes)
    side = [(neck * 0.98, top), (neck * 0.93, chin), (neck * 0.97, chin + 0.22), (neck * 1.35, shoulder - 0.1)]
    right = np.array([*side, (neck * 1.9, shoulder + 0.1), (neck * 1.9, shoulder + 1.2)])
    outline = np.concatenate([smooth(right), smooth(right)[::-1] * [-1, 1]])
    window, cover = canvas.mask([outline], blur=0.006)
    body = np.zeros(canvas.image.shape[:2], np.float32)
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

    collar = {"round": 0.34, "v": 0.34, "collar": 0.20, "turtle": 0.06}[look.neckline]
    dip = {"round": 0.62, "v": 0.95, "collar": 0.66, "turtle": 0.10}[look.neckline]
    opening = np.array(
        [(neck * 1.02, chin + collar), (neck * 0.75, chin + collar + 0.42 * (dip - collar)), (0, chin + dip)]
    )
    if look.neckline == "turtle":
        opening = np.array([(neck * 1.0, chin + collar), (neck * 0.5, chin + collar + 0.07), (0, chin + collar + 0.09)])
    edge = smooth(np.concatenate([opening, opening[-2::-1] * [-1, 1]]), steps=8)
    if look.neckline in ("v", "collar"):
        edge = np.concatenate([opening[[0, 1]], opening[[2]], opening[[1, 0]] * [-1, 1]])
    slope = [(neck * 1.04, chin + collar - 0.01), (neck * 1.45, shoulder - 0.03), (1.25, shoulder + 0.16)]
    outer = smooth(np.array([*slope, (1.62, shoulder + 0.36), (1.85, shoulder + 0.9), (1.9, shoulder + 2.5)]), steps=6)
    garment = np.concatenate([edge[::-1], outer, outer[::-1] * [-1, 1]])
    window, cover = canvas.mask([garment], blur=0.005)
    x, y = canvas.grid()
    rows, columns = window
    fall = np.clip(0.62 - 0.30 * x[:, columns] - 0.14 * (y[rows] - shoulder), 0.25, 1.1)
    for at, width, amount in ((-0.95, 0.16, 0.10), (-0.45, 0.10, -0.08), (0.35, 0.12, -0.09), (0.9, 0.2, 0.07)):
        lean = at * (1 + 0.22 * (y[rows] - shoulder))
        fall = fall + amount * np.exp(-0.5 * ((x[:, columns] - lean) / width) ** 2)
    canvas.lay(window, cover, np.clip(tone * (0.45 + 0.75 * fall[..., None]), 0, 255))
    dark, light = tone * 0.45, mix(tone, [255, 255, 255], 0.22)
    canvas.strokes([edge + [0, 0.02]], 0.03, dark, blur=0.012, opacity=0.55)
    canvas.strokes([edge + [0, 0.035]], 0.016, light, blur=0.006, opacity=0.5)
    if look.neckline == "collar":
        for s in (-1, 1):
            flap = np.array([(neck * 1.04, chin + 0.17), (neck * 0.74, chin + 0.42), (0.03, chin + 0.70),
                             (0.34, chin + 0.80), (neck * 1.25, chin + 0.40)]) * [s, 1]  # fmt: skip
            canvas.fill(flap, mix(tone, [255, 255, 255], 0.30 if s < 0 else 0.14), blur=0.004)
            canvas.strokes([flap[2:]], 0.014, dark, blur=0.008, opacity=0.6)
    elif look.neckline == "turtle":
        roll = np.concatenate([edge, (edge + [0, 0.24])[::-1]])
        canvas.fill(roll, mix(tone, light, 0.3), blur=0.012, opacity=0.7)
        canvas.strokes([edge + [0, 0.245]], 0.02, dark, blur=0.016, opacity=0.7)


def _comb(
    canvas: Canvas, region: NDArray, lines: list[NDArray], look: Look, rng: np.random.Generator, *, width: float = 0.011
) -> None:
    """Fill a region (H, W) with hair along guide lines: strands of five tones, some grey, and a gloss."""
    tint = colour(look.hair)
    groups: list[list[NDArray]] = [[] for _ in range(5)]
    for line in lines:
        groups[rng.integers(5)].append(line)
    rows = np.flatnonzero(region.max(axis=1) > 0)
    columns = np.flatnonzero(region.max(axis=0) > 0)
    if not len(rows):
        return
    window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    canvas.lay(window, region[window], tint * 0.62)
    for level, group in enumerate(groups):
        if group:
            tone = mix(tint * 0.45, mix(tint * 1.15, [200, 215, 235], 0.14), level / 4)
            if rng.uniform() < 0 or (look.hair_grey and level >= 5 - round(5 * look.hair_grey)):
                tone = mix(tone, [205, 205, 205], 0.75)
            canvas.strokes(group, width, tone, opacity=0.55, inside=region)


def _region(canvas: Canvas, outlines: list[NDArray], *, blur: float = 0.012) -> NDArray[np.float32]:
    full = np.zeros(canvas.image.shape[:2], np.float32)
    window, cover = canvas.mask(outlines, blur=blur)
    full[window] = cover
    return full


def _between(
    first: NDArray, second: NDArray, count: int, rng: np.random.Generator, *, wave: float = 0.0
) -> list[NDArray]:
    """Lines that lie between two curves of equal length, with a little disorder."""
    lines = []
    phase = np.linspace(0, 1, len(first))
    for _ in range(count):
        share = rng.uniform(-0.03, 1.03)
        start = rng.uniform(0, 0.75)
        keep = (phase >= start) & (phase <= start + rng.uniform(0.25, 0.9))
        if keep.sum() < 3:
            continue
        line = first + (second - first) * share
        sway = rng.normal(0, 0.012) + wave * np.sin(phase * rng.uniform(9, 13) + rng.uniform(0, 0.8))
        lines.append((line + np.stack([sway * np.ones(len(line)), 0.3 * sway * np.ones(len(line))], -1))[keep])
    return lines


def paint_back_hair(canvas: Canvas, face: NDArray, look: Look, rng: np.random.Generator) -> None:
    """Hair that falls behind the neck, or stands around the head."""
    half, chin = face[16, 0], face[8, 1]
    style = look.hair_style
    if style in ("long", "wavy"):
        wave = 0.05 if style == "wavy" else 0.0
        side = np.array([(0.3, -1.2), (half + 0.20, -0.75), (half + 0.29, 0.1), (half + 0.27, chin * 0.6),
                         (half + 0.33, chin + 0.15), (half + 0.16, chin + 0.62), (0.5, chin + 0.75)])  # fmt: skip
        right = smooth(side, steps=10)
        right[:, 0] += wave * np.sin(right[:, 1] * 6)
        left = right * [-1, 1]
        region = _region(canvas, [np.concatenate([right, left[::-1]])], blur=0.02)
        inner = smooth(side * [0.35, 1], steps=10)
        lines = _between(inner, right, 260, rng, wave=wave) + _between(inner * [-1, 1], left, 260, rng, wave=wave)
        _comb(canvas, region, lines, look, rng)
        canvas.fill(
            ellipse([0, chin - 0.1], (half + 0.02, 0.75)),
            colour(look.hair) * 0.25,
            blur=0.12,
            opacity=0.7,
            inside=region,
        )
    elif style in ("bob", "fringe"):
        side = np.array([(0.3, -1.2), (half + 0.18, -0.8), (half + 0.28, 0.0), (half + 0.27, chin * 0.55),
                         (half + 0.17, chin * 0.90), (half - 0.15, chin * 0.93)])  # fmt: skip
        right = smooth(side, steps=10)
        left = right * [-1, 1]
        region = _region(canvas, [np.concatenate([right, left[::-1]])])
        inner = smooth(side * [0.5, 1], steps=10)
        _comb(canvas, region, _between(inner, right, 220, rng) + _between(inner * [-1, 1], left, 220, rng), look, rng)
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
    elif style == "pony":
        side = smooth(
            np.array([(0.15, -1.0), (half + 0.06, -0.2), (half + 0.22, chin * 0.7), (half + 0.10, chin + 0.55)]),
            steps=10,
        )
        inner = smooth(
            np.array([(0.1, -0.6), (half - 0.2, -0.1), (half - 0.12, chin * 0.7), (half - 0.02, chin + 0.55)]), steps=10
        )
        region = _region(canvas, [np.concatenate([side, inner[::-1]])], blur=0.02)
        _comb(canvas, region, _between(inner, side, 200, rng), look, rng)


def _curls(canvas: Canvas, outline: NDArray, look: Look, rng: np.random.Generator, *, count: int, hole=None) -> None:
    """Small curls over a region with an uneven edge."""
    low, high = outline.min(0), outline.max(0)
    centre = outline.mean(0)
    bumps = [outline]
    for index in range(0, len(outline), 2):
        bumps.append(ellipse(outline[index], (rng.uniform(0.05, 0.09),) * 2, steps=12))
    region = _region(canvas, bumps)
    if hole is not None:
        region *= 1 - hole
    curls = []
    for _ in range(count):
        at = rng.uniform(low - 0.05, high + 0.05)
        radius = rng.uniform(0.02, 0.05)
        start = rng.integers(16)
        curls.append(np.roll(ellipse(at, (radius, radius), steps=16), start, axis=0)[: rng.integers(8, 14)])
    _comb(canvas, region, curls, look, rng, width=0.014)
    x, y = canvas.grid()
    glow = np.exp(-0.5 * (((x - centre[0] + 0.35) / 0.45) ** 2 + ((y - low[1] - 0.3) / 0.3) ** 2))
    rows = slice(0, canvas.image.shape[0]), slice(0, canvas.image.shape[1])
    canvas.lay(rows, 0.16 * glow * region, mix(colour(look.hair), [200, 215, 235], 0.4))


# Front hair: (outer curve, hairline), right half first control point at the parting or crown, then down to the side.
# Each is a function of the half width of the face; the left half is its mirror image unless "left" says otherwise.
def _front(style: str, half: float) -> tuple[NDArray, NDArray]:
    """Outer curve and hairline (N, 2) from the left side over the crown to the right side."""
    crown = {"short": -1.24, "side": -1.27, "swept": -1.33, "buzz": -1.10, "receding": -1.14, "long": -1.25,
             "wavy": -1.27, "bob": -1.25, "fringe": -1.25, "bun": -1.19, "pony": -1.20, "curly": -1.2, "afro": -1.2}[style]  # fmt: skip
    puff = {"buzz": 0.02, "receding": 0.05, "bun": 0.05, "pony": 0.05, "short": 0.06}.get(style, 0.10)
    end = {"long": 0.95, "wavy": 0.95, "bob": 0.75, "fringe": 0.75}.get(style, 0.06)
    outer = [(half + puff * (1.6 if end > 0.5 else 0.5), end), (half + puff * 1.7, -0.28), (half * 0.98 + puff, -0.66),
             (half * 0.70 + puff, -1.0 - puff * 0.7), (half * 0.36, crown + 0.03), (0.0, crown)]  # fmt: skip
    hairline = {
        "short": [(0.985, 0.02), (0.93, -0.22), (0.84, -0.45), (0.60, -0.70), (0.30, -0.76), (0.0, -0.75)],
        "buzz": [(0.995, 0.02), (0.95, -0.24), (0.86, -0.50), (0.64, -0.72), (0.32, -0.79), (0.0, -0.77)],
        "receding": [(0.985, 0.02), (0.95, -0.25), (0.88, -0.55), (0.72, -0.86), (0.36, -0.90), (0.0, -0.84)],
        "long": [(0.90, 0.95), (0.90, 0.10), (0.86, -0.30), (0.66, -0.62), (0.30, -0.80), (0.0, -0.88)],
        "wavy": [(0.92, 0.95), (0.90, 0.10), (0.82, -0.30), (0.62, -0.60), (0.30, -0.76), (0.0, -0.84)],
        "bob": [(0.90, 0.75), (0.89, 0.10), (0.84, -0.32), (0.62, -0.64), (0.30, -0.76), (0.0, -0.82)],
        "fringe": [(0.90, 0.75), (0.88, 0.10), (0.84, -0.26), (0.66, -0.40), (0.34, -0.41), (0.0, -0.42)],
        "bun": [(0.985, 0.00), (0.93, -0.25), (0.84, -0.50), (0.60, -0.74), (0.30, -0.83), (0.0, -0.84)],
    }
    hairline["pony"] = hairline["bun"]
    hairline["curly"] = hairline["afro"] = hairline["short"]
    hairline["side"] = hairline["swept"] = hairline["short"]
    inner = [(half * x, y) for x, y in hairline[style]]
    out, line = smooth(np.array(outer), steps=10), smooth(np.array(inner), steps=10)
    out = np.concatenate([out * [-1, 1], out[-2::-1]])
    line = np.concatenate([line * [-1, 1], line[-2::-1]])
    return out, line


def paint_front_hair(canvas: Canvas, face: NDArray, look: Look, rng: np.random.Generator, head: NDArray) -> None:
    """Hair over the skull, with its shadow on the forehead."""
    style, half = look.hair_style, face[16, 0]
    if style == "bald":
        return
    outer, line = _front(style, half)
    tint = colour(look.hair)
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
        canvas.strokes(dots[1200:], 0.008, mix(tint, [190, 200, 215], 0.25), opacity=0.35, inside=region)
    else:
        region = _region(canvas, [cap], blur=0.010 if style != "receding" else 0.02)
        middle = len(outer) // 2
        lines: list[NDArray] = []
        if style in ("side", "swept", "short", "receding", "fringe"):
            # strands cross from the outer curve to the hairline, swept to one side
            lean = {"side": 0.42, "swept": 0.5, "short": 0.16, "receding": 0.25, "fringe": 0.03}[style]
            t = np.linspace(0, 1, 9)[:, None]
            for _ in range(900):
                at = rng.uniform(0, 1)
                here = outer[int(at * (len(outer) - 1))]
                far = np.clip(at + lean * rng.uniform(0.6, 1.2) * (1 - abs(2 * at - 1)), 0, 1)
                there = line[int(far * (len(line) - 1))] + rng.normal(0, 0.015, 2)
                bow = np.array([0.0, -0.10 if style != "fringe" else 0.0])
                strand = here * (1 - t) + there * t + bow * (4 * t * (1 - t))
                first = rng.integers(0, 4)
                lines.append(strand[first : first + rng.integers(4, 9)])
        if style in ("long", "wavy", "bob", "bun", "pony"):
            lines += _between(line[:middle][::-1], outer[:middle][::-1], 330, rng, wave=0.03 * (style == "wavy"))
            lines += _between(line[middle:], outer[middle:], 330, rng, wave=0.03 * (style == "wavy"))
        _comb(canvas, region, lines, look, rng)
    x, y = canvas.grid()
    sheen = np.exp(-0.5 * ((y + 0.98 - 0.25 * x**2 + 0.12 * x) / 0.075) ** 2) * np.exp(-0.5 * ((x + 0.22) / 0.5) ** 2)
    canvas.lay((slice(None), slice(None)), 0.30 * sheen * region, mix(tint, [225, 235, 245], 0.5))
    lower = np.exp(-0.5 * ((x - half - 0.1) / 0.25) ** 2)
    canvas.lay((slice(None), slice(None)), (0.35 * lower * region).astype(np.float32), tint * 0.3)
