"""Public corpora: their contents, their splits, and the way from their record on the web to a sheet.

A record of Zenodo (https://developers.zenodo.org) lists its files with names, sizes and checksums; the names expected
here are only looked up in it, and none that it gives becomes a path.

Layout of ``resources/corpora/<corpus>/``: ``record.tsv`` (the listing: name, size, md5, url), ``LICENCE.txt``,
``archives/`` (what is on its way), ``videos/<archive>/`` (what came out of an archive, with ``contents.tsv``),
``contents/<archive>.tsv`` (file, bytes), ``clips.tsv`` (the sheet).
"""

import html
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from talkface.conventions import SPLITS, UNSEEN
from talkface.corpus.archives import unpack
from talkface.corpus.download import RemoteFile, fetch_file, fetch_json
from talkface.corpus.folders import find_marks, find_videos, sheet_from_folder
from talkface.corpus.sheet import OPTIONAL
from talkface.errors import TalkfaceError
from talkface.files import writing

LOGGER = logging.getLogger(__name__)

FOLDER = "resources/corpora"
DEFAULT_SHEET = "config/clips.tsv"  # of the config; a sheet of one's own goes before the corpus's
OWN = "folder"  # the corpus that is a folder of one's own
CONTENTS = "contents.tsv"


@dataclass(frozen=True)
class Corpus:
    """A corpus that can be fetched.

    Attributes
    ----------
    title, licence, terms : str
        Who made it; its licence as Zenodo names it, and what that means.
    unit : str
        The key of its block in the config that names the speakers to fetch.
    speaker : str
        Name of a speaker in the sheet, with ``{}`` for the number.
    archive : str
        Name of the archive of a speaker's videos, likewise.
    common : tuple of str
        Archives needed whoever is fetched.
    suffixes : tuple of str
        Of the files that are unpacked.
    prefix : bool
        Clips are named with their speaker, because several say the same: a clip keeps its name whoever is fetched.
    splits : mapping
        Numbers of the speakers of each split.
    """

    title: str
    licence: str
    terms: str
    unit: str
    speaker: str
    archive: str
    common: tuple[str, ...]
    suffixes: tuple[str, ...]
    prefix: bool
    splits: Mapping[str, tuple[int, ...]]

    @property
    def numbers(self) -> list[int]:
        """Numbers of all its speakers."""
        return sorted(number for numbers in self.splits.values() for number in numbers)


# GRID: 34 speakers of whom 21 has no video. Eskimez et al. 2018 train on 27 of the 33 and do not name them. Tested are
# the four whom lip reading holds out by custom (Assael et al. 2016, https://arxiv.org/abs/1611.01599: two men, 1 and
# 2, and two women, 20 and 22); 3, a man, and 4, a woman, decide when to stop; the other 27 are learnt from.
GRID_TEST, GRID_VALID = (1, 2, 20, 22), (3, 4)
CORPORA: dict[str, Corpus] = {
    "grid": Corpus(
        title="GRID audio-visual sentence corpus (Cooke, Barker, Cunningham, Shao 2006)",
        licence="cc-by-4.0",
        terms="Creative Commons Attribution 4.0: use it for any purpose, name its authors.",
        unit="speakers",
        speaker="s{}",
        archive="s{}.zip",
        common=(),
        suffixes=(".mpg",),
        prefix=True,
        splits={
            "train": tuple(n for n in range(1, 35) if n not in (21, *GRID_TEST, *GRID_VALID)),
            "valid": GRID_VALID,
            "test": GRID_TEST,
        },
    ),
    # RAVDESS: actors with odd numbers are men, with even numbers women; each split has as many of both. Published users
    # split it in many ways; here the last two pairs are held out.
    "ravdess": Corpus(
        title="RAVDESS (Livingstone, Russo 2018), speech",
        licence="cc-by-nc-sa-4.0",
        terms="Creative Commons Attribution-NonCommercial-ShareAlike 4.0: no commercial use, name its authors, pass on "
        "what you make of it under the same terms. Models trained on it inherit this.",
        unit="actors",
        speaker="actor_{:02d}",
        archive="Video_Speech_Actor_{:02d}.zip",
        common=("Audio_Speech_Actors_01-24.zip",),
        suffixes=(".mp4", ".wav"),
        prefix=False,
        splits={"train": tuple(range(1, 21)), "valid": (21, 22), "test": (23, 24)},
    ),
}


def sheet_of(corpus: str, clips: str) -> str:
    """Return the path of the sheet: `clips` of the config, or a corpus's own where `clips` is left at its default."""
    if clips == DEFAULT_SHEET and corpus in (*CORPORA, OWN):
        return f"{FOLDER}/{corpus}/clips.tsv"
    return clips


def named_sheet(corpus: str) -> str:
    """Return the path of the sheet of a corpus by name; a `TalkfaceError` if there is none of this name."""
    if corpus not in (*CORPORA, OWN):
        raise TalkfaceError(
            f"config, corpus: {corpus} cannot be fetched; known are: {', '.join((*CORPORA, OWN))}; "
            "for example: snakemake fetch_corpus --config corpus=grid"
        )
    return f"{FOLDER}/{corpus}/clips.tsv"


