"""Import of weights trained elsewhere or earlier, as a model of the catalogue or as the start of a training.

| file | of |
|---|---|
| .h5 of Keras 2 (`models.keras_weights`) | Eskimez et al. 2018: a stack of LSTM and Dense layers |
| PyTorch state dict | Eskimez et al. 2020: conv1 .. conv4, fc1 and, with temporal condition, fc2 |
| weights.pt of this project | any network |

What in a file decides which argument of a network is said by the network's class, in `from_keras` and `from_torch`.
Files are read as tensors, numbers and texts; what would have to be executed is refused.
"""

import dataclasses
import json
import logging
import math
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import torch
import yaml
from torch import Tensor

from talkface import __version__
from talkface.errors import TalkfaceError
from talkface.face.shape_files import read_shape_model_files
from talkface.face.shape_model import ShapeModel
from talkface.face.template import load_template
from talkface.files import digest, writing
from talkface.models import checkpoint
from talkface.models.base import BaseNetwork
from talkface.models.keras_weights import Layer, read_keras
from talkface.models.registry import build_network, network_class
from talkface.training.recipe import Recipe

log = logging.getLogger(__name__)

WRAPPERS = ("state_dict", "model_state_dict", "model", "net")  # keys under which trainings keep the state dict
PREFIX = "module."  # of names, after training on several graphics cards
KINDS = {
    "keras": "an .h5 of Keras 2",
    "torch": "a PyTorch state dict",
    "own": "a weights.pt of this project",
}
# What is known of a training that took place elsewhere, beside what `train.train_model` says of its own.
ELSEWHERE: dict[str, Any] = {
    "corpus": "elsewhere",
    "steps": 0,
    "stopped_early": False,
    "best_step": 0,
    "valid_loss": math.nan,
    "seconds": 0.0,
    "train_clips": 0,
    "train_speakers": 0,
    "train_frames": 0,
    "valid_clips": 0,
    "device": "elsewhere",
    "variance_share": math.nan,
}


@dataclasses.dataclass(frozen=True)
class Source:
    """What a file of weights holds.

    Attributes
    ----------
    path : Path
    kind : {"keras", "torch", "own"}
    layers : list of Layer
        Of a Keras file.
    tensors : dict of Tensor
        By name: of a state dict, or the weights of our own file.
    content : dict
        All of our own file.
    """

    path: Path
    kind: str
    layers: list[Layer] = dataclasses.field(default_factory=list)
    tensors: dict[str, Tensor] = dataclasses.field(default_factory=dict)
    content: dict[str, Any] = dataclasses.field(default_factory=dict)


def read_weights(path: str | Path) -> Source:
    """Read a file of weights, whichever of the three kinds it is.

    Raises
    ------
    TalkfaceError
        If it is missing, damaged, of another kind, or would have to be executed.
    """
    path = Path(path)
    if not path.is_file():
        raise TalkfaceError(f"{path}: there is no such file; a file of weights was expected; correct the config")
    if h5py.is_hdf5(path) or path.suffix.lower() in (".h5", ".hdf5"):
        return Source(path, "keras", layers=read_keras(path))
    content = _load(path)
    if isinstance(content, Mapping) and {"network", "arguments", "weights", "shape_model"} <= set(content):
        return Source(path, "own", tensors=_checked(content["weights"], path), content=dict(content))
    for _ in WRAPPERS:
        inner = [content[key] for key in WRAPPERS if isinstance(content, Mapping) and key in content]
        content = inner[0] if inner and isinstance(inner[0], Mapping) else content
    tensors = _checked(content, path)
    return Source(path, "torch", tensors={name.removeprefix(PREFIX): value for name, value in tensors.items()})


