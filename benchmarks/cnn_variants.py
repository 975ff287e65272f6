"""Variants of the network of 2020: generation with the temporal condition, and what noise costs in training."""

import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from published_cnn_variants import PublishedConditionedNetwork, published_conditioned_coefficients
from speech_data import make_dataset

from talkface.conventions import FULL_SCALE
from talkface.models.registry import build_network
from talkface.noise.bank import NoiseBank, add_noise
from talkface.noise.training_formulas import NOISES, make_noise
from talkface.prediction.streaming import predict_samples
from talkface.training.batches import Batches, batches
from talkface.training.dataset import read_part, read_shape_model
from talkface.training.loop import Run
from talkface.training.recipe import Recipe

CPU = torch.device("cpu")
GENERATION_ROUNDS, TRAINING_ROUNDS = 5, 7
SETTINGS = Recipe(network="cnn", components=6, stretches=8, frames=16, betas=(0.5, 0.999))


def run(data: Path | None) -> list[dict]:
    """Measure frames a second and largest difference with the temporal condition, and shares of a training step."""
    with tempfile.TemporaryDirectory() as folder:
        path = make_dataset(Path(folder) / "bench.h5", data)
        return [*_generation(path), *_training(path)]


def _generation(path: Path) -> list[dict]:
    model, part = read_shape_model(path), read_part(path, "test", rate=8_000)
    torch.manual_seed(0)
    theirs = PublishedConditionedNetwork()
    ours = build_network("cnn", model, {"temporal_condition": True, "level": "recorded"}).eval()
    ours.load_state_dict(theirs.state_dict())
    samples, rest = part.audio, ours.rest.numpy()
    scaled = samples.astype(np.float32) / np.float32(FULL_SCALE)
    predict_samples(ours, samples[:8_000])  # the first call prepares the weights
    times, results = [], []
    for _ in range(GENERATION_ROUNDS):
        seconds = []
        for dropping in (True, False):
            theirs.dropping = dropping
            start = time.perf_counter()
            slow = model.decode(published_conditioned_coefficients(theirs, scaled, rest))
            seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
        fast = predict_samples(ours, samples)
        times.append([*seconds, time.perf_counter() - start])
        results.append(np.abs(slow - fast).max())
    times = np.array(times)
    speed = len(fast) / np.median(times, axis=0)
    common = {"case": "cnn_variants", "unit": "frames/s", "ours": speed[2]}
    return [
        common
        | {"work": f"cnn_tc, {len(fast)} frames; window by window, as published", "published": speed[1]}
        | {"ratio": np.median(times[:, 1] / times[:, 2]), "required": ">= 10"},
        common
        | {"work": f"cnn_tc, {len(fast)} frames; the same under a later torch, which drops", "published": speed[0]}
        | {"ratio": np.median(times[:, 0] / times[:, 2])},
        common
        | {"work": "cnn_tc, largest difference", "unit": "outer-eye distances", "ours": max(results)}
        | {"required": "<= 1e-5"},
    ]


class Steps:
    """Training of one variant, step by step."""

    def __init__(self, path: Path, arguments: dict, noise: NoiseBank | None):
        torch.manual_seed(0)
        network = build_network("cnn", read_shape_model(path), arguments)
        corpus = Batches(read_part(path, "train", rate=8_000), network, CPU, noise=noise)
        self.run = Run(network, SETTINGS, steps=10**9, device=CPU)
        self.batches = batches(corpus, SETTINGS, seed=1, first_step=0, last_step=10**9)

    def advance(self) -> None:
        """Cut a batch and learn from it."""
        _, batch = next(self.batches)
        self.run.advance(batch)


def _seconds(function) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _training(path: Path) -> list[dict]:
    bank = NoiseBank([make_noise(name)[::2] for name in NOISES])
    plain, resilient = Steps(path, {}, None), Steps(path, {"noise_resilient": True}, bank)
    draws, ratio = torch.rand(SETTINGS.stretches, 2), torch.full((SETTINGS.stretches, 1), 6.0)
    sound = next(plain.batches)[1].sound

    def mixing():
        add_noise(sound, bank.cut(draws, sound.shape[1]), ratio)

    steps = (plain.advance, resilient.advance, mixing)
    for step in steps:
        step()  # the first allocates
    times = np.array([[_seconds(step) for step in steps] for _ in range(TRAINING_ROUNDS)])
    base, noisy, mixing_s = np.median(times, axis=0)
    common = {"case": "cnn_variants", "unit": "ms"}
    return [
        common
        | {"work": "cnn_nr step beside one of cnn, 128 frames", "published": 1e3 * base, "ours": 1e3 * noisy}
        | {"ratio": np.median(times[:, 1] / times[:, 0]), "required": "<= 2.1"},
        common
        | {"work": "cutting and mixing noise beside a step of cnn", "published": 1e3 * base, "ours": 1e3 * mixing_s}
        | {"ratio": np.median(times[:, 2] / times[:, 0]), "required": "<= 0.05"},
    ]
