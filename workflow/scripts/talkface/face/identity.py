"""Identity removal: the motion of a face, without the shape of the person's own face.

Two methods. `published` is that of the replication toolkit by shanemcandrewai for Eskimez et al. 2020: Procrustes over
all 68 points, one closed-mouth frame as the reference, lip pairs in stored order. `fixed` aligns on points that speech
does not move (else the mouth's own motion turns and scales the face), takes lip points that lie above each other, and
averages several closed-mouth frames, so that the noise of one does not become an offset of the speaker.

Axes: T frames, P points (68), 2 coordinates (x, y).
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from talkface.errors import TalkfaceError
from talkface.face import points
from talkface.face.trust import is_trusted, spread_of
from talkface.files import writing

log = logging.getLogger(__name__)

# As the published code pairs inner upper with inner lower points: the order in which they are stored.
STORED_LIP_PAIRS = ((61, 65), (62, 66), (63, 67))
PARABOLA = 2  # order of the polynomial that smooths
OPEN = 0.04  # outer-eye distances; a mouth this much wider than the speaker's most closed does not rest


def fit_similarity(source: NDArray, target: NDArray) -> tuple[NDArray, NDArray]:
    """Fit the similarity (scale, rotation, translation; no reflection) of `source` to `target`, per frame.

    Parameters
    ----------
    source : (T, P, 2) array
    target : (P, 2) or (T, P, 2) array

    Returns
    -------
    matrix : (T, 2, 2) array
        Scaled rotation; a point p becomes ``p @ matrix.T + offset``.
    offset : (T, 2) array

    Notes
    -----
    In two dimensions the fit of Umeyama (1991) has a closed form: with points as complex numbers, the scaled rotation
    is the regression coefficient of the centred target on the centred source.

    Examples
    --------
    >>> source = np.array([[[0, 0], [1, 0], [0, 1]]])  # one frame of three points
    >>> target = np.array([[5, 0], [5, 2], [3, 0]])  # turned by a right angle, doubled and moved
    >>> matrix, offset = fit_similarity(source, target)
    >>> np.allclose(source @ matrix.swapaxes(-1, -2) + offset[:, None], target)
    True
    """
    z = np.asarray(source, np.float64) @ [1, 1j]  # (T, P)
    w = np.asarray(target, np.float64) @ [1, 1j]  # (P) or (T, P)
    z_mean, w_mean = z.mean(-1, keepdims=True), w.mean(-1, keepdims=True)
    z_centred = z - z_mean
    factor = (z_centred.conj() * (w - w_mean)).sum(-1) / (np.abs(z_centred) ** 2).sum(-1)  # (T)
    shift = w_mean[..., 0] - factor * z_mean[..., 0]  # (T)
    matrix = np.stack([np.stack([factor.real, -factor.imag], -1), np.stack([factor.imag, factor.real], -1)], -2)
    return matrix, np.stack([shift.real, shift.imag], -1)  # (T, 2, 2), (T, 2)


def align(
    landmarks: NDArray, template: NDArray, *, indices: Sequence[int] = points.STABLE, smooth_frames: int = 0
) -> NDArray:
    """Align each frame to `template` by the similarity that fits the points `indices` best.

    Parameters
    ----------
    landmarks : (T, 68, 2) array, any unit
        Of one clip.
    template : (68, 2) array
    indices : sequence of int
        The points the fit looks at; by default those that speech does not move.
    smooth_frames : int
        Window, odd, in which the course of the similarity over time is taken for a parabola (Savitzky and Golay 1964),
        so that the noise of a few points does not shake the whole face; 0: each frame for itself.

    Returns
    -------
    (T, 68, 2) float64 array in the frame of `template`.
    """
    indices = list(indices)
    matrix, offset = fit_similarity(landmarks[:, indices], template[indices])
    window = min(smooth_frames, len(landmarks) - 1 + len(landmarks) % 2)  # odd
    if window > PARABOLA + 1:
        from scipy.signal import savgol_filter  # half a second's import, which those who only align faces are spared

        centre = landmarks[:, indices].mean(axis=1)  # (T, 2): smoothed where the face is, not where pixels begin
        matrix, centre = (savgol_filter(course, window, PARABOLA, axis=0) for course in (matrix, centre))
        offset = template[indices].mean(axis=0) - (matrix @ centre[..., None])[..., 0]
    return landmarks @ matrix.swapaxes(-1, -2) + offset[:, None]  # (T, 68, 2)


def align_procrustes(landmarks: NDArray, *, indices: Sequence[int] | None = None) -> NDArray:
    """Align each frame to the mean shape of all by scipy's procrustes (centred, unit Frobenius norm), as published.

    Parameters
    ----------
    landmarks : (T, 68, 2) array
        Frames without a face are NaN; they stay NaN and do not count in the mean.
    indices : sequence of int, optional
        Only these points are aligned and returned, for instance `points.LIPS`; all by default.

    Returns
    -------
    (T, 68 or len(indices), 2) float64 array
    """
    import scipy.spatial  # likewise

    if indices is not None:
        landmarks = landmarks[:, list(indices)]
    known = ~np.isnan(landmarks).any(axis=(1, 2))
    if not known.any():
        raise TalkfaceError("landmarks: no frame shows a face; expected at least one; check the video")
    mean = landmarks[known].mean(axis=0)
    aligned = np.full(landmarks.shape, np.nan)
    for frame in np.flatnonzero(known):
        _, aligned[frame], _ = scipy.spatial.procrustes(mean, landmarks[frame])
    return aligned


def resample_published(landmarks: NDArray, *, rate: float = 30, new_rate: float = 25) -> NDArray:
    """Change the frame rate as published: linear interpolation, first and last frame kept.

    `floor(T * new_rate / rate)` frames at ``linspace(0, T - 1)``. The published code takes the source rate as 30
    whatever it is; this workflow reads video at 25 fps and needs no such step.

    Examples
    --------
    >>> resample_published(np.arange(6.0).reshape(6, 1, 1)).ravel()
    array([0.  , 1.25, 2.5 , 3.75, 5.  ])
    """
    count = len(landmarks)
    position = np.linspace(0, count - 1, int(np.floor(count * new_rate / rate)))
    left = np.floor(position).astype(int)
    right = np.minimum(left + 1, count - 1)
    weight = (position - left)[:, None, None]
    return landmarks[left] * (1 - weight) + landmarks[right] * weight


def closure_order(
    landmarks: NDArray, *, threshold: float, pairs: Sequence[tuple[int, int]] = points.LIP_PAIRS
) -> NDArray[np.intp]:
    """Find the frames with a closed, relaxed mouth, most closed first.

    The mouth width |60-64| of every frame is z-scored (population deviation); frames that lie `threshold` or more from
    the mean are left out, grins and pursed lips alike; the rest is ordered by the sum of distances of the lip `pairs`.
    NaN frames are left out. Where no width lies within the threshold, those nearest to the mean stand for it: of two
    frames each lies one deviation away.

    Parameters
    ----------
    landmarks : (T, 68, 2) array
    threshold : float
        In standard deviations; published: 1.3 for the search, 0.1 when removing identity.
    pairs : pairs of inner upper and lower lip points

    Returns
    -------
    int array
        Indices of frames; never empty.
    """
    width = points.distance(landmarks, 60, 64)  # (T)
    opening = np.sum([points.distance(landmarks, upper, lower) for upper, lower in pairs], axis=0)  # (T)
    if np.isnan(width).all():
        raise TalkfaceError("landmarks: no frame shows a face; expected at least one; check the video")
    if not threshold > 0:
        raise TalkfaceError(
            f"identity.threshold: is {threshold}; a number of standard deviations above 0 was expected, as in 1.0; "
            "correct the config"
        )
    distance = np.abs(width - np.nanmean(width))
    spread = np.nanstd(width)
    score = distance / spread if spread > 0 else np.where(np.isnan(width), np.nan, 0.0)
    candidates = np.flatnonzero(score < threshold)  # NaN compares false
    if not len(candidates):
        nearest = np.nanmin(score)
        candidates = np.flatnonzero(score <= nearest * (1 + 1e-9))
        log.warning(
            "identity.threshold: no mouth is within %g standard deviations of the mean width; taken are the %d "
            "nearest, %.2f away",
            threshold,
            len(candidates),
            nearest,
        )
    return candidates[np.argsort(opening[candidates], kind="stable")]


def remove_identity(landmarks: NDArray, *, reference: NDArray, template: NDArray) -> NDArray:
    """Replace a person's face by the template: frame - reference + template, of (T, 68, 2), (68, 2), (68, 2)."""
    return landmarks - reference + template


