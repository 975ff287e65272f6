"""What is trained is never lost, and what is to be looked at takes the trained model that is there."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
import yaml

from talkface.models.checkpoint import load_network
from tests.slurm import EXECUTOR, write_commands
from tests.toy_corpus import toy_clip, toy_dataset
from tests.toy_evaluation import write_surroundings
from tests.workflow.conftest import copy_workflow, run_snakemake

CNN = {"max_steps": 2, "stretches": 2, "frames": 4}
SETTINGS = {
    "clips": "sheet.tsv",
    "split_by": "clip",
    "media": {"clips_per_shard": 1},
    "models": {"cnn": CNN},
    "training": {"models": ["cnn"]},
    "animate": {"model": "cnn"},
    "drawing": {"size": 256, "style": "flat"},
}
MODEL = "results/models/demo/cnn"
FILM = "results/anim/hello.mp4"
TRAINING = ("train_model", "retrain_model")
LINE = r"cnn: trained on corpus demo, 20\d\d-\d\d-\d\d \d\d:\d\d"


@pytest.fixture(scope="module")
def home(project, tmp_path_factory):
    """A working folder with a trained model, a dataset, a file of speech, and no video that could be read."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "results" / "dataset").mkdir(parents=True)
    dataset = toy_dataset(folder / "results" / "dataset" / "demo.h5", train=4)
    write_surroundings(folder, dataset)
    (folder / "x.mp4").touch()  # of the sheet
    (folder / "resources" / "speech").mkdir(parents=True)
    soundfile.write(folder / "resources/speech/hello.wav", toy_clip("x", rates=(8_000,)).audio[8_000], 8_000)
    (folder / "mine.yaml").write_text(yaml.safe_dump(SETTINGS))
    train(project, folder)
    return folder


@pytest.fixture
def work(home, tmp_path):
    """A copy of it."""
    shutil.copytree(home, tmp_path / "work")
    return tmp_path / "work"


def train(project, work, *arguments, **keywords):
    """Run the trainings alone: the toy's dataset is there, what it would be made from is not."""
    return run_snakemake(
        project, "--cores", "1", "--configfile", "mine.yaml", *arguments, "--allowed-rules", *TRAINING, "train_all",
        "--", "train_all", cwd=work, **keywords,
    )  # fmt: skip


def plan(project, work, arguments, *targets):
    """What a dry run says, with the rules it would run."""
    done = run_snakemake(project, "--dry-run", *arguments, "--", *targets, cwd=work)
    return done.stdout, set(re.findall(r"^(\w+) +\d+$", done.stdout, flags=re.M)) - {"total"}


def changed(work, **changes):
    """The words that name a file of changed settings."""
    (work / "changed.yaml").write_text(yaml.safe_dump(SETTINGS | changes))
    return ("--configfile", "changed.yaml")


MINE = ("--configfile", "mine.yaml")


def test_a_film_takes_the_model_that_is_there_and_says_whose_it_is(project, home):
    said, rules = plan(project, home, MINE, FILM)
    assert rules == {"extract_wav", "predict_landmarks", "draw_animation", "copy_film"}
    assert re.search(LINE + "$", said, flags=re.M)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda work: changed(work, models={"cnn": CNN | {"max_steps": 3}}), "models.cnn.max_steps"),
        (lambda work: changed(work, qc={"min_face_px": 30}), "qc.min_face_px"),
        (lambda work: changed(work, seed=5), "seed"),
        (lambda work: add_row(work), "the sheet"),
        (lambda work: (*MINE, "--config", "clips=other.tsv"), "the sheet"),
        (lambda work: touch_dataset(work), "results/dataset/demo.h5"),
        (lambda work: (), "media.*"),  # --configfile forgotten
    ],
)
def test_a_film_never_trains_and_says_what_has_changed(change, words, project, work):
    """The lines of the list by which trainings were lost, one by one; `train_all` says what it would replace."""
    (work / "other.tsv").write_text("\n".join((work / "sheet.tsv").read_text().splitlines()[:-1]))
    arguments = change(work)
    target = "results/anim/cnn/hello.mp4"
    said, rules = plan(project, work, arguments, target)
    assert not rules & {*TRAINING, "assemble_dataset", "detect_landmarks"}
    assert re.search(LINE + "; changed since: .*; train_all would train it anew", said)
    if words != "media.*":
        assert words in re.search(LINE + ".*", said)[0]
        said, _ = plan(project, work, arguments, "results/models/demo/cnn/weights.pt", target)
        assert re.search(LINE + "; replaced once a newer one is finished, since changed: .*" + re.escape(words), said)


