"""Faults of the machine: one clear line, nothing lost, no verdict on any clip, and the same command goes on later.

A disk that fills in the middle of a write, results that cannot be written, an ffmpeg that is killed, a full folder for
temporary files, a user without a name or a home.
"""

import os
import shutil
import subprocess

import h5py
import numpy as np
import pandas as pd
import pytest
import soundfile

from talkface.media.program import ffmpeg_program
from tests.workflow.conftest import run_snakemake


def alone(folder):
    """Arguments by which each clip is a job."""
    (folder / "alone.yaml").write_text("media: {clips_per_shard: 1}\n")
    return "--configfile", str(folder / "alone.yaml")


def can_mount():
    """Whether this user may mount a small file system in a namespace of their own."""
    if not shutil.which("unshare"):
        return False
    return not subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode


mounts = pytest.mark.skipif(not can_mount(), reason="needs unshare with user and mount namespaces")


@pytest.fixture
def corpus(tmp_path):
    """Six videos of noise, whose sound fills 260 KB each."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(6):
        wav, video = tmp_path / "noise.wav", tmp_path / f"clip{number}.mp4"
        soundfile.write(wav, rng.uniform(-0.3, 0.3, 3 * 44_100), 44_100)
        picture = ["-f", "lavfi", "-i", "color=gray:s=64x64:r=25:d=3"]
        command = [
            ffmpeg_program(),
            "-nostdin",
            "-loglevel",
            "error",
            *picture,
            "-i",
            str(wav),
            "-shortest",
            str(video),
        ]
        subprocess.run(command, check=True)
        split = ("train", "valid", "test")[number % 3]
        rows.append((f"clip{number}", f"speaker{number}", split, str(video)))
    pd.DataFrame(rows, columns=["clip", "speaker", "split", "video"]).to_csv(
        tmp_path / "sheet.tsv", sep="\t", index=False
    )
    return tmp_path


def run_mounted(project, corpus, mount, after="true"):
    """Run `extract_all` with `mount` done first and `after` done last, in a mount namespace that ends with it."""
    work = corpus / "work"
    (work / "results").mkdir(parents=True, exist_ok=True)
    return run_snakemake(
        project,
        *(
            "extract_all",
            "--cores",
            "1",
            "--directory",
            str(work),
            "--config",
            f"clips={corpus / 'sheet.tsv'}",
            *alone(corpus),
        ),
        cwd=corpus,
        check=False,
        prefix=[
            "unshare",
            "-rm",
            "sh",
            "-c",
            f'cd work/results && {mount}; cd ../.. && "$@"; code=$?; {after}; exit $code',
            "sh",
        ],
    )


@mounts
def test_a_full_disk(project, corpus):
    kept = corpus / "kept"
    done = run_mounted(project, corpus, "mount -t tmpfs -o size=700k tmpfs .", after=f"cp -r work/results {kept}")
    assert done.returncode != 0
    lines = [line for line in done.stdout.splitlines() if "the disk is full" in line]
    assert lines, done.stdout[-3000:]
    assert ".h5" in lines[0]
    assert "Traceback" not in done.stdout
    whole = sorted(path.name for path in (kept / "audio").iterdir())
    assert 1 <= len(whole) < 6
    assert all(name.startswith("clip") for name in whole), "half-written files are left over"
    for name in whole:
        with h5py.File(kept / "audio" / name) as file:
            assert len(file[name.removesuffix(".h5")]) > 100_000
    # With space again the same command makes the rest.
    again = run_snakemake(
        project, "extract_all", "--cores", "1", "--directory", str(corpus / "work"),
        "--config", f"clips={corpus / 'sheet.tsv'}", *alone(corpus), cwd=corpus,
    )  # fmt: skip
    assert again.returncode == 0


@mounts
def test_results_that_cannot_be_written(project, corpus):
    work = corpus / "work"
    before = work / "results" / "audio" / "clip0.h5"
    before.parent.mkdir(parents=True)
    shutil.copy(corpus / "sheet.tsv", before)
    done = run_mounted(project, corpus, "mount --bind . . && mount -o remount,ro,bind .")
    assert done.returncode != 0
    assert "read-only" in done.stdout.lower(), done.stdout[-3000:]
    assert before.exists()


def stand_in(path, body):
    """An ffmpeg that lists what it can do, and does it no more."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"""#!/bin/sh
