"""Downloads against a small web server: what goes well, and each fault of servers, lines and disks."""

import errno
import hashlib
import io
import shutil
from collections import namedtuple

import numpy as np
import pytest

from talkface.corpus import download
from talkface.corpus.download import RemoteFile, fetch_file, fetch_json
from talkface.errors import TalkfaceError
from talkface.logs import machine_fault
from tests.local_web import local_web

CONTENT = np.random.default_rng(1).bytes(700_001)
PATH = "/files/s1.zip"
QUICK = {"pause_s": 0.005, "attempts": 4, "timeout_s": 5.0}


@pytest.fixture
def web():
    with local_web() as served:
        served.files[PATH] = CONTENT
        yield served


@pytest.fixture
def remote(web):
    return RemoteFile("s1.zip", len(CONTENT), hashlib.md5(CONTENT).hexdigest(), web.url + PATH)


@pytest.fixture
def place(tmp_path):
    return tmp_path / "archives" / "s1.zip"


def part(place):
    return place.with_name("s1.zip.part")


def test_a_whole_file(web, remote, place, capsys):
    fetch_file(remote, place, **QUICK)
    assert place.read_bytes() == CONTENT
    assert not part(place).exists()
    assert web.ranges(PATH) == [None]
    assert web.asked[0][2].startswith("talkface/")
    assert "s1.zip" in capsys.readouterr().err  # the progress bar
    fetch_file(remote, place, **QUICK)
    assert len(web.asked) == 1, "a file that agrees is not fetched again"


def test_a_file_that_does_not_agree_is_replaced(web, remote, place):
    place.parent.mkdir()
    place.write_bytes(CONTENT[:-1] + b"x")
    fetch_file(remote, place, **QUICK)
    assert place.read_bytes() == CONTENT


@pytest.mark.parametrize("fault", [{"cut": 300_000}, {"cut": 300_000, "no_length": True}])
def test_a_line_that_is_cut(web, remote, place, fault):
    web.faults[PATH] = [fault, {"cut": 100_000}]
    fetch_file(remote, place, **QUICK)
    assert place.read_bytes() == CONTENT
    assert web.ranges(PATH) == [None, "bytes=300000-", "bytes=400000-"]


def test_cuts_do_not_count_while_bytes_come(web, remote, place):
    web.faults[PATH] = [{"cut": 50_000}] * 12
    fetch_file(remote, place, **QUICK | {"attempts": 2})
    assert place.read_bytes() == CONTENT


def test_a_line_that_falls_silent(web, remote, place):
    web.faults[PATH] = [{"stall": 200_000}]
    fetch_file(remote, place, **QUICK | {"timeout_s": 0.3})
    assert place.read_bytes() == CONTENT
    assert web.ranges(PATH) == [None, "bytes=200000-"]


def test_an_interrupted_run_is_taken_up_again(web, remote, place):
    web.faults[PATH] = [{"cut": 300_000}, *[{"status": 503}] * 3]
    with pytest.raises(TalkfaceError, match=r"HTTP 503 .*\(4 attempts in a row\); what arrived is kept in .*zip\.part"):
        fetch_file(remote, place, **QUICK)
    assert not place.exists()
    assert part(place).read_bytes() == CONTENT[:300_000]
    fetch_file(remote, place, **QUICK)
    assert place.read_bytes() == CONTENT
    assert web.ranges(PATH)[-1] == "bytes=300000-"


def test_a_server_that_cannot_send_a_rest(web, remote, place):
    web.faults[PATH] = [{"cut": 300_000}, {"ignore_range": True, "cut": 200_000}, {"ignore_range": True}]
    fetch_file(remote, place, **QUICK)
    assert place.read_bytes() == CONTENT
    assert web.ranges(PATH) == [None, "bytes=300000-", "bytes=200000-"]


def test_a_server_that_cannot_send_a_rest_and_always_ends_early(web, remote, place):
    web.faults[PATH] = [{"ignore_range": True, "cut": 300_000}] * 9
    with pytest.raises(TalkfaceError, match=r"ended after 300000 of 700001 bytes \(4 attempts in a row\)"):
        fetch_file(remote, place, **QUICK)
    assert len(web.asked) == 4


def test_a_server_that_sends_another_stretch(web, remote, place):
    web.faults[PATH] = [{"cut": 300_000}, {"range_from": 299_000}]
    fetch_file(remote, place, **QUICK)
    assert place.read_bytes() == CONTENT
    assert web.ranges(PATH) == [None, "bytes=300000-", None]


def test_a_part_that_went_bad_is_fetched_anew(web, remote, place):
    place.parent.mkdir()
    part(place).write_bytes(b"\0" * 1000)
    fetch_file(remote, place, **QUICK)
    assert place.read_bytes() == CONTENT
    assert web.ranges(PATH) == ["bytes=1000-", None]


def test_a_part_that_is_whole_or_too_long(web, remote, place):
    place.parent.mkdir()
    part(place).write_bytes(CONTENT)
    fetch_file(remote, place, **QUICK)
    assert not web.asked
    place.unlink()
    part(place).write_bytes(CONTENT + b"more")
    fetch_file(remote, place, **QUICK)
    assert place.read_bytes() == CONTENT


def test_a_wrong_checksum(web, remote, place):
    listed = RemoteFile("s1.zip", len(CONTENT), "0" * 32, remote.url)
    with pytest.raises(TalkfaceError, match=rf"twice a wrong checksum \(md5 {remote.md5}, its listing says 0{{32}}\)"):
        fetch_file(listed, place, **QUICK)
    assert list(place.parent.iterdir()) == []
    assert len(web.asked) == 2


