"""Predictions made elsewhere, taken in, measured and animated by the rules."""

from functools import partial

import numpy as np
import pytest
import soundfile
import yaml

from talkface.evaluation.tables import read_clips
from talkface.media.video import probe
from talkface.training.dataset import write_dataset
from tests.toy_stages import write_stages
from tests.workflow.conftest import run_rules

RULES = ("import_prediction", "find_phones", "evaluate_external", "draw_animation")
run = partial(run_rules, rules=RULES)


@pytest.fixture
def work(tmp_path):
    """A working folder whose test clips are e and f; quality control rejected f. Theirs holds the truth in pixels."""
    clips = write_stages(tmp_path, rejected=("f",))
    write_dataset(tmp_path / "results" / "dataset" / "demo.h5", clips, corpus="demo")
    folder = tmp_path / "theirs"
    folder.mkdir()
    for clip in clips:
        np.save(folder / f"{clip.name}.npy", np.concatenate([clip.landmarks, clip.landmarks[:, :, :1]], axis=2))
        soundfile.write(tmp_path / "results" / "audio" / f"{clip.name}.wav", clip.audio[44_100], 44_100)
    config = {
        "clips": "sheet.tsv",
        "media": {"clips_per_shard": 1},
        "external": {"theirs": "theirs"},
        "drawing": {"style": "flat", "size": 128},
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config))
    return tmp_path


def test_a_table_and_a_film(project, work):
    table, film = "results/evaluation/clips/external-theirs.tsv", "results/anim/external-theirs/e.mp4"
    run(project, work, table, film)
    rows = read_clips(work / table)
    own = rows[rows["control"] == ""]
    assert list(own["clip"]) == ["e"]  # f was rejected and needs none
    assert own["lip_rmse"].item() < 0.01
    assert np.load(work / "results" / "predictions" / "external-theirs" / "e.npy").shape == (90, 68, 3)
    assert probe(work / film).duration_s == pytest.approx(3.6, abs=0.05)
    assert "90 frames" in (work / "results" / "logs" / "import_prediction" / "external-theirs" / "e.log").read_text()


def test_an_accepted_clip_without_prediction_is_one_line(project, work):
    (work / "theirs" / "e.npy").unlink()
    done = run(project, work, "results/evaluation/clips/external-theirs.tsv", check=False)
    assert done.returncode != 0
    lines = [line for line in done.stdout.splitlines() if line.startswith("talkface: ")]
    assert len(lines) == 1
    assert "theirs: no e.npy; predictions of all accepted test clips were expected (1)" in lines[0]
    done = run(project, work, "results/predictions/external-theirs/e.npy", check=False)
    assert "'e' is not a known prediction in theirs" in " ".join(done.stdout.split())


def test_folders_without_predictions_are_refused_before_any_work(project, work):
    for name, words in (("empty", "holds no prediction of a known clip"), ("none", "is no folder")):
        (work / "empty").mkdir(exist_ok=True)
        (work / "mine.yaml").write_text(
            yaml.safe_dump({"clips": "sheet.tsv", "media": {"clips_per_shard": 1}, "external": {"theirs": name}})
        )
        done = run(project, work, "results/evaluation/clips/external-theirs.tsv", check=False)
        assert done.returncode != 0
        assert f"config, external.theirs: {name} {words}" in " ".join(done.stdout.split())
