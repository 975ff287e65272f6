"""Corpora by name, as a user fetches them: from a small web server that serves archives of the same layout."""

import os
import re
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
import yaml

from talkface.corpus.download import size_of
from talkface.media.program import ffmpeg_program
from tests.local_web import local_web, zipped
from tests.workflow.conftest import run_snakemake

RECORD = 3625687


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Two films of one second, coded as GRID's: MPEG-1, 25 frames a second, with sound."""
    folder = tmp_path_factory.mktemp("films")
    for number, tone in enumerate((220, 330)):
        sources = ["-f", "lavfi", "-i", "testsrc=s=96x72:r=25:d=1", "-f", "lavfi", "-i", f"sine={tone}:r=44100:d=1"]
        coding = ["-c:v", "mpeg1video", "-c:a", "mp2", "-shortest", str(folder / f"{number}.mpg")]
        subprocess.run([ffmpeg_program(), "-nostdin", "-loglevel", "error", *sources, *coding], check=True)
    return [path.read_bytes() for path in sorted(folder.iterdir())]


@pytest.fixture
def web(films):
    """A record of three GRID speakers, one of each split."""
    with local_web() as served:
        served.archives = {
            "s1.zip": zipped({"s1/bbaf2n.mpg": films[0], "s1/lbwe5s.mpg": films[1], "__MACOSX/s1/._bbaf2n.mpg": b"x"}),
            "s3.zip": zipped({"s3/bbaf2n.mpg": films[1]}),
            "s5.zip": zipped({"s5/swiz3n.mpg": films[0]}),
            "alignments.zip": zipped({"alignments/s1/bbaf2n.align": b"0 1 sil"}),
        }
        served.add_record(RECORD, served.archives)
        yield served


@pytest.fixture
def run(project, tmp_path, web):
    """Call snakemake in a folder of its own, with `corpus: grid` from the local record."""
    grid = {"record": f"{web.url}/api/records/{RECORD}", "speakers": [1, 3, 5]}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"corpus": "grid", "corpora": {"grid": grid}}))

    def call(*arguments, check=True):
        return run_snakemake(project, *arguments, "--configfile", "mine.yaml", cwd=tmp_path, check=check)

    return call


def path_of(name):
    return f"/api/records/{RECORD}/files/{name}/content"


def refusal(done):
    """The text of a failed run, lines folded into one."""
    assert done.returncode != 0, done.stdout[-3000:]
    assert "Traceback (most recent" not in done.stdout
    return " ".join(done.stdout.split())


def wait_for(happened, seconds=120):
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.1)


