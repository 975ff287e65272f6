"""Zip archives: unpacked whole or not at all, and nowhere but in their own folder."""

import logging
import os
import shutil
import stat
import sys
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from talkface.corpus.download import check_space
from talkface.errors import TalkfaceError
from talkface.files import is_litter

LOGGER = logging.getLogger(__name__)


def unpack(archive: str | Path, folder: str | Path, *, suffixes: tuple[str, ...]) -> list[tuple[str, int]]:
    """Unpack the files of a zip archive that end in one of `suffixes`; `folder` appears whole or not at all.

    Other files are left out, and so are those that macOS adds (``__MACOSX/``, ``._name``). What `folder` held before is
    replaced.

    Parameters
    ----------
    archive, folder : path
    suffixes : tuple of str
        Lower case, with the dot.

    Returns
    -------
    list of (str, int)
        Path within `folder` and size in bytes of each file, in order of their names.

    Raises
    ------
    TalkfaceError
        No zip archive, a damaged one, one without such files, or one with a name or kind of file that has no place in
        it: ``..``, an absolute path, a link, the same name twice, a password. Nothing of it is unpacked.
    """
    archive, folder = Path(archive), Path(folder)
    aside = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as source:
            members = _members(source, archive, suffixes=suffixes)
            folder.parent.mkdir(parents=True, exist_ok=True)
            check_space(folder.parent, sum(member.file_size for member in members), what=f"the files of {archive.name}")
            aside.mkdir()
            for member in tqdm(
                members, desc=f"unpacking {archive.name}", unit="file", mininterval=2.0, file=sys.stderr
            ):
                target = aside / member.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                with source.open(member) as packed, open(target, "wb") as file:
                    shutil.copyfileobj(packed, file, 1 << 20)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(aside, folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise TalkfaceError(f"{archive}: not a zip archive that can be unpacked ({error}); remove it") from None
    except OSError as error:
        error.filename = error.filename or str(aside)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    LOGGER.info("%s: %d files unpacked into %s", archive, len(members), folder)
    return sorted((member.filename, member.file_size) for member in members)


def _members(source: zipfile.ZipFile, archive: Path, *, suffixes: tuple[str, ...]) -> list[zipfile.ZipInfo]:
    """List the wanted members, all members checked."""
    wanted, seen = [], set()
    for member in source.infolist():
        name = PurePosixPath(member.filename)
        fault = _fault(member)
        if fault:
            raise TalkfaceError(f"{archive}: {member.filename!r} is {fault}; nothing of the archive is unpacked")
        if member.is_dir() or name.suffix.lower() not in suffixes:
            continue
        if is_litter(name):
            continue
        if str(name).lower() in seen:  # some file systems do not tell case
            raise TalkfaceError(f"{archive}: {member.filename!r} stands twice; nothing of the archive is unpacked")
        if not member.orig_filename.isprintable():
            raise TalkfaceError(f"{archive}: {member.filename!r} is no name of a file; nothing of it is unpacked")
        seen.add(str(name).lower())
        wanted.append(member)
    if not wanted:
        raise TalkfaceError(f"{archive}: no files ending in {', '.join(suffixes)} in it; another archive was expected")
    return wanted


def _fault(member: zipfile.ZipInfo) -> str | None:
    """Say what keeps a member out of any folder; None if nothing does."""
    # As it stands in the archive: zipfile cuts a name at a NUL and turns the system's separator into "/".
    name = member.orig_filename
    if name.startswith("/") or "\\" in name or name[1:2] == ":" or ".." in name.split("/"):
        return "no path within a folder"
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "no ordinary file"
    if member.flag_bits & 0x1:
        return "encrypted"
    return None
