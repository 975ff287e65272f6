"""Strangers: how well models follow people whom none of them learnt from, beside what needs no learning.

    make strangers          results/benchmarks/strangers.tsv

Correlation of predicted and true mouth opening at each clip's own timing, and at the best shift within 120 ms, with
95 % intervals over people and their clips; and how far the mouth opens in three seconds of pink noise before the
first word. The truth is the face mesh's, the people are those of the folder --data, or of a sheet (--sheet). The ridge
regression learns from all people but the one it is judged on.
"""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "workflow" / "scripts"), str(HERE)]

import ridge  # noqa: E402
from accuracy import command_line, save  # noqa: E402
from eyes import look, shapes_of  # noqa: E402

from talkface.conventions import FPS, FULL_SCALE  # noqa: E402
from talkface.corpus.phones import aligner, find_phones  # noqa: E402
from talkface.corpus.sheet import read_sheet  # noqa: E402
from talkface.errors import TalkfaceError  # noqa: E402
from talkface.evaluation import metrics  # noqa: E402
from talkface.evaluation.articulation import Spoken  # noqa: E402
from talkface.evaluation.floors import opening_of_phones  # noqa: E402
from talkface.evaluation.statistics import Draws  # noqa: E402
from talkface.face.points import mouth_opening  # noqa: E402
from talkface.media.audio import extract_audio  # noqa: E402
from talkface.media.video import probe, read_frames  # noqa: E402
from talkface.models.checkpoint import load_network  # noqa: E402
from talkface.noise.mixing import to_rate  # noqa: E402
from talkface.prediction.streaming import predict_samples  # noqa: E402

RATE = ridge.RATE
MOST_S = 30.0  # of a clip
ROOMS_DBFS = (-70, -60, -50)
ROOM_S = 3.0
TAUGHT = 30  # clips of GRID's s1 that the ridge learns from beside strangers


@dataclass
class Clip:
    """A clip of a stranger: who speaks, the true opening (T,), sound (S,) of full scale 1."""

    group: str
    person: str
    opening: NDArray
    sound: NDArray


@dataclass
class Video:
    """A video of a stranger, and the stretch of it that counts, seconds."""

    group: str
    person: str
    path: Path
    start_s: float = 0.0
    end_s: float = MOST_S


def people_of(data: Path) -> list[Video]:
    """List the people of a folder."""
    grid = {"brbk7n": "s20", "lbax4n": "s5", "lwbsza": "s4", "pwij3p": "s2", "swwp2s": "s2"}
    found = [Video("taught", "s1", path) for path in sorted(data.glob("grid/s1/*.mpg"))[::4][:TAUGHT]]
    for path in sorted(data.glob("grid/others/*.mpg")):
        found.append(Video("GRID", grid.get(path.stem, path.stem.split("_")[0]), path))
    found += [Video("wild", "CREMA-D 1001", path) for path in sorted(data.glob("cremad/*.flv"))]
    found += [Video("wild", path.stem, path) for path in sorted(data.glob("talking/*.mp4"))]
    return found


def videos_of(sheet: Path) -> list[Video]:
    """List the clips of a sheet; of each at most `MOST_S`."""
    found = []
    for row in read_sheet(sheet).itertuples():
        start = 0.0 if np.isnan(row.start_s) else row.start_s
        end = start + MOST_S if np.isnan(row.end_s) else min(row.end_s, start + MOST_S)
        found.append(Video("sheet", row.speaker, Path(row.video), start, end))
    return found