def _load(path: Path) -> Any:
    """Load a file with torch, onto the CPU."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other pickle protocols
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # bytes of any kind make the reader fail in any way
        text = str(error)
        refused = re.search(r"GLOBAL ([\w.]+)", text)
        if refused:
            raise TalkfaceError(
                f"{path}: holds Python objects ({refused.group(1)}) that might run code, so it is not loaded; tensors "
                "by name were expected; save model.state_dict() instead"
            ) from None
        reason = next((line.strip() for line in text.splitlines() if line.strip()), "") or type(error).__name__
        raise TalkfaceError(
            f"{path}: not readable as weights ({type(error).__name__}: {reason[:100]}); {KINDS['torch']} or "
            f"{KINDS['keras']} was expected; copy it again"
        ) from None


def _checked(tensors: Any, path: Path) -> dict[str, Tensor]:
    """Check that these are tensors by name, all finite; return those of floating point as float32."""
    if not isinstance(tensors, Mapping) or not tensors:
        raise TalkfaceError(
            f"{path}: holds a {type(tensors).__name__}; tensors by name were expected; save model.state_dict()"
        )
    checked = {}
    for name, value in tensors.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise TalkfaceError(
                f"{path}: holds {name!r}, a {type(value).__name__}; tensors by name were expected; save "
                "model.state_dict()"
            )
        if not torch.isfinite(value).all():
            raise TalkfaceError(
                f"{path}: {name} holds NaN or infinite values; numbers were expected; take the weights of an earlier "
                "epoch"
            )
        checked[name] = value.detach().float() if value.is_floating_point() else value
    return checked


class Opened(NamedTuple):
    """A network with the weights of a file, and what the file decided.

    Attributes
    ----------
    network : BaseNetwork
        In training mode, on the CPU.
    settings : Recipe
        With the arguments that the weights have.
    shape_model : ShapeModel
    source : Source
    """

    network: BaseNetwork
    settings: Recipe
    shape_model: ShapeModel
    source: Source


def open_weights(source: Source, block: dict[str, Any], *, model: str) -> Opened:
    """Build the network that a file of weights is for, and fill it.

    Parameters
    ----------
    source : Source
        From `read_weights`.
    block : dict
        The entry of the catalogue, see `Recipe`; `arguments` that the file decides may be left out, and must not
        contradict it.
    model : str
        Name of the entry, for messages.

    Raises
    ------
    TalkfaceError
        If the file, the block and the files of the shape model do not fit each other.
    """
    settings = Recipe.read(block, name=model)
    if source.kind == "own":
        arguments, shape_model = _reopen(source, settings, model)
        tensors = source.tensors
    else:
        arguments, tensors, shape_model = _adopt(source, network_class(settings.network), settings, model)
    for key, value in settings.arguments.items():
        if arguments[key] != value:
            log.warning("%s: %s is %s by the file; %s in the config does not apply", model, key, arguments[key], value)
    network = build_network(settings.network, shape_model, arguments)
    _fill(network, tensors, source, settings.network)
    arguments = json.loads(json.dumps(arguments))
    settings = dataclasses.replace(settings, arguments=arguments, components=len(shape_model) or settings.components)
    return Opened(network, settings, shape_model, source)


def import_weights(
    weights_file: str | Path,
    *,
    weights: str | Path,
    config: str | Path,
    card: str | Path,
    model: str,
    block: dict[str, Any],
) -> None:
    """Write a model from existing weights, as training would have left it.

    Parameters
    ----------
    weights_file : path
        Of any kind of the table above.
    weights, config, card : paths
        Outputs, as those of `train.train_model`.
    model : str
        Name of the entry.
    block : dict
        The entry, see `Recipe`; `arguments` that the file decides may be left out, and must not contradict it.

    Raises
    ------
    TalkfaceError
        If the file, the block and the files of the shape model do not fit each other.
    """
    network, settings, shape_model, source = open_weights(read_weights(weights_file), block, model=model)
    facts = ELSEWHERE | source.content.get("facts", {})
    facts |= {
        "model": model,
        "parameters": sum(value.numel() for value in network.parameters()),
        "origin": KINDS[source.kind],
        "file": source.path.name,
        "digest": digest(source.path),
        "version": __version__,
    }
    resolved = json.loads(json.dumps(dataclasses.asdict(settings)))
    content = checkpoint.pack_network(
        network, name=settings.network, arguments=settings.arguments, shape_model=shape_model
    )
    checkpoint.save_file(weights, content | {"config": resolved, "facts": facts})
    with writing(config) as temporary:
        described = {"corpus": facts["corpus"], "models": {model: resolved}}
        temporary.write_text(yaml.safe_dump(described, sort_keys=False), encoding="utf-8")
    with writing(card) as temporary:
        temporary.write_text(describe(settings, facts), encoding="utf-8")
    log.info("%s: %d parameters from %s", model, facts["parameters"], source.path)


def _adopt(
    source: Source, kind: type[BaseNetwork], settings: Recipe, model: str
) -> tuple[dict[str, Any], dict[str, Tensor], ShapeModel]:
    """Return arguments, tensors and shape model of a network, from a file of another project."""
    convert = getattr(kind, f"from_{source.kind}", None)
    if convert is None:
        wanted = " or ".join(text for key, text in KINDS.items() if key == "own" or hasattr(kind, f"from_{key}"))
        raise TalkfaceError(
            f"{source.path}: {KINDS[source.kind]}; network {settings.network!r} takes {wanted}; correct "
            f"models.{model} in the config"
        )
    rest = boosts = np.zeros(0)
    shape_model = faces_themselves()
    if settings.shape_model:
        shape_model, rest, boosts = read_shape_model_files(settings.shape_model)
    elif source.kind == "torch":
        raise TalkfaceError(
            f"config: models.{model} has no shape_model; its files mean and components (.npy) were expected, which "
            f"give faces to the coefficients of {source.path.name}; add them"
        )
    if source.kind == "keras":
        arguments, tensors = convert(source.layers, settings.arguments, path=source.path)
        return arguments, tensors, shape_model
    arguments = convert(
        source.tensors, settings.arguments, components=len(shape_model), rest=rest, boosts=boosts, path=source.path
    )
    return arguments, source.tensors, shape_model


def faces_themselves() -> ShapeModel:
    """Return a shape model of our own mean face alone, for networks that give faces instead of coefficients."""
    return ShapeModel(load_template(), np.zeros((0, 136)), np.zeros(0), np.zeros(0))


def _reopen(source: Source, settings: Recipe, model: str) -> tuple[dict[str, Any], ShapeModel]:
    """Return arguments and shape model of our own file; the block's stand above those that it does not decide."""
    name = source.content["network"]
    if name != settings.network:
        raise TalkfaceError(
            f"{source.path}: weights of network {name!r}; {settings.network!r} was expected; correct models.{model} in "
            "the config"
        )
    if settings.shape_model:
        raise TalkfaceError(
            f"config: models.{model}.shape_model is not used: {source.path} brings the shape model it was trained "
            "with; take shape_model out"
        )
    try:
        stated = checkpoint.stated_arguments(source.content)
        decided = {key: stated[key] for key in network_class(name).OF_WEIGHTS}
        return stated | settings.arguments | decided, checkpoint.stated_shape_model(source.content)
    except (AttributeError, TypeError) as error:
        raise TalkfaceError(
            f"{source.path}: not weights of this version ({error}); a weights.pt of this version was expected; train "
            "the model again"
        ) from None


