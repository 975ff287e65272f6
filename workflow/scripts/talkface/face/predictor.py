"""Landmark prediction: dlib's 68-point predictor, run on a batch of pictures at once.

An ensemble of regression trees (Kazemi and Sullivan, "One millisecond face alignment with an ensemble of regression
trees", CVPR 2014): the trees of a cascade look at differences of pixels, and each adds the shape of a leaf to the
prediction. dlib takes picture after picture and draws 4 MB of leaves out of 65 MB through the memory for each; here
all pictures of a batch visit a tree before the next tree is touched, which is several times as fast. The numbers are
dlib's, before its rounding to whole pixels.

Axes: N pictures, Q predictions, C cascades, K trees of a cascade, S splits of a tree, F pixels a cascade looks at,
P points, 2 = (x, y).
"""

import functools
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from talkface.compiling import compiled
from talkface.errors import TalkfaceError
from talkface.files import find_model

# shape_predictor_68_face_landmarks.dat of the package face_recognition_models 0.3.0 (trained on 300-W).
PREDICTOR_SHA256 = "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f"
PREDICTOR_NAME = "shape_predictor_68_face_landmarks.dat"


def predictor_path(path: Path | str | None = None) -> Path:
    """Find dlib's 68-point predictor and check its content.

    Parameters
    ----------
    path : path, optional
        A copy of one's own; by default that of the package face_recognition_models.

    Raises
    ------
    TalkfaceError
        If there is none or its content is another.
    """
    # Importing the package needs pkg_resources, which new setuptools lack; its folder is all that is wanted.
    return find_model(
        path,
        package="face_recognition_models",
        inside=f"models/{PREDICTOR_NAME}",
        sha256=PREDICTOR_SHA256,
        setting="landmarks.predictor",
        install="pip install face_recognition_models==0.3.0",
    )


class Predictor(NamedTuple):
    """Content of the file of a dlib shape predictor.

    Attributes
    ----------
    mean : (2 P,) float32 array
        The shape a prediction starts from, x and y in turn, in units of the face box.
    pairs : (C, K, S, 2) uint16 array
        The two pixels whose difference a split looks at.
    thresholds : (C, K, S) float32 array
        Grey levels.
    leaves : (C, K, S + 1, 2 P) float32 array
        What a leaf adds to the shape, in units of the face box.
    anchors : (C, F) int16 array
        The point near which a pixel lies.
    offsets : (C, F, 2) float32 array
        The pixel's place relative to that point, in the frame of `mean`.
    """

    mean: np.ndarray
    pairs: np.ndarray
    thresholds: np.ndarray
    leaves: np.ndarray
    anchors: np.ndarray
    offsets: np.ndarray


@functools.cache
def load_predictor(path: Path | str) -> Predictor:
    """Read the file of a dlib shape predictor.

    Raises
    ------
    TalkfaceError
        If it is another kind of file.
    """
    try:
        return Predictor(*_read(np.fromfile(path, np.uint8)))
    except (IndexError, ValueError):
        raise TalkfaceError(
            f"{path}: not a shape predictor; a file written by dlib (format 1) was expected; get it again"
        ) from None


