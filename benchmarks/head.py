"""The talking head: pictures of held-out frames, sound of held-out seconds, a film from nothing, stage by stage.

    make bench-head           results/benchmarks/head.tsv

Pictures: of person31 the last fifth is held out, of CREMA-D's 1001 two of six clips. Identity, mouths and background
come from the rest alone; expression and pose are the truth's. Behind each held-out frame stands the learnt frame that
is nearest in pose, bent. Beside `real`: the same, refined by a network of the learnt frames (`unet`); that frame with
its own mouth bent; the learnt frame nearest in time; the textured head as published (over the true frame, whose border
it keeps); and the truth, encoded again. Measured in the mouth's box at the video's resolution; lips are found by dlib,
and beside it by the face mesh. Of finished films, `truth` is the person's own video.
"""

import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "workflow" / "scripts"), str(HERE)]

from accuracy import Measures, command_line  # noqa: E402

from talkface.corpus.persons import names_of  # noqa: E402
from talkface.evaluation.metrics import correlation  # noqa: E402
from talkface.face import points  # noqa: E402
from talkface.face.detection import landmark_shard, track_face, track_mesh  # noqa: E402
from talkface.face.mesh.networks import mesh_path  # noqa: E402
from talkface.face.predictor import predictor_path  # noqa: E402
from talkface.face3d.records import Stretch, fit_shard, fit_speaker, read_weights  # noqa: E402
from talkface.head.actor import Mouths, cut_person, load_actor  # noqa: E402
from talkface.head.choice import Chosen, choose, fade  # noqa: E402
from talkface.head.film import choose_frames, draw_head, paint  # noqa: E402
from talkface.head.filmed import held  # noqa: E402
from talkface.head.hearing.listening import gather, listener_of  # noqa: E402
from talkface.head.hearing.voice import drive_person, learn  # noqa: E402
from talkface.head.measure import Faces, asked_landmarks, differences, measure_film, mouth_box, psnr, sharpness, ssim  # noqa: E402
from talkface.head.picture import Mouth, Painter  # noqa: E402
from talkface.head.refine.unet import Refiner, examples, train  # noqa: E402
from talkface.head.textured import TexturedPainter, reference_frame  # noqa: E402
from talkface.head.whole import by_name, prepare  # noqa: E402
from talkface.media.encoding import encode  # noqa: E402
from talkface.media.video import probe, read_frames  # noqa: E402
from talkface.models.checkpoint import load_network  # noqa: E402

COMPARED = ("real", "unet", "own_mouth", "in_time", "mesh", "truth")
VOICE = Path("resources/models/talkface_voice.pt")
PERSON31, LEARNT_S = "talking/person31.mp4", 19.4
STRANGER = "cremad/cremad_1001_*.flv"
LEARNT_CLIPS = 4
SPEECH = "speech/tcd_03Fsi1201.wav"
SMALL = 512  # pixels, both ways, of a second film


class Case:
    """A person of whom some stretches are learnt and others held out."""

    def __init__(self, learnt: Sequence[Stretch], held_out: Sequence[Stretch], folder: Path, face_model: Path):
        folder.mkdir()
        stretches = [*learnt, *held_out]
        names = names_of(len(stretches))
        self.videos = dict(zip(names, stretches, strict=True))
        landmark_shard(
            [s.video for s in stretches], folder / "landmarks.h5", clips=names, start_s=[s.start_s for s in stretches],
            end_s=[s.end_s for s in stretches], detector="mesh",
        )  # fmt: skip
        fit_speaker(dict.fromkeys(names[: len(learnt)], folder / "landmarks.h5"), folder / "identity.h5")
        files = {"faces": folder / "faces.h5", "identity": folder / "identity.h5"}
        fit_shard(folder / "landmarks.h5", files["identity"], files["faces"], face_model=face_model, videos=self.videos)
        cut_person(folder / "mouths.h5", self.videos, face_model=face_model, **files)
        self.actor, self.mouths = load_actor(face_model, **files), Mouths(folder / "mouths.h5")
        self.frames = [
            f for name, s in self.videos.items() for f in itertools.islice(s.frames("bgr24"), self.count(name))
        ]
        self.learnt = self.actor.video < len(learnt)
        self.held_out = np.flatnonzero(~self.learnt)

    def count(self, name: str) -> int:
        """Frames of a stretch."""
        return self.actor.lengths[self.actor.clips.index(name)]

    def choose(self) -> Chosen:
        """Choose learnt mouths for the held-out frames."""
        actor, filmed = self.actor, self.actor.filmed(self.mouths)
        return choose(filmed.shape[self.held_out], actor.turn[self.held_out], filmed, allowed=self.learnt)

    def behind(self) -> NDArray[np.int64]:
        """Choose the learnt frame nearest in pose to each held-out one."""
        return self.actor.nearest_pose(self.held_out, np.flatnonzero(self.learnt))


