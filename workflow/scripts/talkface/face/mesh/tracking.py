"""Mesh tracking: the face of a clip, followed from frame to frame by the face mesh (`networks`).

Each frame is read in the square that the points of the frame before suggest, as long as its score says that it shows a
face. A face that is not there yet, or is lost, is sought in the whole picture; where that finds nothing in ever smaller
tiles, since the detector sees faces from a tenth of its picture on, and ever more rarely. A face that was found late is
followed back through the frames that waited.

Axes: T frames, H height, W width, 478 points of the mesh.
"""

import itertools
import math

import cv2
import numpy as np

from talkface.face.mesh.networks import (
    OF_68,
    Landmarker,
    Mesh,
    blendshapes_of,
    find_faces,
    overlap,
    read_mesh,
    square_of_detection,
    square_of_mesh,
)
from talkface.face.shots import Shots

_ENTER, _STAY = 0.9, 0.5  # scores from which a face is one that is found, and one that is followed
_TILES = 1.6  # ratio of the sides of tiles from one search to the next, finer one
_LEAST_TILE_PX = 200  # in which a face of 24 pixels is found
_WAITING_FRAMES = 12  # that are kept while no face is there; the costly search of tiles is at most this far apart
_EMPTY_CONTRAST = 2.0  # grey levels; a frame whose standard deviation is less shows nothing
_SAME = 0.1  # intersection over union, less is another face or another place
_MARGIN = 0.35  # of the face's width, around its box: the surroundings that a cut changes
_SURROUNDINGS_PX = 66


class MeshTracker:
    """Tracker of one face through frames (H, W, 3), RGB, that are pushed one by one."""

    def __init__(self, landmarker: Landmarker, *, recount_frames: int):
        self.landmarker, self.recount = landmarker, recount_frames
        self.count = 0
        self.shots = Shots()
        self.faces: dict[int, int] = {}
        self.boxes: dict[int, np.ndarray] = {}
        self.landmarks: dict[int, np.ndarray] = {}
        self.depth: dict[int, np.ndarray] = {}
        self.blendshapes: dict[int, np.ndarray] = {}
        self.points: np.ndarray | None = None  # of the frame before, None while no face is followed
        self.last: int | None = None  # the last frame that showed the face
        self.waiting: dict[int, np.ndarray] = {}  # frames since then
        self.counted, self.tiled, self.pause = -(10**9), -(10**9), 1

    def push(self, frame: np.ndarray) -> None:
        """Take the next frame, (H, W, 3) uint8."""
        number = self.count
        self.count += 1
        self.shots.push(frame[..., 1])
        mesh = None if self.points is None else read_mesh(self.landmarker, frame, square_of_mesh(self.points))
        if mesh is not None and mesh.score >= _STAY:
            self._take(number, frame, mesh)
            if number - self.counted >= self.recount:
                self.faces[number] = len(self._find(number, frame, fully=False))
            return
        self.points = None
        found = self._look(number, frame)
        if found is None:
            self.waiting[number] = frame
            self.waiting.pop(number - _WAITING_FRAMES, None)
            return
        self._enter(number, frame, found)

    def finish(self) -> None:
        """Let go of what waits; no more frames are pushed."""
        self.waiting.clear()

    def _take(self, number: int, frame: np.ndarray, mesh: Mesh) -> None:
        """Take over the face of a frame."""
        self.points = mesh.points
        landmarks = mesh.points[list(OF_68)]
        self.landmarks[number], self.depth[number] = landmarks[:, :2], landmarks[:, 2]
        self.blendshapes[number] = blendshapes_of(self.landmarker, mesh.points)
        self.boxes[number] = _box(mesh.points)
        self.shots.compare(number, _surroundings(frame, self.boxes[number]))
        self.last = number

    def _enter(self, number: int, frame: np.ndarray, found: Mesh) -> None:
        """Begin to follow a face, from the earliest waiting frame that shows it."""
        before = self.last
        back = [(number, frame, found)]
        for earlier in sorted(self.waiting, reverse=True):
            if earlier != back[-1][0] - 1:
                break
            mesh = read_mesh(self.landmarker, self.waiting[earlier], square_of_mesh(back[-1][2].points))
            if mesh.score < _STAY:
                break
            back.append((earlier, self.waiting[earlier], mesh))
        if before is not None and overlap(self.boxes[before], _box(back[-1][2].points)[None])[0] < _SAME:
            self.shots.jumps.append((before, back[-1][0]))
        for each in reversed(back):
            self._take(*each)
        self.waiting.clear()
        self.pause = 1

    def _look(self, number: int, frame: np.ndarray) -> Mesh | None:
        """Look for a face in the whole frame: the one followed before if it is there, else the largest."""
        if frame[..., 1].std() < _EMPTY_CONTRAST:
            self.faces[number] = 0
            return None
        fully = number - self.tiled >= self.pause
        found = self._find(number, frame, fully=fully)
        self.faces[number] = len(found)
        if not found:
            if fully:
                self.tiled, self.pause = number, min(2 * self.pause, _WAITING_FRAMES)
            return None
        if self.last is not None:
            alike = overlap(self.boxes[self.last], np.array([_box(mesh.points) for mesh in found]))
            if alike.max() >= _SAME:
                return found[int(alike.argmax())]
        return found[0]

    def _find(self, number: int, frame: np.ndarray, *, fully: bool) -> list[Mesh]:
        """Find the faces of a frame, the largest first; in tiles, too, where the whole shows none."""
        self.counted = number
        found = self._meshes(frame)
        if found or not fully:
            return found
        height, width = frame.shape[:2]
        for side in itertools.takewhile(
            lambda side: side >= _LEAST_TILE_PX, (max(height, width) / _TILES**power for power in itertools.count(1))
        ):
            size = round(side)
            tops, lefts = (_starts(length, size) for length in (height, width))
            for top, left in itertools.product(tops, lefts):
                for mesh in self._meshes(frame[top : top + size, left : left + size]):
                    placed = Mesh(mesh.points + np.array([left, top, 0]), mesh.score)
                    others = [_box(other.points) for other in found]
                    if not others or overlap(_box(placed.points), np.array(others)).max() < _SAME:
                        found.append(placed)
            if found:
                break
        return sorted(found, key=lambda mesh: -_width(mesh))

    def _meshes(self, picture: np.ndarray) -> list[Mesh]:
        """Read the faces that the detector finds in a picture, and that the mesh takes for faces as well."""
        found = []
        for face in find_faces(self.landmarker, picture):
            # The square of a detection is too small for the mesh to be exact.
            first = read_mesh(self.landmarker, picture, square_of_detection(face))
            mesh = read_mesh(self.landmarker, picture, square_of_mesh(first.points))
            if mesh.score >= _ENTER:
                found.append(mesh)
        return sorted(found, key=lambda mesh: -_width(mesh))


