"""Curves and the replication toolkit's measure of one clip, by the rules."""

import xml.etree.ElementTree as ElementTree
from functools import partial

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml

from talkface.evaluation import metrics
from talkface.training.dataset import read_shape_model, write_dataset
from tests.toy_stages import write_stages
from tests.workflow.conftest import run_rules, run_snakemake

RULES = ("draw_curves", "draw_curves_of_model", "measure_rmse", "measure_rmse_of_model", "import_prediction")
run = partial(run_rules, rules=RULES)
CURVES = ["results/curves/e.svg", "results/curves/cnn/e.svg", "results/curves/hello.svg"]
TABLES = ["results/evaluation/rmse_e.tsv", "results/evaluation/external-theirs/rmse_e.tsv"]


@pytest.fixture
def work(tmp_path):
    """A working folder with clips e and f, of which f is rejected, a speech file, marks and theirs of e alone."""
    clips = write_stages(tmp_path, rejected=("f",))
    write_dataset(tmp_path / "results" / "dataset" / "demo.h5", clips, corpus="demo")
    sheet = pd.read_csv(tmp_path / "sheet.tsv", sep="\t")
    sheet["marks"] = ["e.align" if clip == "e" else "" for clip in sheet["clip"]]
    sheet.to_csv(tmp_path / "sheet.tsv", sep="\t", index=False)
    (tmp_path / "e.align").write_text("0 25000 sil\n25000 50000 blue\n")
    (tmp_path / "resources" / "speech").mkdir(parents=True)
    (tmp_path / "theirs").mkdir()
    truth = next(clip for clip in clips if clip.name == "e").shape
    rng = np.random.default_rng(5)
    for clip in ("e", "f", "hello"):
        for model in ("talkface", "cnn"):
            folder = tmp_path / "results" / "predictions" / model
            folder.mkdir(parents=True, exist_ok=True)
            np.save(folder / f"{clip}.npy", truth[:50] + rng.normal(0, 0.02, truth[:50].shape).astype(np.float32))
        sound = rng.normal(0, 0.1, round(3.6 * 44_100))
        soundfile.write(tmp_path / "results" / "audio" / f"{clip}.wav", sound, 44_100)
    np.save(tmp_path / "theirs" / "e.npy", truth)
    soundfile.write(tmp_path / "resources" / "speech" / "hello.wav", sound, 44_100)
    config = {"clips": "sheet.tsv", "media": {"clips_per_shard": 1}, "external": {"theirs": "theirs"}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config))
    return tmp_path


def texts_of(path):
    return {"".join(text.itertext()) for text in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")}


def test_pictures_and_tables(project, work):
    run(project, work, *CURVES, *TABLES)
    every, one, speech = (texts_of(work / path) for path in CURVES)
    assert {"truth", "talkface", "cnn", "external-theirs", "sil", "blue"} <= every
    assert {"truth", "cnn", "blue"} <= one
    assert not {"talkface", "external-theirs"} & one
    assert {"talkface", "cnn", "A speech file: there is no truth to compare with."} <= speech
    assert not {"truth", "external-theirs", "sil"} & speech

    table = pd.read_csv(work / TABLES[0], sep="\t", index_col="model")
    assert list(table.index) == ["talkface", "cnn", "external-theirs", "floor:mean_face"]
    assert set(table["clip"]) == {"e"}
    theirs = np.load(work / "results" / "predictions" / "external-theirs" / "e.npy")
    for model in ("talkface", "cnn"):
        prediction = np.load(work / "results" / "predictions" / model / "e.npy")
        expected = metrics.rmse_width1(prediction, np.load(work / "theirs" / "e.npy"))
        assert table.loc[model, "lip_rmse_width1"] == pytest.approx(expected, rel=1e-4)
        assert table.loc[model, "lip_rmse_width1"] < table.loc[model, "lip_rmse_width1_shuffled"]
    mean = np.broadcast_to(read_shape_model(work / "results" / "dataset" / "demo.h5").mean, theirs.shape)
    floor = metrics.rmse_width1(mean, np.load(work / "theirs" / "e.npy"))
    assert table.loc["floor:mean_face", "lip_rmse_width1"] == pytest.approx(floor, rel=1e-4)
    single = pd.read_csv(work / TABLES[1], sep="\t", index_col="model")
    pd.testing.assert_frame_equal(single, table.loc[single.index])
    assert list(single.index) == ["external-theirs", "floor:mean_face"]


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("results/evaluation/rmse_f.tsv", "talkface: f: rejected (no face); an accepted clip was expected"),
        ("results/evaluation/rmse_hello.tsv", "'hello' is not a known clip of the sheet"),
        ("results/evaluation/cmn/rmse_e.tsv", "'cmn' is not a known model; did you mean 'cnn'?"),
    ],
)
def test_what_cannot_be_made_is_said_in_one_line(project, work, target, found):
    done = run(project, work, target, check=False)
    assert done.returncode != 0
    assert found in " ".join(done.stdout.split())


def test_marks_that_cannot_be_read_are_one_line(project, work):
    (work / "e.align").write_text("bin blue\n")
    done = run(project, work, "results/curves/e.svg", check=False)
    assert done.returncode != 0
    lines = [line for line in done.stdout.splitlines() if line.startswith("talkface: ")]
    assert len(lines) == 1
    assert "e.align: line 1: 'bin blue'; start, end and a name were expected" in lines[0]


def test_all(project, work):
    done = run_snakemake(project, "--dry-run", "--configfile", "mine.yaml", "--", "curves_all", "rmse_all", cwd=work)
    text = " ".join(done.stdout.split())
    assert "draw_curves 1 " in text  # the test split, less the clip known to be rejected
    assert "measure_rmse 5 " in text  # all clips but that


def test_the_shipped_sheet_has_its_marks_made(project, tmp_path):
    done = run_snakemake(project, "--dry-run", "results/curves/iris_1.svg", cwd=tmp_path)
    text = " ".join(done.stdout.split())
    assert "draw_curves 1 " in text
    assert "make_demo_clips_iris" in text
