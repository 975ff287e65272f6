"""Measures of one clip as in the replication toolkit of Eskimez et al. 2020, with the shuffled control.

results/evaluation/rmse_{clip}.tsv and {model}/rmse_{clip}.tsv, tab-separated, one row a model:

| column | holds |
|---|---|
| clip | on what |
| detector | whose landmarks the truth is: dlib, mesh |
| model | entry of the catalogue or external-<name>; floor:mean_face, the mean of the training frames whatever is said |
| frames | how many are compared: the shorter of truth and prediction |
| lip_rmse_width1 | the toolkit's measure: error of the lips (48 to 67), widths of the face, `metrics.rmse_width1` |
| face_rmse_width1 | the same over all 68 points |
| lip_rmse | error of the lips in percent of the outer-eye distance, as the evaluation has it, `metrics.rmse` |
| <measure>_shuffled | mean of the measure where the prediction's frames stand in random order |
| <measure>_shuffled_sd | standard deviation over those orders |
| shuffles | how many orders were drawn |

The mean face has no control: no order changes it. The first order drawn is that of the evaluation's own control.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from talkface.corpus.quality import why_rejected
from talkface.errors import TalkfaceError
from talkface.evaluation import metrics
from talkface.evaluation.tables import write_table
from talkface.face import points
from talkface.face.faces import load_shapes
from talkface.face.measured import read_shape
from talkface.noise.mixing import seed_of
from talkface.training.dataset import read_detector, read_shape_model

log = logging.getLogger(__name__)

MEASURES: dict[str, Callable[..., float]] = {
    "lip_rmse_width1": metrics.rmse_width1,
    "face_rmse_width1": partial(metrics.rmse_width1, indices=metrics.ALL),
    "lip_rmse": partial(metrics.rmse, indices=points.LIPS),
}
SHUFFLES = 20  # orders; their mean is then known to a quarter of their spread
FLOOR = "floor:mean_face"


def measure_rows(
    predictions: Mapping[str, NDArray], truth: NDArray, *, clip: str, detector: str, mean: NDArray, seed: int
) -> pd.DataFrame:
    """Make the table of a clip, see the head of this module.

    Parameters
    ----------
    predictions : mapping of model to (T', 68, 2) array
        Template frame.
    truth : (T, 68, 2) array
    clip, detector : str
    mean : (68, 2) array
        The mean face of the training frames.
    seed : int
        Of the orders, which are the same for predictions of one length.
    """
    rows: list[dict[str, Any]] = []
    for model, shapes in predictions.items():
        generator = np.random.default_rng(seed_of(seed, clip, "shuffled"))
        orders = [metrics.shuffled(shapes, generator) for _ in range(SHUFFLES)]
        row = {"clip": clip, "detector": detector, "model": model, "frames": min(len(shapes), len(truth))}
        for name, measure in MEASURES.items():
            control = [measure(order, truth) for order in orders]
            row |= {name: measure(shapes, truth), f"{name}_shuffled": np.mean(control)}
            row |= {f"{name}_shuffled_sd": np.std(control, ddof=1)}
        rows.append(row | {"shuffles": SHUFFLES})
    still = np.broadcast_to(mean, truth.shape)
    floor = {name: measure(still, truth) for name, measure in MEASURES.items()}
    rows.append({"clip": clip, "detector": detector, "model": FLOOR, "frames": len(truth), **floor, "shuffles": 0})
    columns = [column for name in MEASURES for column in (name, f"{name}_shuffled", f"{name}_shuffled_sd")]
    return pd.DataFrame(rows, columns=["clip", "detector", "model", "frames", *columns, "shuffles"])


def measure_clip(
    output: str | Path,
    *,
    clip: str,
    predictions: Mapping[str, str | Path],
    shapes: str | Path,
    landmarks: str | Path,
    sound: str | Path,
    dataset: str | Path,
    qc: Mapping[str, Any],
    seed: int,
) -> None:
    """Write the table of a clip.

    Parameters
    ----------
    output : path
        results/evaluation/rmse_{clip}.tsv.
    clip : str
    predictions : mapping of model to path
        results/predictions/{model}/{clip}.npy.
    shapes : path
        results/shapes/{speaker}.h5, the truth.
    landmarks, sound : path
        results/landmarks/{shard}.h5, results/audio/{shard}.h5: whether the clip is accepted.
    dataset : path
        results/dataset/{corpus}.h5, for the mean face.
    qc : mapping
        The limits of quality control, as in the config.
    seed : int

    Raises
    ------
    TalkfaceError
        If quality control rejects the clip, or a prediction is no array of faces.
    """
    reason = why_rejected(clip, audio=sound, landmarks=landmarks, **qc)
    if reason:
        raise TalkfaceError(f"{clip}: rejected ({reason}); an accepted clip was expected; results/qc/clips.tsv")
    found = {model: load_shapes(path) for model, path in predictions.items()}
    table = measure_rows(
        found,
        read_shape(shapes, clip),
        clip=clip,
        detector=read_detector(dataset),
        mean=read_shape_model(dataset).mean,
        seed=seed,
    )
    write_table(table, output)
    log.info("%s: %d models measured on %s", output, len(found), clip)
