"""Weights from elsewhere in the workflow: imported, not trained, and used like any other model's."""

import numpy as np
import pytest
import soundfile
import torch
import yaml

from talkface.evaluation.tables import read_clips
from talkface.models.checkpoint import read_file
from tests.foreign import PlainNetwork, predict_windows, write_shape_files
from tests.toy_corpus import toy_clip, toy_dataset
from tests.toy_evaluation import write_surroundings
from tests.workflow.conftest import run_snakemake

RULES = ("--allowed-rules", "import_weights", "train_model", "predict_landmarks", "evaluate_model", "plot_curves", "--")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, project):
    """A working folder with files of Eskimez et al. 2020, a dataset and a sound."""
    folder = tmp_path_factory.mktemp("work")
    torch.manual_seed(0)
    torch.save(PlainNetwork(conditioned=True).state_dict(), folder / "tc.pt")
    (folder / "broken.pt").write_text("no weights")
    files = {key: path.name for key, path in write_shape_files(folder, boosts=None).items()}
    (folder / "results" / "dataset").mkdir(parents=True)
    dataset = toy_dataset(folder / "results" / "dataset" / "demo.h5", train=4)
    write_surroundings(folder, dataset)
    (folder / "x.mp4").touch()  # of the sheet
    soundfile.write(folder / "results" / "audio" / "test0.wav", toy_clip("x", rates=(8_000,)).audio[8_000], 8_000)
    models = {
        "theirs": {"like": "cnn", "weights": "tc.pt", "shape_model": files, "arguments": {"level": "recorded"}},
        "broken": {"like": "cnn", "weights": "broken.pt", "shape_model": files},
        "absent": {"like": "cnn", "weights": "absent.pt", "shape_model": files},
        "keras": {"like": "lstm_d40_c3", "weights": str(project / "tests" / "data" / "keras" / "stack_22.h5")},
        "again": {"network": "cnn", "weights": "results/models/theirs/weights.pt"},
    }
    selected = {"models": ["theirs", "cnn"]}
    settings = {
        "clips": "sheet.tsv",
        "split_by": "clip",
        "media": {"clips_per_shard": 1},
        "evaluate": {"snr_db": [0, 0, 5]},
    }
    (folder / "mine.yaml").write_text(yaml.safe_dump(settings | {"models": models, "training": selected}))
    return folder


def run(project, folder, *targets, check=True):
    command = ("--cores", "1", "--configfile", "mine.yaml", *RULES)
    return run_snakemake(project, *command, *targets, cwd=folder, check=check)


def test_import_weights(project, folder):
    """Imported as the block says, taken up by prediction and evaluation; no curve, no training."""
    prediction, table = "results/predictions/theirs/test0.npy", "results/evaluation/clips/theirs.tsv"
    spoken = "results/predictions/keras/test0.npy"
    done = run(project, folder, prediction, table, spoken, "results/models/again/weights.pt")
    assert "Importing theirs" in done.stdout
    assert "Training" not in done.stdout
    made = folder / "results" / "models" / "theirs"
    assert sorted(path.name for path in made.iterdir()) == ["card.md", "config.yaml", "weights.pt"]
    described = yaml.safe_load((made / "config.yaml").read_text())
    assert described["models"]["theirs"]["arguments"]["temporal_condition"] is True
    assert (folder / "results" / "logs" / "import_weights" / "theirs.log").read_text()
    assert set(read_clips(folder / table)["condition"]) == {"clean", "babble", "white"}
    content = read_file(folder / "results" / "models" / "again" / "weights.pt")
    assert content["arguments"] == read_file(made / "weights.pt")["arguments"]
    assert np.load(folder / spoken).shape == (61, 68, 2)
    faces = np.load(folder / prediction)
    samples, _ = soundfile.read(folder / "results" / "audio" / "test0.wav", dtype="float32")
    network = PlainNetwork(conditioned=True)
    network.load_state_dict(torch.load(folder / "tc.pt", weights_only=True))
    coefficients = predict_windows(network, samples, content["arguments"]["rest"])
    stored = content["shape_model"]
    expected = stored["mean"].numpy() + (coefficients @ stored["components"].numpy()).reshape(-1, 68, 3)
    np.testing.assert_allclose(faces, expected, atol=1e-4)


def test_curves_are_drawn_of_what_was_trained_here(project, folder):
    done = run_snakemake(
        project, "--cores", "1", "--configfile", "mine.yaml", "--dry-run", "results/evaluation/curves.svg", cwd=folder
    )
    assert "results/models/demo/cnn/curve.tsv" in done.stdout
    assert "theirs" not in done.stdout


@pytest.mark.parametrize(
    ("model", "message"),
    [("broken", "broken.pt: not readable as weights"), ("absent", "absent.pt: there is no such file")],
)
def test_files_that_are_no_weights_fail_in_one_line(model, message, project, folder):
    done = run(project, folder, f"results/models/{model}/weights.pt", check=False)
    assert done.returncode != 0
    assert f"talkface: {message}" in done.stdout
    assert "Traceback" not in done.stdout.split(f"talkface: {message}")[0]
