"""Face tracking: one face followed through the frames of a clip, found once, then confirmed every few frames.

Axes: T frames, 68 iBUG points in dlib's order, 2 = (x, y) in pixels of the upright source, y down.

The published systems search the whole frame, doubled in size, anew in each frame. Here the whole frame is searched
only until a face is found. From then on dlib's detector confirms it every `redetect_frames` (twice as many while it
keeps still, at once when the picture changes) in a small window around its last place, scaled so that the face is
about 100 pixels wide. The boxes are smoothed in time, and the predictor runs on each frame, on a patch cut from the
full resolution and brought to one size, three times with the box shifted a little. The means are finer than a pixel
and steadier than the published points.
"""

import functools
import logging
from collections.abc import Iterable
from pathlib import Path

import cv2
import dlib
import numpy as np

from talkface.face.points import COUNT, LIPS, UPPER_FACE, outer_eye_distance
from talkface.face.predictor import Predictor, load_predictor, predict
from talkface.face.shots import Shots

log = logging.getLogger(__name__)

# Chosen on the clips named in benchmarks/landmarking.py: nearest to the published points at the least time.
_WINDOW = 1.8  # side of the window searched around a face, in face widths
_WINDOW_FACE_PX = 100  # about the width a face has when its window is searched
_PYRAMID = 6 / 5  # step between the sizes dlib's detector tries; the window keeps to the published pyramid's sizes
_UPSAMPLED = 2.0  # scale of the published search
_SEARCH_SIDES_PX = (640, 1280)  # long sides at which a whole frame is searched before the published scale
_PATCH_PX = 400  # side of the patch the predictor sees
_PATCH_MARGIN = 0.35  # of the face width, around the box
_SHIFTS = (-0.045, 0.0, 0.045)  # of the face width; the predictions averaged start from boxes so displaced
_BATCH_FRAMES = 24  # frames predicted at once (see `predictor`)
_SMOOTHING_FRAMES = 5.0  # standard deviation of the kernel over boxes
_REACH_FRAMES = 12  # where the kernel ends
_BACKOFF_FRAMES = 25  # the costly searches of a frame without a face are at most this far apart
_EMPTY_CONTRAST = 2.0  # grey levels; a frame whose standard deviation is less shows nothing
_THIN = 24  # rows and columns of a face that are compared with the next frame's
_SUDDEN = 0.5  # change of a face, in units of its contrast, after which it must be confirmed at once
_STILL = 0.12  # of the face width; boxes that differ less (by one cell of the detector's grid) are at one place
_JUMP = 0.5  # of the face width; a face that moves further between neighbouring frames has not moved, it is another
_GROWTH = 1.6  # ratio of sizes, likewise


@functools.cache
def load_detector(path: Path) -> tuple[dlib.fhog_object_detector, Predictor]:
    """Load dlib's face detector, and the predictor of a file; it takes half a second, so once a process."""
    return dlib.get_frontal_face_detector(), load_predictor(path)


