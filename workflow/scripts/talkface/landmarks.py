"""The 68 landmarks of a face in each frame of a clip: found once, followed, confirmed every few frames.

Axes: T frames, 68 iBUG points in dlib's order, 2 = (x, y) in pixels of the upright source, y down.

The published systems search the whole frame, doubled in size, anew in each frame. Here the whole frame is searched
only until a face is found. From then on dlib's detector confirms it every `redetect_frames` (twice as many while it
keeps still, at once when the picture changes) in a small window around its last place, scaled so that the face is
about 100 pixels wide. The boxes are smoothed in time, and the predictor runs on each frame, on a patch cut from the
full resolution and brought to one size, three times with the box shifted a little. The means are finer than a pixel
and steadier than the published points.

results/landmarks/{shard}.h5: a group per clip with `landmarks` (T, 68, 2) float32, `detected` (T,) bool, `box` (T, 4)
float32 left, top, right, bottom, `faces` (T,) int16 (faces counted in the whole frame, -1 where it was not searched);
attributes `fps` (25), `source_fps`, `width`, `height`, `duration_s`, `source`, `digest` and `rejected`, which is
empty or says in words why the clip cannot be used. A rejected clip has the datasets only if its frames decode, with
NaN where no face is known.
"""

import functools
import importlib.util
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import dlib
import h5py
import numpy as np

from talkface.conventions import FPS
from talkface.errors import TalkfaceError
from talkface.files import digest, writing
from talkface.media.video import probe, read_frames
from talkface.points import COUNT
from talkface.predictor import load_predictor, predict

log = logging.getLogger(__name__)

# shape_predictor_68_face_landmarks.dat of the package face_recognition_models 0.3.0 (trained on 300-W).
PREDICTOR_SHA256 = "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f"
PREDICTOR_NAME = "shape_predictor_68_face_landmarks.dat"

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
_CUT_CONTRAST = 0.33  # change of the face patch, freed of brightness and contrast, from one frame to the next
_CUT_RATIO = 6.0  # and in units of the usual change around it


@dataclass(kw_only=True)
class Track:
    """Landmarks of a clip.

    Attributes
    ----------
    landmarks : (T, 68, 2) float32 array
        Pixels; NaN where no face is known.
    detected : (T,) bool array
        True where a face was seen, False where the landmarks are interpolated or held.
    box : (T, 4) float32 array
        Left, top, right, bottom in pixels.
    faces : (T,) int16 array
        Number of faces where the whole frame was searched, -1 elsewhere.
    rejected : str
        Empty, or why the clip cannot be used.
    """

    landmarks: np.ndarray
    detected: np.ndarray
    box: np.ndarray
    faces: np.ndarray
    rejected: str = ""


def predictor_path(path: Path | str | None = None) -> Path:
    """Where dlib's 68-point predictor lies, its content checked.

    Parameters
    ----------
    path : path, optional
        A copy of one's own; by default that of the package face_recognition_models.

    Raises
    ------
    TalkfaceError
        If there is none or its content is another.
    """
    if path is None:
        # Importing the package needs pkg_resources, which new setuptools lack; its folder is all that is wanted.
        spec = importlib.util.find_spec("face_recognition_models")
        if spec is None or spec.origin is None:
            raise TalkfaceError(
                f"{PREDICTOR_NAME}: not found; the package face_recognition_models holds it; "
                "install that or name a file as landmarks.predictor in the config"
            )
        path = Path(spec.origin).parent / "models" / PREDICTOR_NAME
    path = Path(path)
    if not path.is_file():
        raise TalkfaceError(f"{path}: no such file; dlib's 68-point predictor was expected; see landmarks.predictor")
    found = digest(path)
    if found != PREDICTOR_SHA256:
        raise TalkfaceError(
            f"{path}: sha256 {found[:12]}... is not {PREDICTOR_SHA256[:12]}...; "
            f"the file {PREDICTOR_NAME} of face_recognition_models 0.3.0 was expected; get it again"
        )
    return path


@functools.cache
def _load(path: Path):
    """Detector and predictor; loading takes half a second, so once a process."""
    return dlib.get_frontal_face_detector(), load_predictor(path)


def _resize(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """A grey picture (H, W) at another size: halved by means of 2x2 pixels, then bilinear.

    OpenCV's own area filter takes seven times as long for ratios that are no whole numbers.
    """
    while picture.shape[0] >= 2 * height and picture.shape[1] >= 2 * width:
        picture = picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
        picture = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    if picture.shape == (height, width):
        return picture
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)


def _corners(rectangle) -> np.ndarray:
    return np.array([rectangle.left(), rectangle.top(), rectangle.right(), rectangle.bottom()], float)


