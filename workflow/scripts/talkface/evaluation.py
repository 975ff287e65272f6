"""How well trained networks do on the test clips, next to predictions that know nothing.

results/evaluation/{model}.tsv and summary.tsv are tidy: one row a number.

| column | holds |
|---|---|
| model | entry of the catalogue, or mean_face: the mean of the training frames, whatever is said |
| corpus, split | on what |
| condition, snr_db | of the sound: clean, and no number |
| measure | see below |
| value | mean over clips |
| low, high | 95 % interval of that mean, by drawing the clips anew 1,000 times |
| clips | how many count; a clip whose correlation is not defined does not |

Measures: lip_rmse and face_rmse in percent of the outer-eye distance; the same with _shuffled, where the frames of the
prediction stand in random order; lip_rmse of the differences from frame to frame, _first_difference and
_second_difference; mouth_opening_correlation, -1 .. 1; training_steps.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from talkface import metrics, points
from talkface.checkpoint import read_file, unpack_network
from talkface.dataset import read_corpus, read_part, read_rates, read_shape_model
from talkface.devices import choose_device
from talkface.prediction import predict_samples
from talkface.storage import writing

log = logging.getLogger(__name__)

COLUMNS = ("model", "corpus", "split", "condition", "snr_db", "measure", "value", "low", "high", "clips")
DRAWS = 1_000  # of the bootstrap


def measure_clip(prediction: NDArray, truth: NDArray, *, generator: np.random.Generator) -> dict[str, float]:
    """All measures of one clip; shapes (T, 68, 2 or 3), template frame, of which x and y count.

    `generator` shuffles the frames of the control.
    """
    prediction = prediction[..., :2]
    control = metrics.shuffled(prediction, generator)
    return {
        "lip_rmse": metrics.rmse(prediction, truth, indices=points.LIPS),
        "lip_rmse_shuffled": metrics.rmse(control, truth, indices=points.LIPS),
        "lip_rmse_first_difference": metrics.rmse(prediction, truth, indices=points.LIPS, difference=1),
        "lip_rmse_second_difference": metrics.rmse(prediction, truth, indices=points.LIPS, difference=2),
        "face_rmse": metrics.rmse(prediction, truth),
        "face_rmse_shuffled": metrics.rmse(control, truth),
        "mouth_opening_correlation": metrics.opening_correlation(prediction, truth),
    }


def bootstrap(values: Sequence[float], *, generator: np.random.Generator) -> tuple[float, float]:
    """95 % interval of the mean of values (C,), drawn anew `DRAWS` times; NaN without values."""
    values = np.asarray(values, np.float64)
    if not len(values):
        return float("nan"), float("nan")
    means = values[generator.integers(0, len(values), (DRAWS, len(values)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def tidy(clips: Sequence[Mapping[str, float]], *, model: str, corpus: str, split: str, seed: int) -> pd.DataFrame:
    """Rows of the table above from the measures of each clip."""
    rows = []
    for measure in clips[0]:
        values = np.array([clip[measure] for clip in clips])
        values = values[np.isfinite(values)]
        low, high = bootstrap(values, generator=np.random.default_rng(seed))
        value = values.mean() if len(values) else float("nan")
        rows.append((model, corpus, split, "clean", np.nan, measure, value, low, high, len(values)))
    return pd.DataFrame(rows, columns=COLUMNS)


def write_table(table: pd.DataFrame, output: str | Path) -> None:
    """Write a tidy table, whole or not at all."""
    with writing(output) as temporary:
        table.to_csv(temporary, sep="\t", index=False, float_format="%.5g")


def evaluate_model(
    dataset: str | Path,
    output: str | Path,
    *,
    weights: str | Path,
    model: str,
    seed: int,
    split: str = "test",
    threads: int = 1,
    device: str = "auto",
) -> None:
    """Write the measures of one trained model.

    Parameters
    ----------
    dataset : path
        results/dataset/{corpus}.h5; its sound is predicted from, its shapes are the truth.
    output : path
        results/evaluation/{model}.tsv.
    weights : path
    model : str
        Name of the entry.
    seed : int
        Of the control and of the intervals.
    split : str
    threads : int
        Of the CPU.
    device : str
        "auto", "cpu" or "cuda".
    """
    torch.set_num_threads(threads)
    chosen = choose_device(device)
    content = read_file(weights)
    network = unpack_network(content).to(chosen)
    part = read_part(dataset, split, rate=network.rate)
    generator = np.random.default_rng(seed)
    clips = []
    for index in range(len(part)):
        prediction = predict_samples(network, part.audio_of(index), seed=seed, device=chosen)
        clips.append(measure_clip(prediction, part.shape_of(index), generator=generator))
    table = tidy(clips, model=model, corpus=read_corpus(dataset), split=split, seed=seed)
    steps = content["facts"]["steps"]
    table.loc[len(table)] = (
        model,
        table["corpus"][0],
        "train",
        "clean",
        np.nan,
        "training_steps",
        steps,
        *[np.nan] * 2,
        0,
    )
    write_table(table, output)
    log.info("%s\n%s", model, table.to_string())


def evaluate_mean_face(dataset: str | Path, *, seed: int, split: str = "test") -> pd.DataFrame:
    """Errors of the mean training face on the clips of a split: what a model must beat."""
    part = read_part(dataset, split, rate=read_rates(dataset)[0])
    mean = read_shape_model(dataset).mean
    clips = []
    for index in range(len(part)):
        truth = part.shape_of(index)
        face = np.broadcast_to(mean, truth.shape)
        measures = {"lip_rmse": metrics.rmse(face, truth, indices=points.LIPS), "face_rmse": metrics.rmse(face, truth)}
        for order, name in ((1, "first"), (2, "second")):
            error = metrics.rmse(face, truth, indices=points.LIPS, difference=order)
            measures[f"lip_rmse_{name}_difference"] = error
        clips.append(measures)
    return tidy(clips, model="mean_face", corpus=read_corpus(dataset), split=split, seed=seed)


def summarise(
    tables: Mapping[str, str | Path], output: str | Path, *, dataset: str | Path, seed: int, split: str = "test"
) -> None:
    """Write one table of the mean face and all models.

    Parameters
    ----------
    tables : mapping of model to its results/evaluation/{model}.tsv
    output : path
        results/evaluation/summary.tsv.
    dataset : path
    seed : int
    split : str
    """
    parts = [evaluate_mean_face(dataset, seed=seed, split=split)]
    parts += [pd.read_csv(path, sep="\t", dtype={"snr_db": "float64"}) for path in tables.values()]
    write_table(pd.concat(parts, ignore_index=True), output)
