"""Every entry of the shipped catalogue, built and trained for a moment."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from talkface.config import add_published, resolve_models
from talkface.models import checkpoint
from talkface.models.registry import build_network, network_class
from talkface.noise.bank import NoiseBank
from talkface.prediction.streaming import predict_samples
from talkface.training.batches import Batches, batches
from talkface.training.dataset import read_part, read_shape_model
from talkface.training.loop import Run
from talkface.training.recipe import Recipe
from tests.toy_corpus import toy_dataset

CPU = torch.device("cpu")
CONFIG = yaml.safe_load((Path(__file__).parents[3] / "config" / "config.yaml").read_text(encoding="utf-8"))
CATALOGUE = resolve_models(add_published(CONFIG["models"]))
# Weights that training moves. 2018: three layers of 250 and one of 136, 4 (inputs + units + 1) units each, on 128 (or
# with the level kept 192) numbers a frame, and as many for each frame of context. 2020: as its authors' code has.
PARAMETERS = {
    "cnn": 3_989_766,
    "cnn_nr": 3_989_766,
    "cnn_tc": 3_989_766 + 78,
    "cnn_tc_nr": 3_989_766 + 78,
    "lstm_d40_c3_published": 1_975_528,
    "lstm_d40_c5_published": 1_975_528 + 2 * 128 * 4 * 250,
    "lstm_d40_c3": 1_975_528 + 4 * 64 * 4 * 250,
    "fft_cnn_published": 276_104,
    "fft_cnn": 276_104 + 3 * (136 * 136 * 2 + 2 * 136),
}


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return toy_dataset(tmp_path_factory.mktemp("catalogue") / "toy.h5", train=4, valid=1, test=1, components=16)


def prepare(name, toy, **arguments):
    """Settings of an entry, its network with fresh weights, and the toy's training clips for it."""
    settings = Recipe.read(CATALOGUE[name], name=name)
    shape_model = read_shape_model(toy).first(settings.components)
    torch.manual_seed(0)
    network = build_network(settings.network, shape_model, settings.arguments | arguments)
    part = read_part(toy, "train", rate=network.rate, landmarks=network.wants_landmarks)
    noise = NoiseBank([np.random.default_rng(0).standard_normal(8_000)]) if network.wants_noise else None
    return settings, network, Batches(part, network, CPU, noise=noise)


def without_chance(name):
    """Arguments that leave nothing to chance in training."""
    quiet = {"dropout": 0.0, "recurrent_dropout": 0.0, "gain_db": [0, 0, 1], "augmented_share": 0.0}
    quiet |= {"silence_share": 0.0, "noise_share": 0.0}
    return {key: value for key, value in quiet.items() if key in CATALOGUE[name]["arguments"]}


def learn(settings, network, batch, steps, *, until, **changed):
    """Take steps on one batch, until its loss is such a share of the first; the losses."""
    run = Run(network, Recipe(network=settings.network, **changed), steps=steps, device=CPU)
    losses = []
    for step in range(steps):
        torch.manual_seed(step)
        losses.append(float(run.advance(batch)))
        if losses[-1] < until * losses[0]:
            break
    return losses


@pytest.mark.parametrize("name", PARAMETERS)
def test_as_many_parameters_as_published(name, toy):
    _, network, _ = prepare(name, toy)
    assert sum(value.numel() for value in network.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", CATALOGUE)
def test_faces_frame_by_frame_and_finite_gradients(name, toy):
    settings, network, corpus = prepare(name, toy)
    network.eval()
    sound = torch.randn(2, network.before + 8 * network.hop + network.after) * 0.1
    with torch.inference_mode():
        outputs, _ = network(sound)
    assert outputs.shape == (2, 9, settings.components if network.coefficients else 136)
    assert network.decode(outputs).shape == (2, 9, 68, 2)
    clip, start = torch.arange(2), torch.zeros(2, dtype=torch.int64)
    network.train()
    network.loss(corpus.cut(clip, start, 12, torch.rand(2, 2))).backward()
    for key, value in network.named_parameters():
        assert value.grad is not None, key
        assert value.grad.isfinite().all(), key


@pytest.mark.parametrize("name", CATALOGUE)
def test_eight_windows_are_learnt_by_heart(name, toy):
    settings, network, corpus = prepare(name, toy, **without_chance(name))
    # Single windows for those of 2020, which hear 8 kHz; a recurrent network needs a stretch to tell them apart.
    frames, steps = (1, 30) if network.rate == 8_000 else (8, 60)
    batch = corpus.cut(torch.arange(8) % 4, torch.arange(8) * 5, frames, torch.rand(8, 2))
    losses = learn(settings, network.train(), batch, steps, until=0.5, learning_rate=settings.learning_rate)
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("name", CATALOGUE)
def test_saved_and_loaded_it_predicts_the_same_and_equal_seeds_learn_alike(name, toy, tmp_path):
    weights = []
    for _ in range(2):
        settings, network, corpus = prepare(name, toy)
        small = dataclasses.replace(settings, stretches=2, frames=6)
        run = Run(network, small, steps=2, device=CPU)
        for step, batch in batches(corpus, small, seed=1, first_step=0, last_step=2):
            torch.manual_seed(step)
            run.advance(batch)
        weights.append(network.state_dict())
    for key in weights[0]:
        assert torch.equal(weights[0][key], weights[1][key]), key
    shape_model = read_shape_model(toy).first(settings.components)
    content = checkpoint.pack_network(
        network, name=settings.network, arguments=settings.arguments, shape_model=shape_model
    )
    checkpoint.save_file(tmp_path / "weights.pt", content)
    loaded = checkpoint.load_network(tmp_path / "weights.pt")
    samples = read_part(toy, "test", rate=network.rate).audio_of(0)[: network.rate]
    expected = predict_samples(network.eval(), samples, seed=3)
    np.testing.assert_allclose(predict_samples(loaded, samples, seed=3), expected, atol=1e-6)
    assert expected.shape == (26, 68, 2)


@pytest.mark.parametrize("twin", [name for name in CATALOGUE if name.endswith("_published")])
def test_twins_differ_in_what_was_published_alone(twin):
    repaired, published = (Recipe.read(CATALOGUE[name], name=name) for name in (twin.removesuffix("_published"), twin))
    declared = network_class(repaired.network).PUBLISHED
    expected = {**declared, "arguments": repaired.arguments | declared["arguments"], "published": True}
    assert dataclasses.replace(repaired, **expected) == published
