"""Measures of trust in a mouth's points: how well they tell covered mouths from seen ones.

    make bench-trust        results/benchmarks/mouth_trust.tsv

Clips of drawn and real people (the demo corpus where it was made, and the folder --data) are measured as they are, and
again with the mouth painted over: by a mask, fingers, a microphone, a scarf up to the upper lip, and for 30 frames
alone. Each measure's area under the ROC curve says how often it ranks a covered clip above a clean one: 0.5 is chance,
1 perfect. `refused` is the share of clips that the limits of `config/config.yaml` reject, or in which no face is found.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import yaml

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "workflow" / "scripts"), str(HERE)]

from accuracy import command_line, save  # noqa: E402

from talkface.errors import InputError  # noqa: E402
from talkface.face import tracking  # noqa: E402
from talkface.face.detection import track_face  # noqa: E402
from talkface.face.points import LIPS, outer_eye_distance  # noqa: E402
from talkface.face.predictor import predict, predictor_path  # noqa: E402
from talkface.face.sync import lag_correlations, mouth_series, voice_series  # noqa: E402
from talkface.face.trust import doubt_share, is_trusted, mouth_motion  # noqa: E402
from talkface.media.audio import sound_blocks  # noqa: E402
from talkface.media.video import probe, read_frames  # noqa: E402

PROJECT = HERE.parent
SECONDS = 3.0
RATE = 16_000  # Hz
MOST_OF_A_FOLDER = 20  # clips
COVERED = slice(20, 50)  # frames that are covered for a while
LATE = 4  # cascades of the predictor whose corrections count as late
MEASURES = ("doubt", "motion", "link", "contrast", "late")


def skin_of(frame: np.ndarray, face: np.ndarray) -> float:
    """Measure the grey of the nose."""
    x, y = face[30].astype(int)
    return float(np.median(frame[max(0, y - 3) : y + 3, max(0, x - 3) : x + 3]))


def paint(frame: np.ndarray, where: np.ndarray, filling: np.ndarray | float, eyes: float) -> np.ndarray:
    """Paint a filling over a frame where a mask (H, W) of 0 and 1 says so, its edges soft."""
    soft = cv2.GaussianBlur(where, (0, 0), max(0.6, eyes / 90))
    return np.clip(frame * (1 - soft) + filling * soft, 0, 255).astype(np.uint8)


def cover(frames: list[np.ndarray], landmarks: np.ndarray, kind: str, rng: np.random.Generator) -> list[np.ndarray]:
    """Cover the mouth of a clip whose landmarks (T, 68, 2) are known."""
    eyes = float(np.median(outer_eye_distance(landmarks)))
    skin, shade, side = skin_of(frames[0], landmarks[0]), rng.uniform(0.5, 1.5), rng.choice([-1, 1])
    middle = np.median(landmarks[:, LIPS].mean(axis=1), axis=0)
    sway = np.cumsum(rng.normal(0, 0.004, (len(frames), 2)), axis=0) * eyes
    grain = cv2.GaussianBlur(rng.normal(0, 1, frames[0].shape).astype(np.float32), (0, 0), max(0.8, eyes / 40))
    grain /= grain.std()
    rows = np.arange(frames[0].shape[0])[:, None]
    covered = []
    for number, (frame, face) in enumerate(zip(frames, landmarks, strict=True)):
        where, thick = np.zeros(frame.shape, np.float32), max(2, int(0.2 * eyes))
        if kind.endswith("for 30 frames") and number not in range(*COVERED.indices(len(frames))):
            covered.append(frame)
            continue
        if kind.startswith("mask"):
            upper = (face[[14, 2]] + face[30]) / 2 - [0, 0.05 * eyes]
            outline = np.vstack([face[2:15], upper[0], face[29], upper[1]])
            cv2.fillPoly(where, [outline.astype(np.int32)], 1.0)
            pleats = 1 + 0.06 * np.sin(np.pi * (rows - middle[1]) / (0.12 * eyes))
            filling = np.clip(skin * shade, 30, 230) * pleats + 2 * grain
        elif kind.startswith("hand"):
            at = middle + sway[number]
            for finger in range(4):
                knuckle, tip = [-0.75 * side, 0.22 * (finger - 1.5)], [0.55 * side, 0.2 * (finger - 1.5)]
                ends = at + eyes * np.array([knuckle, tip])
                cv2.line(where, *(tuple(map(int, end)) for end in ends), 1.0, thick)
            filling = skin * (0.85 + 0.15 * np.cos(2 * np.pi * (rows - at[1]) / (0.21 * eyes))) + 3 * grain
        elif kind.startswith("microphone"):
            at = middle + sway[number] + eyes * np.array([0.12 * side, 0.22])
            cv2.ellipse(where, (tuple(map(float, at)), (0.55 * eyes, 0.62 * eyes), 0.0), 1.0, -1)
            foot = at + eyes * np.array([0.4 * side, 1.6])
            cv2.line(where, tuple(map(int, at)), tuple(map(int, foot)), 1.0, int(1.4 * thick))
            filling = 35 + 10 * grain
        else:  # a scarf, up to the upper lip
            left, top = face[[61, 62, 63]].mean(axis=0) - [0.9 * eyes, 0]
            cv2.rectangle(where, (int(left), int(top)), (int(left + 1.8 * eyes), int(top + 1.1 * eyes)), 1.0, -1)
            knit = 1 + 0.15 * np.sin((rows - top) / (0.1 * eyes))
            filling = np.clip(skin * shade, 30, 220) * knit + 6 * grain
        covered.append(paint(frame, where, filling, eyes))
    return covered


KINDS = ("mask", "hand", "microphone", "scarf", "hand for 30 frames", "scarf for 30 frames")


def measure(frames: list[np.ndarray], sound: np.ndarray, limits: dict) -> dict | None:
    """Measure the mouth of a clip, each measure the higher the less it is to be trusted; None without a face."""
    late: list[np.ndarray] = []
    contrast: list[float] = []

    def watched(predictor, pictures, which, boxes):
        """Predict, and look at the patches and at what the last trees correct."""
        points = predict(predictor, pictures, which, boxes)
        early = predictor._replace(
            **{name: getattr(predictor, name)[:-LATE] for name in predictor._fields if name != "mean"}
        )
        moved = np.linalg.norm(points - predict(early, pictures, which, boxes), axis=-1)[:, LIPS]
        late.extend(moved.mean(axis=1) / outer_eye_distance(points))
        for picture, face in zip(pictures, points[: len(pictures)], strict=True):
            contrast.append(lip_contrast(picture, face))
        return points

    tracking.predict = watched
    try:
        track = track_face(frames, predictor=predictor_path(), max_gap_frames=len(frames))
    finally:
        tracking.predict = predict
    if track.rejected:
        return None
    trusted = is_trusted(
        track.landmarks,
        track.spread,
        max_doubt_share=limits["max_mouth_doubt_share"],
        min_motion_percent=limits["min_mouth_motion_percent"],
    )
    mouth, voice = mouth_series(track.landmarks)[:, 0], voice_series(sound, rate=RATE)[:, 0]
    return {
        "landmarks": track.landmarks.astype(np.float64),
        "doubt": doubt_share(track.spread),
        "motion": -mouth_motion(track.landmarks),
        "link": -float(np.nanmax(lag_correlations(mouth, voice, most=40))),
        "contrast": -float(np.median(contrast)),
        "late": float(np.median(late)),
        "refused": not trusted,
    }


def lip_contrast(picture: np.ndarray, face: np.ndarray) -> float:
    """Measure how much darker the upper lip is than the skin above it, in deviations of the face's grey."""
    blurred = cv2.GaussianBlur(picture, (0, 0), 2.5).astype(np.float32)
    down = face[33] - face[27]
    step = 0.05 * outer_eye_distance(face) * down / np.linalg.norm(down)
    places = np.clip(np.rint(np.stack([face[49:54] - step, face[49:54] + step])).astype(int), 0, len(picture) - 1)
    above, below = blurred[places[..., 1], places[..., 0]]
    return float((above - below).mean() / (blurred.std() + 1))


