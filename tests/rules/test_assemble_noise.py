"""Each rule of noise alone: made by formula, or gathered from a folder."""

import numpy as np
import pytest
import soundfile
import yaml

from talkface.noise.bank import read_noise
from tests.workflow.conftest import run_snakemake

RULES = ("--allowed-rules", "make_demo_noise", "assemble_noise", "--")


@pytest.fixture
def run(project, tmp_path):
    """Call snakemake for results/noise.h5, with `noise.folder` set."""

    def call(folder, **options):
        (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"noise": {"folder": folder}}))
        command = ("--cores", "1", "--configfile", "mine.yaml", *RULES, "results/noise.h5")
        return run_snakemake(project, *command, cwd=tmp_path, **options)

    return call


def test_the_noises_of_the_demo(run, tmp_path):
    run(None)
    assert len(read_noise(tmp_path / "results" / "noise.h5", 8_000)) == len(
        list((tmp_path / "resources" / "demo" / "noise").glob("*.wav"))
    )
    assert "Nothing to be done" in run(None).stdout


def test_recordings_of_a_folder(run, tmp_path):
    folder = tmp_path / "street"
    folder.mkdir()
    for index, rate in enumerate((8_000, 44_100)):
        soundfile.write(folder / f"{index}.wav", 0.1 * np.random.default_rng(index).standard_normal(rate), rate)
    (folder / "notes.txt").write_text("two cars")
    run("street")
    assert read_noise(tmp_path / "results" / "noise.h5", 8_000).lengths.tolist() == [8_000, 8_000]


def test_a_folder_without_a_recording_is_refused(run):
    done = run("nowhere", check=False)
    assert done.returncode
    assert "noise.folder: no recording in nowhere" in " ".join(done.stdout.split())
