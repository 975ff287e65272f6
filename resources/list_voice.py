"""What `talkface_voice` learns from, as a corpus of its own: `make voice DATA=folder`.

    python resources/list_voice.py FOLDER CORPUS [SPEAKER]

With a speaker, of the faces only that one's (`make held-out`).

Written into the folder CORPUS: clips.tsv, the sheet; marks/, the words of GRID's sentences, which the names of its
files spell; voices/, links to voices without faces. Only recordings whose licences allow weights to be passed on: GRID
(CC BY 4.0), LAVSE (MIT), LibriSpeech and VCTK (CC BY 4.0), CMU ARCTIC (free), LJ Speech (public domain).
"""

import sys
from pathlib import Path

import pandas as pd

COMMANDS = {"b": "bin", "l": "lay", "p": "place", "s": "set"}
COLOURS = {"b": "blue", "g": "green", "r": "red", "w": "white"}
PREPOSITIONS = {"a": "at", "b": "by", "i": "in", "w": "with"}
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DIGITS = dict(zip("z123456789", NUMBERS, strict=True))
ADVERBS = {"a": "again", "n": "now", "p": "please", "s": "soon"}
SPEAKERS = {"brbk7n": "s20", "lbax4n": "s5", "lwbsza": "s4", "pwij3p": "s2", "swwp2s": "s2"}
OTHERS = ("talking/lavse_sp05_320.mp4",)
VOICES = ("librispeech", "vctk", "arctic", "ljspeech")
LENGTH_S = 3.0  # of a sentence of GRID


def words_of(name: str) -> list[str]:
    """Spell a sentence of GRID by the name of its file; nothing if it is none.

    Examples
    --------
    >>> words_of("bbaf4p")
    ['bin', 'blue', 'at', 'f', 'four', 'please']
    """
    if len(name) != 6:
        return []
    tables = (COMMANDS, COLOURS, PREPOSITIONS, {name[3]: name[3]}, DIGITS, ADVERBS)
    words = [table.get(letter, "") for table, letter in zip(tables, name, strict=True)]
    return words if all(words) else []


def write_marks(name: str, folder: Path) -> str:
    """Write the words of a sentence, spread over the clip; when each is said is found by alignment."""
    words = words_of(name)
    if not words:
        return ""
    step = LENGTH_S / len(words)
    lines = [f"{step * place:.2f}\t{step * (place + 1):.2f}\t{word}\n" for place, word in enumerate(words)]
    (folder / f"{name}.tsv").write_text("".join(lines), encoding="utf-8")
    return f"marks/{name}.tsv"


def main() -> None:
    """Write sheet, marks and links."""
    data, corpus, only = Path(sys.argv[1]).resolve(), Path(sys.argv[2]), sys.argv[3:]
    for folder in ("marks", "voices"):
        (corpus / folder).mkdir(parents=True, exist_ok=True)
    split = dict(pd.read_csv(data / "grid_s1.tsv", sep="\t")[["clip", "split"]].itertuples(index=False))
    rows = []
    for path in [*sorted(data.glob("grid/s1/*.mpg")), *sorted(data.glob("grid/others/*.mpg"))]:
        sentence = path.stem.split("_")[-1]
        speaker = "s1" if path.parent.name == "s1" else SPEAKERS.get(path.stem, path.stem.split("_")[0])
        rows.append((path.stem, speaker, split.get(path.stem, "train"), path, write_marks(sentence, corpus / "marks")))
    for path in (data / name for name in OTHERS):
        rows.append((path.stem, path.stem, "train", path, ""))
    rows = [row for row in rows if not only or row[1] in only]
    sheet = pd.DataFrame(rows, columns=["clip", "speaker", "split", "video", "marks"])
    sheet.to_csv(corpus / "clips.tsv", sep="\t", index=False)
    for path in (path for name in VOICES for path in sorted((data / "voices" / name).glob("*.*"))):
        link = corpus / "voices" / path.name
        link.unlink(missing_ok=True)
        link.symlink_to(path)
    sys.stdout.write(f"{corpus}: {len(sheet)} clips, {len(list((corpus / 'voices').iterdir()))} voices\n")


if __name__ == "__main__":
    main()
