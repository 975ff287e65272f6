"""Settings of a run: its whole configuration as a page and as a file that --configfile takes again.

What each setting means is said where it is set: in the comments of the shipped configuration, which are read here.
"""

import logging
import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from talkface import __version__
from talkface.config import add_published, resolve_models
from talkface.files import writing
from talkface.report.cells import DASH, Cell, Group, Head, Row, Table, counted
from talkface.report.templates import fill

log = logging.getLogger(__name__)

Path_ = tuple[str, ...]
_LINE = re.compile(r"^(?P<indent> *)(?P<key>[\w-]+):(?P<value>.*?)(?:\s#\s+(?P<comment>.*))?$")
# Packages of conda-forge that pip has under another name.
PIP_NAMES = {"pytorch": "torch", "pysoundfile": "soundfile", "soxr-python": "soxr", "dlib": "dlib-bin"}


def read_comments(path: str | Path) -> dict[Path_, str]:
    """Read the comment behind each key of a YAML file, by the keys that lead to it.

    Mappings alone, indented by spaces, one key a line, as config/config.yaml is written.
    """
    found: dict[Path_, str] = {}
    above: list[tuple[int, str]] = []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        indent = len(match["indent"])
        above = [(depth, key) for depth, key in above if depth < indent] + [(indent, match["key"])]
        if match["comment"]:
            found[tuple(key for _, key in above)] = match["comment"].strip()
    return found


def leaves(settings: Mapping[str, Any], above: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Give every setting that is no mapping (or an empty one), with the keys that lead to it."""
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*above, str(key)))
        else:
            yield (*above, str(key)), value


def written(value: Any) -> str:
    """Write a setting as YAML in one line."""
    return yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("\n").removesuffix("\n...")


def packages_of(envs: Sequence[str | Path]) -> dict[str, tuple[str, list[str]]]:
    """Return, by package, the version installed here, else the one pinned, and the environment files that name it."""
    found: dict[str, tuple[str, list[str]]] = {"python": (platform.python_version(), [])}
    for path in envs:
        listed = yaml.safe_load(Path(path).read_text(encoding="utf-8"))["dependencies"]
        for entry in listed:
            for line in entry["pip"] if isinstance(entry, dict) else [entry]:
                name, pinned = (part.strip() for part in re.split("=+", line, maxsplit=1))
                try:
                    version = found[name][0] if name == "python" else metadata.version(PIP_NAMES.get(name, name))
                except metadata.PackageNotFoundError:
                    version = pinned
                found.setdefault(name, (version, []))[1].append(Path(path).stem)
    return dict(sorted(found.items()))


def settings_table(
    found: Sequence[tuple[Path_, Any]], shipped: Mapping[Path_, Any], comments: Mapping[Path_, str], *, bare: int = 0
) -> Table:
    """Return a row a setting, what differs from the shipped value in bold; the first `bare` keys are left out."""
    rows = []
    for path, value in found:
        changed = path not in shipped or shipped[path] != value
        before = written(shipped[path]) if path in shipped else "not set"
        cells = [
            Cell(written(value), css="text", best=changed),
            Cell(before if changed else "", css="text"),
            Cell(comments.get(path, ""), css="text"),
        ]
        rows.append(Row(".".join(path[bare:]), cells))
    heads = [Head(text, css="text") for text in ("value", "as shipped", "what the shipped file says of it")]
    return Table("setting", heads, [Group(rows)])


def write_settings(
    page: str | Path,
    resolved: str | Path,
    *,
    settings: Mapping[str, Any],
    shipped: str | Path,
    envs: Sequence[str | Path],
    models: Mapping[str, Mapping[str, Any]],
    clips: Mapping[str, int],
    speakers: Mapping[str, int],
    snakemake: str,
) -> None:
    """Write the configuration that was used.

    Parameters
    ----------
    page : path
        results/report/settings.html.
    resolved : path
        results/report/settings.yaml: all settings, defaults included.
    settings : mapping
        The configuration, merged.
    shipped : path
        config/config.yaml as it comes with the workflow.
    envs : sequence of path
        envs/*.yaml.
    models : mapping of model to its resolved block
        Those that the run trains or imports; the others of the catalogue are only counted.
    clips, speakers : mapping of split to count
        Of the sheet; a speaker may stand in several splits, `all` has how many there are.
    snakemake : str
        Its version.
    """
    comments = read_comments(shipped)
    before = yaml.safe_load(Path(shipped).read_text(encoding="utf-8"))
    blocks = {name: block for name, block in resolve_models(add_published(before["models"])).items() if name in models}
    known = dict(leaves(before | {"models": blocks}))
    catalogue = add_published(settings["models"]) | add_published(before["models"])
    order = [*before, *(key for key in settings if key not in before)]
    used = list(leaves({key: settings[key] for key in order if key in settings} | {"models": models}))
    changed = [(path, value) for path, value in used if path not in known or known[path] != value]

    def explain(name: str) -> None:
        """Take over the comments of the entry that this one is like."""
        other = catalogue.get(name, {}).get("like")
        if other:
            explain(other)
            for path in [path for path in comments if path[:2] == ("models", other)]:
                comments.setdefault(("models", name, *path[2:]), comments[path])

    for name in models:
        explain(name)
    sections: dict[str, list[tuple[Path_, Any]]] = {}
    for path, value in used:
        if path[0] != "models":
            sections.setdefault(path[0] if len(path) > 1 else "", []).append((path, value))
    total = Row("all", [Cell(f"{sum(clips.values()):,}"), Cell(f"{speakers['all']:,}")])
    counts = [Row(split, [Cell(f"{clips[split]:,}"), Cell(f"{speakers[split]:,}")]) for split in clips]
    packages = {"talkface": (__version__, []), "snakemake": (snakemake, []), **packages_of(envs)}
    rows = [Row(name, [Cell(v), Cell(", ".join(of) or DASH, css="text")]) for name, (v, of) in packages.items()]
    content = {
        "settings": settings,
        "changed": settings_table(changed, known, comments) if changed else None,
        "sections": [
            (name, settings_table(found, known, comments, bare=bool(name))) for name, found in sections.items()
        ],
        "models": [
            (name, settings_table([pair for pair in used if pair[0][:2] == ("models", name)], known, comments, bare=2))
            for name in models
        ],
        "others": len(set(catalogue) - set(models)),
        "counts": Table("split", [Head("clips"), Head("speakers")], [Group(counts), Group([total])]),
        "packages": Table("package", [Head("version"), Head("environments", css="text")], [Group(rows)]),
        "bar": 0,
    }
    with writing(resolved) as temporary:
        temporary.write_text(yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True), encoding="utf-8")
    fill("settings_page.html", page, content)
    log.info("%s: %s", page, counted(len(changed), "changed setting"))
