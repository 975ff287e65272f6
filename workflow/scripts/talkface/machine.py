"""What programs take for granted of a machine and some lack: a name of the user, room for temporary files."""

import getpass
import os
import tempfile
from pathlib import Path

from talkface.errors import MachineError

ENOUGH_BYTES = 1 << 20  # of temporary files at a time: Snakemake's own, the sound of a clip


def settle_machine(scratch: str | Path) -> str:
    """Give a process, and those it starts, a user's name and a folder for temporary files that can be written.

    A user without an entry of passwd (a container run by number) is called by that number; where `TMPDIR` is full or
    cannot be written, temporary files go to another folder.

    Parameters
    ----------
    scratch : path
        That folder; made if it is needed.

    Returns
    -------
    str
        What was done, in a line; empty if nothing was.

    Raises
    ------
    MachineError
        If there is no room in that folder either.
    """
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["USER"] = str(os.getuid())
    asked = os.environ.get("TMPDIR", "/tmp")
    for folder in (asked, str(Path(scratch).absolute())):
        try:
            if folder != asked:
                os.makedirs(folder, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(bytes(ENOUGH_BYTES))
        except OSError as error:
            fault = error.strerror
        else:
            break
    else:
        raise MachineError(f"{asked}: {fault}, nor is there room in {scratch}; set TMPDIR to a folder with room")
    if folder == asked:
        return ""
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    return f"{asked}: {fault}; temporary files go to {folder} (set TMPDIR to another folder)"
