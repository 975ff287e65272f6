"""Archives of others: unpacked whole or not at all, and only where they are meant to go."""

import errno
import shutil
import stat
import zipfile
from collections import namedtuple

import pytest

from talkface.corpus import archives
from talkface.corpus.archives import unpack
from talkface.errors import TalkfaceError
from talkface.logs import machine_fault
from tests.local_web import zipped

GOOD = {"s1/bbaf2n.mpg": b"one" * 1000, "s1/lbwe5s.MPG": b"two"}


@pytest.fixture
def place(tmp_path):
    return tmp_path / "corpus" / "videos" / "s1"


@pytest.fixture
def archive(tmp_path):
    """Write an archive of name to content; give its path."""

    def write(files):
        (tmp_path / "s1.zip").write_bytes(zipped(files))
        return tmp_path / "s1.zip"

    return write


def everything_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def refused(archive, place, match):
    """Nothing appears, here or beside, and what was there before stays."""
    with pytest.raises(TalkfaceError, match=match) as error:
        unpack(archive, place, suffixes=(".mpg",))
    assert "\n" not in str(error.value)
    root = place.parents[2]
    assert [name for name in everything_below(root) if not name.startswith("corpus")] == [archive.name]
    assert not place.exists()
    assert not list(place.parent.glob(".*"))


def test_only_what_is_wanted(archive, place):
    more = {
        "s1/": b"",
        "s1/Thumbs.db": b"x",
        "readme.txt": b"x",
        "s1/run.sh": b"x",
        "__MACOSX/s1/._bbaf2n.mpg": b"x",
        "s1/._bbaf2n.mpg": b"x",
        "__MACOSX/s1/Icon\r": b"x",
    }
    found = unpack(archive(GOOD | more), place, suffixes=(".mpg",))
    assert found == [("s1/bbaf2n.mpg", 3000), ("s1/lbwe5s.MPG", 3)]
    assert everything_below(place) == ["s1", "s1/bbaf2n.mpg", "s1/lbwe5s.MPG"]
    assert (place / "s1" / "bbaf2n.mpg").read_bytes() == GOOD["s1/bbaf2n.mpg"]
    assert everything_below(place.parent) == ["s1", *(f"s1/{name}" for name in everything_below(place))]


def test_what_was_there_is_replaced(archive, place):
    unpack(archive({"a.mpg": b"old", "b.mpg": b"old"}), place, suffixes=(".mpg",))
    aside = place.with_name(".s1.unpacking")  # of a run that was killed
    aside.mkdir()
    (aside / "half.mpg").touch()
    unpack(archive({"a.mpg": b"new"}), place, suffixes=(".mpg",))
    assert everything_below(place) == ["a.mpg"]
    assert (place / "a.mpg").read_bytes() == b"new"
    assert not aside.exists()


@pytest.mark.parametrize(
    "name",
    ["../evil.mpg", "s1/../../evil.mpg", "/tmp/evil.mpg", "..\\evil.mpg", "C:/evil.mpg", "C:evil.mpg", "../evil.txt"],
)
def test_a_name_that_leads_elsewhere(archive, place, name):
    refused(archive(GOOD | {name: b"evil"}), place, "is no path within a folder; nothing of the archive is unpacked")


def test_names_that_are_none(archive, place):
    refused(archive(GOOD | {"s1/a\nb.mpg": b"x"}), place, "no name of a file")
    path = archive(GOOD)
    with zipfile.ZipFile(path, "a") as more, pytest.warns(UserWarning, match="Duplicate name"):
        more.writestr("s1/bbaf2n.mpg", b"other")
    refused(path, place, "stands twice")
    refused(archive(GOOD | {"S1/BBAF2N.mpg": b"other"}), place, "stands twice")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_a_link_or_device(archive, place, kind):
    path = archive(GOOD)
    member = zipfile.ZipInfo("s1/link.mpg")
    member.create_system = 3
    member.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(path, "a") as more:
        more.writestr(member, "/etc/passwd")
    refused(path, place, "is no ordinary file")


def test_an_encrypted_archive(archive, place):
    path = archive({"a.mpg": b"x"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # flag bit 0 of the central directory's entry
    path.write_bytes(content)
    refused(path, place, "is encrypted")


def test_no_archive(archive, place):
    path = archive(GOOD)
    whole = path.read_bytes()
    path.write_bytes(b"<html>")
    refused(path, place, "not a zip archive that can be unpacked")
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, place, "not a zip archive that can be unpacked")
    damaged = bytearray(whole)
    damaged[45:50] = b"\0" * 5
    path.write_bytes(damaged)
    refused(path, place, "not a zip archive that can be unpacked")
    refused(archive({"notes.txt": b"x", "__MACOSX/._a.mpg": b"x"}), place, r"no files ending in \.mpg")


def test_a_disk_that_fills(archive, place, monkeypatch):
    def fill(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archives.shutil, "copyfileobj", fill)
    with pytest.raises(OSError) as error:
        unpack(archive(GOOD), place, suffixes=(".mpg",))
    assert "the disk is full" in machine_fault(error.value)
    assert everything_below(place.parent) == []
    monkeypatch.undo()
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 1000))
    refused(archive(GOOD), place, r"the files of s1\.zip need")