def _starts(length: int, size: int) -> list[int]:
    """Return where tiles begin that cover a length and overlap by half.

    Examples
    --------
    >>> _starts(720, 360)
    [0, 180, 360]
    """
    steps = max(0, math.ceil((length - size) / (size / 2)))
    return [round(step * (length - size) / steps) for step in range(steps + 1)] if steps else [0]


def _box(points: np.ndarray) -> np.ndarray:
    """Return the box (4,) around the landmarks of a mesh (478, 3)."""
    landmarks = points[list(OF_68), :2]
    return np.concatenate([landmarks.min(axis=0), landmarks.max(axis=0)])


def _width(mesh: Mesh) -> float:
    left, top, right, bottom = _box(mesh.points)
    return float(max(right - left, bottom - top))


def _surroundings(frame: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Cut the face with its surroundings from a frame, grey, brought to one size."""
    margin = _MARGIN * (box[2] - box[0])
    left, top = np.maximum(0, np.floor(box[:2] - margin)).astype(int)
    right, bottom = np.maximum([left + 2, top + 2], np.ceil(box[2:] + margin)).astype(int)
    patch = frame[top:bottom, left:right, 1]
    thin = max(1, min(patch.shape) // _SURROUNDINGS_PX)
    if not patch.size:
        return np.zeros((_SURROUNDINGS_PX, _SURROUNDINGS_PX), np.uint8)
    return cv2.resize(np.ascontiguousarray(patch[::thin, ::thin]), (_SURROUNDINGS_PX, _SURROUNDINGS_PX))
