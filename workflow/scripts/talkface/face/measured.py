"""Measurements of one clip: its landmarks, its shapes, and predictions placed back on its face.

Axes: T frames at 25 fps, 68 landmarks, 2 coordinates.
"""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from talkface.errors import TalkfaceError
from talkface.face.identity import fit_similarity
from talkface.face.points import STABLE


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Landmarks of a clip and what else landmarking found.

    Attributes
    ----------
    landmarks : (T, 68, 2) float32 array
        Pixels of the upright source; NaN where no face is known; T is 0 if the video did not decode, or not to its
        end.
    detected : (T,) bool array
        False where the points are interpolated.
    box : (T, 4) float32 array
        left, top, right, bottom, pixels.
    width, height : int
        Of the upright source, pixels; 0 if nothing of the video could be read.
    rejected : str
        Why the clip cannot be used, in words; empty if it can.
    """

    landmarks: NDArray
    detected: NDArray
    box: NDArray
    width: int
    height: int
    rejected: str


def read_measured(path: str | Path, clip: str) -> Measured:
    """Read the landmarks of a clip from results/landmarks/{shard}.h5, rejected or not."""
    with h5py.File(path, "r") as file:
        group = file[clip]
        known = "landmarks" in group
        return Measured(
            landmarks=group["landmarks"][:] if known else np.empty((0, 68, 2), np.float32),
            detected=group["detected"][:] if known else np.empty(0, bool),
            box=group["box"][:] if known else np.empty((0, 4), np.float32),
            width=int(group.attrs.get("width", 0)),
            height=int(group.attrs.get("height", 0)),
            rejected=str(group.attrs["rejected"]),
        )


def read_shape(path: str | Path, clip: str) -> NDArray[np.float32]:
    """Read the identity-free shape (T, 68, 2) of a clip from results/shapes/{speaker}.h5, template frame; no depth.

    Raises
    ------
    TalkfaceError
        If the clip was rejected; the reason stands in the message.
    """
    with h5py.File(path, "r") as file:
        group = file[clip]
        if "shape" not in group:
            reason = group.attrs["rejected"]
            raise TalkfaceError(f"{clip}: rejected ({reason}); a clip with a face was expected; results/qc/clips.tsv")
        return group["shape"][..., :2]


def place_in_video(prediction: NDArray, *, shape: NDArray, landmarks: NDArray) -> NDArray[np.float64]:
    """Place a prediction on the face of a clip.

    What the prediction does otherwise than the clip's identity-free shape is added to the clip's own landmarks, turned
    and scaled as the head is in each frame: by the way back from the shape, on the points that speech does not move.

    Parameters
    ----------
    prediction : (T', 68, 2) array, template frame
        Its last face is held where it is shorter; frames beyond the clip are left out.
    shape : (T, 68, 2) array, template frame
    landmarks : (T, 68, 2) array, pixels

    Returns
    -------
    (T, 68, 2) float64 array, pixels
    """
    frames = np.minimum(np.arange(len(shape)), len(prediction) - 1)
    still = list(STABLE)
    there, _ = fit_similarity(landmarks[:, still], shape[:, still])  # (T, 2, 2)
    return landmarks + (prediction[frames, :, :2] - shape) @ np.linalg.inv(there).swapaxes(-1, -2)
