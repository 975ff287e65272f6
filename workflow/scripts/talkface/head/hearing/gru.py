"""A small GRU from what is heard to what a face does.

Axes: B stretches, T frames, D features, O outputs.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from talkface.face import points
from talkface.face3d import arkit
from talkface.face3d.bases import load_bases
from talkface.head.hearing.listening import OUTPUTS
from talkface.head.hearing.regression import FOLDS, folds

KEPT = 64  # principal components of features that it is given
HIDDEN, RATE, STEPS, PATIENCE, CROP = 32, 1e-3, 300, 60, 75
EVERY = 5  # steps after which it is judged


class Gru(nn.Module):
    """A bidirectional GRU from components of features (B, T, KEPT) to differences from the mean outputs (B, T, O)."""

    def __init__(self, outputs: int):
        super().__init__()
        self.gru = nn.GRU(KEPT, HIDDEN, batch_first=True, bidirectional=True)
        self.drop = nn.Dropout(0.3)
        self.out = nn.Linear(2 * HIDDEN, outputs)

    def forward(self, given: Tensor) -> Tensor:
        """Compute the outputs."""
        return self.out(self.drop(self.gru(self.drop(given))[0]))


def components(given: NDArray) -> NDArray:
    """Return principal components (D, KEPT) of features (T, D), the first as far as it spreads."""
    _, size, right = np.linalg.svd(given, full_matrices=False)
    return right[:KEPT].T / (size[0] / np.sqrt(len(given)))


def guess(given: NDArray, target: NDArray, seed: int) -> NDArray:
    """Return outputs (T, O) for components (T, KEPT), each stretch by a network that did not learn it."""
    guessed = np.empty_like(target)
    for learnt, judged in folds(len(target)):
        middle = target[learnt].mean(axis=0)
        rows = np.isin(np.arange(len(target)), learnt)
        network = Gru(OUTPUTS)
        state = train(given, target - middle, rows, seed)
        network.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
        with torch.inference_mode():
            guessed[judged] = network.eval()(torch.from_numpy(given).float()[None])[0].numpy()[judged] + middle
    return guessed


def train(given: NDArray, target: NDArray, learnt: NDArray, seed: int) -> dict[str, NDArray]:
    """Train a GRU on stretches of learnt frames; a fifth of these tell when to stop."""
    torch.manual_seed(seed)
    network = Gru(OUTPUTS)
    x, y = torch.from_numpy(given).float(), torch.from_numpy(target).float()
    expression = torch.from_numpy(load_bases().expression[:, list(points.LIPS)]).float().flatten(1)  # (52, 60)
    rows = np.flatnonzero(learnt)
    judged = np.zeros(len(given), bool)
    judged[rows[-max(1, len(rows) // FOLDS) :]] = True
    weight = torch.from_numpy(learnt & ~judged).float()
    check = torch.from_numpy(learnt & judged).float()
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-2)

    def loss(out: Tensor, wanted: Tensor, of: Tensor) -> Tensor:
        error = out - wanted
        shape = (error[..., : arkit.COUNT] @ expression).square().mean(dim=-1)
        return ((shape + 1e-3 * error.square().mean(dim=-1)) * of).sum() / of.sum().clamp(min=1)

    best, state, waited = float("inf"), network.state_dict(), 0
    crop = min(CROP, len(given))
    generator = np.random.default_rng(seed)
    for step in range(STEPS):
        network.train()
        starts = generator.integers(0, len(given) - crop + 1, 8)
        batch = torch.stack([x[s : s + crop] for s in starts])
        wanted = torch.stack([y[s : s + crop] for s in starts])
        of = torch.stack([weight[s : s + crop] for s in starts])
        optimiser.zero_grad()
        loss(network(batch), wanted, of).backward()
        optimiser.step()
        if step % EVERY:
            continue
        network.eval()
        with torch.inference_mode():
            error = float(loss(network(x[None])[0], y, check))
        if error < best:
            best, waited = error, 0
            state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        else:
            waited += EVERY
            if waited > PATIENCE:
                break
    return {name: tensor.numpy() for name, tensor in state.items()}
