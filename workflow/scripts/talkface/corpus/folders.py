"""Sample sheet of a folder of videos: `talkface sheet FOLDER`, `make sheet VIDEOS=folder`.

RAVDESS has each utterance up to three times: with picture and sound (01-...), picture alone (02-...), sound alone
(03-....wav). Picture and sound of one utterance are paired, the sound-only file being the better recording.

Speakers are read from the path: a GRID speaker (`s1` .. `s34`) from any part of it, a RAVDESS actor from the last field
of the file name, else from `--pattern`, else from the sub-folder. An alignment of the same name beside a video
(`.TextGrid`, `.align`) gives the clip its marks.
"""

import logging
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from talkface.conventions import SPEECH_SUFFIXES, SPLITS, VIDEO_SUFFIXES
from talkface.corpus.sheet import clean_name
from talkface.errors import TalkfaceError
from talkface.files import is_litter, writing

log = logging.getLogger(__name__)

# GRID's sentence code: command, colour, preposition, letter, digit, adverb (https://doi.org/10.1121/1.2229005).
GRID_CLIP = re.compile(r"[blps][bgrw][abiw][a-z][1-9z][anps]")
GRID_SPEAKER = re.compile(r"s([1-9]|[12]\d|3[0-4])")
# RAVDESS: modality-channel-emotion-intensity-statement-repetition-actor (https://doi.org/10.5281/zenodo.1188976).
RAVDESS_CLIP = re.compile(r"(?P<modality>0[123])-(?P<utterance>0[12]-0[1-8]-0[12]-0[12]-0[12]-(?P<actor>[012]\d))")
SOUND_SUFFIXES = (".wav", ".flac")  # of RAVDESS's sound-only files
MARK_SUFFIXES = (".TextGrid", ".textgrid", ".align")  # of the Montreal Forced Aligner and Praat; of GRID


