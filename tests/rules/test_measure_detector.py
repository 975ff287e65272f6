"""The rule that measures the measurement: the evaluated clips of real speakers, an empty file for the others."""

import h5py
import numpy as np
import pandas as pd

from talkface.face import points
from tests.workflow.conftest import run_snakemake


def test_the_evaluated_clips_alone(project, shared_data, tmp_path):
    rows = [
        ("one", "s1", "train", "s1/bbaf4p"),
        ("two", "s1", "test", "s1/bbas2p"),
        ("three", "s2", "valid", "others/brbk7n"),
    ]
    sheet = pd.DataFrame(rows, columns=["clip", "speaker", "split", "video"])
    sheet["video"] = [str(shared_data / "grid" / f"{name}.mpg") for name in sheet["video"]]
    sheet.assign(start_s=0, end_s=1).to_csv(tmp_path / "clips.tsv", sep="\t", index=False)
    (tmp_path / "mine.yaml").write_text("clips: clips.tsv\nsplit_by: clip\n")
    targets = [f"results/evaluation/detector/{shard}.h5" for shard in ("one", "two")]
    rules = ("detect_landmarks", "remove_identity", "measure_detector")
    options = ("--cores", "1", "--configfile", "mine.yaml", "--allowed-rules", *rules, "--")
    run_snakemake(project, *options, *targets, cwd=tmp_path)
    for clip, empty in (("one", True), ("two", False)):
        with h5py.File(tmp_path / "results" / "evaluation" / "detector" / f"{clip}.h5") as file:
            assert list(file) == ([] if empty else [clip])
    with (
        h5py.File(tmp_path / "results" / "evaluation" / "detector" / "two.h5") as again,
        h5py.File(tmp_path / "results" / "shapes" / "s1.h5") as first,
    ):
        error = np.linalg.norm(again["two"]["shape"][:] - first["two"]["shape"][:], axis=-1)
        assert error.shape == (25, points.COUNT)
        assert 0.001 < error[:, list(points.LIPS)].mean() < 0.012
    assert "Nothing to be done" in run_snakemake(project, *options, *targets, cwd=tmp_path).stdout
