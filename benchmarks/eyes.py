"""Both detectors of landmarks beside each other, on real people: lips, tilts, darkness, small faces, time.

    make bench-eyes         results/benchmarks/eyes.tsv

Sounds are aligned with GRID's words by pocketsphinx; without it these rows are left out.
"""

import importlib.util
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "workflow" / "scripts"), str(HERE)]

import ridge  # noqa: E402
from accuracy import Measures, command_line  # noqa: E402

from talkface.corpus import phones  # noqa: E402
from talkface.corpus.annotations import Mark, read_marks  # noqa: E402
from talkface.errors import InputError, TalkfaceError  # noqa: E402
from talkface.evaluation.articulation import WINDOW_S  # noqa: E402
from talkface.evaluation.metrics import LIP  # noqa: E402
from talkface.face.detection import Track, find_tracking  # noqa: E402
from talkface.face.identity import neutral_shapes  # noqa: E402
from talkface.face.points import LIPS, mouth_opening, mouth_width, outer_eye_distance  # noqa: E402
from talkface.face.template import load_template  # noqa: E402
from talkface.media import phone_names  # noqa: E402
from talkface.media.audio import extract_audio  # noqa: E402
from talkface.media.encoding import SHIFT_PX, encode_again  # noqa: E402
from talkface.media.video import probe, read_frames  # noqa: E402

DETECTORS = ("dlib", "mesh")
CRF = 23  # x264's default, of what is encoded anew
GAP_FRAMES = 12
LARGE = ("talking/person31.mp4", "talking/lavse_sp01_001.mp4", "talking/lavse_sp05_320.mp4")
FACES = ("grid/others/*.mpg", "talking/*.mp4", "cremad/*FEA*.flv")
SMALL_PX = 24


def look(detector: str, frames: Iterable[np.ndarray]) -> Track:
    """Track the face of frames (H, W, 3), RGB, by a detector."""
    tracking = find_tracking(detector, max_gap_frames=GAP_FRAMES)
    if tracking.pixels == "gray":
        frames = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    return tracking.track(frames)


def frames_of(clip: Path, *, end_s: float) -> list[np.ndarray]:
    """Read the beginning of a clip, RGB."""
    return list(read_frames(probe(clip), end_s=end_s, pixels="rgb24"))


def repeatability(detector: str, clips: Iterable[Path], folder: Path) -> float:
    """Measure lips again, encoded anew and moved by a pixel: median distance of the points, % of the eyes."""
    found = []
    for clip in clips:
        again = folder / "again.mp4"
        encode_again(clip, again, end_s=2.0, crf=CRF)
        first, second = look(detector, frames_of(clip, end_s=2.0)), look(detector, frames_of(again, end_s=2.0))
        if first.rejected or second.rejected:
            continue
        count = min(len(first.landmarks), len(second.landmarks))
        moved = second.landmarks[:count] - SHIFT_PX - first.landmarks[:count]
        eyes = np.median(outer_eye_distance(first.landmarks))
        found.append(float(np.median(np.linalg.norm(moved[:, LIPS], axis=-1)) / eyes))
    return 100 * float(np.mean(found))


def area(low: list[float], high: list[float]) -> float:
    """Compute how often a value of the first kind lies below one of the second."""
    above = np.subtract.outer(high, low)
    return float(np.mean(above > 0) + 0.5 * np.mean(above == 0))


def marks_of(clip: Path, words: Path) -> list[Mark]:
    """Find the sounds of a clip of GRID."""
    said = [mark.name for mark in read_marks(words) if mark.name and mark.name not in ("sil", "sp")]
    return phones.align_words(extract_audio(clip, rate=phones.RATE), said)


def articulation(tracks: dict[Path, Track], marks: dict[Path, list[Mark]]) -> dict[str, float]:
    """Measure the gap of the lips where they meet and where the mouth is open, and its width round and spread."""
    gaps: dict[str, list[float]] = {"closed": [], "open": []}
    widths: dict[str, list[float]] = {"rounded": [], "spread": []}
    for clip, track in tracks.items():
        eyes = np.median(outer_eye_distance(track.landmarks))
        steps = np.arange(0, (len(track.landmarks) - 1) / 25, 0.01)
        frames = np.arange(len(track.landmarks)) / 25
        gap, width = (
            np.interp(steps, frames, 100 * series / eyes)
            for series in (mouth_opening(track.landmarks), mouth_width(track.landmarks))
        )
        for mark in marks[clip]:
            name = phone_names.plain(mark.name)
            before, after = WINDOW_S if name in phone_names.BILABIAL else (0.0, 0.0)
            within = (steps >= mark.start_s + before) & (steps <= mark.end_s + after)
            if not within.any():
                continue
            for kind, names in (("closed", phone_names.BILABIAL), ("open", phone_names.OPEN)):
                gaps[kind] += [float(gap[within].min())] * (name in names)
            for kind, names in (("rounded", phone_names.ROUNDED), ("spread", phone_names.SPREAD)):
                widths[kind] += [float(width[within].mean())] * (name in names)
    return {
        "gap": float(np.median(gaps["closed"])),
        "closure_auc": area(gaps["closed"], gaps["open"]),
        "rounded_auc": area(widths["rounded"], widths["spread"]),
    }


