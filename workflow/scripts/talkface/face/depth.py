"""Depth of faces: the third coordinate of landmarks that have none, and the skin between the landmarks.

Space: the template frame (x to the right of the picture, y down, outer-eye distance 1) and z, which grows towards the
viewer and is 0 midway between the outer eye corners. Faces (T, 68, 3) that were predicted elsewhere are expected to
look that way, as those of Eskimez et al. 2020 do; one whose nose lies behind the ends of its jaw is turned round.

| table | column | |
|---|---|---|
| depth.tsv | z | of the resting face |
| | swing | of lips: z per unit of the opening of the mouth; of the jaw: z per unit of the drop of the chin |
| | narrowing | of lips: z per unit by which the mouth narrows |
| relief.tsv | x, y, z | points on the skin between the landmarks of the resting face |

Both are measured from the open model ICT-FaceKit (`make template`). A jaw that drops swings back about the joint before
the ear and takes the lower lip along; a mouth that narrows pushes the lips forward. Brows, eyes and nose stay.

Axes: T frames, 68 landmarks, K points between them.
"""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from talkface.face import points
from talkface.face.template import load_template

log = logging.getLogger(__name__)

DEPTH = Path(__file__).with_name("depth.tsv")
RELIEF = Path(__file__).with_name("relief.tsv")
COLUMNS = ("z", "swing", "narrowing")
# Units: from the tip of the nose to the ends of the jaw a face is 1 deep; what is flatter than this has no depth.
FLAT = 0.1
CHIN = (7, 8, 9)
# The points that tell how the head moves: those that speech hardly moves. With the brows they also tell its build.
SKULL = (0, 1, 15, 16, *points.STABLE)
HEAD = (*SKULL, *points.BROWS)
REACH = 0.8  # units: how far a landmark pulls the skin
GIVE = 0.05  # share by which neighbours that disagree give way


def load_depth() -> NDArray[np.float64]:
    """Read z, swing and narrowing of the landmarks, (68, 3)."""
    return pd.read_csv(DEPTH, sep="\t", comment="#")[list(COLUMNS)].to_numpy(np.float64)


def load_relief() -> NDArray[np.float64]:
    """Read the points of the resting face between the landmarks, (K, 3)."""
    return pd.read_csv(RELIEF, sep="\t", comment="#")[["x", "y", "z"]].to_numpy(np.float64)


def save_depth(table: NDArray, path: str | Path, *, origin: str) -> None:
    """Write z, swing and narrowing (68, 3) below a line that says where they come from."""
    rows = pd.DataFrame(table.round(5) + 0.0, columns=list(COLUMNS))
    _save(rows.rename_axis("point").reset_index(), path, origin=origin)


def save_relief(relief: NDArray, path: str | Path, *, origin: str) -> None:
    """Write points (K, 3) below a line that says where they come from."""
    _save(pd.DataFrame(relief.round(5) + 0.0, columns=["x", "y", "z"]), path, origin=origin)


def _save(table: pd.DataFrame, path: str | Path, *, origin: str) -> None:
    """Write a table whose values were rounded, + 0.0 so that none is minus zero."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"# {origin}\n")
        table.to_csv(file, sep="\t", index=False, float_format="%.5f")


def rest_in_space(rest: NDArray) -> NDArray[np.float64]:
    """Add the depth of the table to a resting face (68, 2), giving (68, 3)."""
    return np.column_stack([rest, load_depth()[:, 0]])


def in_space(shapes: NDArray, *, rest: NDArray) -> NDArray[np.float64]:
    """Add a third coordinate to faces, or centre the one that they have.

    Parameters
    ----------
    shapes : (T, 68, 2) or (T, 68, 3) array
        Template frame. A third coordinate is kept, moved so that it is 0 midway between the mean outer eye corners, and
        turned round where the nose would point away; one without relief counts as none.
    rest : (68, 2) array
        The face with its mouth closed, from which opening, drop and width are counted.

    Returns
    -------
    (T, 68, 3) array
    """
    shapes = np.asarray(shapes, np.float64)
    flat = shapes[..., :2]
    if shapes.shape[-1] == 3:
        z = shapes[..., 2] - shapes[:, list(points.OUTER_EYE_CORNERS), 2].mean()
        relief = float(z[:, 30].mean() - z[:, [points.JAW[0], points.JAW[-1]]].mean())
        if abs(relief) > FLAT:
            if relief < 0:
                log.info("the nose points away from the viewer: z is turned round")
            return np.concatenate([flat, np.sign(relief) * z[..., None]], axis=-1)
        log.warning("the third coordinate has no relief (nose %.3f before the jaw): depth of the table", relief)
    return np.concatenate([flat, estimate_depth(flat, rest=rest)[..., None]], axis=-1)


def estimate_depth(shapes: NDArray, *, rest: NDArray) -> NDArray[np.float64]:
    """Estimate the depth (T, 68) of faces (T, 68, 2): the resting face's, and what moving jaw and lips add."""
    z, swing, narrowing = load_depth().T
    opening = points.mouth_opening(shapes) - points.mouth_opening(rest)  # (T,)
    chin, nose = list(CHIN), list(points.NOSE_BRIDGE)
    drop = (shapes[:, chin, 1] - rest[chin, 1]).mean(axis=1)
    drop = drop - (shapes[:, nose, 1] - rest[nose, 1]).mean(axis=1)  # a head that nods drops no jaw
    narrower = points.mouth_width(rest) - points.mouth_width(shapes)
    driven = np.zeros((len(shapes), 68))
    driven[:, list(points.LIPS)] = opening[:, None]
    driven[:, list(points.JAW)] = drop[:, None]
    return z + swing * driven + narrowing * narrower[:, None]