def add_row(work):
    sheet = work / "sheet.tsv"
    row = sheet.read_text().splitlines()[-1].split("\t")
    sheet.write_text(sheet.read_text() + "\t".join(["further", *row[1:]]) + "\n")
    return MINE


def touch_dataset(work):
    os.utime(work / "results" / "dataset" / "demo.h5")
    return MINE


def test_code_that_has_changed(project, work, tmp_path):
    """As after `git pull`."""
    copy = copy_workflow(project, tmp_path / "project")
    network = copy / "workflow/scripts/talkface/models/networks/cnn.py"
    network.write_text(network.read_text() + "\nFURTHER = 1\n")
    said, rules = plan(copy, work, MINE, FILM)
    assert "retrain_model" not in rules
    assert re.search(LINE + "; changed since: the code; train_all would train it anew", said)
    said, rules = plan(copy, work, MINE, "train_all")
    assert "retrain_model" in rules
    assert re.search(LINE + "; replaced once a newer one is finished, since changed: the code", said)


def test_two_corpora_do_not_meet(project, work):
    """A corpus without a model of its own takes that of another and says so; trained, it has its own beside it."""
    other = (*MINE, "--config", "corpus=mine")
    said, rules = plan(project, work, other, FILM)
    assert not rules & set(TRAINING)
    assert re.search(LINE + "; there is none of corpus mine: train_all would train it", said)
    shutil.copy(work / "results/dataset/demo.h5", work / "results/dataset/mine.h5")
    before = (work / MODEL / "weights.pt").read_bytes()
    train(project, work, "--config", "corpus=mine")
    assert (work / MODEL / "weights.pt").read_bytes() == before
    load_network(work / "results/models/mine/cnn/weights.pt")
    for corpus in ("mine", "demo"):
        said, rules = plan(project, work, (*MINE, "--config", f"corpus={corpus}"), FILM)
        assert f"cnn: trained on corpus {corpus}, " in said
        assert not rules & set(TRAINING)


def test_where_there_is_none_it_is_trained(project, work):
    shutil.rmtree(work / "results" / "models")
    assert "train_model" in plan(project, work, MINE, FILM)[1]


def test_a_film_of_speech_needs_no_video_of_the_corpus(project, work):
    """Made in full; the same model for the same film, in both kinds of runs, so nothing is made twice."""
    (work / "x.mp4").unlink()
    shutil.rmtree(work / "results" / "dataset")
    done = run_snakemake(project, "--cores", "1", *MINE, "--", FILM, cwd=work)
    assert (work / FILM).stat().st_size > 1_000
    clips = len((work / "sheet.tsv").read_text().splitlines()) - 1
    assert f"sheet.tsv: videos of {clips} of {clips} clips are gone, the first x.mp4" in done.stdout
    assert "Nothing to be done" in plan(project, work, MINE, FILM)[0]
    done = run_snakemake(project, "--dry-run", *MINE, "--", "train_all", cwd=work, check=False)
    assert "there is no file 'x.mp4'; mend the column video" in done.stdout


