"""Folder of a trained model: how a newer training takes its place, what it was made from, and what changed since.

results/models/{corpus}/{model}/ holds weights.pt, curve.tsv, config.yaml and card.md; `state/` the rolling state of a
training that has not ended; `before/` the four files of the training before. Read while jobs are planned: no torch.
"""

import filecmp
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from talkface.provenance import code_of

WEIGHTS, CURVE, CONFIG, CARD = FILES = ("weights.pt", "curve.tsv", "config.yaml", "card.md")
STATE = "state"
BEFORE = "before"
# Scripts from the sheet to the weights, and the settings that they read.
ROAD = ("extract_audio", "detect_landmarks", "check_quality", "remove_identity", "assemble_dataset", "train_model")
SETTINGS = ("media.audio_rate", "landmarks", "qc", "identity", "dataset")


def place_model(new: str | Path, folder: str | Path) -> None:
    """Put a finished training in place and keep the one before; killed at any moment, the folder holds one that loads.

    The weights come last: one rename replaces them, and until then the model is the one that was there.

    Parameters
    ----------
    new : path
        Folder that holds `FILES`, on the same file system; removed.
    folder : path
        Of the model.
    """
    new, folder = Path(new), Path(folder)
    weights, before = folder / WEIGHTS, folder / BEFORE
    # A kill between two renames left weights that are kept already, or that are the new ones.
    known = [path for path in (before / WEIGHTS, new / WEIGHTS) if weights.is_file() and path.is_file()]
    if weights.is_file() and not any(filecmp.cmp(weights, path, shallow=False) for path in known):
        copy = folder / f".{BEFORE}"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for name in FILES:
            if (folder / name).is_file():
                shutil.copy2(folder / name, copy / name)
        shutil.rmtree(before, ignore_errors=True)
        copy.rename(before)
    for name in reversed(FILES):
        os.replace(new / name, folder / name)
    shutil.rmtree(new)


def find_models(root: str | Path, name: str) -> dict[str, Path]:
    """Find the trained models of a name below results/models/: folder by corpus, the newest last."""
    found = [path.parent for path in Path(root).glob(f"*/{name}/{WEIGHTS}")]
    return {folder.parent.name: folder for folder in sorted(found, key=trained_s)}


def trained_s(folder: Path) -> float:
    """Return when a training was finished, seconds since 1970."""
    return (folder / WEIGHTS).stat().st_mtime


def describe_origin(config: Mapping[str, Any], *, model: str, block: Mapping[str, Any], clips: str) -> dict[str, Any]:
    """Describe what a training is made from, so that it can be told later what has changed.

    Parameters
    ----------
    config : mapping
        The configuration.
    model : str
    block : mapping
        Its entry of the catalogue, resolved.
    clips : str
        Digest of the sheet.

    Returns
    -------
    dict
        corpus; clips; code, a digest; settings, value by dotted key. A model that trains on a file of its own
        (`block["dataset"]`) has neither clips nor settings of the corpus.
    """
    own = bool(block.get("dataset"))
    road = ROAD[-1:] if own else ROAD
    settings = dict(_flatten({"seed": config["seed"], "models": {model: block}}))
    for key in () if own else SETTINGS:
        part: Any = config
        for word in key.split("."):
            part = part[word]
        settings |= dict(_flatten(part, key))
    if block.get("noise"):
        settings |= dict(_flatten(config["noise"], "noise"))
    network = f"talkface/models/networks/{block['network']}"
    return {
        "corpus": config["corpus"],
        "clips": "" if own else clips,
        "code": " ".join(code_of(script) for script in (*road, network)),
        "settings": settings,
    }


def _flatten(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flatten(inner, f"{key}.{name}".lstrip("."))
    else:
        yield key, list(value) if isinstance(value, tuple) else value


def read_origin(folder: str | Path) -> dict[str, Any] | None:
    """Read what a model was made from (`describe_origin`), from its config.yaml; None where that does not say."""
    try:
        content = yaml.safe_load((Path(folder) / CONFIG).read_text(encoding="utf-8"))
        return {key: content["origin"][key] for key in ("corpus", "clips", "code", "settings")}
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError):
        return None


def find_changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """List in words what differs between the origins of two trainings of one name.

    Examples
    --------
    >>> then = {"corpus": "demo", "clips": "d1", "code": "c1", "settings": {"qc.min_face_px": 40, "seed": 1}}
    >>> find_changes(then, then | {"clips": "d2", "settings": {"qc.min_face_px": 30, "seed": 1}})
    ['qc.min_face_px', 'the sheet']
    """
    settings = then["settings"], now["settings"]
    keys = sorted({key for one in settings for key in one})
    changed = [key for key in keys if settings[0].get(key) != settings[1].get(key)]
    return changed + [text for key, text in (("clips", "the sheet"), ("code", "the code")) if then[key] != now[key]]


def describe_model(folder: str | Path) -> str:
    """Say on whose corpus and when a model was trained."""
    folder = Path(folder)
    trained = datetime.fromtimestamp(trained_s(folder)).isoformat(" ", "minutes")
    return f"{folder.name}: trained on corpus {folder.parent.name}, {trained}"


def take_over(results: str | Path = "results") -> dict[Path, Path]:
    """Move trained models, and rolling states, from where they lay before 0.3 to the folder of their corpus.

    Returns
    -------
    dict of old folder to new
        Of the models moved: those of results/models/{model}/ that were trained (imported ones have no curve), whose
        card names the corpus, and whose place is free.
    """
    moved = {}
    for curve in sorted(Path(results).glob(f"models/*/{CURVE}")):
        old = curve.parent
        card = old / CARD
        named = re.search(r"corpus `([A-Za-z0-9][A-Za-z0-9_-]*)`", card.read_text("utf-8") if card.is_file() else "")
        new = old.parent / (named[1] if named else "") / old.name
        if not named or new.exists() or not (old / WEIGHTS).is_file():
            continue
        new.mkdir(parents=True)
        state = old.parents[1] / STATE / old.name
        if state.is_dir():
            state.rename(new / STATE)
        # One that is called like its corpus holds the folder it moves into, so files move, not the folder.
        for name in reversed(FILES):
            if (old / name).is_file():
                (old / name).rename(new / name)
        if not any(old.iterdir()):
            old.rmdir()
        moved[old] = new
    return moved
