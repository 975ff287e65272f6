"""Faces in space: how well a fit reproduces what was seen, and finds weights that are known; and how fast.

    make bench-face3d           results/benchmarks/face3d.tsv

Real clips of people on whom the table of bases was not measured, by both detectors; and a set of our own: heads of
ICT-FaceKit with random identities that speak by known random weights and turn, whose landmarks are taken from the model
and, drawn at 480 x 480, found in the picture. All on one core.
"""

import itertools
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "workflow" / "scripts"), str(HERE)]

from accuracy import Measures, command_line  # noqa: E402
from eyes import frames_of, look  # noqa: E402

from talkface.evaluation.metrics import correlation  # noqa: E402
from talkface.face import points  # noqa: E402
from talkface.face3d import arkit  # noqa: E402
from talkface.face3d.bases import load_bases  # noqa: E402
from talkface.face3d.camera import DISTANCE, Camera, Pose, turn_of  # noqa: E402
from talkface.face3d.face_model import FaceModel, load_face_model  # noqa: E402
from talkface.face3d.fit import Fit, Seen, fit_clip, fit_identity, see  # noqa: E402
from talkface.face3d.looks import colours_of  # noqa: E402
from talkface.face3d.photometric import Sample, refine  # noqa: E402
from talkface.face3d.rasteriser import rasterise, shade  # noqa: E402
from talkface.face3d.weights import Follower, problem, weights_of  # noqa: E402

DETECTORS = ("dlib", "mesh")
# Whose landmarks: a detector's, the same refined by the pictures, the model's own.
COMPARED = (*DETECTORS, "refined", "model")
CLIPS = (
    "talking/person31.mp4", "talking/obama2s.mp4", "talking/lavse_sp01_001.mp4", "cremad/*ANG_XX.flv",
    "cremad/*NEU_XX.flv", "grid/s1/bbaf4p.mpg", "grid/s1/lwiy7s.mpg",
)  # fmt: skip
MOST_S = 30.0
IDENTITIES, FRAMES, SIZE = 20, 200, 480
EYES_PX = 130.0
SPEECH = {
    "jawOpen": 0.5, "mouthFunnel": 0.4, "mouthPucker": 0.5, "mouthSmile": 0.4, "mouthStretch": 0.3, "mouthUpperUp": 0.4,
    "mouthLowerDown": 0.4, "mouthRollLower": 0.3, "mouthPress": 0.2, "browInnerUp": 0.4, "browDown": 0.3,
    "eyeBlink": 0.8,
}  # fmt: skip


def roughness(course: NDArray) -> float:
    """Return the mean second difference in time."""
    return float(np.abs(np.diff(course, n=2, axis=0)).mean())


def real(measures: Measures, data: Path, sample: Sample) -> None:
    """Fit real clips, by both detectors, and refine the fits of the mesh by the pictures."""
    rows: dict[str, list[tuple[float, ...]]] = {which: [] for which in (*DETECTORS, "refined")}
    for detector, pattern in itertools.product(DETECTORS, CLIPS):
        path = sorted(data.glob(pattern))[0]
        frames = frames_of(path, end_s=MOST_S)
        height, width = frames[0].shape[:2]
        track = look(detector, frames)
        if track.rejected:
            sys.stdout.write(f"left out: {path}: {track.rejected}\n")
            continue
        bases = load_bases().as_seen_by(detector)
        seen = see(track.landmarks, width=width, height=height, depth=track.depth)
        begun = time.perf_counter()
        identity = fit_identity([seen], bases)
        found = {detector: fit_clip(seen, identity, bases)}
        seconds = {detector: time.perf_counter() - begun}
        if detector == "mesh":
            grey = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames)
            found["refined"] = refine(seen, grey, identity, bases, sample, found[detector])
            seconds["refined"] = time.perf_counter() - begun
        for which, fit in found.items():
            projected = seen.camera.project(fit.placed)
            rough = roughness(projected) / roughness(seen.landmarks)
            same = correlation(points.mouth_opening(seen.landmarks), points.mouth_opening(projected))
            rows[which].append((fit.error.mean(), fit.lip_error.mean(), rough, same))
            if path.stem == "person31":
                measures.note("person31: points off", "% of eyes", which, fit.error.mean())
                measures.note("person31: lips off", "% of eyes", which, fit.lip_error.mean())
                measures.note("person31: time of 600 frames", "s", which, seconds[which] * 600 / len(frames))
    for which, found_rows in rows.items():
        off, lips, rough, same = np.array(found_rows).T
        measures.note(f"{len(off)} clips: points off, mean", "% of eyes", which, off.mean())
        measures.note("points off, worst", "% of eyes", which, off.max())
        measures.note("lips off, mean", "% of eyes", which, lips.mean())
        measures.note("lips off, worst", "% of eyes", which, lips.max())
        measures.note("roughness beside the landmarks' own, worst", "ratio", which, rough.max())
        measures.note("mouth opening, fitted and seen, worst", "correlation", which, same.min())


