"""Tables of clips: every condition and control of a model, the floors, predictions of another clip's sound."""

import shutil

import h5py
import numpy as np
import pandas as pd
import pytest

from talkface.errors import TalkfaceError
from talkface.evaluation import evaluate, metrics
from talkface.evaluation.floors import measure_floors
from talkface.evaluation.tables import KEYS, read_clips
from talkface.models import checkpoint
from talkface.models.registry import build_network
from talkface.noise.mixing import TestNoises
from talkface.prediction.streaming import predict_samples
from talkface.report import figures
from talkface.training.dataset import read_part, read_shape_model
from tests.toy_corpus import toy_dataset
from tests.toy_evaluation import write_surroundings

SNR_DB = [-5, 25, 15]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return toy_dataset(tmp_path_factory.mktemp("toy") / "toy.h5", rates=(8_000,))


@pytest.fixture(scope="module")
def around(dataset):
    return write_surroundings(dataset.parent, dataset)


@pytest.fixture(scope="module")
def weights(dataset):
    """A network that moves: the loudness it hears opens the mouth a little."""
    shape_model = read_shape_model(dataset).first(2)
    network = build_network("cnn", shape_model, {})
    content = checkpoint.pack_network(network, name="cnn", arguments={}, shape_model=shape_model)
    checkpoint.save_file(dataset.parent / "weights.pt", content | {"facts": {"steps": 7}})
    return dataset.parent / "weights.pt"


def evaluate_toy(dataset, around, weights, output, **changed):
    shared, noise, _ = around
    keywords = shared | {"noise": noise, "training_noise": [], "weights": weights, "model": "toy", "splits": ["test"]}
    keywords |= {"snr_db": SNR_DB, "seed": 1, "device": "cpu"}
    evaluate.evaluate_model(dataset, output, **keywords | changed)
    return read_clips(output)


@pytest.fixture(scope="module")
def table(dataset, around, weights):
    return evaluate_toy(dataset, around, weights, dataset.parent / "toy.tsv")


def test_a_model_that_learnt_by_other_eyes_is_said_so(dataset, around, weights, tmp_path, caplog):
    content = checkpoint.read_file(weights)
    for detector, warned in (("mesh", True), ("dlib", False)):
        caplog.clear()
        checkpoint.save_file(tmp_path / "w.pt", content | {"facts": {"steps": 7, "detector": detector}})
        evaluate_toy(dataset, around, tmp_path / "w.pt", tmp_path / "toy.tsv", snr_db=[20, 20, 5])
        assert ("learnt from faces as mesh sees them" in caplog.text) == warned


def test_a_row_for_each_clip_condition_and_control(table):
    assert tuple(table) == (*KEYS, *metrics.MEASURES)
    assert not table.duplicated(list(KEYS)).any()
    assert set(table["model"]) == {"toy"}
    clean = table[table["condition"] == "clean"]
    assert sorted(clean["control"].unique()) == ["", "other_audio", "shuffled"]
    assert clean["snr_db"].isna().all()
    noisy = table[table["condition"] != "clean"]
    assert len(noisy) == 3 * 2 * 3  # clips, kinds, ratios
    assert sorted(noisy["snr_db"].unique()) == [-5, 10, 25]
    assert (noisy["control"] == "").all()


def test_the_truth_and_its_phones_are_named_in_each_row(table):
    assert set(table["detector"]) == {"dlib"}
    assert set(table["phones"]) == {"words"}
    assert table[["closure_rate", "closure_gap", "lip_rounding", "lip_teeth_gap"]].notna().all(axis=None)


def test_sound_that_the_dataset_moved_is_moved_here_with_its_phones(dataset, around, tmp_path):
    shared, _, _ = around
    plain = evaluate.read_material(dataset, "test", audio=shared["audio"], phones=shared["phones"])
    with h5py.File(shutil.copy(dataset, tmp_path / "moved.h5"), "a") as file:
        clips = list(file["clip"].asstr()[:])
        file["correction_ms"][clips.index(plain[0].clip)] = 100.0
    moved = evaluate.read_material(tmp_path / "moved.h5", "test", audio=shared["audio"], phones=shared["phones"])
    count = plain[0].rate // 10
    np.testing.assert_array_equal(moved[0].samples[:-count], plain[0].samples[count:])
    assert moved[0].spoken.bilabial[0][0] == pytest.approx(plain[0].spoken.bilabial[0][0] - 0.1)
    np.testing.assert_array_equal(moved[1].samples, plain[1].samples)


