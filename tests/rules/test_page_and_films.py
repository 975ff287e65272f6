"""One job of the rules that show an evaluation: figures, films of the worst clips, the page."""

import re
import xml.etree.ElementTree as ElementTree

import h5py
import numpy as np
import pytest

from talkface.face.template import load_template
from talkface.media.video import probe
from tests.toy_tables import curve_table, write_tables
from tests.workflow.conftest import run_snakemake

MODELS = {"talkface": "talkface", "cnn": "cnn"}  # of the shipped config
RULES = ("plot_curves", "plot_noise", "plot_gain", "plot_speakers", "draw_worst", "write_page")


@pytest.fixture
def evaluation(tmp_path):
    """results/evaluation/ of a working folder, as far as the tables."""
    folder = tmp_path / "results" / "evaluation"
    write_tables(folder, networks=MODELS, splits=("test",), seeds=False)
    for model in MODELS:
        (tmp_path / "results" / "models" / "demo" / model).mkdir(parents=True)
        curve_table().to_csv(tmp_path / "results" / "models" / "demo" / model / "curve.tsv", sep="\t", index=False)
    face = np.repeat(load_template()[None], 10, axis=0).astype(np.float32)
    with h5py.File(folder / "worst.h5", "w") as file:
        file["truth/iris_1"], file["sound/iris_1"] = face, np.zeros(16_000 * 10 // 25, np.int16)
        file["sound/iris_1"].attrs["rate"] = 16_000
        file["prediction/cnn/iris_1"] = face
        file["prediction/cnn/iris_1"].attrs.update(lip_rmse=2.0, opening_correlation=0.5, speaker="iris")
    return folder


def test_the_page_and_what_it_links(project, evaluation, tmp_path):
    page = "results/evaluation/summary.html"
    run_snakemake(project, "--cores", "1", "--allowed-rules", *RULES, "--", page, cwd=tmp_path)
    text = (tmp_path / page).read_text(encoding="utf-8")
    assert "has the smallest lip error" in text
    links = re.findall(r'<a href="([^"#]+)"', text)
    assert {"noise_test.svg", "gain_test.svg", "speakers_test.svg", "curves.svg", "summary.tsv"} <= set(links)
    for link in links:
        assert (evaluation / link).is_file(), link
    for name in ("noise_test", "gain_test", "speakers_test"):
        assert ElementTree.parse(evaluation / f"{name}.svg").getroot().tag.endswith("svg")
    media = probe(evaluation / "worst" / "cnn" / "iris_1.mp4")
    assert (media.fps, media.has_audio) == (25, True)
    again = run_snakemake(project, "--cores", "1", "--allowed-rules", *RULES, "--", page, cwd=tmp_path)
    assert "Nothing to be done" in again.stdout


def test_a_split_that_is_not_evaluated_is_refused(project, evaluation, tmp_path):
    target = "results/evaluation/noise_train.svg"
    done = run_snakemake(project, "--cores", "1", target, cwd=tmp_path, check=False)
    assert done.returncode
    assert target in done.stdout
