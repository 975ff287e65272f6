"""Training files of the published systems: read as they are, and written from our own corpus.

Both are HDF5 with one row a clip of 75 frames (3 s at 25 frames a second).

| file of | dataset | shape | holds |
|---|---|---|---|
| Eskimez et al. 2018 | MelFeatures | (N, 75, 128) float | what the network hears, see models/lstm.py |
| | flmark | (N, 75, 136) float | 68 points, x and y in turn, in [0, 1] |
| Eskimez et al. 2020 | speech | (N, 24000) float in [-1, 1], or int16 | sound at 8 kHz |
| | landmarks | (N, 75, K) float | coefficients of a shape model, 6 as published |

Files written here hold besides: clip, speaker (N,) str, and shape_model/{mean, components, variance_ratio, deviation}
as in the dataset, to which the coefficients of the second file belong. The reader uses them where they are.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from talkface.conventions import FPS, FULL_SCALE
from talkface.errors import TalkfaceError
from talkface.face import points
from talkface.face.identity import align
from talkface.face.shape_files import read_shape_model_files
from talkface.face.shape_model import FIELDS, ShapeModel, ShapeStatistics, fit_shape_model
from talkface.face.template import load_template
from talkface.files import writing
from talkface.media.sound import Leveller
from talkface.models.inputs import Clips
from talkface.training.dataset import Clip, gather, read_accepted

log = logging.getLogger(__name__)

FRAMES = 75  # of a row
RATE_2018, RATE_2020 = 44_100, 8_000  # Hz
COEFFICIENTS = 6  # of Eskimez et al. 2020
LAYOUTS = {
    "2018": {"MelFeatures": (FRAMES, 128), "flmark": (FRAMES, 136)},
    "2020": {"landmarks": (FRAMES, None), "speech": (FRAMES * RATE_2020 // FPS,)},
}
ROWS = 256  # read at a time
# The resampler overshoots a peak at full scale a little; samples far beyond it are no speech in [-1, 1].
LOUDEST = 1.5


# Reading ----------------------------------------------------------------------------------------------------------


def read_training_file(
    path: str | Path, shape_model: Mapping[str, str | Path] | None = None, *, components: int = COEFFICIENTS
) -> tuple[Clips, ShapeModel]:
    """A training file of one of the layouts above, all its rows.

    Parameters
    ----------
    path : path
    shape_model : mapping, optional
        Files of the shape model (`shape_files.read_shape_model_files`) that the coefficients of a file of 2020 belong
        to; not needed for files written here.
    components : int
        Of the shape model that is fitted to the faces of a file of 2018.

    Returns
    -------
    part : Part
        A clip a row. `targets` are the file's own numbers, `shape` the faces they stand for, template frame. A file of
        2018 has `features` instead of sound.
    shape_model : ShapeModel

    Raises
    ------
    TalkfaceError
        If the file is of neither layout, or rows are missing, of another size, or hold NaN.
    """
    try:
        with h5py.File(path, "r") as file:
            layout = _layout_of(file, path)
            rows = [_read_rows(file, name, tail, path) for name, tail in LAYOUTS[layout].items()]
            count = len(rows[0])
            if len(rows[1]) != count:
                first, second = LAYOUTS[layout]
                raise TalkfaceError(
                    f"{path}: {first} has {count} rows and {second} {len(rows[1])}; as many were expected; write the "
                    "file again"
                )
            names = {
                "clip": _read_names(file, "clip") or [f"row{index}" for index in range(count)],
                "speaker": _read_names(file, "speaker") or ["unknown"] * count,
            }
            own = None
            if "shape_model" in file:
                own = ShapeModel(**{field: file[f"shape_model/{field}"][:] for field in FIELDS})
    except OSError as error:
        raise TalkfaceError(
            f"{path}: not readable as HDF5 ({error}); a training file was expected; copy it again"
        ) from None
    if layout == "2018":
        return _part_2018(*rows, **names, components=components, path=path)
    return _part_2020(*rows, **names, shape_model=_choose(shape_model, own, path), path=path)


def check_network(part: Clips, *, network: str, rate: int, hears_frames: bool, path: str | Path) -> None:
    """Raise a TalkfaceError if a network cannot learn from a training file, because it hears something else.

    Parameters
    ----------
    part : Part
        Of `read_training_file`.
    network : str
        Its name.
    rate, hears_frames : int, bool
        Of the network's class.
    path : path
        The file.
    """
    kinds = {True: "features of sound", False: "sound"}
    has_features = part.features is not None
    if (has_features, part.rate) != (hears_frames, rate):
        raise TalkfaceError(
            f"{path}: holds {kinds[has_features]} at {part.rate} Hz; network {network!r} hears {kinds[hears_frames]} "
            f"at {rate} Hz; give {'lstm' if has_features else 'cnn'} as its network, or another dataset"
        )


def _layout_of(file: h5py.File, path: str | Path) -> str:
    for layout, datasets in LAYOUTS.items():
        if set(datasets) <= set(file):
            return layout
    raise TalkfaceError(
        f"{path}: holds {', '.join(file) or 'nothing'}; a training file with MelFeatures and flmark, or with landmarks "
        "and speech, was expected; correct `dataset` in the config"
    )


def _read_names(file: h5py.File, key: str) -> list[str]:
    return [str(name) for name in file[key].asstr()[:]] if key in file else []


def _read_rows(file: h5py.File, name: str, tail: tuple[int | None, ...], path: str | Path) -> NDArray:
    """All rows of a dataset, checked: (N, *tail), float32, or int16 where the file has that."""
    data = file[name]
    expected = ", ".join("K" if size is None else str(size) for size in ("rows", *tail))
    if not isinstance(data, h5py.Dataset) or data.dtype.kind not in "fi":
        raise TalkfaceError(f"{path}: {name} is no array of numbers; ({expected}) was expected; write the file again")
    fits = len(data.shape) == 1 + len(tail) and all(
        size in (None, found) for size, found in zip(tail, data.shape[1:], strict=True)
    )
    if not fits:
        raise TalkfaceError(
            f"{path}: {name} has the shape {data.shape}; ({expected}) was expected; write the file again"
        )
    if not len(data):
        raise TalkfaceError(f"{path}: {name} has no rows; at least two were expected; write the file again")
    rows = np.empty(data.shape, np.int16 if data.dtype == np.int16 else np.float32)
    for start in range(0, len(data), ROWS):
        block = data[start : start + ROWS]
        bad = np.flatnonzero(~np.isfinite(block).all(axis=tuple(range(1, block.ndim))))
        if len(bad):
            raise TalkfaceError(
                f"{path}: {name} holds NaN or infinite values in row {start + bad[0]}; numbers were expected; leave "
                "the row out or write the file again"
            )
        rows[start : start + ROWS] = block
    return rows


def _part_2018(
    features: NDArray, flmark: NDArray, *, clip: list[str], speaker: list[str], components: int, path: str | Path
) -> tuple[Clips, ShapeModel]:
    if not features[-1].any() and not flmark[-1].any():
        log.warning("%s: the last row is empty, as the published program leaves it; it is dropped", path)
        features, flmark, clip, speaker = features[:-1], flmark[:-1], clip[:-1], speaker[:-1]
    if not clip:
        raise TalkfaceError(f"{path}: no row but an empty one; at least two were expected; write the file again")
    faces = flmark.reshape(-1, points.COUNT, 2).astype(np.float64)
    flat = np.flatnonzero(points.outer_eye_distance(faces) < 1e-6)
    if len(flat):
        raise TalkfaceError(
            f"{path}: flmark has both outer eye corners at one place in row {flat[0] // FRAMES}, frame "
            f"{flat[0] % FRAMES}; faces of 68 points were expected; leave the row out"
        )
    shape = align(faces, load_template(), indices=points.OUTER_EYE_CORNERS).astype(np.float32)
    part = Clips(
        clips=clip,
        speakers=speaker,
        shape=shape,
        frame_offsets=np.arange(len(clip) + 1) * FRAMES,
        audio=np.zeros(0, np.int16),
        audio_offsets=np.zeros(len(clip) + 1, np.int64),
        rate=RATE_2018,
        features=features.reshape(len(shape), -1).astype(np.float32),
        targets=flmark.reshape(len(shape), -1).astype(np.float32),
    )
    return part, fit_shape_model(shape, components=components)


def _part_2020(
    coefficients: NDArray,
    speech: NDArray,
    *,
    clip: list[str],
    speaker: list[str],
    shape_model: ShapeModel,
    path: str | Path,
) -> tuple[Clips, ShapeModel]:
    if coefficients.shape[2] != len(shape_model):
        raise TalkfaceError(
            f"{path}: landmarks has {coefficients.shape[2]} coefficients a frame; {len(shape_model)} were expected, "
            "one a component of its shape model; correct shape_model in the config"
        )
    if speech.dtype != np.int16:
        loudest = np.abs(speech).max(axis=1)
        if loudest.max() > LOUDEST:
            row = int(loudest.argmax())
            raise TalkfaceError(
                f"{path}: speech reaches {loudest[row]:.4g} in row {row}; floating-point samples in [-1, 1], or int16, "
                "were expected; scale it"
            )
        speech = np.clip(np.round(speech * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    targets = coefficients.reshape(-1, len(shape_model)).astype(np.float32)
    part = Clips(
        clips=clip,
        speakers=speaker,
        shape=shape_model.decode(targets)[..., :2].astype(np.float32),
        frame_offsets=np.arange(len(clip) + 1) * FRAMES,
        audio=speech.reshape(-1),
        audio_offsets=np.arange(len(clip) + 1) * speech.shape[1],
        rate=RATE_2020,
        targets=targets,
    )
    return part, shape_model


def _choose(files: Mapping[str, str | Path] | None, own: ShapeModel | None, path: str | Path) -> ShapeModel:
    """The shape model that coefficients belong to: the files the config names, else what the training file holds."""
    if files:
        return read_shape_model_files(files)[0]
    if own is None:
        raise TalkfaceError(
            f"{path}: holds coefficients and no shape model; give its files mean and components (.npy) as shape_model "
            "in the model's block of the config"
        )
    return own


# Writing ----------------------------------------------------------------------------------------------------------


def export_a(
    output: str | Path,
    *,
    quality: str | Path,
    audio: Sequence[str | Path],
    shapes: Sequence[str | Path],
    landmarks: Sequence[str | Path],
) -> None:
    """Write the training and validation clips in the layout of Eskimez et al. 2018: its features, its normalisation.

    Clips are cut into rows of 75 frames; the last row repeats the clip's last frame in silence.

    Parameters
    ----------
    output : path
        results/dataset/export_a.hdf5.
    quality, audio, shapes, landmarks : path, sequences of paths
        As in `dataset.assemble_dataset`.

    Raises
    ------
    TalkfaceError
        If a split is left without clips, or an accepted clip is missing from the files.
    """
    import torch  # slow to load, and only this function needs it here

    from talkface.models.registry import build_network, network_class

    accepted = _without_test(quality)
    model = _fit(accepted, shapes)
    network = build_network("lstm", model, network_class("lstm").PUBLISHED["arguments"])

    def arrays(clip: Clip) -> dict[str, NDArray]:
        frames = _rows_of(clip) * FRAMES
        sound = _padded(clip.audio[RATE_2018], frames * RATE_2018 // FPS)
        levelled = Leveller(network.level, rate=RATE_2018).apply(sound)
        with torch.inference_mode():
            heard = network.listen(torch.from_numpy(levelled), frames).numpy()
        return {"MelFeatures": heard, "flmark": _repeated(network.carry_over(clip.landmarks), frames)}

    clips = gather(accepted, audio=audio, shapes=shapes, landmarks=landmarks, rates=[RATE_2018])
    _write(output, clips, arrays, model)


def export_b(
    output: str | Path, *, quality: str | Path, audio: Sequence[str | Path], shapes: Sequence[str | Path]
) -> None:
    """Write the training and validation clips in the layout of Eskimez et al. 2020.

    Coefficients are those of the first 6 components of the dataset's shape model. Each clip's sound is scaled by its
    loudest sample. Rows as in `export_a`; parameters and errors, too.
    """
    accepted = _without_test(quality)
    model = _fit(accepted, shapes)

    def arrays(clip: Clip) -> dict[str, NDArray]:
        frames = _rows_of(clip) * FRAMES
        sound = clip.audio[RATE_2020].astype(np.float32)
        sound /= max(1, np.abs(sound).max(initial=0))
        padded = _padded(sound, frames * RATE_2020 // FPS).reshape(frames, -1)
        return {"landmarks": _repeated(model.encode(clip.shape), frames), "speech": padded}

    clips = gather(accepted, audio=audio, shapes=shapes, landmarks=None, rates=[RATE_2020])
    _write(output, clips, arrays, model)


def _without_test(quality: str | Path) -> pd.DataFrame:
    accepted = read_accepted(quality)
    return accepted[accepted["split"] != "test"]


def _fit(accepted: pd.DataFrame, shapes: Iterable[str | Path]) -> ShapeModel:
    """The shape model of the training clips, as the dataset has it."""
    statistics = None
    for path in shapes:
        with h5py.File(path, "r") as file:
            for name in file:
                if name in accepted.index and accepted.at[name, "split"] == "train" and "shape" in file[name]:
                    shape = file[name]["shape"][:]
                    statistics = statistics or ShapeStatistics(shape[0])
                    statistics.add(shape)
    if statistics is None:
        raise TalkfaceError("results/shapes: no shape of a training clip; delete the folder to have it made again")
    return statistics.fit(COEFFICIENTS)


def _rows_of(clip: Clip) -> int:
    return -(-len(clip.shape) // FRAMES)


def _padded(sound: NDArray, samples: int) -> NDArray:
    """Sound cut or filled with silence to `samples` samples."""
    return np.pad(sound[:samples], (0, max(0, samples - len(sound))))


def _repeated(frames: NDArray, count: int) -> NDArray:
    """Frames (T, ...) as (count, ...), the last one repeated."""
    return frames[np.minimum(np.arange(count), len(frames) - 1)]


def _write(
    output: str | Path, clips: Iterator[Clip], arrays: Callable[[Clip], dict[str, NDArray]], model: ShapeModel
) -> None:
    """Write what `arrays` makes of each clip, frames (T, ...), as rows of 75 frames."""
    with writing(output) as temporary, h5py.File(temporary, "w") as file:
        names: dict[str, list[str]] = {"clip": [], "speaker": []}
        for clip in clips:
            for name, frames in arrays(clip).items():
                rows = frames.astype(np.float32).reshape(_rows_of(clip), FRAMES, -1)
                rows = rows.reshape(len(rows), -1) if name == "speech" else rows
                if name not in file:
                    size = rows.shape[1:]
                    file.create_dataset(name, (0, *size), np.float32, maxshape=(None, *size), chunks=(1, *size))
                data = file[name]
                data.resize(len(data) + len(rows), axis=0)
                data[-len(rows) :] = rows
            names["clip"] += [clip.name] * len(rows)
            names["speaker"] += [clip.speaker] * len(rows)
        for name, values in names.items():
            file.create_dataset(name, data=values, dtype=h5py.string_dtype())
        for field in FIELDS:
            file[f"shape_model/{field}"] = getattr(model, field)
    log.info("%s: %d rows of %d clips", output, len(names["clip"]), len(set(names["clip"])))
