"""Training of a model of the catalogue on a dataset file: weights, curve of losses, resolved config and card.

The corpus is moved to the device once and batches are cut there (`batches`), so that a graphics card never waits for
the host; on it, arithmetic is in half precision.
"""

import dataclasses
import json
import logging
import math
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import yaml

from talkface import __version__
from talkface.errors import TalkfaceError
from talkface.face.shape_model import ShapeModel
from talkface.files import digest, writing
from talkface.media.phone_names import UNKNOWN
from talkface.models import checkpoint
from talkface.models.devices import choose_device
from talkface.models.inputs import Clips, digest_arrays
from talkface.models.registry import network_class
from talkface.noise.bank import read_noise
from talkface.training import model_folder
from talkface.training.batches import add_noisy_copies, resplit
from talkface.training.dataset import is_dataset, read_corpus, read_detector, read_part, read_shape_model
from talkface.training.exchange import check_network, read_training_file
from talkface.training.importing import initial_shape_model
from talkface.training.loop import NO_NOISE, fingerprint, fit
from talkface.training.phone_lips import lend_faces
from talkface.training.recipe import Recipe
from talkface.training.voices import read_voices

log = logging.getLogger(__name__)


def train_model(
    dataset: str | Path,
    *,
    folder: str | Path,
    model: str,
    block: dict[str, Any],
    seed: int,
    origin: dict[str, Any] | None = None,
    threads: int = 1,
    device: str = "auto",
) -> None:
    """Train one entry of the catalogue and write what it learned.

    Parameters
    ----------
    dataset : path
        results/dataset/{corpus}.h5.
    folder : path
        Output: weights.pt, the best weights (`checkpoint.load_network` reads them); curve.tsv, a table of losses by
        step; config.yaml, the resolved settings and what they were made from; card.md, a page that says what the
        model is. They appear when the training has ended, and those that were there are kept (`model_folder`). In
        its folder state the rolling state, which is removed in the end, and the TensorBoard log.
    model : str
        Name of the entry.
    block : dict
        The entry, see `Recipe`.
    seed : int
    origin : dict, optional
        See `model_folder.describe_origin`.
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
    settings = Recipe.read(block, name=model)
    seed = seed if settings.seed is None else settings.seed
    parts, shape_model, corpus = read_material(settings.dataset or dataset, settings, model=model, seed=seed)
    if settings.init and not hasattr(network_class(settings.network), "rebase"):
        shape_model = initial_shape_model(settings.init) or shape_model
    noise = None
    if settings.noise:
        noise = read_noise(settings.noise, rate=network_class(settings.network).rate)
    if settings.noisy_copies:
        if noise is None:
            raise TalkfaceError(NO_NOISE.format(model=model))
        parts = {
            split: add_noisy_copies(part, noise, copies=settings.noisy_copies, snr_db=settings.noise_snr_db, seed=seed)
            for split, part in parts.items()
        }
    voices = None
    if settings.voices:
        voices = read_voices(settings.voices, rate=network_class(settings.network).rate)
        voices = lend_faces(voices, parts["train"]) if settings.voice_faces else voices
    if settings.arguments.get("phone_weight") and not knows_phones(*parts.values(), *filter(None, [voices])):
        log.info("%s: no phone is known of any clip or voice, so none is learnt", model)
        settings = dataclasses.replace(settings, arguments=settings.arguments | {"phone_weight": 0.0})
    state = Path(folder) / model_folder.STATE
    files = [digest(path) for path in (settings.noise, settings.init, settings.voices) if path]
    identity = fingerprint(settings, data=" ".join([digest_arrays(*parts.values()), *files]), seed=seed)
    run = fit(
        parts,
        shape_model,
        settings,
        noise=noise,
        voices=voices,
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
        "detector": read_detector(dataset),
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
        "voices": 0 if voices is None else len(voices),
        "device": str(run.device),
        "version": __version__,
        "coefficients": run.network.coefficients,
        "variance_share": float(shape_model.variance_ratio.sum()),
    }
    resolved = json.loads(json.dumps(resolved))
    new = state / "new"
    checkpoint.save_file(new / model_folder.WEIGHTS, content | {"config": resolved, "facts": facts})
    with writing(new / model_folder.CURVE) as temporary:
        pd.DataFrame(run.curve).to_csv(temporary, sep="\t", index=False, float_format="%.6g")
    with writing(new / model_folder.CONFIG) as temporary:
        described = {"corpus": corpus, "models": {model: resolved}, "origin": json.loads(json.dumps(origin))}
        temporary.write_text(yaml.safe_dump(described, sort_keys=False), encoding="utf-8")
    with writing(new / model_folder.CARD) as temporary:
        temporary.write_text(describe(settings, facts, seed=seed), encoding="utf-8")
    model_folder.place_model(new, folder)
    (state / f"{identity[:16]}.pt").unlink(missing_ok=True)


def read_material(
    dataset: str | Path, settings: Recipe, *, model: str, seed: int
) -> tuple[dict[str, Clips], ShapeModel, str]:
    """Read the training and validation clips of a model, its shape model, and the corpus's name.

    `dataset` may also be a training file of the published systems (`training.exchange`), which knows no splits: where
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
        whole, shape_model = read_training_file(dataset, settings.shape_model, components=settings.components)
        check_network(whole, network=settings.network, rate=kind.rate, hears_frames=kind.hears_frames, path=dataset)
        parts, corpus = [whole], Path(dataset).stem
        how = "clip" if settings.split == "sheet" else settings.split
    if not kind.coefficients:  # landmarks in the picture's plane
        parts = [dataclasses.replace(part, shape=part.shape[..., :2]) for part in parts]
        shape_model = shape_model.plane()
    train, valid = resplit(parts, how, seed=seed)
    return {"train": train, "valid": valid}, shape_model, corpus