def neutral_shapes(
    landmarks: Sequence[NDArray],
    *,
    template: NDArray,
    method: str,
    threshold: float,
    reference_frames: int,
    smooth_frames: int = 0,
    reference: str = "speaker",
    trusted: Sequence[bool] | None = None,
    aligned_to: NDArray | None = None,
) -> tuple[NDArray, list[int]]:
    """Compute the identity-free shapes of all frames of one speaker.

    Parameters
    ----------
    landmarks : sequence of (T, 68, 2) arrays
        Pixels; each of the speaker's clips.
    template : (68, 2) array
        In the template frame (outer-eye distance 1).
    method : {"fixed", "published"}
    threshold : float
        Of `closure_order`, in standard deviations.
    reference_frames : int
        How many of the most closed frames are averaged into the reference; `published` takes one.
    smooth_frames : int
        See `align`; `published` does not smooth.
    reference : {"speaker", "clip"}
        speaker: one reference for all clips; clip: each clip has its own, because how a head is held changes the face
        between clips and nobody hears it; a clip in which the mouth never closes takes the speaker's. `published` has
        one for all.
    trusted : sequence of bool, optional
        Of each clip, whether the mouth can be believed to be seen. No reference is taken from one that cannot, where
        there is another.
    aligned_to : (68, 2) array, optional
        The face that frames are aligned to, the mean one as the detector sees it; by default the template. `published`
        aligns to the speaker's own.

    Returns
    -------
    shape : (T, 68, 2) float32 array, template frame
        All clips end to end.
    closed : list of int
        Of each clip, the index of the most closed frame of its reference among all frames.
    """
    trusted = list(trusted or [True] * len(landmarks))
    if not any(trusted):
        trusted = [True] * len(landmarks)
    usable = np.flatnonzero(np.repeat(trusted, [len(clip) for clip in landmarks]))
    if method == "fixed":
        target = template if aligned_to is None else aligned_to
        aligned = [align(clip, target, smooth_frames=smooth_frames) for clip in landmarks]
        whole, firsts = np.concatenate(aligned), np.cumsum([0, *map(len, aligned[:-1])])
        common = usable[closure_order(whole[usable], threshold=threshold)[:reference_frames]]
        shapes, closed = [], []
        for clip, first, believed in zip(aligned, firsts, trusted, strict=True):
            chosen = common
            if reference == "clip" and believed:
                own = first + closure_order(clip, threshold=threshold)[:reference_frames]
                opening, least = (points.mouth_opening(whole[frames]).mean() for frames in (own, common))
                chosen = own if opening < least + OPEN else common
            shapes.append(remove_identity(clip, reference=whole[chosen].mean(axis=0), template=template))
            closed.append(int(chosen[0]))
        shape = np.concatenate(shapes)
    else:
        whole = align_procrustes(np.concatenate(landmarks))
        order = usable[closure_order(whole[usable], threshold=threshold, pairs=STORED_LIP_PAIRS)]
        # In that system's frame a shape is centred and of unit norm; the template's own centre and norm lead back.
        centre = template.mean(axis=0)
        norm = np.linalg.norm(template - centre)
        unit_template = (template - centre) / norm
        shape = remove_identity(whole, reference=whole[order[0]], template=unit_template) * norm + centre
        closed = [int(order[0])] * len(landmarks)
    return shape.astype(np.float32), closed


