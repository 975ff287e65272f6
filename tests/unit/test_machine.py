"""What a machine may lack, and what takes its place."""

import os
import pwd
import tempfile

import pytest

from talkface.errors import MachineError
from talkface.machine import settle_machine


@pytest.fixture(autouse=True)
def kept(monkeypatch):
    """The environment and the folder of temporary files as they were, afterwards."""
    monkeypatch.setattr(tempfile, "tempdir", tempfile.gettempdir())
    monkeypatch.setenv("TMPDIR", tempfile.gettempdir())
    monkeypatch.setenv("USER", "someone")


def test_nothing_is_done_where_nothing_is_lacking(tmp_path):
    before = dict(os.environ)
    assert settle_machine(tmp_path / "scratch") == ""
    assert dict(os.environ) == before
    assert not (tmp_path / "scratch").exists()


@pytest.mark.parametrize(("folder", "words"), [("/nowhere", "No such file"), ("/proc", "")])
def test_temporary_files_go_elsewhere(folder, words, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", folder)
    said = settle_machine(tmp_path / "scratch")
    assert said.startswith(f"{folder}: {words}")
    assert f"temporary files go to {tmp_path / 'scratch'}" in said
    assert os.environ["TMPDIR"] == tempfile.gettempdir() == str(tmp_path / "scratch")


def test_no_room_anywhere(monkeypatch):
    monkeypatch.setenv("TMPDIR", "/nowhere")
    with pytest.raises(MachineError, match="set TMPDIR to a folder with room"):
        settle_machine("/proc/scratch")


def test_a_user_without_an_entry_is_called_by_number(tmp_path, monkeypatch):
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)

    def unknown(number):
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    settle_machine(tmp_path)
    assert os.environ["USER"] == str(os.getuid())
