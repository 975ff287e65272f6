"""Training of any network of `talkface.models` on a dataset file.

The corpus is moved to the device once and batches are cut there (`talkface.corpus`), so that a graphics card never
waits for the host; on it, arithmetic is in half precision. Every step draws from a seed of its own, made of the run's
seed and the step: a run that was killed continues from its rolling state with the numbers it would have had, and on the
CPU ends with the same.
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
import pandas as pd
import torch
import yaml
from torch import Tensor
from tqdm import tqdm

from talkface.corpus import SPLITTERS, Corpus, add_noisy_copies, batches, resplit, steps_per_epoch
from talkface.dataset import is_dataset, read_corpus, read_part, read_shape_model
from talkface.errors import TalkfaceError
from talkface.face.shape_model import ShapeModel
from talkface.files import digest, writing
from talkface.models import checkpoint
from talkface.models.base import BaseNetwork, choice
from talkface.models.devices import choose_device, half_precision, has_bfloat16
from talkface.models.inputs import Batch, Clips, digest_arrays
from talkface.models.registry import build_network, network_class
from talkface.noise.bank import NoiseBank, read_noise

log = logging.getLogger(__name__)

SAVE_EVERY_S = 15.0  # of the rolling state: what a killed run loses at most
LOG_EVERY = 20  # steps; reading a loss makes a graphics card wait, so not each one is read
VALID_FRAMES = 250  # of a stretch in validation: 10 s, so that memory stays bounded on long clips
VALID_STRETCHES = 8
NO_NOISE = "config: models.{model} trains with noise and names no file of it; give `noise: results/noise.h5`"


@dataclasses.dataclass(frozen=True)
class Settings:
    """One entry of the config's catalogue `models`.

    Attributes
    ----------
    network : str
        Module of `talkface.models`.
    arguments : dict
        Keywords of the network.
    components : int
        Shape coefficients.
    stretches, frames : int
        Of a batch: stretches a step and frames a stretch; their product is what a step is supervised on.
    learning_rate, betas, weight_decay
        Of AdamW (Adam where the decay is 0).
    schedule : {"constant", "cosine"}
        Of the learning rate; cosine rises over the first 5 % of the steps and falls to zero at the last.
    average : float
        Decay a step of the running mean of the weights that is validated and kept; 0 keeps the weights themselves.
    max_epochs, min_steps, max_steps : int
        Training lasts `max_epochs`, but at least `min_steps` (epochs of a small corpus are short), and at most
        `max_steps` unless that is 0.
    patience_epochs : int
        Epochs without a better validation loss after which training stops; 0 never stops early.
    split : {"sheet", "window", "clip", "speaker"}
        Which frames judge a training, see `corpus.resplit`.
    published : bool
        Whether what the network's class calls published stands above all other keys.
    init : str, optional
        File of weights to start from.
    weights : str, optional
        File of weights that are imported instead of trained, see `talkface.importing`.
    shape_model : dict
        Files mean, components, template, boosts (.npy) that belong to weights or a training file from elsewhere.
    dataset : str, optional
        Training file to use instead of the corpus's: in the layout of Eskimez et al. 2018 or 2020, or ours.
    noise : str, optional
        HDF5 file of noise, for networks that train with it and for noisy copies.
    noisy_copies : int
        So many copies of each clip with noise are learned from beside it (and judged by), whatever the network.
    noise_snr_db : (lowest, highest)
        dB; their signal-to-noise ratio.
    seed : int, optional
        Instead of the run's.
    """

    network: str
    arguments: dict = dataclasses.field(default_factory=dict)
    components: int = 6
    stretches: int = 8
    frames: int = 16
    learning_rate: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    schedule: str = "constant"
    average: float = 0.0
    max_epochs: int = 100
    min_steps: int = 0
    max_steps: int = 0
    patience_epochs: int = 20
    split: str = "sheet"
    published: bool = False
    init: str | None = None
    weights: str | None = None
    shape_model: dict = dataclasses.field(default_factory=dict)
    dataset: str | None = None
    noise: str | None = None
    noisy_copies: int = 0
    noise_snr_db: tuple[float, float] = (-5, 25)
    seed: int | None = None

    @classmethod
    def read(cls, block: dict[str, Any], *, name: str) -> "Settings":
        """Settings from a block of the config; a TalkfaceError names a key that is unknown."""
        known = [field.name for field in dataclasses.fields(cls)]
        for key in block:
            if key not in known:
                raise TalkfaceError(
                    f"config: models.{name} has no key {key!r}; known are {', '.join(known)}; correct the config"
                )
        if block.get("published"):
            published = network_class(block["network"]).PUBLISHED
            arguments = {**block.get("arguments", {}), **published.get("arguments", {})}
            block = {**block, **published, "arguments": arguments}
        choice(f"{name}.split", block.get("split", "sheet"), SPLITTERS)
        return cls(**block)


def learning_rate_factor(step: int, steps: int, schedule: str) -> float:
    """Factor of the learning rate at a step of `steps`; see `Settings.schedule`."""
    if schedule == "constant":
        return 1.0
    rise = min(1.0, (step + 1) / max(1, round(0.05 * steps)))
    return rise * 0.5 * (1 + math.cos(math.pi * step / steps))


@torch.inference_mode()
def validate(network: BaseNetwork, corpus: Corpus) -> float:
    """Loss over all frames of a split. What is drawn for it (noise, published dropout) is the same every time."""
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

    def __init__(self, network: BaseNetwork, settings: Settings, *, steps: int, device: torch.device):
        self.network = network.to(device).train()
        self.averaged = copy.deepcopy(self.network) if settings.average else self.network
        self.settings, self.steps, self.device = settings, steps, device
        kind = torch.optim.AdamW if settings.weight_decay else torch.optim.Adam
        self.optimizer = kind(
            network.parameters(),
            lr=settings.learning_rate,
            betas=tuple(settings.betas),
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
        """One step of the optimiser; its loss, still on the device."""
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
                for mean, new in zip(self.averaged.buffers(), self.network.buffers(), strict=True):
                    mean.copy_(new)
        loss = loss.detach()
        self.loss_sum += loss
        self.loss_count += 1
        return loss

    def take_mean_loss(self) -> float:
        """Mean training loss since this was last asked."""
        mean = float(self.loss_sum) / max(1, self.loss_count)
        self.loss_sum.zero_()
        self.loss_count = 0
        return mean

    def judge(self, loss: float) -> None:
        """Keep the weights if this validation loss is the best so far."""
        if loss < self.best_loss:
            self.best_loss, self.best_step = loss, self.step
            self.best = copy.deepcopy(self.averaged.state_dict())

    def pack(self) -> dict[str, Any]:
        """All that `unpack` needs, as tensors, numbers and texts."""
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


def fingerprint(settings: Settings, *, data: str, seed: int) -> str:
    """What a rolling state belongs to: hyper-parameters, digest of the data, seed."""
    content = dataclasses.asdict(settings) | {"data": data, "seed": seed}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def train_model(
    dataset: str | Path,
    *,
    weights: str | Path,
    curve: str | Path,
    config: str | Path,
    card: str | Path,
    state: str | Path,
    model: str,
    block: dict[str, Any],
    seed: int,
    threads: int = 1,
    device: str = "auto",
) -> None:
    """Train one entry of the catalogue and write what it learned.

    Parameters
    ----------
    dataset : path
        results/dataset/{corpus}.h5.
    weights, curve, config, card : paths
        Outputs: the best weights (`checkpoint.load_network` reads them), a table of losses by step, the resolved
        settings, and a page that says what the model is.
    state : path
        Folder of the rolling state and of the TensorBoard log; the state is removed when all is written.
    model : str
        Name of the entry.
    block : dict
        The entry, see `Settings`.
    seed : int
    threads : int
        Of the CPU.
    device : str
        "auto", "cpu" or "cuda".

    Raises
    ------
    TalkfaceError
        If the settings are wrong, or a loss is no longer a number.
    """
    torch.set_num_threads(threads)
    settings = Settings.read(block, name=model)
    seed = seed if settings.seed is None else settings.seed
    parts, shape_model, corpus = read_material(settings.dataset or dataset, settings, model=model, seed=seed)
    noise = None
    if settings.noise:
        noise = read_noise(settings.noise, rate=network_class(settings.network).rate)
    if settings.noisy_copies:
        if noise is None:
            raise TalkfaceError(NO_NOISE.format(model=model))
        copying = {"copies": settings.noisy_copies, "snr_db": settings.noise_snr_db, "seed": seed}
        parts = {split: add_noisy_copies(part, noise, **copying) for split, part in parts.items()}
    state = Path(state)
    files = [digest(path) for path in (settings.noise, settings.init) if path]
    identity = fingerprint(settings, data=" ".join([digest_arrays(*parts.values()), *files]), seed=seed)
    run = fit(
        parts,
        shape_model,
        settings,
        noise=noise,
        seed=seed,
        model=model,
        device=choose_device(device),
        state=state / f"{identity[:16]}.pt",
        board=state / "tensorboard" / identity[:16],
    )
    content = checkpoint.pack_network(
        run.network, name=settings.network, arguments=settings.arguments, shape_model=shape_model, weights=run.best
    )
    content["weights"] = {key: value.cpu() for key, value in content["weights"].items()}
    resolved = dataclasses.asdict(settings) | {"seed": seed}
    repeated = 1 + settings.noisy_copies
    facts = {
        "model": model,
        "corpus": corpus,
        "steps": run.step,
        "stopped_early": run.step < run.steps,
        "best_step": run.best_step,
        "valid_loss": run.best_loss,
        "seconds": round(run.seconds, 1),
        "parameters": sum(value.numel() for value in run.network.parameters()),
        "train_clips": len(parts["train"]) // repeated,
        "train_speakers": len(set(parts["train"].speakers)),
        "train_frames": len(parts["train"].shape) // repeated,
        "valid_clips": len(parts["valid"]) // repeated,
        "device": str(run.device),
        "coefficients": run.network.coefficients,
        "variance_share": float(shape_model.variance_ratio.sum()),
    }
    checkpoint.save_file(weights, content | {"config": json.loads(json.dumps(resolved)), "facts": facts})
    with writing(curve) as temporary:
        pd.DataFrame(run.curve).to_csv(temporary, sep="\t", index=False, float_format="%.6g")
    with writing(config) as temporary:
        temporary.write_text(yaml.safe_dump({model: json.loads(json.dumps(resolved))}, sort_keys=False))
    with writing(card) as temporary:
        temporary.write_text(describe(settings, facts, seed=seed))
    (state / f"{identity[:16]}.pt").unlink(missing_ok=True)


def read_material(
    dataset: str | Path, settings: Settings, *, model: str, seed: int
) -> tuple[dict[str, Clips], ShapeModel, str]:
    """What a model learns from: training and validation clips, the shape model, the corpus's name.

    `dataset` may also be a training file of the published systems (`talkface.exchange`), which knows no splits: where
    the settings say no other way, its clips are divided by chance.
    """
    kind = network_class(settings.network)
    if is_dataset(dataset):
        parts = [
            read_part(dataset, split, rate=kind.rate, landmarks=kind.wants_landmarks) for split in ("train", "valid")
        ]
        stored, corpus, how = read_shape_model(dataset), read_corpus(dataset), settings.split
        if settings.components > len(stored):
            raise TalkfaceError(
                f"config: models.{model}.components is {settings.components}, but the dataset's shape model has "
                f"{len(stored)}; raise dataset.components or lower it"
            )
        shape_model = stored.first(settings.components)
    else:
        from talkface.exchange import check_network, read_training_file

        whole, shape_model = read_training_file(dataset, settings.shape_model, components=settings.components)
        hears = {"rate": kind.rate, "hears_frames": kind.hears_frames}
        check_network(whole, network=settings.network, **hears, path=dataset)
        parts, corpus = [whole], Path(dataset).stem
        how = "clip" if settings.split == "sheet" else settings.split
    train, valid = resplit(parts, how, seed=seed)
    return {"train": train, "valid": valid}, shape_model, corpus


def fit(
    parts: dict[str, Clips],
    shape_model: ShapeModel,
    settings: Settings,
    *,
    seed: int,
    noise: NoiseBank | None = None,
    model: str = "model",
    device: torch.device | str = "cpu",
    state: Path | None = None,
    board: Path | None = None,
) -> Run:
    """Train on `parts["train"]`, stop by `parts["valid"]`; go on from `state` where there is one.

    Parameters
    ----------
    parts : dict of Part
    shape_model : ShapeModel
        With `settings.components` components.
    settings : Settings
    seed : int
    noise : NoiseBank, optional
        For networks that train with it.
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
        `best` holds the weights with the smallest validation loss.
    """
    device = torch.device(device)
    torch.manual_seed(seed)
    network = build_network(settings.network, shape_model, settings.arguments)
    if network.wants_noise and noise is None:
        raise TalkfaceError(NO_NOISE.format(model=model))
    if settings.init:
        from talkface.importing import load_initial

        load_initial(network, settings.init)
    train, valid = (Corpus(parts[split], network, device, noise=noise) for split in ("train", "valid"))
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
        for step, batch in batches(train, settings, seed=seed, first_step=run.step, last_step=steps):
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
        "%s: %d steps in %.1f s; best validation loss %.5f at step %d",
        model,
        run.step,
        run.seconds,
        run.best_loss,
        run.best_step,
    )
    return run


def stops_early(run: Run, per_epoch: int) -> bool:
    """Whether the patience is at an end."""
    patience = run.settings.patience_epochs
    return bool(patience) and run.step - run.best_step >= patience * per_epoch


def _step_seed(seed: int, step: int) -> int:
    """Seed of one step, well mixed so that neighbouring steps and seeds share nothing."""
    return int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0] >> 1)


def _check(loss: float, model: str, step: int) -> None:
    if not math.isfinite(loss):
        raise TalkfaceError(
            f"models.{model}: the loss is {loss} at step {step}; a number was expected; "
            "lower its learning_rate in the config, or look for wrong values in the dataset"
        )


def describe(settings: Settings, facts: dict[str, Any], *, seed: int) -> str:
    """The card of a model: what it is, what it learned from, how far it came."""
    ended = "stopped by patience" if facts["stopped_early"] else "ran to its limit"
    share = facts["variance_share"]  # not known of a shape model from elsewhere
    held = f" ({100 * share:.1f} % of the training faces' variance)" if math.isfinite(share) else ""
    given = f"{settings.components} shape coefficients{held}" if facts["coefficients"] else "68 landmarks"
    return f"""# {facts["model"]}

Network `{settings.network}`, {facts["parameters"]:,} parameters: predicts {given} from speech, at
25 frames a second.

- **Data**: corpus `{facts["corpus"]}`, {facts["train_clips"]} training clips ({facts["train_frames"]:,} frames,
  {facts["train_speakers"]} speakers), {facts["valid_clips"]} validation clips; divided by {settings.split}.
- **Training**: {facts["steps"]:,} steps of {settings.stretches * settings.frames} frames in {facts["seconds"]} s on
  {facts["device"]}, seed {seed}; {ended}. The weights are those of step {facts["best_step"]:,}.
- **Validation loss**: {facts["valid_loss"]:.5f} (the network's own loss, in template units; what it means on the
  test clips stands in results/evaluation/).
- **Limits**: it has heard only the speakers above, moves lips and jaw but knows nothing of gaze, head motion or
  emotion, and the landmarks it learned from are measured, not true. Not fit to make anyone appear to say what they did
  not say. Licences of the training videos apply to the weights as well.
"""
