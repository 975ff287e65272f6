"""Checks against leaks: recordings, speakers and noise that must not be on both sides. A leak ends the run.

The digests are those of the files that were read, so that a copy under another name is found; a clip encoded anew is
not.
"""

import itertools
import logging
from collections.abc import Sequence
from pathlib import Path

import h5py
import pandas as pd

from talkface.conventions import UNSEEN
from talkface.corpus.sheet import TIMES
from talkface.errors import TalkfaceError
from talkface.training.dataset import read_index

log = logging.getLogger(__name__)


def check_splits(dataset: str | Path, *, sheet: str | Path, split_by: str) -> None:
    """Refuse a dataset whose splits share what they must not.

    Parameters
    ----------
    dataset : path
        results/dataset/{corpus}.h5.
    sheet : path
        Which stretch of its file a clip is.
    split_by : {"speaker", "clip"}
        With "speaker" no speaker stands in two splits; those of the split `unseen` never do.

    Raises
    ------
    TalkfaceError
        If clips of two splits are stretches of one file that overlap, or a speaker stands where none may.
    """
    clips = read_index(dataset).join(read_stretches(sheet)).fillna({"start_s": 0.0, "end_s": float("inf")})
    for _, rows in clips[clips["digest"].duplicated(keep=False)].groupby("digest"):
        if rows["split"].nunique() > 1:
            _refuse_overlaps(rows, dataset)
    for speaker, rows in clips.groupby("speaker"):
        splits = sorted(set(rows["split"]))
        if len(splits) > 1 and (split_by == "speaker" or UNSEEN in splits):
            raise TalkfaceError(
                f"{dataset}: speaker {speaker} stands in the splits {' and '.join(splits)}; in one was expected, or "
                "the test would not be of an unseen speaker; correct the sheet"
            )
    log.info("%s: %d clips; no recording and no speaker on two sides that must not be", dataset, len(clips))


def _refuse_overlaps(rows: pd.DataFrame, dataset: str | Path) -> None:
    """Raise a TalkfaceError if clips of one file (index clip) overlap and stand in different splits."""
    for one, other in itertools.combinations(rows.reset_index().to_dict("records"), 2):
        overlap = max(one["start_s"], other["start_s"]) < min(one["end_s"], other["end_s"])
        if overlap and one["split"] != other["split"]:
            raise TalkfaceError(
                f"{dataset}: {one['clip']} ({one['split']}) and {other['clip']} ({other['split']}) are the same "
                "recording; in one split was expected, or the test would measure memory; take one of them out of the "
                "sheet"
            )


def read_stretches(sheet: str | Path) -> pd.DataFrame:
    """Read where clips begin and end, seconds: index clip, columns start_s and end_s, NaN where the sheet has none."""
    table = pd.read_csv(sheet, sep="\t", dtype=str, comment="#", keep_default_na=False, encoding="utf-8-sig")
    table = table.set_index("clip").reindex(columns=list(TIMES))
    return table.apply(pd.to_numeric, errors="coerce")


def check_noise(evaluation: str | Path, *, training: Sequence[str | Path], dataset: str | Path, model: str) -> None:
    """Refuse noise for evaluation that a model knows from its training, or that is a clip of the corpus.

    Parameters
    ----------
    evaluation : path
        results/evaluation/noise.h5.
    training : sequence of paths
        Files of noise the model was trained with; recordings without a digest, as in files of other systems, are not
        known.
    dataset : path
        results/dataset/{corpus}.h5.
    model : str

    Raises
    ------
    TalkfaceError
        If a recording stands on both sides.
    """
    judged = read_digests(evaluation)
    for path in training:
        known = read_digests(path)
        for digest in sorted(set(judged) & set(known)):
            raise TalkfaceError(
                f"{evaluation}: {judged[digest]} is {known[digest]} of {path}, with which {model} was trained; "
                "noise it never heard was expected; change the folders of noise or evaluate.noise in the config"
            )
        if not known:
            log.warning("%s: no digests; whether evaluation uses the same recordings is not known", path)
    clips = read_index(dataset)
    for row in clips[clips["digest"].isin(list(judged))].reset_index().to_dict("records"):
        raise TalkfaceError(
            f"{evaluation}: {judged[row['digest']]} is the clip {row['clip']} of the corpus; another recording was "
            "expected; change evaluate.noise in the config"
        )


def read_digests(path: str | Path) -> dict[str, str]:
    """Read the digest of each file that a file of noise is made of, and the name of the recording it went into."""
    found: dict[str, str] = {}

    def note(name: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset):
            found.update(dict.fromkeys(filter(None, str(item.attrs.get("digest", "")).split(",")), name))

    try:
        with h5py.File(path, "r") as file:
            file.visititems(note)
    except OSError as error:
        raise TalkfaceError(f"{path}: not readable as HDF5 ({error}); delete it to have it made again") from None
    return found