def encoded_again(pictures: Sequence[NDArray], folder: Path) -> list[NDArray]:
    """Encode pictures as films are, and decode them."""
    height, width = (side - side % 2 for side in pictures[0].shape[:2])
    encode((np.ascontiguousarray(p[:height, :width]) for p in pictures), folder / "again.mp4", size=(width, height))
    again = list(read_frames(probe(folder / "again.mp4"), pixels="bgr24"))
    return [
        np.pad(a, ((0, p.shape[0] - height), (0, p.shape[1] - width), (0, 0)), "edge")
        for a, p in zip(again, pictures, strict=False)
    ]


def pictures(measures: Measures, name: str, case: Case, folder: Path) -> None:
    """Compare pictures of held-out frames."""
    actor, rows = case.actor, case.held_out
    chosen, behind = case.choose(), case.behind()
    sharp, painter = fade(chosen.path, actor.video), Painter(actor, case.mouths)
    near = [
        {int(n): float(s) for n, s in zip(*pair, strict=True)} for pair in zip(chosen.near, chosen.share, strict=True)
    ]
    known = np.flatnonzero(case.learnt)
    reference = int(known[reference_frame(actor, known)])
    textured = TexturedPainter(actor, reference, case.frames[reference])
    before = int(known[-1])

    begun = time.perf_counter()
    refined = Painter(actor, case.mouths, Refiner(train(examples(actor, case.mouths, case.frames, case.learnt))))
    measures.note(f"{name}: training of the refinement", "s", "unet", time.perf_counter() - begun)

    def real(i: int, painter: Painter = painter) -> NDArray:
        n = int(behind[i])
        allowed = {k: s for k, s in sharp[i].items() if case.learnt[k]} or {int(chosen.path[i]): 1.0}
        total = sum(allowed.values())
        mouth = Mouth({k: s / total for k, s in allowed.items()}, near[i])
        return painter.paint(case.frames[n], n, actor.weights[rows[i]], mouth, at=int(rows[i]))

    def own(i: int) -> NDArray:
        n = int(behind[i])
        return painter.paint(case.frames[n], n, actor.weights[rows[i]], None, at=int(rows[i]))

    def mesh(i: int) -> NDArray:
        return textured.paint(case.frames[rows[i]], int(rows[i]), actor.weights[rows[i]])

    truth = [case.frames[n] for n in rows]
    asked = asked_landmarks(actor, rows, actor.weights[rows])
    detectors: dict[str, Callable] = {
        "dlib": lambda shown: track_face(
            (cv2.cvtColor(p, cv2.COLOR_BGR2GRAY) for p in shown), predictor=predictor_path()
        ),
        "mesh": lambda shown: track_mesh((p[..., ::-1] for p in shown), mesh=mesh_path()),
    }
    seen = {who: look(truth).landmarks for who, look in detectors.items()}
    shown: dict[str, list[NDArray]] = {
        "real": [real(i) for i in range(len(rows))],
        "unet": [real(i, refined) for i in range(len(rows))],
        "own_mouth": [own(i) for i in range(len(rows))],
        "in_time": [case.frames[before]] * len(rows),
        "mesh": [mesh(i) for i in range(len(rows))],
        "truth": encoded_again(truth, folder),
    }
    for which, made in shown.items():
        boxes = [
            mouth_box(marks[list(points.LIPS)], actor.eyes_of(int(n))) for marks, n in zip(asked, rows, strict=True)
        ]
        pairs = [(m[box], t[box]) for m, t, box in zip(made, truth, boxes, strict=True)]
        measures.note(f"{name}: PSNR", "dB", which, float(np.mean([psnr(*pair) for pair in pairs])))
        measures.note(f"{name}: SSIM", "", which, float(np.mean([ssim(*pair) for pair in pairs])))
        sharper = np.mean([sharpness(m) for m, _ in pairs]) / np.mean([sharpness(t) for _, t in pairs])
        measures.note(f"{name}: sharpness to the truth's", "", which, float(sharper))
        quick = [differences(Faces(list(of), asked, actor.eyes), 2).mean() for of in (made, truth)]
        measures.note(f"{name}: second difference in time to the truth's", "", which, quick[0] / quick[1])
        if which == "in_time":
            continue
        for who, look in detectors.items():
            found = look(made).landmarks
            apart = (found - seen[who])[:, list(points.LIPS)] / actor.eyes
            measures.note(
                f"{name}: lips to the truth's, by {who}",
                "% of eyes",
                which,
                float(100 * np.linalg.norm(apart, axis=2).mean()),
            )
            same = correlation(points.mouth_opening(found), points.mouth_opening(seen[who]))
            measures.note(f"{name}: opening, by {who}", "correlation", which, same)
    measures.note(f"{name}: nearest filmed mouth", "% of eyes", "real", float(chosen.distance.mean()))


