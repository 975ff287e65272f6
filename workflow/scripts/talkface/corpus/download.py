"""Downloads: checked, tried again after a fault, resumed where they were cut off.

What has arrived of a file lies beside it as ``<name>.part`` until size and checksum agree with what its publisher says;
only then does the file appear. The part outlives the process: the next run asks the server for the rest alone (HTTP
Range), and begins anew where a server cannot send a rest.
"""

import contextlib
import hashlib
import http.client
import json
import logging
import os
import shutil
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from tqdm import tqdm

from talkface.errors import TalkfaceError
from talkface.files import digest

LOGGER = logging.getLogger(__name__)

# Zenodo slows down clients that only name their library (https://github.com/fatiando/pooch/issues/502).
USER_AGENT = "talkface/0.1 (Snakemake workflow for talking faces)"
# Answers that may differ next time: time-outs, too many requests, a server or gateway in trouble.
TRANSIENT = (408, 425, 429, 500, 502, 503, 504)
ATTEMPTS = 8  # in a row without one more byte; pauses of 1, 2, 4 .. 60 s between them make two minutes
PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
LONGEST_WAIT_S = 900.0  # seconds; of a server's own Retry-After
TIMEOUT_S = 60.0  # without a byte
CHUNK = 1 << 18  # bytes


@dataclass(frozen=True)
class RemoteFile:
    """A file as its publisher lists it: name, size in bytes, md5 (32 hexadecimal digits), address; or its sha256."""

    name: str
    size: int
    md5: str
    url: str
    sha256: str = ""

    @property
    def checksum(self) -> str:
        """What is known of its content, as "md5 ..." or "sha256 ..."."""
        return f"sha256 {self.sha256}" if self.sha256 else f"md5 {self.md5}"

    def checksum_of(self, path: str | Path) -> str:
        """Compute the same of a file that has arrived."""
        return f"sha256 {digest(path)}" if self.sha256 else f"md5 {md5(path)}"


class Interrupted(Exception):
    """A fault that may pass.

    `wait_s` is what the server asks for, None where it says nothing; `anew`: what has arrived is of no use.
    """

    def __init__(self, cause: str, *, wait_s: float | None = None, anew: bool = False):
        super().__init__(cause)
        self.wait_s, self.anew = wait_s, anew


def fetch_json(url: str, *, attempts: int = ATTEMPTS, pause_s: float = PAUSE_S, timeout_s: float = TIMEOUT_S) -> Any:
    """Fetch a JSON document from the web.

    Raises
    ------
    TalkfaceError
        No such document, no answer after all attempts, or no JSON.
    """
    failures = 0
    while True:
        try:
            with _open(url, timeout_s=timeout_s) as response, _network_faults():
                content = response.read()
            break
        except Interrupted as fault:
            failures += 1
            _pause(fault, url, failures, attempts=attempts, pause_s=pause_s, kept=None)
    try:
        return json.loads(content)
    except ValueError:
        raise TalkfaceError(f"{url}: no JSON but {content[:60]!r}; the listing of a record was expected") from None