case "$*" in *-encoders*|*-filters*) exec {ffmpeg_program()} "$@";; esac
{body}
""")
    path.chmod(0o755)
    return path


def test_an_ffmpeg_that_fails_is_no_fault_of_a_clip(project, corpus, monkeypatch):
    """As one killed for its memory: nothing is read by it; what it writes fails, stores nothing, goes on later.

    Other faults of an ffmpeg, sorted by what it says: tests/unit/media/test_program.py.
    """
    command = ("--cores", "1", "--config", "clips=sheet.tsv", *alone(corpus), "--")
    with monkeypatch.context() as patch:
        patch.setenv("TALKFACE_FFMPEG", str(stand_in(corpus / "bin" / "ffmpeg", "kill -9 $$")))
        run_snakemake(project, *command, "extract_all", cwd=corpus)
        done = run_snakemake(project, *command, "results/frames/clip0", cwd=corpus, check=False)
    assert done.returncode != 0
    assert "ffmpeg was ended by SIGKILL, which is no verdict on the file" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (corpus / "results" / "frames" / "clip0").exists()
    run_snakemake(project, *command, "results/frames/clip0", cwd=corpus)
    assert len(list((corpus / "results" / "frames" / "clip0").glob("*.jpg"))) == 75
    made = sorted((corpus / "results" / "audio").glob("*.h5"))
    assert len(made) == 6
    for path in made:
        with h5py.File(path) as file:
            assert file[path.stem].attrs["rejected"] == ""


def test_a_broken_ffmpeg_on_the_path_does_no_harm(project, corpus, monkeypatch):
    broken = corpus / "bin" / "ffmpeg"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken.parent}:{os.environ['PATH']}")
    run_snakemake(project, "results/audio/clip0.wav", "--config", "clips=sheet.tsv", cwd=corpus)


@mounts
def test_a_full_folder_for_temporary_files(project, corpus):
    """Another takes its place, and a line says so."""
    full = corpus / "full"
    full.mkdir()
    fill = f"mount -t tmpfs -o size=64k tmpfs {full} && (head -c 1m /dev/zero >{full}/fill; true) 2>/dev/null"
    done = run_snakemake(
        project, "results/audio/clip0.wav", "--config", "clips=sheet.tsv", cwd=corpus,
        prefix=["unshare", "-rm", "sh", "-c", f'{fill} && export TMPDIR={full} && exec "$@"', "sh"],
    )  # fmt: skip
    assert f"{full}: No space left on device; temporary files go to " in done.stdout
    assert (corpus / "results" / "audio" / "clip0.wav").exists()


@pytest.mark.parametrize("home", ["/proc", "/nonexistent", ""])
@mounts
def test_a_user_without_a_name_or_a_home(home, project, corpus, monkeypatch):
    """As in a container that runs by number; `.venv` gives such a user a place for caches (envs/talkface_home.py)."""
    monkeypatch.setenv("TMPDIR", str(corpus))
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    if home:
        monkeypatch.setenv("HOME", home)
    else:
        monkeypatch.delenv("HOME")
    done = run_snakemake(
        project, "results/audio/clip0.wav", "--cores", "1", "--config", "clips=sheet.tsv", cwd=corpus,
        prefix=["unshare", "--user", "--map-user=12345", "--"],
    )  # fmt: skip
    assert (corpus / "results" / "audio" / "clip0.wav").exists(), done.stdout
    assert (corpus / "talkface-12345" / "snakemake").is_dir()