class Skin:
    """Points between the landmarks, which follow them.

    They take the build of a clip's mean face: an affine movement of the resting face that brings `HEAD` there, and a
    pull towards the other landmarks. From frame to frame they move with the head as a whole, rigidly, and are pulled
    along by what landmarks do beside it; above the eyes only those of `HEAD` pull, so that a word lifts no forehead.
    """

    def __init__(self) -> None:
        self.rest = rest_in_space(load_template())
        self.relief = load_relief()
        self._pull = pull_weights(self.rest, self.relief)  # (K, 68)

    def follow(self, faces: NDArray) -> NDArray[np.float64]:
        """Append the points of the skin to the faces of a clip (T, 68, 3), giving (T, 68 + K, 3)."""
        mean, head = faces.mean(axis=0), list(HEAD)
        affine = np.linalg.pinv(_with_one(self.rest[head])) @ mean[head]  # (4, 3)
        built = _with_one(self.relief) @ affine + self._pull @ (mean - _with_one(self.rest) @ affine)
        turns, shifts = rigid_motions(mean[list(SKULL)], faces[:, list(SKULL)])
        steady = (faces - shifts[:, None]) @ turns.transpose(0, 2, 1)  # as if the head had kept still
        between = built + np.einsum("kp,tpc->tkc", self._pull, steady - mean)
        return np.concatenate([faces, between @ turns + shifts[:, None]], axis=1)


def pull_weights(source: NDArray, places: NDArray) -> NDArray[np.float64]:
    """Compute the weights (K, 68) by which landmarks at source (68, 3) pull the skin at places (K, 3).

    Radial functions of compact support (Wendland 1995).
    """

    def kernel(first: NDArray, second: NDArray) -> NDArray:
        r = np.minimum(np.linalg.norm(first[:, None] - second[None], axis=-1) / REACH, 1)
        return (1 - r) ** 4 * (4 * r + 1)

    above = places[:, 1] < 0
    pull = np.zeros((len(places), len(source)))
    for those, pulling in ((above, np.array(HEAD)), (~above, np.arange(len(source)))):
        near = kernel(source[pulling], source[pulling]) + GIVE * np.eye(len(pulling))
        pull[np.ix_(those, pulling)] = kernel(places[those], source[pulling]) @ np.linalg.inv(near)
    return pull


def rigid_motions(source: NDArray, targets: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit rotations (T, 3, 3) and shifts (T, 3) of points (N, 3) to targets (T, N, 3): `source @ rotation + shift`.

    Source: Kabsch 1976.
    """
    centre, centres = source.mean(axis=0), targets.mean(axis=1)
    u, _, v = np.linalg.svd((source - centre).T @ (targets - centres[:, None]))
    u[:, :, 2] *= np.sign(np.linalg.det(u @ v))[:, None]  # a turn, no mirror image
    turns = u @ v
    return turns, centres - (centre @ turns)


def _with_one(places: NDArray) -> NDArray[np.float64]:
    """Append a column of ones to points (N, 3), so that an affine matrix (4, 3) moves them."""
    return np.column_stack([places, np.ones(len(places))])
