# ruff: noqa: RUF005  (points are moved by adding a list to an array)
"""The still part of a shaded face: light on skin, ears, neck, brows, beard and the lines of age.

The skin is lit as a relief: the outline of the head is inflated, nose, sockets, cheeks and chin are added as smooth
hills and hollows, and the light on its normals is looked up on a ramp from shadow through skin to highlight. Mouth
and eyes are left out; `mouth_eyes` paints them on every frame.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from talkface.drawing.canvas import Canvas, blend, blurred, ellipse, smooth, tapered, to_bgr
from talkface.drawing.characters import Appearance
from talkface.face import points

LIGHT = np.array([-0.42, -0.50, 0.76])  # towards the lamp: upper left, in front
SKULL_TOP = -1.06  # height of the bare crown, units


def head_outline(face: NDArray) -> NDArray:
    """Return the outline (M, 2) of jaw and skull around a neutral face (68, 2), units."""
    half = (face[16, 0] - face[0, 0]) / 2
    ear = face[0, 1]
    crown = [(1.0, -0.22), (0.965, -0.5), (0.82, -0.78), (0.5, -0.99), (0.0, -1.06)]
    right = np.array([(half * x, y * SKULL_TOP / -1.06 + 0.4 * ear * (y + 1.06)) for x, y in crown])
    left = right[-2::-1] * [-1, 1]
    return smooth(np.concatenate([face[:17], right, left]), closed=True, steps=5)


def skin_ramp(skin: str) -> NDArray[np.float32]:
    """Return 256 colours (256, 3) from deep shadow to highlight for one colour of skin."""
    base = to_bgr(skin)
    light = base.mean() / 255
    warm = base * np.array([0.62, 0.80, 1.0], np.float32)
    deep, shadow = warm * 0.40, warm * 0.74
    lit = blend(base, [228, 240, 255], 0.16 + 0.10 * light)
    shine = blend(base, [240, 248, 255], 0.45)
    stops = [0.0, 0.30, 0.62, 0.84, 1.0]
    at = np.linspace(0, 1, 256)
    return np.stack([np.interp(at, stops, np.stack([deep, shadow, base, lit, shine])[:, c]) for c in range(3)], -1)


def relief(canvas: Canvas, face: NDArray, look: Appearance, *, step: int) -> NDArray[np.float32]:
    """Compute the light (0-1) on the skin at every `step`-th pixel, (H, W)."""
    x, y = canvas.grid(step)
    outline = head_outline(face)
    centre = np.array([0.0, 0.18])
    around = outline - centre
    angles, radii = np.arctan2(around[:, 1], around[:, 0]), np.hypot(around[:, 0], around[:, 1])
    order = np.argsort(angles)
    angle = np.arctan2(y - centre[1], x - centre[0])
    reach = np.interp(angle, angles[order], radii[order], period=2 * np.pi)
    r = np.minimum(np.hypot(x - centre[0], y - centre[1]) / reach, 1.0)
    height = 0.62 * np.sqrt(np.maximum(1 - r**2.6, 0.0))

    def hill(at: NDArray | list[float], radius: tuple[float, float], amount: float, angle: float = 0.0) -> NDArray:
        """Return a Gaussian hill, or a hollow where the amount is negative."""
        along = (x - at[0]) * np.cos(angle) + (y - at[1]) * np.sin(angle)
        across = (y - at[1]) * np.cos(angle) - (x - at[0]) * np.sin(angle)
        return amount * np.exp(-0.5 * ((along / radius[0]) ** 2 + (across / radius[1]) ** 2))

    nose = face[list(points.NOSE_BRIDGE)]
    wing = (face[35, 0] - face[31, 0]) / 2
    tip = face[30]
    for share, amount in ((0.0, 0.03), (0.3, 0.036), (0.55, 0.044), (0.8, 0.052)):
        height += hill(nose[0] + share * (tip - nose[0]), (0.07, 0.12), amount)
    height += hill(tip + [0, 0.05], (wing * 0.55, 0.085), 0.15)
    for side, point in ((-1, 31), (1, 35)):
        height += hill(face[point] + [-side * 0.035, -0.025], (wing * 0.3, 0.055), 0.055)
        eye = face[36:42].mean(0) if side < 0 else face[42:48].mean(0)
        brow = face[17:22].mean(0) if side < 0 else face[22:27].mean(0)
        height += hill(eye + [-side * 0.03, -0.03], (0.17, 0.10), -0.085)
        height += hill(eye, (0.12, 0.075), 0.05)
        height += hill(brow + [side * 0.02, 0.01], (0.2, 0.06), 0.035 + 0.015 * look.beard)
        height += hill([side * 0.50 * face[16, 0] / 0.8, 0.40], (0.2, 0.17), 0.06)
        height += hill([side * 0.36, face[48, 1] - 0.02], (0.08, 0.22), -0.02 - 0.015 * look.age, side * 0.35)
    mouth, chin = face[[48, 54]].mean(0), face[8]
    height += hill(mouth + [0, 0.02], (0.24, 0.17), 0.05)
    height += hill([0, face[57, 1] + 0.085], (0.15, 0.045), -0.035)
    height += hill(chin - [0, 0.15], (0.16, 0.11), 0.06)
    height += hill([0, (face[33, 1] + face[51, 1]) / 2], (0.025, 0.06), -0.014)
    height = cv2.GaussianBlur(height.astype(np.float32), (0, 0), max(0.012 * canvas.unit / step, 0.5))

    dy, dx = np.gradient(height * (canvas.unit / step))
    normal = np.stack([-dx, -dy, np.ones_like(dx)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    key = normal @ (LIGHT / np.linalg.norm(LIGHT))
    fill = normal @ np.array([0.62, -0.1, 0.78])
    half_way = LIGHT / np.linalg.norm(LIGHT) + [0, 0, 1]
    gloss = np.clip(normal @ (half_way / np.linalg.norm(half_way)), 0, 1) ** 22
    light = 0.10 + 0.46 * np.clip((key + 0.3) / 1.3, 0, 1) ** 1.1 + 0.20 * np.clip(fill, 0, 1) + 0.10 * gloss
    return light.astype(np.float32)


def paint_skin(canvas: Canvas, face: NDArray, look: Appearance, rng: np.random.Generator) -> NDArray[np.float32]:
    """Paint ears, head and its details; return the coverage of the head (H, W), 0-1."""
    ramp = skin_ramp(look.skin)
    height, width = canvas.shape
    base, shadow, deep = ramp[150], ramp[80], ramp[20]
    half = face[16, 0]
    for side in (-1, 1):  # ears
        ear = np.array([side * (half + 0.015), 0.14 + 0.3 * face[0, 1]])
        tone = ramp[140 if side < 0 else 112]
        canvas.fill(ellipse(ear, (0.085, 0.20), angle=side * 0.12), blend(tone, [90, 95, 190], 0.10), blur=0.004)
        canvas.fill(ellipse(ear + [side * 0.012, -0.01], (0.045, 0.13), angle=side * 0.12), shadow, blur=0.02)
        if look.earrings:
            at = ear + [side * 0.005, 0.215]
            canvas.fill(ellipse(at, (0.032, 0.032)), to_bgr(look.earrings) * 0.75, blur=0.003)
            canvas.glow(at - [0.01, 0.01], (0.012, 0.012), [255, 255, 255], opacity=0.8)
    window, cover = canvas.mask([head_outline(face)], blur=0.006)
    head = np.zeros((height, width), np.float32)
    head[window] = cover
    step = max(1, int(canvas.unit / 72))
    light = relief(canvas, face, look, step=step)
    if step > 1:
        light = np.asarray(cv2.resize(light, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    index = np.clip(light[window] * 255, 0, 254)
    low = index.astype(np.int32)
    part = (index - low)[..., None]
    canvas.lay(window, cover, ramp[low] * (1 - part) + ramp[low + 1] * part)

    rosy = blend(base, [95, 80, 215], 0.55)
    cheek = face[48, 1] * 0.60
    for side in (-1, 1):
        canvas.glow([side * 0.48, cheek], (0.17, 0.13), rosy, opacity=0.34 * look.blush, inside=head)
    canvas.glow(face[30] + [0, 0.05], (0.10, 0.08), rosy, opacity=0.22 * look.blush, inside=head)
    _eye_region(canvas, face, look, ramp, head)
    _nose_region(canvas, face, ramp, head)
    _mouth_region(canvas, face, look, ramp, head)
    if look.freckles:
        for _ in range(70):
            side = rng.choice((-1, 1))
            spot = [side * abs(rng.normal(0.30, 0.17)), rng.normal(0.33, 0.10)]
            size = rng.uniform(0.006, 0.012)
            canvas.glow(spot, (size, size), blend(base, shadow, 0.8), opacity=rng.uniform(0.3, 0.7), inside=head)
    _age(canvas, face, look, shadow, head)
    _beard(canvas, face, look, rng, head)
    _brows(canvas, face, look, rng)
    # the edge of the face turns away from the light
    edge = np.clip(blurred(head, 0.05 * canvas.unit)[window] * 2 - 1, 0, 1)
    canvas.lay(window, cover * (1 - edge) * 0.35, deep)
    return head


def _eye_region(canvas: Canvas, face: NDArray, look: Appearance, ramp: NDArray, head: NDArray) -> None:
    """Paint the shadows above and below the eyes."""
    shadow = ramp[62]
    for side, first in ((-1, 36), (1, 42)):
        eye = face[first : first + 6]
        centre = eye.mean(0)
        canvas.glow(centre + [-side * 0.015, -0.055], (0.15, 0.055), shadow, opacity=0.50, inside=head)
        canvas.glow(centre + [-side * 0.14, -0.02], (0.05, 0.06), shadow, opacity=0.45, inside=head)
        canvas.glow(centre + [0, 0.02], (0.17, 0.06), shadow, opacity=0.22, inside=head)
        bag = centre + np.array([(-0.13, 0.075), (-0.05, 0.115), (0.05, 0.115), (0.13, 0.075)])
        canvas.strokes([smooth(bag)], 0.02, ramp[70], blur=0.014, opacity=0.22 + 0.35 * look.age, inside=head)


def _nose_region(canvas: Canvas, face: NDArray, ramp: NDArray, head: NDArray) -> None:
    """Paint light and shadow on bridge, wings and nostrils."""
    dark, shadow = ramp[10], ramp[55]
    left, right, base = face[31], face[35], face[33]
    bridge = face[27]
    # soft planes along the bridge, the one away from the lamp darker
    for side, opacity in ((-1, 0.07), (1, 0.24)):
        line = [bridge + [side * 0.075, 0.0], face[29] + [side * 0.075, -0.02], face[30] + [side * 0.105, 0.04]]
        canvas.strokes([smooth(line)], 0.05, shadow, blur=0.042, opacity=opacity, inside=head)
    canvas.glow(base + [0, 0.035], (0.13, 0.03), shadow, opacity=0.55, inside=head)
    for side, wing in ((-1, left), (1, right)):
        curve = [wing + [side * 0.012, -0.12], wing + [side * 0.035, -0.05], wing + [side * 0.012, 0.012]]
        canvas.strokes([smooth(curve)], 0.016, ramp[38], blur=0.010, opacity=0.65, inside=head)
        nostril = ellipse((wing + base) / 2 + [side * 0.008, -0.008], (0.042, 0.017), angle=-side * 0.25)
        canvas.fill(nostril, dark, blur=0.008, opacity=0.9)
    under = [
        left + [0.03, 0.015],
        face[32] + [0, 0.012],
        base + [0, 0.012],
        face[34] + [0, 0.012],
        right + [-0.03, 0.015],
    ]
    canvas.strokes([smooth(under)], 0.012, ramp[34], blur=0.010, opacity=0.6, inside=head)
    canvas.glow(face[30] + [-0.02, 0.005], (0.022, 0.026), ramp[250], opacity=0.42, inside=head)
    canvas.strokes(
        [np.array([bridge + [-0.012, 0.08], face[29] + [-0.015, 0]])], 0.022, ramp[225], blur=0.016, opacity=0.35
    )


def _mouth_region(canvas: Canvas, face: NDArray, look: Appearance, ramp: NDArray, head: NDArray) -> None:
    """Paint the shadows around the lips and the folds beside the mouth."""
    shadow = ramp[58]
    canvas.glow([0, face[57, 1] + 0.055], (0.13, 0.028), shadow, opacity=0.55, inside=head)
    for side, corner in ((-1, face[48]), (1, face[54])):
        canvas.glow(corner + [side * 0.035, 0.005], (0.028, 0.035), shadow, opacity=0.45, inside=head)
        ridge = np.array([face[33] + [side * 0.028, 0.05], [side * 0.045, face[51, 1] - 0.02]])
        canvas.strokes([ridge], 0.014, ramp[215], blur=0.012, opacity=0.30, inside=head)
        fold = [
            face[33] + [side * 0.25, -0.03],
            face[33] + [side * 0.34, 0.10],
            [side * (abs(corner[0]) + 0.10), corner[1] - 0.09],
            [side * (abs(corner[0]) + 0.115), corner[1] + 0.03],
        ]
        strength = 0.16 + 0.42 * look.age
        canvas.strokes([smooth(fold)], 0.018, shadow, blur=0.016, opacity=strength, inside=head)
    canvas.glow([-0.03, face[8, 1] - 0.14], (0.07, 0.045), ramp[232], opacity=0.28, inside=head)


def _age(canvas: Canvas, face: NDArray, look: Appearance, shadow: NDArray, head: NDArray) -> None:
    """Paint the lines of age on the forehead and beside the eyes."""
    if look.age <= 0.45:
        return
    strength = (look.age - 0.45) * 1.0
    for level, y in enumerate((-0.66, -0.55, -0.44)):
        line = [(-0.36 + 0.05 * level, y), (-0.15, y - 0.025), (0.12, y - 0.02), (0.36 - 0.04 * level, y + 0.005)]
        canvas.strokes([smooth(line)], 0.012, shadow, blur=0.010, opacity=0.75 * strength, inside=head)
    for side, corner in ((-1, face[36]), (1, face[45])):
        for tilt in (-0.045, 0.0, 0.045):
            line = [corner + [side * 0.05, tilt * 0.6], corner + [side * 0.15, tilt * 2.2 + 0.01]]
            canvas.strokes([np.array(line)], 0.008, shadow, blur=0.006, opacity=0.8 * strength, inside=head)


def _beard(canvas: Canvas, face: NDArray, look: Appearance, rng: np.random.Generator, head: NDArray) -> None:
    """Paint the beard, hair by hair."""
    if not look.beard:
        return
    hair = to_bgr(look.hair)
    jaw = face[2:15]
    inner = [
        (face[14] * [0.86, 1] + [0, -0.02]),
        [0.50, face[48, 1] - 0.10],
        [0.385, face[48, 1] - 0.13],
        [0.20, face[33, 1] + 0.12],
        [0.0, face[33, 1] + 0.11],
        [-0.20, face[33, 1] + 0.12],
        [-0.385, face[48, 1] - 0.13],
        [-0.50, face[48, 1] - 0.10],
        (face[2] * [0.86, 1] + [0, -0.02]),
    ]
    region = np.concatenate([smooth(jaw), smooth(inner)])
    window, cover = canvas.mask([region], blur=0.03)
    bare_window, bare = canvas.mask(  # skin shows around the lips, so that their edge stays readable
        [smooth(face[48:60] + np.sign(face[48:60] - face[[48, 54]].mean(0)) * [0.075, 0.035], closed=True)], blur=0.04
    )
    full = np.zeros_like(head)
    full[window] = cover
    full[bare_window] *= 1 - bare
    chin = ellipse([0, face[57, 1] + 0.10], (0.10, 0.045))
    soft_window, soft = canvas.mask([chin], blur=0.02)
    full[soft_window] *= 1 - 0.5 * soft * (look.beard < 1)
    full *= head
    canvas.lay(window, full[window] * (0.16 + 0.46 * look.beard), hair)
    lines: list[list] = [[], [], []]
    count = int(1500 * look.beard)
    spots = np.stack([rng.uniform(-0.8, 0.8, count), rng.uniform(0.3, 1.5, count)], -1)
    for spot in spots:
        column, row = canvas.pixels(spot).astype(int)
        if 0 <= row < full.shape[0] and 0 <= column < full.shape[1] and full[row, column] > 0.35:
            lean = spot[0] * 0.05 + rng.normal(0, 0.008)
            lines[rng.integers(3)].append(np.array([spot, spot + [lean, rng.uniform(0.02, 0.045)]]))
    for level, group in enumerate(lines):
        if group:
            tone = blend(hair * 0.7, hair * 1.25 + 12, level / 2)
            canvas.strokes(group, 0.007, tone, opacity=0.30 + 0.30 * look.beard, inside=full)


def _brows(canvas: Canvas, face: NDArray, look: Appearance, rng: np.random.Generator) -> None:
    """Paint the brows, hair by hair."""
    tint = to_bgr(look.brow)
    for side, first in ((-1, 17), (1, 22)):
        line = smooth(face[first : first + 5], steps=8)
        if side < 0:
            line = line[::-1]  # from the nose outwards
        share = np.linspace(0, 1, len(line))
        widths = look.brow_width * np.interp(share, [0, 0.12, 0.5, 1.0], [0.052, 0.074, 0.064, 0.014])
        canvas.fill(tapered(line, widths), tint, blur=0.012, opacity=0.72)
        hairs: list[list] = [[], []]
        for _ in range(int(110 * max(canvas.unit / 108, 1) ** 1.3)):
            at = rng.uniform(0, 0.98)
            position = at * (len(line) - 1)
            low = int(position)
            here = line[low] + (line[min(low + 1, len(line) - 1)] - line[low]) * (position - low)
            span = np.interp(at, share, widths)
            start = here + [0, rng.uniform(-0.5, 0.5) * span]
            lift = np.interp(at, [0, 0.35, 1], [-0.045, -0.018, 0.012])
            hairs[rng.integers(2)].append(
                np.array([start, start + [side * np.interp(at, [0, 0.4], [0.016, 0.06]), lift]])
            )
        canvas.strokes(hairs[0], 0.0055, tint * 0.75, opacity=0.65)
        canvas.strokes(hairs[1], 0.0055, blend(tint, [150, 165, 180], 0.15), opacity=0.5)
