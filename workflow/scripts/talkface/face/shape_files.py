"""Imported shape models: the .npy files of Eskimez et al. 2020, moved into the template frame.

| file | shape | unit |
|---|---|---|
| mean | (68, D), (68 D,) or (1, 68 D) | of its own |
| components | (K, 68 D) | the same |
| template | as mean | of its own; a neutral face, which gives the coefficients that a file begins with |
| boosts | (K,) | factors on the coefficients |

D is 2 or 3; template and boosts may be absent. y points down, as in pictures.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from talkface.errors import TalkfaceError
from talkface.face import points
from talkface.face.identity import fit_similarity
from talkface.face.shape_model import ShapeModel
from talkface.face.template import load_template

NEEDED = ("mean", "components")
# A mean shape this near to centre 0 and norm 1 lies in procrustes' own frame, as the published one does.
OWN_FRAME = 0.02


# Endings of the names that Eskimez et al. 2020 gave them; the first two are needed.
ENDINGS = {"mean": "mean_shape.npy", "components": "eigen_vectors.npy", "template": "mean.npy", "boosts": "tcboost.npy"}


def find_shape_files(folder: str | Path) -> dict[str, Path]:
    """Find the files of a shape model in a folder by the ends of their names: `ENDINGS`.

    Raises
    ------
    TalkfaceError
        If mean or components are missing, or a file stands twice.
    """
    found: dict[str, Path] = {}
    for key, ending in ENDINGS.items():
        files = sorted(Path(folder).glob(f"*{ending}"))
        if len(files) > 1:
            raise TalkfaceError(f"{folder}: {files[0].name} and {files[1].name}; one *{ending} was expected")
        if not files and key in NEEDED:
            raise TalkfaceError(f"{folder}: no *{ending}; the shape model that the coefficients belong to was expected")
        found |= dict.fromkeys([key] if files else [], files[0] if files else Path())
    return found


def read_shape_model_files(files: Mapping[str, str | Path]) -> tuple[ShapeModel, NDArray, NDArray]:
    """Read a shape model and move it into the template frame; coefficients keep their meaning.

    The one similarity that takes the mean shape's outer eye corners to the template's moves x and y; a third coordinate
    is kept and scaled alike.

    Parameters
    ----------
    files : mapping of mean, components, template, boosts to paths
        Files of numpy, see above; the last two may be absent.

    Returns
    -------
    shape_model : ShapeModel
        Its shares of variance are not known (NaN), its deviations 1.
    rest : (K,) array
        Coefficients of the neutral template; empty without the file.
    boosts : (K,) array
        Empty without the file.

    Raises
    ------
    TalkfaceError
        If a file is missing, no array of numbers, or of another size than the others call for.
    """
    for key in NEEDED:
        if not files.get(key):
            raise TalkfaceError(
                f"config: shape_model has no {key!r}; the files of mean and components were expected; add its .npy"
            )
    mean = _read_face(files["mean"])
    components = _read_array(files["components"])
    if components.ndim != 2 or not len(components) or components.shape[1] != mean.size:
        raise TalkfaceError(
            f"{files['components']}: an array {components.shape}; (number, {mean.size}) was expected, for a mean shape "
            f"of {mean.size} numbers in {files['mean']}; give files that belong together"
        )
    rest = boosts = np.zeros(0)
    if files.get("template"):
        face = _read_face(files["template"])
        if face.shape != mean.shape:
            raise TalkfaceError(
                f"{files['template']}: a face of {face.shape[1]} coordinates a point; {mean.shape[1]} were expected, "
                f"as in {files['mean']}; give files that belong together"
            )
        rest = rest_coefficients(mean, components, face)
    if files.get("boosts"):
        boosts = _read_array(files["boosts"]).reshape(-1)
        if len(boosts) != len(components):
            raise TalkfaceError(
                f"{files['boosts']}: {len(boosts)} numbers; {len(components)} were expected, one a component of "
                f"{files['components']}; give files that belong together"
            )
    return _to_template_frame(mean, components, files["mean"]), rest, boosts


def rest_coefficients(mean: NDArray, components: NDArray, face: NDArray) -> NDArray[np.float64]:
    """Compute the coefficients (K,) of a face (68, D) fitted to the mean shape by scipy's procrustes, as published.

    Procrustes gives a face about the origin, of a norm near 1. That is the frame of the published mean shape as well; a
    mean shape that lies elsewhere takes the face there.
    """
    import scipy.spatial  # a third of a second's import, for files from elsewhere alone

    _, fitted, _ = scipy.spatial.procrustes(mean, face)
    centre = mean.mean(axis=0)
    norm = np.linalg.norm(mean - centre)
    if np.abs(centre).max() > OWN_FRAME or abs(norm - 1) > OWN_FRAME:
        fitted = fitted * norm + centre
    return np.linalg.lstsq(components.T, (fitted - mean).reshape(-1), rcond=None)[0]


def _to_template_frame(mean: NDArray, components: NDArray, path: str | Path) -> ShapeModel:
    """Move a shape model by the similarity that takes the outer eye corners of `mean` (68, D) to the template's."""
    turn, offset = _similarity(mean)
    moved = mean @ turn.T + offset
    if moved[8, 1] < 0:
        raise TalkfaceError(
            f"{path}: the chin lies above the eyes; y was expected to point down, as in pictures; turn y round in "
            "mean, components and template"
        )
    turned = components.reshape(len(components), *mean.shape) @ turn.T  # (K, 68, D)
    count = len(components)
    return ShapeModel(moved, turned.reshape(count, -1), np.full(count, np.nan), np.ones(count))


