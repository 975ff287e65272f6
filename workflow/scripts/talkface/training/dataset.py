"""Dataset file of one corpus, results/dataset/{corpus}.h5, which this module alone reads and writes.

Frames of all accepted clips lie end to end, clip c from frame_offsets[c] to frame_offsets[c + 1], and so do samples.

| dataset | shape, type | holds |
|---|---|---|
| clip, speaker, split, digest | (C,) str | name, who speaks, train / valid / test, sha256 of the source |
| correction_ms | (C,) float64 | by how much the sound was moved earlier, 0 where it was not |
| frame_offsets | (C + 1,) int64 | first frame of each clip, then the number of all frames |
| shape | (N, 68, 2) float32 | identity-free faces, template frame, 25 fps |
| landmarks | (N, 68, 2) float32 | pixels of the upright source; only when a selected network wants them |
| phone | (N,) uint8 | class of the phone, see `media.phone_names`; only when a selected model learns it |
| audio/{rate} | (S,) int16 | sound at {rate} Hz, level as recorded; one for each rate of the selected networks |
| audio_offsets/{rate} | (C + 1,) int64 | first sample of each clip, then the number of all samples |
| shape_model/mean | (68, 2) float64 | mean of the training frames |
| shape_model/components | (K, 136) float64 | principal components of the training frames |
| shape_model/variance_ratio | (K,) float64 | share of variance of each |
| shape_model/deviation | (K,) float64 | standard deviation of each coefficient in the training frames |

Attributes: corpus, detector (by whose eyes the faces are seen), fps (25), layout (1). Frame i of a clip stands for the
instant i/25 s of its sound.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from talkface.conventions import FPS, SPLITS
from talkface.corpus.annotations import Mark
from talkface.corpus.phones import read_phones
from talkface.errors import TalkfaceError
from talkface.face.shape_model import FIELDS, ShapeModel, ShapeStatistics
from talkface.face.sync import correction_ms
from talkface.files import writing
from talkface.media.phone_names import UNKNOWN, classes_at
from talkface.media.sound import resample
from talkface.models.inputs import Clips, take_stretches

log = logging.getLogger(__name__)

LAYOUT = 1
UNHEARD_FRAMES = 2  # so many at the end of a clip may lack their sound, whose packets end where they end
SYNC = ("av_offset_ms", "av_certainty", "duration_s")  # columns of results/qc/clips.tsv
CHUNK_FRAMES = 750  # of the stored arrays: 30 s


@dataclass(frozen=True)
class Clip:
    """One clip on its way into the file; audio maps a rate in Hz to (S,) int16 samples."""

    name: str
    speaker: str
    split: str
    digest: str
    shape: NDArray
    audio: dict[int, NDArray]
    landmarks: NDArray | None = None
    detector: str = "dlib"
    correction_ms: float = 0.0
    phone: NDArray | None = None


def assemble_dataset(
    output: str | Path,
    *,
    corpus: str,
    quality: str | Path,
    audio: Sequence[str | Path],
    shapes: Sequence[str | Path],
    landmarks: Sequence[str | Path] = (),
    phones: Sequence[str | Path] = (),
    networks: Iterable[str],
    components: int,
    correct_offset: str | float = "off",
) -> None:
    """Write the dataset of the accepted clips from the files of the earlier stages.

    Parameters
    ----------
    output : path
        The HDF5 to write, layout above.
    corpus : str
        Its name.
    quality : path
        results/qc/clips.tsv: which clips are accepted, their speakers and splits.
    audio, shapes, landmarks : sequences of paths
        results/audio/{shard}.h5, results/shapes/{speaker}.h5, results/landmarks/{shard}.h5.
    phones : sequence of paths
        results/phones/{shard}.tsv, where a model learns phones; none: it holds no phones.
    networks : iterable of str
        The networks to be trained; their classes say at which rates they listen and whether they want landmarks.
    components : int
        Of the shape model.
    correct_offset : "off", "certain" or float
        certain: the sound of a clip comes earlier by its offset where that is certain, see `sync.correction_ms`; a
        number: that of all clips, by so many ms, as GRID's lips lie later against their sound than other people's.

    Raises
    ------
    TalkfaceError
        If a split is left without clips, or an accepted clip is missing from the files.
    """
    from talkface.models.registry import network_class  # torch is slow to load, and only this function needs it here

    classes = [network_class(name) for name in sorted(set(networks))]
    write_dataset(
        output,
        gather(
            read_accepted(quality),
            audio=audio,
            shapes=shapes,
            landmarks=landmarks if any(item.wants_landmarks for item in classes) else None,
            phones=_known_phones(phones) if phones else None,
            rates=sorted({item.rate for item in classes}),
            correct_offset=correct_offset,
        ),
        corpus=corpus,
        components=components,
    )


def read_accepted(quality: str | Path) -> pd.DataFrame:
    """Read which clips quality control accepted: index clip, columns speaker and split among others.

    Raises
    ------
    TalkfaceError
        If nothing of a split was accepted.
    """
    texts, none = dict.fromkeys(("clip", "speaker", "split"), str), dict.fromkeys(SYNC, "")
    table = pd.read_csv(quality, sep="\t", dtype=texts, keep_default_na=False, na_values=none)
    accepted = table[table["accepted"].astype(str).str.lower().isin(["true", "1", "yes"])]
    _refuse_empty_splits(table, accepted)
    return accepted.set_index("clip")


def _refuse_empty_splits(table: pd.DataFrame, accepted: pd.DataFrame) -> None:
    """Raise a TalkfaceError if quality control has left nothing of a split."""
    for split, rows in table.groupby("split", sort=False):
        if split not in set(accepted["split"]):
            shown = "; ".join(f"{row.clip}: {row.reason}" for row in rows.head(3).itertuples())
            more = f"; and {len(rows) - 3} more" if len(rows) > 3 else ""
            raise TalkfaceError(
                f"split {split}: none of its {len(rows)} clips can be used ({shown}{more}); at least one is needed; "
                "see results/qc/clips.tsv, then give other clips or change the limits under qc in the config"
            )


def check_splits(splits: Iterable[str], where: str | Path) -> None:
    """Raise a TalkfaceError if a split has no clip."""
    found = set(splits)
    for split in SPLITS:
        if split not in found:
            raise TalkfaceError(
                f"{where}: no accepted clip in split {split!r}; at least one is needed to train and to judge; "
                "see the column `reason`, then add clips or change the sheet"
            )


def _known_phones(paths: Sequence[str | Path]) -> dict[str, list[Mark]]:
    """Read the phones of each clip from marks or words; recognised ones are too often others to learn from."""
    table, found = read_phones(paths), defaultdict[str, list[Mark]](list)
    known = table[table["source"].isin(("marks", "words"))]
    for clip, *mark in zip(*(known[column] for column in ("clip", "name", "start_s", "end_s")), strict=True):
        found[clip].append(Mark(*mark))
    return found


def _index(files: Iterable[str | Path]) -> dict[str, str | Path]:
    """Return the file that holds each clip."""
    where: dict[str, str | Path] = {}
    for path in files:
        with h5py.File(path, "r") as file:
            where.update(dict.fromkeys(file, path))
    return where


def gather(
    accepted: pd.DataFrame,
    *,
    audio: Sequence[str | Path],
    shapes: Sequence[str | Path],
    landmarks: Sequence[str | Path] | None,
    rates: Sequence[int],
    phones: Mapping[str, Sequence[Mark]] | None = None,
    correct_offset: str | float = "off",
) -> Iterator[Clip]:
    """Yield the clips of a table (index clip, columns as results/qc/clips.tsv) from the files of the stages.

    `landmarks` None: without pixels; `phones`, by clip, None: without them.
    """
    shape_files = {Path(path).stem: path for path in shapes}
    landmark_files = None if landmarks is None else _index(landmarks)
    missing = set(accepted.index)
    for path in audio:  # shard by shard, so that each file is opened once
        with h5py.File(path, "r") as shard:
            for name in shard:
                if name not in accepted.index:
                    continue
                speaker, split = str(accepted.at[name, "speaker"]), str(accepted.at[name, "split"])
                with h5py.File(shape_files[speaker], "r") as file:
                    if name not in file or "shape" not in file[name]:
                        raise TalkfaceError(
                            f"{shape_files[speaker]}: no shape of clip {name}, which quality control accepted; "
                            "delete this file to have it made again"
                        )
                    shape, detector = file[name]["shape"][:], str(file[name].attrs.get("detector", "dlib"))
                pixels = None
                if landmark_files is not None:
                    with h5py.File(landmark_files[name], "r") as file:
                        pixels = file[name]["landmarks"][:]
                master, rate = shard[name][:], int(shard[name].attrs["rate"])
                moved = 0.0
                if correct_offset not in ("off", False):
                    measured = correct_offset == "certain"
                    moved = (
                        correction_ms(*accepted.loc[name, list(SYNC)].astype(float))
                        if measured
                        else float(correct_offset)
                    )
                    master = move_earlier(master, moved, rate=rate)
                    if moved:
                        log.info("%s: sound moved %.0f ms earlier", name, moved)
                heard = round(len(master) / rate * FPS)
                if len(shape) - heard > UNHEARD_FRAMES:
                    log.info(
                        "%s: %d frames of picture, and sound for %d; the common part is taken", name, len(shape), heard
                    )
                    shape, pixels = shape[:heard], None if pixels is None else pixels[:heard]
                phone = None
                if phones is not None:
                    spoken = [Mark(mark.name, *(time - moved / 1000 for time in mark[1:])) for mark in phones[name]]
                    phone = classes_at(spoken, len(shape)) if spoken else np.full(len(shape), UNKNOWN, np.uint8)
                yield Clip(
                    name=name,
                    speaker=speaker,
                    split=split,
                    digest=str(shard[name].attrs["digest"]),
                    shape=shape,
                    audio={wanted: resample(master, rate, wanted) for wanted in rates},
                    landmarks=pixels,
                    detector=detector,
                    correction_ms=moved,
                    phone=phone,
                )
                missing.discard(name)
    if missing:
        raise TalkfaceError(
            f"results/audio: no sound of {', '.join(sorted(missing)[:3])}, accepted by quality control; "
            "delete results/qc/clips.tsv to have it made again"
        )


def write_dataset(output: str | Path, clips: Iterable[Clip], *, corpus: str, components: int = 6) -> None:
    """Write clips as they come, so that a corpus need not fit in memory; the file appears whole or not at all."""
    statistics: ShapeStatistics | None = None
    names: dict[str, list[str]] = {"clip": [], "speaker": [], "split": [], "digest": []}
    corrections: list[float] = []
    detectors: dict[str, str] = {}
    with writing(output) as temporary, h5py.File(temporary, "w") as file:
        file.attrs.update(corpus=corpus, fps=FPS, layout=LAYOUT)
        offsets: dict[str, list[int]] = {}
        for clip in clips:
            arrays = {"shape": np.asarray(clip.shape, np.float32)}
            arrays |= {f"audio/{rate}": np.asarray(samples, np.int16) for rate, samples in clip.audio.items()}
            if clip.landmarks is not None:
                arrays["landmarks"] = np.asarray(clip.landmarks, np.float32)
            if clip.phone is not None:
                arrays["phone"] = np.asarray(clip.phone, np.uint8)
            for name, array in arrays.items():
                _append(file, name, array)
                offsets.setdefault(name, [0]).append(len(file[name]))
            detectors.setdefault(clip.detector, clip.name)
            corrections.append(clip.correction_ms)
            for name, value in (
                ("clip", clip.name),
                ("speaker", clip.speaker),
                ("split", clip.split),
                ("digest", clip.digest),
            ):
                names[name].append(value)
            if clip.split == "train":
                statistics = statistics or ShapeStatistics(arrays["shape"][0])
                statistics.add(arrays["shape"])
        check_splits(names["split"], output)
        if len(detectors) > 1:
            seen = " and ".join(f"{clip} by {detector}" for detector, clip in detectors.items())
            raise TalkfaceError(
                f"{output}: faces as two detectors see them ({seen}); one was expected, for they see other amplitudes; "
                "delete results/landmarks to have all made by landmarks.detector"
            )
        file.attrs["detector"] = next(iter(detectors))
        for name, values in names.items():
            file.create_dataset(name, data=values, dtype=h5py.string_dtype())
        file["correction_ms"] = np.array(corrections, np.float64)
        for name, ends in offsets.items():
            if name == "shape":
                file["frame_offsets"] = np.array(ends, np.int64)
            elif name.startswith("audio/"):
                file[name.replace("audio/", "audio_offsets/")] = np.array(ends, np.int64)
        assert statistics is not None  # check_splits has seen a training clip
        model = statistics.fit(components)
        for name in FIELDS:
            file[f"shape_model/{name}"] = getattr(model, name)
    log.info(
        "%s: %d clips, %d frames; %d components hold %.1f %% of the training frames' variance",
        output,
        len(names["clip"]),
        offsets["shape"][-1],
        len(model),
        100 * model.variance_ratio.sum(),
    )


def _append(file: h5py.File, name: str, array: NDArray) -> None:
    if name not in file:
        chunk = (CHUNK_FRAMES, *array.shape[1:]) if array.ndim > 1 else (1 << 16,)
        file.create_dataset(name, (0, *array.shape[1:]), array.dtype, maxshape=(None, *array.shape[1:]), chunks=chunk)
    data = file[name]
    data.resize(len(data) + len(array), axis=0)
    data[len(data) - len(array) :] = array


def _open(path: str | Path) -> h5py.File:
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise TalkfaceError(f"{path}: not readable as HDF5 ({error}); delete it to have it made again") from None
    if file.attrs.get("layout") != LAYOUT:
        file.close()
        raise TalkfaceError(f"{path}: not a dataset of layout {LAYOUT}; delete it to have it made again")
    return file


def is_dataset(path: str | Path) -> bool:
    """Tell whether an HDF5 file has the layout above, and not that of another system."""
    try:
        with h5py.File(path, "r") as file:
            return file.attrs.get("layout") is not None or "frame_offsets" in file
    except OSError:
        return True  # whoever reads it says what is wrong


def read_part(path: str | Path, split: str, *, rate: int, landmarks: bool = False) -> Clips:
    """Read the clips of one split with their sound at `rate` Hz.

    Raises
    ------
    TalkfaceError
        If the file holds no sound at this rate or no clip of this split.
    """
    with _open(path) as file:
        if f"audio/{rate}" not in file:
            raise TalkfaceError(
                f"{path}: sound at {', '.join(file['audio'])} Hz but not at {rate} Hz; "
                "name the model in training.models, then assemble the dataset again"
            )
        chosen = np.flatnonzero(file["split"].asstr()[:] == split)
        if not len(chosen):
            raise TalkfaceError(f"{path}: no clip of split {split!r}; check the column `split` of the sheet")
        frames, frame_offsets = take_stretches(file["shape"], file["frame_offsets"][:], chosen)
        samples, audio_offsets = take_stretches(file[f"audio/{rate}"], file[f"audio_offsets/{rate}"][:], chosen)
        pixels = take_stretches(file["landmarks"], file["frame_offsets"][:], chosen)[0] if landmarks else None
        phone = take_stretches(file["phone"], file["frame_offsets"][:], chosen)[0] if "phone" in file else None
        return Clips(
            clips=list(file["clip"].asstr()[:][chosen]),
            speakers=list(file["speaker"].asstr()[:][chosen]),
            shape=frames,
            frame_offsets=frame_offsets,
            audio=samples,
            audio_offsets=audio_offsets,
            rate=rate,
            landmarks=pixels,
            phone=phone,
        )


def read_shape_model(path: str | Path) -> ShapeModel:
    """Read the shape model of the training split."""
    with _open(path) as file:
        return ShapeModel(**{name: file[f"shape_model/{name}"][:] for name in FIELDS})


def read_corpus(path: str | Path) -> str:
    """Read the name of the corpus."""
    with _open(path) as file:
        return str(file.attrs["corpus"])


def read_detector(path: str | Path) -> str:
    """Read by whose eyes the faces are seen: dlib or mesh; empty for a file from elsewhere, which does not say it."""
    if not is_dataset(path):
        return ""
    with _open(path) as file:
        return str(file.attrs.get("detector", "dlib"))


def move_earlier(samples: NDArray, offset_ms: float, *, rate: int) -> NDArray:
    """Move sound (S,) to earlier times (negative: later), its length kept; silence where nothing is known.

    Examples
    --------
    >>> move_earlier(np.array([1, 2, 3, 4]), 1.0, rate=1000), move_earlier(np.array([1, 2, 3, 4]), -2.0, rate=1000)
    (array([2, 3, 4, 0]), array([0, 0, 1, 2]))
    """
    count = round(offset_ms / 1000 * rate)
    known = samples[count:] if count >= 0 else samples[:count]
    silence = np.zeros(len(samples) - len(known), samples.dtype)
    return np.concatenate([known, silence] if count >= 0 else [silence, known])


def read_corrections(path: str | Path) -> dict[str, float]:
    """Read by clip by how many ms its sound was moved earlier; 0 in files that do not say."""
    with _open(path) as file:
        clips = file["clip"].asstr()[:]
        moved = file["correction_ms"][:] if "correction_ms" in file else np.zeros(len(clips))
    return dict(zip(clips, moved.tolist(), strict=True))


def read_index(path: str | Path) -> pd.DataFrame:
    """Read the table of all clips: index clip, columns speaker, split, digest."""
    with _open(path) as file:
        columns = {name: file[name].asstr()[:] for name in ("clip", "speaker", "split", "digest")}
    return pd.DataFrame(columns).set_index("clip")


def read_rates(path: str | Path) -> list[int]:
    """Read the rates in Hz at which the file holds sound."""
    with _open(path) as file:
        return sorted(int(rate) for rate in file["audio"])
