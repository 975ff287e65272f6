"""What the 68 landmarks need of the open face model ICT-FaceKit: `make bases DATA=folder`.

Neutral face, identities and ARKit's expressions at the 68 landmarks alone, in the template frame (outer-eye distance
1), and where dlib and the face mesh see the points of the neutral face: what clips of GRID's and LAVSE's people keep
from the fit on average. Written as workflow/scripts/talkface/face3d/landmark_bases.tsv. The model is read as
`measure_depth` says, clips are taken from below grid/ and talking/.
"""

import dataclasses
import sys
from pathlib import Path

import numpy as np
from measure_depth import Head
from numpy.typing import NDArray

from talkface.face import points
from talkface.face.detection import find_tracking
from talkface.face3d import arkit
from talkface.face3d.bases import DETECTORS, TABLE, Bases, save_bases
from talkface.face3d.fit import Seen, fit_clip, fit_identity, see
from talkface.media.video import probe, read_frames

ROUNDS = 6
MOST_S = 3.0  # of a clip
CLIPS = ("grid/others/*.mpg", "grid/s1/*.mpg", "talking/lavse_sp05_320.mp4")
EVERY = 47  # of the clips of one speaker


def measure(path: Path) -> Bases:
    """Measure neutral face (68, 3), identities (I, 68, 3) and ARKit's expressions (52, 68, 3)."""
    head = Head(path)
    model = np.load(path, allow_pickle=False)
    identity = np.stack([head.moved(movement) for movement in model["id_delta"]])
    movements = np.stack([head.moved(movement) for movement in model["expr_delta"]])
    expression = arkit.from_ict(movements, [str(name) for name in model["expr_names"]])
    # Left is right's mirror image, to the last digit.
    expression = (expression + expression[arkit.MIRROR][:, points.MIRROR] * [-1, 1, 1]) / 2
    return Bases(head.marks, identity, expression)


def watch(data: Path, detector: str) -> list[Seen]:
    """Take the landmarks of one clip of each person."""
    tracking, found = find_tracking(detector, max_gap_frames=30), []
    for pattern in CLIPS:
        for path in sorted(data.glob(pattern))[:: EVERY if "s1" in pattern else 1]:
            video = probe(path)
            track = tracking.track(read_frames(video, pixels=tracking.pixels, end_s=MOST_S))
            if not track.rejected:
                found.append(see(track.landmarks, width=video.width, height=video.height, depth=track.depth))
    return found


def missed(clip: Seen, bases: Bases) -> NDArray[np.float64]:
    """Return how far the points of a clip lie from the fit in the middle of its frames, (68, 3), template frame."""
    identity = fit_identity([clip], bases)
    found = fit_clip(clip, identity, bases)
    placed = found.placed
    scale = -clip.camera.focal / placed[..., 2:]  # pixels per outer-eye distance
    away = np.zeros(placed.shape)
    away[..., :2] = (clip.landmarks - clip.camera.project(placed)) / scale
    if clip.depth is not None:
        behind = -clip.depth / clip.eyes - placed[..., 2]
        away[..., 2] = behind - behind.mean(axis=1, keepdims=True)
    return (away @ found.pose.turn).mean(axis=0)


def offsets(clips: list[Seen], bases: Bases) -> NDArray[np.float64]:
    """Measure where a detector sees the points of the neutral face, less where they are: (68, 3), symmetric."""
    total = np.zeros((points.COUNT, 3))
    for _ in range(ROUNDS):
        seen = Bases(bases.neutral + total, bases.identity, bases.expression)
        one = np.mean([missed(clip, seen) for clip in clips], axis=0)
        total += (one + one[points.MIRROR] * [-1, 1, 1]) / 2
    return total


if __name__ == "__main__":
    data = Path(sys.argv[1])
    bases = measure(data / "models" / "ict_facekit.npz")
    bases = dataclasses.replace(bases, seen={one: offsets(watch(data, one), bases) for one in DETECTORS})
    save_bases(bases, TABLE, origin="made from ICT-FaceKit (MIT) by resources/measure_face3d.py")
