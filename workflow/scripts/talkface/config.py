"""Configuration: checked against its schema before any work, its catalogue of models resolved."""

import ast
import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import jsonschema
import yaml

from talkface.errors import TalkfaceError

NETWORKS = Path(__file__).parent / "models" / "networks"
# Arguments that follow from a file of weights: the width of its inputs says which context it was trained with.
DECIDED = ("context",)
# What the programs of Eskimez et al. 2020 and 2018 call the weights in the folder of a model.
WEIGHTS = ("SPCH2FLM.pt", "talkingFaceModel.h5")


class Catalogue(dict):
    """A dictionary whose missing key is a user's mistake: the error names the kind and lists what is known."""

    def __init__(self, kind: str, entries: Mapping):
        super().__init__(entries)
        self.kind = kind

    def __missing__(self, key: str) -> NoReturn:
        """Raise the error, a `TalkfaceError`."""
        raise TalkfaceError(f"'{key}' is not a known {self.kind}; {known(key, list(self))}")


def known(name: str, names: Sequence[str], *, most: int = 20) -> str:
    """List what is known, for a message: the names (at most `most`), and the nearest to `name` first.

    Examples
    --------
    >>> print(known("gird", ["grid", "ravdess"]))
    did you mean 'grid'? known are: grid, ravdess
    """
    near = difflib.get_close_matches(str(name), [str(other) for other in names], n=1)
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    listed = ", ".join(str(other) for other in names[:most]) or "none"
    return (f"did you mean '{near[0]}'? " if near else "") + f"known are: {listed}{rest}"


def resolve_models(models: Mapping[str, Mapping]) -> dict[str, dict]:
    """Resolve the catalogue: an entry that says `like: other` takes from there what it does not say itself.

    What a file of weights decides (`DECIDED`) is not taken from there by an entry that names one.

    Parameters
    ----------
    models : mapping of name to block
        As in the config; blocks are not changed.

    Raises
    ------
    TalkfaceError
        If an entry is like none there is, or like itself.

    Examples
    --------
    >>> models = {"small": {"network": "cnn", "arguments": {"width": 8}}, "large": {"like": "small", "lr": 0.1}}
    >>> resolve_models(models)["large"]
    {'network': 'cnn', 'arguments': {'width': 8}, 'lr': 0.1}
    """

    def resolve(name: str, asked: tuple[str, ...]) -> dict:
        block = dict(models[name])
        other = block.pop("like", None)
        if other is None:
            return block
        if other in asked:
            raise TalkfaceError(f"config, models.{name}: like {other} is like itself; name an entry with a network")
        if other not in models:
            raise TalkfaceError(f"config, models.{name}: like '{other}' is no entry; {known(other, list(models))}")
        base = resolve(other, (*asked, other))
        taken = base.get("arguments", {})
        if block.get("weights"):
            taken = {key: value for key, value in taken.items() if key not in DECIDED}
        arguments = {**taken, **block.get("arguments", {})}
        return {**base, **block, "arguments": arguments}

    resolved = {name: resolve(name, (name,)) for name in models}
    for name, block in resolved.items():
        if "network" not in block:
            raise TalkfaceError(f"config, models.{name}: no network; give `network` or `like`")
    return resolved


def name_weights(models: Mapping[str, Mapping]) -> dict[str, dict]:
    """Name the file of weights where `init` or `weights` is a folder, as the published programs take one.

    Raises
    ------
    TalkfaceError
        If the folder holds none that they would write, or one of each.
    """
    named = {name: dict(block) for name, block in models.items()}
    for name, block in named.items():
        for key in ("init", "weights"):
            if block.get(key) and Path(block[key]).is_dir():
                found = [Path(block[key]) / file for file in WEIGHTS if (Path(block[key]) / file).is_file()]
                if len(found) != 1:
                    raise TalkfaceError(
                        f"config, models.{name}.{key}: {block[key]} is a folder, in which one of {', '.join(WEIGHTS)} "
                        f"was expected; {len(found)} were found; name a file"
                    )
                block[key] = str(found[0])
    return named


def published_networks() -> list[str]:
    """List the networks that re-implement a published system: their class has `BaseNetwork.PUBLISHED`.

    Read from the source, since jobs are planned without torch.
    """
    return [
        path.stem
        for path in sorted(NETWORKS.glob("*.py"))
        if any(
            isinstance(node, ast.AnnAssign | ast.Assign) and "PUBLISHED" in _targets(node)
            for made in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(made, ast.ClassDef)
            for node in made.body
        )
    ]