def fetch_file(
    remote: RemoteFile,
    path: str | Path,
    *,
    attempts: int = ATTEMPTS,
    pause_s: float = PAUSE_S,
    timeout_s: float = TIMEOUT_S,
) -> None:
    """Download a file to `path`, whole and checked, or not at all; one that is there and agrees is kept.

    Parameters
    ----------
    remote : RemoteFile
        What is expected.
    path : path
        Where it is to lie; what arrives lies beside it, as ``<path>.part``.
    attempts : int
        Faults in a row without one more byte after which it gives up.
    pause_s : float
        Pause after the first fault; doubled after each further one. A server's Retry-After goes before.
    timeout_s : float
        Seconds without a byte that count as a fault.

    Raises
    ------
    TalkfaceError
        The server has no such file, or one of another size or checksum, or gives no answer; what arrived is kept,
        unless its checksum is wrong.
    OSError
        The disk cannot take it; what arrived is kept.
    """
    path = Path(path)
    partial = path.with_name(path.name + ".part")
    if path.exists():
        if _agrees(path, remote):
            return
        LOGGER.warning("%s is not the file that %s lists; fetched anew", path, remote.url)
    partial.parent.mkdir(parents=True, exist_ok=True)
    check_space(path.parent, remote.size - min(size_of(partial), remote.size), what=f"the bytes of {remote.name}")
    keywords: dict[str, Any] = {"attempts": attempts, "pause_s": pause_s, "timeout_s": timeout_s}
    with tqdm(total=remote.size, unit="B", unit_scale=True, desc=remote.name, mininterval=2.0, file=sys.stderr) as bar:
        for _ in range(2):  # a wrong checksum may be the fault of an earlier run's part
            _complete(remote, partial, bar, **keywords)
            found = remote.checksum_of(partial)
            if found == remote.checksum:
                os.replace(partial, path)
                LOGGER.info("%s: %d bytes, %s", path, remote.size, found)
                return
            LOGGER.warning("%s: %s, expected %s; fetched anew", partial, found, remote.checksum)
            partial.unlink()
    raise TalkfaceError(
        f"{remote.url}: twice a wrong checksum ({found}, its listing says {remote.checksum.split()[1]}); what arrived "
        "is removed; try again later"
    )


def md5(path: str | Path) -> str:
    """Compute the md5 of a file, 32 hexadecimal digits: the checksum that Zenodo lists, no protection from forgery."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def check_space(folder: str | Path, needed: int, *, what: str) -> None:
    """Raise a `TalkfaceError` if the disk of a folder has less than `needed` bytes left, before a long work."""
    folder = Path(folder)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise TalkfaceError(
            f"{folder}: {free / 1e9:.3g} GB are free, {what} need {needed / 1e9:.3g} GB; free some space, or let the "
            "folder be a link to a larger disk"
        )


def size_of(path: Path) -> int:
    """Return the size of a file in bytes; 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def _agrees(path: Path, remote: RemoteFile) -> bool:
    return size_of(path) == remote.size and remote.checksum_of(path) == remote.checksum


def _complete(remote: RemoteFile, partial: Path, bar: tqdm, *, attempts: int, pause_s: float, timeout_s: float) -> None:
    """Transfer until `partial` has the size that is listed."""
    failures, most = 0, size_of(partial)
    if most:
        LOGGER.info("%s: goes on after %d of %d bytes", remote.name, most, remote.size)
    while (have := size_of(partial)) != remote.size:
        if have > remote.size:
            LOGGER.warning("%s: longer than what is listed; fetched anew", partial)
            partial.unlink()
        try:
            _transfer(remote, partial, bar, timeout_s=timeout_s)
            fault = Interrupted(f"the transfer ended after {size_of(partial)} of {remote.size} bytes")
        except Interrupted as error:
            fault = error
            if fault.anew:
                partial.unlink(missing_ok=True)
        have = size_of(partial)
        if have == remote.size:
            return
        failures = 1 if have > most else failures + 1
        most = max(most, have)
        _pause(fault, remote.url, failures, attempts=attempts, pause_s=pause_s, kept=partial)


def _transfer(remote: RemoteFile, partial: Path, bar: tqdm, *, timeout_s: float) -> None:
    """Ask once for what is missing and add what comes, until the server ends or a fault does."""
    with _open(remote.url, timeout_s=timeout_s, offset=size_of(partial)) as response:
        start = _start(response, remote, size_of(partial))
        bar.n = start
        bar.refresh()
        try:
            with open(partial, "ab" if start else "wb") as file:
                while True:
                    with _network_faults():
                        block = response.read1(CHUNK)
                    if not block:
                        return
                    start += len(block)
                    if start > remote.size:
                        raise _other_size(remote, "more")
                    file.write(block)
                    bar.update(len(block))
        except OSError as error:  # of the disk: those of the line are no OSError any more
            error.filename = error.filename or str(partial)
            raise


