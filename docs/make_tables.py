"""Tables of results and speeds in the documents: `make tables`.

    python docs/make_tables.py compare      results/evaluation/ of `make compare` -> docs/tables/compare_*.tsv
    python docs/make_tables.py bench        results/benchmarks/suite/ of `make bench` -> docs/tables/bench.tsv
    python docs/make_tables.py containers   results/benchmarks/containers.xml of `make test-containers`, likewise
    python docs/make_tables.py eyes         results/benchmarks/eyes.tsv of `make bench-eyes`, likewise
    (face3d, head, minutes, phones, strangers, timing, trust likewise, of `make bench-phones` and so on)
    python docs/make_tables.py              writes the tables of docs/tables/ into the documents

A document holds a table between `<!-- table NAME -->` and `<!-- end -->`; `short`: its first columns.
"""

import datetime
import functools
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pandas as pd

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "workflow" / "scripts"))

from talkface import __version__  # noqa: E402
from talkface.evaluation.tables import read_summary  # noqa: E402

TABLES = PROJECT / "docs" / "tables"
DOCUMENTS = ("README.md", "docs/results.md", "docs/benchmarks.md", "docs/engines.md", "docs/head.md")
MEASURES = {
    "lip_rmse": "lip error, clean",
    "lip_rmse_0db": "lip error, 0 dB",
    "opening_correlation": "opening correlation, clean",
    "opening_correlation_0db": "opening correlation, 0 dB",
}
OTHERS = {
    "floor:mean_face": "mean face",
    "ceiling:shifted_1": "truth, one frame late",
    "ceiling:shifted_2": "truth, two frames late",
    "ceiling:detector": "truth, measured again",
}

OF_STRANGERS = {
    "predictor": "predictor", "GRID": "GRID, 7 people", "GRID_shifted": "best shift",
    "wild": "in the wild, 5 people", "wild_shifted": "best shift ",
    "room_70": "room at -70 dBFS", "room_60": "-60", "room_50": "-50",
}  # fmt: skip
# Tables shown as they stand: columns, and how they are headed.
PLAIN = {
    "bench": {name: name for name in ("case", "work", "unit", "published", "ours", "ratio")},
    "containers": {
        "container": "container", "films": "films", "picture_ms": "picture, worst ms",
        "beyond_ms": "beyond half a source frame, worst ms", "sound_ms": "sound, worst ms",
    },
    "eyes": {name: name for name in ("measure", "unit", "dlib", "mesh")},
    "face3d": {
        "measure": "measure", "unit": "unit", "dlib": "by dlib", "mesh": "by mesh",
        "refined": "mesh, refined by the pictures", "model": "model's own",
    },
    "head": {
        "measure": "measure", "unit": "unit", "real": "real", "unet": "real, refined",
        "own_mouth": "own mouth", "in_time": "in time", "mesh": "mesh", "truth": "truth",
    },
    "phones": {
        "sounds": "sounds", "marked": "marked by hand", "words_found": "of these found from words, %",
        "words_right": "of the found ones right, %", "recognised_found": "found without words, %",
        "recognised_right": "of the found ones right, % ",
    },
    "strangers": OF_STRANGERS,
    "held_out": OF_STRANGERS,
    "minutes": {
        "clips": "clips of s1", "seconds": "seconds", "start": "started from", "lip_error": "lip error, clean",
        "lip_error_0_db": "in pink noise, 0 dB", "opening_correlation": "opening correlation",
        "closure_rate": "closes at /p b m/",
    },
    "timing": {name: name for name in ("measure", "unit", "dlib", "mesh")},
    "mouth_trust": {
        "cover": "covered by", "clips": "clips", "doubt": "lips' spread, share of frames",
        "motion": "opening's deviation",
        "link": "opening and loudness", "contrast": "contrast at the lips", "late": "last trees' corrections",
        "refused": "refused by `qc`",
    },
}  # fmt: skip


OWN_TARGETS = ("held_out", "minutes", "strangers")  # measured by `make <name>`, all others by `make bench-<name>`


