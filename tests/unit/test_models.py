import numpy as np
import pytest
import torch

from talkface.errors import TalkfaceError
from talkface.models import Batch, build_network, network_class, network_names
from talkface.shape_model import fit_shape_model
from tests.toy_corpus import shapes

NETWORKS = network_names()


@pytest.fixture(scope="module")
def shape_model():
    generator = np.random.default_rng(0)
    faces = shapes(generator.uniform(size=200)) + 0.01 * generator.standard_normal((200, 68, 2))
    return fit_shape_model(faces, components=6)


def make(name, shape_model, **arguments):
    torch.manual_seed(0)
    return build_network(name, shape_model, arguments).eval()


def sound(network, frames, *, stretches=2):
    generator = torch.Generator().manual_seed(1)
    samples = network.before + (frames - 1) * network.hop + network.after
    return torch.randn(stretches, samples, generator=generator) * 0.3


@pytest.mark.parametrize("name", NETWORKS)
def test_as_many_frames_as_the_sound_is_for(name, shape_model):
    network = make(name, shape_model)
    for frames in (1, 2, 17):
        coefficients, _ = network(sound(network, frames))
        assert coefficients.shape == (2, frames, 6)
    assert network.decode(coefficients).shape == (2, 17, 68, 2)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_frame_sees_the_sound_it_says_and_no_later(name, shape_model):
    network = make(name, shape_model)
    audio = sound(network, 12, stretches=1).requires_grad_()
    coefficients, _ = network(audio)
    gradient = torch.autograd.grad(coefficients[0, 5].sum(), audio)[0][0]
    heard = torch.nonzero(gradient)[:, 0]
    end = network.before + 5 * network.hop + network.after
    slack = 16 if name == "cnn" else 2 * 160  # whole strides; whole steps of 10 ms
    assert end - slack <= heard.max() < end
    if name == "cnn":  # no memory: nothing earlier either
        assert 5 * network.hop <= heard.min() < 5 * network.hop + 16


