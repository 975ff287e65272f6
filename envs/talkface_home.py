"""A home for caches where a user has none: part of `.venv`, imported whenever its Python starts (talkface_home.pth).

Snakemake, numba and matplotlib keep caches below the home folder and end with a traceback where that cannot be written,
before any line of the workflow is read: in a container that runs by number, on a node of a cluster.
"""

import contextlib
import os


def settle() -> None:
    """Name a folder for caches, and a home where there is none at all, if the user's own cannot be written."""
    home = os.path.expanduser("~")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    if os.access(cache if os.path.isdir(cache) else home, os.W_OK | os.X_OK):
        return
    folder = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"talkface-{os.getuid()}")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    if os.stat(folder).st_uid == os.getuid():  # not one that somebody else has made
        os.environ["XDG_CACHE_HOME"] = folder
        if not os.path.isabs(home):
            os.environ["HOME"] = folder


with contextlib.suppress(OSError):  # then programs say so themselves
    settle()
