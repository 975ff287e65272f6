"""The sample sheet: one row per clip, checked before any work."""

import hashlib
import io
import re
import unicodedata
from collections.abc import Container, Sequence
from pathlib import Path, PurePath

import pandas as pd

from talkface.conventions import SPEECH_SUFFIXES, SPLITS, UNSEEN, VIDEO_SUFFIXES
from talkface.errors import TalkfaceError
from talkface.files import find_same_name, is_litter

REQUIRED = ("clip", "speaker", "split", "video")
OPTIONAL = ("audio", "start_s", "end_s", "marks")
TIMES = ("start_s", "end_s")
# Names become parts of file names: letters, digits, _ and - only, so that no shell, URL or file system minds them.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
# Endings that targets use themselves (results/anim/<clip>_face.mp4): a clip with one would be ambiguous.
RESERVED_SUFFIXES = ("_face",)
LONG_S, LONG_BYTES = 60.0, 20_000_000  # a clip that is longer is a job by itself
# Videos and marks below this folder are made by rules, for the shipped sheet alone.
MADE_BY_RULES = "resources/demo"


def clean_name(text: str) -> str:
    """Make a name for paths: accents dropped, all else but letters, digits, '_' and '-' replaced by '_'.

    Examples
    --------
    >>> clean_name("Zoë, take 2")
    'Zoe_take_2'
    """
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", ascii_text).strip("_-")
    for suffix in RESERVED_SUFFIXES:
        name = name.removesuffix(suffix)
    return name if NAME.fullmatch(name) else ""


def check_name(name: str, *, kind: str, where: str) -> None:
    """Refuse a name that cannot stand in a path or that a target uses.

    Raises
    ------
    TalkfaceError
    """
    if not NAME.fullmatch(name):
        raise TalkfaceError(
            f"{where}: {kind} name {name!r}; expected letters, digits, '_' and '-', beginning with a letter or digit; "
            "rename it"
        )
    for suffix in RESERVED_SUFFIXES:
        if name.endswith(suffix):
            raise TalkfaceError(f"{where}: {kind} name {name!r} ends in '{suffix}', which targets use; rename it")


def read_sheet(
    path: str | Path, *, split_by: str = "speaker", shipped: bool = False, must_exist: bool = True
) -> pd.DataFrame:
    """Read and check a sheet.

    Parameters
    ----------
    path : path
        Tab-separated, with the columns clip, speaker, split, video and, optional, audio (a file of its own for the
        sound, which begins with the video's first frame), start_s and end_s (seconds), marks (a file that says what
        is said when, see `talkface.corpus.annotations`). A relative path starts at the sheet's own folder.
    split_by : {"speaker", "clip"}
        With "speaker", a speaker who stands in two splits is refused.
    shipped : bool
        The sheet is the workflow's own: videos and marks below resources/demo/ are made by rules, so they start at
        the working folder and need not exist yet.
    must_exist : bool
        Whether a row whose file is gone is a fault of the sheet.

    Returns
    -------
    DataFrame
        Index clip; columns speaker, split, video, audio (paths as strings; the video where the sheet names no sound),
        start_s, end_s (NaN: from the start, to the end), marks (empty where there are none).

    Raises
    ------
    TalkfaceError
        One line with the first fault found.
    """
    path = Path(path)
    sheet = read_texts(path, advice="write one with: make sheet VIDEOS=folder")
    missing = [column for column in REQUIRED if column not in sheet.columns]
    unknown = [column for column in sheet.columns if column not in REQUIRED + OPTIONAL]
    if missing or unknown:
        fault = f"missing column '{missing[0]}'" if missing else f"unknown column '{unknown[0]}'"
        raise TalkfaceError(
            f"{path}: {fault}; expected {', '.join(REQUIRED)} and, optional, {', '.join(OPTIONAL)}, separated by tabs"
        )
    if sheet.empty:
        raise TalkfaceError(f"{path}: no rows; expected one row a clip")
    for row, (clip, speaker, split) in enumerate(zip(sheet["clip"], sheet.speaker, sheet.split), start=2):
        check_name(clip, kind="clip", where=f"{path}, line {row}")
        check_name(speaker, kind="speaker", where=f"{path}, line {row}")
        if split not in (*SPLITS, UNSEEN):
            raise TalkfaceError(f"{path}, line {row}: split {split!r}; expected {', '.join((*SPLITS, UNSEEN))}")
    twice = sheet["clip"][sheet["clip"].duplicated()]
    if len(twice):
        raise TalkfaceError(f"{path}: clip '{twice.iloc[0]}' stands twice; every clip needs a name of its own")
    for kind in ("clip", "speaker"):
        names = pd.Series(sheet[kind].unique())
        alike = names[names.str.lower().duplicated(keep=False)]  # some file systems do not tell case
        if len(alike):
            one, other = alike[alike.str.lower() == alike.iloc[0].lower()].iloc[:2]
            raise TalkfaceError(
                f"{path}: {kind}s '{one}' and '{other}' differ in capitals alone, which some file systems do not tell "
                "apart; rename one"
            )
    if split_by == "speaker":
        counts = sheet.groupby("speaker").split.nunique()
        if (counts > 1).any():
            speaker = counts.index[counts > 1][0]
            splits = ", ".join(sorted(set(sheet.split[sheet.speaker == speaker])))
            raise TalkfaceError(
                f"{path}: speaker '{speaker}' stands in several splits ({splits}), so the test would not be of an "
                "unseen speaker; put each speaker into one, or say that it is meant with split_by: clip"
            )
    heard = set(sheet.speaker[sheet.split == UNSEEN]) & set(sheet.speaker[sheet.split != UNSEEN])
    if heard:
        raise TalkfaceError(
            f"{path}: speaker '{min(heard)}' stands in the split unseen and in another; unseen is for speakers who "
            "stand nowhere else; move the clips"
        )
    for column in TIMES:
        sheet[column] = read_seconds(sheet, column, path)
    wrong = sheet[(sheet.start_s < 0) | (sheet.end_s <= sheet.start_s.fillna(0))]
    if len(wrong):
        raise TalkfaceError(
            f"{path}: clip '{wrong['clip'].iloc[0]}' ends before it starts; expected 0 <= start_s < end_s"
        )
    audio = sheet["audio"] if "audio" in sheet else [""] * len(sheet)
    sheet["audio"] = [name if name.strip() else video for name, video in zip(audio, sheet.video)]
    sheet["marks"] = sheet["marks"].str.strip() if "marks" in sheet else ""
    for column in ("video", "audio", "marks"):
        rows = zip(sheet[column], sheet["clip"])
        sheet[column] = [
            resolve_file(name, path, row=f"clip '{clip}'", column=column, shipped=shipped, must_exist=must_exist)
            if name or column != "marks"
            else ""
            for name, clip in rows
        ]
    return sheet.set_index("clip")[["speaker", "split", "video", *OPTIONAL]]