def own_files(folder: str | None) -> list[str]:
    """Find the videos below a folder of one's own, and the files of sound and marks that belong to them."""
    if folder is None or not Path(folder).is_dir():
        raise TalkfaceError(f"config, corpora.folder.videos: {folder} is no folder; give the folder of your videos")
    place = Path(folder)
    found = [file for pair in find_videos(place) for file in (*pair, find_marks(place, pair[0]))]
    return [str(place / file) for file in found if file]


def no_clips_yet(sheet: str | Path) -> pd.DataFrame:
    """Make the sheet of a corpus that is not fetched yet: a clip a split, whose video is missing and says why.

    Whatever needs a clip then fails at planning, with the missing file's name as the message.
    """
    missing = f"{sheet} is not there yet; first run: snakemake fetch_corpus (with the same --config)"
    rows = [
        (f"fetch_corpus_comes_first_{split}", f"nobody_{split}", split, missing, missing) for split in (*SPLITS, UNSEEN)
    ]
    table = pd.DataFrame(rows, columns=["clip", "speaker", "split", "video", "audio"]).set_index("clip")
    return table.assign(start_s=float("nan"), end_s=float("nan"), marks="")[["speaker", "split", "video", *OPTIONAL]]


def choose(corpus: str, wanted: Sequence[int] | None) -> list[int]:
    """Check the numbers of the speakers to fetch: all, or those that the config names.

    Raises
    ------
    TalkfaceError
        A number the corpus has not, or no number of one of the splits.
    """
    known = CORPORA[corpus]
    if wanted is None:
        return known.numbers
    where = f"config, corpora.{corpus}.{known.unit}"
    for number in wanted:
        if number not in known.numbers:
            raise TalkfaceError(f"{where}: {number} has no videos; known are {_ranges(known.numbers)}")
    for split, numbers in known.splits.items():
        if not set(numbers) & set(wanted):
            raise TalkfaceError(
                f"{where}: nobody of the split '{split}' ({_ranges(numbers)}); name at least one of each split, or "
                "null for all"
            )
    return sorted(set(wanted))


def archives_of(corpus: str, numbers: Sequence[int]) -> list[str]:
    """List the archives that these speakers need."""
    return [*CORPORA[corpus].common, *(CORPORA[corpus].archive.format(number) for number in numbers)]


def splits_of(corpus: str, numbers: Sequence[int]) -> dict[str, str]:
    """Return the split of each of these speakers, by their names in the sheet.

    Examples
    --------
    >>> splits_of("grid", [1, 3, 5])
    {'s1': 'test', 's3': 'valid', 's5': 'train'}
    """
    known = CORPORA[corpus]
    split = {number: name for name, members in known.splits.items() for number in members}
    return {known.speaker.format(number): split[number] for number in numbers}


def _ranges(numbers: Sequence[int]) -> str:
    """Format 1, 2, 3, 7 as '1-3, 7'."""
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def fetch_record(corpus: str, url: str, *, wanted: Sequence[str], listing: str | Path, licence: str | Path) -> str:
    """Fetch a record: its listing as a table, its licence as a text.

    Parameters
    ----------
    corpus : str
        Key of `CORPORA`.
    url : str
        Address of the record as JSON.
    wanted : sequence of str
        Archives that must be listed.
    listing, licence : path
        The files written: a table with the columns name, size (bytes), md5, url; a text.

    Returns
    -------
    str
        The text of the licence.

    Raises
    ------
    TalkfaceError
        No such record, none that lists files, or one that lacks an archive.
    """
    record = fetch_json(url)
    files = read_listing(record, where=url)
    missing = [name for name in wanted if name not in files]
    if missing:
        raise TalkfaceError(
            f"{url}: the record lists no {', '.join(missing[:5])}{' and others' if len(missing) > 5 else ''} but "
            f"{', '.join(sorted(files)[:8])}{' and others' if len(files) > 8 else ''}; is it the record of {corpus}?"
        )
    text = licence_text(corpus, record, url=url, files=[files[name] for name in wanted])
    with writing(licence) as temporary:
        temporary.write_text(text, encoding="utf-8")
    with writing(listing) as temporary:
        table = pd.DataFrame([vars(file) for file in files.values()], columns=["name", "size", "md5", "url"])
        table.to_csv(temporary, sep="\t", index=False)
    return text


