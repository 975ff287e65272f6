"""The viewer through its rules: which clips, their films, the page."""

import re
from functools import partial

import h5py
import numpy as np
import pytest
import yaml

from talkface.evaluation.tables import KEYS
from talkface.media.encoding import encode
from talkface.training.dataset import write_dataset
from tests.toy_stages import LENGTHS, write_stages
from tests.workflow.conftest import run_rules

RULES = ("predict_viewer", "cut_viewer", "write_viewer")
run = partial(run_rules, rules=RULES)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A working folder whose test clips are e and f, with videos; quality control rejected f."""
    tmp_path = tmp_path_factory.mktemp("work")
    clips = write_stages(tmp_path, rejected=("f",))
    results = tmp_path / "results"
    write_dataset(results / "dataset" / "demo.h5", clips, corpus="demo")
    (tmp_path / "theirs").mkdir()
    clip = next(clip for clip in clips if clip.name == "e")
    np.save(tmp_path / "theirs" / "e.npy", clip.shape)
    pictures = np.full((LENGTHS["e"], 400, 400, 3), 90, np.uint8)
    encode(pictures, tmp_path / "e.mp4", size=(400, 400), crf=30)
    with h5py.File(results / "landmarks" / "e.h5", "a") as file:
        file["e/detected"] = np.ones(LENGTHS["e"], bool)
        file["e/box"] = np.zeros((LENGTHS["e"], 4), np.float32)
        file["e"].attrs.update(width=400, height=400)
    table = results / "evaluation" / "clips" / "external-theirs.tsv"
    table.parent.mkdir(parents=True)
    heads = "\t".join((*KEYS, "lip_rmse", "opening_correlation")) + "\n"
    table.write_text(heads + "external-theirs\tdemo\tdlib\ttest\te\tthree\twords\tclean\t\t\t3.25\t0.5\n")
    config = {
        "clips": "sheet.tsv",
        "media": {"clips_per_shard": 1},
        "external": {"theirs": "theirs"},
        "look": {"models": ["external-theirs"]},
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config))
    return tmp_path


def test_the_viewer(project, work):
    run(project, work, "results/viewer.html")
    text = (work / "results" / "viewer.html").read_text(encoding="utf-8")
    assert len(re.findall(r'id="clip-\d+"', text)) == 1  # f was rejected
    assert '"errors":[3.25]' in text
    assert sorted(path.name for path in (work / "results" / "viewer" / "sources").glob("*.*")) == [
        ".snakemake_timestamp", "e.mp4", "landmarks.h5",
    ]  # fmt: skip
    assert "1 clips, 1 models" in (work / "results" / "logs" / "write_viewer" / "viewer.log").read_text()
    assert "Nothing to be done" in run(project, work, "results/viewer.html").stdout


def test_a_video_that_is_broken_is_one_line(project, work):
    """After the other one, so that faces are there already."""
    (work / "e.mp4").write_bytes(b"no video")
    done = run(project, work, "results/viewer.html", check=False)
    assert done.returncode
    lines = [line for line in done.stdout.splitlines() if line.startswith("talkface: ")]
    assert len(lines) == 1
    assert "e.mp4" in lines[0]
