"""The quick convolution and its gradients are those of the plain one."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from talkface.models.layers import strided_convolution
from talkface.models.layers.strided_convolution import StridedConvolution, bilinear


@pytest.mark.parametrize(("taps", "size"), [(11, 32), (2, 8), (3, 10), (1, 4)])
def test_the_three_matrices_are_a_correlation(taps, size):
    of_taps, of_samples, of_outputs = bilinear(taps, size)
    assert len(of_taps) == len(of_samples) == of_outputs.shape[1] <= 3 * size / 2
    generator = np.random.default_rng(0)
    w, x = generator.standard_normal(taps), generator.standard_normal(size)
    found = of_outputs @ ((of_taps @ w) * (of_samples @ x))
    np.testing.assert_allclose(found, np.correlate(x, w, mode="valid"), atol=1e-12)


LENGTHS = [(21, 21), (21, 64), (21, 65), (21, 1_000), (5, 77)]


@pytest.fixture(params=[True, False], ids=["onednn", "blas"])
def library(request, monkeypatch):
    """With and without oneDNN."""
    if not request.param:
        monkeypatch.setattr(strided_convolution, "_LINEAR", None)


@pytest.mark.parametrize(("kernel", "samples"), LENGTHS)
def test_it_equals_the_plain_convolution(library, kernel, samples):
    torch.manual_seed(0)
    layer, quick = nn.Conv1d(6, 10, kernel, stride=2), StridedConvolution()
    with torch.inference_mode():
        for _ in range(2):  # what was held from the first call does no harm
            x = torch.randn(3, 6, samples)
            torch.testing.assert_close(quick(x.mT, layer).mT, layer(x), atol=1e-5, rtol=0)
            shorter = x[:1, :, : samples - 2 if samples > kernel else None]
            torch.testing.assert_close(quick(shorter.mT, layer).mT, layer(shorter), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("kernel", "samples"), LENGTHS)
def test_its_gradients_are_the_plain_ones(library, kernel, samples):
    torch.manual_seed(0)
    layer, quick = nn.Conv1d(6, 10, kernel, stride=2), StridedConvolution()
    x = torch.randn(3, 6, samples, requires_grad=True)
    wanted = (x, layer.weight, layer.bias)
    direction = torch.randn_like(layer(x))
    for _ in range(2):
        plain = torch.autograd.grad((layer(x) * direction).sum(), wanted)
        ours = torch.autograd.grad((quick(x.mT, layer).mT * direction).sum(), wanted)
        for a, b in zip(ours, plain, strict=True):
            torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


def test_two_passes_before_a_gradient_do_not_mix():
    torch.manual_seed(0)
    layer, quick = nn.Conv1d(6, 10, 21, stride=2), StridedConvolution()
    first, second = torch.randn(2, 3, 200, 6)
    one = quick(first, layer)
    other = quick(second, layer)
    with torch.inference_mode():
        quick(second, layer)
    (gradient,) = torch.autograd.grad(one.square().sum() + other.square().sum(), layer.weight)
    plain = layer(first.mT).square().sum() + layer(second.mT).square().sum()
    torch.testing.assert_close(gradient, torch.autograd.grad(plain, layer.weight)[0], atol=1e-3, rtol=1e-4)


def test_weights_that_changed_are_seen():
    layer, quick = nn.Conv1d(6, 10, 21, stride=2), StridedConvolution()
    x = torch.randn(1, 100, 6)
    with torch.no_grad():
        for _ in range(2):
            torch.testing.assert_close(quick(x, layer), layer(x.mT).mT, atol=1e-5, rtol=0)
            layer.weight.mul_(2)
        kept = quick(x, layer)
        layer.load_state_dict(nn.Conv1d(6, 10, 21, stride=2).state_dict())
        assert not torch.equal(quick(x, layer), kept)
        torch.testing.assert_close(copy.deepcopy(quick)(x, layer), layer(x.mT).mT, atol=1e-5, rtol=0)