def test_another_size_than_listed(web, remote, place):
    listed = RemoteFile("s1.zip", len(CONTENT) - 1, remote.md5, remote.url)
    with pytest.raises(TalkfaceError, match="700001 bytes, its listing says 700000; the record may have changed"):
        fetch_file(listed, place, **QUICK)
    web.faults[PATH] = [{"no_length": True}]
    with pytest.raises(TalkfaceError, match="more bytes, its listing says 700000"):
        fetch_file(listed, place, **QUICK)
    listed = RemoteFile("s1.zip", len(CONTENT) + 1, remote.md5, remote.url)
    part(place).write_bytes(CONTENT[:10])
    with pytest.raises(TalkfaceError, match="700001 bytes, its listing says 700002"):
        fetch_file(listed, place, **QUICK)
    part(place).write_bytes(CONTENT)  # 416: there is no byte after these
    with pytest.raises(TalkfaceError, match="700001 bytes, its listing says 700002"):
        fetch_file(listed, place, **QUICK)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_file_that_is_not_there(web, remote, place, status):
    web.faults[PATH] = [{"status": status}]
    with pytest.raises(TalkfaceError, match=rf"s1\.zip: HTTP {status} .*; a file was expected") as error:
        fetch_file(remote, place, **QUICK)
    assert "\n" not in str(error.value)
    assert len(web.asked) == 1


def test_a_server_in_trouble(web, remote, place):
    web.faults[PATH] = [{"status": 500}, {"status": 502}, {"status": 429, "headers": {"Retry-After": "0"}}]
    fetch_file(remote, place, **QUICK)
    assert place.read_bytes() == CONTENT
    web.faults[PATH] = [{"status": 500}] * 9
    place.unlink()
    web.asked.clear()
    with pytest.raises(TalkfaceError, match=r"HTTP 500 .*4 attempts in a row"):
        fetch_file(remote, place, **QUICK)
    assert len(web.asked) == 4


@pytest.mark.parametrize(
    ("header", "wait"), [("7", 7), ("86400", 900), ("Wed, 01 Jan 2020 00:00:00 GMT", 0), ("soon", 0.005)]
)
def test_a_server_that_says_how_long_to_wait(web, remote, place, monkeypatch, header, wait):
    slept = []
    monkeypatch.setattr(download.time, "sleep", slept.append)
    web.faults[PATH] = [{"status": 429, "headers": {"Retry-After": header}}]
    fetch_file(remote, place, **QUICK)
    assert slept == [wait]


def test_pauses_grow(web, remote, place, monkeypatch):
    slept = []
    monkeypatch.setattr(download.time, "sleep", slept.append)
    web.faults[PATH] = [{"status": 503}] * 8
    with pytest.raises(TalkfaceError):
        fetch_file(remote, place)
    assert slept == [1, 2, 4, 8, 16, 32, 60]


def test_no_server(remote, place, web):
    web.close()
    with pytest.raises(TalkfaceError, match=r"refused \(2 attempts in a row\)"):
        fetch_file(remote, place, pause_s=0.001, attempts=2)


def test_a_disk_that_fills(web, remote, place, monkeypatch):
    """Nothing that arrived is lost, and the user reads which file found no place."""

    class Full(io.FileIO):
        def write(self, block):
            if self.tell() >= 200_000:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(block)

    monkeypatch.setattr(download, "open", Full, raising=False)
    with pytest.raises(OSError) as error:
        fetch_file(remote, place, **QUICK)
    assert error.value.errno == errno.ENOSPC
    assert machine_fault(error.value).startswith(f"{part(place)}: the disk is full")
    kept = part(place).read_bytes()
    assert len(kept) >= 200_000
    assert kept == CONTENT[: len(kept)]
    assert len(web.asked) == 1, "a full disk is no fault of the line"
    monkeypatch.undo()
    fetch_file(remote, place, **QUICK)
    assert place.read_bytes() == CONTENT
    assert web.ranges(PATH)[-1] == f"bytes={len(kept)}-"


def test_a_disk_too_small_is_told_before(web, remote, place, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 1000))
    with pytest.raises(TalkfaceError, match=r"1e-06 GB are free, the bytes of s1\.zip need 0\.0007 GB"):
        fetch_file(remote, place, **QUICK)
    assert not web.asked


def test_only_the_web(web, place, tmp_path):
    (tmp_path / "secret").write_text("x")
    address = (tmp_path / "secret").as_uri()
    with pytest.raises(TalkfaceError, match="no address on the web"):
        fetch_json(address)
    web.files["/there"] = b"[1]"
    web.faults["/here"] = [{"status": 302, "headers": {"Location": "/there"}}]
    assert fetch_json(web.url + "/here", **QUICK) == [1]
    web.faults["/here"] = [{"status": 302, "headers": {"Location": address}}]
    with pytest.raises(TalkfaceError, match="HTTP 302"):
        fetch_json(web.url + "/here", **QUICK)


def test_json(web):
    web.files["/record"] = b'{"files": []}'
    web.faults["/record"] = [{"status": 503}, {"cut": 3}]
    assert fetch_json(web.url + "/record", **QUICK) == {"files": []}
    web.files["/record"] = b"<html>"
    with pytest.raises(TalkfaceError, match="no JSON but b'<html>'"):
        fetch_json(web.url + "/record", **QUICK)
    with pytest.raises(TalkfaceError, match="HTTP 404"):
        fetch_json(web.url + "/none", **QUICK)
