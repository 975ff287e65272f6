"""Mean faces of both detectors, measured on real clips: `make template DATA=folder`.

Written are template.tsv (dlib) and template_mesh.tsv in workflow/scripts/talkface/face/.

The people it was measured on: six speakers of GRID (speaker s1 and five clips of others, of which two show the same
one), and four people of other videos. Each counts once: the mean of their most closed mouths, turned upright. Which
these are is chosen as identity removal does by default for mesh, whose lips close; for dlib more strictly by the width.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from talkface.face import points
from talkface.face.detection import find_tracking
from talkface.face.identity import align, closure_order
from talkface.face.template import TABLES
from talkface.media.video import probe, read_frames

# Clips below the data folder, by person.
PEOPLE = {
    "grid_s1": ["grid/s1/bbaf4p.mpg", "grid/s1/lgbm2n.mpg", "grid/s1/swih9a.mpg"],
    "grid_a": ["grid/others/brbk7n.mpg"],
    "grid_b": ["grid/others/lbax4n.mpg"],
    "grid_c": ["grid/others/lwbsza.mpg"],
    "grid_d": ["grid/others/pwij3p.mpg", "grid/others/swwp2s.mpg"],
    "obama": ["talking/obama2s.mp4"],
    "person31": ["talking/person31.mp4"],
    "lavse_sp01": ["talking/lavse_sp01_001.mp4"],
    "lavse_sp05": ["talking/lavse_sp05_320.mp4"],
}


# Of the mouth width, and how many of the most closed frames of a person are averaged: see `identity.closure_order`.
CHOSEN = {"dlib": {"threshold": 0.1, "frames": 10}, "mesh": {"threshold": 1.0, "frames": 5}}


def landmarks_of(videos: list[Path], detector: str) -> np.ndarray:
    """Return the landmarks (T, 68, 2) of all frames in which a face was found."""
    tracking = find_tracking(detector, max_gap_frames=25)
    tracks = [tracking.track(read_frames(probe(video), pixels=tracking.pixels)) for video in videos]
    return np.concatenate([track.landmarks[track.detected] for track in tracks]).astype(np.float64)


def to_template_frame(shape: NDArray) -> NDArray[np.float64]:
    """Move, turn and scale one shape (68, 2) so that its outer eye corners lie at (-0.5, 0) and (0.5, 0)."""
    corners = np.zeros((68, 2))
    corners[list(points.OUTER_EYE_CORNERS), 0] = -0.5, 0.5
    return align(shape[None], corners, indices=points.OUTER_EYE_CORNERS)[0]


def measure_template(people: Iterable[NDArray], *, threshold: float = 0.1, frames: int = 10) -> NDArray[np.float64]:
    """Average the closed-mouth faces of people, and make the mean symmetric.

    Parameters
    ----------
    people : iterable of (T, 68, 2) arrays
        Landmarks of one person each, pixels.
    threshold : float
        Of the mouth width, see `identity.closure_order`.
    frames : int
        How many of the most closed frames of a person are averaged.

    Returns
    -------
    (68, 2) array in the template frame.
    """
    faces = []
    for landmarks in people:
        upright = np.stack([to_template_frame(frame) for frame in landmarks])
        faces.append(upright[closure_order(upright, threshold=threshold)[:frames]].mean(axis=0))
    mean = np.mean(faces, axis=0)
    mirrored = mean[points.MIRROR] * [-1, 1]
    return to_template_frame((mean + mirrored) / 2)


def save_template(template: NDArray, path: str | Path, *, origin: str) -> None:
    """Write the table: a comment line that says where it comes from, then point, x, y."""
    table = pd.DataFrame(template.round(5), columns=["x", "y"]).rename_axis("point").reset_index()
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"# {origin}\n")
        table.to_csv(file, sep="\t", index=False, float_format="%.5f")


if __name__ == "__main__":
    data = Path(sys.argv[1])
    for detector, table in TABLES.items():
        people = [landmarks_of([data / name for name in names], detector) for names in PEOPLE.values()]
        origin = f"mean closed-mouth face of {len(people)} people, made symmetric (make template)"
        save_template(measure_template(people, **CHOSEN[detector]), table, origin=origin)
        sys.stdout.write(f"{table}: {origin}\n")
