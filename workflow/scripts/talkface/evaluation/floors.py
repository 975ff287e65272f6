"""Floors and ceilings of an evaluation: what needs no training or no hearing, and how near anything comes.

results/evaluation/floors.tsv, layout as the tables of clips (`evaluation.evaluate`), clean alone:

| model | is |
|---|---|
| floor:mean_face | the mean of the training frames, whatever is said |
| floor:loudness | the mouth opens as the sound is loud, half as far as mouths do |
| floor:phones | the mouth opens by a table of what each phone asks for, blended with its neighbours, likewise |
| ceiling:shifted_1, ceiling:shifted_2 | the truth one and two frames late |
| ceiling:detector | the landmarks of the same frames after another encoding and a shift of one pixel |
| truth | itself, for the measures that look at one side alone |

Axes: T frames, 68 points, 2 coordinates.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from talkface.conventions import FPS
from talkface.corpus.visemes import mouth_track
from talkface.drawing.characters import OPENING
from talkface.evaluation import leaks, metrics
from talkface.evaluation.articulation import Spoken
from talkface.evaluation.evaluate import Table, read_material
from talkface.face import points
from talkface.face.shape_model import ShapeModel
from talkface.media.phone_names import plain
from talkface.media.phoneme import Phoneme

SHIFTS = (1, 2)  # frames by which a ceiling is late
SHARE = 0.5  # of a mouth's deviation: how far a floor opens it, which follows it by about as much
# The sounds of CMU's dictionary as IPA has them.
IPA = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "aʊ", "ay": "aɪ", "b": "b", "ch": "tʃ", "d": "d", "dh": "ð",
    "eh": "ɛ", "er": "ɜ", "ey": "eɪ", "f": "f", "g": "ɡ", "hh": "h", "ih": "ɪ", "iy": "i", "jh": "dʒ", "k": "k",
    "l": "l", "m": "m", "n": "n", "ng": "ŋ", "ow": "oʊ", "oy": "ɔɪ", "p": "p", "r": "ɹ", "s": "s", "sh": "ʃ",
    "t": "t", "th": "θ", "uh": "ʊ", "uw": "u", "v": "v", "w": "w", "y": "j", "z": "z", "zh": "ʒ",
}  # fmt: skip


def opened_by(course: ArrayLike, shape_model: ShapeModel) -> NDArray[np.float64]:
    """Open the mean face's mouth along a course: what the training faces do when their mouths open.

    Parameters
    ----------
    course : (T,) array
        Any unit; its mean becomes the mean face's opening, its deviation `SHARE` of that of training.
    shape_model : ShapeModel
        Of the training frames.

    Returns
    -------
    (T, 68, 2) array, template frame
    """
    course, mean = np.asarray(course, np.float64), shape_model.mean[:, :2]
    slope = np.zeros(mean.shape)  # of the opening
    for upper, lower in points.LIP_PAIRS:
        across = mean[lower] - mean[upper]
        slope[lower] = across / np.linalg.norm(across) / len(points.LIP_PAIRS)
        slope[upper] = -slope[lower]
    plane = shape_model.components.reshape(len(shape_model), *shape_model.mean.shape)[..., :2]  # (K, 68, 2)
    of_opening = shape_model.deviation * np.tensordot(plane, slope, axes=2)  # (K)
    deviation = np.linalg.norm(of_opening)
    spread = course.std() if len(course) else 0.0
    if not deviation or spread < 1e-9:
        return np.broadcast_to(mean, (len(course), *mean.shape))
    faces = np.tensordot(of_opening * shape_model.deviation / deviation, plane, axes=1)  # (68, 2), for a deviation
    return mean + SHARE * ((course - course.mean()) / spread)[:, None, None] * faces


def opening_of_phones(spoken: Spoken, frames: int) -> NDArray[np.float64]:
    """Return the opening (T,) that phones ask for, template units, from a table, blended with their neighbours'."""
    said = [
        Phoneme(IPA.get(plain(name), plain(name)), start, end)
        for name, (start, end) in zip(spoken.names, spoken.phones, strict=True)
    ]
    return mouth_track(said, times=np.arange(frames) / FPS)[:, OPENING]


def measure_floors(
    dataset: str | Path,
    output: str | Path,
    *,
    audio: Sequence[str | Path],
    phones: Sequence[str | Path],
    detector: Sequence[str | Path],
    sheet: str | Path,
    splits: Sequence[str],
    split_by: str,
) -> None:
    """Write the measures of the floors and ceilings, see the head of this module.

    Parameters
    ----------
    dataset : path
        results/dataset/{corpus}.h5.
    output : path
        results/evaluation/floors.tsv.
    audio : sequence of paths
        results/audio/{shard}.h5 of the clips.
    phones : sequence of paths
        results/phones/{shard}.tsv of the clips.
    detector : sequence of paths
        results/evaluation/detector/{shard}.h5: a group a clip with `shape` (T, 68, 2), the truth as it was found again;
        a clip without one has no row.
    sheet : path
    splits : sequence of str
    split_by : {"speaker", "clip"}
    """
    leaks.check_splits(dataset, sheet=sheet, split_by=split_by)
    table = Table.of(dataset, model="truth")
    mean_face, again = table.shape_model.mean, _read_shapes(detector)
    for split in splits:
        material = read_material(dataset, split, audio=audio, phones=phones)
        for item in material:
            mean = np.broadcast_to(mean_face, (len(item.truth), *mean_face.shape))
            table.add(item, mean, model="floor:mean_face")
            table.add(item, opened_by(metrics.heard_loudness(item.loudness), table.shape_model), model="floor:loudness")
        for item in material:
            if item.spoken.phones:
                course = opening_of_phones(item.spoken, len(item.truth))
                table.add(item, opened_by(course, table.shape_model), model="floor:phones")
        for shift in SHIFTS:
            for item in material:
                table.add(item, metrics.delayed(item.truth, shift), model=f"ceiling:shifted_{shift}")
        for item in material:
            if item.clip in again:
                table.add(item, again[item.clip], model="ceiling:detector")
        for item in material:
            table.add(item, item.truth)
    table.write(output)


def _read_shapes(paths: Iterable[str | Path]) -> dict[str, NDArray]:
    """Read the shapes (T, 68, 2) by clip from files with a group a clip."""
    found: dict[str, NDArray] = {}
    for path in paths:
        with h5py.File(path, "r") as file:
            found |= {clip: group["shape"][:] for clip, group in file.items() if "shape" in group}
    return found
