"""Landmark detection: the 68 landmarks of a face in each frame of a clip, and the files of shards that hold them.

Axes: T frames, 68 iBUG points in dlib's order, 2 = (x, y) in pixels of the upright source, y down.

results/landmarks/{shard}.h5: a group per clip with `landmarks` (T, 68, 2) float32, `detected` (T,) bool, `box` (T, 4)
float32 left, top, right, bottom, `faces` (T,) int16 (faces counted in the whole frame, -1 where it was not searched),
`spread` (T, 2) float32 (how far the points of lips and upper face lie apart when predicted from shifted boxes);
by the face mesh also `depth` (T, 68) and `blendshapes` (T, 51);
attributes `detector`, `fps` (25), `source_fps`, `width`, `height`, `duration_s`, `source`, `digest` and `rejected`,
which is empty or says in words why the clip cannot be used. A rejected clip has the datasets only if its frames decode,
with NaN where no face is known.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import h5py
import numpy as np

from talkface.conventions import FPS
from talkface.errors import InputError, TalkfaceError
from talkface.face.mesh.networks import BLENDSHAPES, load_landmarker, mesh_path
from talkface.face.mesh.tracking import MeshTracker
from talkface.face.points import COUNT
from talkface.face.predictor import predictor_path
from talkface.face.tracking import Tracker, load_detector
from talkface.files import digest, writing
from talkface.media.video import probe, read_frames

log = logging.getLogger(__name__)


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
    spread : (T, 2) float32 array
        Standard deviation of the predictions from shifted face boxes, of the lips and of the upper face (brows, nose,
        eyes), in outer-eye distances; NaN where no face was seen, and throughout by `mesh`. See `trust`.
    depth : (T, 68) float32 array or None
        By `mesh`: pixels, growing away from the camera.
    blendshapes : (T, 51) float32 array or None
        By `mesh`: scores 0 .. 1, whose names are `mesh.networks.BLENDSHAPES`.
    rejected : str
        Empty, or why the clip cannot be used.
    """

    landmarks: np.ndarray
    detected: np.ndarray
    box: np.ndarray
    faces: np.ndarray
    spread: np.ndarray
    depth: np.ndarray | None = None
    blendshapes: np.ndarray | None = None
    rejected: str = ""


def track_face(
    frames: Iterable[np.ndarray],
    *,
    predictor: Path | str,
    max_gap_frames: int = 5,
    redetect_frames: int = 5,
    recount_frames: int = 100,
) -> Track:
    """Track the landmarks of the one face of a clip.

    The largest face is taken and then kept by its place. Frames without a face are filled in where no more than
    `max_gap_frames` of them follow each other: linearly between their neighbours, at the ends of the clip with the
    nearest known frame. More of them, a cut or a jump to another face reject the clip; what is called a cut is one:
    the picture jumps.

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
    tracker = Tracker(*load_detector(Path(predictor)), redetect_frames=redetect_frames, recount_frames=recount_frames)
    track = _follow(tracker, frames, max_gap_frames=max_gap_frames)
    track.spread = _by_frame(tracker.spread, (tracker.count, 2)).astype(np.float32)
    return track


def track_mesh(
    frames: Iterable[np.ndarray], *, mesh: Path | str, max_gap_frames: int = 5, recount_frames: int = 100
) -> Track:
    """Track the landmarks of the one face of a clip by the face mesh: closed lips, any tilt, little light.

    Parameters
    ----------
    frames : iterable of (H, W, 3) uint8 arrays
        RGB, 25 a second.
    mesh : path
        From `mesh_path`.
    max_gap_frames, recount_frames : int
        See `track_face`.

    Returns
    -------
    Track
        With `depth` and `blendshapes`; nothing is known of `spread`.
    """
    tracker = MeshTracker(load_landmarker(Path(mesh)), recount_frames=recount_frames)
    track = _follow(tracker, frames, max_gap_frames=max_gap_frames)
    for name, found, width in (
        ("depth", tracker.depth, COUNT),
        ("blendshapes", tracker.blendshapes, len(BLENDSHAPES)),
    ):
        values = _by_frame(found, (tracker.count, width))
        setattr(track, name, (values if track.rejected else _fill(values, track.detected)).astype(np.float32))
    return track


def _by_frame(found: Mapping[int, np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Put what was found in some frames into an array of all (T, ...); NaN elsewhere."""
    values = np.full(shape, np.nan)
    for number, value in found.items():
        values[number] = value
    return values


def _follow(tracker: Tracker | MeshTracker, frames: Iterable[np.ndarray], *, max_gap_frames: int) -> Track:
    """Push frames through a tracker, put together what it found, frame by frame, and judge it."""
    for frame in frames:
        tracker.push(frame)
    tracker.finish()
    count = tracker.count
    landmarks = _by_frame(tracker.landmarks, (count, COUNT, 2))
    box = _by_frame(tracker.boxes, (count, 4))
    faces = np.full(count, -1, np.int16)
    for number, found in tracker.faces.items():
        faces[number] = found
    detected = ~np.isnan(box[:, 0])
    rejected = _fault(detected, tracker.shots.cuts(), tracker.shots.strays(), max_gap_frames=max_gap_frames)
    if not rejected:
        landmarks, box = _fill(landmarks, detected), _fill(box, detected)
    return Track(
        landmarks=landmarks.astype(np.float32),
        detected=detected,
        box=box.astype(np.float32),
        faces=faces,
        spread=np.full((count, 2), np.nan, np.float32),
        rejected=rejected,
    )