def predict(predictor: Predictor, pictures: np.ndarray, which: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Predict the landmarks of faces in pictures of one size.

    Parameters
    ----------
    predictor : Predictor
    pictures : (N, H, W) uint8 array
        Grey.
    which : (Q,) integer array
        The picture of each prediction.
    boxes : (Q, 4) array
        Face boxes, left, top, right, bottom in pixels, right and bottom being the last ones inside.

    Returns
    -------
    (Q, P, 2) float64 array
        Pixels.
    """
    boxes = np.ascontiguousarray(boxes, np.float64)
    pictures, which = np.ascontiguousarray(pictures), np.ascontiguousarray(which, np.int64)
    shapes = _run(*predictor, pictures, which, boxes).reshape(len(boxes), -1, 2)  # (Q, 2 P) -> (Q, P, 2)
    return boxes[:, None, :2] + shapes * (boxes[:, None, 2:] - boxes[:, None, :2])


# dlib's file format: a whole number is one byte (how many follow; the highest bit is the sign) and its bytes, lowest
# first; a float is mantissa and exponent of 2, both such numbers; a matrix is -rows, -columns and its values; a vector
# is its length and its items.


@compiled(boundscheck=True)
def _whole(data: NDArray[np.uint8], at: int) -> tuple[np.int64, int]:
    head = data[at]
    value, shift = np.int64(0), 0
    for place in range(at + 1, at + 1 + (head & 15)):
        value |= np.int64(data[place]) << shift
        shift += 8
    return (-value if head & 128 else value), at + 1 + (head & 15)


@compiled(boundscheck=True)
def _float(data: NDArray[np.uint8], at: int) -> tuple[float, int]:
    mantissa, at = _whole(data, at)
    exponent, at = _whole(data, at)
    return math.ldexp(mantissa, exponent), at


@compiled(boundscheck=True)
def _expect(data: NDArray[np.uint8], at: int, value: int) -> int:
    found, at = _whole(data, at)
    if found != value:
        raise ValueError("another size")
    return at


@compiled(boundscheck=True)
def _read(data: NDArray[np.uint8]) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray, NDArray]:
    at = _expect(data, 0, 1)  # version
    rows, at = _whole(data, at)
    at = _expect(data, at, -1)
    size = -rows
    if not 0 < size < 10_000:
        raise ValueError("another size")
    mean = np.empty(size, np.float32)
    for i in range(size):
        mean[i], at = _float(data, at)
    cascades, at = _whole(data, at)
    trees, ahead = _whole(data, at)
    splits, _ = _whole(data, ahead)
    if not (0 < cascades < 1_000 and 0 < trees < 10_000 and 0 < splits < 1_024):
        raise ValueError("another size")
    pairs = np.empty((cascades, trees, splits, 2), np.uint16)
    thresholds = np.empty((cascades, trees, splits), np.float32)
    leaves = np.empty((cascades, trees, splits + 1, size), np.float32)
    for c in range(cascades):
        at = _expect(data, at, trees)
        for k in range(trees):
            at = _expect(data, at, splits)
            for s in range(splits):
                pairs[c, k, s, 0], at = _whole(data, at)
                pairs[c, k, s, 1], at = _whole(data, at)
                thresholds[c, k, s], at = _float(data, at)
            at = _expect(data, at, splits + 1)
            for s in range(splits + 1):
                at = _expect(data, at, -size)
                at = _expect(data, at, -1)
                for i in range(size):
                    leaves[c, k, s, i], at = _float(data, at)
    at = _expect(data, at, cascades)
    pixels, _ = _whole(data, at)
    anchors = np.empty((cascades, pixels), np.int16)
    for c in range(cascades):
        at = _expect(data, at, pixels)
        for f in range(pixels):
            anchors[c, f], at = _whole(data, at)
    at = _expect(data, at, cascades)
    offsets = np.empty((cascades, pixels, 2), np.float32)
    for c in range(cascades):
        at = _expect(data, at, pixels)
        for f in range(pixels):
            offsets[c, f, 0], at = _float(data, at)
            offsets[c, f, 1], at = _float(data, at)
    return mean, pairs, thresholds, leaves, anchors, offsets


@compiled()
def _look(
    mean: NDArray, shape: NDArray, anchors: NDArray, offsets: NDArray, picture: NDArray, box: NDArray, values: NDArray
) -> None:
    """Read the grey levels at a cascade's pixels, which rotate and scale with the shape so far, into values (F,)."""
    points = len(mean) // 2
    mean_x, mean_y = mean[0::2].mean(), mean[1::2].mean()
    shape_x, shape_y = shape[0::2].mean(), shape[1::2].mean()
    # The similarity that takes the mean shape closest to the predicted one: turn and scale (a, b).
    a, b, norm = 0.0, 0.0, 0.0
    for p in range(points):
        x, y = mean[2 * p] - mean_x, mean[2 * p + 1] - mean_y
        u, v = shape[2 * p] - shape_x, shape[2 * p + 1] - shape_y
        a += x * u + y * v
        b += x * v - y * u
        norm += x * x + y * y
    a, b = a / norm, b / norm
    width, height = box[2] - box[0], box[3] - box[1]
    for f in range(len(values)):
        anchor, dx, dy = anchors[f], offsets[f, 0], offsets[f, 1]
        column = int(np.floor(box[0] + width * (a * dx - b * dy + shape[2 * anchor]) + 0.5))
        row = int(np.floor(box[1] + height * (b * dx + a * dy + shape[2 * anchor + 1]) + 0.5))
        inside = 0 <= row < picture.shape[0] and 0 <= column < picture.shape[1]
        values[f] = picture[row, column] if inside else 0.0


@compiled()
def _run(
    mean: NDArray,
    pairs: NDArray,
    thresholds: NDArray,
    leaves: NDArray,
    anchors: NDArray,
    offsets: NDArray,
    pictures: NDArray,
    which: NDArray,
    boxes: NDArray,
) -> NDArray[np.float32]:
    """Predict shapes (Q, 2 P) in units of the boxes."""
    count, size, splits = len(which), len(mean), np.uint64(thresholds.shape[2])
    shapes = np.empty((count, size), np.float32)
    shapes[:] = mean
    values = np.empty((count, anchors.shape[1]), np.float32)
    reached = np.empty(count, np.uint64)
    for c in range(len(pairs)):
        for q in range(count):
            _look(mean, shapes[q], anchors[c], offsets[c], pictures[which[q]], boxes[q], values[q])
        for k in range(pairs.shape[1]):
            # Two loops: the walks down the tree wait for memory, and those of several pictures can wait together.
            for q in range(count):
                # Unsigned indices spare numba the question whether they count from the end: half the time.
                node = np.uint64(0)
                while node < splits:
                    first, second = pairs[c, k, node, 0], pairs[c, k, node, 1]
                    right = values[q, first] - values[q, second] <= thresholds[c, k, node]
                    node = np.uint64(2) * node + np.uint64(1) + np.uint64(right)
                reached[q] = node - splits
            for q in range(count):
                leaf, shape = leaves[c, k, reached[q]], shapes[q]
                for i in range(size):
                    shape[i] += leaf[i]
    return shapes