def test_the_same_film_in_a_run_that_trains_is_not_made_again(project, work):
    run_snakemake(project, "--cores", "1", *MINE, "--", FILM, cwd=work)
    allowed = ("--allowed-rules", *TRAINING, "train_all", "extract_wav", "predict_landmarks", "draw_animation")
    said, _ = plan(project, work, (*MINE, *allowed, "copy_film"), "train_all", FILM)
    assert "Nothing to be done" in said


def test_an_old_folder_is_taken_over(project, work):
    (work / MODEL).rename(work / "results/models/cnn")
    card = work / "results/models/cnn/card.md"
    card.write_text(card.read_text().replace("corpus `toy`", "corpus `demo`"))
    shutil.rmtree(work / "results/models/demo")
    said, rules = plan(project, work, MINE, FILM)
    assert "results/models/cnn: moved to results/models/demo/cnn" in said
    assert not rules & set(TRAINING)
    load_network(work / MODEL / "weights.pt")


def test_a_training_that_fails_leaves_the_model_there(project, work):
    before = {name: (work / MODEL / name).read_bytes() for name in ("weights.pt", "card.md", "curve.tsv")}
    arguments = changed(work, models={"cnn": CNN | {"learning_rate": 1e30, "max_steps": 40}})
    done = train(project, work, *arguments[1:], check=False)
    assert done.returncode != 0
    assert "the loss is" in done.stdout
    assert {name: (work / MODEL / name).read_bytes() for name in before} == before


def test_killed_while_it_trains_a_model_loads(project, work):
    """SIGKILL to all of a training anew; in the end the newer one stands, and the one before.

    What a kill between two renames leaves: tests/unit/training/test_model_folder.py, moment by moment.
    """
    first = (work / MODEL / "weights.pt").read_bytes()
    more = {"cnn": CNN | {"max_steps": 40, "frames": 8}}
    arguments = changed(work, models=more)
    command = [
        sys.executable, "-m", "snakemake", "--snakefile", str(project / "Snakefile"), "--cores", "1", *arguments,
        "--nolock", "--allowed-rules", *TRAINING, "train_all", "--", "train_all",
    ]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=work, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    ended = time.monotonic() + 7
    while time.monotonic() < ended and process.poll() is None:
        load_network(work / MODEL / "weights.pt")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    load_network(work / MODEL / "weights.pt")
    assert not plan(project, work, arguments, FILM)[1] & set(TRAINING)  # though Snakemake calls it incomplete
    done = train(project, work, *arguments[1:])
    assert "anew; the model there is stays until that is finished" in done.stdout or "Nothing" in done.stdout
    assert (work / MODEL / "weights.pt").read_bytes() != first
    assert (work / MODEL / "before" / "weights.pt").read_bytes() == first
    load_network(work / MODEL / "weights.pt")


def test_jobs_of_a_cluster_see_the_same_models(project, work, tmp_path, monkeypatch):
    """A Slurm job knows its own target alone: the film's jobs take the model there is, the trainings' replace it."""
    programs, jobs = write_commands(tmp_path)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    arguments = changed(work, models={"cnn": CNN | {"max_steps": 3}})
    target = "results/predictions/cnn/hello.npy"
    run_snakemake(project, "--cores", "1", *arguments, "--", "results/audio/hello.wav", cwd=work)
    first = (work / MODEL / "weights.pt").read_bytes()
    done = run_snakemake(project, *EXECUTOR, *arguments, "--", target, cwd=work)
    assert "changed since: models.cnn.max_steps; train_all would train it anew" in done.stdout
    assert np.load(work / target).shape[1:] == (68, 2)
    assert [path.read_text().strip() for path in jobs.glob("*.status")] == ["COMPLETED"]
    assert (work / MODEL / "weights.pt").read_bytes() == first
    run_snakemake(
        project, *EXECUTOR, *arguments, "--allowed-rules", *TRAINING, "train_all", "--", "train_all", cwd=work
    )
    assert (work / MODEL / "before" / "weights.pt").read_bytes() == first
    assert (work / MODEL / "curve.tsv").read_text().splitlines()[-1].startswith("3\t")
