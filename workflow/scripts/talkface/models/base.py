"""Base class of all networks, with the checks and the masked loss they share.

Axes: B stretches, N samples, T video frames, F numbers of a feature frame, K outputs, P clips' frames end to end,
D coordinates (2 or 3).
"""

import abc
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from talkface.conventions import FPS
from talkface.errors import TalkfaceError
from talkface.face.shape_model import ShapeModel
from talkface.media.sound import LEVELS
from talkface.models.inputs import Batch, Clips


class BaseNetwork(nn.Module, abc.ABC):
    """Base class of the networks: what training and prediction call.

    Parameters
    ----------
    shape_model : ShapeModel
        With as many components as the network predicts coefficients.
    level : {"peak", "running", "steady", "recorded"}
        How the sound of a file is scaled, see `media.sound.Leveller`.
    file_level : {"peak", "running", "steady", "recorded"}, optional
        How that of a training file from elsewhere is; by default alike.

    Attributes
    ----------
    rate : int
        Hz; the rate the network listens at.
    before, after : int
        In prediction, frame i sees samples [i * rate / 25 - before, i * rate / 25 + after).
    peak_rate : int or None
        Hz; the rate at which prediction looks for the loudest sample of a file; None: that of the network.
    rounds : bool
        Whether prediction rounds resampled sound to 16 bits, as a dataset holds it.
    coefficients : bool
        Whether its outputs are coefficients of the shape model; else they are landmarks.
    edges : {"silence", "reflect"}
        What lies beyond the ends of a file in prediction.
    multiple : int
        Prediction goes in chunks of a multiple of so many frames.
    repeats_last : int
        In prediction, so many frames at the end of a file repeat the one before them (published by Eskimez et al.).
    hears_frames : bool
        Training cuts feature frames instead of samples; `listen` computes those of a whole clip.
    before_frames, after_frames : int
        How many of those frames it sees before a stretch and after it.
    wants_landmarks : bool
        Whether the dataset must hold pixel landmarks for it.
    wants_noise : bool
        Whether batches must hold noise for it.
    PUBLISHED : dict
        What `published: true` sets in a block of the config: the defects of the published system, and its batches.
    OF_WEIGHTS : dict
        Arguments that a file of weights decides whatever the config says, with their values in the files of earlier
        versions, which do not state them.
    """

    rate: ClassVar[int]
    peak_rate: ClassVar[int | None] = None
    coefficients: ClassVar[bool] = True
    edges: ClassVar[str] = "silence"
    multiple: ClassVar[int] = 1
    hears_frames: ClassVar[bool] = False
    wants_landmarks: ClassVar[bool] = False
    PUBLISHED: ClassVar[dict] = {}
    OF_WEIGHTS: ClassVar[dict] = {}
    before: int
    after: int
    before_frames: int = 0
    after_frames: int = 0
    repeats_last: int = 0
    rounds: bool = True
    wants_noise: bool = False
    mean: Tensor  # buffers
    basis: Tensor
    fit: Tensor
    fit_in_space: Tensor

    def __init__(self, shape_model: ShapeModel, *, level: str = "peak", file_level: str | None = None):
        super().__init__()
        self.level = choice("level", level, LEVELS)
        self.file_level = choice("file_level", file_level or level, LEVELS)
        self.coordinates = shape_model.mean.shape[-1]  # D
        mean = torch.from_numpy(shape_model.mean).float().flatten()  # (68 D)
        basis = torch.from_numpy(shape_model.components).float()  # (K, 68 D)
        fit = torch.from_numpy(shape_model.fit).float()  # (136, K)
        in_space = torch.from_numpy(shape_model.fit_of(self.coordinates)).float()  # (68 D, K)
        self.register_buffer("mean", mean, persistent=False)  # kept beside the weights, under names of its own
        self.register_buffer("basis", basis, persistent=False)
        self.register_buffer("fit", fit, persistent=False)
        self.register_buffer("fit_in_space", in_space, persistent=False)

    @property
    def hop(self) -> int:
        """Samples from one video frame to the next."""
        return self.rate // FPS

    def targets(self, part: Clips) -> NDArray[np.float32]:
        """Return the training targets, one row a frame of the part: (P, ...); the shapes (P, 68, D) by default."""
        return part.shape

    def learns_from(self, lengths: NDArray[np.int64]) -> tuple[int, NDArray[np.int64]]:
        """Return the first frame of a clip that is learnt from, and how many of clips of `lengths` (C) frames."""
        return 0, lengths

    def listen(self, audio: Tensor, frames: int) -> Tensor:
        """Return the feature frames (frames, F) of a whole clip's samples (S,); for networks with `hears_frames`."""
        raise TypeError(f"{type(self).__module__} takes samples, not feature frames")

    def encode(self, shape: Tensor) -> Tensor:
        """Return the coefficients (B, T, K) of shapes (B, T, 68, 2 or 3): the least-squares fit of what is given."""
        given = shape.shape[-1]
        with torch.autocast(shape.device.type, enabled=False):  # half precision would round the truth
            flat = self.mean.unflatten(0, (68, -1))[:, :given].flatten()
            return (shape.float().flatten(-2) - flat) @ (self.fit if given == 2 else self.fit_in_space)  # (B, T, K)

    def decode(self, outputs: Tensor) -> Tensor:
        """Return the shapes (B, T, 68, D), template frame, of the network's outputs (B, T, K)."""
        with torch.autocast(outputs.device.type, enabled=False):
            return (self.mean + outputs.float() @ self.basis).unflatten(-1, (68, self.coordinates))

    @abc.abstractmethod
    def forward(self, sound: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Compute the outputs (B, T, K) of samples (B, before + (T - 1) * hop + after), and the state after them.

        A stretch that follows another one gets that one's state, so that speech may be cut anywhere; without a state,
        the file begins here.
        """

    @abc.abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """Compute the training loss, a scalar; augmentation belongs here, and only when `self.training`."""


def choice(name: str, value: str, choices: Sequence[str]) -> str:
    """Return the value of a switch; raise a TalkfaceError if it is none of the choices."""
    if value not in choices:
        raise TalkfaceError(
            f"models: {name} is {value!r}; one of {', '.join(choices)} was expected; correct the config"
        )
    return value


def masked_mean(error: Tensor, known: Tensor) -> Tensor:
    """Average an error (B, T, ...) over the frames that are known (B, T).

    Examples
    --------
    >>> error = torch.tensor([[[1.0, 3.0], [4.0, 4.0], [9.0, 9.0]]])
    >>> masked_mean(error, torch.tensor([[True, True, False]])).item()
    3.0
    """
    per_frame = error.flatten(2).mean(dim=2)  # (B, T)
    return (per_frame * known).sum() / known.sum().clamp(min=1)
