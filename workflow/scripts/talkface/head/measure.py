"""What a finished film shows, beside what was asked for and beside the person's own videos.

Landmarks of films are found by dlib, whatever built them, and beside it by the face mesh.
results/head/{person}/{speech}/quality.tsv: `measure`, `film`, `person` (the same of what was filmed, where there is
such a thing) and `unit`.

Axes: T frames, 68 landmarks, H and W of a picture.
"""

import itertools
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from talkface.conventions import FPS
from talkface.evaluation.metrics import correlation
from talkface.face import points
from talkface.face.detection import track_face, track_mesh
from talkface.face.mesh.networks import mesh_path
from talkface.face.predictor import predictor_path
from talkface.face.trust import doubt_share
from talkface.face3d.bases import load_bases
from talkface.face3d.records import Stretch, read_weights
from talkface.files import writing
from talkface.head.actor import Actor, load_actor
from talkface.head.filmed import Frames, held
from talkface.head.likeness import describe
from talkface.media.video import probe, read_frames

log = logging.getLogger(__name__)

MOUTH = 0.2  # outer-eye distances around the lips that the mouth's box has
EVERY = 10  # frames of which one is asked whose face it is
FAR_S = 4.0  # seconds apart: pictures of the person that tell how alike they are
QUICK_HZ = 1.0  # movement of a head that is quicker
MOST = 250  # frames of the film and of the person that are looked at: 10 s
EYES = "% of the outer-eye distance"
LIPS = {
    "lips": ("lips found less lips asked", EYES),
    "correlation": ("opening found and asked, correlation", ""),
    "amplitude": ("opening found to asked, amplitude", ""),
}
JUMP = 0.99  # quantile of second differences that tells of jumps


class Faces(NamedTuple):
    """Pictures (T of (H, W, 3), as a list or read one by one), landmarks asked for (T, 68, 2), pixels, and eyes."""

    pictures: Sequence[NDArray[np.uint8]]
    asked: NDArray
    eyes: float


class Rows(Sequence):
    """Some of a person's frames, as a sequence that holds none of them unpacked."""

    def __init__(self, kept: Frames, rows: NDArray):
        self._kept, self._rows = kept, rows.tolist()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._rows)

    def __getitem__(self, t: Any) -> Any:
        """Return the picture (H, W, 3) of one."""
        return self._kept[self._rows[t]]


def asked_landmarks(actor: Actor, behind: NDArray, weights: NDArray) -> NDArray[np.float64]:
    """Return where dlib should see the landmarks (T, 68, 2) of weights (T, 52) on frames (T,) of an actor."""
    bases = load_bases().as_seen_by("dlib")
    person = bases.neutral + np.tensordot(actor.identity, bases.identity[: len(actor.identity)], axes=1)
    faces = person + np.tensordot(weights, bases.expression, axes=1)
    rows = zip(behind.tolist(), faces, strict=True)
    return np.stack([actor.before(n, face)[:, :2] for n, face in rows]).astype(np.float64)


