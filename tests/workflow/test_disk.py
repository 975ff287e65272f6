"""A disk that fills in the middle of a write, and results that cannot be written: one clear line, nothing lost."""

import shutil
import subprocess

import h5py
import numpy as np
import pandas as pd
import pytest
import soundfile

from talkface.media.video import ffmpeg_program
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


pytestmark = pytest.mark.skipif(not can_mount(), reason="needs unshare with user and mount namespaces")


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


def test_results_that_cannot_be_written(project, corpus):
    work = corpus / "work"
    before = work / "results" / "audio" / "clip0.h5"
    before.parent.mkdir(parents=True)
    shutil.copy(corpus / "sheet.tsv", before)
    done = run_mounted(project, corpus, "mount --bind . . && mount -o remount,ro,bind .")
    assert done.returncode != 0
    assert "read-only" in done.stdout.lower(), done.stdout[-3000:]
    assert before.exists()