def read_listing(record: object, *, where: str) -> dict[str, RemoteFile]:
    """Read the files of a record of Zenodo, by name; a file without size, md5 or address is left out.

    `files` is a list of {key, size, checksum: "md5:...", links: {self}}, or in the newer form of the same interface
    {entries: {name: {key, size, checksum, links: {content}}}}.

    Raises
    ------
    TalkfaceError
        Nothing of this kind.
    """
    entries = record.get("files") if isinstance(record, dict) else None
    if isinstance(entries, dict):
        entries = entries.get("entries")
        entries = list(entries.values()) if isinstance(entries, dict) else entries
    files = {}
    for entry in entries if isinstance(entries, list) else []:
        try:
            name, size, checksum, links = entry["key"], entry["size"], entry["checksum"], entry["links"]
            url, digest = links.get("content") or links["self"], checksum.removeprefix("md5:").lower()
        except (KeyError, TypeError, AttributeError):
            continue
        if isinstance(name, str) and isinstance(size, int) and size > 0 and re.fullmatch(r"[0-9a-f]{32}", digest):
            files[name] = RemoteFile(name=name, size=size, md5=digest, url=str(url))
    if not files:
        raise TalkfaceError(
            f"{where}: no listing of files with size, md5 and address; a record of Zenodo was expected "
            "(https://zenodo.org/api/records/<number>)"
        )
    return files


def licence_text(corpus: str, record: Mapping, *, url: str, files: Sequence[RemoteFile]) -> str:
    """Write what a user is to know before the download: whose it is, under which terms, how large it is."""
    known, about = CORPORA[corpus], record.get("metadata") or {}
    rights: object = about.get("license") or next(iter(about.get("rights") or []), {})
    named = str(rights.get("id", "")) if isinstance(rights, Mapping) else str(rights)
    authors = [_plain(person.get("name", "")) for person in about.get("creators") or [] if isinstance(person, Mapping)]
    lines = [
        known.title,
        f"Record:  {url}",
        f"Says:    {_plain(about.get('title', ''))}; {'; '.join(authors)}; doi {_plain(record.get('doi', 'unknown'))}",
        f"Licence: {_plain(named) or 'not named by the record'}",
        f"Terms:   {known.terms}",
        f"Comes:   {len(files)} archives, {sum(file.size for file in files) / 1e9:.3g} GB",
    ]
    if named.lower() != known.licence:
        lines.insert(4, f"         NOT {known.licence}, which was expected: read the record before you use the corpus.")
    return "\n".join(lines) + "\n"


def _plain(text: object) -> str:
    """Reduce a text to one line without markup or control characters."""
    line = html.unescape(re.sub(r"<[^>]*>", "", str(text)))
    return " ".join("".join(letter if letter.isprintable() else " " for letter in line).split())


def fetch_archive(corpus: str, name: str, *, listing: str | Path, root: str | Path, contents: str | Path) -> None:
    """Fetch an archive and unpack it to ``<root>/videos/<archive>/``, unless its files are there.

    An archive that lies in ``<root>/archives/`` already, and agrees with the listing, is not fetched again. It is
    removed when its files are unpacked.

    Parameters
    ----------
    corpus, name : str
        Key of `CORPORA`; name of the archive.
    listing : path
        Table of `fetch_record`.
    root : path
        Folder of the corpus.
    contents : path
        Table to be written: file (relative to ``<root>/videos/<archive>``), bytes.
    """
    root = Path(root)
    remote = _look_up(listing, name)
    place, archive = root / "videos" / Path(name).stem, root / "archives" / name
    if _is_unpacked(place, remote):
        LOGGER.info("%s: unpacked already", place)
    else:
        fetch_file(remote, archive)
        found = unpack(archive, place, suffixes=CORPORA[corpus].suffixes)
        lines = [f"# {remote.md5} {name}", "file\tbytes", *(f"{file}\t{size}" for file, size in found)]
        with writing(place / CONTENTS) as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    archive.unlink(missing_ok=True)
    with writing(contents) as temporary:
        temporary.write_bytes((place / CONTENTS).read_bytes())


def _look_up(listing: str | Path, name: str) -> RemoteFile:
    """Find an archive in the table of `fetch_record`."""
    table = pd.read_csv(listing, sep="\t", dtype={"name": str, "md5": str, "url": str}, keep_default_na=False)
    rows = table[table["name"] == name]
    if rows.empty:
        raise TalkfaceError(f"{listing}: no {name} in it; remove the file and run the same command again")
    row = rows.iloc[0]
    return RemoteFile(name=name, size=int(row["size"]), md5=row["md5"], url=row["url"])


def _is_unpacked(place: Path, remote: RemoteFile) -> bool:
    """Tell whether the files of this very archive lie in `place`, all of them and with their sizes."""
    try:
        lines = (place / CONTENTS).read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    if not lines or lines[0] != f"# {remote.md5} {remote.name}":
        return False
    rows = [line.rpartition("\t") for line in lines[2:]]
    return all((place / file).is_file() and str((place / file).stat().st_size) == size for file, _, size in rows)


def write_sheet(corpus: str, root: str | Path, *, numbers: Sequence[int], output: str | Path) -> pd.DataFrame:
    """Write the sheet of a fetched corpus: the clips of these speakers, split as `CORPORA` says."""
    return sheet_from_folder(
        Path(root) / "videos", output=output, splits=splits_of(corpus, numbers), prefix=CORPORA[corpus].prefix
    )
