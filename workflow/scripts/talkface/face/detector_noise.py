"""Repeatability of the landmarks: the same frames encoded again, shifted by a pixel, measured again.

What a model is judged by was itself measured. Here the frames of a clip are compressed as a video on the web would be
and moved by one pixel to the right and one down; then the whole chain follows, from the search for the face to the
alignment. The reference that is taken from a speaker's faces stays the first measurement's: it is chosen over all the
speaker's clips, most of which are not measured again, and a constant offset would say how a mean of a few frames
differs, not how far the landmarks of a frame can be trusted.

results/evaluation/detector/{shard}.h5: a group a clip with `shape` (T, 68, 2) float32, template frame, frame by frame
comparable with results/shapes/{speaker}.h5; attributes `crf`, `shift_px`, and `rejected`, which is empty or says why
there is no `shape`.

Axes: T frames, 68 points, 2 coordinates.
"""

import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from talkface.face import detection
from talkface.face.identity import align
from talkface.files import writing
from talkface.media.encoding import CRF, SHIFT_PX, encode_again

log = logging.getLogger(__name__)


def measure_again(
    landmarks: NDArray,
    again: NDArray,
    shape: NDArray,
    *,
    template: NDArray,
    method: str,
    smooth_frames: int,
    mean: NDArray | None = None,
) -> NDArray[np.float32]:
    """Compute identity-free shapes of landmarks measured again, with the reference of the first measurement.

    Parameters
    ----------
    landmarks, again : (T, 68, 2) arrays
        Of a clip, first and second measurement, pixels.
    shape : (T, 68, 2) array
        What `identity.neutral_shapes` made of the first.
    template : (68, 2) array
        The face that landmarks were aligned to.
    method, smooth_frames
        As then.
    mean : (68, 2) array
        Mean of the speaker's landmarks, which `published` aligns to.

    Returns
    -------
    (T, 68, 2) float32 array, template frame

    Notes
    -----
    A shape is an aligned face minus a reference plus the template, so that the difference of two shapes with the same
    reference is that of the aligned faces.
    """
    if method == "fixed":
        first, second = (align(each, template, smooth_frames=smooth_frames) for each in (landmarks, again))
    else:
        import scipy.spatial  # a third of a second's import, for the published method alone

        assert mean is not None
        norm = np.linalg.norm(template - template.mean(axis=0))
        first, second = (
            norm * np.stack([scipy.spatial.procrustes(mean, frame)[1] for frame in each]) for each in (landmarks, again)
        )
    return (shape + second - first).astype(np.float32)


def measure_detector(
    videos: Sequence[str | Path],
    output: str | Path,
    *,
    clips: Sequence[str],
    start_s: Sequence[float | None],
    end_s: Sequence[float | None],
    landmarks: Mapping[str, str | Path],
    shapes: str | Path,
    template: NDArray,
    method: str,
    smooth_frames: int,
    crf: int = CRF,
    shift_px: int = SHIFT_PX,
    **tracked: Any,
) -> None:
    """Measure the clips of one speaker again, layout above; a clip that was rejected stays so.

    Parameters
    ----------
    videos : sequence of paths
        One a clip; may be empty.
    output : path
    clips : sequence of str
        Names, in the order of `videos`.
    start_s, end_s : sequences of float or None
        The stretch of each in seconds.
    landmarks : mapping of clip to the landmark file that holds it
        Of all clips of the speaker.
    shapes : path
        results/shapes/{speaker}.h5.
    template, method, smooth_frames
        As for the shapes.
    crf, shift_px
        See `encode_again`.
    **tracked
        See `detection.landmark_shard`.
    """
    with writing(output) as temporary, h5py.File(temporary, "w") as file, tempfile.TemporaryDirectory() as folder:
        mean = _mean_face(landmarks) if method != "fixed" else None
        for clip, video, begin, end in zip(clips, videos, start_s, end_s, strict=True):
            group = file.create_group(clip)
            group.attrs.update(crf=crf, shift_px=shift_px)
            first, shape, rejected = _measured(clip, landmarks[clip], shapes)
            if not rejected:
                copy, found = Path(folder) / "again.mp4", Path(folder) / "again.h5"
                encode_again(video, copy, start_s=begin, end_s=end, crf=crf, shift_px=shift_px)
                detection.landmark_shard([copy], found, clips=[clip], start_s=[None], end_s=[None], **tracked)
                again, rejected = _landmarks(clip, found)
            if not rejected and len(again) != len(first):
                rejected = f"{video}: {len(again)} frames after the encoding, {len(first)} before"
            group.attrs["rejected"] = rejected
            if rejected:
                log.warning("clip %s is not measured again: %s", clip, rejected)
                continue
            group["shape"] = measure_again(
                first, again, shape, template=template, method=method, smooth_frames=smooth_frames, mean=mean
            )
            error = np.linalg.norm(group["shape"][:] - shape, axis=-1)
            log.info("clip %s: points lie %.2f %% of the outer-eye distance apart", clip, 100 * error.mean())


def _landmarks(clip: str, path: str | Path) -> tuple[NDArray[np.float64], str]:
    """Read the landmarks (T, 68, 2) of a clip, and why it was rejected: (0, 68, 2) then, else an empty reason."""
    with h5py.File(path) as file:
        rejected = str(file[clip].attrs["rejected"])
        found = np.empty((0, 68, 2)) if rejected else file[clip]["landmarks"][:].astype(np.float64)
        return found, rejected


def _measured(
    clip: str, landmarks: str | Path, shapes: str | Path
) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
    """Read landmarks and shapes (T, 68, 2) of the first measurement, and why the clip was rejected, likewise."""
    found, rejected = _landmarks(clip, landmarks)
    if rejected:
        return found, found, rejected
    with h5py.File(shapes) as file:
        return found, file[clip]["shape"][..., :2].astype(np.float64), ""


def _mean_face(landmarks: Mapping[str, str | Path]) -> NDArray | None:
    """Average the landmarks of all frames of all clips that are not rejected, (68, 2) pixels; None if all are."""
    found = [_landmarks(clip, path) for clip, path in landmarks.items()]
    kept = [each for each, rejected in found if not rejected]
    return np.concatenate(kept).mean(axis=0) if kept else None