def to_frame_of(path: str | Path, faces: NDArray) -> NDArray[np.float64]:
    """Move faces (T, 68, D), template frame, into the frame of the mean shape in a file: as it was published.

    Raises
    ------
    TalkfaceError
        If the file holds no face of as many coordinates.
    """
    mean = _read_face(path)
    if mean.shape[1] != faces.shape[2]:
        raise TalkfaceError(
            f"{path}: a mean shape of {mean.shape[1]} coordinates a point; {faces.shape[2]} were expected, as predicted"
        )
    turn, offset = _similarity(mean)
    return (faces - offset) @ np.linalg.inv(turn).T


def _similarity(mean: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return turn (D, D) and offset (D,) that take the outer eye corners of `mean` (68, D) to the template's."""
    corners, coordinates = list(points.OUTER_EYE_CORNERS), mean.shape[1]
    matrix, offset = fit_similarity(mean[None, corners, :2], load_template()[corners])
    turn = np.eye(coordinates) * np.sqrt(np.linalg.det(matrix[0]))  # the third coordinate: scale alone
    turn[:2, :2] = matrix[0]
    return turn, np.append(offset[0], np.zeros(coordinates - 2))


def _read_face(path: str | Path) -> NDArray[np.float64]:
    """Read a face (68, D)."""
    array = _read_array(path)
    if array.size not in (136, 204) or array.ndim > 2 or (array.ndim == 2 and len(array) not in (1, 68)):
        raise TalkfaceError(
            f"{path}: an array {array.shape}; 68 points of 2 or 3 coordinates were expected, (68, 3) or (1, 204) for "
            "instance; give the file of a face"
        )
    face = array.reshape(68, -1)
    right, left = points.OUTER_EYE_CORNERS
    if np.allclose(face[right, :2], face[left, :2]):
        raise TalkfaceError(f"{path}: both outer eye corners at one place; a face of 68 points was expected")
    return face


def _read_array(path: str | Path) -> NDArray[np.float64]:
    """Read an .npy file of finite numbers; never unpickled."""
    try:
        with open(path, "rb") as file:
            array = np.lib.format.read_array(file, allow_pickle=False)
    except FileNotFoundError:
        raise TalkfaceError(
            f"{path}: there is no such file; an .npy of a shape model was expected; correct shape_model in the config"
        ) from None
    except (OSError, ValueError, EOFError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TalkfaceError(
            f"{path}: not readable ({reason}); an .npy of numbers was expected; save it again with numpy.save"
        ) from None
    if array.dtype.kind not in "fiu":
        raise TalkfaceError(f"{path}: an array of {array.dtype}; numbers were expected; save it again")
    if not np.isfinite(array).all():
        raise TalkfaceError(f"{path}: holds NaN or infinite values; numbers were expected; repair the file")
    return array.astype(np.float64)