def turned(frame: np.ndarray, degrees: float) -> np.ndarray:
    """Turn a picture about its middle; nothing is cut off."""
    height, width = frame.shape[:2]
    side = int(np.ceil(np.hypot(height, width)))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    matrix[:, 2] += [(side - width) / 2, (side - height) / 2]
    return cv2.warpAffine(frame, matrix, (side, side), borderValue=(128, 128, 128))


def in_the_dark(frame: np.ndarray, light: float = 0.1) -> np.ndarray:
    """Show a picture by a share of its light, as eight bits keep it."""
    return np.clip(frame * light, 0, 255).astype(np.uint8)


def far_away(frame: np.ndarray, face_px: float) -> np.ndarray:
    """Show a picture smaller, on a grey screen of its own size, so that its face is as wide as wanted."""
    scale = SMALL_PX / face_px
    small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    screen = np.full_like(frame, 190)
    top, left = frame.shape[0] // 2, frame.shape[1] // 5
    screen[top : top + small.shape[0], left : left + small.shape[1]] = small[: frame.shape[0] - top]
    return screen


def depth_of_mesh(tracks: Iterable[Track], data: Path) -> tuple[float, float]:
    """Compare the depth of the 68 points with that of ICT-FaceKit's neutral face: correlation and gain."""
    model = np.load(data / "models" / "ict_facekit.npz")
    marks = np.asarray(model["neutral"], float)[model["landmark_vertices"]] * [1, -1, -1]
    marks /= np.linalg.norm(marks[36] - marks[45])
    inside = list(range(17, 68))
    found = []
    for track in tracks:
        face = np.median(
            np.concatenate([track.landmarks, track.depth[..., None]], axis=-1)
            / outer_eye_distance(track.landmarks)[:, None, None],
            axis=0,
        )
        one, other = (points[inside] - points[inside].mean(axis=0) for points in (face, marks))
        left, _, right = np.linalg.svd(other.T @ one)
        turn = left @ np.diag([1, 1, np.sign(np.linalg.det(left @ right))]) @ right
        theirs = (other @ turn)[:, 2]
        found.append((np.corrcoef(one[:, 2], theirs)[0, 1], one[:, 2] @ theirs / (theirs @ theirs)))
    return tuple(np.mean(found, axis=0))  # type: ignore[return-value]


def shapes_of(tracks: Iterable[Track], detector: str) -> list[np.ndarray]:
    """Free each clip's face of identity, as `config/config.yaml` has it: (T, 68, 2) each."""
    template, own = load_template(), load_template(detector)
    options = {"method": "fixed", "threshold": 1.0, "reference_frames": 5, "smooth_frames": 9, "reference": "clip"}
    return [
        neutral_shapes([track.landmarks.astype(float)], template=template, aligned_to=own, **options)[0]
        for track in tracks
    ]


def skills(seen: dict[str, dict[Path, np.ndarray]], strangers: Iterable[Path]) -> dict[tuple[str, str], tuple]:
    """Learn lips from one speaker by each detector's shapes; judge them on strangers by each detector's.

    Returns
    -------
    dict of (learnt from, judged by) to (skill, lip error)
        Skill: 1 less the error over that of the mean face, both averaged over clips; percent of the eyes.
    """
    strangers = list(strangers)
    heard = {
        clip: ridge.hear(extract_audio(clip, rate=ridge.RATE), len(seen["dlib"][clip]))
        for clip in seen["dlib"]
        if clip in seen["mesh"]
    }
    taught = [clip for clip in heard if clip not in strangers]
    found = {}
    for learnt, shapes in seen.items():
        model = ridge.learn(
            [heard[clip] for clip in taught], [shapes[clip].reshape(len(shapes[clip]), -1) for clip in taught]
        )
        for judge, truths in seen.items():
            mean = np.concatenate([truths[clip] for clip in taught]).mean(axis=0)
            errors = []
            for clip in [clip for clip in strangers if clip in heard]:
                truth = truths[clip]
                predicted = model.predict(heard[clip]).reshape(-1, 68, 2)
                errors.append((LIP(predicted, truth), LIP(np.broadcast_to(mean, truth.shape), truth)))
            own, floor = np.mean(errors, axis=0)
            found[learnt, judge] = 1 - own / floor, own
    return found


