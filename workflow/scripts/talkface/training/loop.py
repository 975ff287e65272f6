"""Training loop: steps, validation, the rolling state of a run, and when it ends.

Every step draws from a seed of its own, made of the run's seed and the step: a run that was killed continues from its
rolling state with the numbers it would have had, and on the CPU ends with the same.
"""

import copy
import dataclasses
import hashlib
import json
import logging
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from talkface.errors import TalkfaceError
from talkface.face.shape_model import ShapeModel
from talkface.models import checkpoint
from talkface.models.base import BaseNetwork
from talkface.models.devices import half_precision, has_bfloat16
from talkface.models.inputs import Batch, Clips
from talkface.models.registry import build_network
from talkface.noise.bank import NoiseBank
from talkface.training.batches import Batches, batches, joined, steps_per_epoch
from talkface.training.importing import load_initial
from talkface.training.recipe import Recipe

log = logging.getLogger(__name__)

SAVE_EVERY_S = 15.0  # of the rolling state: what a killed run loses at most
LOG_EVERY = 20  # steps; reading a loss makes a graphics card wait, so not each one is read
VALID_FRAMES = 250  # of a stretch in validation: 10 s, so that memory stays bounded on long clips
VALID_STRETCHES = 8
NO_NOISE = "config: models.{model} trains with noise and names no file of it; give `noise: results/noise.h5`"


def learning_rate_factor(step: int, steps: int, schedule: str) -> float:
    """Return the factor of the learning rate at a step of `steps`; see `Recipe.schedule`.

    Examples
    --------
    >>> learning_rate_factor(50, 100, "constant")
    1.0
    >>> [round(learning_rate_factor(step, 100, "cosine"), 6) for step in (0, 50, 100)]
    [0.2, 0.5, 0.0]
    """
    if schedule == "constant":
        return 1.0
    rise = min(1.0, (step + 1) / max(1, round(0.05 * steps)))
    return rise * 0.5 * (1 + math.cos(math.pi * step / steps))


@torch.inference_mode()
def validate(network: BaseNetwork, corpus: Batches) -> float:
    """Compute the loss over all frames of a split, with the same draws (noise, published dropout) every time."""
    network.eval()
    device = corpus.sound.device
    frames = int(min(VALID_FRAMES, corpus.lengths.max()))
    plan = [(clip, start) for clip, length in enumerate(corpus.lengths) for start in range(0, int(length), frames)]
    draws = torch.from_numpy(np.random.default_rng(0).random((len(plan), 2), np.float32)).to(device)
    total = torch.zeros((), device=device)
    count = torch.zeros_like(total)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(0)
        for place in range(0, len(plan), VALID_STRETCHES):
            taken = slice(place, place + VALID_STRETCHES)
            clip, start = torch.tensor(plan[taken], device=device).T
            batch = corpus.cut(clip, start, frames, draws[taken])
            known = batch.known.sum()
            with half_precision(device):
                total += network.loss(batch) * known
            count += known
    network.train()
    return float(total / count)


