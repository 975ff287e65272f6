"""Speed of training the base network: convolutions over stretches beside the published windows one by one."""

import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from published_training import PublishedNetwork, published_steps
from speech_data import clips_of, make_dataset

from talkface.models.registry import build_network
from talkface.training.batches import Batches, batches
from talkface.training.dataset import read_part, read_shape_model
from talkface.training.loop import Run, validate
from talkface.training.recipe import Recipe

CPU = torch.device("cpu")
# As in the shipped config: 8 stretches of 16 frames are the published 128.
SETTINGS = Recipe(network="cnn", components=6, stretches=8, frames=16, betas=(0.5, 0.999))
ROUNDS = 5  # of the timing, both sides in turn
JUDGED = (20, 25, 30, 35, 40)  # steps after which the validation losses are compared: one alone swings by a third
SEEDS = (1, 2, 3)


class Pair:
    """Both training loops, from the same weights on the same clips."""

    def __init__(self, path: Path, *, seed: int):
        part, model = read_part(path, "train", rate=8_000), read_shape_model(path)
        torch.manual_seed(seed)
        self.theirs = PublishedNetwork()
        network = build_network("cnn", model, {"level": "peak", "dropout": 0.0})
        network.load_state_dict(self.theirs.state_dict())
        self.judge = build_network("cnn", model, {"level": "peak"})
        self.valid = Batches(read_part(path, "valid", rate=8_000), network, CPU)
        corpus = Batches(part, network, CPU)
        self.ours = Run(network, SETTINGS, steps=10**9, device=CPU)
        self._their_steps = published_steps(self.theirs, clips_of(part, model), seed=seed)
        self._our_batches = batches(corpus, SETTINGS, seed=seed, first_step=0, last_step=10**9)

    def step_theirs(self) -> None:
        """Make one step of the published loop."""
        next(self._their_steps)

    def step_ours(self) -> None:
        """Make one step of our loop."""
        step, batch = next(self._our_batches)
        torch.manual_seed(step)
        self.ours.advance(batch)

    def losses(self) -> tuple[float, float]:
        """Return the validation losses of theirs and ours, by the same measure."""
        self.judge.load_state_dict(self.theirs.state_dict())
        return validate(self.judge, self.valid), validate(self.ours.network, self.valid)


def _seconds(function) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def run(data: Path | None) -> list[dict]:
    """Measure supervised frames a second, and validation loss after the same number of steps."""
    with tempfile.TemporaryDirectory() as folder:
        path = make_dataset(Path(folder) / "bench.h5", data)
        pair = Pair(path, seed=0)
        pair.step_theirs(), pair.step_ours()  # the first step allocates
        times = np.array([[_seconds(pair.step_theirs), _seconds(pair.step_ours)] for _ in range(ROUNDS)])
        theirs, ours = 128 / np.median(times, axis=0)
        losses = []
        for seed in SEEDS:
            pair = Pair(path, seed=seed)
            for step in range(1, max(JUDGED) + 1):
                pair.step_theirs()
                pair.step_ours()
                if step in JUDGED:
                    losses.append(pair.losses())
    their_loss, our_loss = np.mean(losses, axis=0)
    return [
        {
            "case": "training",
            "work": "cnn, 128 supervised frames a step",
            "unit": "frames/s",
            "published": theirs,
            "ours": ours,
            "ratio": np.median(times[:, 0] / times[:, 1]),
            "required": ">= 4",
        },
        {
            "case": "training",
            "work": f"cnn, validation loss after {JUDGED[0]} to {JUDGED[-1]} steps, mean of {len(SEEDS)} seeds",
            "unit": "L1",
            "published": their_loss,
            "ours": our_loss,
            "ratio": our_loss / their_loss,
            "required": "<= 1.03",
        },
    ]
