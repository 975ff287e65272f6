"""Whose face it is: dlib's 128 numbers (King 2017), which lie nearer than 0.6 for one person.

Axes: 68 landmarks.
"""

import functools

import dlib
import numpy as np
from numpy.typing import NDArray

from talkface.files import find_model

SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
NAME = "dlib_face_recognition_resnet_model_v1.dat"
MARGIN = 0.25  # of a face's width, on all sides


@functools.cache
def _network() -> "dlib.face_recognition_model_v1":
    path = find_model(
        None, package="face_recognition_models", inside=f"models/{NAME}", sha256=SHA256,
        setting="face_recognition_models", install="pip install face_recognition_models==0.3.0",
    )  # fmt: skip
    return dlib.face_recognition_model_v1(str(path))


def describe(picture: NDArray[np.uint8], landmarks: NDArray) -> NDArray[np.float64]:
    """Return the 128 numbers of a face.

    Parameters
    ----------
    picture : (H, W, 3) uint8 array
        Blue green red.
    landmarks : (68, 2) array
        Pixels.
    """
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    margin = MARGIN * (high[0] - low[0])
    box = dlib.rectangle(*(int(side) for side in (*(low - margin), *(high + margin))))
    marks = dlib.full_object_detection(box, [dlib.point(int(x), int(y)) for x, y in np.rint(landmarks)])
    rgb = np.ascontiguousarray(picture[..., ::-1])
    return np.array(_network().compute_face_descriptor(rgb, marks))