def stamp(command: str) -> str:
    """Return the first line of a table: by what and at which commit it was made."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout.strip()
    return f"# talkface {__version__}, commit {commit}, {datetime.date.today().isoformat()}, {command}\n"


def save(table: pd.DataFrame, name: str, command: str) -> None:
    """Write a table below docs/tables/."""
    text = table.to_csv(sep="\t", index=False, float_format="%.4g")
    (TABLES / f"{name}.tsv").write_text(stamp(command) + text, encoding="utf-8")


def take_comparison(folder: Path = PROJECT / "results" / "evaluation") -> None:
    """Take over the measures of `make compare`: models, floors, ceilings; clean, and at 0 dB over all noises."""
    summary = read_summary(folder / "summary.tsv")
    steps = pd.read_csv(folder / "zoo.tsv", sep="\t").set_index("model")["steps"]
    for (corpus, split), part in summary.groupby(["corpus", "split"]):
        names = [name for name in dict.fromkeys(part["model"]) if ":" not in name and name != "truth"] + list(OTHERS)
        rows = []
        for name in names:
            row: dict[str, object] = {"model": name, "steps": steps.get(name, "")}
            own = part[part["model"] == name]
            for key in MEASURES:
                measure = key.removesuffix("_0db")
                noisy = (own["condition"] == "all") & (own["snr_db"] == 0)
                found = own[(own["measure"] == measure) & (noisy if measure != key else own["condition"] == "clean")]
                for column, value in (("", "value"), ("_low", "low"), ("_high", "high")):
                    row[key + column] = found[value].iloc[0] if len(found) else ""
            rows.append(row)
        save(pd.DataFrame(rows), f"compare_{corpus}_{split}", "make compare")


def take_benchmarks(folder: Path = PROJECT / "results" / "benchmarks" / "suite") -> None:
    """Take over the speeds of `make bench`; measures of each clip become their medians."""
    table = pd.read_csv(folder / "benchmarks.tsv", sep="\t")
    by_clip = table["case"].value_counts().loc[lambda count: count > 20].index
    for case in by_clip:
        clips = table[table["case"] == case]
        middle = clips[["published", "ours", "ratio"]].median()
        work = f"median of {len(clips)} clips; largest ratio {clips['ratio'].max():.2f}"
        row = pd.DataFrame([clips.iloc[0].to_dict() | {"work": work} | middle.to_dict()], index=clips.index[:1])
        table = pd.concat([table.drop(clips.index), row]).sort_index()
    save(table, "bench", "make bench")


def take_containers(path: Path = PROJECT / "results" / "benchmarks" / "containers.xml") -> None:
    """Take over what `make test-containers` found: the worst of each container."""
    cases = ElementTree.parse(path).iter("testcase")
    found = pd.DataFrame([{item.get("name"): item.get("value") for item in case.iter("property")} for case in cases])
    found = found.astype({"picture_ms": float, "frame_ms": float, "sound_ms": float})
    found["beyond_ms"] = found["picture_ms"] - found["frame_ms"] / 2
    rows = found.groupby("container", sort=False).agg(
        films=("picture_ms", "size"), picture_ms=("picture_ms", "max"), beyond_ms=("beyond_ms", "max"),
        sound_ms=("sound_ms", "max"),
    )  # fmt: skip
    save(rows.reset_index(), "containers", "make test-containers")


def take_measured(name: str) -> None:
    """Take over what `make bench-<name>` (or `make <name>`) found, results/benchmarks/<name>.tsv."""
    name_of_table = {"trust": "mouth_trust"}.get(name, name)
    table = pd.read_csv(PROJECT / "results" / "benchmarks" / f"{name_of_table}.tsv", sep="\t")
    save(table, name_of_table, f"make {name.replace('_', '-')}" if name in OWN_TARGETS else f"make bench-{name}")


def lines_of(name: str, *, short: bool) -> list[str]:
    """Return a table of docs/tables/ as lines of Markdown."""
    table = pd.read_csv(TABLES / f"{name}.tsv", sep="\t", comment="#", dtype=str, keep_default_na=False)
    if name in PLAIN:
        heads = list(PLAIN[name].values())
        rows = [[row[column] for column in PLAIN[name]] for row in table.to_dict("records")]
    else:
        measures = {key: head for key, head in MEASURES.items() if not short or not key.startswith("opening")}
        with_steps = any(table["steps"]) and not short
        heads = ["model", *(["steps"] if with_steps else []), *measures.values()]
        rows = [[OTHERS.get(row["model"], f"`{row['model']}`"),
                 *([f"{int(row['steps']):,}" if row["steps"] else ""] if with_steps else []),
                 *(_interval(row, key) for key in measures)] for row in table.to_dict("records")]  # fmt: skip
        rows = [row for row in rows if not short or "truth" not in row[0] or "again" in row[0]]
    body = [heads, ["---"] * len(heads), *rows]
    return [f"| {' | '.join(cells)} |".replace("| --- |", "|---|").replace(" --- |", "---|") for cells in body]


def _interval(row: dict, key: str) -> str:
    if not row[key]:
        return "-"
    value, low, high = (float(row[key + part]) for part in ("", "_low", "_high"))
    return f"{value:.2f} ({low:.2f}-{high:.2f})"


def render(text: str) -> str:
    """Return a document with its tables as they stand in docs/tables/."""

    def fill(match: re.Match) -> str:
        table = TABLES / f"{match['name']}.tsv"
        made = lines_of(match["name"], short=bool(match["short"])) if table.is_file() else []
        return "\n".join([match["head"], *([""] if made else []), *made, *([""] if made else []), "<!-- end -->"])

    pattern = r"(?P<head><!-- table (?P<name>\w+)(?P<short> short)? -->)\n.*?<!-- end -->"
    return re.sub(pattern, fill, text, flags=re.S)


def main() -> None:
    """Take over what the command line names, and write the tables into the documents."""
    for name in sys.argv[1:]:
        takers = {"compare": take_comparison, "bench": take_benchmarks, "containers": take_containers}
        takers |= {
            each: functools.partial(take_measured, each)
            for each in ("eyes", "face3d", "head", "phones", "timing", "trust", *OWN_TARGETS)
        }
        takers[name]()
    for name in DOCUMENTS:
        path = PROJECT / name
        path.write_text(render(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
