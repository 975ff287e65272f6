import numpy as np
import torch

from tests.toy_corpus import make_network, noise_for


def test_cnn_is_the_published_network():
    network = make_network("cnn")
    state = network.state_dict()
    assert sum(value.numel() for value in state.values()) == 3_989_766
    assert {key.split(".")[0] for key in state} == {"conv1", "conv2", "conv3", "conv4", "fc1"}
    assert state["fc1.weight"].shape == (6, 62_464)
    # Xavier-uniform: the bound is sqrt(6 / (fan in + fan out)).
    bound = np.sqrt(6 / (21 * 64 + 21 * 128))
    assert bound * 0.99 < state["conv2.weight"].abs().max() <= bound


def test_cnn_over_a_stretch_equals_its_windows_one_by_one():
    network = make_network("cnn")
    audio = noise_for(network, 9)
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


def test_cnn_gain_is_drawn_from_the_published_steps():
    network = make_network("cnn")
    np.testing.assert_allclose(20 * np.log10(network.gains), [-12, -9, -6, -3, 0, 3, 6], atol=1e-5)


def test_cnn_drops_the_same_places_for_windows_that_overlap():
    network = make_network("cnn").train()
    seen = []
    network.fc1.register_forward_hook(lambda module, given, result: seen.append(given[0]))
    network(noise_for(network, 3, stretches=1))
    first, second = seen[0][0, :2].unflatten(1, (512, 122))
    torch.testing.assert_close(first[:, 20:], second[:, :-20])
    assert 0.15 < (first == 0).float().mean() < 0.25