def _resize(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize a grey picture (H, W): halved by means of 2x2 pixels, then bilinear.

    OpenCV's own area filter takes seven times as long for ratios that are no whole numbers. The result lies in memory
    row after row, as dlib's detector reads it, whatever the strides of an array are.
    """
    while picture.shape[0] >= 2 * height and picture.shape[1] >= 2 * width:
        picture = picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
        picture = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    if picture.shape == (height, width):
        return np.ascontiguousarray(picture)
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)


def _corners(rectangle: dlib.rectangle) -> np.ndarray:
    return np.array([rectangle.left(), rectangle.top(), rectangle.right(), rectangle.bottom()], float)


def _width(box: np.ndarray) -> float:
    return box[2] - box[0]


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """Tell whether two boxes of neighbouring frames can be one face."""
    width = max(_width(a), _width(b))
    moved = np.hypot(*((a[:2] + a[2:]) / 2 - (b[:2] + b[2:]) / 2))
    return moved <= _JUMP * width and width <= _GROWTH * min(_width(a), _width(b))


def _nearest(boxes: list[np.ndarray], last: np.ndarray) -> np.ndarray:
    return min(boxes, key=lambda box: np.abs(box - last).sum())


class Tracker:
    """Tracker of one face through frames that are pushed one by one; `finish` completes the track.

    Frames wait in `waiting` until the box of each is settled: anchors (confirmed boxes) on both sides, or absence.
    """

    def __init__(
        self, detector: dlib.fhog_object_detector, predictor: Predictor, *, redetect_frames: int, recount_frames: int
    ):
        self.detector, self.predictor = detector, predictor
        self.redetect, self.recount = redetect_frames, recount_frames
        self.waiting: dict[int, np.ndarray] = {}  # frames not yet settled, by number
        self.count = 0
        self.anchors: list[tuple[int, np.ndarray]] = []  # of the present stretch
        self.last: np.ndarray | None = None  # where the face was last seen, None before it ever was
        self.following = False
        self.interval = redetect_frames  # frames until the next confirmation; longer while the face keeps still
        self.searched, self.searched_fully, self.pause = -(10**9), -(10**9), redetect_frames
        self.faces: dict[int, int] = {}
        self.boxes: dict[int, np.ndarray] = {}
        self.landmarks: dict[int, np.ndarray] = {}
        self.spread: dict[int, np.ndarray] = {}  # of predictions from shifted boxes, lips and upper face
        self.shots = Shots()
        self.before: np.ndarray | None = None  # the frame pushed last

    # -- finding -------------------------------------------------------------------------------------------------

    def _detect(self, picture: np.ndarray, scale: float) -> list[np.ndarray]:
        """Detect faces in a picture that is searched at `scale`; boxes are in its own pixels."""
        width, height = (max(1, round(scale * side)) for side in picture.shape[::-1])
        exact = np.tile([width / picture.shape[1], height / picture.shape[0]], 2)
        return [_corners(found) / exact for found in self.detector(_resize(picture, width, height), 0)]

    def _search(self, number: int, *, fully: bool) -> np.ndarray | None:
        """Find a face in the whole frame: the one followed before if there, else the largest; small scales first."""
        frame = self.waiting[number]
        self.searched = number
        if fully:
            self.searched_fully = number
        if frame.std() < _EMPTY_CONTRAST:
            self.faces[number] = 0
            return None
        scales = sorted({min(1.0, side / max(frame.shape)) for side in _SEARCH_SIDES_PX} | {1.0, _UPSAMPLED})
        boxes: list[np.ndarray] = []
        for scale in scales if fully else scales[:1]:
            boxes = self._detect(frame, scale)
            if boxes:
                break
        self.faces[number] = len(boxes)
        if not boxes:
            return None
        near = [] if self.last is None else [box for box in boxes if _same(box, self.last)]
        found = max(boxes, key=_width) if self.last is None or not near else _nearest(near, self.last)
        # The window's scale is that of every later box; a box of another scale would be a jump in size.
        refined = self._confirm(number, found)
        return found if refined is None else refined

    def _confirm(self, number: int, last: np.ndarray) -> np.ndarray | None:
        """Detect the face seen at `last`, in the window around that place in frame `number`."""
        frame = self.waiting[number]
        width = _width(last)
        step = max(0, round(np.log(_UPSAMPLED * width / _WINDOW_FACE_PX) / np.log(_PYRAMID)))
        centre = (last[:2] + last[2:]) / 2
        left, top = np.maximum(0, np.floor(centre - _WINDOW / 2 * width)).astype(int)
        right, bottom = np.ceil(centre + _WINDOW / 2 * width).astype(int)
        window = frame[top:bottom, left:right]
        if min(window.shape) < width / 2:
            return None
        boxes = [box + np.tile([left, top], 2) for box in self._detect(window, _UPSAMPLED / _PYRAMID**step)]
        boxes = [box for box in boxes if _same(box, last)]
        return _nearest(boxes, last) if boxes else None

    # -- following -----------------------------------------------------------------------------------------------

    def push(self, frame: np.ndarray) -> None:
        """Take the next frame, (H, W) uint8."""
        number = self.count
        self.waiting[number] = frame
        self.count += 1
        sudden = self._sudden(frame)
        self.shots.push(frame)
        if self.following:
            if sudden or number - self.anchors[-1][0] >= self.interval:
                self._check(number)
        elif number - self.searched >= self.redetect or number == 0:
            self._look(number)
        self._settle()

    def _sudden(self, frame: np.ndarray) -> bool:
        """Tell whether the picture changed at once where the face was, so that it cannot be taken for granted."""
        before, self.before = self.before, frame
        if before is None or self.last is None:
            return False
        left, top, right, bottom = np.maximum(0, self.last).astype(int)
        rows, columns = max(1, (bottom - top) // _THIN), max(1, (right - left) // _THIN)
        old, new = (f[top:bottom:rows, left:right:columns].astype(np.float32) for f in (before, frame))
        return bool(np.abs(new - old).mean() > _SUDDEN * max(1.0, float(old.std())))

    def _check(self, number: int) -> None:
        """Confirm the face followed in frame `number`; when it is gone find out from which frame on."""
        begin, box = self.anchors[-1]
        found = self._confirm(number, box)
        if found is not None and number // self.recount > self.searched // self.recount:
            self._search(number, fully=False)  # to count the faces
        if found is None:
            found = self._search(number, fully=number - self.searched_fully >= self.redetect)
            if found is not None and not _same(found, box):
                self._walk(range(begin + 1, number))
                self._leave()
                self._enter(number, found)
                return
        if found is None:
            self._walk(range(begin + 1, number))
            self._leave()
            return
        self.anchors.append((number, found))
        self.interval = self.redetect * (2 if np.abs(found - box).max() < _STILL * _width(box) else 1)
        self.last = found

    def _walk(self, numbers: Iterable[int]) -> None:
        """Confirm frame after frame until one fails."""
        for number in numbers:
            found = self._confirm(number, self.anchors[-1][1])
            if found is None:
                break
            self.anchors.append((number, found))
            self.last = found

    def _look(self, number: int) -> None:
        """Search a frame while no face is followed; the costly scales ever more rarely."""
        fully = number - self.searched_fully >= self.pause
        found = self._search(number, fully=fully)
        if found is not None:
            self._enter(number, found)
        elif fully:
            self.pause = min(2 * self.pause, _BACKOFF_FRAMES)

    def _enter(self, number: int, found: np.ndarray) -> None:
        """Begin to follow a face, from the earliest waiting frame that shows it."""
        ended = max(self.boxes, default=-1)
        before = self.last
        back = [(number, found)]
        for earlier in range(number - 1, ended, -1):
            if earlier not in self.waiting:
                break
            box = self._confirm(earlier, back[-1][1])
            if box is None:
                break
            back.append((earlier, box))
        self.anchors = back[::-1]
        # Found again after a gap, a face may have moved on; more than a width it has not.
        if before is not None and not _same(before, self.anchors[0][1]):
            self.shots.jumps.append((ended, self.anchors[0][0]))
        self.last, self.following = found, True
        self.interval = self.pause = self.redetect

    def _leave(self) -> None:
        """Stop following the face after the last anchor."""
        self._settle(whole=True)
        self.anchors, self.following = [], False

    # -- landmarks -----------------------------------------------------------------------------------------------

    def _settle(self, *, whole: bool = False) -> None:
        """Predict the frames whose box no later anchor can change, and let go of those without a face."""
        if not self.following:
            # Frames since the last full search may yet turn out to show a face.
            for number in [n for n in self.waiting if n < self.count - 2 * _BACKOFF_FRAMES]:
                del self.waiting[number]
            return
        first, last = self.anchors[0][0], self.anchors[-1][0]
        until = last if whole else last - _REACH_FRAMES
        if not whole and until - min(self.waiting, default=until) < _BATCH_FRAMES:
            return
        ready = [number for number in sorted(self.waiting) if number <= until]
        frames = {number: self.waiting.pop(number) for number in ready}
        self._predict({number: frame for number, frame in frames.items() if number >= first})
        while len(self.anchors) > 1 and self.anchors[1][0] < until - _REACH_FRAMES:
            self.anchors.pop(0)

    def _smooth(self, number: int) -> np.ndarray:
        """Fit the box of a frame: a line through the anchors around it, weighted by nearness."""
        near = [(at - number, box) for at, box in self.anchors if abs(at - number) <= _REACH_FRAMES]
        times, boxes = np.array([time for time, _ in near], float), np.array([box for _, box in near])  # (A,), (A, 4)
        weights = np.exp(-0.5 * (times / _SMOOTHING_FRAMES) ** 2)
        weights /= weights.sum()
        mean_time, mean = weights @ times, weights @ boxes
        spread = weights @ (times - mean_time) ** 2
        if len(near) < 3 or spread == 0:
            return mean
        slope = (weights * (times - mean_time)) @ (boxes - mean) / spread
        return mean - slope * mean_time

    def _predict(self, frames: dict[int, np.ndarray]) -> None:
        """Predict the landmarks of some frames: means of predictions from shifted boxes, on patches of one size."""
        if not frames:
            return
        patches = np.empty((len(frames), _PATCH_PX, _PATCH_PX), np.uint8)
        origins, scales = np.empty((len(frames), 2)), np.empty(len(frames))
        for row, (number, frame) in enumerate(frames.items()):
            box = self.boxes[number] = self._smooth(number)
            margin = _PATCH_MARGIN * _width(box)
            side = max(2, round(_width(box) + 2 * margin))
            left, top = origins[row] = np.floor(box[:2] - margin).astype(int)
            patch = frame[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)]
            above, before = max(0, -top), max(0, -left)
            missing = above, side - patch.shape[0] - above, before, side - patch.shape[1] - before
            if any(missing):
                patch = cv2.copyMakeBorder(patch, *missing, cv2.BORDER_CONSTANT)
            patches[row] = _resize(patch, _PATCH_PX, _PATCH_PX)
            scales[row] = _PATCH_PX / side
            self.shots.compare(number, patches[row][::6, ::6])
        # The centre of pixel i lies at i + 0.5, in the frame and in the patch; the predictor counts from centres.
        boxes = np.array([self.boxes[number] for number in frames])  # (B, 4)
        corners = (boxes + 0.5 - np.tile(origins, 2)) * scales[:, None] - 0.5
        widths = corners[:, 2] - corners[:, 0]
        shifted = corners + np.multiply.outer(_SHIFTS, widths)[:, :, None] * [1, 0, 1, 0]  # (shifts, B, 4)
        which = np.tile(np.arange(len(frames)), len(_SHIFTS))
        points = predict(self.predictor, patches, which, shifted.reshape(-1, 4))  # (shifts * B, 68, 2)
        each = points.reshape(len(_SHIFTS), len(frames), COUNT, 2)
        points = each.mean(axis=0)
        # Lips that are seen draw the points to one place wherever they start from.
        deviation = each.std(axis=0).mean(axis=-1) / outer_eye_distance(points)[:, None]  # (B, 68)
        spread = np.stack([deviation[:, part].mean(axis=1) for part in (LIPS, UPPER_FACE)], axis=1)  # (B, 2)
        self.spread.update(zip(frames, spread, strict=True))
        points = (points + 0.5) / scales[:, None, None] - 0.5 + origins[:, None]
        self.landmarks.update(zip(frames, points, strict=True))

    # -- the end -------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Decide the frames that wait; no more are pushed."""
        number = self.count - 1
        if self.following:
            if self.anchors[-1][0] < number:
                self._check(number)
            if self.following:
                self._leave()
        elif self.count and self.searched < number:
            found = self._search(number, fully=number - self.searched_fully >= self.redetect)
            if found is not None:
                self._enter(number, found)
                self._leave()
