"""What every network of the registry keeps to; what only one does stands in a test file of its own."""

import numpy as np
import pytest
import torch

from talkface.errors import TalkfaceError
from talkface.models.registry import build_network, network_class, network_names
from talkface.training.batches import Batches
from talkface.training.dataset import read_part
from tests.toy_corpus import make_network, noise_for, shapes, toy_dataset, toy_shape_model

NETWORKS = network_names()
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return toy_dataset(tmp_path_factory.mktemp("models") / "toy.h5", train=3, valid=1, test=1)


def batch_of(network, toy, *, frames=12, start=(3, 8)):
    part = read_part(toy, "train", rate=network.rate, landmarks=network.wants_landmarks)
    corpus = Batches(part, network, CPU)
    return corpus.cut(torch.arange(2), torch.tensor(start), frames)


@pytest.mark.parametrize("name", NETWORKS)
def test_as_many_frames_as_the_sound_is_for(name):
    network = make_network(name)
    for frames in (1, 2, 17):
        outputs, _ = network(noise_for(network, frames))
        assert outputs.shape[:2] == (2, frames)
    assert network.decode(outputs).shape == (2, 17, 68, 2)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_frame_sees_the_sound_it_says_and_no_later(name):
    network = make_network(name)
    audio = noise_for(network, 12, stretches=1).requires_grad_()
    outputs, _ = network(audio)
    gradient = torch.autograd.grad(outputs[0, 5].sum(), audio)[0][0]
    heard = torch.nonzero(gradient.abs() > 1e-5 * gradient.abs().max())[:, 0]  # less is rounding
    assert heard.max() < network.before + 5 * network.hop + network.after


@pytest.mark.parametrize("name", NETWORKS)
def test_speech_may_be_cut_anywhere(name):
    network = make_network(name)
    audio = noise_for(network, 40)
    with torch.inference_mode():
        whole, _ = network(audio)
        pieces, state, first = [], None, 0
        for count in (3, 12, 6, 19):
            samples = slice(first * network.hop, network.before + (first + count - 1) * network.hop + network.after)
            piece, state = network(audio[:, samples], state)
            pieces.append(piece)
            first += count
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["cnn", "talkface"])
def test_coefficients_are_the_shape_models(name):
    shape_model = toy_shape_model()
    network = build_network(name, shape_model, {})
    faces = torch.from_numpy(shapes([0.1, 0.7, 0.3]))[None]
    np.testing.assert_allclose(network.encode(faces)[0].numpy(), shape_model.encode(faces[0].numpy()), atol=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_half_precision_rounds_the_network_and_not_the_truth(name, toy):
    """As on a graphics card, here on the CPU."""
    network = make_network(name)
    faces = torch.from_numpy(shapes(np.linspace(0, 1, 8))).unflatten(0, (2, 4))
    batch = batch_of(network, toy)
    exact, loss = network.encode(faces), network.loss(batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(network.encode(faces), exact)
        half = network.loss(batch)
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(loss.item(), rel=0.05)


@pytest.mark.parametrize("name", NETWORKS)
def test_frames_that_are_not_known_do_not_count(name, toy):
    network = make_network(name)
    batch = batch_of(network, toy)
    batch.known[1, 7:] = False
    loss = network.loss(batch)
    spoilt = batch.target.clone()
    spoilt[1, 9:] = 1e3
    assert network.loss(batch._replace(target=spoilt)) == loss
    assert network.loss(batch._replace(target=spoilt, known=torch.ones_like(batch.known))) > 10 * loss


@pytest.mark.parametrize("name", NETWORKS)
def test_training_draws_and_judging_does_not(name, toy):
    network = make_network(name)
    batch = batch_of(network, toy)
    assert network.loss(batch) == network.loss(batch)
    network.train()
    torch.manual_seed(1)
    first = network.loss(batch)
    torch.manual_seed(1)
    assert network.loss(batch) == first
    first.backward()
    assert all(value.grad is not None and value.grad.isfinite().all() for value in network.parameters())


@pytest.mark.parametrize("name", NETWORKS)
def test_published_settings_are_arguments_of_the_network(name):
    published = network_class(name).PUBLISHED
    make_network(name, **published.get("arguments", {}))


@pytest.mark.parametrize("name", NETWORKS)
def test_unknown_arguments_are_named(name):
    with pytest.raises(TalkfaceError, match=f"network '{name}' has no argument 'dropuot'; known are .*level"):
        make_network(name, dropuot=0.1)


def test_unknown_networks_are_named():
    with pytest.raises(TalkfaceError, match=r"unknown network 'rnn'; known are .*cnn.*talkface"):
        network_class("rnn")
