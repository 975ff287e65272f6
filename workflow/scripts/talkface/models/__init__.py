"""The networks, one a file: each module of this folder has a class `Network` and is known by the module's name.

A new network is a new file here and a block in the config; nothing else names it.

Axes: B stretches, N samples, T video frames, K shape coefficients.
"""

import abc
import importlib
import inspect
import pkgutil
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from talkface.errors import TalkfaceError
from talkface.features import FPS
from talkface.shape_model import ShapeModel


class Batch(NamedTuple):
    """Stretches cut from the corpus.

    Attributes
    ----------
    audio : (B, before + (T - 1) * rate / 25 + after) float32
        In [-1, 1], each clip brought to full scale (`features.level`); zeros beyond the clip's ends.
    shape : (B, T, 68, 2) float32
        Template frame.
    known : (B, T) bool
        False beyond the clip's ends.
    """

    audio: Tensor
    shape: Tensor
    known: Tensor


class BaseNetwork(nn.Module, abc.ABC):
    """What every network offers to training and prediction.

    Parameters
    ----------
    shape_model : ShapeModel
        With as many components as the network has outputs.

    Attributes
    ----------
    rate : int
        Hz; the rate the network listens at.
    before, after : int
        Frame i sees samples [i * rate / 25 - before, i * rate / 25 + after).
    wants_landmarks : bool
        Whether the dataset must hold pixel landmarks for it.
    """

    rate: ClassVar[int]
    wants_landmarks: ClassVar[bool] = False
    before: int
    after: int

    def __init__(self, shape_model: ShapeModel):
        super().__init__()
        mean = torch.from_numpy(shape_model.mean).float().flatten()  # (136)
        basis = torch.from_numpy(shape_model.components).float()  # (K, 136)
        self.register_buffer("mean", mean, persistent=False)  # kept beside the weights, under names of its own
        self.register_buffer("basis", basis, persistent=False)

    @property
    def hop(self) -> int:
        """Samples from one video frame to the next."""
        return self.rate // FPS

    def encode(self, shape: Tensor) -> Tensor:
        """Coefficients (B, T, K) of shapes (B, T, 68, 2)."""
        with torch.autocast(shape.device.type, enabled=False):  # half precision would round the truth
            return (shape.float().flatten(2) - self.mean) @ self.basis.T  # (B, T, K)

    def decode(self, coefficients: Tensor) -> Tensor:
        """Shapes (B, T, 68, 2) of coefficients (B, T, K)."""
        with torch.autocast(coefficients.device.type, enabled=False):
            return (self.mean + coefficients.float() @ self.basis).unflatten(-1, (-1, 2))  # (B, T, 68, 2)

    @abc.abstractmethod
    def forward(self, audio: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Coefficients (B, T, K) of audio (B, before + (T - 1) * hop + after), and what the next stretch needs.

        A stretch that follows another one gets that one's state, so that speech may be cut anywhere.
        """

    @abc.abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """What training lowers, a number; augmentation belongs here, and only when `self.training`."""


def masked_mean(error: Tensor, known: Tensor) -> Tensor:
    """Mean of error (B, T, ...) over the frames that are known (B, T)."""
    per_frame = error.flatten(2).mean(dim=2)  # (B, T)
    return (per_frame * known).sum() / known.sum().clamp(min=1)


def network_names() -> list[str]:
    """Names of the networks there are."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def network_class(name: str) -> type[BaseNetwork]:
    """The class of the network `name`.

    Raises
    ------
    TalkfaceError
        If there is none of this name.
    """
    if name not in network_names():
        raise TalkfaceError(
            f"models: unknown network {name!r}; known are {', '.join(network_names())}; correct `network` in the config"
        )
    return importlib.import_module(f"{__name__}.{name}").Network


def build_network(name: str, shape_model: ShapeModel, arguments: dict) -> BaseNetwork:
    """A network with fresh weights.

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
