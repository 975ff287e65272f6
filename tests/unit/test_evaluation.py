import numpy as np
import pandas as pd
import pytest

from talkface import checkpoint, evaluation, figures
from talkface.dataset import read_part, read_shape_model
from talkface.models import build_network
from tests.toy_corpus import toy_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return toy_dataset(tmp_path_factory.mktemp("toy") / "toy.h5")


@pytest.fixture
def weights(dataset, tmp_path):
    shape_model = read_shape_model(dataset).first(2)
    network = build_network("cnn", shape_model, {})
    content = checkpoint.pack_network(network, name="cnn", arguments={}, shape_model=shape_model)
    checkpoint.save_file(tmp_path / "weights.pt", content | {"facts": {"steps": 7}})
    return tmp_path / "weights.pt"


def test_a_perfect_prediction_measures_zero_and_its_shuffle_does_not(dataset):
    truth = read_part(dataset, "test", rate=8_000).shape_of(0)
    measured = evaluation.measure_clip(truth, truth, generator=np.random.default_rng(0))
    assert measured["lip_rmse"] == measured["face_rmse"] == 0
    assert measured["lip_rmse_shuffled"] > 1
    assert measured["mouth_opening_correlation"] == pytest.approx(1)


def test_tables_are_tidy(dataset, weights, tmp_path):
    table = tmp_path / "toy.tsv"
    evaluation.evaluate_model(dataset, table, weights=weights, model="toy", seed=1, device="cpu")
    evaluation.summarise({"toy": table}, tmp_path / "summary.tsv", dataset=dataset, seed=1)
    summary = pd.read_csv(tmp_path / "summary.tsv", sep="\t")
    assert tuple(summary) == evaluation.COLUMNS
    assert set(summary["model"]) == {"mean_face", "toy"}
    assert not summary.duplicated(["model", "split", "condition", "snr_db", "measure"]).any()
    toy = summary[summary["model"] == "toy"].set_index("measure")
    assert set(toy.index) == {
        *("lip_rmse", "lip_rmse_shuffled", "face_rmse", "face_rmse_shuffled"),
        *("mouth_opening_correlation", "training_steps"),
        *("lip_rmse_first_difference", "lip_rmse_second_difference"),
    }
    assert toy.at["training_steps", "value"] == 7
    assert toy.at["lip_rmse", "clips"] == 3
    assert toy.at["lip_rmse", "low"] <= toy.at["lip_rmse", "value"] <= toy.at["lip_rmse", "high"]


def test_the_mean_face_is_measured_by_hand(dataset):
    part = read_part(dataset, "test", rate=8_000)
    mean = read_part(dataset, "train", rate=8_000).shape.mean(axis=0, dtype=np.float64)
    errors = []
    for index in range(len(part)):
        distance = np.linalg.norm(part.shape_of(index) - mean, axis=-1)[:, 48:]
        errors.append(np.sqrt((distance**2).mean(axis=1)).mean())
    table = evaluation.evaluate_mean_face(dataset, seed=1).set_index("measure")
    assert table.at["lip_rmse", "value"] == pytest.approx(100 * np.mean(errors), rel=1e-5)
    assert set(table.index) == {
        "lip_rmse",
        "face_rmse",
        "lip_rmse_first_difference",
        "lip_rmse_second_difference",
    }


def test_clips_without_a_correlation_do_not_count():
    clips = [{"m": 0.5}, {"m": float("nan")}, {"m": 0.7}]
    table = evaluation.tidy(clips, model="x", corpus="y", split="test", seed=0)
    assert table["value"][0] == pytest.approx(0.6)
    assert table["clips"][0] == 2
    none = evaluation.tidy([{"m": float("nan")}], model="x", corpus="y", split="test", seed=0)
    assert none["value"].isna().all()
    assert none["clips"][0] == 0


def test_the_interval_of_a_mean():
    values = np.random.default_rng(0).normal(5, 1, 100)
    low, high = evaluation.bootstrap(values, generator=np.random.default_rng(1))
    assert high - low == pytest.approx(2 * 1.96 / 10, rel=0.2)
    assert low < values.mean() < high


@pytest.mark.parametrize("rows", [1, 30])
def test_curves_are_drawn(tmp_path, rows):
    step = np.arange(1, rows + 1) * 7
    for name in ("a", "b"):
        loss = 1 / step
        pd.DataFrame({"step": step, "epoch": 1, "train_loss": loss, "valid_loss": loss + 0.1, "seconds": 1.0}).to_csv(
            tmp_path / f"{name}.tsv", sep="\t", index=False
        )
    curves = {name: tmp_path / f"{name}.tsv" for name in ("a", "b")}
    figures.plot_curves(curves, tmp_path / "curves.svg")
    text = (tmp_path / "curves.svg").read_text()
    assert text.startswith("<?xml")
    assert len(text) > 10_000
