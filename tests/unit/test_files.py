"""Files appear whole or not at all; a script's failure is one line."""

import errno
import hashlib
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from talkface.errors import TalkfaceError
from talkface.files import digest, without_braces, writing
from talkface.logs import log_to, machine_fault


def test_writing(tmp_path):
    target = tmp_path / "new" / "a.txt"
    with writing(target) as temporary:
        assert temporary.suffix == ".txt"
        assert temporary.parent == target.parent
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert [path.name for path in target.parent.iterdir()] == ["a.txt"]


def test_a_failure_leaves_what_was_there(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("before")
    with pytest.raises(RuntimeError), writing(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError("stop")
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_digest(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert digest(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


def test_machine_faults_are_told_from_others(tmp_path):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "x.h5"))
    assert "the disk is full" in machine_fault(full)
    assert "x.h5" in machine_fault(full)
    hidden = OSError(f"Can't write data (file write failed: errno = {errno.ENOSPC}, error message = 'x')")
    assert "the disk is full" in machine_fault(hidden)
    assert machine_fault(ValueError("wrong")) is None


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        ValueError("(-4:Insufficient memory) Failed to allocate 99 bytes"),
        OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
    ],
)
def test_an_end_of_memory_is_told_whoever_says_it(error):
    assert machine_fault(error).startswith("no memory is left")


def test_log_takes_everything(tmp_path):
    path = tmp_path / "logs" / "rule.log"
    with pytest.raises(ZeroDivisionError), log_to(path):
        logging.getLogger("talkface.x").info("began")
        _ = 1 / 0
    text = path.read_text()
    assert "began" in text
    assert "Traceback" in text
    assert "ZeroDivisionError" in text


def test_a_users_mistake_is_one_line_and_status_1(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop, log_to(tmp_path / "rule.log"):
        raise TalkfaceError("clip.mp4: not a video;\n expected one; replace it")
    assert str(stop.value) == "talkface: clip.mp4: not a video; expected one; replace it"
    assert "clip.mp4: not a video; expected one" in (tmp_path / "rule.log").read_text()


def test_the_process_of_a_script_ends_so(tmp_path, project):
    code = (
        "from talkface.errors import TalkfaceError\nfrom talkface.logs import log_to\n"
        f"with log_to({str(tmp_path / 'x.log')!r}):\n    raise TalkfaceError('one line')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project / "workflow" / "scripts", capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == "talkface: one line\n"


def test_braces_in_a_path_get_a_second_path(tmp_path):
    """As old as the file, so that Snakemake makes nothing anew; the same wherever the folder is moved."""
    links = tmp_path / "links"
    path = tmp_path / "x{1} {clip}.mp4"
    path.write_text("one")
    os.utime(path, (1e9, 1e9))
    assert without_braces(tmp_path / "plain.mp4", links) == str(tmp_path / "plain.mp4")
    link = Path(without_braces(path, links))
    assert link.name == "x(1) (clip).mp4"
    assert not {"{", "}"} & set(str(link))
    assert link.read_text() == "one"
    assert link.lstat().st_mtime == 1e9
    before = link.lstat().st_ino
    assert without_braces(path, links) == str(link)
    assert link.lstat().st_ino == before
    path.unlink()
    assert without_braces(path, links) == str(link)
    gone = tmp_path / "{gone}.mp4"
    assert not Path(without_braces(gone, links)).exists()
