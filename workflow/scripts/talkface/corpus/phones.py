"""Phones of a clip, with their times: from its marks, from its words by forced alignment, else recognised.

Alignment and recognition are pocketsphinx's, an extra (`pip install pocketsphinx`), and English alone. Its phones go by
the names of CMU's dictionary (ARPAbet: P, B, M, AA, UW, ...), without stress; marks may have those, or IPA's.

Tables of phones, tab-separated: results/phones/{shard}.tsv, a row a phone, clips in order:

| column | holds |
|---|---|
| clip | its name |
| name | of the phone; nothing in the one row of a clip whose phones are not known |
| start_s, end_s | seconds of the clip |
| source | marks, words (aligned), recognised; where there are no phones, why |

Axis: S samples.
"""

import importlib.metadata
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from talkface.corpus.annotations import Mark, read_marks
from talkface.errors import TalkfaceError
from talkface.files import writing
from talkface.media.phone_names import SILENT, are_phones
from talkface.media.sound import resample

log = logging.getLogger(__name__)

RATE = 16_000  # Hz, of the acoustic model
STEP_S = 0.01  # of its times
PIECE_S = 12.0  # longer clips are recognised and aligned in pieces
QUIET_S = 0.1  # a piece ends in the quietest stretch of this length
COLUMNS = ("clip", "name", "start_s", "end_s", "source")
SOURCES = ("marks", "words", "recognised")
MISSING = "pocketsphinx is not installed"


def aligner() -> str:
    """Return the version of the pocketsphinx that is installed; empty if there is none."""
    try:
        return importlib.metadata.version("pocketsphinx")
    except importlib.metadata.PackageNotFoundError:
        return ""


def _decoder(*, recognises: bool) -> Any:
    """Make a decoder, a new one for each sound, for what it heard before changes what it hears.

    Raise a TalkfaceError if there is none.
    """
    if not aligner():
        raise TalkfaceError(f"sounds of words: {MISSING}; pip install pocketsphinx")
    from pocketsphinx import Decoder

    return Decoder(samprate=RATE, loglevel="FATAL", **({} if recognises else {"lm": None}))


