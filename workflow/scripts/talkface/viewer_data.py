"""What the viewer shows: the worst clips of the evaluated splits, their truth, and what each model makes of them.

results/viewer/faces.h5 has the layout of `talkface.worst`.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import torch

from talkface.results import read_clips
from talkface.training.dataset import read_index
from talkface.worst import TOLD, write_faces

log = logging.getLogger(__name__)


def choose_rows(tables: Mapping[str, str | Path], index: pd.DataFrame, *, models: Sequence[str],
                splits: Sequence[str], clips: int) -> pd.DataFrame:  # fmt: skip
    """The worst clips, and a row for each with each model.

    Parameters
    ----------
    tables : mapping of model to its results/evaluation/clips/{model}.tsv
        Of those models that were evaluated; the others say nothing on which clips are the worst. With none of them, the
        first clips of the dataset are chosen.
    index : DataFrame
        Clips with speaker and split, see `dataset.read_index`.
    models : sequence of str
    splits : sequence of str
    clips : int
        The most that are chosen.

    Returns
    -------
    DataFrame
        model, split, clip, speaker, lip_rmse, opening_correlation (NaN where the model was not evaluated); models in
        their order, clips in each by their mean lip error over the models, the worst first.
    """
    known = index[index["split"].isin(splits)].rename_axis("clip").reset_index()[["clip", "split", "speaker"]]
    measured = pd.DataFrame(columns=["model", "clip", *TOLD[:2]])
    if tables:
        measured = read_clips(tables)[["model", "clip", *TOLD[:2]]]
        errors = known["clip"].map(measured.groupby("clip")["lip_rmse"].mean())
        known = known.loc[errors.sort_values(ascending=False, na_position="last", kind="stable").index]
    pairs = pd.MultiIndex.from_product([models, known["clip"].head(clips)], names=["model", "clip"])
    rows = pairs.to_frame(index=False).merge(known, on="clip", how="left")
    return rows.merge(measured.astype(dict.fromkeys(TOLD[:2], float)), on=["model", "clip"], how="left")


def predict_viewer(
    tables: Mapping[str, str | Path],
    output: str | Path,
    *,
    dataset: str | Path,
    audio: Sequence[str | Path],
    weights: Mapping[str, str | Path],
    folders: Mapping[str, str | Path],
    splits: Sequence[str],
    clips: int,
    seed: int,
    threads: int = 1,
    device: str = "auto",
) -> None:
    """Write truth, sound and predictions of the worst clips.

    Parameters
    ----------
    tables : mapping of model to its results/evaluation/clips/{model}.tsv
        See `choose_rows`.
    output : path
        results/viewer/faces.h5.
    dataset : path
        results/dataset/{corpus}.h5, whose shapes are the truth.
    audio : sequence of paths
        results/audio/{shard}.h5 of the clips of these splits.
    weights : mapping of model to its weights.pt
    folders : mapping of external-{name} to its folder of {clip}.npy
    splits : sequence of str
        The clips that can be chosen.
    clips : int
        The most that are.
    seed : int
        Of networks that draw while predicting.
    threads : int
        Of the CPU.
    device : str
        "auto", "cpu" or "cuda".

    Raises
    ------
    TalkfaceError
        If a prediction made elsewhere is missing or cannot be used.
    """
    torch.set_num_threads(threads)
    models = [*weights, *folders]
    rows = choose_rows(tables, read_index(dataset), models=models, splits=splits, clips=clips)
    write_faces(rows, output, dataset=dataset, audio=audio, weights=weights, folders=folders, seed=seed, device=device)
