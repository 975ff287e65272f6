"""The mean face: the 68 points that stand for nobody, in the template frame.

Template frame: the distance of the outer eye corners is 1, the origin lies midway between them, x points to the right
of the picture, y down.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from talkface import points
from talkface.identity import align, closure_order

TABLE = Path(__file__).with_name("template.tsv")


def load_template() -> NDArray[np.float64]:
    """The template, (68, 2), from the table beside this module (made by `make template`)."""
    return pd.read_csv(TABLE, sep="\t", comment="#")[["x", "y"]].to_numpy(np.float64)


def to_template_frame(shape: NDArray) -> NDArray[np.float64]:
    """Move, turn and scale one shape (68, 2) so that its outer eye corners lie at (-0.5, 0) and (0.5, 0)."""
    corners = np.zeros((68, 2))
    corners[list(points.OUTER_EYE_CORNERS), 0] = -0.5, 0.5
    return align(shape[None], corners, indices=points.OUTER_EYE_CORNERS)[0]


def measure_template(people: Iterable[NDArray], *, threshold: float = 0.1, frames: int = 10) -> NDArray[np.float64]:
    """Mean over people of their closed-mouth face, made symmetric.

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
