"""Morphable face models: a head in space, what identities and expressions make of it, and which vertices are landmarks.

ICT-FaceKit is an .npz of `neutral` (V, 3), `quads` and `tris`, `expr_names` and `expr_delta` (E, V, 3), `id_delta`
(I, V, 3), differences from the neutral face, and `landmark_vertices` (68,). Its expressions become ARKit's 52.

A model is read into the template frame: x to the right of the picture, y down, z towards the viewer, outer-eye distance
1, its landmarks where `bases` has them. So what was fitted to landmarks holds for the whole head.

Axes: V vertices, F triangles, I identities, E expressions, 68 landmarks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from talkface.errors import TalkfaceError
from talkface.face import points
from talkface.face3d import arkit
from talkface.face3d.basel import read_basel
from talkface.face3d.bases import load_bases

# First vertex, and vertex after the last, of ICT-FaceKit's parts; lashes, tear ducts and back of the head stay out.
ICT_PARTS = {
    "skin": (0, 9409), "mouth": (11248, 13294), "tongue": (14062, 17039), "teeth": (17039, 21451),
    "eyes": (21451, 24591),
}  # fmt: skip
ICT_VERTICES = 26_719
# Radians that an eye turns at weight 1; the model's own expressions of gaze move the lids alone.
GAZE = 0.5
LOOKS = {"Out": (1, 0), "In": (-1, 0), "Down": (0, 1), "Up": (0, -1)}  # to the side of the ear, and down


@dataclass(frozen=True)
class FaceModel:
    """A face model.

    Attributes
    ----------
    neutral : (V, 3) float32 array
        Template frame.
    identity : (I, V, 3) float32 array
        Each a standard deviation long.
    expression : (E, V, 3) float32 array
    names : tuple of str
        Of the expressions.
    triangles : (F, 3) int32 array
        Counterclockwise as seen from outside.
    landmarks : (68,) int array
        Vertices.
    parts : mapping of str to slice
        Vertices of skin, mouth (its inside), tongue (and gums), teeth, eyes.
    """

    neutral: NDArray
    identity: NDArray
    expression: NDArray
    names: tuple[str, ...]
    triangles: NDArray
    landmarks: NDArray
    parts: Mapping[str, slice]

    def person(self, identity: ArrayLike = ()) -> NDArray[np.float32]:
        """Return the resting face (V, 3) of an identity; coefficients that the model has no shape for are left out."""
        known = np.asarray(identity, np.float32)[: len(self.identity)]
        return self.neutral + np.tensordot(known, self.identity[: len(known)], axes=1)

    def shown(self, person: NDArray, weights: NDArray) -> NDArray:
        """Return the face (V, 3) of a person (V, 3) that shows weights (E,); those that are 0 cost nothing."""
        moved = np.flatnonzero(weights)
        return person + np.tensordot(weights[moved], self.expression[moved], axes=1)

    def triangles_of(self, part: str) -> NDArray[np.int32]:
        """Return the triangles (F', 3) whose first vertices belong to a part."""
        of = self.parts[part]
        first = self.triangles[:, 0]
        return self.triangles[(first >= of.start) & (first < of.stop)]


def load_face_model(path: str | Path) -> FaceModel:
    """Read a face model.

    Parameters
    ----------
    path : path
        An .npz of ICT-FaceKit, layout above; or a folder with the files of the Basel Face Model of 2009 (`basel`),
        whose expressions are its own, of either sign, and which has no part but skin.

    Raises
    ------
    TalkfaceError
        If it is none, lacks something, or holds values that are no numbers.
    """
    if Path(path).is_dir():
        return _of_basel(read_basel(path))
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise TalkfaceError(
            f"{path}: there is no such file; a face model (.npz) was expected; correct face_model"
        ) from None
    except (OSError, ValueError, EOFError) as error:
        raise TalkfaceError(
            f"{path}: not readable ({str(error).splitlines()[0]}); an .npz of ICT-FaceKit was expected"
        ) from None
    _check(arrays, path)
    kept = np.zeros(len(arrays["neutral"]), bool)
    for first, last in ICT_PARTS.values():
        kept[first:last] = True
    new = np.cumsum(kept) - 1
    quads = arrays["quads"][kept[arrays["quads"]].all(axis=1)]
    triangles = np.concatenate(
        [quads[:, [0, 1, 2]], quads[:, [0, 2, 3]], arrays["tris"][kept[arrays["tris"]].all(axis=1)]]
    )
    landmarks = new[arrays["landmark_vertices"]]
    neutral = arrays["neutral"][kept].astype(np.float64)
    linear, shift = _into_frame(neutral[landmarks])
    parts = {name: slice(int(new[first]), int(new[last - 1]) + 1) for name, (first, last) in ICT_PARTS.items()}
    names = [str(name) for name in arrays["expr_names"]]
    expression = arkit.from_ict(arrays["expr_delta"][:, kept].astype(np.float32), names) @ linear.astype(np.float32)
    neutral = neutral @ linear + shift
    _turn_eyes(expression, neutral, parts["eyes"])
    return FaceModel(
        neutral.astype(np.float32),
        arrays["id_delta"][:, kept].astype(np.float32) @ linear.astype(np.float32),
        expression,
        arkit.NAMES,
        new[triangles].astype(np.int32),
        landmarks,
        parts,
    )


def _of_basel(arrays: Mapping[str, NDArray]) -> FaceModel:
    """Take Basel's arrays into the template frame."""
    linear, shift = _into_frame(arrays["neutral"][arrays["landmarks"]].astype(np.float64))
    turned = linear.astype(np.float32)
    return FaceModel(
        (arrays["neutral"] @ linear + shift).astype(np.float32),
        arrays["identity"] @ turned,
        arrays["expression"] @ turned,
        tuple(f"expression{number:02d}" for number in range(len(arrays["expression"]))),
        arrays["triangles"],
        arrays["landmarks"],
        {"skin": slice(0, len(arrays["neutral"]))},
    )


def load_arkit_model(path: str | Path) -> FaceModel:
    """Read a face model whose expressions are ARKit's; raise a TalkfaceError if they are others."""
    model = load_face_model(path)
    if model.names != arkit.NAMES:
        raise TalkfaceError(
            f"{path}: a face model whose expressions are not ARKit's; ICT-FaceKit was expected, whose weights these "
            "files hold; set face_model to ict"
        )
    return model


def _check(arrays: Mapping[str, NDArray], path: str | Path) -> None:
    """Raise a TalkfaceError unless arrays are those of ICT-FaceKit."""
    count, expressions = ICT_VERTICES, len(arrays.get("expr_names", ()))
    wanted = {
        "neutral": (count, 3), "quads": (None, 4), "tris": (None, 3), "expr_names": (None,),
        "expr_delta": (expressions, count, 3), "id_delta": (None, count, 3), "landmark_vertices": (points.COUNT,),
    }  # fmt: skip
    for name, shape in wanted.items():
        if name not in arrays:
            raise TalkfaceError(
                f"{path}: no array {name}; {', '.join(wanted)} were expected, of ICT-FaceKit; make it again: snakemake "
                "results/face_model/ict_facekit.npz"
            )
        found = arrays[name].shape
        if len(found) != len(shape) or any(b not in (None, a) for a, b in zip(found, shape, strict=True)):
            told = tuple("any" if side is None else side for side in shape)
            raise TalkfaceError(f"{path}: {name} is {found}; {told} was expected, of ICT-FaceKit; make it again")
        if arrays[name].dtype.kind == "f" and not np.isfinite(arrays[name]).all():
            raise TalkfaceError(f"{path}: {name} holds NaN or infinite values; numbers were expected; make it again")
        if arrays[name].dtype.kind in "iu" and (arrays[name].min() < 0 or arrays[name].max() >= count):
            raise TalkfaceError(f"{path}: {name} names vertices that are not there; make it again")
    known = {str(name) for name in arrays["expr_names"]}
    lacking = [one for name in arkit.NAMES for one in arkit.ict_names(name) if one not in known]
    if lacking:
        raise TalkfaceError(
            f"{path}: no expression {', '.join(lacking[:3])}; those of ICT-FaceKit were expected; make it again"
        )


def _into_frame(landmarks: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit the similarity that takes landmarks (68, 3) of the model, y up, to those of `bases`: p @ linear + shift."""
    target = load_bases().neutral
    flipped = landmarks * [1, -1, 1]
    a, b = flipped - flipped.mean(axis=0), target - target.mean(axis=0)
    left, size, right = np.linalg.svd(a.T @ b)
    turn = left @ np.diag([1, 1, np.sign(np.linalg.det(left @ right))]) @ right
    linear = np.diag([1.0, -1.0, 1.0]) @ turn * (size.sum() / np.square(a).sum())
    return linear, target.mean(axis=0) - landmarks.mean(axis=0) @ linear


def _turn_eyes(expression: NDArray, neutral: NDArray, eyes: slice) -> None:
    """Let the eyeballs turn with the weights of gaze."""
    ball = neutral[eyes]
    for side, sign in (("Left", 1), ("Right", -1)):  # the person's left is the viewer's right
        of = ball[:, 0] * sign > 0
        x, y, z = (ball[of] - centre_of_eye(ball[of])).T
        for look, (out, down) in LOOKS.items():
            across, along = sign * out * GAZE, down * GAZE
            moved = np.zeros((int(of.sum()), 3))
            if across:
                moved[:, 0] = x * np.cos(across) + z * np.sin(across) - x
                moved[:, 2] = z * np.cos(across) - x * np.sin(across) - z
            else:
                moved[:, 1] = y * np.cos(along) + z * np.sin(along) - y
                moved[:, 2] = z * np.cos(along) - y * np.sin(along) - z
            target = expression[arkit.INDEX[f"eyeLook{look}{side}"], eyes]
            target[of] += moved.astype(np.float32)


def centre_of_eye(ball: NDArray) -> NDArray[np.float64]:
    """Return the centre (3,) of an eyeball's vertices, whose front bulges: from its height and its back."""
    low, high = ball.min(axis=0), ball.max(axis=0)
    centre = (low + high) / 2
    centre[2] = low[2] + (high[1] - low[1]) / 2
    return centre


def normals_of(vertices: NDArray, triangles: NDArray) -> NDArray[np.float32]:
    """Return the normals (V, 3) of vertices (V, 3), of unit length, outwards."""
    corners = vertices[triangles]  # (F, 3, 3)
    faces = np.cross(corners[:, 2] - corners[:, 0], corners[:, 1] - corners[:, 0])  # y points down
    found = np.zeros(vertices.shape)
    for corner in range(3):
        np.add.at(found, triangles[:, corner], faces)
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return (found / np.maximum(length, 1e-12)).astype(np.float32)
