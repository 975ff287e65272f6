"""Weights files (weights.pt): name, arguments, weights and shape model of a network, from which it is rebuilt.

Read with `weights_only=True`: the file holds tensors, numbers and texts, and no code.
"""

import inspect
import os
import zipfile
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from talkface.errors import TalkfaceError
from talkface.face.shape_model import FIELDS, ShapeModel
from talkface.files import writing
from talkface.models.base import BaseNetwork
from talkface.models.registry import build_network, network_class


def save_file(path: str | Path, content: dict[str, Any]) -> None:
    """Write tensors, numbers and texts; when this returns, the whole file is on the disk."""
    with writing(path) as temporary, open(temporary, "wb") as file:
        torch.save(content, file)  # to a file without a name, which would stand in it
        file.flush()
        os.fsync(file.fileno())


def read_file(path: str | Path) -> dict[str, Any]:
    """Read what `save_file` wrote, onto the CPU; raise a TalkfaceError if it is another kind of file."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (
        RuntimeError,
        ValueError,
        KeyError,
        EOFError,
        zipfile.BadZipFile,
        OSError,
        UnpicklingError,
    ) as error:
        raise TalkfaceError(
            f"{path}: not readable as weights ({_first_line(error)}); delete it and train again"
        ) from None


def pack_network(
    network: BaseNetwork, *, name: str, arguments: dict, shape_model: ShapeModel, weights: dict | None = None
) -> dict[str, Any]:
    """Collect what `unpack_network` needs, as tensors, numbers and texts; `weights` instead of the network's own."""
    defaults = {key: inspect.signature(type(network)).parameters[key].default for key in network.OF_WEIGHTS}
    return {
        "network": name,
        "arguments": defaults | arguments,
        "weights": weights or network.state_dict(),
        "shape_model": {key: torch.from_numpy(getattr(shape_model, key).copy()) for key in FIELDS},
    }


def stated_arguments(content: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a network by its weights, with those that were not known yet when they were written."""
    return network_class(content["network"]).OF_WEIGHTS | content["arguments"]


def stated_shape_model(content: dict[str, Any]) -> ShapeModel:
    """Return the shape model that the coefficients of a network belong to, by its weights."""
    return ShapeModel(**{key: value.numpy() for key, value in content["shape_model"].items()})


def unpack_network(content: dict[str, Any]) -> BaseNetwork:
    """Rebuild a network, on the CPU and in eval mode."""
    network = build_network(content["network"], stated_shape_model(content), stated_arguments(content))
    network.load_state_dict(content["weights"])
    return network.eval()


def load_network(path: str | Path) -> BaseNetwork:
    """Load the network of a weights file, results/models/{corpus}/{model}/weights.pt."""
    content = read_file(path)
    try:
        return unpack_network(content)
    except (KeyError, TypeError, RuntimeError) as error:
        raise TalkfaceError(
            f"{path}: not weights of this version ({_first_line(error)}); delete it and train again"
        ) from None


def learnt_by(path: str | Path) -> str:
    """Tell by whose eyes a model of ours saw the faces it learnt from: dlib or mesh; empty where that is not known.

    Weights of versions that knew dlib alone do not say it.
    """
    return detector_of(read_file(path))


def detector_of(content: dict[str, Any]) -> str:
    """Tell the same of the content of a weights file."""
    facts = content.get("facts")
    return str(facts.get("detector", "dlib")) if facts else ""


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
