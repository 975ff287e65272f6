"""Make the mean face, workflow/scripts/talkface/template.tsv, from real clips: `make template DATA=folder`.

The people it was measured on: six speakers of GRID (speaker s1 and five clips of others, of which two show the same
one), and four people of other videos. Each counts once: the mean of their most closed mouths, turned upright.
"""

import sys
from pathlib import Path

import numpy as np

from talkface.landmarks import predictor_path, track_face
from talkface.media.video import probe, read_frames
from talkface.template import TABLE, measure_template, save_template

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


def landmarks_of(videos: list[Path]) -> np.ndarray:
    """Landmarks (T, 68, 2) of all frames in which a face was seen."""
    tracks = [track_face(read_frames(probe(video)), predictor=predictor_path(), max_gap_frames=25) for video in videos]
    return np.concatenate([track.landmarks[track.detected] for track in tracks]).astype(np.float64)


if __name__ == "__main__":
    data = Path(sys.argv[1])
    people = [landmarks_of([data / name for name in names]) for names in PEOPLE.values()]
    origin = f"mean closed-mouth face of {len(people)} people, made symmetric (make template)"
    save_template(measure_template(people), TABLE, origin=origin)
    sys.stdout.write(f"{TABLE}: {origin}\n")
