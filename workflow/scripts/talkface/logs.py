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

from talkface.errors import MACHINE_FAULTS, TalkfaceError
from talkface.threads import settle_threads

# What libraries say that hide the system's error in a message, and the error.
HIDDEN_FAULTS = {
    "allocate memory": errno.ENOMEM,
    "out of memory": errno.ENOMEM,
    "insufficient memory": errno.ENOMEM,
    "bad allocation": errno.ENOMEM,
}


def machine_fault(error: BaseException) -> str | None:
    """Describe an error whose cause is the machine in one line; None for any other.

    h5py, ffmpeg, OpenCV and torch hide the number of the error in a message, so the chain of causes and its texts are
    searched.
    """
    seen: BaseException | None = error
    while seen is not None:
        text = str(seen)
        numbers = [getattr(seen, "errno", None)]
        numbers += [number for said, number in HIDDEN_FAULTS.items() if said in text.lower()]
        numbers += [number for number in MACHINE_FAULTS if f"errno = {number}," in text or os.strerror(number) in text]
        numbers += [errno.ENOMEM] if isinstance(seen, MemoryError) else []
        known = [number for number in numbers if number in MACHINE_FAULTS]
        if known:
            where = getattr(seen, "filename", None) or getattr(error, "filename", None)
            return f"{where}: {MACHINE_FAULTS[known[0]]}" if where else MACHINE_FAULTS[known[0]]
        seen = seen.__cause__ or seen.__context__
    return None


@contextlib.contextmanager
def log_to(path: str | os.PathLike, *, threads: int = 1) -> Iterator[None]:
    """Send logging, warnings and the traceback of a crash to the log of a rule, and settle its threads.

    A `TalkfaceError`, or a fault of the machine, ends the process with status 1 and one line, in the log and on
    standard error; any other exception is a fault of this program and goes on after its traceback has been written.

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
        sys.exit(f"talkface: {machine_fault(error) or error}")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    warnings.simplefilter("default")
    try:
        yield
    except BaseException as error:
        line = str(error) if isinstance(error, TalkfaceError) else machine_fault(error)
        line = line and " ".join(line.split())
        with contextlib.suppress(OSError):  # a full disk cannot take the log either
            root.error("%s", line or traceback.format_exc())
        if line is None:
            raise
        sys.exit(f"talkface: {line}")
    finally:
        root.removeHandler(handler)
        handler.close()
