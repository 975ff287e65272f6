"""Voices whose faces nobody saw: gathered from a folder, with their phones."""

import numpy as np
import soundfile
import yaml

from talkface.media.phone_names import class_of
from talkface.training.voices import read_voices
from tests.workflow.conftest import run_snakemake

RULES = ("--allowed-rules", "assemble_voices", "--", "results/voices.h5")


def test_assemble_voices(project, tmp_path):
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"voices": {"folder": "people"}}))
    command = ("--cores", "1", "--configfile", "mine.yaml", *RULES)
    refused = run_snakemake(project, *command, cwd=tmp_path, check=False)
    assert "voices.folder: no recording in people" in " ".join(refused.stdout.split())
    (tmp_path / "people").mkdir()
    for name in ("anna", "bert"):
        hiss = 0.1 * np.random.default_rng(0).standard_normal(16_000)
        soundfile.write(tmp_path / "people" / f"{name}.flac", np.clip(hiss, -1, 1), 16_000)
        (tmp_path / "people" / f"{name}.tsv").write_text("0\t1\tOW\n")
    run_snakemake(project, *command, cwd=tmp_path)
    part = read_voices(tmp_path / "results/voices.h5", rate=16_000)
    assert part.clips == ["anna", "bert"]
    assert (part.phone == class_of("ow")).all()
