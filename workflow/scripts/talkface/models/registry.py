"""Registry of the networks: every module of `talkface.models.networks` that has a class `Network`, by its name."""

import importlib
import inspect
import pkgutil

from talkface.errors import TalkfaceError
from talkface.face.shape_model import ShapeModel
from talkface.models import networks
from talkface.models.base import BaseNetwork


def network_names() -> list[str]:
    """Return the names of all networks."""
    return sorted(module.name for module in pkgutil.iter_modules(networks.__path__))


def network_class(name: str) -> type[BaseNetwork]:
    """Return the class of the network `name`.

    Raises
    ------
    TalkfaceError
        If there is none of this name.
    """
    if name not in network_names():
        raise TalkfaceError(
            f"models: unknown network {name!r}; known are {', '.join(network_names())}; correct `network` in the config"
        )
    return importlib.import_module(f"{networks.__name__}.{name}").Network


def build_network(name: str, shape_model: ShapeModel, arguments: dict) -> BaseNetwork:
    """Build a network with new weights.

    Parameters
    ----------
    name : str
    shape_model : ShapeModel
    arguments : dict
        Keywords of its constructor, from the config.

    Raises
    ------
    TalkfaceError
        If the network or one of the arguments is unknown.
    """
    made = network_class(name)
    known = [key for key in inspect.signature(made).parameters if key != "shape_model"]
    for key in arguments:
        if key not in known:
            raise TalkfaceError(
                f"models: network {name!r} has no argument {key!r}; known are {', '.join(known)}; correct the config"
            )
    return made(shape_model, **arguments)