def knows_phones(*parts: Clips) -> bool:
    """Tell whether the phone of any frame is known."""
    return any(part.phone is not None and (part.phone != UNKNOWN).any() for part in parts)


def describe(settings: Recipe, facts: dict[str, Any], *, seed: int) -> str:
    """Return the card of a model: what it is, what it was trained on, how far training came."""
    ended = "stopped by patience" if facts["stopped_early"] else "ran to its limit"
    share = facts["variance_share"]  # not known of a shape model from elsewhere
    held = f" ({100 * share:.1f} % of the training faces' variance)" if math.isfinite(share) else ""
    divided = "all learnt from" if settings.split == "none" else f"divided by {settings.split}"
    # Landmark models differ by definition and amplitude: figures hold by the same eyes alone.
    seen = f" Faces as `{facts['detector']}` sees them." if facts.get("detector") else ""
    beside = f" Besides {facts['voices']} voices of which no face is known." if facts.get("voices") else ""
    given = f"{settings.components} shape coefficients{held}" if facts["coefficients"] else "68 landmarks"
    return f"""# {facts["model"]}

Network `{settings.network}`, {facts["parameters"]:,} parameters: predicts {given} from speech, at
25 frames a second.

- **Data**: corpus `{facts["corpus"]}`, {facts["train_clips"]} training clips ({facts["train_frames"]:,} frames,
  {facts["train_speakers"]} speakers), {facts["valid_clips"]} validation clips; {divided}.{seen}{beside}
- **Training**: {facts["steps"]:,} steps of {settings.stretches * settings.frames} frames in {facts["seconds"]} s on
  {facts["device"]}, seed {seed}; {ended}. The weights are those of step {facts["best_step"]:,}.
- **Validation loss**: {facts["valid_loss"]:.5f} (the network's own loss, in template units; what it means on the
  test clips stands in results/evaluation/).
- **Limits**: it has heard only the speakers above, moves lips and jaw but knows nothing of gaze, head motion or
  emotion, and the landmarks it learned from are measured, not true. Not fit to make anyone appear to say what they did
  not say. Licences of the training videos apply to the weights as well.
- **Made by**: talkface {facts["version"]}.
"""