def read(videos: Iterable[Video]) -> list[Clip]:
    """Read clips; those without a face are left out and said."""
    clips = []
    for video in videos:
        stretch = {"start_s": video.start_s or None, "end_s": video.end_s}
        try:
            track = look("mesh", list(read_frames(probe(video.path), pixels="rgb24", **stretch)))
            sound = extract_audio(video.path, rate=RATE, **stretch) / FULL_SCALE
        except TalkfaceError as error:
            sys.stdout.write(f"left out: {error}\n")
            continue
        if track.rejected:
            sys.stdout.write(f"left out: {video.path}: {track.rejected}\n")
            continue
        shape = shapes_of([track], "mesh")[0]
        frames = min(len(shape), len(sound) * FPS // RATE)
        clips.append(Clip(video.group, video.person, mouth_opening(shape[:frames]), sound[: frames * RATE // FPS]))
    return clips


def loudness(clip: Clip) -> NDArray:
    """Return the loudness of each frame, silence at 20 dB below the loud ones."""
    samples = (clip.sound * FULL_SCALE).astype(np.int16)
    level = metrics.frame_loudness(samples, rate=RATE, frames=len(clip.opening))
    return metrics.heard_loudness(level)


def phones(clip: Clip) -> NDArray:
    """Return what the phones, recognised, ask for."""
    marks, _ = find_phones((clip.sound * FULL_SCALE).astype(np.int16))
    spoken = Spoken(phones=[mark[1:] for mark in marks], names=[mark.name for mark in marks])
    return opening_of_phones(spoken, len(clip.opening))


def ridges(clips: list[Clip]) -> Callable[[Clip], NDArray]:
    """Return what a ridge regression predicts that learnt from all other people."""
    heard = {id(clip): ridge.hear(clip.sound * FULL_SCALE, len(clip.opening)) for clip in clips}

    def predict(clip: Clip) -> NDArray:
        others = [other for other in clips if other.person != clip.person]
        model = ridge.learn(
            [heard[id(other)] for other in others],
            [(other.opening[:, None] - other.opening.mean()) / other.opening.std() for other in others],
        )
        return model.predict(heard[id(clip)])[:, 0]

    return predict


def network(path: Path) -> Callable[[NDArray], NDArray]:
    """Return a function that predicts openings (T,) from sound (S,) by weights."""
    loaded = load_network(path)

    def predict(sound: NDArray) -> NDArray:
        return mouth_opening(predict_samples(loaded, to_rate(sound, RATE, loaded.rate), seed=1)[..., :2])

    return predict


def pink(samples: int, generator: np.random.Generator) -> NDArray:
    """Make pink noise (S,) of root mean square 1."""
    spectrum = np.fft.rfft(generator.standard_normal(samples))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    noise = np.fft.irfft(spectrum, samples)
    return noise / noise.std()


def in_rooms(predict: Callable[[NDArray], NDArray], clips: list[Clip]) -> dict[str, float]:
    """Measure the opening in pink noise before the first word, % of the eyes, the last 0.4 s left out."""
    found = {}
    for level in ROOMS_DBFS:
        rng = np.random.default_rng(0)
        room = round(ROOM_S * RATE)
        openings = [
            predict(np.concatenate([pink(room, rng) * 10 ** (level / 20), clip.sound]))[: round((ROOM_S - 0.4) * FPS)]
            for clip in clips
        ]
        found[f"room_{-level}"] = round(100 * float(np.mean([opening.mean() for opening in openings])), 1)
    return found


def measure(name: str, predicted: list[NDArray], clips: list[Clip]) -> dict[str, object]:
    """Make a row: correlations by group with intervals, then at the best shift."""
    row: dict[str, object] = {"predictor": name}
    for group in dict.fromkeys(clip.group for clip in clips):
        own = [(clip, found) for clip, found in zip(clips, predicted, strict=True) if clip.group == group]
        values = []
        for clip, found in own:
            count = min(len(found), len(clip.opening))
            curve = metrics.lag_correlations(found[:count], clip.opening[:count], most=metrics.SHIFTED_FRAMES)
            values.append((curve[metrics.SHIFTED_FRAMES], np.nanmax(curve) if np.isfinite(curve).any() else np.nan))
        interval = Draws([clip.person for clip, _ in own], seed=1).interval(np.array(values))
        row[group] = f"{interval.value[0]:.2f} ({interval.low[0]:.2f}-{interval.high[0]:.2f})"
        row[f"{group}_shifted"] = f"{interval.value[1]:.2f} ({interval.low[1]:.2f}-{interval.high[1]:.2f})"
    return row


def main() -> None:
    """Measure everything, print and save the table."""
    parser = command_line(__doc__ or "", "strangers")
    parser.add_argument("--sheet", type=Path, help="a sheet whose clips are judged instead")
    parser.add_argument("--weights", type=Path, nargs="*", default=sorted(Path("resources/models").glob("*.pt")))
    given = parser.parse_args()
    cv2.setNumThreads(1)
    clips = read(videos_of(given.sheet) if given.sheet else people_of(given.data))
    strangers = [clip for clip in clips if clip.group != "taught"]
    rows = [measure("loudness", [loudness(clip) for clip in strangers], strangers)]
    if aligner():
        rows.append(measure("phones and a table", [phones(clip) for clip in strangers], strangers))
    if len({clip.person for clip in clips}) > 1:
        rows.append(measure("ridge, learnt from the others", list(map(ridges(clips), strangers)), strangers))
    for path in given.weights:
        predict = network(path)
        name = path.parent.name if path.stem == "weights" else path.stem
        row = measure(name, [predict(clip.sound) for clip in strangers], strangers)
        rows.append(row | in_rooms(predict, strangers))
    save(pd.DataFrame(rows), given.output)


if __name__ == "__main__":
    main()