def _width(box: np.ndarray) -> float:
    return box[2] - box[0]


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two boxes of neighbouring frames can be one face."""
    width = max(_width(a), _width(b))
    moved = np.hypot(*((a[:2] + a[2:]) / 2 - (b[:2] + b[2:]) / 2))
    return moved <= _JUMP * width and width <= _GROWTH * min(_width(a), _width(b))


def _nearest(boxes: list[np.ndarray], last: np.ndarray) -> np.ndarray:
    return min(boxes, key=lambda box: np.abs(box - last).sum())


class _Tracker:
    """Follows one face through frames that are pushed one by one; `finish` gives the track.

    Frames wait in `waiting` until the box of each is settled: anchors (confirmed boxes) on both sides, or absence.
    """

    def __init__(self, detector, predictor, *, redetect_frames: int, recount_frames: int):
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
        self.jumps: list[int] = []  # first frames of another shot or face
        self.before: np.ndarray | None = None  # the frame pushed last
        self.patch: tuple[int, np.ndarray] | None = None
        self.changes: dict[int, float] = {}

    # -- finding -------------------------------------------------------------------------------------------------

    def _detect(self, picture: np.ndarray, scale: float) -> list[np.ndarray]:
        """Faces in a picture that is searched at `scale`, in its own pixels."""
        width, height = (max(1, round(scale * side)) for side in picture.shape[::-1])
        exact = np.tile([width / picture.shape[1], height / picture.shape[0]], 2)
        return [_corners(found) / exact for found in self.detector(_resize(picture, width, height), 0)]

    def _search(self, number: int, *, fully: bool) -> np.ndarray | None:
        """A face in the whole frame: the one followed before if it is there, else the largest; small scales first."""
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
        found = _nearest(near, self.last) if near else max(boxes, key=_width)
        # The window's scale is that of every later box; a box of another scale would be a jump in size.
        refined = self._confirm(number, found)
        return found if refined is None else refined

    def _confirm(self, number: int, last: np.ndarray) -> np.ndarray | None:
        """The face seen at `last`, in the window around that place in frame `number`."""
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
        if self.following:
            if sudden or number - self.anchors[-1][0] >= self.interval:
                self._check(number)
        elif number - self.searched >= self.redetect or number == 0:
            self._look(number)
        self._settle()

    def _sudden(self, frame: np.ndarray) -> bool:
        """Whether the picture changed at once where the face was, so that it cannot be taken for granted."""
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
            found = self._confirm(number, self.last)
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
            self.jumps.append(self.anchors[0][0])
        self.last, self.following = found, True
        self.interval = self.pause = self.redetect

    def _leave(self) -> None:
        """The face is gone after the last anchor."""
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
        """Box of a frame: a line through the anchors around it, weighted by nearness."""
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
        """Landmarks in some frames: means of predictions from shifted boxes, on patches of one size."""
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
            self._compare(number, patches[row])
        # The centre of pixel i lies at i + 0.5, in the frame and in the patch; the predictor counts from centres.
        boxes = np.array([self.boxes[number] for number in frames])  # (B, 4)
        corners = (boxes + 0.5 - np.tile(origins, 2)) * scales[:, None] - 0.5
        widths = corners[:, 2] - corners[:, 0]
        shifted = corners + np.multiply.outer(_SHIFTS, widths)[:, :, None] * [1, 0, 1, 0]  # (shifts, B, 4)
        which = np.tile(np.arange(len(frames)), len(_SHIFTS))
        points = predict(self.predictor, patches, which, shifted.reshape(-1, 4))  # (shifts * B, 68, 2)
        points = points.reshape(len(_SHIFTS), len(frames), COUNT, 2).mean(axis=0)
        points = (points + 0.5) / scales[:, None, None] - 0.5 + origins[:, None]
        self.landmarks.update(zip(frames, points, strict=True))

    def _compare(self, number: int, patch: np.ndarray) -> None:
        """How much the face's surroundings changed since the frame before, whatever their brightness and contrast."""
        thin = patch[::6, ::6].astype(np.float32)
        thin = (thin - thin.mean()) / max(1.0, float(thin.std()))
        if self.patch is not None and self.patch[0] == number - 1:
            self.changes[number] = float(np.abs(thin - self.patch[1]).mean())
        self.patch = number, thin

    # -- the end -------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """No more frames: settle what waits."""
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

    def cuts(self) -> list[int]:
        """First frames of a new shot: jumps of the face, or a sudden change of the picture around it."""
        numbers = np.array(sorted(self.changes), int)
        values = np.array([self.changes[number] for number in numbers])
        found = set(self.jumps)
        for number, value in zip(numbers, values, strict=True):
            if value > _CUT_CONTRAST:
                around = values[(np.abs(numbers - number) <= _REACH_FRAMES) & (numbers != number)]
                if len(around) and value > _CUT_RATIO * np.median(around):
                    found.add(int(number))
        return sorted(found)


