"""Comparison of the models of a catalogue: training settings and measures, one row a model.

results/evaluation/zoo.tsv:

| column | holds |
|---|---|
| model | entry of the catalogue, or external-<name> |
| detector | whose landmarks the truth is: dlib, mesh |
| learnt_from | whose landmarks the model learnt from; nothing where that is not known |
| steps | of the optimiser; 0 for what was not trained here |
| lip_rmse | percent of the outer-eye distance |
| lip_rmse_mean_face, lip_rmse_shuffled | the same of the mean training face; of the model's frames in random order |
| opening_correlation | of predicted and true mouth opening, -1 .. 1 |
| lip_rmse_first_difference, lip_rmse_second_difference | of the differences from frame to frame |
| parameters | numbers that training moves |
| learning_rate, schedule | of the optimiser |
| batch | stretches x frames of a step |
| seconds | of training, wall clock |
| best_step, valid_loss | the step whose weights were kept, and its loss on the validation clips |
| stopped_early | yes where the validation loss had stopped to fall before the limit of steps |

All measures are means over the clips of one split in results/evaluation/summary.tsv, in clean sound.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from talkface.evaluation.tables import CLEAN, write_table
from talkface.models.checkpoint import detector_of, read_file

MEAN_FACE = "floor:mean_face"
MEASURES = ("lip_rmse", "opening_correlation", "lip_rmse_first_difference", "lip_rmse_second_difference")
COLUMNS = (
    *("model", "detector", "learnt_from", "steps", "lip_rmse", "lip_rmse_mean_face", "lip_rmse_shuffled"),
    *("opening_correlation", "lip_rmse_first_difference", "lip_rmse_second_difference"),
    *("parameters", "learning_rate", "schedule", "batch", "seconds", "best_step", "valid_loss", "stopped_early"),
)


def compare_models(
    summary: str | Path, output: str | Path, *, split: str, weights: Mapping[str, str | Path]
) -> pd.DataFrame:
    """Write the table above.

    Parameters
    ----------
    summary : path
        results/evaluation/summary.tsv.
    output : path
        results/evaluation/zoo.tsv.
    split : str
    weights : mapping of model to its results/models/{corpus}/{model}/weights.pt
        What stands in the summary and not here was made elsewhere.

    Returns
    -------
    DataFrame
        The table, best lip error first.
    """
    measured = pd.read_csv(summary, sep="\t")
    measured = measured[(measured["split"] == split) & (measured["condition"] == CLEAN)]
    wide = measured.pivot_table(index="model", columns="measure", values="value")
    rows = []
    for model in wide.index[~wide.index.str.contains(":") & (wide.index != "truth")]:
        row = {"model": model, "detector": measured["detector"].iloc[0], "steps": 0}
        row |= {"lip_rmse_mean_face": wide.at[MEAN_FACE, "lip_rmse"]}
        row |= {measure: wide.at[model, measure] for measure in MEASURES if measure in wide}
        row["lip_rmse_shuffled"] = wide.at[f"{model}:shuffled", "lip_rmse"]
        if model in weights:
            content = read_file(weights[model])
            row |= _training(content) | {"learnt_from": detector_of(content)}
        rows.append(row)
    table = pd.DataFrame(rows, columns=COLUMNS).sort_values("lip_rmse", ignore_index=True)
    write_table(table, output)
    return table


def read_steps(weights: Mapping[str, str | Path]) -> dict[str, int]:
    """Read the steps of training of each model from its weights file; 0 for weights from elsewhere."""
    return {model: int(read_file(path)["facts"]["steps"]) for model, path in weights.items()}


def _training(content: Mapping) -> dict[str, object]:
    """Return the columns on training from the content of a weights file."""
    facts, config = content["facts"], content["config"]
    trained = {
        "batch": f"{config['stretches']} x {config['frames']}",
        "best_step": facts.get("best_step"),
        "valid_loss": facts.get("valid_loss"),
        "stopped_early": "yes" if facts.get("stopped_early") else "no",
    }
    return {
        "steps": facts["steps"],
        "parameters": facts["parameters"],
        "learning_rate": config.get("learning_rate"),
        "schedule": config.get("schedule"),
        "seconds": facts["seconds"],
        **(trained if facts["steps"] else {}),
    }