def longest_gap(detected: np.ndarray) -> tuple[int, int]:
    """Find the longest run of frames without a face: its first frame and length, (0, 0) if there is none.

    Examples
    --------
    >>> longest_gap(np.array([True, False, True, False, False]))
    (3, 2)
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], ~np.asarray(detected, bool), [False]]).astype(int)))
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    if len(lengths) == 0:
        return 0, 0
    best = int(np.argmax(lengths))
    return int(starts[best]), int(lengths[best])


def _fault(detected: np.ndarray, cuts: Sequence[int], strays: Sequence[tuple[int, int]], *, max_gap_frames: int) -> str:
    """Say why a track cannot be used; empty if it can."""
    if not detected.any():
        return f"no face in any of {len(detected)} frames; one of at least 40 pixels, seen from the front, was expected"
    if cuts:
        return (
            f"cut at frame {cuts[0]} ({cuts[0] / FPS:.2f} s): the picture or the face jumps; "
            "one uncut shot was expected; give its stretch as start_s and end_s"
        )
    if strays:
        last, first = strays[0]
        return (
            f"the detector goes to and fro; a face in frame {last}, another place in frame {first} "
            f"({first / FPS:.2f} s), and no cut between them, as with a face seen from the side or upside down, or a "
            "second one; one face seen from the front was expected; give its stretch as start_s and end_s"
        )
    begin, length = longest_gap(detected)
    if length > max_gap_frames:
        return (
            f"no face in frames {begin} to {begin + length - 1}; at most {max_gap_frames} in a row are filled in "
            "(landmarks.max_gap_frames); raise that or give the stretch with a face as start_s and end_s"
        )
    return ""


def _fill(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Fill unknown rows (T, ...): linearly between known ones, with the nearest at the ends."""
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
    detector: str = "dlib",
    predictor: Path | str | None = None,
    mesh: Path | str | None = None,
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
    detector : {"dlib", "mesh"}
    predictor, mesh : path, optional
        See `predictor_path` and `mesh_path`.
    max_gap_frames, redetect_frames, recount_frames : int
        See `track_face`.
    """
    tracking = find_tracking(
        detector,
        predictor=predictor,
        mesh=mesh,
        max_gap_frames=max_gap_frames,
        redetect_frames=redetect_frames,
        recount_frames=recount_frames,
    )
    cv2.setNumThreads(1)  # the pictures are small; threads would only wait for each other
    with writing(output) as temporary, h5py.File(temporary, "w") as file:
        for clip, video, begin, end in zip(clips, videos, start_s, end_s, strict=True):
            group = file.create_group(clip)
            group.attrs.update(fps=FPS, source=Path(video).name, digest=digest(video), detector=detector)
            try:
                media = probe(video)
                group.attrs.update(source_fps=media.fps, width=media.width, height=media.height)
                found = tracking.track(read_frames(media, start_s=begin, end_s=end, pixels=tracking.pixels))
            except InputError as error:
                group.attrs.update(rejected=str(error), duration_s=0.0)
                log.warning("clip %s rejected: %s", clip, error)
                continue
            rejected = f"{video}: {found.rejected}" if found.rejected else ""
            group.attrs.update(rejected=rejected, duration_s=len(found.detected) / FPS)
            for name in ("landmarks", "detected", "box", "faces", "spread", "depth", "blendshapes"):
                if (array := getattr(found, name)) is not None:
                    group.create_dataset(name, data=array)
            log.info("clip %s: %d frames, face in %d %s", clip, len(found.detected), found.detected.sum(), rejected)


class Tracking(NamedTuple):
    """How a detector wants its frames, and what tracks the face through them."""

    pixels: str
    track: Callable[[Iterable[np.ndarray]], Track]


def find_tracking(
    detector: str,
    *,
    predictor: Path | str | None = None,
    mesh: Path | str | None = None,
    max_gap_frames: int = 5,
    redetect_frames: int = 5,
    recount_frames: int = 100,
) -> Tracking:
    """Find what tracks faces by the detector of that name; parameters as in `landmark_shard`."""
    if detector == "mesh":
        followed = partial(
            track_mesh, mesh=mesh_path(mesh), max_gap_frames=max_gap_frames, recount_frames=recount_frames
        )
        return Tracking("rgb24", followed)
    if detector != "dlib":
        raise TalkfaceError(f"landmarks.detector: {detector!r}; dlib or mesh was expected; correct it")
    followed = partial(
        track_face,
        predictor=predictor_path(predictor),
        max_gap_frames=max_gap_frames,
        redetect_frames=redetect_frames,
        recount_frames=recount_frames,
    )
    return Tracking("gray", followed)