def initial_shape_model(path: str | Path) -> ShapeModel | None:
    """Read the shape model that the coefficients of weights to start from belong to; None where there is none."""
    source = read_weights(path)
    if source.kind != "own" or not network_class(source.content["network"]).coefficients:
        return None
    return checkpoint.stated_shape_model(source.content)


def load_initial(network: BaseNetwork, path: str | Path) -> None:
    """Give a network that is already built the weights of a file, so that training starts from them.

    Parameters
    ----------
    network : BaseNetwork
        As the config says; changed in place.
    path : path
        Of any kind of the table above.

    Raises
    ------
    TalkfaceError
        If the file's weights are not those of such a network.
    """
    name = type(network).__module__.rsplit(".", 1)[-1]
    source = read_weights(path)
    tensors = source.tensors
    if source.kind == "own" and source.content["network"] != name:
        raise TalkfaceError(
            f"{path}: weights of network {source.content['network']!r}; {name!r} was expected; correct `init` in the "
            "config"
        )
    if source.kind == "keras":
        same_stack = getattr(network, "same_stack", None)
        if same_stack is None:
            raise TalkfaceError(
                f"{path}: {KINDS['keras']}; network {name!r} starts from {KINDS['torch']} or {KINDS['own']}; correct "
                "`init` in the config"
            )
        tensors = same_stack(source.layers, path=source.path)
    _fill(network, tensors, source, name)
    rebase = getattr(network, "rebase", None)
    if source.kind == "own" and rebase is not None:
        rebase(checkpoint.stated_shape_model(source.content))


def _fill(network: BaseNetwork, tensors: Mapping[str, Tensor], source: Source, name: str) -> None:
    """Load tensors into a network: all its parameters and none besides; buffers only where the file has them."""
    own = network.state_dict()
    needed = {key for key, _ in network.named_parameters()} if source.kind != "own" else set(own)
    missing, surplus = sorted(needed - set(tensors)), sorted(set(tensors) - set(own))
    if missing or surplus:
        differs = [f"lacks {_few(missing)}"] if missing else []
        differs += [f"has {_few(surplus)} besides"] if surplus else []
        raise TalkfaceError(
            f"{source.path}: {' and '.join(differs)}; the weights of network {name!r} with these arguments were "
            f"expected, {_few(sorted(needed))}; give its weights, or correct network and arguments in the config"
        )
    for key, value in tensors.items():
        if value.shape != own[key].shape:
            raise TalkfaceError(
                f"{source.path}: {key} has the shape {tuple(value.shape)}; {tuple(own[key].shape)} was expected by "
                f"network {name!r} with these arguments; give its weights, or correct the arguments in the config"
            )
    network.load_state_dict(own | dict(tensors))


def _few(names: list[str], most: int = 4) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def describe(settings: Recipe, facts: Mapping[str, Any]) -> str:
    """Return the card of an imported model: what it is and where it came from."""
    arguments = "\n".join(f"  - {key}: {json.dumps(value)}" for key, value in settings.arguments.items())
    return f"""# {facts["model"]}

Network `{settings.network}`, {facts["parameters"]:,} parameters, predicts a face from speech at 25 frames a second.

- **Weights**: imported from {facts["origin"]}, `{facts["file"]}` (sha256 {facts["digest"]}); not trained here.
- **Arguments**:
{arguments}
- **Limits**: what it learned from, and how well it does there, is not known here; what it does on the test clips stands
  in results/evaluation/. The terms of its authors apply to the weights. Not fit to make anyone appear to say what they
  did not say.
- **Imported by**: talkface {facts["version"]}.
"""