def film(measures: Measures, data: Path, face_model: Path, folder: Path) -> None:
    """Make the film of person31 from nothing, stage by stage, and measure it; then sounds and speeds."""
    videos = [Stretch(data / PERSON31)]
    person = folder / "person31"
    begun = time.perf_counter()
    seconds = prepare(videos, person, face_model=face_model, voice=VOICE, kind="ridge")
    files = {name: person / f"{name}.h5" for name in ("faces", "identity", "mouths")}
    speech = data / SPEECH

    def stage(name: str, make: Callable[[], None]) -> None:
        at = time.perf_counter()
        make()
        seconds[name] = time.perf_counter() - at

    expression, frames, made = folder / "expression.tsv", folder / "frames.tsv", folder / "film.mp4"
    stage("expression", lambda: drive_person(person / "voice.npz", speech, expression, model=VOICE))
    stage(
        "choice", lambda: choose_frames(expression, frames, audio=speech, face_model=face_model, how="video", **files)
    )
    for picture, output in (("real", made), ("mesh", folder / "mesh.mp4")):
        stage(
            f"film, {picture}",
            lambda picture=picture, output=output: draw_head(
                expression, frames, output, audio=speech, videos=by_name(videos), face_model=face_model,
                picture=picture, **files,
            ),
        )  # fmt: skip
    for name, value in seconds.items():
        measures.note(f"seconds: {name}", "s", "mesh" if name.endswith("mesh") else "real", value)
    measures.note("seconds: from nothing to the film", "s", "real", time.perf_counter() - begun - seconds["film, mesh"])
    measure_film(
        made, folder / "quality.tsv", expression=expression, frames=frames, videos=by_name(videos),
        voice=person / "voice.npz", face_model=face_model, faces=files["faces"], identity=files["identity"],
    )  # fmt: skip
    for row in pd.read_csv(folder / "quality.tsv", sep="\t").query("not measure.str.startswith('sound')").itertuples():
        for which, value in (("real", row.film), ("truth", row.person)):
            if np.isfinite(value):
                measures.note(f"film: {row.measure}", row.unit if isinstance(row.unit, str) else "", which, value)
    network = load_network(VOICE)
    for kind in ("ridge", "gru", "atc"):
        lesson = gather(listener_of(kind, network), files["faces"], person / "audio.h5")
        begun = time.perf_counter()
        voice = learn(lesson, kind=kind)
        measures.note(f"sound, {kind}: time to learn", "s", "real", time.perf_counter() - begun)
        measures.note(f"sound, {kind}: lips of held-out seconds", "% of eyes", "real", voice.error)
        measures.note(f"sound, {kind}: half of its 95 % interval", "% of eyes", "real", voice.interval)
        measures.note(f"sound, {kind}: the mean expression's", "% of eyes", "real", voice.error_of_mean)
        measures.note(f"sound, {kind}: opening", "correlation", "real", voice.correlation)
    drawing(measures, videos, person, expression, frames, face_model, "1280 x 720")
    # The same person, smaller: a square of the video.
    small, actor = folder / "small.mp4", load_actor(face_model, files["faces"], files["identity"])
    media = probe(videos[0].video)
    left = int(np.clip(actor.middle(0)[0] - media.height / 2, 0, media.width - media.height))
    square = (f[:, left : left + media.height] for f in videos[0].frames("bgr24"))
    crop = (cv2.resize(f, (SMALL, SMALL), interpolation=cv2.INTER_AREA) for f in square)
    encode(crop, small, size=(SMALL, SMALL), audio=videos[0].video)
    other = folder / "small"
    prepare([Stretch(small)], other, face_model=face_model, voice=VOICE, kind="ridge")
    choose_frames(
        expression, frames, audio=speech, face_model=face_model, how="video",
        **{name: other / f"{name}.h5" for name in ("faces", "identity", "mouths")},
    )  # fmt: skip
    drawing(measures, [Stretch(small)], other, expression, frames, face_model, f"{SMALL} x {SMALL}")


def drawing(
    measures: Measures,
    videos: Sequence[Stretch],
    person: Path,
    expression: Path,
    frames: Path,
    face_model: Path,
    size: str,
) -> None:
    """Time what draws a frame of a film, without reading and encoding it."""
    actor, mouths = load_actor(face_model, person / "faces.h5", person / "identity.h5"), Mouths(person / "mouths.h5")
    table = pd.read_csv(frames, sep="\t")
    motion = held(read_weights(expression), len(table))
    for picture in ("real", "mesh"):
        filmed = dict(enumerate(videos[0].frames("bgr24")))
        made = paint(actor, mouths, motion, table, filmed, picture=picture)
        next(made)  # compiles
        begun = time.perf_counter()
        count = sum(1 for _ in made)
        measures.note(f"a frame at {size}", "ms", picture, 1000 * (time.perf_counter() - begun) / count)


def main() -> None:
    """Measure everything, print and save the table."""
    given = command_line(__doc__ or "", "head").parse_args()
    cv2.setNumThreads(1)
    face_model = given.data / "models" / "ict_facekit.npz"
    measures = Measures(COMPARED)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = given.data / PERSON31
        one = Case([Stretch(video, None, LEARNT_S)], [Stretch(video, LEARNT_S)], folder / "one", face_model)
        pictures(measures, "person31", one, folder)
        clips = [Stretch(path) for path in sorted(given.data.glob(STRANGER))]
        few = Case(clips[:LEARNT_CLIPS], clips[LEARNT_CLIPS:], folder / "few", face_model)
        pictures(measures, "1001", few, folder)
        film(measures, given.data, face_model, folder)
    measures.save(given.output)


if __name__ == "__main__":
    main()