def read_texts(path: Path, *, advice: str) -> pd.DataFrame:
    """Read a table of texts, separated by tabs; lines that begin with # are left out, other ones may hold one.

    Raises
    ------
    TalkfaceError
        If there is none, with `advice`, or it is no such table.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
        table = "".join(line for line in lines if not line.startswith("#"))
        return pd.read_csv(io.StringIO(table), sep="\t", dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise TalkfaceError(f"{path}: there is no such sheet; {advice}") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise TalkfaceError(f"{path}: not a tab-separated table in UTF-8 ({str(error).strip()}); mend it") from None


def read_seconds(sheet: pd.DataFrame, column: str, path: Path) -> pd.Series:
    """Convert a column of seconds to numbers; empty or absent is NaN."""
    text = sheet[column].str.strip() if column in sheet else pd.Series("", index=sheet.index)
    numbers = pd.to_numeric(text.where(text != ""), errors="coerce")
    wrong = text[(text != "") & numbers.isna()]
    if len(wrong):
        raise TalkfaceError(
            f"{path}, line {wrong.index[0] + 2}: {column} is {wrong.iloc[0]!r}; expected seconds or nothing"
        )
    return numbers.astype(float)


def resolve_file(name: str, path: Path, *, row: str, column: str, shipped: bool, must_exist: bool) -> str:
    """Resolve the path that a row of a table names, beside the table; the file must exist unless rules make it."""
    if shipped and name.startswith(MADE_BY_RULES + "/"):
        return name
    resolved = find_same_name(path.parent / name)
    if not name.strip() or (must_exist and not resolved.is_file()):
        raise TalkfaceError(f"{path}: {row}: there is no file {str(resolved)!r}; mend the column {column}")
    return str(resolved)


def check_divided(sheet: pd.DataFrame, path: str | Path) -> None:
    """Raise a TalkfaceError if a split is missing that training and evaluation need."""
    for split in SPLITS:
        if split not in set(sheet["split"]):
            raise TalkfaceError(
                f"{path}: no clip in the split '{split}'; expected at least one in each of train, valid, test"
            )


def find_splits(sheet: pd.DataFrame, wanted: Sequence[str]) -> list[str]:
    """Keep the wanted splits that the sheet has; none of a sheet that is not divided.

    Raises
    ------
    TalkfaceError
        If a sheet that has all of train, valid and test has none of them.
    """
    found = [split for split in wanted if split in set(sheet["split"])]
    if not found and set(SPLITS) <= set(sheet["split"]):
        raise TalkfaceError(
            f"config, evaluate.splits: the sheet has no clip in {', '.join(wanted)}; name one of "
            f"{', '.join(sorted(set(sheet['split'])))}"
        )
    return found


def make_shards(sheet: pd.DataFrame, *, clips_per_shard: int) -> dict[str, list[str]]:
    """Group clips of one speaker into shards, which one job processes each.

    A speaker's clips lie in the order of a hash of their names, and are cut where that hash says so: an added clip
    changes one shard, or cuts it in two. A long clip (`LONG_S`, or a file of `LONG_BYTES` of which no end is given) is
    a shard of its own, so that several cores share long videos.

    Parameters
    ----------
    sheet : DataFrame
        See `read_sheet`.
    clips_per_shard : int
        Their mean number; 1 names each shard as its clip.

    Returns
    -------
    dict of shard to its clips
        A shard is named after its speaker and the hash of the clip that it was cut at.

    Examples
    --------
    >>> columns = {"speaker": ["anna", "anna", "ben"], "video": "", "start_s": 0.0, "end_s": [2.0, 5.0, 90.0]}
    >>> make_shards(pd.DataFrame(columns, index=["a1", "a2", "b1"]), clips_per_shard=20)
    {'anna-0000000000': ['a2', 'a1'], 'ben-7dc96f776c-long': ['b1']}
    """
    if clips_per_shard == 1:
        return {clip: [clip] for clip in sheet.index}
    shards: dict[str, list[str]] = {}
    for speaker, rows in sheet.groupby("speaker", sort=False):
        name = f"{speaker}-{0:010x}"
        place = {clip: hashlib.sha256(clip.encode()).hexdigest()[:10] for clip in rows.index}
        long = _long_clips(rows)
        for clip in sorted(place, key=place.__getitem__):
            if clip in long:
                shards[f"{speaker}-{place[clip]}-long"] = [clip]
                continue
            if int(place[clip], 16) % clips_per_shard == 0:
                name = f"{speaker}-{place[clip]}"
            shards.setdefault(name, []).append(clip)
    return shards


def _long_clips(sheet: pd.DataFrame) -> set[str]:
    """Tell which clips are too long to share a job, as far as a sheet and the sizes of files tell."""
    length_s = sheet["end_s"] - sheet["start_s"].fillna(0)
    whole = {
        video: Path(video).is_file() and Path(video).stat().st_size > LONG_BYTES
        for video in sheet.loc[sheet["end_s"].isna(), "video"].unique()
    }
    return set(sheet.index[(length_s > LONG_S) | (sheet["end_s"].isna() & sheet["video"].map(whole).eq(True))])


def find_speech(folder: str | Path, *, clips: Container[str]) -> dict[str, str]:
    """Find the files of sound or video dropped into a folder, by a plain name (`clean_name`) of each.

    Of files with one name, the one that is called so keeps it (of several, the first kind of `SPEECH_SUFFIXES`). The
    others, and one that is called like a clip, get their kind behind it; where that is taken, a digest of their name.
    """
    kinds = SPEECH_SUFFIXES + VIDEO_SUFFIXES
    files = [
        path for path in Path(folder).glob("*")
        if path.suffix.lower() in kinds and path.is_file() and not is_litter(PurePath(path.name))
    ]  # fmt: skip

    def before(path: Path) -> tuple[bool, int, Path]:
        return path.stem != clean_name(path.stem), kinds.index(path.suffix.lower()), path

    found: dict[str, str] = {}
    for path in sorted(files, key=before):
        unlike = hashlib.sha256(path.name.encode()).hexdigest()[:8]
        plain = clean_name(path.stem) or f"speech_{unlike}"
        names = (plain, f"{plain}_{path.suffix[1:].lower()}", f"{plain}_{unlike}")
        taken = {name.lower() for name in found}
        name = next(name for name in names if name.lower() not in taken and name not in clips)
        found[name] = str(path)
    return dict(sorted(found.items()))


def find_predictions(folder: str | Path, *, name: str, clips: Container[str]) -> dict[str, str]:
    """Find predictions made elsewhere, by clip: files <clip>.npy of a folder whose stem is one of `clips`.

    Raises
    ------
    TalkfaceError
        If there is no such folder, or no such file in it.
    """
    if not Path(folder).is_dir():
        raise TalkfaceError(
            f"config, external.{name}: {folder} is no folder; one of predictions <clip>.npy was expected; mend the path"
        )
    found = {path.stem: str(path) for path in sorted(Path(folder).glob("*.npy")) if path.stem in clips}
    if not found:
        raise TalkfaceError(
            f"config, external.{name}: {folder} holds no prediction of a known clip; files <clip>.npy were expected, "
            "named like the rows of the sheet or the files in resources/speech/"
        )
    return found