def test_clean_rows_are_those_of_plain_prediction(dataset, weights, table):
    network = checkpoint.load_network(weights)
    part = read_part(dataset, "test", rate=8_000)
    rows = table[(table["condition"] == "clean") & (table["control"] == "")].set_index("clip")
    faces = [predict_samples(network, part.audio_of(index), seed=1) for index in range(3)]
    for index, clip in enumerate(part.clips):
        expected = metrics.MEASURES["lip_rmse"].function(faces[index], part.shape_of(index))
        assert rows.at[clip, "lip_rmse"] == pytest.approx(expected, rel=1e-4)
    other = table[table["control"] == "other_audio"].set_index("clip")
    expected = metrics.MEASURES["lip_rmse"].function(faces[1], part.shape_of(0))
    assert other.at[part.clips[0], "lip_rmse"] == pytest.approx(expected, rel=1e-4)


def test_mixtures_are_the_same_for_all_models_and_others_for_each_condition(dataset, around):
    shared, noise, _ = around
    material = evaluate.read_material(dataset, "test", audio=shared["audio"])
    noises = TestNoises(noise)
    first = list(evaluate.mixtures(material, noises, snr_db=[0.0, 10.0], seed=1))
    again = list(evaluate.mixtures(material[1:], noises, snr_db=[10.0], seed=1))
    assert len(first) == 3 * 2 * 2
    same = next(found for found in first if found[:3] == again[0][:3])
    np.testing.assert_array_equal(same[3], again[0][3])
    heard = [found[3] - found[0].sound for found in first if found[0] is material[0] and found[2] == 10.0]
    assert abs(np.corrcoef(heard)[0, 1]) < 0.1  # another noise for each kind


def test_other_clips_are_of_other_speakers():
    assert evaluate.find_other(["a", "a", "b"], 0) == 2
    assert evaluate.find_other(["a", "b", "b"], 2) == 0
    assert evaluate.find_other(["a", "a"], 1) == 0
    assert evaluate.find_other(["a"], 0) is None


def test_ratios():
    assert evaluate.ratios([-10, 30, 5]) == [-10, -5, 0, 5, 10, 15, 20, 25, 30]
    assert evaluate.ratios([3, 3, 1]) == [3]
    with pytest.raises(TalkfaceError, match=r"evaluate\.snr_db: .* holds no value"):
        evaluate.ratios([0, -5, 5])


def test_floors_and_ceilings(dataset, around, tmp_path):
    shared, _, detector = around
    measure_floors(
        dataset, tmp_path / "floors.tsv", detector=detector[:2], splits=["test", "valid"],
        **shared | write_surroundings(tmp_path, dataset, splits=["test", "valid"])[0],
    )  # fmt: skip
    table = read_clips(tmp_path / "floors.tsv")
    counts = table.groupby(["split", "model"]).size()
    for name in ("floor:mean_face", "ceiling:shifted_1", "ceiling:shifted_2", "truth"):
        assert (counts.xs(name, level="model") == 3).all()
    assert counts["test", "ceiling:detector"] == 2  # of those clips that were found again
    rows = table[table["split"] == "test"].groupby("model")[list(metrics.MEASURES)].mean()
    assert rows.at["truth", "lip_rmse"] == 0
    assert rows.at["truth", "jitter_ratio"] == 1
    assert rows.at["ceiling:detector", "lip_rmse"] == pytest.approx(100 * np.sqrt(2) * 0.001, rel=1e-3)
    assert 0 < rows.at["ceiling:shifted_1", "lip_rmse"] < rows.at["ceiling:shifted_2", "lip_rmse"]
    assert rows.at["ceiling:shifted_1", "sync_truth_ms"] == pytest.approx(40, abs=3)
    part = read_part(dataset, "test", rate=8_000)
    mean = read_part(dataset, "train", rate=8_000).shape.mean(axis=0, dtype=np.float64)
    errors = []
    for index in range(len(part)):
        distance = np.linalg.norm(part.shape_of(index) - mean, axis=-1)[:, 48:]
        errors.append(np.sqrt((distance**2).mean(axis=1)).mean())
    assert rows.at["floor:mean_face", "lip_rmse"] == pytest.approx(100 * np.mean(errors), rel=1e-4)


def test_a_clip_without_sound_is_named(dataset, around, tmp_path):
    with pytest.raises(TalkfaceError, match="no sound of test1 in results/audio"):
        evaluate.read_material(dataset, "test", audio=[around[0]["audio"][0]])


def test_training_noise_ends_the_run(dataset, around, weights, tmp_path):
    with h5py.File(tmp_path / "noise.h5", "w") as file:
        file["street"] = np.ones(10, np.int16)
        file["street"].attrs["digest"] = "noise-white-two"
    with pytest.raises(TalkfaceError, match=r"white/two is street of .*noise\.h5, with which toy was trained"):
        evaluate_toy(dataset, around, weights, tmp_path / "toy.tsv", training_noise=[tmp_path / "noise.h5"])
    assert not (tmp_path / "toy.tsv").exists()


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
