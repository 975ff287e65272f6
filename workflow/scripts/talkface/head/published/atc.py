"""The audio network of Yi et al. 2020 (ATC net): cepstra to expression and pose.

Five convolutions over 28 x 12 cepstra, two linear layers, an LSTM of three layers over 16 pictures. At generation the
whole sequence runs through the LSTM at once, though it was trained on 16, as published. Where the paper's network gives
64 expressions of the Basel model and 6 numbers of pose, `outputs` here may be others.

Axes: B stretches, T pictures, 28 x 12 cepstra, O outputs.
"""

import logging

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

log = logging.getLogger(__name__)

PUBLISHED_OUTPUTS = 70
FRAMES, BATCH = 16, 16
GENERAL_RATE, RATE, BETAS = 2e-4, 1e-4, (0.5, 0.999)
EPOCHS = 100  # of fine-tuning to a person
POSE, SMOOTH_POSE, SMOOTH = 0.2, 0.01, 1e-4  # weights in the loss beside that of the expression


class Atc(nn.Module):
    """From cepstra (B, T, 28, 12) to outputs (B, T, O)."""

    def __init__(self, outputs: int = PUBLISHED_OUTPUTS):
        super().__init__()

        def convolution(a: int, b: int) -> list[nn.Module]:
            return [nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU()]

        self.convolutions = nn.Sequential(
            *convolution(1, 64), *convolution(64, 128), nn.MaxPool2d(3, (1, 2)),
            *convolution(128, 256), *convolution(256, 256), *convolution(256, 512), nn.MaxPool2d(3, (2, 2)),
        )  # fmt: skip
        self.linear = nn.Sequential(nn.Linear(12_288, 2_048), nn.ReLU(), nn.Linear(2_048, 256), nn.ReLU())
        self.lstm = nn.LSTM(256, 256, 3, batch_first=True)
        self.out = nn.Linear(256, outputs)

    def forward(self, cepstra: Tensor) -> Tensor:
        """Compute the outputs."""
        stretches, frames = cepstra.shape[:2]
        seen = self.convolutions(cepstra.flatten(0, 1)[:, None]).flatten(1)
        heard = self.linear(seen).unflatten(0, (stretches, frames))
        return self.out(self.lstm(heard)[0])


def loss(shown: Tensor, truth: Tensor, expressions: int) -> Tensor:
    """Compute the published loss of outputs (B, T, O), of which so many are expressions and the rest are pose."""
    error = (shown - truth).square()
    moved = shown.diff(dim=1).square().sum(dim=1)  # (B, O)
    return (
        error[..., :expressions].mean()
        + POSE * error[..., expressions:].mean()
        + SMOOTH_POSE * moved[:, expressions:].mean()
        + SMOOTH * moved[:, :expressions].mean()
    )


def train(
    cepstra: NDArray, target: NDArray, video: NDArray, *, expressions: int, epochs: int = EPOCHS, rate: float = RATE,
    seed: int = 1, start: dict[str, Tensor] | None = None,
) -> dict[str, Tensor]:  # fmt: skip
    """Train the network on stretches of 16 pictures.

    Parameters
    ----------
    cepstra : (N, 28, 12) array
    target : (N, O) array
    video : (N,) array
        No stretch lies in two videos.
    expressions : int
        Of the outputs.
    epochs : int
        In which each picture is seen once.
    rate : float
        Of Adam.
    seed : int
    start : dict of str to Tensor, optional
        Weights to begin with: those of general training.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = Atc(target.shape[1])
    if start is not None:
        network.load_state_dict(start)
    optimiser = torch.optim.Adam(network.parameters(), lr=rate, betas=BETAS)
    starts = np.flatnonzero(video[: len(video) - FRAMES + 1] == video[FRAMES - 1 :])
    x, y = torch.from_numpy(cepstra).float(), torch.from_numpy(target).float()
    for epoch in range(epochs):
        drawn = rng.permutation(starts)[: max(1, len(video) // FRAMES)]
        total = 0.0
        for first in range(0, len(drawn), BATCH):
            rows = drawn[first : first + BATCH, None] + np.arange(FRAMES)
            with torch.autocast("cpu", torch.bfloat16):
                shown = network(x[rows]).float()
            value = loss(shown, y[rows], expressions)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            total += float(value.detach()) * len(rows)
        log.debug("epoch %d: %.5f", epoch, total / len(drawn))
    return network.state_dict()


def apply(state: dict[str, Tensor], cepstra: NDArray, outputs: int) -> NDArray[np.float64]:
    """Return the outputs (T, O) for a whole sequence of cepstra (T, 28, 12)."""
    network = Atc(outputs)
    network.load_state_dict(state)
    with torch.inference_mode():
        return network.eval()(torch.from_numpy(np.ascontiguousarray(cepstra)).float()[None])[0].double().numpy()