def smooth(rng: np.random.Generator, frames: int, *, width: int) -> NDArray[np.float64]:
    """Return a course of about standard deviation 1 without quick changes."""
    window = np.hanning(width + 2)
    return np.convolve(
        rng.standard_normal(frames + len(window) - 1), window / np.sqrt(np.square(window).sum()), "valid"
    )


def act(rng: np.random.Generator) -> tuple[NDArray, NDArray, Pose]:
    """Return identity (I,), weights (T, 52) and poses of somebody who speaks and turns."""
    identity = rng.standard_normal(len(load_bases().identity))
    weights = np.zeros((FRAMES, arkit.COUNT))
    for name, most in SPEECH.items():
        course = (most * smooth(rng, FRAMES, width=7)).clip(0, 1)
        for each in [name] if name in arkit.INDEX else [f"{name}Left", f"{name}Right"]:
            weights[:, arkit.INDEX[each]] = course
    jaw, close = arkit.INDEX["jawOpen"], arkit.INDEX["mouthClose"]
    weights[:, close] = weights[:, jaw] * (2 * smooth(rng, FRAMES, width=7) - 0.5).clip(0, 1)
    turns = np.column_stack([amount * smooth(rng, FRAMES, width=31) for amount in (0.15, 0.08, 0.06)])
    place = np.column_stack([0.1 * smooth(rng, FRAMES, width=41) for _ in range(3)])
    place[:, 2] -= DISTANCE
    return identity, weights, Pose(turn_of(turns), place)


def drawn(model: FaceModel, colours: NDArray, identity: NDArray, weights: NDArray, pose: Pose) -> Iterator[NDArray]:
    """Draw the head of each frame, (SIZE, SIZE, 3) uint8, RGB, before a wall."""
    person, camera = model.person(identity), Camera.for_face(EYES_PX, width=SIZE, height=SIZE)
    wall = np.broadcast_to(np.array([120, 135, 150], np.float32), (SIZE, SIZE, 3))
    for number, shown in enumerate(weights.astype(np.float32)):
        face = model.shown(person, shown)
        placed = (face @ pose.turn[number].T + pose.place[number]).astype(np.float32)
        vertices = np.column_stack([camera.project(placed), placed[:, 2]]).astype(np.float32)
        picture = wall.copy()
        rasterise(vertices, model.triangles, shade(placed, model.triangles, colours), picture)
        yield cv2.GaussianBlur(picture, (0, 0), 0.7).clip(0, 255).astype(np.uint8)


