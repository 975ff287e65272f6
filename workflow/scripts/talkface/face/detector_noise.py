"""How far the measurement of a face is to be trusted: the same frames encoded again, moved by a pixel, measured again.

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

import h5py
import numpy as np
import scipy.spatial
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
    """Identity-free shapes of landmarks measured again, with the reference of those measured first.

    Parameters
    ----------
    landmarks, again : (T, 68, 2) arrays
        Of a clip, first and second measurement, pixels.
    shape : (T, 68, 2) array
        What `identity.neutral_shapes` made of the first.
    template : (68, 2) array
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
    **tracked,
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
        mean = _mean_face(landmarks) if clips and method != "fixed" else None
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


def _landmarks(clip: str, path: str | Path) -> tuple[NDArray | None, str]:
    """Landmarks (T, 68, 2) of a clip, or why there are none."""
    with h5py.File(path) as file:
        rejected = str(file[clip].attrs["rejected"])
        return (None if rejected else file[clip]["landmarks"][:].astype(np.float64)), rejected


def _measured(clip: str, landmarks: str | Path, shapes: str | Path) -> tuple[NDArray | None, NDArray | None, str]:
    """Landmarks and shapes of the first measurement, or why there are none."""
    found, rejected = _landmarks(clip, landmarks)
    if rejected:
        return None, None, rejected
    with h5py.File(shapes) as file:
        return found, file[clip]["shape"][:].astype(np.float64), ""


def _mean_face(landmarks: Mapping[str, str | Path]) -> NDArray:
    """Mean of the landmarks of all frames of all clips that are not rejected, (68, 2) pixels."""
    found = [_landmarks(clip, path)[0] for clip, path in landmarks.items()]
    return np.concatenate([each for each in found if each is not None]).mean(axis=0)
