"""Faces of the worst clips of an evaluation, for films and pages: truth, predictions and sound.

results/evaluation/worst.h5 and results/viewer/faces.h5:

| dataset | shape, type | holds |
|---|---|---|
| truth/{clip} | (T, 68, 2) float32 | template frame, 25 fps; attributes `speaker`, `split` |
| sound/{clip} | (S,) int16 | the master; attribute `rate`, Hz |
| prediction/{model}/{clip} | (T, 68, 2) float32 | from clean sound; attributes as the columns of worst.tsv |
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from talkface.evaluation import metrics
from talkface.evaluation.evaluate import Material, read_material
from talkface.evaluation.tables import read_clean_clips, read_worst
from talkface.files import writing
from talkface.media.sound import count_frames
from talkface.models.checkpoint import read_file, unpack_network
from talkface.models.devices import choose_device
from talkface.noise.mixing import to_rate
from talkface.prediction.external import read_prediction
from talkface.prediction.streaming import predict_samples
from talkface.training.dataset import read_index

log = logging.getLogger(__name__)

ATTRIBUTES = ("lip_rmse", "opening_correlation", "speaker")


def predict_worst(
    worst: str | Path,
    output: str | Path,
    *,
    dataset: str | Path,
    audio: Sequence[str | Path],
    weights: Mapping[str, str | Path],
    folders: Mapping[str, str | Path],
    seed: int,
    threads: int = 1,
    device: str = "auto",
) -> None:
    """Write truth, sound and predictions of the clips that worst.tsv lists.

    Parameters
    ----------
    worst : path
        results/evaluation/worst.tsv.
    output : path
        results/evaluation/worst.h5, see above.
    dataset : path
        results/dataset/{corpus}.h5, whose shapes are the truth.
    audio : sequence of paths
        results/audio/{shard}.h5 of the clips.
    weights : mapping of model to its weights.pt
    folders : mapping of external-{name} to its folder of {clip}.npy
        Models that are in neither mapping are left out.
    seed : int
        Of networks that draw while predicting.
    threads : int
        Of the CPU.
    device : str
        "auto", "cpu" or "cuda".
    """
    torch.set_num_threads(threads)
    rows = read_worst(worst)
    rows = rows[rows["model"].isin([*weights, *folders])]
    write_faces(rows, output, dataset=dataset, audio=audio, weights=weights, folders=folders, seed=seed, device=device)


def write_faces(
    rows: pd.DataFrame,
    output: str | Path,
    *,
    dataset: str | Path,
    audio: Sequence[str | Path],
    weights: Mapping[str, str | Path],
    folders: Mapping[str, str | Path],
    seed: int,
    device: str,
) -> None:
    """Write truth, sound and predictions, see above.

    Parameters
    ----------
    rows : DataFrame
        A row a prediction: split, model, clip, speaker, lip_rmse, opening_correlation. Where lip_rmse is not known both
        measures are taken here.
    output, dataset, audio, weights, folders, seed, device
        See `predict_worst`; each model is in one of the two mappings.
    """
    splits = dict.fromkeys(rows["split"])
    material = {item.clip: item for split in splits for item in read_material(dataset, split, audio=audio)}
    with writing(output) as temporary, h5py.File(temporary, "w") as file:
        for clip in dict.fromkeys(rows["clip"]):
            item = material[clip]
            file[f"truth/{clip}"] = item.truth[..., :2].astype(np.float32)
            file[f"truth/{clip}"].attrs.update(speaker=item.speaker, split=item.split)
            file[f"sound/{clip}"] = item.samples
            file[f"sound/{clip}"].attrs["rate"] = item.rate
        for model in dict.fromkeys(rows["model"]):
            predict = (
                predict_with(weights[model], seed=seed, device=device)
                if model in weights
                else read_from(folders[model])
            )
            for row in rows[rows["model"] == model].to_dict("records"):
                item, name = material[row["clip"]], f"prediction/{model}/{row['clip']}"
                prediction = predict(item)
                if np.isnan(row["lip_rmse"]):
                    row["lip_rmse"] = metrics.LIP(prediction, item.truth)
                    row["opening_correlation"] = metrics.opening_correlation(prediction, item.truth)
                file[name] = prediction[..., :2].astype(np.float32)
                file[name].attrs.update({key: row[key] for key in ATTRIBUTES})
    log.info("%s: %d clips, %d predictions", output, rows["clip"].nunique(), len(rows))


def predict_with(weights: str | Path, *, seed: int, device: str) -> Callable[[Material], NDArray]:
    """Return a function that predicts a clip, (T, 68, 2 or 3), from its clean sound with a trained network."""
    chosen = choose_device(device)
    network = unpack_network(read_file(weights)).to(chosen)

    def predict(item: Material) -> NDArray:
        return predict_samples(network, to_rate(item.sound, item.rate, network.rate), seed=seed, device=chosen)

    return predict


def read_from(folder: str | Path) -> Callable[[Material], NDArray]:
    """Return a function that reads what was predicted elsewhere for a clip, (T, 68, 2 or 3)."""

    def predict(item: Material) -> NDArray:
        frames = count_frames(len(item.samples), item.rate)
        return read_prediction(Path(folder) / f"{item.clip}.npy", frames=frames)

    return predict


log = logging.getLogger(__name__)


def choose_rows(tables: Mapping[str, str | Path], index: pd.DataFrame, *, models: Sequence[str],
                splits: Sequence[str], clips: int) -> pd.DataFrame:  # fmt: skip
    """Choose the worst clips; return a row for each with each model.

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
    measured = pd.DataFrame(columns=["model", "clip", *ATTRIBUTES[:2]])
    if tables:
        measured = read_clean_clips(tables)[["model", "clip", *ATTRIBUTES[:2]]]
        errors = known["clip"].map(measured.groupby("clip")["lip_rmse"].mean())
        known = known.loc[errors.sort_values(ascending=False, na_position="last", kind="stable").index]
    pairs = pd.MultiIndex.from_product([models, known["clip"].head(clips)], names=["model", "clip"])
    rows = pairs.to_frame(index=False).merge(known, on="clip", how="left")
    return rows.merge(measured.astype(dict.fromkeys(ATTRIBUTES[:2], float)), on=["model", "clip"], how="left")


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
