"""A sheet from a folder of videos: `make sheet VIDEOS=folder`.

Speakers are read from the path: a GRID speaker (`s1` .. `s34`) from any part of it, a RAVDESS actor from the last field
of the file name, else from `--pattern`, else from the sub-folder.
"""

import argparse
import os
import re
import sys
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from talkface.errors import TalkfaceError
from talkface.sheet import NAME, RESERVED_SUFFIXES, SPLITS
from talkface.storage import writing

VIDEO_SUFFIXES = (".mp4", ".mpg", ".mpeg", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".wmv", ".flv")
# GRID's sentence code: command, colour, preposition, letter, digit, adverb (https://doi.org/10.1121/1.2229005).
GRID_CLIP = re.compile(r"[blps][bgrw][abiw][a-z][1-9z][anps]")
GRID_SPEAKER = re.compile(r"s([1-9]|[12]\d|3[0-4])")
# RAVDESS: modality-channel-emotion-intensity-statement-repetition-actor (https://doi.org/10.5281/zenodo.1188976).
RAVDESS_CLIP = re.compile(r"(?P<modality>0[123])-0[12]-0[1-8]-0[12]-0[12]-0[12]-(?P<actor>[012]\d)")


def clean_name(text: str) -> str:
    """A name for paths from any text: accents dropped, all else but letters, digits, '_' and '-' replaced by '_'."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", ascii_text).strip("_-")
    for suffix in RESERVED_SUFFIXES:
        name = name.removesuffix(suffix)
    return name if NAME.fullmatch(name) else ""


def speaker_of(path: Path, *, pattern: str | None = None) -> str:
    """The speaker of a video, from its path relative to the folder.

    Parameters
    ----------
    path : Path
    pattern : str, optional
        A regular expression; its first group (or the whole match), searched in the path, is the speaker.
    """
    if pattern:
        match = re.search(pattern, path.as_posix())
        if not match:
            raise TalkfaceError(f"{path}: the pattern {pattern!r} does not match; expected it to find the speaker")
        return clean_name(match.group(1) if match.groups() else match.group()) or "speaker"
    if match := RAVDESS_CLIP.fullmatch(path.stem):
        return f"actor_{match['actor']}"
    if GRID_CLIP.fullmatch(path.stem):
        for part in path.parts[:-1]:
            if GRID_SPEAKER.fullmatch(part):
                return part
    return clean_name(path.parent.name) or "speaker"


def find_videos(folder: Path) -> list[Path]:
    """Videos below a folder, relative to it, in order of their names. RAVDESS files without sound are left out."""
    found = []
    for path in sorted(folder.rglob("*")):
        ravdess = RAVDESS_CLIP.fullmatch(path.stem)
        if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file() and not (ravdess and ravdess["modality"] != "01"):
            found.append(path.relative_to(folder))
    if not found:
        raise TalkfaceError(f"{folder}: no videos below it; expected files ending in {', '.join(VIDEO_SUFFIXES)}")
    return found


def assign_splits(units: Iterable[str], *, seed: int, shares: tuple[float, float] = (0.1, 0.1)) -> dict[str, str]:
    """Draw units (speakers or clips) for valid and test, at least one each; the rest is for training.

    Raises
    ------
    TalkfaceError
        Fewer than three units.
    """
    units = sorted(set(units))
    if len(units) < 3:
        raise TalkfaceError(
            f"{len(units)} to split ({', '.join(units)}); expected at least 3, one each for train, valid and test; "
            "name the speakers by sub-folders or a pattern (PATTERN=), or split by clip (SPLIT_BY=clip)"
        )
    order = np.random.default_rng(seed).permutation(units)
    valid, test = (max(1, round(share * len(units))) for share in shares)
    names = np.full(len(units), SPLITS[0], dtype=object)
    names[:valid] = SPLITS[1]
    names[valid : valid + test] = SPLITS[2]
    return {str(unit): str(name) for unit, name in zip(order, names, strict=True)}


def sheet_from_folder(
    folder: str | Path, *, output: str | Path, split_by: str = "speaker", pattern: str | None = None, seed: int = 1
) -> pd.DataFrame:
    """Write a sheet of the videos below a folder.

    A clip is named by its file's stem when all stems differ, else ``{speaker}_{stem}``, else with a number behind.

    Returns
    -------
    DataFrame
        The sheet, with the columns clip, speaker, split, video (relative to the sheet's folder).
    """
    folder, output = Path(folder), Path(output)
    if not folder.is_dir():
        raise TalkfaceError(f"{folder}: not a folder; give the folder of the videos: make sheet VIDEOS=folder")
    videos = find_videos(folder)
    speakers = [speaker_of(video, pattern=pattern) for video in videos]
    stems = [clean_name(video.stem) or "clip" for video in videos]
    if len({stem.lower() for stem in stems}) < len(stems):
        stems = [f"{speaker}_{stem}" for speaker, stem in zip(speakers, stems, strict=True)]
    clips, seen = [], set()
    for stem in stems:
        name, number = stem, 1
        while name.lower() in seen:
            number += 1
            name = f"{stem}_{number}"
        seen.add(name.lower())
        clips.append(name)
    splits = assign_splits(speakers if split_by == "speaker" else clips, seed=seed)
    sheet = pd.DataFrame({"clip": clips, "speaker": speakers})
    sheet["split"] = sheet[split_by].map(splits)
    place = output.parent.resolve()
    sheet["video"] = [Path(os.path.relpath((folder / video).resolve(), place)).as_posix() for video in videos]
    with writing(output) as temporary:
        sheet.to_csv(temporary, sep="\t", index=False)
    return sheet


def main() -> None:
    """Command line of `make sheet`."""
    parser = argparse.ArgumentParser(description="Write a sheet from a folder of videos.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, default=Path("config/my_clips.tsv"))
    parser.add_argument("--pattern", help="regular expression whose first group, searched in the path, is the speaker")
    parser.add_argument("--split-by", choices=("speaker", "clip"), default="speaker")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.output.exists():
        sys.exit(f"talkface: {given.output} exists; remove it or choose another with --output (make sheet SHEET=...)")
    try:
        sheet = sheet_from_folder(
            given.folder, output=given.output, split_by=given.split_by, pattern=given.pattern, seed=given.seed
        )
    except TalkfaceError as error:
        sys.exit(f"talkface: {error}")
    counts = sheet.split.value_counts()
    sys.stdout.write(
        f"{given.output}: {len(sheet)} clips of {sheet.speaker.nunique()} speakers "
        f"({', '.join(f'{counts.get(split, 0)} {split}' for split in SPLITS)})\n"
        f"Use it: snakemake --cores 2 train_all --config clips={given.output} corpus={given.output.stem}"
        + (" split_by=clip\n" if given.split_by == "clip" else "\n")
    )


if __name__ == "__main__":
    main()