def _start(response: http.client.HTTPResponse, remote: RemoteFile, have: int) -> int:
    """Return the byte that the answer begins with: `have` where the server sends the rest, 0 where it sends all."""
    if response.status == 206:
        stretch, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
        if total not in ("*", str(remote.size)):
            raise _other_size(remote, total or "unknown")
        if stretch.startswith(f"{have}-"):
            return have
        raise Interrupted(f"asked for the bytes from {have} on, the server sent {stretch or 'others'}", anew=True)
    length = response.headers.get("Content-Length")
    if length is not None and length != str(remote.size):
        raise _other_size(remote, length)
    return 0


def _other_size(remote: RemoteFile, found: str) -> TalkfaceError:
    return TalkfaceError(
        f"{remote.url}: {found} bytes, its listing says {remote.size}; the record may have changed: remove its listing "
        "(record.tsv) and run the same command again"
    )


# Only the web: neither file:// nor ftp://, whatever a listing says.
_OPENER = urllib.request.OpenerDirector()
for _handler in (
    urllib.request.ProxyHandler,
    urllib.request.HTTPHandler,
    urllib.request.HTTPSHandler,
    urllib.request.HTTPRedirectHandler,
    urllib.request.HTTPDefaultErrorHandler,
    urllib.request.HTTPErrorProcessor,
    urllib.request.UnknownHandler,
):
    _OPENER.add_handler(_handler())


@contextlib.contextmanager
def _open(url: str, *, timeout_s: float, offset: int = 0) -> Iterator[http.client.HTTPResponse]:
    """Open an address; a fault that may pass is `Interrupted`, any other a `TalkfaceError`."""
    if not url.startswith(("https://", "http://")):
        raise TalkfaceError(f"{url!r}: no address on the web; expected one that begins with https://")
    headers = {"User-Agent": USER_AGENT} | ({"Range": f"bytes={offset}-"} if offset else {})
    try:
        with _network_faults():
            response = _OPENER.open(urllib.request.Request(url, headers=headers), timeout=timeout_s)
    except urllib.error.HTTPError as error:
        with error:
            said = f"HTTP {error.code} {error.reason}"
            if error.code in TRANSIENT:
                raise Interrupted(said, wait_s=_retry_after(error.headers)) from None
            if error.code == 416 and offset:  # the server's file ends before
                raise Interrupted(said, anew=True) from None
            raise TalkfaceError(f"{url}: {said}; a file was expected; compare the address with the record") from None
    with response:
        yield response


@contextlib.contextmanager
def _network_faults() -> Iterator[None]:
    """Turn faults of the connection into `Interrupted`; an answer that is an error goes through."""
    try:
        yield
    except urllib.error.HTTPError:
        raise
    except (OSError, http.client.HTTPException) as error:
        raise Interrupted(str(getattr(error, "reason", None) or error) or type(error).__name__) from error


def _retry_after(headers: Message) -> float | None:
    """Return the seconds that a server asks to wait for, None where it does not."""
    text = headers.get("Retry-After", "")
    with contextlib.suppress(ValueError, TypeError):
        if text.strip().isdigit():
            return min(float(text), LONGEST_WAIT_S)
        if text:
            return min(max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0), LONGEST_WAIT_S)
    return None


def _pause(fault: Interrupted, url: str, failures: int, *, attempts: int, pause_s: float, kept: Path | None) -> None:
    """Wait before the next attempt, or give up after the last."""
    if failures >= attempts:
        then = f"what arrived is kept in {kept}: run the same command again to go on" if kept else "try again later"
        raise TalkfaceError(f"{url}: {fault} ({failures} attempts in a row); {then}") from None
    wait = fault.wait_s if fault.wait_s is not None else min(pause_s * 2 ** (failures - 1), LONGEST_PAUSE_S)
    LOGGER.warning("%s: %s; tried again in %.3g s", url, fault, wait)
    time.sleep(wait)
