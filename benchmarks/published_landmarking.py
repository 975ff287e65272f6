"""Published landmarking: full-frame HOG detection with one upsampling on each frame, first face, predictor."""

import dlib
import numpy as np


def load_published(predictor_path):
    """Load detector and predictor; this is no part of what is timed."""
    return dlib.get_frontal_face_detector(), dlib.shape_predictor(str(predictor_path))


def published_landmarks(frames, *, models):
    """Find landmarks in each frame on its own, as the published systems do.

    Parameters
    ----------
    frames : iterable of (H, W) or (H, W, 3) uint8 arrays
    models : tuple
        From `load_published`.

    Returns
    -------
    (T, 68, 2) float64 array
        Pixels; NaN in frames without a face.
    """
    detector, predictor = models
    found = []
    for frame in frames:
        faces = detector(frame, 1)
        if len(faces) == 0:
            found.append(np.full((68, 2), np.nan))
            continue
        shape = predictor(frame, faces[0])
        found.append([(point.x, point.y) for point in shape.parts()])
    return np.array(found, dtype=np.float64).reshape(-1, 68, 2)
