"""The quick convolution gives what the plain one gives."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from talkface import convolution
from talkface.convolution import StridedConvolution, bilinear
from tests.toy_corpus import make_network, noise_for


@pytest.mark.parametrize(("taps", "size"), [(11, 32), (2, 8), (3, 10), (1, 4)])
def test_the_three_matrices_are_a_correlation(taps, size):
    of_taps, of_samples, of_outputs = bilinear(taps, size)
    assert len(of_taps) == len(of_samples) == of_outputs.shape[1] <= 3 * size / 2
    generator = np.random.default_rng(0)
    w, x = generator.standard_normal(taps), generator.standard_normal(size)
    found = of_outputs @ ((of_taps @ w) * (of_samples @ x))
    np.testing.assert_allclose(found, np.correlate(x, w, mode="valid"), atol=1e-12)


@pytest.mark.parametrize("with_onednn", [True, False])
@pytest.mark.parametrize(("kernel", "samples"), [(21, 21), (21, 64), (21, 65), (21, 1_000), (5, 77)])
def test_it_equals_the_plain_convolution(monkeypatch, kernel, samples, with_onednn):
    if not with_onednn:
        monkeypatch.setattr(convolution, "_LINEAR", None)
    torch.manual_seed(0)
    layer = nn.Conv1d(6, 10, kernel, stride=2)
    quick = StridedConvolution(layer, slope=0.3)
    with torch.inference_mode():
        for _ in range(2):  # what was held from the first call does no harm
            x = torch.randn(3, 6, samples)
            expected = functional.leaky_relu(layer(x), 0.3)
            torch.testing.assert_close(quick(x.mT).mT, expected, atol=1e-5, rtol=0)
            shorter = quick(x.mT[:1, : samples - 2 if samples > kernel else None]).mT
            torch.testing.assert_close(shorter, expected[:1, :, : shorter.shape[2]], atol=1e-5, rtol=0)


def test_weights_that_changed_are_seen():
    network = make_network("cnn")
    sound = noise_for(network, 5)
    with torch.no_grad():
        network(sound)
        prepared = network.prepare()
        assert network.prepare() is prepared
        for value in network.parameters():
            value.mul_(1.5)
        quick, _ = network(sound)
    assert network.prepare() is not prepared
    plain, _ = network(sound)  # with gradients the plain layers run
    assert plain.requires_grad
    torch.testing.assert_close(quick, plain.detach(), atol=1e-5, rtol=1e-5)
    network.load_state_dict(make_network("cnn", temporal_condition=False).state_dict())
    with torch.inference_mode():
        torch.testing.assert_close(network(sound)[0], make_network("cnn")(sound)[0])
