"""Training and what follows it, each rule alone, on a made-up dataset."""

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml

from talkface.checkpoint import load_network
from tests.toy_corpus import toy_clip, toy_dataset
from tests.workflow.conftest import run_snakemake

TINY = {
    "talkface": {"max_epochs": 1, "min_steps": 3, "arguments": {"bands": 16, "channels": 16, "hidden": 16}},
    "cnn": {"max_steps": 2, "stretches": 2, "frames": 4},
}
FILES = ("weights.pt", "curve.tsv", "config.yaml", "card.md")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working folder with a dataset and a wav file."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "results" / "dataset").mkdir(parents=True)
    toy_dataset(folder / "results" / "dataset" / "demo.h5", train=6, components=16)
    (folder / "results" / "audio").mkdir()
    soundfile.write(folder / "results" / "audio" / "iris_1.wav", toy_clip("x", rates=(8_000,)).audio[8_000], 8_000)
    (folder / "tiny.yaml").write_text(yaml.safe_dump({"models": TINY}))
    return folder


RULES = ("train_model", "predict_landmarks", "evaluate_model", "summarise_evaluation", "plot_curves")


def run(project, folder, *targets, check=True):
    allowed = ("--allowed-rules", *RULES, "train_all", "evaluate_all", "--")
    return run_snakemake(
        project, "--cores", "2", "--configfile", "tiny.yaml", *allowed, *targets, cwd=folder, check=check
    )


@pytest.fixture(scope="module")
def trained(project, folder):
    """All rules once, in one run: each start of snakemake and of torch takes seconds."""
    run(project, folder, "train_all", "evaluate_all", "results/predictions/cnn/iris_1.npy")
    return folder


def test_train_model_writes_all_it_declares(trained):
    for model in ("talkface", "cnn"):
        made = trained / "results" / "models" / model
        assert sorted(path.name for path in made.iterdir()) == sorted(FILES)
        assert yaml.safe_load((made / "config.yaml").read_text())[model]["network"] == model
        load_network(made / "weights.pt")
        assert (trained / "results" / "logs" / "train_model" / f"{model}.log").read_text()
    assert pd.read_csv(trained / "results" / "models" / "talkface" / "curve.tsv", sep="\t")["step"].iloc[-1] == 3


def test_predict_landmarks(trained):
    faces = np.load(trained / "results" / "predictions" / "cnn" / "iris_1.npy")
    assert faces.shape == (60 * 320 // 320 + 1, 68, 2)
    assert faces.dtype == np.float32


def test_evaluate_all(trained):
    summary = pd.read_csv(trained / "results" / "evaluation" / "summary.tsv", sep="\t")
    assert list(summary["model"].unique()) == ["mean_face", "talkface", "cnn"]
    assert summary.set_index(["model", "measure"]).at[("cnn", "training_steps"), "value"] == 2
    assert (trained / "results" / "evaluation" / "curves.svg").stat().st_size > 5_000


def test_bad_speech_fails_in_one_line_and_leaves_the_rest(project, trained):
    bad = np.zeros(8_000, np.float32)
    bad[100] = np.nan
    soundfile.write(trained / "results" / "audio" / "iris_2.wav", bad, 8_000, subtype="FLOAT")
    done = run(project, trained, "results/predictions/cnn/iris_2.npy", check=False)
    assert done.returncode != 0
    assert "talkface: results/audio/iris_2.wav: samples that are no numbers" in done.stdout
    assert "Traceback" not in done.stdout.split("talkface: results")[0]
    assert (trained / "results" / "models" / "cnn" / "weights.pt").exists()


def test_a_change_of_one_model_retrains_no_other(project, trained):
    changed = {"models": TINY | {"cnn": TINY["cnn"] | {"max_steps": 1}}, "drawing": {}, "evaluate": {"split": "valid"}}
    (trained / "changed.yaml").write_text(yaml.safe_dump(changed))
    command = (
        "--cores",
        "2",
        "--configfile",
        "changed.yaml",
        "--dry-run",
        "--allowed-rules",
        *RULES,
        "train_all",
        "--",
    )
    done = run_snakemake(project, *command, "train_all", cwd=trained)
    assert "Training cnn" in done.stdout
    assert "Training talkface" not in done.stdout