def ssim(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Return the structural similarity of two pictures (H, W, 3), grey, windows of 1.5 pixels (Wang et al. 2004)."""
    one, other = (cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float64) for picture in (a, b))

    def mean(values: NDArray) -> NDArray:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), 1.5))

    ma, mb = mean(one), mean(other)
    va, vb, both = mean(one * one) - ma * ma, mean(other * other) - mb * mb, mean(one * other) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float((((2 * ma * mb + c1) * (2 * both + c2)) / ((ma**2 + mb**2 + c1) * (va + vb + c2))).mean())


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Return the peak signal-to-noise ratio of two pictures, dB."""
    return float(10 * np.log10(255**2 / max(1e-9, np.square(a.astype(np.float64) - b).mean())))


def sharpness(picture: NDArray[np.uint8]) -> float:
    """Return the mean magnitude of a picture's Laplacian, grey levels."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return float(np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean())


def mouth_box(lips: NDArray, eyes: float) -> tuple[slice, slice]:
    """Return rows and columns of the box around lips (P, 2), pixels."""
    left, top = np.floor(lips.min(axis=0) - MOUTH * eyes).astype(int).clip(0)
    right, bottom = np.ceil(lips.max(axis=0) + MOUTH * eyes).astype(int)
    return slice(top, bottom), slice(left, right)


def differences(faces: Faces, order: int) -> NDArray[np.float64]:
    """Return the mean magnitude of differences in time of the mouth's box, one a frame; order 1 or 2."""
    found = []
    last = list(itertools.islice(faces.pictures, 2))  # each picture is unpacked once
    for t in range(1, len(faces.pictures) - 1):
        last = [*last[-2:], faces.pictures[t + 1]]
        box = mouth_box(faces.asked[t, list(points.LIPS)], faces.eyes)
        before, now, after = (picture[box].astype(np.float32) for picture in last)
        found.append(np.abs(after - now if order == 1 else before - 2 * now + after).mean())
    return np.array(found)


def lips_found(faces: Faces, predictor: str | Path, mesh: str | Path) -> dict[str, float]:
    """Compare the lips that both detectors find with those asked for."""
    seen = {
        "dlib": track_face((cv2.cvtColor(p, cv2.COLOR_BGR2GRAY) for p in faces.pictures), predictor=predictor),
        "mesh": track_mesh((p[..., ::-1] for p in faces.pictures), mesh=mesh),
    }
    found: dict[str, float] = {"doubt": 100 * doubt_share(seen["dlib"].spread)}
    for name, track in seen.items():
        if track.rejected:
            log.warning("%s follows no face through the film: %s", name, track.rejected)
        else:
            found |= {f"{key} {name}": value for key, value in compare_lips(track.landmarks, faces).items()}
    return found


def compare_lips(found: NDArray, faces: Faces) -> dict[str, float]:
    """Compare landmarks (T, 68, 2) with those asked for, less what they differ by in all frames."""
    lips = list(points.LIPS)
    apart = (found[:, lips] - faces.asked[:, lips]) / faces.eyes
    apart = apart - apart.mean(axis=0)
    shown, asked = (points.mouth_opening(marks) / faces.eyes for marks in (found, faces.asked))
    return {
        "lips": float(100 * np.linalg.norm(apart, axis=2).mean()),
        "correlation": correlation(shown, asked),
        "amplitude": float(shown.std() / max(asked.std(), 1e-9)),
    }


def likeness(faces: Faces, others: Faces) -> float:
    """Return the mean distance of dlib's 128 numbers between pictures of two films, frame by frame."""
    rows = range(0, min(len(faces.pictures), len(others.pictures)), EVERY)
    return float(np.mean([
        np.linalg.norm(describe(faces.pictures[t], faces.asked[t]) - describe(others.pictures[t], others.asked[t]))
        for t in rows
    ]))  # fmt: skip


def own_likeness(faces: Faces) -> float:
    """Return the mean distance of a person's pictures that are seconds apart."""
    known = [describe(faces.pictures[t], faces.asked[t]) for t in range(0, len(faces.pictures), EVERY)]
    lead = max(1, min(round(FAR_S * FPS / EVERY), len(known) - 1))
    if len(known) < 2:
        return np.nan
    return float(np.mean([np.linalg.norm(a - b) for a, b in zip(known[:-lead], known[lead:], strict=True)]))


def mean(values: NDArray) -> float:
    """Return the mean; NaN of nothing."""
    return float(np.mean(values)) if len(values) else np.nan


def largest(values: NDArray) -> float:
    """Return what all but the largest hundredth stay below; NaN of nothing."""
    return float(np.quantile(values, JUMP)) if len(values) else np.nan


def head_motion(turn: NDArray) -> dict[str, float]:
    """Return how far each angle of turns (T, 3) moves, degrees, and which share of that is quicker than a second."""
    found = {}
    for name, course in zip(("yaw", "pitch", "roll"), np.degrees(turn).T, strict=True):
        found[f"head {name}"] = float(course.std())
        power = np.square(np.abs(np.fft.rfft((course - course.mean()) * np.hanning(len(course)))))
        hertz = np.fft.rfftfreq(len(course), 1 / FPS)
        found[f"head {name}, quicker than {QUICK_HZ:g} Hz"] = float(
            100 * power[hertz > QUICK_HZ].sum() / max(power.sum(), 1e-12)
        )
    return found


def measure_film(
    film: str | Path, output: str | Path, *, expression: str | Path, frames: str | Path, videos: Mapping[str, Stretch],
    faces: str | Path, identity: str | Path, face_model: str | Path, voice: str | Path,
    predictor: str | Path | None = None, mesh: str | Path | None = None,
) -> None:  # fmt: skip
    """Write what a film shows.

    Parameters
    ----------
    film : path
        results/head/{person}/{speech}.mp4.
    output : path
        results/head/{person}/{speech}/quality.tsv.
    expression, frames : path
        Beside it.
    videos : mapping of name to Stretch
        Of the person.
    faces, identity, voice : path
        results/persons/{person}/.
    face_model : path
    predictor, mesh : path, optional
        See `predictor_path` and `mesh_path`.
    """
    predictor, mesh = predictor_path(predictor), mesh_path(mesh)
    actor = load_actor(face_model, faces, identity)
    table = pd.read_csv(frames, sep="\t")
    behind = table["frame"].to_numpy()[:MOST]
    motion = held(read_weights(expression), len(table))
    wanted = actor.spoken(behind, motion.weights[: len(behind)])
    eyes = actor.eyes_of(int(behind[0]))
    video = int(actor.video[behind[0]])
    own_rows = np.arange(actor.starts[video], actor.starts[video + 1])[:MOST]
    kept = Frames(videos, actor, np.concatenate([behind, own_rows]))
    pictures = list(itertools.islice(read_frames(probe(film), pixels="bgr24"), len(behind)))
    shown = Faces(pictures, asked_landmarks(actor, behind, wanted), eyes)
    filmed = Faces(Rows(kept, own_rows), asked_landmarks(actor, own_rows, actor.weights[own_rows]), eyes)
    below = Faces(Rows(kept, behind), asked_landmarks(actor, behind, actor.weights[behind]), eyes)
    quick, own_quick = differences(shown, 2), differences(below, 2)
    rows = [
        *_rows({"film": lips_found(shown, predictor, mesh), "person": lips_found(filmed, predictor, mesh)}, {
            **{f"{key} {name}": (f"{words}, by {name}", unit)
               for name in ("dlib", "mesh") for key, (words, unit) in LIPS.items()},
            "doubt": ("frames whose mouth is in doubt", "%"),
        }),
        ("mouth, second difference in time", mean(quick), mean(own_quick), "grey levels"),
        ("mouth, its largest", largest(quick), largest(own_quick), "grey levels"),
        ("mouth, flicker", mean(differences(shown, 1)), mean(differences(below, 1)), "grey levels"),
        ("dlib's 128 numbers, distance", likeness(shown, below), own_likeness(filmed), "(another person: 0.6)"),
        ("nearest filmed mouth", table["distance"].mean(), np.nan, EYES),
        ("nearest filmed mouth, worst twentieth", table["distance"].quantile(0.95), np.nan, EYES),
        ("leaps between filmed mouths", 60 * FPS * mean(np.abs(np.diff(table["path"])) > 1), np.nan, "a minute"),
    ]  # fmt: skip
    whole = slice(actor.starts[video], actor.starts[video + 1])
    moved, own = head_motion(actor.turn[table["frame"]]), head_motion(actor.turn[whole])
    rows += [(name, moved[name], own[name], "%" if "Hz" in name else "degrees") for name in moved]
    with np.load(voice, allow_pickle=False) as known:
        rows += [
            (name, np.nan, float(known[key]), unit)
            for name, key, unit in (
                ("sound, lips of held-out seconds", "error", EYES),
                ("sound, half of its 95 % interval", "interval", EYES),
                ("sound, the same of the mean expression", "error_of_mean", EYES),
                ("sound, correlation of the opening", "correlation", ""),
            )
        ]
    found = pd.DataFrame(rows, columns=["measure", "film", "person", "unit"])
    with writing(output) as temporary:
        found.to_csv(temporary, sep="\t", index=False, float_format="%.3f")


def _rows(of: Mapping[str, Mapping[str, float]], names: Mapping[str, tuple[str, str]]) -> list[tuple]:
    return [
        (name, of["film"].get(key, np.nan), of["person"].get(key, np.nan), unit) for key, (name, unit) in names.items()
    ]