def area(covered: list[float], clean: list[float]) -> float:
    """Compute the area under the ROC curve."""
    above = np.subtract.outer(covered, clean)
    return float(np.mean(above > 0) + 0.5 * np.mean(above == 0))


def clips_of(data: Path) -> dict[str, list[Path]]:
    """Find the clips of each kind of people."""
    folders = {
        "demo": [PROJECT / "resources" / "demo"],
        "GRID": [data / "grid" / "others", data / "grid" / "s1"],
        "others": [data / "talking", data / "cremad"],
    }
    found = {}
    for name, places in folders.items():
        clips: list[Path] = []
        for place in places:
            files = sorted(path for path in place.glob("*") if path.suffix in (".mp4", ".mpg", ".flv"))
            clips += files[:: max(1, len(files) // MOST_OF_A_FOLDER)][:MOST_OF_A_FOLDER]
        found[name] = clips
    return found


def main() -> None:
    """Measure all clips, print and save the table."""
    given = command_line(__doc__ or "", "mouth_trust").parse_args()
    limits = yaml.safe_load((PROJECT / "config" / "config.yaml").read_text(encoding="utf-8"))["qc"]
    cv2.setNumThreads(1)
    found: dict[str, list[dict | None]] = {kind: [] for kind in ("nothing", *KINDS)}
    for people, clips in clips_of(given.data).items():
        sys.stdout.write(f"{people}: {len(clips)} clips\n")
        for number, clip in enumerate(clips):
            try:
                frames = list(read_frames(probe(clip), end_s=SECONDS))
                sound = np.concatenate(list(sound_blocks(clip, rate=RATE, end_s=SECONDS)))
            except InputError as error:
                sys.stdout.write(f"left out: {error}\n")
                continue
            clean = measure(frames, sound, limits)
            if clean is None:
                continue
            found["nothing"].append(clean)
            for kind in KINDS:
                painted = cover(frames, clean["landmarks"], kind, np.random.default_rng([number, KINDS.index(kind)]))
                found[kind].append(measure(painted, sound, limits))
    rows = []
    for kind, clips in found.items():
        seen = [clip for clip in clips if clip is not None]
        row: dict[str, object] = {"cover": kind, "clips": len(clips)}
        for name in MEASURES:
            clean = [clip[name] for clip in found["nothing"] if clip is not None]
            row[name] = "" if kind == "nothing" else round(area([clip[name] for clip in seen], clean), 3)
        lost = len(clips) - len(seen)
        row["refused"] = round((lost + sum(clip["refused"] for clip in seen)) / max(1, len(clips)), 3)
        rows.append(row)
    save(pd.DataFrame(rows), given.output)


if __name__ == "__main__":
    main()
