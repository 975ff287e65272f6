"""Offset of sound and picture: how well it is found by each detector's landmarks, and what correcting it is good for.

    make bench-timing       results/benchmarks/timing.tsv

Of GRID's speaker s1: clips as they are, and joined at random to stretches whose sound is moved by up to 200 ms. What
`dataset.correct_offset: certain` would move is judged by a ridge regression of the mouth's opening on the sound,
cross-validated within the clip.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "workflow" / "scripts"), str(HERE)]

import ridge  # noqa: E402
from accuracy import Measures, command_line  # noqa: E402
from eyes import DETECTORS, frames_of, look  # noqa: E402

from talkface.conventions import FPS  # noqa: E402
from talkface.face.points import mouth_opening  # noqa: E402
from talkface.face.sync import CERTAIN, Offset, audio_video_offset, correction_ms  # noqa: E402
from talkface.media.audio import extract_audio  # noqa: E402
from talkface.training.dataset import move_earlier  # noqa: E402

LENGTHS_S = (3, 6, 9, 12, 15, 18, 24)
MOST_MS, WITHIN_MS = 200, 20
DRAWS = 8  # orders in which clips are joined
RATE = ridge.RATE
Clip = tuple[NDArray, NDArray]  # landmarks and sound


def read(clip: Path, detector: str) -> Clip | None:
    """Read a clip's landmarks (T, 68, 2) and its sound at `RATE`, cut to the same length; None without a face."""
    track = look(detector, frames_of(clip, end_s=60.0))
    if track.rejected:
        return None
    samples = extract_audio(clip, rate=RATE)
    frames = min(len(track.landmarks), len(samples) * FPS // RATE)
    return track.landmarks[:frames], samples[: frames * RATE // FPS]


def offset_of(clip: Clip, detector: str) -> Offset:
    """Measure the offset of a clip."""
    return audio_video_offset(*clip, rate=RATE, detector=detector)


def recovered(clips: Sequence[Clip], length_s: int, detector: str, rng: np.random.Generator) -> tuple[float, float]:
    """Join clips to stretches of so many seconds and move their sound: share called certain; of these, share right."""
    errors, certain, joined = [], [], max(1, round(length_s / 3))
    for _ in range(DRAWS):
        order = rng.permutation(len(clips))
        for first in range(0, len(order) - joined + 1, joined):
            chosen = [clips[n] for n in order[first : first + joined]]
            faces, sound = (np.concatenate(parts) for parts in zip(*chosen, strict=True))
            moved = rng.uniform(-MOST_MS, MOST_MS)
            found = offset_of((faces, move_earlier(sound, -moved, rate=RATE)), detector)
            errors.append(abs(found.offset_ms - moved))
            certain.append(found.certainty >= CERTAIN)
    right = np.array(errors)[certain] <= WITHIN_MS
    return 100 * float(np.mean(certain)), 100 * float(right.mean())


def main() -> None:
    """Measure everything, print and save the table."""
    given = command_line(__doc__ or "", "timing").parse_args()
    cv2.setNumThreads(1)
    measures = Measures(DETECTORS)

    people = {
        "GRID, 9 speakers": [*sorted(given.data.glob("grid/s1/*.mpg")), *sorted(given.data.glob("grid/others/*.mpg"))],
        "demo corpus": sorted(Path("resources/demo").glob("*.mp4")),
        "in the wild": [*sorted(given.data.glob("talking/*.mp4")), *sorted(given.data.glob("cremad/*.flv"))],
    }
    for detector in DETECTORS:
        rng = np.random.default_rng(0)
        for name, paths in people.items():
            clips = {path.stem: clip for path in paths if (clip := read(path, detector)) is not None}
            if not clips:
                continue
            offsets = {stem: offset_of(clip, detector) for stem, clip in clips.items()}
            moves = {stem: correction_ms(*offsets[stem], len(clips[stem][0]) / FPS) for stem in clips}
            sure = [found.offset_ms for found in offsets.values() if found.certainty >= CERTAIN]
            measures.note(f"{name}: clips", "", detector, len(clips))
            measures.note(f"{name}: offset, median of the certain ones", "ms", detector, float(np.median(sure)))
            measures.note(f"{name}: clips that are moved", "", detector, sum(map(bool, moves.values())))
            for stem, move in moves.items():
                if move:
                    faces, sound = clips[stem]
                    heard = (ridge.hear(move_earlier(sound, ms, rate=RATE), len(faces)) for ms in (0.0, move))
                    before, after = (ridge.cross_validate(each, mouth_opening(faces)) for each in heard)
                    measures.note(f"{stem}: moved earlier by", "ms", detector, move)
                    measures.note(f"{stem}: correlation of the ridge before", "", detector, before)
                    measures.note(f"{stem}: correlation of the ridge after", "", detector, after)
            if name.startswith("GRID"):
                own = [clip for stem, clip in clips.items() if (given.data / "grid" / "s1" / f"{stem}.mpg").exists()]
                for length_s in LENGTHS_S:
                    certain, right = recovered(own, length_s, detector, rng)
                    measures.note(f"s1, {length_s} s: called certain", "%", detector, certain)
                    measures.note(f"s1, {length_s} s: of these within {WITHIN_MS} ms", "%", detector, right)
    measures.save(given.output)


if __name__ == "__main__":
    main()
