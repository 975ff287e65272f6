"""Wire-frame films of a face in space: a net of fine lines over the skin, the lines of the landmarks bold upon it.

Space: see `talkface.face.depth`. The net is fixed: triangles between the landmarks and the points of the skin, made
once on the resting face, with holes for eyes and mouth. What is near is drawn darker and wider than what is far, what
faces away is hidden.

Axes: T frames, V vertices (the 68 landmarks first), F triangles, E edges; pixels of the picture are (x, y).
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import scipy.spatial
from numpy.typing import NDArray

from talkface.conventions import FPS
from talkface.drawing.canvas import ONE, SHIFT, blend, to_bgr, triple
from talkface.drawing.style import BLUE, GROUND, LINE, PANEL, THIN, VERMILION
from talkface.drawing.windows import Window, rectangle
from talkface.face import points
from talkface.face.depth import Skin, in_space
from talkface.face.faces import hold, load_landmarks
from talkface.face.template import resting_face
from talkface.files import writing
from talkface.media.encoding import YuvPicture, encode
from talkface.media.sound import frames_of

STILL_VIEW = np.radians(-25.0)  # three-quarter, as portraits are taken; nose to the left of the picture
SWING = np.radians(28.0)  # to each side; beyond, the nose would cover the far eye
PITCH = np.radians(4.0)  # seen from a little above, so that nose and lips stand out from the front too
DISTANCE = 7.0  # of the camera, units: 0.6 m before a face whose outer eye corners lie 9 cm apart
PIVOT = np.array([0.0, 0.30, -0.45])  # the head turns about its neck
SCALE, PLACE = 0.36, (0.5, 0.50)  # unit at the pivot, and where the pivot stands, shares of the size
LIGHT = np.array([-0.45, -0.55, 0.70]) / np.linalg.norm([-0.45, -0.55, 0.70])  # from above on the left
AMBIENT = 0.22  # share of the light that comes from everywhere
SKIN, LIPS = ("#9db3c4", "#fdfcf9"), ("#d99a78", "#fbe3d3")  # tones of the triangles, from dark to lit
INK_BLUE, CAVITY, WHITE = "#17324a", "#4d211b", "#ffffff"  # lines and pupils, inside of the mouth, eyes
SHADES = 24  # tones of the skin
STEPS = 10  # of tint and width from far to near; each is painted over those before it
FAR, NEAR = -0.5, 0.95  # z about the pivot of the ends of a turned face and of its nose
STILL = 0.0008  # units: vertices that moved less since they were painted stay
HOLES = (points.INNER_LIP, points.RIGHT_EYE, points.LEFT_EYE)
BEHIND = 0.12  # units: how far behind lips and lids mouth and eyes are painted
MARGIN = 0.01  # of the size: more than lines reach beyond their ends
IRIS, PUPIL = 0.076, 0.033  # radii, units
WIDEST = 0.35  # units: of the circle through a triangle's corners; a longer one lies outside the face
PARTED = 0.04  # units: how far the lips are parted while the net is made; with this all lines are sides of triangles


@dataclass(frozen=True)
class Net:
    """Net of triangles and edges that joins the vertices.

    Attributes
    ----------
    triangles : (F, 3) array
        Indices of vertices, clockwise as seen in the picture.
    edges : (E, 2) array
        Every side of a triangle once.
    sides : (E, 2) array
        The triangles on both sides of an edge; the same one twice at a rim.
    features : dict of str to (M,) array
        Edges of each line of `points.LINES`.
    """

    triangles: NDArray[np.int64]
    edges: NDArray[np.int64]
    sides: NDArray[np.int64]
    features: dict[str, NDArray[np.int64]]


@functools.cache
def make_net() -> Net:
    """Make the net of the resting face: Delaunay triangles of its right half, and their mirror images."""
    skin = Skin()
    rest = np.concatenate([skin.rest[:, :2], skin.relief[:, :2]])
    mirror = np.asarray(scipy.spatial.KDTree(rest).query(rest * [-1, 1])[1])
    apart = rest.copy()
    apart[[55, 56, 57, 58, 59, 65, 66, 67], 1] += PARTED
    apart[[48, 54, 60, 64], 1] += PARTED / 2
    half = np.flatnonzero(rest[:, 0] <= 1e-9)
    triangles = half[scipy.spatial.Delaunay(apart[half]).simplices]
    holes = [apart[list(part)].astype(np.float32) for part in (points.INNER_LIP, points.RIGHT_EYE)]
    kept = [
        circumradius(corners) < WIDEST
        and all(cv2.pointPolygonTest(hole, corners.mean(axis=0).tolist(), False) < 0 for hole in holes)
        for corners in apart[triangles]
    ]
    triangles = triangles[kept]
    triangles = np.concatenate([triangles, mirror[triangles]])
    first, second, third = (apart[corner] for corner in triangles.T)
    turned = _cross(second - first, third - first) < 0
    triangles[turned] = triangles[turned][:, ::-1]
    sides = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    edges, which = np.unique(sides, axis=0, return_inverse=True)
    owners = np.tile(np.arange(len(triangles)), 3)
    neighbours = np.zeros((len(edges), 2), np.int64)
    neighbours[which, 0] = owners
    neighbours[which[::-1], 1] = owners[::-1]
    number = {tuple(edge): place for place, edge in enumerate(edges.tolist())}
    features = {}
    for name, (indices, closed) in points.LINES.items():
        ends = [*indices[1:], indices[0]] if closed else indices[1:]
        features[name] = np.array([number[tuple(sorted(pair))] for pair in zip(indices, ends, strict=False)])
    return Net(triangles, edges, neighbours, features)


def circumradius(corners: NDArray) -> float:
    """Return the radius of the circle through three points (3, 2); infinite where they lie on a line."""
    lengths = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1)
    area = abs(float(_cross(corners[1] - corners[0], corners[2] - corners[0]))) / 2
    return float(lengths.prod() / (4 * area)) if area > 1e-12 else np.inf


def _cross(first: NDArray, second: NDArray) -> NDArray:
    """Return the cross product of vectors (..., 2)."""
    return first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]


def headings(frames: int, *, turn_s: float, fps: float = FPS) -> NDArray[np.float64]:
    """Return how far the head is turned in each frame (frames,), radians; positive: the nose goes right in the picture.

    Parameters
    ----------
    frames : int
    turn_s : float
        Seconds in which it swings to one side, the other and back; 0: it keeps a three-quarter view.
    """
    if turn_s <= 0:
        return np.full(frames, STILL_VIEW)
    return SWING * np.sin(2 * np.pi * np.arange(frames) / fps / turn_s)


def turn(space: NDArray, heading: NDArray | float, *, pitch: float = PITCH) -> NDArray[np.float64]:
    """Turn points (..., 3) about the pivot: about the vertical axis, then towards the camera above."""
    x, y, z = np.moveaxis(space - PIVOT, -1, 0)
    cos, sin = np.cos(heading), np.sin(heading)
    x, z = x * cos + z * sin, z * cos - x * sin
    cos, sin = np.cos(pitch), np.sin(pitch)
    return np.stack([x, y * cos + z * sin, z * cos - y * sin], axis=-1)


def project(seen: NDArray, *, size: int) -> NDArray[np.float64]:
    """Project turned points (..., 3) to pixels (..., 2) of a picture of `size` both ways, camera before the pivot."""
    near = DISTANCE / np.maximum(DISTANCE - seen[..., 2:], 1.0)  # never behind the camera
    return np.clip(seen[..., :2] * near * SCALE + PLACE, -4, 5) * size


def _tints(colour: str, *, from_: float, to: float) -> list[tuple]:
    """Return tints of a colour from far to near: mixed with the ground by shares from `from_` to `to`."""
    return [triple(blend(to_bgr(GROUND), to_bgr(colour), share)) for share in np.linspace(from_, to, STEPS)]


def _step(depth: NDArray) -> NDArray[np.int64]:
    """Return which of `STEPS` depths about the pivot belong to."""
    return np.clip((depth - FAR) / (NEAR - FAR) * STEPS, 0, STEPS - 1).astype(int)


class WirePainter:
    """Painter of a face of wires, only where it changed.

    Parameters
    ----------
    size : int
        Pixels, both ways, even.

    Attributes
    ----------
    frame : (H, W, 3) uint8 array
        The picture.
    """

    def __init__(self, size: int) -> None:
        self.net = make_net()
        self.size = size
        self.frame = np.full((size, size, 3), triple(to_bgr(GROUND)), np.uint8)
        self._ground = self.frame.copy()
        # as last painted: turned vertices (V, 3), and where they are in the picture (V, 2)
        self._last: tuple[NDArray, NDArray] | None = None
        self._shades = [
            triple(blend(to_bgr(dark), to_bgr(light), share))
            for dark, light in (SKIN, LIPS)
            for share in np.linspace(0, 1, SHADES)
        ]
        self._lip = np.isin(self.net.triangles, points.LIPS).all(axis=1).astype(int)  # which of both a triangle has
        self._on_lip = np.isin(self.net.edges, points.LIPS).all(axis=1)
        thin, rim = (max(1, round(THIN * size / PANEL * share)) for share in (0.5, 1))
        cool, warm = _tints(BLUE, from_=0.25, to=0.6), _tints(VERMILION, from_=0.35, to=0.5)
        self._net = [(cool, thin), (cool, rim), (warm, thin), (warm, thin)]  # of the skin, its rims, of the lips
        lips = [name for name in points.LINES if "lip" in name]
        others = [name for name in points.LINES if name not in lips]
        self._bold = [
            (_tints(colour, from_=from_, to=1), np.concatenate([self.net.features[name] for name in names]))
            for colour, from_, names in ((INK_BLUE, 0.5, others), (VERMILION, 0.55, lips))
        ]
        self._widths = [max(1, round(LINE * size / PANEL * share)) for share in np.linspace(0.5, 1, STEPS)]

    def paint(self, space: NDArray, heading: float) -> list[Window]:
        """Paint vertices (V, 3) with the head turned by `heading`; return the windows (rows, columns) that changed."""
        net, seen = self.net, turn(space, heading)
        pixels = project(seen, size=self.size)
        around = [pixels]
        if self._last is not None:
            last_seen, last_pixels = self._last
            moved = np.abs(seen - last_seen).max(axis=1) > STILL
            if not moved.any():
                return []
            seen = np.where(moved[:, None], seen, last_seen)
            pixels = np.where(moved[:, None], pixels, last_pixels)
            corners = np.unique(net.triangles[moved[net.triangles].any(axis=1)])
            around = [pixels[corners], last_pixels[corners]]
        self._last = seen, pixels
        window = rectangle(np.concatenate(around), MARGIN * self.size, self.frame.shape)
        if any(side.stop <= side.start for side in window):  # outside the picture
            return []
        self._paint(window, seen, pixels)
        return [window]

    def _paint(self, window: Window, seen: NDArray, pixels: NDArray) -> None:
        """Paint what lies in a window anew."""
        (rows, columns), net = window, self.net
        part = self.frame[window]
        part[:] = self._ground[window]
        corners = pixels[net.triangles]  # (F, 3, 2)
        margin = MARGIN * self.size
        low = corners.max(axis=1) > [columns.start - margin, rows.start - margin]
        high = corners.min(axis=1) < [columns.stop + margin, rows.stop + margin]
        inside = (low & high).all(axis=1)
        facing = _cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) > 0
        first, second, third = (seen[corner] for corner in net.triangles.T)
        normals = np.cross(second - first, third - first)  # y points down: towards the viewer where it faces
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        lit = AMBIENT + (1 - AMBIENT) * (normals @ LIGHT)
        tones = np.clip(lit * SHADES, 0, SHADES - 1).astype(int)
        at = np.rint((pixels - [columns.start, rows.start]) * ONE).astype(np.int32)  # (V, 2) fixed point
        near = seen[net.triangles, 2].mean(axis=1)
        drawn = facing & inside
        level = np.where(drawn, _step(near), -1)  # of each triangle; an edge is drawn with the nearer of its sides
        first, second = net.sides.T
        edge_level = np.maximum(level[first], level[second])
        rim = (facing[first] != facing[second]) | (first == second)
        kind = 2 * self._on_lip + rim
        holes = [(_step(seen[list(hole), 2].mean() - BEHIND), hole) for hole in HOLES]
        order = np.argsort(near)
        for step in range(STEPS):  # from far to near
            for hole_step, hole in holes:
                if hole_step == step:
                    self._paint_hole(part, at, hole)
            those = order[level[order] == step]
            painted = zip(at[net.triangles[those]], (tones + SHADES * self._lip)[those].tolist(), strict=True)
            for corners, shade in painted:
                cv2.fillConvexPoly(part, corners, self._shades[shade], cv2.LINE_8, SHIFT)
            for number, (tints, width) in enumerate(self._net):
                self._draw(part, at, np.flatnonzero((edge_level == step) & (kind == number)), tints[step], width)
        bold_level = np.where(edge_level >= 0, _step(seen[net.edges, 2].mean(axis=1)), -1)
        for tints, edges in self._bold:
            for step, width in enumerate(self._widths):
                self._draw(part, at, edges[bold_level[edges] == step], tints[step], width)

    def _paint_hole(self, part: NDArray, at: NDArray, hole: tuple) -> None:
        """Paint what is seen through the mouth or an eye; the skin around it is painted afterwards."""
        outline = at[list(hole)]
        if hole == points.INNER_LIP:
            cv2.fillPoly(part, [outline], triple(to_bgr(CAVITY)), cv2.LINE_AA, SHIFT)
            return
        cv2.fillPoly(part, [outline], triple(to_bgr(WHITE)), cv2.LINE_AA, SHIFT)
        place = tuple(int(value) for value in np.rint(outline.mean(axis=0)))
        for radius, colour in ((IRIS, BLUE), (PUPIL, INK_BLUE)):
            reach = round(radius * SCALE * self.size * ONE)
            cv2.circle(part, place, reach, triple(to_bgr(colour)), cv2.FILLED, cv2.LINE_AA, SHIFT)

    def _draw(self, part: NDArray, at: NDArray, edges: NDArray, paint: tuple, width: int) -> None:
        """Draw edges in one colour."""
        if len(edges):
            cv2.polylines(part, list(at[self.net.edges[edges]]), False, paint, width, cv2.LINE_AA, SHIFT)


def paint_wires(shapes: NDArray, *, size: int, turn_s: float) -> Iterator[NDArray[np.uint8]]:
    """Paint shapes (T, 68, 2 or 3) of the template frame as planar YUV pictures (3 size / 2, size), ready for x264.

    A picture is valid until the next one is asked for.
    """
    faces = Skin().follow(in_space(shapes, rest=resting_face()))
    painter, planes = WirePainter(size), YuvPicture((size, size))
    planes.update(painter.frame, [(slice(0, size), slice(0, size))])
    cv2.setNumThreads(1)  # from here on the encoder keeps all cores busy, and what is painted is small
    for face, heading in zip(faces, headings(len(faces), turn_s=turn_s), strict=True):
        planes.update(painter.frame, painter.paint(face, heading))
        yield planes.picture


def draw_wires(predictions: str | Path, audio: str | Path, output: str | Path, *, size: int, turn_s: float) -> None:
    """Write a film of predicted landmarks as wires in space, with the audio they were predicted from.

    Parameters
    ----------
    predictions : path
        results/predictions/{model}/{clip}.npy: (T, 68, 2 or 3), template frame, 25 fps; see
        `talkface.face.depth.in_space`.
    audio : path
        A wav file; the film lasts as long, to the nearest frame.
    output : path
        An mp4, H.264 and AAC.
    size : int
        Pixels, both ways, even.
    turn_s : float
        See `headings`.

    Raises
    ------
    TalkfaceError
        If the predictions are no such array or hold NaN, the audio is empty or cannot be read, or ffmpeg fails.
    """
    shapes = hold(load_landmarks(predictions), frames_of(audio))
    with writing(output) as film:
        encode(paint_wires(shapes, size=size, turn_s=turn_s), film, size=(size, size), audio=audio, pixels="yuv420p")
