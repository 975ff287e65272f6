"""The published way to landmarks: full-frame HOG detection with one upsampling on each frame, first face, predictor."""

import dlib
import numpy as np


def published_landmarks(frames, *, predictor_path):
    """Landmarks of each frame on its own, as the published systems find them.

    Parameters
    ----------
    frames : iterable of (H, W) or (H, W, 3) uint8 arrays
    predictor_path : path
        dlib's 68-point predictor.

    Returns
    -------
    (T, 68, 2) float64 array
        Pixels; NaN in frames without a face.
    """
    detector = dlib.get_frontal_face_detector()
    predictor = dlib.shape_predictor(str(predictor_path))
    found = []
    for frame in frames:
        faces = detector(frame, 1)
        if len(faces) == 0:
            found.append(np.full((68, 2), np.nan))
            continue
        shape = predictor(frame, faces[0])
        found.append([(point.x, point.y) for point in shape.parts()])
    return np.array(found, dtype=np.float64).reshape(-1, 68, 2)
