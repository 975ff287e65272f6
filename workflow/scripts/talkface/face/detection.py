"""Landmark detection: the 68 landmarks of a face in each frame of a clip, and the files of shards that hold them.

Axes: T frames, 68 iBUG points in dlib's order, 2 = (x, y) in pixels of the upright source, y down.

results/landmarks/{shard}.h5: a group per clip with `landmarks` (T, 68, 2) float32, `detected` (T,) bool, `box` (T, 4)
float32 left, top, right, bottom, `faces` (T,) int16 (faces counted in the whole frame, -1 where it was not searched),
`spread` (T, 2) float32 (how far the points of lips and upper face lie apart when predicted from shifted boxes);
attributes `fps` (25), `source_fps`, `width`, `height`, `duration_s`, `source`, `digest` and `rejected`, which is
empty or says in words why the clip cannot be used. A rejected clip has the datasets only if its frames decode, with
NaN where no face is known.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import h5py
import numpy as np

from talkface.conventions import FPS
from talkface.errors import InputError
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
        eyes), in outer-eye distances; NaN where no face was seen. See `trust`.
    rejected : str
        Empty, or why the clip cannot be used.
    """

    landmarks: np.ndarray
    detected: np.ndarray
    box: np.ndarray
    faces: np.ndarray
    spread: np.ndarray
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
    for frame in frames:
        tracker.push(frame)
    tracker.finish()
    count = tracker.count
    landmarks = np.full((count, COUNT, 2), np.nan)
    box = np.full((count, 4), np.nan)
    faces = np.full(count, -1, np.int16)
    spread = np.full((count, 2), np.nan, np.float32)
    for number, points in tracker.landmarks.items():
        landmarks[number], box[number], spread[number] = points, tracker.boxes[number], tracker.spread[number]
    for number, found in tracker.faces.items():
        faces[number] = found
    detected = ~np.isnan(box[:, 0])
    rejected = _fault(detected, tracker.cuts(), tracker.strays(), max_gap_frames=max_gap_frames)
    if not rejected:
        landmarks, box = _fill(landmarks, detected), _fill(box, detected)
    return Track(
        landmarks=landmarks.astype(np.float32),
        detected=detected,
        box=box.astype(np.float32),
        faces=faces,
        spread=spread,
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
            "second one; "
            "one face seen from the front was expected; give its stretch as start_s and end_s"
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
            except InputError as error:
                group.attrs.update(rejected=str(error), duration_s=0.0)
                log.warning("clip %s rejected: %s", clip, error)
                continue
            rejected = f"{video}: {track.rejected}" if track.rejected else ""
            group.attrs.update(rejected=rejected, duration_s=len(track.detected) / FPS)
            for name in ("landmarks", "detected", "box", "faces", "spread"):
                group.create_dataset(name, data=getattr(track, name))
            log.info("clip %s: %d frames, face in %d %s", clip, len(track.detected), track.detected.sum(), rejected)