def _hear(decoder: Any, sound: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(sound, full_utt=True)
    decoder.end_utt()


def align_words(samples: NDArray, words: Sequence[str]) -> list[Mark]:
    """Find when each phone of the words is spoken.

    Parameters
    ----------
    samples : (S,) int16 array
        At `RATE`.
    words : sequence of str
        What is said, in order; letters are spelt.

    Returns
    -------
    list of Mark
        In order of time, pauses left out.

    Raises
    ------
    TalkfaceError
        If pocketsphinx is not installed, does not know a word, or cannot fit the words to the sound.
    """
    said = " ".join(words).lower()
    decoder, sound = _decoder(recognises=False), samples.tobytes()
    try:
        decoder.set_align_text(said)
        _hear(decoder, sound)  # words first, then their phones
        decoder.set_alignment()
        _hear(decoder, sound)
        found = [phone for word in decoder.get_alignment() for phone in word]
    except RuntimeError as error:
        raise TalkfaceError(
            f"{said!r}: does not fit the sound ({error}); the words that are spoken were expected"
        ) from None
    return [
        Mark(each.name, STEP_S * each.start, STEP_S * (each.start + each.duration))
        for each in found
        if each.name not in SILENT
    ]


def recognise_words(samples: NDArray) -> list[str]:
    """Recognise English words in samples (S,), int16 at `RATE`; raise a TalkfaceError without pocketsphinx."""
    decoder = _decoder(recognises=True)
    _hear(decoder, samples.tobytes())
    heard = decoder.hyp()
    return [] if heard is None else heard.hypstr.split()


def _pieces(samples: NDArray) -> Iterator[tuple[float, NDArray]]:
    """Cut samples (S,) where they are quiet into pieces of at most `PIECE_S`; yield the second each begins, and it."""
    start, most, window = 0, round(PIECE_S * RATE), round(QUIET_S * RATE)
    while len(samples) - start > most:
        half = start + most // 2
        power = np.square(samples[half : start + most].astype(np.float64))
        end = half + int(np.convolve(power, np.ones(window), "valid").argmin()) + window // 2
        yield start / RATE, samples[start:end]
        start = end
    yield start / RATE, samples[start:]


def _at(begin_s: float, marks: Iterable[Mark]) -> list[Mark]:
    """Return marks that count from a second as marks that count from the start."""
    return [Mark(name, begin_s + start, begin_s + end) for name, start, end in marks]


def recognise_phones(samples: NDArray) -> list[Mark]:
    """Recognise English words and align them; arguments, return value and errors as `align_words`."""
    found = []
    for begin, piece in _pieces(samples):
        said = recognise_words(piece)
        try:
            found += _at(begin, align_words(piece, said)) if said else []
        except TalkfaceError as error:
            log.info("from %.1f s on: %s", begin, error)
    return found


def align_timed_words(samples: NDArray, words: Sequence[Mark], *, begin_s: float = 0.0) -> list[Mark]:
    """Find when each phone is spoken of words whose times are known roughly, in sound of any length.

    Where words do not fit, and in sound longer than `PIECE_S`, each half between the pauses is taken for itself; a word
    that does not fit alone is left out, and said in the log. Arguments as `align_words`; `begin_s` is where samples
    begin.
    """
    short = len(samples) <= PIECE_S * RATE
    try:
        if short or len(words) < 2:
            return _at(begin_s, align_words(samples, [word.name for word in words])) if words else []
    except TalkfaceError as error:
        if len(words) < 2:
            log.info("from %.1f s on: %s", begin_s, error)
            return []
    quarter = len(words) // 4
    inside = range(max(1, quarter), max(2, len(words) - quarter))
    cut = max(inside, key=lambda n: words[n].start_s - words[n - 1].end_s)
    middle_s = (words[cut - 1].end_s + words[cut].start_s) / 2
    at = min(max(round((middle_s - begin_s) * RATE), 0), len(samples))
    return [
        *align_timed_words(samples[:at], words[:cut], begin_s=begin_s),
        *align_timed_words(samples[at:], words[cut:], begin_s=begin_s + at / RATE),
    ]


def find_phones(samples: NDArray, marks: Sequence[Mark] = ()) -> tuple[list[Mark], str]:
    """Find the phones of a clip: its marks, if they are phones; else of its words; else of the words recognised.

    Parameters
    ----------
    samples : (S,) int16 array
        At `RATE`.
    marks : sequence of Mark
        See `annotations.read_marks`; may be empty.

    Returns
    -------
    marks : list of Mark
        In order of time, pauses left out.
    source : str
        Of `SOURCES`, or why there are none.
    """
    if are_phones(marks):
        return [mark for mark in marks if mark.name and mark.name not in SILENT], "marks"
    if not aligner():
        return [], MISSING
    words = [mark for mark in marks if mark.name and mark.name not in SILENT]
    found = align_timed_words(samples, words)
    if found:
        return found, "words"
    found = recognise_phones(samples)
    return found, "recognised" if found else "no English words were recognised"


def write_phones(
    audio: str | Path,
    output: str | Path,
    *,
    clips: Sequence[str],
    marks: Mapping[str, str | Path],
    start_s: Sequence[float | None],
    end_s: Sequence[float | None],
) -> None:
    """Write the table of phones of clips.

    Parameters
    ----------
    audio : path
        results/audio/{shard}.h5.
    output : path
        results/phones/{shard}.tsv, layout above.
    clips : sequence of str
    marks : mapping of clip to its file of marks
        Of those that have one; one that cannot be read is said in the log, and counts as none.
    start_s, end_s : sequences of float or None
        The stretch of the video that each clip is.
    """
    rows: list[tuple[str, str, float, float, str]] = []
    with h5py.File(audio, "r") as file:
        for clip, start, end in zip(clips, start_s, end_s, strict=True):
            if clip not in file or not len(file[clip]):  # it has no sound, and quality control says so
                continue
            master, known = file[clip], list[Mark]()
            try:
                known = read_marks(marks[clip], start_s=start, end_s=end) if clip in marks else known
            except TalkfaceError as error:
                log.warning("%s; its phones are recognised", error)
            found, source = find_phones(resample(master[:], int(master.attrs["rate"]), RATE), known)
            rows += [(clip, *mark, source) for mark in found] or [(clip, "", np.nan, np.nan, source)]
            log.info("%s: %d phones (%s)", clip, len(found), source)
    with writing(output) as temporary:
        pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(temporary, sep="\t", index=False, float_format="%.3f")


def read_phones(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Read tables of phones, columns as above; a clip of which none are known has one row, without a name."""
    texts = dict.fromkeys(("clip", "name", "source"), str)
    tables = [
        pd.read_csv(path, sep="\t", dtype=texts, keep_default_na=False, na_values={"start_s": [""], "end_s": [""]})
        for path in paths
    ]
    return pd.concat([pd.DataFrame(columns=list(COLUMNS)), *tables], ignore_index=True)
