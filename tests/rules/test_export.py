"""The training files of the published systems, written by their rules from what earlier stages left."""

import h5py

from tests.toy_stages import write_stages
from tests.workflow.conftest import run_snakemake


def test_both_exports(project, tmp_path):
    write_stages(tmp_path, rejected=("c",))
    rules = ("export_a", "export_b")
    (tmp_path / "mine.yaml").write_text("media: {clips_per_shard: 1}\n")
    run_snakemake(
        project, "--cores", "2", "--configfile", "mine.yaml", "--config", "clips=sheet.tsv", "--allowed-rules", *rules,
        "--", *(f"results/dataset/{rule}.hdf5" for rule in rules), cwd=tmp_path,
    )  # fmt: skip
    for name, dataset in (("a", "MelFeatures"), ("b", "speech")):
        with h5py.File(tmp_path / "results" / "dataset" / f"export_{name}.hdf5") as file:
            assert len(file[dataset]) == 6
            assert set(file["clip"].asstr()[:]) == {"a", "b", "d"}
        assert (
            "6 rows of 3 clips" in (tmp_path / "results" / "logs" / f"export_{name}" / f"export_{name}.log").read_text()
        )
