"""Training and what follows it, each rule alone, on a made-up dataset."""

import shutil

import h5py
import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml

from talkface.models.checkpoint import load_network
from tests.toy_corpus import toy_clip, toy_dataset
from tests.toy_evaluation import write_surroundings
from tests.workflow.conftest import run_snakemake

TINY = {
    "talkface": {
        "max_epochs": 1,
        "min_steps": 3,
        "noise": None,
        "arguments": {"bands": 16, "channels": 16, "hidden": 16, "noise_share": 0.0},
    },
    "cnn": {"max_steps": 2, "stretches": 2, "frames": 4},
}
SETTINGS = {
    "clips": "sheet.tsv",
    "split_by": "clip",
    "media": {"clips_per_shard": 1},
    "models": TINY,
    "evaluate": {"snr_db": [0, 10, 10]},
}
FILES = ("weights.pt", "curve.tsv", "config.yaml", "card.md")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working folder with a dataset and a wav file."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "results" / "dataset").mkdir(parents=True)
    dataset = toy_dataset(folder / "results" / "dataset" / "demo.h5", train=6, components=16)
    write_surroundings(folder, dataset)
    (folder / "x.mp4").touch()  # of the sheet
    sound = toy_clip("x", rates=(8_000,)).audio[8_000]
    soundfile.write(folder / "results" / "audio" / "test0.wav", sound, 8_000)
    (folder / "tiny.yaml").write_text(yaml.safe_dump(SETTINGS))
    return folder


RULES = (
    *("train_model", "retrain_model", "predict_landmarks", "evaluate_model", "measure_floors", "summarise_evaluation"),
    *("compare_models", "plot_curves"),
)
TABLES = [f"results/evaluation/{name}.tsv" for name in ("summary", "pairs", "worst", "zoo")]


def run(project, folder, *targets, check=True):
    allowed = ("--allowed-rules", *RULES, "train_all", "--")
    return run_snakemake(
        project, "--cores", "2", "--configfile", "tiny.yaml", *allowed, *targets, cwd=folder, check=check
    )


@pytest.fixture(scope="module")
def trained(project, folder):
    """All rules once, in one run: each start of snakemake and of torch takes seconds."""
    run(project, folder, "train_all", *TABLES, "results/evaluation/curves.svg", "results/predictions/cnn/test0.npy")
    return folder


def test_train_model_writes_all_it_declares(trained):
    for model in ("talkface", "cnn"):
        made = trained / "results" / "models" / "demo" / model
        assert sorted(path.name for path in made.iterdir()) == sorted([*FILES, "state"])
        assert yaml.safe_load((made / "config.yaml").read_text())["models"][model]["network"] == model
        load_network(made / "weights.pt")
        assert (trained / "results" / "logs" / "train_model" / f"{model}.log").read_text()
    curve = pd.read_csv(trained / "results" / "models" / "demo" / "talkface" / "curve.tsv", sep="\t")
    assert curve["step"].iloc[-1] == 3


def test_predict_landmarks(trained):
    faces = np.load(trained / "results" / "predictions" / "cnn" / "test0.npy")
    assert faces.shape == (60 * 320 // 320 + 1, 68, 2)
    assert faces.dtype == np.float32


def test_evaluation(trained):
    summary, pairs, worst, zoo = (pd.read_csv(trained / name, sep="\t") for name in TABLES)
    floors = {f"floor:{name}" for name in ("mean_face", "loudness", "phones")} | {"truth"}
    floors |= {f"ceiling:{name}" for name in ("shifted_1", "shifted_2", "detector")}
    controls = {f"{model}:{control}" for model in ("talkface", "cnn") for control in ("shuffled", "other_audio")}
    assert set(summary["model"]) == {"talkface", "cnn"} | floors | controls
    assert set(summary["condition"]) == {"clean", "babble", "white", "all"}
    assert set(summary["snr_db"].dropna()) == {0, 10}
    steps = summary[summary["measure"] == "training_steps"].set_index("model")["value"]
    assert steps.to_dict() == {"talkface": 3, "cnn": 2}
    assert len(pairs) == 2 * 3 * 2  # orders, clean and two ratios, measures
    assert worst.groupby("model").size().to_dict() == {"cnn": 3, "talkface": 3}
    assert set(zoo["model"]) == {"talkface", "cnn"}
    clips = {path.stem for path in (trained / "results" / "evaluation" / "clips").glob("*.tsv")}
    assert clips == {"talkface", "cnn"}
    assert (trained / "results" / "evaluation" / "curves.svg").stat().st_size > 5_000


def test_further_seeds_are_measured_too(project, trained):
    (trained / "seeds.yaml").write_text(yaml.safe_dump(SETTINGS | {"training": {"seeds": [2]}}))
    command = ("--cores", "1", "--configfile", "seeds.yaml", "--dry-run", "--allowed-rules", *RULES, "--")
    done = run_snakemake(project, *command, "results/evaluation/summary.tsv", cwd=trained)
    for model in ("talkface-seed2", "cnn-seed2"):
        assert f"Training {model}" in done.stdout
        assert f"Measuring {model}, clean and in noise" in done.stdout
    assert "Measuring cnn," not in done.stdout


def test_a_recording_on_both_sides_ends_the_run_in_one_line(project, trained):
    copy = trained / "results" / "dataset" / "leaking.h5"
    shutil.copy(trained / "results" / "dataset" / "demo.h5", copy)
    with h5py.File(copy, "a") as file:
        digests = file["digest"].asstr()[:]
        digests[-1] = digests[0]
        file["digest"][...] = digests
    (trained / "leaking.yaml").write_text(yaml.safe_dump(SETTINGS | {"corpus": "leaking"}))
    done = run_snakemake(
        project, "--cores", "1", "--configfile", "leaking.yaml", "--allowed-rules", "measure_floors", "--",
        "results/evaluation/floors.tsv", cwd=trained, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    lines = [line for line in done.stdout.splitlines() if line.startswith("talkface: ")]
    assert len(lines) == 1
    assert "train0 (train) and test2 (test) are the same recording" in lines[0]


def test_bad_speech_fails_in_one_line_and_leaves_the_rest(project, trained):
    bad = np.zeros(8_000, np.float32)
    bad[100] = np.nan
    soundfile.write(trained / "results" / "audio" / "test1.wav", bad, 8_000, subtype="FLOAT")
    done = run(project, trained, "results/predictions/cnn/test1.npy", check=False)
    assert done.returncode != 0
    assert "talkface: results/audio/test1.wav: a sample that is no number" in done.stdout
    assert "Traceback" not in done.stdout.split("talkface: results")[0]
    assert (trained / "results" / "models" / "demo" / "cnn" / "weights.pt").exists()


def test_a_change_of_one_model_retrains_no_other(project, trained):
    changed = {"models": TINY | {"cnn": TINY["cnn"] | {"max_steps": 1}}, "drawing": {}}
    changed = SETTINGS | changed | {"evaluate": {"splits": ["valid"]}}
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
