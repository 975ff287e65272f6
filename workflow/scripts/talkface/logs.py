"""Logging of scripts: the log of a rule, and the one line a user reads when it fails."""

import contextlib
import errno
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path

from talkface.errors import TalkfaceError
from talkface.threads import settle_threads

# Faults of the place a file is written to, not of the program: what to tell the user to do.
DISK_FAULTS = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "the disk quota is used up; free some space and run the same command again",
    errno.EROFS: "the file system is read-only; choose a writable folder with --directory",
    errno.EACCES: "permission denied; make the folder writable or choose another with --directory",
}


def disk_fault(error: BaseException) -> str | None:
    """Describe an error whose cause is the disk in one line; None for any other.

    h5py and ffmpeg hide the number of the error in a message, so the chain of causes and its texts are searched.
    """
    seen: BaseException | None = error
    while seen is not None:
        for number, advice in DISK_FAULTS.items():
            strerror = os.strerror(number)
            if getattr(seen, "errno", None) == number or f"errno = {number}," in str(seen) or strerror in str(seen):
                where = getattr(seen, "filename", None) or getattr(error, "filename", None)
                return f"{where}: {advice}" if where else advice
        seen = seen.__cause__ or seen.__context__
    return None


@contextlib.contextmanager
def log_to(path: str | os.PathLike, *, threads: int = 1) -> Iterator[None]:
    """Send logging, warnings and the traceback of a crash to the log of a rule, and settle its threads.

    A `TalkfaceError`, or an error of the disk, ends the process with status 1 and one line, in the log and on standard
    error; any other exception is a fault of this program and goes on after its traceback has been written.

    Parameters
    ----------
    path : path
        The log file; begun anew, its folder is made.
    threads : int
        Of the rule; see `threads.settle_threads`.
    """
    settle_threads(threads)
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    except OSError as error:
        sys.exit(f"talkface: {disk_fault(error) or error}")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    warnings.simplefilter("default")
    try:
        yield
    except BaseException as error:
        line = str(error) if isinstance(error, TalkfaceError) else disk_fault(error)
        line = line and " ".join(line.split())
        with contextlib.suppress(OSError):  # a full disk cannot take the log either
            root.error("%s", line or traceback.format_exc())
        if line is None:
            raise
        sys.exit(f"talkface: {line}")
    finally:
        root.removeHandler(handler)
        handler.close()