@pytest.mark.parametrize("name", NETWORKS)
def test_speech_may_be_cut_anywhere(name, shape_model):
    network = make(name, shape_model)
    audio = sound(network, 40)
    with torch.inference_mode():
        whole, _ = network(audio)
        pieces, state, first = [], None, 0
        for count in (1, 13, 2, 24):
            samples = slice(first * network.hop, network.before + (first + count - 1) * network.hop + network.after)
            piece, state = network(audio[:, samples], state)
            pieces.append(piece)
            first += count
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", NETWORKS)
def test_encode_and_decode_are_the_shape_models(name, shape_model):
    network = make(name, shape_model)
    faces = torch.from_numpy(shapes([0.1, 0.7, 0.3]))[None]
    np.testing.assert_allclose(network.encode(faces)[0].numpy(), shape_model.encode(faces[0].numpy()), atol=1e-6)
    np.testing.assert_allclose(
        network.decode(network.encode(faces))[0].numpy(), shape_model.decode(shape_model.encode(faces[0])), atol=1e-6
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_half_precision_rounds_the_network_and_not_the_truth(name, shape_model):
    """As on a graphics card, here on the CPU."""
    network = make(name, shape_model)
    faces = torch.from_numpy(shapes(np.linspace(0, 1, 8))).unflatten(0, (2, 4))
    batch = Batch(sound(network, 4), faces, torch.ones(2, 4, dtype=torch.bool))
    exact, loss = network.encode(faces), network.loss(batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(network.encode(faces), exact)
        half = network.loss(batch)
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(loss.item(), rel=0.05)


@pytest.mark.parametrize("name", NETWORKS)
def test_frames_that_are_not_known_do_not_count(name, shape_model):
    network = make(name, shape_model)
    audio = sound(network, 8)
    faces = torch.from_numpy(shapes(np.linspace(0, 1, 16))).unflatten(0, (2, 8))
    known = torch.ones(2, 8, dtype=torch.bool)
    known[1, 5:] = False
    loss = network.loss(Batch(audio, faces, known))
    spoilt = faces.clone()
    spoilt[1, 5:] = 1e3
    assert network.loss(Batch(audio, spoilt, known)) == loss
    assert network.loss(Batch(audio, spoilt, torch.ones_like(known))) > 10 * loss


@pytest.mark.parametrize("name", NETWORKS)
def test_training_draws_and_judging_does_not(name, shape_model):
    network = make(name, shape_model)
    faces = torch.from_numpy(shapes(np.linspace(0, 1, 16))).unflatten(0, (2, 8))
    batch = Batch(sound(network, 8), faces, torch.ones(2, 8, dtype=torch.bool))
    assert network.loss(batch) == network.loss(batch)
    network.train()
    torch.manual_seed(1)
    first, second = network.loss(batch), network.loss(batch)
    assert first != second
    torch.manual_seed(1)
    assert network.loss(batch) == first
    first.backward()
    assert all(value.grad is not None and value.grad.isfinite().all() for value in network.parameters())


@pytest.mark.parametrize("name", NETWORKS)
def test_unknown_arguments_are_named(name, shape_model):
    with pytest.raises(TalkfaceError, match=f"network '{name}' has no argument 'dropuot'; known are .*dropout"):
        build_network(name, shape_model, {"dropuot": 0.1})


def test_unknown_networks_are_named():
    with pytest.raises(TalkfaceError, match="unknown network 'rnn'; known are cnn, talkface"):
        network_class("rnn")


# The published network --------------------------------------------------------------------------------------------


def test_cnn_is_the_published_network(shape_model):
    network = make("cnn", shape_model)
    state = network.state_dict()
    assert sum(value.numel() for value in state.values()) == 3_989_766
    assert {key.split(".")[0] for key in state} == {"conv1", "conv2", "conv3", "conv4", "fc1"}
    assert state["fc1.weight"].shape == (6, 62_464)
    # Xavier-uniform: the bound is sqrt(6 / (fan in + fan out)).
    bound = np.sqrt(6 / (21 * 64 + 21 * 128))
    assert bound * 0.99 < state["conv2.weight"].abs().max() <= bound


def test_cnn_over_a_stretch_equals_its_windows_one_by_one(shape_model):
    network = make("cnn", shape_model)
    audio = sound(network, 9)
    with torch.inference_mode():
        whole, _ = network(audio)
        for frame in range(9):
            window = audio[:, frame * 320 : frame * 320 + 2_240]
            x = window[:, None]
            for layer in (network.conv1, network.conv2, network.conv3, network.conv4):
                x = torch.nn.functional.leaky_relu(layer(x), 0.3)
            assert x.shape == (2, 512, 122)
            single = torch.nn.functional.leaky_relu(network.fc1(x.flatten(1)), 0.3)
            torch.testing.assert_close(whole[:, frame], single, atol=1e-5, rtol=0)


def test_cnn_gain_is_drawn_from_the_published_steps(shape_model):
    network = make("cnn", shape_model)
    np.testing.assert_allclose(20 * np.log10(network.gains), [-12, -9, -6, -3, 0, 3, 6], atol=1e-5)


def test_cnn_drops_the_same_places_for_windows_that_overlap(shape_model):
    network = make("cnn", shape_model).train()
    seen = []
    network.fc1.register_forward_hook(lambda module, given, result: seen.append(given[0]))
    network(sound(network, 3, stretches=1))
    first, second = seen[0][0, :2].unflatten(1, (512, 122))
    torch.testing.assert_close(first[:, 20:], second[:, :-20])
    assert 0.15 < (first == 0).float().mean() < 0.25


# Our own ----------------------------------------------------------------------------------------------------------


def test_talkface_is_small(shape_model):
    network = make("talkface", shape_model)
    assert sum(value.numel() for value in network.parameters()) < 500_000


def test_talkface_looks_ahead_as_far_as_it_is_told(shape_model):
    reach = {ahead: make("talkface", shape_model, lookahead_frames=ahead).after for ahead in (0, 3)}
    assert reach[3] - reach[0] == 3 * 640


def test_talkface_hears_as_far_back_as_the_beginning(shape_model):
    network = make("talkface", shape_model)
    audio = sound(network, 30, stretches=1)
    other = audio.clone()
    other[:, : network.hop] = 0
    assert not torch.equal(network(audio)[0][:, 8], network(other)[0][:, 8])


def test_talkface_learns_a_resting_face_from_silence(shape_model):
    network = make("talkface", shape_model, silence_share=1.0)
    changed = torch.tensor([[True], [False]])
    audio, face = network.augment_sound(sound(network, 4), torch.zeros(2, 4, 68, 2), changed)
    torch.testing.assert_close(face, network.rest.expand(2, 4, 68, 2))
    assert 0 < audio[0].abs().max() < 0.2
    assert (audio[1] == 0).all()


def test_talkface_changes_the_chosen_stretches_alone(shape_model):
    network = make("talkface", shape_model, silence_share=0.0, gain_db=(-10, -5), noise_db=(80, 80), mask=(1, 8, 6))
    audio = sound(network, 4, stretches=200)
    changed = torch.arange(200)[:, None] % 2 == 0
    torch.manual_seed(0)
    louder, _ = network.augment_sound(audio, torch.zeros(200, 4, 68, 2), changed)
    assert torch.equal(louder[1::2], audio[1::2])
    gain = 20 * torch.log10(louder[::2].std(dim=1) / audio[::2].std(dim=1))
    assert -10.1 < gain.min() < -9.5
    assert -5.5 < gain.max() < -4.9
    tract = network.draw_tract(changed)
    assert tract[1::2].unique().tolist() == [4]
    assert tract[::2].unique().tolist() == list(range(9))
    spectrum = torch.arange(32.0).expand(200, 30, 32).clone()
    hidden = network.hide(spectrum, changed) == network.CENTRE
    assert not hidden[1::2].any()
    assert hidden.all(dim=1).sum(dim=1).max() == 8
    assert hidden.all(dim=2).sum(dim=1).max() == 6
