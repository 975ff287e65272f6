"""Training files of the published systems, read as they are.

Both are HDF5 with one row a clip of 75 frames (3 s at 25 frames a second).

| file of | dataset | shape | holds |
|---|---|---|---|
| Eskimez et al. 2018 | MelFeatures | (N, 75, 128) float | input of the network, see models/networks/lstm.py |
| | flmark | (N, 75, 136) float | 68 points, x and y in turn, in [0, 1] |
| Eskimez et al. 2020 | speech | (N, 24000) float at any scale, or int16 | sound at 8 kHz |
| | landmarks | (N, 75, K) float | coefficients of a shape model, 6 as published |

Those that `talkface.training.export` writes hold besides: clip, speaker (N,) str, and shape_model/{mean, components,
variance_ratio, deviation} as in the dataset, to which the coefficients of the second file belong. The reader uses them
where they are.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from talkface.conventions import FPS, FULL_SCALE
from talkface.errors import TalkfaceError
from talkface.face import points
from talkface.face.identity import align
from talkface.face.shape_files import read_shape_model_files
from talkface.face.shape_model import FIELDS, ShapeModel, fit_shape_model
from talkface.face.template import load_template
from talkface.models.inputs import Clips

log = logging.getLogger(__name__)

FRAMES = 75  # of a row
RATE_2018, RATE_2020 = 44_100, 8_000  # Hz
COEFFICIENTS = 6  # of Eskimez et al. 2020
LAYOUTS: dict[str, dict[str, tuple[int | None, ...]]] = {
    "2018": {"MelFeatures": (FRAMES, 128), "flmark": (FRAMES, 136)},
    "2020": {"landmarks": (FRAMES, None), "speech": (FRAMES * RATE_2020 // FPS,)},
}
ROWS = 256  # read at a time


def read_training_file(
    path: str | Path, shape_model: Mapping[str, str | Path] | None = None, *, components: int = COEFFICIENTS
) -> tuple[Clips, ShapeModel]:
    """Read a training file of one of the layouts above, all its rows.

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
    part : Clips
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
            clip = _read_names(file, "clip") or [f"row{index}" for index in range(count)]
            speaker = _read_names(file, "speaker") or ["unknown"] * count
            own = None
            if "shape_model" in file:
                own = ShapeModel(**{field: file[f"shape_model/{field}"][:] for field in FIELDS})
    except OSError as error:
        raise TalkfaceError(
            f"{path}: not readable as HDF5 ({error}); a training file was expected; copy it again"
        ) from None
    if layout == "2018":
        return _part_2018(*rows, clip=clip, speaker=speaker, components=components, path=path)
    model = _choose(shape_model, own, path)
    return _part_2020(*rows, clip=clip, speaker=speaker, shape_model=model, path=path)


def check_network(part: Clips, *, network: str, rate: int, hears_frames: bool, path: str | Path) -> None:
    """Raise a TalkfaceError if a network cannot learn from a training file, because it takes other inputs.

    Parameters
    ----------
    part : Clips
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
    """Read and check all rows of a dataset: (N, *tail), float32, or int16 where the file has that."""
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
        speech = speech * np.float32(FULL_SCALE)
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
    """Return the shape model that coefficients belong to: of the files the config names, else the file's own."""
    if files:
        return read_shape_model_files(files)[0]
    if own is None:
        raise TalkfaceError(
            f"{path}: holds coefficients and no shape model; give its files mean and components (.npy) as shape_model "
            "in the model's block of the config"
        )
    return own
