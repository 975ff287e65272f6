"""The program ffmpeg: which one is taken, and whether a fault is the file's or the machine's."""

import contextlib
import fcntl
import functools
import os
import re
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from talkface.errors import InputError, MachineError, TalkfaceError

VARIABLE = "TALKFACE_FFMPEG"
# What the commands of this package use, by the option that lists it.
NEEDED = {
    "encoders": ("libx264", "aac", "gif", "mjpeg", "png"),
    "filters": ("palettegen", "paletteuse", "scale"),
}
# What an ffmpeg says when nothing is wrong with the file it was given.
_MACHINE = re.compile(
    r"error while loading shared libraries|cannot open shared object|symbol lookup error|Exec format error"
    r"|No space left on device|Disk quota exceeded|Cannot allocate memory|out of memory|Too many open files"
    r"|Stale file handle|Permission denied|Read-only file system|Resource temporarily unavailable|Bus error"
    r"|Unknown encoder|Encoder .*not found|Decoder \(codec (?!none).*\) not found|No such filter"
    r"|Unknown bitstream filter",
    re.IGNORECASE,
)
_SHELL = 128  # a shell adds it to the number of the signal that ended a program
_CANNOT_START = (126, 127)  # of a shell: found, and not executable; not found
_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE)
_LINES = 20  # kept of what it says
_PIPE_BYTES = 1 << 20  # the most that an ordinary user may ask for (/proc/sys/fs/pipe-max-size)


@functools.cache
def ffmpeg_program() -> str:
    """Choose an ffmpeg that can do all that is needed: the one `TALKFACE_FFMPEG` names, the wheel's, the PATH's.

    Raises
    ------
    MachineError
        If none can; it says of each what is wrong.
    """
    named = os.environ.get(VARIABLE)
    if named:
        program = shutil.which(named) or named
        fault = _lacks(program)
        if fault:
            raise MachineError(f"{VARIABLE} names {named}, which {fault}; name another, or unset it")
        return program
    faults = []
    for program in filter(None, (_of_the_wheel(), shutil.which("ffmpeg"))):
        fault = _lacks(program)
        if not fault:
            return program
        faults.append(f"{program} {fault}")
    found = "; ".join(faults) or "there is none in the package imageio-ffmpeg, nor on the PATH"
    raise MachineError(
        f"ffmpeg: {found}; one with libx264 and aac is needed; pip install imageio-ffmpeg, or name one in {VARIABLE}"
    )


def _of_the_wheel() -> str | None:
    with contextlib.suppress(ImportError, RuntimeError):
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    return None


def _lacks(program: str) -> str:
    """Say why a program cannot be taken for ffmpeg; empty if it can."""
    for kind, names in NEEDED.items():
        try:
            done = subprocess.run(
                [program, "-hide_banner", f"-{kind}"], capture_output=True, stdin=subprocess.DEVNULL, check=False
            )
        except OSError as error:
            return f"cannot start ({error.strerror})"
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            return f"cannot start ({said[-1].strip() if said else describe_end(done.returncode)})"
        listed = {word for line in done.stdout.decode(errors="replace").splitlines() for word in line.split()[1:2]}
        missing = [name for name in names if name not in listed]
        if missing:
            return f"lacks the {kind} {', '.join(missing)}"
    return ""


def describe_end(code: int) -> str:
    """Describe how a program ended, by its exit status (as `subprocess` has it: negative for a signal)."""
    ended = _signal_of(code)
    return f"ended by {ended.name}" if ended else f"exit status {code}"


def _signal_of(code: int) -> signal.Signals | None:
    try:
        return signal.Signals(-code if code < 0 else code - _SHELL)
    except ValueError:
        return None


def sort_fault(code: int, said: Sequence[str], *, what: str | Path) -> TalkfaceError | None:
    """Tell what is at fault when ffmpeg ends: None if nothing is, a `MachineError`, or an `InputError`.

    Parameters
    ----------
    code : int
        Exit status, negative for a signal.
    said : sequence of str
        Its last lines.
    what : path
        The file that it worked on.
    """
    if code == 0:
        return None
    ended = _signal_of(code)
    if ended:
        advice = "memory or a limit of the machine may be at an end; run the same command again"
        if ended in _CRASHES:
            advice = "if it ends so each time, take the file out"
        return MachineError(f"{what}: ffmpeg was {describe_end(code)}, which is no verdict on the file; {advice}")
    reason = said[-1] if said else describe_end(code)
    told = next((line for line in said if _MACHINE.search(line)), "")
    if told or code in _CANNOT_START:
        return MachineError(
            f"{what}: ffmpeg failed for a reason of the machine ({told or reason}); mend that and run the same command "
            "again"
        )
    return InputError(
        f"{what}: ffmpeg could not read it ({reason}); a whole media file was expected; copy or convert it again"
    )


@contextlib.contextmanager
def start(command: Sequence[str], *, stdin: int, stdout: int) -> Iterator[tuple["subprocess.Popen[bytes]", deque[str]]]:
    """Start ffmpeg; give the process, and the last lines that it says, whole once this ends.

    What it says is read while it runs: a pipe nobody reads could block it, and a temporary file wants a disk.
    """
    try:
        process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE)
    except OSError as error:
        raise MachineError(
            f"{command[0]}: cannot start ({error.strerror}); name another ffmpeg in {VARIABLE}"
        ) from None
    said: deque[str] = deque(maxlen=_LINES)
    assert process.stderr is not None
    listener = threading.Thread(target=_listen, args=(process.stderr, said), name="ffmpeg", daemon=True)
    listener.start()
    try:
        yield process, said
    except BaseException:
        process.kill()
        raise
    finally:
        process.wait()
        listener.join()
        process.stderr.close()


def feed(command: list[str], frames: Iterable[NDArray[np.uint8]], output: str | Path) -> None:
    """Run an ffmpeg that takes raw frames on standard input.

    Raises
    ------
    TalkfaceError, MachineError
        If it fails, with what it says and the name of `output`.
    """
    with start(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as (process, said):
        pipe = process.stdin
        assert pipe is not None
        with contextlib.suppress(AttributeError, OSError):  # a frame in two turns, not in twenty; Linux alone has it
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        with contextlib.suppress(BrokenPipeError):  # ffmpeg has given up: it says why below
            for frame in frames:
                pipe.write(np.ascontiguousarray(frame).data.cast("B"))
        with contextlib.suppress(BrokenPipeError):
            pipe.close()
    fault = sort_fault(process.returncode, said, what=output)
    if isinstance(fault, MachineError):
        raise fault
    if fault:
        reason = "; ".join(said)[-400:] or describe_end(process.returncode)
        raise TalkfaceError(f"{output}: ffmpeg could not write it: {reason}")


def _listen(pipe: IO[bytes], said: deque[str]) -> None:
    for line in pipe:
        text = line.decode(errors="replace").strip()
        if text:
            said.append(text)
