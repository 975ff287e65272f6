"""Files of faces in space: the identity of a person, weights and pose of clips, weights to look at.

results/face3d/identity/{speaker}.h5: `identity` (I,) float32, standard deviations of the model's identities; attributes
`detector` and `digest`, of the landmark files.

results/face3d/{shard}.h5: a group a clip with `weights` (T, 52) float32, 0 .. 1; `turn` (T, 3) float32, yaw, pitch and
roll of the head, radians (`camera.angles_of`); `place` (T, 3) float32, before the camera, outer-eye distances; `error`
and `lip_error` (T,) float32, % of the outer-eye distance; `interpolated` (T,) bool, where no face was seen; attributes
`focal` and `centre`, pixels, and `rejected`, which is empty or says why there is nothing. The file's attributes are
`names`, of the weights, and `detector`.

results/blendshapes/{clip}.tsv: a row a frame, 25 a second: `time`, s; the 52 weights under ARKit's names; `headYaw`,
`headPitch`, `headRoll`, radians.

Axes: T frames, 52 weights, I identities.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from talkface.conventions import FPS
from talkface.errors import TalkfaceError
from talkface.face.depth import rest_in_space
from talkface.face.faces import load_landmarks
from talkface.face.mesh.networks import BLENDSHAPES
from talkface.face.template import load_template
from talkface.face3d import arkit
from talkface.face3d.bases import load_bases
from talkface.face3d.camera import angles_of
from talkface.face3d.face_model import load_arkit_model
from talkface.face3d.fit import Seen, fit_clip, fit_identity, see, turned_away
from talkface.face3d.photometric import Sample, refine
from talkface.face3d.weights import weights_of
from talkface.files import digest, writing
from talkface.media.video import probe, read_frames

log = logging.getLogger(__name__)

TURNS = ("headYaw", "headPitch", "headRoll")
SIDE = 50.0  # degrees of yaw: a face that is never turned to the camera by less has but half of its landmarks
GAZE = "eyeLook"  # what landmarks cannot tell, and the face mesh scores


@dataclass(frozen=True)
class Motion:
    """What a face does: `weights` (T, 52), 0 .. 1, and `turn` (T, 3) of its head, radians, 25 frames a second."""

    weights: NDArray
    turn: NDArray


def _seen(group: h5py.Group) -> Seen:
    """Take what the landmarks of a clip show."""
    return see(
        group["landmarks"][:],
        width=group.attrs["width"],
        height=group.attrs["height"],
        depth=group["depth"][:] if "depth" in group else None,
    )


def why_not(group: h5py.Group) -> str:
    """Say why a clip cannot be fitted; empty if it can."""
    if group.attrs["rejected"]:
        return str(group.attrs["rejected"])
    away = np.degrees(turned_away(_seen(group)))
    if away > SIDE:
        return (
            f"the face is seen from the side alone, turned by {away:.0f} degrees or more; {SIDE:.0f} were expected once"
        )
    return ""


def fit_speaker(landmark_files: Mapping[str, str | Path], output: str | Path) -> None:
    """Find the identity that all clips of a speaker share, and write it.

    Parameters
    ----------
    landmark_files : mapping of clip to the file of results/landmarks/ that holds it
    output : path

    Raises
    ------
    TalkfaceError
        If no clip shows a face from the front.
    """
    clips, detectors = [], set()
    for clip, path in landmark_files.items():
        with h5py.File(path, "r") as file:
            if not why_not(file[clip]):
                clips.append(_seen(file[clip]))
                detectors.add(str(file[clip].attrs.get("detector", "dlib")))  # files before the mesh do not say
    if len(detectors) != 1:
        raise TalkfaceError(
            f"{', '.join(map(str, dict.fromkeys(landmark_files.values())))}: "
            + (f"landmarks of {' and '.join(sorted(detectors))}" if detectors else "no clip with a face")
            + "; clips of one person by one detector were expected; results/qc/clips.tsv says what is wrong"
        )
    (detector,) = detectors
    identity = fit_identity(clips, load_bases().as_seen_by(detector))
    with writing(output) as temporary, h5py.File(temporary, "w") as file:
        file["identity"] = identity.astype(np.float32)
        file.attrs.update(detector=detector, digest=[digest(path) for path in dict.fromkeys(landmark_files.values())])


def read_identity(path: str | Path | None) -> NDArray[np.float64]:
    """Read an identity (I,), or the mean face's, which is empty, where there is none."""
    if not path:
        return np.empty(0)
    with h5py.File(path, "r") as file:
        return file["identity"][:].astype(np.float64)


@dataclass(frozen=True)
class Stretch:
    """A stretch of a video: its file, and where it begins and ends, seconds; None: with the file."""

    video: str | Path
    start_s: float | None = None
    end_s: float | None = None

    def frames(self, pixels: str = "gray") -> Iterator[NDArray[np.uint8]]:
        """Read its frames, by default grey; see `read_frames`."""
        yield from read_frames(probe(self.video), start_s=self.start_s, end_s=self.end_s, pixels=pixels)


