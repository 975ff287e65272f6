"""File writing, whole or not at all, digests of files, and what in a folder is nobody's file."""

import contextlib
import hashlib
import importlib.util
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePath

from talkface.errors import TalkfaceError


@contextlib.contextmanager
def writing(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends well, remove it when not.

    Parameters
    ----------
    path : path
        The file that is to appear; its folder is made.

    Yields
    ------
    Path
        A path in the same folder and with the same suffix, so that writers which look at the suffix choose right.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if error.filename is None:  # says which file it was: a full disk names none
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def find_same_name(path: str | os.PathLike) -> Path:
    """Find a file whose name is written in another normal form of Unicode; the path itself where there is none.

    macOS and archives made there write letters and their accents apart, sheets and keyboards as one.
    """
    path = Path(path)
    if path.exists() or str(path).isascii():
        return path
    folder = find_same_name(path.parent)
    wanted = unicodedata.normalize("NFC", path.name)
    same = [entry for entry in folder.glob("*") if unicodedata.normalize("NFC", entry.name) == wanted]
    return sorted(same)[0] if same else path


def without_braces(path: str | os.PathLike, folder: str | os.PathLike) -> str:
    """Give a file in whose path stand braces a second path without, by a link in a folder; any other keeps its own.

    Snakemake takes braces in a path for a wildcard and knows no escape. The link is as old as the file.
    """
    if not {"{", "}"} & set(str(path)):
        return str(path)
    path, unlike = Path(path), hashlib.sha256(str(path).encode()).hexdigest()[:8]
    link = Path(folder) / unlike / path.name.replace("{", "(").replace("}", ")")
    target = str(path.absolute())
    if not link.is_symlink() or os.readlink(link) != target:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        if path.exists():
            found = path.stat()
            os.utime(link, ns=(found.st_atime_ns, found.st_mtime_ns), follow_symlinks=False)
    return str(link)


def is_litter(path: PurePath) -> bool:
    """Tell whether systems and programs left a file: hidden, of macOS or a NAS, temporary; of a relative path.

    Examples
    --------
    >>> [is_litter(PurePath(name)) for name in ("a/._b.mp4", "__MACOSX/b.mp4", "@eaDir/b.mp4", "~$b.mp4", "a/b.mp4")]
    [True, True, True, True, False]
    """
    return any(part.startswith((".", "~$", "@")) or part == "__MACOSX" for part in path.parts) or (
        path.name.lower().endswith(("~", ".part", ".tmp", ".crdownload", ".download"))
    )


def digest(path: str | os.PathLike) -> str:
    """Compute the sha256 of a file's content, 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_model(
    path: str | os.PathLike | None, *, package: str, inside: str, sha256: str, setting: str, install: str
) -> Path:
    """Find a model's file, one's own or that of a package, and check its content; the package is not imported.

    Parameters
    ----------
    path : path or None
        One's own; None: that of the package.
    package : str
        Import name.
    inside : str
        The file, below the package's folder.
    sha256 : str
    setting : str
        Of the config, that names a file of one's own.
    install : str
        How the package is got, its version included.

    Raises
    ------
    TalkfaceError
        If there is none, or its content is another.
    """
    name = PurePath(inside).name
    if path is None:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise TalkfaceError(
                f"{name}: not found; the package {package} holds it; get that ({install}) or name a file as {setting} "
                "in the config"
            )
        path = Path(spec.origin).parent / inside
    path = Path(path)
    if not path.is_file():
        raise TalkfaceError(f"{path}: no such file; {name} was expected; see {setting}")
    found = digest(path)
    if found != sha256:
        raise TalkfaceError(
            f"{path}: sha256 {found[:12]}... is not {sha256[:12]}...; the file {name} of {package} was expected; "
            f"get it again ({install})"
        )
    return path