def main() -> None:
    """Measure everything, print and save the table."""
    parser = command_line(__doc__ or "", "eyes")
    parser.add_argument("--every", type=int, default=1, help="each so many of GRID's clips")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    measures = Measures(DETECTORS)

    grid = sorted((given.data / "grid" / "s1").glob("*.mpg"))[:: given.every]
    marks: dict[Path, list[Mark]] = {}
    if importlib.util.find_spec("pocketsphinx"):
        for clip in grid:
            try:
                marks[clip] = marks_of(clip, given.data / "grid" / "align" / f"{clip.stem}.align")
            except TalkfaceError as error:
                sys.stdout.write(f"left out: {clip.name}: {error}\n")
    strangers = sorted((given.data / "grid" / "others").glob("*.mpg"))
    shapes: dict[str, dict[Path, np.ndarray]] = {}
    faces = [clip for pattern in FACES for clip in sorted(given.data.glob(pattern))]
    with tempfile.TemporaryDirectory() as folder:
        for detector in DETECTORS:
            tracks, spent, count = {}, 0.0, 0
            for clip in marks:
                frames = frames_of(clip, end_s=3.0)
                start = time.process_time()
                track = look(detector, frames)
                spent, count = spent + time.process_time() - start, count + len(frames)
                if not track.rejected:
                    tracks[clip] = track
            everyone = tracks | {clip: look(detector, frames_of(clip, end_s=3.0)) for clip in strangers}
            everyone = {clip: track for clip, track in everyone.items() if not track.rejected}
            shapes[detector] = dict(zip(everyone, shapes_of(everyone.values(), detector), strict=True))
            if tracks:
                found = articulation(tracks, marks)
                measures.note("gap at /p b m/, median", "% of the eyes", detector, found["gap"])
                measures.note("closed against open sounds, by the gap", "AUC", detector, found["closure_auc"])
                measures.note("rounded against spread sounds, by the width", "AUC", detector, found["rounded_auc"])
                measures.note("time of the processor", "ms a frame", detector, 1000 * spent / count)
            measures.note("lips measured again, GRID s1", "% of the eyes", detector,
                 repeatability(detector, grid[:: max(1, len(grid) // 12)], Path(folder)))  # fmt: skip
            measures.note("lips measured again, large faces", "% of the eyes", detector,
                 repeatability(detector, [given.data / name for name in LARGE], Path(folder)))  # fmt: skip
            if detector == "mesh" and tracks:
                likeness, gain = depth_of_mesh(tracks.values(), given.data)
                measures.note("depth of the 68 points beside ICT-FaceKit's", "correlation", detector, likeness)
                measures.note("depth of the 68 points beside ICT-FaceKit's, gain", "ratio", detector, gain)
            shares: dict[str, list[float]] = {}
            for clip in faces:
                try:
                    frames = frames_of(clip, end_s=1.0)
                except InputError:
                    continue
                plain = look(detector, frames)
                seen = plain.detected.mean() if len(plain.detected) else 0.0
                if not seen:
                    continue
                face_px = float(np.nanmedian(np.ptp(plain.landmarks[plain.detected][:, :17, 0], axis=1)))
                tried = {f"found at {angle} degrees": [turned(f, angle) for f in frames] for angle in (45, 60, 90)}
                tried["found at a tenth of the light"] = [in_the_dark(frame) for frame in frames]
                tried[f"found at {SMALL_PX} pixels"] = [far_away(frame, face_px) for frame in frames]
                for name, pictures in tried.items():
                    shares.setdefault(name, []).append(look(detector, pictures).detected.mean() / seen)
            for name, share in shares.items():
                measures.note(f"{name}, {len(share)} clips", "% of the frames", detector, 100 * float(np.mean(share)))
    if marks:
        for (learnt, judge), (skill, error) in skills(shapes, strangers).items():
            if judge == learnt:
                measures.note("ridge learnt from s1, on other speakers: skill", "", learnt, skill)
            if judge == "dlib":
                measures.note("the same, judged by dlib's points: skill", "", learnt, skill)
                measures.note("the same, judged by dlib's points: lip error", "% of the eyes", learnt, error)
    measures.save(given.output)


if __name__ == "__main__":
    main()