def track_face(
    frames: Iterable[np.ndarray],
    *,
    predictor: Path | str,
    max_gap_frames: int = 5,
    redetect_frames: int = 5,
    recount_frames: int = 100,
) -> Track:
    """Landmarks of the one face of a clip.

    The largest face is taken and then kept by its place. Frames without a face are filled in where no more than
    `max_gap_frames` of them follow each other: linearly between their neighbours, at the ends of the clip with the
    nearest known frame. More of them, a cut or a jump to another face reject the clip.

    Parameters
    ----------
    frames : iterable of (H, W) uint8 arrays
        Grey, 25 a second.
    predictor : path
        From `predictor_path`.
    max_gap_frames : int
        Frames.
    redetect_frames : int
        Frames from one confirmation of a moving face to the next.
    recount_frames : int
        Frames from one count of the faces in the whole frame to the next.

    Returns
    -------
    Track
    """
    tracker = _Tracker(*_load(Path(predictor)), redetect_frames=redetect_frames, recount_frames=recount_frames)
    for frame in frames:
        tracker.push(frame)
    tracker.finish()
    count = tracker.count
    landmarks = np.full((count, COUNT, 2), np.nan)
    box = np.full((count, 4), np.nan)
    faces = np.full(count, -1, np.int16)
    for number, points in tracker.landmarks.items():
        landmarks[number], box[number] = points, tracker.boxes[number]
    for number, found in tracker.faces.items():
        faces[number] = found
    detected = ~np.isnan(box[:, 0])
    rejected = _fault(detected, tracker.cuts(), max_gap_frames=max_gap_frames)
    if not rejected:
        landmarks, box = _fill(landmarks, detected), _fill(box, detected)
    return Track(
        landmarks=landmarks.astype(np.float32),
        detected=detected,
        box=box.astype(np.float32),
        faces=faces,
        rejected=rejected,
    )


def longest_gap(detected: np.ndarray) -> tuple[int, int]:
    """First frame and length of the longest run of frames without a face, (0, 0) if there is none."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], ~np.asarray(detected, bool), [False]]).astype(int)))
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    if len(lengths) == 0:
        return 0, 0
    best = int(np.argmax(lengths))
    return int(starts[best]), int(lengths[best])


def _fault(detected: np.ndarray, cuts: Sequence[int], *, max_gap_frames: int) -> str:
    """Why a track cannot be used, or nothing."""
    if not detected.any():
        return f"no face in any of {len(detected)} frames; one of at least 40 pixels, seen from the front, was expected"
    if cuts:
        return (
            f"cut at frame {cuts[0]} ({cuts[0] / FPS:.2f} s): the picture or the face jumps; "
            "one uncut shot was expected; give its stretch as start_s and end_s"
        )
    begin, length = longest_gap(detected)
    if length > max_gap_frames:
        return (
            f"no face in frames {begin} to {begin + length - 1}; at most {max_gap_frames} in a row are filled in "
            "(landmarks.max_gap_frames); raise that or give the stretch with a face as start_s and end_s"
        )
    return ""


def _fill(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Rows (T, ...) that are not known, linearly from their neighbours; at the ends the nearest."""
    at, flat = np.arange(len(values)), values.reshape(len(values), -1)
    filled = [np.interp(at, at[known], column[known]) for column in flat.T]
    return np.stack(filled, axis=1).reshape(values.shape)


def landmark_shard(
    videos: Sequence[Path | str],
    output: Path | str,
    *,
    clips: Sequence[str],
    start_s: Sequence[float | None],
    end_s: Sequence[float | None],
    predictor: Path | str | None = None,
    max_gap_frames: int = 5,
    redetect_frames: int = 5,
    recount_frames: int = 100,
) -> None:
    """Write the landmarks of the clips of one shard; a clip that cannot be used is marked, not fatal.

    Parameters
    ----------
    videos : sequence of paths
        One a clip.
    output : path
        results/landmarks/{shard}.h5.
    clips : sequence of str
        Names, in the order of `videos`.
    start_s, end_s : sequence of float or None
        The stretch of each clip in seconds.
    predictor : path, optional
        See `predictor_path`.
    max_gap_frames, redetect_frames, recount_frames : int
        See `track_face`.
    """
    predictor = predictor_path(predictor)
    cv2.setNumThreads(1)  # the pictures are small; threads would only wait for each other
    with writing(output) as temporary, h5py.File(temporary, "w") as file:
        for clip, video, begin, end in zip(clips, videos, start_s, end_s, strict=True):
            group = file.create_group(clip)
            group.attrs.update(fps=FPS, source=Path(video).name, digest=digest(video))
            try:
                media = probe(video)
                group.attrs.update(source_fps=media.fps, width=media.width, height=media.height)
                track = track_face(
                    read_frames(media, start_s=begin, end_s=end),
                    predictor=predictor,
                    max_gap_frames=max_gap_frames,
                    redetect_frames=redetect_frames,
                    recount_frames=recount_frames,
                )
            except TalkfaceError as error:
                group.attrs.update(rejected=str(error), duration_s=0.0)
                log.warning("clip %s rejected: %s", clip, error)
                continue
            rejected = f"{video}: {track.rejected}" if track.rejected else ""
            group.attrs.update(rejected=rejected, duration_s=len(track.detected) / FPS)
            for name in ("landmarks", "detected", "box", "faces"):
                group.create_dataset(name, data=getattr(track, name))
            log.info("clip %s: %d frames, face in %d %s", clip, len(track.detected), track.detected.sum(), rejected)