def hear_interrupts():
    """What a shell starts in the background ignores Ctrl-C, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_a_corpus_is_fetched_in_spite_of_all(run, web, project, tmp_path):
    corpus = tmp_path / "resources" / "corpora" / "grid"
    text = refusal(run("--dry-run", "train_all", check=False))
    assert "resources/corpora/grid/clips.tsv is not there yet; first run: snakemake fetch_corpus" in text
    assert "clips.tsv is not there yet" in refusal(run("--dry-run", "fetch_corpus", "train_all", check=False))
    # One line is cut in the middle, one server is in trouble, one falls silent until the user has had enough.
    half = len(web.archives["s5.zip"]) // 2
    web.faults = {path_of("s1.zip"): [{"cut": 5000}], path_of("s3.zip"): [{"status": 500}]}
    web.faults[path_of("s5.zip")] = [{"stall": half}]
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(project / "Snakefile"), "fetch_corpus"]
    first = subprocess.Popen(
        [*command, "--cores", "2", "--configfile", "mine.yaml"], cwd=tmp_path, start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ | {"OMP_NUM_THREADS": "1"},
        preexec_fn=hear_interrupts,
    )  # fmt: skip
    try:
        wait_for(lambda: len(list(corpus.glob("contents/*.tsv"))) == 2 and web.stalling.is_set())
        wait_for(lambda: size_of(corpus / "archives" / "s5.zip.part") > 0)
    finally:
        os.killpg(first.pid, signal.SIGINT)
        told = first.communicate(timeout=120)[0]
    assert first.returncode != 0
    # The licence is shown before the first byte, and stays.
    assert 0 < told.index("Licence: cc-by-4.0") < told.index("Fetching s1.zip of grid")
    assert "name its authors" in (corpus / "LICENCE.txt").read_text()
    assert web.asked[0][0] == f"/api/records/{RECORD}"
    assert web.ranges(path_of("s1.zip")) == [None, "bytes=5000-"]
    assert not (corpus / "clips.tsv").exists()
    arrived = (corpus / "archives" / "s5.zip.part").stat().st_size
    assert 0 < arrived <= half
    # Taken up again: nothing twice, the rest of what was interrupted.
    web.asked.clear()
    run("--cores", "2", "fetch_corpus")
    assert [(path, stretch) for path, stretch, _ in web.asked] == [(path_of("s5.zip"), f"bytes={arrived}-")]
    sheet = pd.read_csv(corpus / "clips.tsv", sep="\t")
    assert list(sheet["clip"]) == ["s1_bbaf2n", "s1_lbwe5s", "s3_bbaf2n", "s5_swiz3n"]
    assert list(sheet["split"]) == ["test", "test", "valid", "train"]
    assert not list((corpus / "archives").iterdir())
    assert not list(corpus.rglob("._*"))
    # Now every other target plans, on the fetched clips.
    planned = run("--dry-run", "train_all").stdout
    assert re.search(r"^extract_audio\s+3$", planned, flags=re.M)  # a shard a speaker
    assert "results/dataset/grid.h5" in planned
    assert "fetch_archive" not in planned
    assert "Nothing to be done" in run("--cores", "1", "fetch_corpus").stdout
    run("--cores", "2", "extract_all")
    assert len(list((tmp_path / "results" / "audio").glob("*.h5"))) == 3
    assert len(web.asked) == 1


def test_a_wrong_checksum_and_a_name_that_leads_elsewhere(run, web, tmp_path, films):
    corpus = tmp_path / "resources" / "corpora" / "grid"
    archives = web.archives | {"s3.zip": zipped({"s3/bbaf2n.mpg": films[1], "../../../../evil.mpg": b"x"})}
    web.add_record(RECORD, archives, checksums={"s5.zip": "0" * 32})
    text = refusal(run("--cores", "2", "--keep-going", "fetch_corpus", check=False))
    assert re.search(r"s5\.zip/content: twice a wrong checksum \(md5 \w{32}, its listing says 0{32}\)", text)
    assert "evil.mpg' is no path within a folder; nothing of the archive is unpacked" in text
    assert not list(tmp_path.rglob("evil*"))
    assert [path.name for path in (corpus / "contents").iterdir()] == ["s1.tsv"]
    assert [path.name for path in (corpus / "videos").iterdir()] == ["s1"]
    assert not (corpus / "archives" / "s5.zip.part").exists()
    assert "first run: snakemake fetch_corpus" in refusal(run("--dry-run", "train_all", check=False))


def test_a_record_that_is_another_or_none(run, web, tmp_path):
    web.add_record(RECORD, {"s1.zip": b"x", "readme.txt": b"x"})
    text = refusal(run("--cores", "1", "fetch_corpus", check=False))
    assert "the record lists no s3.zip, s5.zip but readme.txt, s1.zip; is it the record of grid?" in text
    del web.files[f"/api/records/{RECORD}"]
    assert "HTTP 404" in refusal(run("--cores", "1", "fetch_corpus", check=False))
    assert not list((tmp_path / "resources" / "corpora" / "grid").glob("*"))
    assert {path for path, _, _ in web.asked} == {f"/api/records/{RECORD}"}


def test_mistakes_in_the_config(snakemake, tmp_path):
    text = refusal(snakemake("--dry-run", "fetch_corpus", check=False))
    assert "config, corpus: demo cannot be fetched; known are: grid, ravdess, folder" in text
    for settings, said in (
        ({"grid": {"speakers": [1, 3, 21]}}, "corpora.grid.speakers: 21 has no videos; known are 1-20, 22-34"),
        ({"ravdess": {"actors": [1, 2, 3]}}, "corpora.ravdess.actors: nobody of the split 'valid' (21-22)"),
        (
            {"grid": {"record": "file:///etc/passwd"}},
            "config, corpora.grid.record: 'file:///etc/passwd' does not match",
        ),
    ):
        (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"corpus": "grid", "corpora": settings}))
        assert said in refusal(snakemake("--dry-run", "fetch_corpus", "--configfile", "mine.yaml", check=False))
    done = snakemake("--dry-run", "fetch_corpus", "--config", "corpus=folder", check=False)
    assert "config, corpora.folder.videos: None is no folder" in refusal(done)


def test_a_folder_of_ones_own(snakemake, tmp_path, films):
    for speaker in ("anna", "bert", "cleo"):
        (tmp_path / "films" / speaker).mkdir(parents=True)
        (tmp_path / "films" / speaker / "hello.mpg").write_bytes(films[0])
    settings = ("--config", "corpus=folder", "corpora={folder: {videos: films}}")
    assert "first run: snakemake fetch_corpus" in refusal(snakemake("--dry-run", "train_all", *settings, check=False))
    snakemake("--cores", "1", "fetch_corpus", *settings)
    sheet = pd.read_csv(tmp_path / "resources" / "corpora" / "folder" / "clips.tsv", sep="\t", index_col="clip")
    assert sorted(sheet.index) == ["anna_hello", "bert_hello", "cleo_hello"]
    assert sorted(sheet["split"]) == ["test", "train", "valid"]
    planned = snakemake("--dry-run", "train_all", *settings).stdout
    assert re.search(r"^extract_audio\s+3$", planned, flags=re.M)
    assert "results/dataset/folder.h5" in planned
    assert "Nothing to be done" in snakemake("--cores", "1", "fetch_corpus", *settings).stdout
    (tmp_path / "films" / "cleo" / "again.mpg").write_bytes(films[1])
    assert "write_folder_sheet" in snakemake("--dry-run", "fetch_corpus", *settings).stdout
