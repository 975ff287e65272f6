"""Speed and accuracy of landmarks, beside the published procedure.

Decoding is left out on both sides: the frames lie in memory. Both run on one core, taking turns.
"""

import statistics
import time
from pathlib import Path

import cv2
import numpy as np
from published_landmarking import load_published, published_landmarks

from talkface.face.detection import track_face
from talkface.face.points import outer_eye_distance
from talkface.face.predictor import predictor_path
from talkface.media.video import probe, read_frames

ROUNDS = 5
# Case, clip, frames of ours, frames of the published procedure (which takes 20 to 300 ms each), ratio that is required.
SPEED = (
    ("landmarks at 1280x720", "talking/person31.mp4", 150, 15, 100),
    ("landmarks at 360x288 (GRID)", "grid/s1/bbaf4p.mpg", 75, 75, 17),
    ("landmarks at 1920x1080", "talking/lavse_sp01_001.mp4", 76, 8, None),
)
MAX_DISTANCE_PERCENT = 1.0  # from the published points, on every clip
PERSON31_S = 6.0  # of the longest clip, so much is compared


def frames_of(path: Path, *, seconds: float | None = None) -> list[np.ndarray]:
    """Decode the grey frames of a clip or of its first seconds."""
    return list(read_frames(probe(path), end_s=seconds))


def real_clips(data: Path) -> list[Path]:
    """List every video of the folder of real data."""
    return sorted([*data.glob("grid/*/*.mpg"), *data.glob("talking/*.mp4")])


def jitter(landmarks: np.ndarray) -> float:
    """Compute the mean second difference in time of landmarks (T, 68, 2), pixels; NaN frames are left out."""
    return float(np.nanmean(np.linalg.norm(np.diff(landmarks, 2, axis=0), axis=-1)))


def compare(ours: np.ndarray, published: np.ndarray) -> tuple[float, float]:
    """Compute median distance, percent of the outer-eye distance, and ratio of jitters, over frames both found."""
    both = ~np.isnan(ours).any(axis=(1, 2)) & ~np.isnan(published).any(axis=(1, 2))
    ours, published = (np.where(both[:, None, None], points, np.nan) for points in (ours, published))
    eyes = np.nanmedian(outer_eye_distance(published))
    distance = 100 * np.nanmedian(np.linalg.norm(ours - published, axis=-1)) / eyes
    return float(distance), jitter(ours) / jitter(published)


def measure_speed(data: Path) -> list[dict]:
    """Measure milliseconds a frame, medians of five rounds in which both take turns."""
    cv2.setNumThreads(1)
    predictor = predictor_path()
    models = load_published(predictor)
    rows = []
    for case, name, many, few, required in SPEED:
        frames = frames_of(data / name, seconds=many / 25)
        track_face(frames[:10], predictor=predictor)  # loads the predictor
        times = {"published": [], "ours": []}
        for _ in range(ROUNDS):
            start = time.perf_counter()
            published_landmarks(frames[:few], models=models)
            middle = time.perf_counter()
            track_face(frames, predictor=predictor)
            times["published"].append(1e3 * (middle - start) / few)
            times["ours"].append(1e3 * (time.perf_counter() - middle) / len(frames))
        published, ours = (statistics.median(times[side]) for side in ("published", "ours"))
        rows.append(
            {
                "case": case,
                "work": f"{name}: {len(frames)} frames, {few} of them by the published procedure",
                "unit": "ms/frame",
                "published": published,
                "ours": ours,
                "ratio": published / ours,
                "required": f">= {required}" if required else "",
            }
        )
    return rows


def measure_accuracy(clips: list[Path]) -> list[dict]:
    """Compare jitter and distance, a row a clip; the last row has the largest distance."""
    predictor = predictor_path()
    models = load_published(predictor)
    rows, distances = [], []
    for path in clips:
        frames = frames_of(path, seconds=PERSON31_S if path.stem == "person31" else None)
        published = published_landmarks(frames, models=models)
        track = track_face(frames, predictor=predictor)
        ours = np.where(track.detected[:, None, None], track.landmarks.astype(np.float64), np.nan)
        distance, ratio = compare(ours, published)
        distances.append(distance)
        rows.append(
            {
                "case": "landmarks, mean second difference",
                "work": f"{path.parent.name}/{path.name}: {len(frames)} frames, median distance {distance:.2f} %",
                "unit": "px",
                "published": jitter(published),
                "ours": jitter(published) * ratio,
                "ratio": ratio,
                "required": "<= 1",
            }
        )
    rows.append(
        {
            "case": "landmarks, largest median distance",
            "work": f"{len(clips)} clips, ours from the published points",
            "unit": "% of outer-eye distance",
            "ours": max(distances),
            "required": f"<= {MAX_DISTANCE_PERCENT:g}",
        }
    )
    return rows


def run(data: Path | None) -> list[dict]:
    """Measure speed and accuracy; without real data there is nothing to measure.

    Parameters
    ----------
    data : path or None
        Folder with the real clips.
    """
    if data is None:
        return []
    return measure_speed(data) + measure_accuracy(real_clips(data))
