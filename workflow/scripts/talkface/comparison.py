"""The models of a catalogue side by side: how each was trained and how well it does, one row a model.

results/evaluation/zoo.tsv:

| column | holds |
|---|---|
| model | entry of the catalogue, or external-<name> |
| steps | of the optimiser; 0 for what was not trained here |
| lip_rmse | percent of the outer-eye distance |
| lip_rmse_mean_face, lip_rmse_shuffled | the same of the mean training face; of the model's frames in random order |
| opening_correlation | of predicted and true mouth opening, -1 .. 1 |
| lip_rmse_first_difference, lip_rmse_second_difference | of the differences from frame to frame |
| parameters | numbers that training moves |
| learning_rate, schedule | of the optimiser |
| batch | stretches x frames of a step |
| seconds | of training, wall clock |

All measures are means over the test clips of results/evaluation/summary.tsv.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from talkface.checkpoint import read_file
from talkface.evaluation import write_table

MEASURES = {
    "lip_rmse": "lip_rmse",
    "lip_rmse_shuffled": "lip_rmse_shuffled",
    "mouth_opening_correlation": "opening_correlation",
    "lip_rmse_first_difference": "lip_rmse_first_difference",
    "lip_rmse_second_difference": "lip_rmse_second_difference",
}
COLUMNS = (
    *("model", "steps", "lip_rmse", "lip_rmse_mean_face", "lip_rmse_shuffled", "opening_correlation"),
    *("lip_rmse_first_difference", "lip_rmse_second_difference"),
    *("parameters", "learning_rate", "schedule", "batch", "seconds"),
)


def compare_models(summary: str | Path, output: str | Path, *, weights: Mapping[str, str | Path]) -> pd.DataFrame:
    """Write the table above.

    Parameters
    ----------
    summary : path
        results/evaluation/summary.tsv.
    output : path
        results/evaluation/zoo.tsv.
    weights : mapping of model to its results/models/{model}/weights.pt
        What stands in the summary and not here was made elsewhere.

    Returns
    -------
    DataFrame
        The table, best lip error first.
    """
    measured = pd.read_csv(summary, sep="\t")
    wide = measured.pivot_table(index="model", columns="measure", values="value")
    mean_face = wide.at["mean_face", "lip_rmse"]
    rows = []
    for model in wide.index.drop("mean_face"):
        row = {"model": model, "steps": 0, "lip_rmse_mean_face": mean_face}
        row |= {column: wide.at[model, measure] for measure, column in MEASURES.items()}
        if model in weights:
            row |= _training(read_file(weights[model]))
        rows.append(row)
    table = pd.DataFrame(rows, columns=COLUMNS).sort_values("lip_rmse", ignore_index=True)
    write_table(table, output)
    return table


def _training(content: Mapping) -> dict[str, object]:
    """How a model was trained, from its weights file."""
    facts, config = content["facts"], content["config"]
    return {
        "steps": facts["steps"],
        "parameters": facts["parameters"],
        "learning_rate": config.get("learning_rate"),
        "schedule": config.get("schedule"),
        "batch": f"{config['stretches']} x {config['frames']}" if facts["steps"] else None,
        "seconds": facts["seconds"],
    }