class Run:
    """A training under way: network, optimiser, averages, and what is needed to go on after a kill."""

    def __init__(self, network: BaseNetwork, settings: Recipe, *, steps: int, device: torch.device):
        self.network = network.to(device).train()
        self.averaged = copy.deepcopy(self.network) if settings.average else self.network
        self.settings, self.steps, self.device = settings, steps, device
        beta1, beta2 = settings.betas
        kind = torch.optim.AdamW if settings.weight_decay else torch.optim.Adam
        self.optimizer = kind(
            network.parameters(),
            lr=settings.learning_rate,
            betas=(beta1, beta2),
            weight_decay=settings.weight_decay,
            fused=device.type == "cuda",
        )
        # float16 has little range, so its gradients are scaled; for other types the scaler does nothing.
        needs_scale = device.type == "cuda" and not has_bfloat16()
        self.scaler = torch.amp.GradScaler(enabled=needs_scale)
        self.step = 0
        self.best_loss, self.best_step = math.inf, 0
        self.best = copy.deepcopy(self.averaged.state_dict())
        self.curve: list[dict[str, float]] = []
        self.loss_sum, self.loss_count = torch.zeros((), device=device), 0  # since the last validation
        self.seconds = 0.0

    def advance(self, batch: Batch) -> Tensor:
        """Take one step of the optimiser; return its loss, still on the device."""
        factor = learning_rate_factor(self.step, self.steps, self.settings.schedule)
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * factor
        with half_precision(self.device):
            loss = self.network.loss(batch)
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.step += 1
        if self.settings.average:
            # The first steps' weights are far off: the mean forgets them faster.
            decay = min(self.settings.average, self.step / (10 + self.step))
            with torch.no_grad():
                for mean, new in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
                    mean.lerp_(new, 1 - decay)
                for held, buffer in zip(self.averaged.buffers(), self.network.buffers(), strict=True):
                    held.copy_(buffer)
        loss = loss.detach()
        self.loss_sum += loss
        self.loss_count += 1
        return loss

    def take_mean_loss(self) -> float:
        """Return the mean training loss since the last call."""
        mean = float(self.loss_sum) / max(1, self.loss_count)
        self.loss_sum.zero_()
        self.loss_count = 0
        return mean

    def judge(self, loss: float) -> None:
        """Keep the weights if this validation loss is the best so far, or if the last ones are wanted."""
        if loss < self.best_loss or self.settings.keep == "last":
            self.best_loss, self.best_step = loss, self.step
            self.best = copy.deepcopy(self.averaged.state_dict())

    def pack(self) -> dict[str, Any]:
        """Collect all that `unpack` needs, as tensors, numbers and texts."""
        return {
            "weights": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "best": self.best,
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "step": self.step,
            "best_loss": self.best_loss,
            "best_step": self.best_step,
            "curve": self.curve,
            "loss_sum": self.loss_sum,
            "loss_count": self.loss_count,
            "seconds": self.seconds,
        }

    def unpack(self, state: dict[str, Any]) -> None:
        """Go on from a packed state."""
        self.network.load_state_dict(state["weights"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.best = {key: value.to(self.device) for key, value in state["best"].items()}
        self.loss_sum = state["loss_sum"].to(self.device)
        for key in ("step", "best_loss", "best_step", "curve", "loss_count", "seconds"):
            setattr(self, key, state[key])


def fingerprint(settings: Recipe, *, data: str, seed: int) -> str:
    """Return a digest of what a rolling state belongs to: hyper-parameters, data, seed."""
    content = dataclasses.asdict(settings) | {"data": data, "seed": seed}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def fit(
    parts: dict[str, Clips],
    shape_model: ShapeModel,
    settings: Recipe,
    *,
    seed: int,
    noise: NoiseBank | None = None,
    voices: Clips | None = None,
    model: str = "model",
    device: torch.device | str = "cpu",
    state: Path | None = None,
    board: Path | None = None,
) -> Run:
    """Train on `parts["train"]`, stop by `parts["valid"]`; go on from `state` where there is one.

    Parameters
    ----------
    parts : dict of Clips
    shape_model : ShapeModel
        With `settings.components` components.
    settings : Recipe
    seed : int
    noise : NoiseBank, optional
        For networks that train with it.
    voices : Clips, optional
        Of which no face is known: `settings.voice_stretches` of them stand beside the corpus's in each step.
    model : str
        Name for messages.
    device : torch.device or str
    state : path, optional
        File of the rolling state.
    board : path, optional
        Folder of the TensorBoard log.

    Returns
    -------
    Run
        `best` holds the weights with the smallest validation loss, or the last ones, see `Recipe.keep`.
    """
    device = torch.device(device)
    torch.manual_seed(seed)
    network = build_network(settings.network, shape_model, settings.arguments)
    if network.wants_noise and noise is None:
        raise TalkfaceError(NO_NOISE.format(model=model))
    if settings.init:
        load_initial(network, settings.init)
    train = Batches(parts["train"], network, device, noise=noise, empty_clip=settings.empty_clip)
    valid = Batches(parts["valid"], network, device, noise=noise)
    more = None if voices is None else Batches(voices, network, device, noise=noise)
    per_epoch = steps_per_epoch(train.lengths, settings)
    steps = max(settings.max_epochs * per_epoch, settings.min_steps)
    steps = min(steps, settings.max_steps or steps)
    run = Run(network, settings, steps=steps, device=device)
    if state is not None:
        for leftover in state.parent.glob(f".{state.stem}.*"):  # of a run that was killed while it saved
            leftover.unlink()
    if state is not None and state.exists():
        run.unpack(checkpoint.read_file(state))
        log.info("%s: continues at step %d of %d from %s", model, run.step, steps, state)
    writer = None
    if board is not None:
        from torch.utils.tensorboard import SummaryWriter  # a second's import

        writer = SummaryWriter(str(board), purge_step=run.step)
    started = saved = time.monotonic()
    earlier_s = run.seconds
    with tqdm(total=steps, initial=run.step, desc=model, unit="step", mininterval=2.0, file=sys.stderr) as bar:
        drawn = {"seed": seed, "first_step": run.step, "last_step": steps}
        cut = batches(train, settings, **drawn)
        if more is not None:
            beside = dataclasses.replace(settings, stretches=settings.voice_stretches, last_batch="wrap")
            cut = joined(cut, batches(more, beside, **drawn))
        for step, batch in cut:
            if stops_early(run, per_epoch):
                break
            torch.manual_seed(_step_seed(seed, step))
            loss = run.advance(batch)
            bar.update()
            run.seconds = earlier_s + time.monotonic() - started
            if step % LOG_EVERY == 0:
                _check(float(loss), model, run.step)
                if writer:
                    writer.add_scalar("loss/train_step", float(loss), run.step)
            if run.step % per_epoch == 0 or run.step == steps:
                row = {
                    "step": run.step,
                    "epoch": math.ceil(run.step / per_epoch),
                    "train_loss": run.take_mean_loss(),
                    "valid_loss": validate(run.averaged, valid),
                    "seconds": run.seconds,
                }
                _check(row["train_loss"] + row["valid_loss"], model, run.step)
                run.judge(row["valid_loss"])
                run.curve.append(row)
                bar.set_postfix(train=row["train_loss"], valid=row["valid_loss"], best=run.best_loss, refresh=False)
                if writer:
                    for split in ("train", "valid"):
                        writer.add_scalar(f"loss/{split}", row[f"{split}_loss"], run.step)
            if state is not None and (time.monotonic() - saved > SAVE_EVERY_S or run.step == steps):
                checkpoint.save_file(state, run.pack())
                saved = time.monotonic()
    if writer:
        writer.close()
    log.info(
        "%s: %d steps in %.1f s; kept: step %d, validation loss %.5f",
        model,
        run.step,
        run.seconds,
        run.best_step,
        run.best_loss,
    )
    return run


def stops_early(run: Run, per_epoch: int) -> bool:
    """Tell whether the patience is at an end."""
    patience = run.settings.patience_epochs
    return bool(patience) and run.step - run.best_step >= patience * per_epoch


def _step_seed(seed: int, step: int) -> int:
    """Derive the seed of one step, well mixed so that neighbouring steps and seeds share nothing."""
    return int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0] >> 1)


def _check(loss: float, model: str, step: int) -> None:
    if not math.isfinite(loss):
        raise TalkfaceError(
            f"models.{model}: the loss is {loss} at step {step}; a number was expected; "
            "lower its learning_rate in the config, or look for wrong values in the dataset"
        )