def fit_shard(
    landmarks: str | Path,
    identity: str | Path,
    output: str | Path,
    *,
    face_model: str | Path | None = None,
    videos: Mapping[str, Stretch] | None = None,
) -> None:
    """Fit weights and pose of each clip of a shard.

    Parameters
    ----------
    landmarks : path
        results/landmarks/{shard}.h5.
    identity : path
        Of the shard's speaker.
    output : path
    face_model : path, optional
        With it the fit is refined by the pictures (`photometric`).
    videos : mapping of clip to Stretch, optional
        The pictures.
    """
    sample = Sample(load_arkit_model(face_model)) if face_model else None
    person = read_identity(identity)
    with h5py.File(identity, "r") as file:
        detector = str(file.attrs["detector"])
    bases = load_bases().as_seen_by(detector)
    with h5py.File(landmarks, "r") as source, writing(output) as temporary, h5py.File(temporary, "w") as file:
        file.attrs.update(names=list(arkit.NAMES), detector=detector)
        for clip, group in source.items():
            new = file.create_group(clip)
            new.attrs["rejected"] = reason = why_not(group)
            if reason:
                continue
            seen = _seen(group)
            found = fit_clip(seen, person, bases)
            if sample is not None and videos is not None:
                found = refine(seen, videos[clip].frames(), person, bases, sample, found)
            weights = found.weights
            if "blendshapes" in group:
                weights = _with_gaze(weights, group["blendshapes"][:])
            arrays = {
                "weights": weights,
                "turn": angles_of(found.pose.turn),
                "place": found.pose.place,
                "error": found.error,
                "lip_error": found.lip_error,
            }
            for name, array in arrays.items():
                new.create_dataset(name, data=array.astype(np.float32), compression="gzip")
            new["interpolated"] = ~group["detected"][:]
            new.attrs.update(focal=seen.camera.focal, centre=seen.camera.centre)
            log.info("%s: %.2f %%, lips %.2f %%", clip, found.error.mean(), found.lip_error.mean())


def _with_gaze(weights: NDArray, scores: NDArray) -> NDArray[np.float32]:
    """Take the gaze from the scores (T, 51) of the face mesh."""
    found = weights.copy()
    for column, name in enumerate(BLENDSHAPES):
        if name.startswith(GAZE):
            found[:, arkit.INDEX[name]] = scores[:, column]
    return found.clip(0, 1)


def read_motion(path: str | Path, clip: str) -> Motion:
    """Read weights and turns of a clip from results/face3d/{shard}.h5; raise a TalkfaceError if it was rejected."""
    with h5py.File(path, "r") as file:
        group = file[clip]
        if group.attrs["rejected"]:
            raise TalkfaceError(
                f"{clip}: rejected ({group.attrs['rejected']}); a clip with a face was expected; results/qc/clips.tsv"
            )
        return Motion(group["weights"][:], group["turn"][:])


def shapes_in_space(face_files: Mapping[str, str | Path], output: str | Path) -> None:
    """Write the identity-free shapes of a speaker's clips in three dimensions: what the fitted weights make of a face.

    Parameters
    ----------
    face_files : mapping of clip to the file of results/face3d/ that holds it
    output : path
        results/shapes/{speaker}.h5: a group a clip with `shape` (T, 68, 3) float32, template frame, z towards the
        viewer, the head upright; attributes `method` (space), `digest`, `detector`, and `rejected`, which is empty or
        says why there is no shape.
    """
    rest = rest_in_space(load_template())
    with writing(output) as temporary, h5py.File(temporary, "w") as new:
        for clip, path in face_files.items():
            with h5py.File(path, "r") as file:
                group = new.create_group(clip)
                group.attrs.update(method="space", digest=digest(path), detector=file.attrs["detector"])
                group.attrs["rejected"] = file[clip].attrs["rejected"]
                if not file[clip].attrs["rejected"]:
                    shown = np.tensordot(file[clip]["weights"][:], load_bases().expression, axes=1)
                    group["shape"] = (rest + shown).astype(np.float32)


def weigh_prediction(prediction: str | Path, output: str | Path) -> None:
    """Write the weights of what a model predicts, results/predictions/{model}/{clip}.npy; its head does not turn."""
    weights = weights_of(load_landmarks(prediction))
    write_weights(Motion(weights, np.zeros((len(weights), 3))), output)


def write_clip(shard: str | Path, clip: str, output: str | Path) -> None:
    """Write the weights that were fitted to a clip, from results/face3d/{shard}.h5."""
    write_weights(read_motion(shard, clip), output)


def write_weights(motion: Motion, output: str | Path) -> None:
    """Write weights and turns as a table."""
    table = pd.DataFrame(np.column_stack([motion.weights, motion.turn]), columns=[*arkit.NAMES, *TURNS]) + 0.0
    table.insert(0, "time", [f"{frame / FPS:.2f}" for frame in range(len(table))])
    with writing(output) as temporary:
        table.to_csv(temporary, sep="\t", index=False, float_format="%.4f")


def read_weights(path: str | Path) -> Motion:
    """Read such a table.

    Raises
    ------
    TalkfaceError
        If columns are missing, unknown or twice there, values no numbers, or weights outside 0 .. 1.
    """
    try:
        table = pd.read_csv(path, sep="\t")
    except (OSError, ValueError) as error:
        raise TalkfaceError(f"{path}: not readable as a table ({error}); one of weights was expected") from None
    known = ["time", *arkit.NAMES, *TURNS]
    _refuse(
        path, "unknown column", [str(name) for name in table if name not in known], "correct the name, or take it out"
    )
    _refuse(path, "no column", [name for name in known if name not in table], "add it; 0 where nothing is known")
    texts = [name for name in known if table[name].dtype.kind not in "fiu" or not np.isfinite(table[name]).all()]
    _refuse(path, "values that are no numbers in", texts, "correct them")
    outside = [name for name in arkit.NAMES if len(table) and not table[name].between(0, 1).all()]
    _refuse(path, "values outside 0 .. 1 in", outside, "correct them")
    return Motion(table[list(arkit.NAMES)].to_numpy(np.float32), table[list(TURNS)].to_numpy(np.float32))


def _refuse(path: str | Path, what: str, names: Sequence[str], remedy: str) -> None:
    if names:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        raise TalkfaceError(
            f"{path}: {what} {', '.join(names[:3])}{more}; time, ARKit's 52 weights and {', '.join(TURNS)} were "
            f"expected; {remedy}"
        )
