"""What `make` refuses in its first second, before anything is installed; no word of it is executed."""

import os
import shlex
import shutil
import subprocess
import sys
import time

import pytest
import yaml

from tests.workflow.conftest import run_snakemake

# As users type them: make takes $( for its own, and a shell ` and ;
NASTY = """it's "2" $(shell touch made1) $(touch made2) `touch made3`; touch made4 #x"""


def make(project, folder, *words):
    """Run make in a folder that holds the Makefile alone."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(project / "Makefile", folder)
    begun = time.monotonic()
    # Not as a part of the make that may run the tests.
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", f"PYTHON={sys.executable}", *words], cwd=folder, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=60, env=environment,
    )  # fmt: skip
    done.seconds = time.monotonic() - begun
    return done


@pytest.mark.parametrize("name", [*"[](){}'\"&;$#:*?!<>|", "a b", "\\"])
@pytest.mark.parametrize("target", ["demo", "test", "sheet"])
def test_a_folder_from_which_no_job_starts_is_refused(name, target, project, tmp_path):
    done = make(project, tmp_path / f"x{name}y" / "talkface", target)
    assert done.returncode != 0
    assert done.seconds < 1
    (line,) = done.stdout.splitlines()
    said = "blank" if " " in name else name
    assert f"jobs cannot start from this folder: its path holds {said}" in line
    assert "move or rename it" in line


@pytest.mark.parametrize("name", ["Ünï-1.2_x", "видео", "a+b,c@d%e=f~g^h"])
def test_any_other_folder_is_not(name, project, tmp_path):
    done = make(project, tmp_path / name, "--dry-run", "clean")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give the folder of the videos"),
        (["VIDEOS=nowhere"], "nowhere: not a folder"),
        ([f"VIDEOS={NASTY}"], "not a folder"),
        (["VIDEOS=.", "SHEET=Makefile"], "Makefile exists"),
        (["VIDEOS=.", f"SHEET={NASTY}/x.tsv"], "there is no such folder"),
        (["VIDEOS=.", "SHEET=x.tsv", "SPLIT_BY=clips"], "speaker or clip was expected"),
        (["VIDEOS=.", "SHEET=x.tsv", f"PATTERN=({NASTY}"], "is no regular expression"),
    ],
)
def test_make_sheet_says_what_is_wrong_before_it_installs(words, said, project, tmp_path):
    done = make(project, tmp_path, "sheet", *words)
    assert done.returncode != 0
    assert done.seconds < 2
    assert said in done.stdout.splitlines()[0]
    assert [path.name for path in tmp_path.iterdir()] == ["Makefile"]


def test_words_that_are_right_come_through_whole(project, tmp_path):
    (tmp_path / "my 'films' $x").mkdir()
    pins = ("requirements.txt", "requirements-mesh.txt", "constraints.txt", "envs/talkface_home.py")
    for name in (*pins, ".venv/bin/python", ".venv/run"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    done = make(project, tmp_path, "--dry-run", "sheet", "VIDEOS=my 'films' $x", f"SHEET={NASTY}.tsv")
    command = next(line for line in done.stdout.splitlines() if "talkface.cli sheet" in line)
    assert shlex.split(command)[5:8] == ["my 'films' $x", "--output", f"{NASTY}.tsv"], done.stdout


@pytest.mark.parametrize("name", ["2024.tsv", "a: [b] {c} 'd' #e.tsv", "no"])
def test_the_command_of_a_new_sheet_works_when_pasted(name, project, tmp_path):
    """`talkface sheet`, which `make sheet` calls, prints it; a shell and Snakemake take it as it stands."""
    for speaker in ("ann", "bob", "cid"):
        (tmp_path / "videos" / speaker).mkdir(parents=True)
        (tmp_path / "videos" / speaker / f"{speaker} {{1}} #2.mp4").touch()
    done = subprocess.run(
        [sys.executable, "-m", "talkface.cli", "sheet", "videos", "-o", name], cwd=tmp_path, text=True,
        capture_output=True, env={"PYTHONPATH": str(project / "workflow" / "scripts")}, check=True,
    )  # fmt: skip
    command = done.stdout.rpartition("Use it: ")[2].strip()
    said = subprocess.run(
        ["sh", "-c", f"snakemake() {{ printf '%s\\n' \"$@\"; }}; {command}"], text=True, capture_output=True, check=True
    ).stdout.splitlines()
    planned = run_snakemake(project, "--dry-run", *said, cwd=tmp_path).stdout
    corpus = said[-1].removeprefix("corpus=")
    assert f"results/dataset/{corpus}.h5" in planned
    assert isinstance(yaml.safe_load(corpus), str)
