"""The models of a catalogue in one table."""

import numpy as np
import pandas as pd
import pytest

from talkface.evaluation.comparison import COLUMNS, compare_models, read_steps
from talkface.evaluation.summary import COLUMNS as TIDY
from talkface.models.checkpoint import pack_network, save_file
from tests.toy_corpus import make_network, toy_shape_model


@pytest.fixture
def summary(tmp_path):
    values = {
        "floor:mean_face": {"lip_rmse": 3.0},
        "truth": {"lip_rmse": 0.0},
        "good": {"lip_rmse": 1.5, "opening_correlation": 0.9, "training_steps": 7},
        "good:shuffled": {"lip_rmse": 4.0},
        "external-other": {"lip_rmse": 2.5, "opening_correlation": 0.5},
        "external-other:shuffled": {"lip_rmse": 3.5},
    }
    rows = [
        (model, "toy", "dlib", split, condition, np.nan, measure, value + added, np.nan, np.nan, 3)
        for split, condition, added in (("test", "clean", 0), ("unseen", "clean", 9), ("test", "pink", 9))
        for model, measures in values.items()
        for measure, value in (measures | {"lip_rmse_first_difference": 0.5, "lip_rmse_second_difference": 0.7}).items()
    ]
    pd.DataFrame(rows, columns=TIDY).to_csv(tmp_path / "summary.tsv", sep="\t", index=False)
    return tmp_path / "summary.tsv"


def test_one_row_a_model_with_how_it_was_trained_and_how_well_it_does(summary, tmp_path):
    content = pack_network(make_network("talkface"), name="talkface", arguments={}, shape_model=toy_shape_model())
    content |= {"facts": {"steps": 7, "parameters": 12, "seconds": 1.5, "best_step": 5, "valid_loss": 0.25}}
    content["facts"]["stopped_early"] = True
    content |= {"config": {"learning_rate": 0.01, "schedule": "cosine", "stretches": 4, "frames": 30}}
    save_file(tmp_path / "good.pt", content)
    assert read_steps({"good": tmp_path / "good.pt"}) == {"good": 7}
    compare_models(summary, tmp_path / "zoo.tsv", split="test", weights={"good": tmp_path / "good.pt"})
    table = pd.read_csv(tmp_path / "zoo.tsv", sep="\t")
    assert tuple(table.columns) == COLUMNS
    assert list(table["model"]) == ["good", "external-other"]
    good, other = table.iloc[0], table.iloc[1]
    assert (good["steps"], good["batch"], good["learning_rate"], good["schedule"]) == (7, "4 x 30", 0.01, "cosine")
    assert (good["best_step"], good["valid_loss"], good["stopped_early"]) == (5, 0.25, "yes")
    assert good["lip_rmse"] == 1.5
    assert good["lip_rmse_mean_face"] == other["lip_rmse_mean_face"] == 3
    assert (good["lip_rmse_shuffled"], good["opening_correlation"]) == (4, 0.9)
    assert other["steps"] == 0
    assert pd.isna(other["batch"])