def _targets(node: ast.AnnAssign | ast.Assign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def add_published(models: Mapping[str, Mapping], schedules: Mapping[str, Mapping] | None = None) -> dict[str, dict]:
    """Add `<name>_published` to the catalogue beside each entry of a published system, its defects included.

    What the config says of such a name goes before; an entry with weights of its own has no such twin.

    Parameters
    ----------
    models : mapping of name to block
        As in the config; blocks are not changed.
    schedules : mapping of name to block, optional
        How long, how fast and in what batches the originals were trained: config/published.yaml, an entry for each
        network. The twins of all entries of that network take its schedule.
    """
    published, suffix = published_networks(), "_published"

    def inherited(name: str, key: str, asked: tuple[str, ...] = ()) -> Any:
        """Look up what an entry says of a key, or one that it is like."""
        block = models.get(name, {"like": name.removesuffix(suffix), "published": True})
        if key in block or "like" not in block or name in asked:
            return block.get(key)
        return inherited(block["like"], key, (*asked, name))

    found = {name: dict(block) for name, block in models.items()}
    schedule_of = {inherited(name, "network"): schedule for name, schedule in (schedules or {}).items()}
    for name in models:
        # A block of the twin's name that has neither network nor like changes the twin, and is no entry by itself.
        changes = found.get(name + suffix, {})
        kept = inherited(name, "weights") or inherited(name, "published") or {"network", "like"} & set(changes)
        if inherited(name, "network") in published and not kept and not name.endswith(suffix):
            schedule = schedule_of.get(inherited(name, "network"), {})
            found[name + suffix] = {"like": name, **schedule, "published": True, **changes}
    return found


def add_seeds(
    models: dict[str, dict], selected: Sequence[str], seeds: Sequence[int], *, seed: int
) -> dict[str, list[str]]:
    """Add to a resolved catalogue an entry `<model>-seed<k>` for each selected model and each further seed k.

    Parameters
    ----------
    models : dict of name to block
        The further entries are added here.
    selected : sequence of str
        An entry with `weights` is not trained and has no further seeds.
    seeds : sequence of int
    seed : int
        That of the selected entries themselves.

    Returns
    -------
    dict of model to its entries, the model itself first

    Raises
    ------
    TalkfaceError
        If the catalogue has an entry of such a name.
    """
    seeded = {}
    for name in selected:
        further = [] if models[name].get("weights") else [k for k in seeds if k != models[name].get("seed", seed)]
        seeded[name] = [name, *(f"{name}-seed{k}" for k in further)]
        for entry, k in zip(seeded[name][1:], further, strict=True):
            if entry in models:
                raise TalkfaceError(f"config, models.{entry}: training.seeds names an entry so; rename it")
            models[entry] = {**models[name], "seed": k}
    return seeded


def type_values(value: Any, schema: Mapping) -> Any:
    """Give texts the type that a schema wants of them: nested values of `snakemake --config` come as texts.

    Mappings and lists are changed in place. A text that fits no type stays, for `check_config` to name it.

    Examples
    --------
    >>> schema = {"properties": {"size": {"type": "integer"}, "name": {"type": ["string", "null"]}}}
    >>> type_values({"size": "3", "name": "4"}, schema)
    {'size': 3, 'name': '4'}
    """
    if isinstance(value, dict):
        named, further = schema.get("properties", {}), schema.get("additionalProperties")
        for key in value:
            value[key] = type_values(value[key], named.get(key, further if isinstance(further, Mapping) else {}))
        return value
    if isinstance(value, list):
        value[:] = [type_values(item, schema.get("items", {})) for item in value]
        return value
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if type(value) is int and "string" in kinds and not {"number", "integer"} & set(kinds):
        return str(value)  # `corpus=2024`, of which Snakemake has made a number
    if not isinstance(value, str) or value in schema.get("enum", []) or not kinds:
        return value
    try:
        read = yaml.safe_load(value)
    except yaml.YAMLError:
        return value
    if "string" in kinds and read is not None and not {"number", "integer", "boolean", "array"} & set(kinds):
        return value  # a name of digits alone is a name
    return read if jsonschema.Draft202012Validator(schema).is_valid(read) else value


def check_config(config: Mapping[str, Any], schema_path: str | Path) -> None:
    """Check a configuration against its schema, once its texts have their types (`type_values`, in place).

    Raises
    ------
    TalkfaceError
        One line: the key, what was found, what was expected.
    """
    schema = yaml.safe_load(Path(schema_path).read_text(encoding="utf-8"))
    type_values(config, schema)
    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(config))
    if error is None:
        return
    where = ".".join(str(part) for part in error.absolute_path) or "top level"
    if error.validator == "additionalProperties":
        allowed = sorted(error.schema.get("properties", {}))
        unknown = sorted(str(key) for key in set(error.instance) - set(allowed))
        raise TalkfaceError(f"config, {where}: unknown key '{unknown[0]}'; {known(unknown[0], allowed)}")
    raise TalkfaceError(f"config, {where}: {error.message}")