def speaker_of(path: Path, *, pattern: str | None = None) -> str:
    r"""Find the speaker of a video, from its path relative to the folder.

    Parameters
    ----------
    path : Path
    pattern : str, optional
        A regular expression; its first group (or the whole match), searched in the path, is the speaker.

    Examples
    --------
    >>> speaker_of(Path("s3/video/bbaf2n.mpg"))  # GRID
    's3'
    >>> speaker_of(Path("01-01-03-01-02-01-12.mp4"))  # RAVDESS
    'actor_12'
    >>> speaker_of(Path("2024/anna-03.mp4"), pattern=r"(\w+)-\d+")
    'anna'
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


def find_videos(folder: Path) -> list[tuple[Path, Path | None]]:
    """Find videos below a folder with the sound files that belong to them, relative to it, sorted.

    A sound file is given for RAVDESS utterances that have one; any other video has its own sound. Of an utterance that
    is there with and without sound, the first is taken; a picture whose sound is nowhere is left out.
    """
    videos: list[Path] = []
    utterances: dict[str, dict[str, Path]] = {}  # utterance -> modality -> file
    for path in sorted(folder.rglob("*")):
        suffix = path.suffix.lower()
        if suffix not in VIDEO_SUFFIXES + SOUND_SUFFIXES or is_litter(path.relative_to(folder)) or not path.is_file():
            continue
        ravdess = RAVDESS_CLIP.fullmatch(path.stem)
        if ravdess and (suffix in SOUND_SUFFIXES) == (ravdess["modality"] == "03"):
            utterances.setdefault(ravdess["utterance"], {}).setdefault(ravdess["modality"], path.relative_to(folder))
        elif not ravdess and suffix in VIDEO_SUFFIXES:
            videos.append(path.relative_to(folder))
    found: list[tuple[Path, Path | None]] = [(video, None) for video in videos]
    for files in utterances.values():
        sound = files.get("03")
        video = files.get("01") or (files.get("02") if sound else None)
        if video:
            found.append((video, sound))
    if not found:
        silent = f" ({len(utterances)} RAVDESS utterances lack picture or sound)" if utterances else ""
        raise TalkfaceError(f"{folder}: no videos below it{silent}; expected .mp4, .mov, .mkv, .avi or the like")
    return sorted(found)


def find_left_out(folder: Path, taken: Iterable[Path]) -> list[str]:
    """Say which files below a folder become no clip, and why: a line for each kind, with an example.

    Parameters
    ----------
    folder : Path
    taken : iterable of Path
        Files that belong to a clip, relative to it.
    """
    known, groups = set(taken), dict[str, list[Path]]()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if name in known or is_litter(name) or not path.is_file():
            continue
        suffix = path.suffix.lower()
        reason = f"ending in {suffix or 'nothing'}, which no known kind of video does"
        if RAVDESS_CLIP.fullmatch(path.stem) and suffix in VIDEO_SUFFIXES + SOUND_SUFFIXES:
            reason = "of RAVDESS utterances that lack picture or sound, or are taken from another file"
        elif suffix in SPEECH_SUFFIXES:
            reason = f"ending in {suffix}: sound without a picture"
        elif path.suffix in MARK_SUFFIXES:
            reason = f"ending in {suffix}: no video of that name lies beside"
        groups.setdefault(reason, []).append(name)
    return [
        f"left out: {len(files)} file{'s' * (len(files) > 1)} {reason} ({files[0]})" for reason, files in groups.items()
    ]


def _one_spelling(names: Sequence[str], say: Callable[[str], object]) -> list[str]:
    """Write names that differ in capitals alone as the first of them."""
    spelt: dict[str, str] = {}
    for name in dict.fromkeys(names):
        first = spelt.setdefault(name.lower(), name)
        if first != name:
            say(f"speakers {first} and {name} differ in capitals alone, and are taken for one: {first}")
    return [spelt[name.lower()] for name in names]


def find_marks(folder: Path, video: Path) -> Path | None:
    """Find the alignment that lies beside a video under its name; both relative to the folder."""
    beside = (video.with_suffix(suffix) for suffix in MARK_SUFFIXES)
    return next((file for file in beside if (folder / file).is_file()), None)


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
    folder: str | Path,
    *,
    output: str | Path,
    split_by: str = "speaker",
    pattern: str | None = None,
    seed: int = 1,
    splits: Mapping[str, str] | None = None,
    prefix: bool = False,
    say: Callable[[str], object] = log.warning,
) -> pd.DataFrame:
    """Write a sheet of the videos below a folder.

    A clip is named by its file's stem when all stems differ, else (and always with `prefix`) ``{speaker}_{stem}``, else
    with a number behind. `splits` gives the split of each speaker, and the clips of all others are left out; None: they
    are drawn. What a user may not expect (files left out, names that differ in capitals alone) is told to `say`, a line
    each.

    Returns
    -------
    DataFrame
        The sheet, with the columns clip, speaker, split, video and, where a clip has a sound file of its own, audio,
        and where an alignment lies beside a video, marks (all relative to the sheet's folder).
    """
    folder, output = Path(folder), Path(output)
    if not folder.is_dir():
        raise TalkfaceError(f"{folder}: not a folder; give the folder of the videos: make sheet VIDEOS=folder")
    found = [(speaker_of(video, pattern=pattern), video, sound) for video, sound in find_videos(folder)]
    if splits is not None:
        absent = sorted(set(splits) - {speaker for speaker, _, _ in found})
        if absent:
            raise TalkfaceError(
                f"{folder}: no clip of {', '.join(absent)}; expected some of each of {len(splits)} speakers"
            )
        found = [row for row in found if row[0] in splits]
    names, videos, sounds = zip(*found, strict=True)
    speakers = _one_spelling(names, say)
    stems = [clean_name(video.stem) or "clip" for video in videos]
    if prefix or len({stem.lower() for stem in stems}) < len(stems):
        stems = [f"{speaker}_{stem}" for speaker, stem in zip(speakers, stems, strict=True)]
    clips, seen = [], set()
    for stem in stems:
        name, number = stem, 1
        while name.lower() in seen:
            number += 1
            name = f"{stem}_{number}"
        seen.add(name.lower())
        clips.append(name)
    sheet = pd.DataFrame({"clip": clips, "speaker": speakers})
    if splits is None:
        sheet["split"] = sheet[split_by].map(assign_splits(sheet[split_by], seed=seed))
    else:
        sheet["split"] = sheet["speaker"].map(dict(splits))
    alike = {str(video).lower(): video for video in videos}
    for video in videos:
        if alike[str(video).lower()] != video:
            say(f"{video} and {alike[str(video).lower()]} differ in capitals alone, and are taken for two clips")
    place = output.parent.resolve()

    def address(path: Path) -> str:
        return Path(os.path.relpath((folder / path).resolve(), place)).as_posix()

    sheet["video"] = [address(video) for video in videos]
    if any(sounds):
        sheet["audio"] = [address(sound) if sound else "" for sound in sounds]
    marks = [find_marks(folder, video) for video in videos]
    if any(marks):
        sheet["marks"] = [address(file) if file else "" for file in marks]
    if splits is None:
        for line in find_left_out(folder, [file for file in (*videos, *sounds, *marks) if file]):
            say(line)
    with writing(output) as temporary:
        sheet.to_csv(temporary, sep="\t", index=False)
    return sheet