def shapes_of_speaker(
    landmark_files: Mapping[str, str | Path],
    *,
    output: str | Path,
    template: NDArray,
    method: str,
    threshold: float,
    reference_frames: int,
    smooth_frames: int,
    reference: str,
    max_doubt_share: float | None = None,
    min_motion_percent: float | None = None,
    aligned_to: NDArray | None = None,
) -> None:
    """Write the identity-free shapes of one speaker's clips.

    Parameters
    ----------
    landmark_files : mapping of clip to the landmark file (HDF5, a group a clip) that holds it
    output : path
        HDF5: a group per clip with `shape` (T, 68, 2) float32, template frame, and the attributes `method`,
        `reference_clip`, `reference_frame`, `digest`, `detector` (by whose eyes), `rejected` (the reason, or empty;
        then there is no `shape`).
    template, method, threshold, reference_frames, smooth_frames, reference, aligned_to
        See `neutral_shapes`.
    max_doubt_share, min_motion_percent
        See `trust.is_trusted`: no reference is taken from a clip that is not, where there is another.
    """
    frames, trusted, rejected, digests, detectors = {}, {}, {}, {}, {}
    for clip, path in landmark_files.items():
        with h5py.File(path, "r") as file:
            group = file[clip]
            rejected[clip] = str(group.attrs["rejected"])
            digests[clip] = str(group.attrs.get("digest", ""))
            detectors[clip] = str(group.attrs.get("detector", "dlib"))
            if not rejected[clip]:
                frames[clip] = group["landmarks"][:].astype(np.float64)
                trusted[clip] = is_trusted(
                    frames[clip],
                    spread_of(group),
                    max_doubt_share=max_doubt_share,
                    min_motion_percent=min_motion_percent,
                )
                if not trusted[clip]:
                    log.warning("%s: the mouth is not to be trusted; the face at rest comes from elsewhere", clip)
    with writing(output) as temporary, h5py.File(temporary, "w") as file:
        for clip, reason in rejected.items():
            group = file.create_group(clip)
            group.attrs["rejected"] = reason
            group.attrs["digest"] = digests[clip]
            group.attrs["detector"] = detectors[clip]
        if not frames:
            log.warning("%s: every clip of this speaker was rejected", output)
            return
        shape, closed = neutral_shapes(
            list(frames.values()),
            template=template,
            method=method,
            threshold=threshold,
            reference_frames=reference_frames,
            smooth_frames=smooth_frames,
            reference=reference,
            trusted=list(trusted.values()),
            aligned_to=aligned_to,
        )
        clips = list(frames)
        ends = np.cumsum([len(frames[clip]) for clip in clips])
        for clip, part, frame in zip(clips, np.split(shape, ends[:-1]), closed, strict=True):
            owner = clips[int(np.searchsorted(ends, frame, side="right"))]
            group = file[clip]
            group.create_dataset("shape", data=part, compression="gzip", shuffle=True)
            reference_frame = frame - int(ends[clips.index(owner)] - len(frames[owner]))
            group.attrs.update(method=method, reference_clip=owner, reference_frame=reference_frame)
            log.info("%s: reference is frame %d of %s", clip, reference_frame, owner)
