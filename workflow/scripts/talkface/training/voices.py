"""Voices whose faces nobody saw, results/voices.h5: sound, and when which phone is spoken. They teach phones.

Frames of all voices lie end to end, voice v from frame_offsets[v] to frame_offsets[v + 1], and so do samples.

| dataset | shape, type | holds |
|---|---|---|
| voice, source | (V,) str | name of the file without ending; how its phones were found, see `corpus.phones` |
| audio | (S,) int16 | sound at 16 kHz, level as recorded |
| audio_offsets, frame_offsets | (V + 1,) int64 | first sample and first frame of each, then the number of all |
| phone | (N,) uint8 | class of the phone at frame i, the instant i/25 s: see `media.phone_names` |

Attributes: layout (1), rate (16000, Hz).
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from talkface.conventions import FPS
from talkface.corpus.annotations import BESIDE, Mark, find_marks, read_marks
from talkface.corpus.phones import RATE, find_phones
from talkface.errors import TalkfaceError
from talkface.face.template import load_template
from talkface.files import writing
from talkface.media.phone_names import classes_at
from talkface.media.sound import by_stem, read_blocks
from talkface.models.inputs import Clips

log = logging.getLogger(__name__)

LAYOUT = 1


def assemble_voices(files: Sequence[str | Path], output: str | Path, *, threads: int = 1) -> None:
    """Gather voices and their phones in one file.

    Parameters
    ----------
    files : sequence of paths
        Sound files (wav, flac, ogg, mp3); beside one may lie its marks, else its words are recognised, English ones.
    output : path
        The HDF5 to write, layout above; a voice whose phones are not known is left out and said in the log.
    threads : int
        Processes that listen side by side.

    Raises
    ------
    TalkfaceError
        If a file is unreadable, two have the same name, or no phone is known of any.
    """
    seen = by_stem(files)
    names, sources, sounds, phones = [], [], [], []
    for path, (samples, found, source) in zip(seen.values(), _hear_all(seen.values(), threads), strict=True):
        frames = len(samples) * FPS // RATE
        if not found or not frames:
            log.warning("%s: left out: %s", path, source)
            continue
        log.info("%s: %.1f s, %d phones (%s)", path, len(samples) / RATE, len(found), source)
        names.append(path.stem)
        sources.append(source)
        sounds.append(samples[: frames * RATE // FPS])
        phones.append(classes_at(found, frames))
    if not names:
        raise TalkfaceError(
            f"voices: no phone is known of any of {len(seen)} files; pip install pocketsphinx, give English speech, or "
            f"marks beside the files ({', '.join(BESIDE)})"
        )
    with writing(output) as temporary, h5py.File(temporary, "w") as file:
        file.attrs.update(layout=LAYOUT, rate=RATE)
        for key, texts in (("voice", names), ("source", sources)):
            file.create_dataset(key, data=texts, dtype=h5py.string_dtype())
        file["audio"], file["phone"] = np.concatenate(sounds), np.concatenate(phones)
        file["audio_offsets"] = np.cumsum([0, *map(len, sounds)], dtype=np.int64)
        file["frame_offsets"] = np.cumsum([0, *map(len, phones)], dtype=np.int64)


def _hear_all(files: Iterable[Path], threads: int) -> Iterator[tuple[NDArray[np.int16], list[Mark], str]]:
    """Yield sound, phones and how these were found of each file, in order."""
    if threads == 1:
        yield from map(_hear, files)
        return
    with ProcessPoolExecutor(threads) as pool:
        yield from pool.map(_hear, files)


def _hear(path: Path) -> tuple[NDArray[np.int16], list[Mark], str]:
    samples, beside = np.concatenate(list(read_blocks(path, RATE))), find_marks(path)
    return samples, *find_phones(samples, read_marks(beside) if beside else ())


def read_voices(path: str | Path, *, rate: int) -> Clips:
    """Read voices as clips of which no face is known.

    Raises
    ------
    TalkfaceError
        If the file is no such file, or its sound has another rate.
    """
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("layout") != LAYOUT or "phone" not in file:
                raise TalkfaceError(f"{path}: no file of voices; delete it to have it made again")
            if file.attrs["rate"] != rate:
                raise TalkfaceError(
                    f"{path}: sound at {file.attrs['rate']} Hz; this network listens at {rate} Hz; set voices: null"
                )
            names, phone = list(file["voice"].asstr()[:]), file["phone"][:]
            return Clips(
                clips=names,
                speakers=names,
                shape=np.repeat(load_template().astype(np.float32)[None], len(phone), axis=0),
                frame_offsets=file["frame_offsets"][:],
                audio=file["audio"][:],
                audio_offsets=file["audio_offsets"][:],
                rate=rate,
                known=np.zeros(len(phone), bool),
                phone=phone,
            )
    except OSError as error:
        raise TalkfaceError(f"{path}: not readable as HDF5 ({error}); delete it to have it made again") from None