def known(measures: Measures, model: FaceModel, sample: Sample) -> None:
    """Fit heads whose weights are known, by the model's landmarks and by what the detectors find in the picture."""
    rng, colours = np.random.default_rng(0), colours_of(model)
    cases: dict[str, list[tuple[NDArray, Fit]]] = {which: [] for which in COMPARED}
    for _ in range(IDENTITIES):
        identity, weights, pose = act(rng)
        frames = list(drawn(model, colours, identity, weights, pose))
        bases = load_bases()
        faces = bases.neutral + np.tensordot(identity, bases.identity, axes=1)
        faces = faces + np.tensordot(weights, bases.expression, axes=1)
        exact = Camera.for_face(EYES_PX, width=SIZE, height=SIZE).project(pose.apply(faces))
        found: dict[str, Seen] = {"model": see(exact, width=SIZE, height=SIZE)}
        for detector in DETECTORS:
            track = look(detector, frames)
            if not track.rejected:
                found[detector] = see(track.landmarks, width=SIZE, height=SIZE, depth=track.depth)
        for which, seen in found.items():
            used = bases if which == "model" else bases.as_seen_by(which)
            person = fit_identity([seen], used)
            fit = fit_clip(seen, person, used)
            cases[which].append((weights, fit))
            if which == "mesh":
                grey = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames)
                cases["refined"].append((weights, refine(seen, grey, person, used, sample, fit)))
    for which, pairs in cases.items():
        measures.note("known weights: heads found", "of 20", which, len(pairs))
        for name in ("jawOpen", "mouthClose", "mouthPucker", "mouthSmileLeft", "eyeBlinkLeft"):
            column = arkit.INDEX[name]
            same = [correlation(weights[:, column], fit.weights[:, column]) for weights, fit in pairs]
            measures.note(f"known weights: {name}", "correlation", which, float(np.mean(same)))
        away = [np.abs(weights - fit.weights).mean() for weights, fit in pairs]
        measures.note("known weights: mean error of all 52", "", which, float(np.mean(away)))


def round_trip(measures: Measures) -> None:
    """Bring weights to landmarks and back, without a camera."""
    rng = np.random.default_rng(1)
    weights = np.concatenate([act(rng)[1] for _ in range(5)])

    def faces(of: NDArray) -> NDArray:
        return problem(2).rest + np.tensordot(of, load_bases().expression[..., :2], axes=1)

    begun = time.perf_counter()
    found = weights_of(faces(weights))
    seconds = time.perf_counter() - begun
    openings = [points.mouth_opening(faces(of)) for of in (weights, found)]
    measures.note("round trip of predictions: mouth opening", "correlation", "model", correlation(*openings))
    measures.note("round trip: mean error of all 52", "", "model", float(np.abs(weights - found).mean()))
    measures.note("weights of predictions", "frames/s", "model", len(weights) / seconds)
    follower, shown = Follower(), faces(weights[:500])
    begun = time.perf_counter()
    for face in shown:
        follower.push(face)
    measures.note("live, a frame", "ms", "model", 1000 * (time.perf_counter() - begun) / len(shown))


def speed(measures: Measures, model: FaceModel) -> None:
    """Draw a moving head at 256 x 256."""
    rng, colours = np.random.default_rng(2), colours_of(model)
    identity, weights, _ = act(rng)
    person, scale = model.person(identity), 256 / 2.6

    def draw(shown: NDArray) -> None:
        face = model.shown(person, shown)
        vertices = (face * scale + np.array([128, 97, 0], np.float32)).astype(np.float32)
        picture = np.zeros((256, 256, 3), np.float32)
        rasterise(vertices, model.triangles, shade(face, model.triangles, colours), picture)

    shown = weights.astype(np.float32)
    draw(shown[0])
    begun = time.perf_counter()
    for each in shown[:150]:
        draw(each)
    measures.note("heads drawn at 256 x 256", "frames/s", "model", 150 / (time.perf_counter() - begun))


def main() -> None:
    """Measure everything, print and save the table."""
    given = command_line(__doc__ or "", "face3d").parse_args()
    cv2.setNumThreads(1)
    model = load_face_model(given.data / "models" / "ict_facekit.npz")
    weights_of(np.repeat(problem(2).rest[None], 2, axis=0))  # compiles
    measures = Measures(COMPARED)
    round_trip(measures)
    speed(measures, model)
    sample = Sample(model)
    real(measures, given.data, sample)
    known(measures, model, sample)
    measures.save(given.output)


if __name__ == "__main__":
    main()
