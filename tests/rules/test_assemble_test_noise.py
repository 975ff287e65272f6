"""The noise of the evaluation by its rules: made by formula and by synthetic voices, or gathered from folders."""

import h5py
import numpy as np
import pytest
import soundfile
import yaml

from talkface.noise.evaluation_formulas import ENVIRONMENT
from talkface.noise.evaluation_noise import BABBLES, KINDS
from talkface.noise.music import MUSIC
from tests.workflow.conftest import run_snakemake

RULES = ("--allowed-rules", "make_demo_talkers", "make_test_noise", "assemble_test_noise", "--")


@pytest.fixture
def run(project, tmp_path):
    """Call snakemake for results/evaluation/noise.h5, with `evaluate.noise` set."""

    def call(environment=None, speech=None, **options):
        folders = {"environment": environment, "speech": speech}
        (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"evaluate": {"noise": folders}}))
        command = ("--cores", "1", "--configfile", "mine.yaml", *RULES, "results/evaluation/noise.h5")
        return run_snakemake(project, *command, cwd=tmp_path, **options)

    return call


def test_all_of_it_made_by_rules_then_environment_of_a_folder(run, tmp_path):
    run()
    with h5py.File(tmp_path / "results" / "evaluation" / "noise.h5") as file:
        assert set(file) == set(KINDS)
        assert set(file["environment"]) == set(ENVIRONMENT)
        assert set(file["music"]) == set(MUSIC)
        assert len(file["talker"]) >= 6
        assert len(file["babble"]) == BABBLES
        digests = [data.attrs["digest"] for group in file.values() for data in group.values()]
        assert all(len(digest) % 65 == 64 for digest in digests)
        assert len(set(digests)) == len(digests)
    assert "Nothing to be done" in run().stdout
    (tmp_path / "street").mkdir()
    soundfile.write(tmp_path / "street" / "tram.wav", 0.1 * np.random.default_rng(0).standard_normal(44_100), 44_100)
    done = run("street")
    assert "Speaking the talkers" not in done.stdout
    with h5py.File(tmp_path / "results" / "evaluation" / "noise.h5") as file:
        assert set(file["environment"]) == {"tram"}


def test_a_folder_without_a_recording_is_refused(run):
    done = run(speech="nowhere", check=False)
    assert done.returncode
    assert "evaluate.noise.speech: no recording in nowhere" in " ".join(done.stdout.split())
