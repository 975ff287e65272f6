"""Keras's LSTM: against a plain loop over cells, with gradients and masks."""

import contextlib
from collections import OrderedDict

import numpy as np
import pytest
import torch

from talkface.errors import TalkfaceError
from talkface.models.layers import cuda_graphs, keras_lstm
from talkface.models.layers.keras_lstm import ACTIVATIONS, RECURRENT_ACTIVATIONS, KerasDense, KerasLSTM

B, T, WIDTH, U = 3, 6, 5, 7


def activate(x, name):
    if name == "hard_sigmoid":
        return torch.clamp(0.2 * x + 0.5, 0, 1)
    return {"linear": lambda value: value, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}[name](x)


def plain_loop(layer, x, state=None, masks=(None, None)):
    """A cell after the other, a gate after the other, as Keras documents it."""
    kernel, recurrent_kernel, bias = (value.chunk(4, dim=-1) for value in layer.parameters())
    input_mask, recurrent_mask = ([1] * 4 if mask is None else mask for mask in masks)
    h, c = state or (x.new_zeros(len(x), layer.units), x.new_zeros(len(x), layer.units))
    outputs = []
    for step in range(x.shape[1]):
        i, f, g, o = (
            (x[:, step] * input_mask[gate]) @ kernel[gate]
            + bias[gate]
            + (h * recurrent_mask[gate]) @ recurrent_kernel[gate]
            for gate in range(4)
        )
        i, f, o = (activate(gate, layer.recurrent_activation) for gate in (i, f, o))
        c = f * c + i * activate(g, layer.activation)
        h = o * activate(c, layer.activation)
        outputs.append(h)
    return torch.stack(outputs, dim=1), (h, c)


def make(*, dtype=torch.float32, sizes=(WIDTH, U), **options):
    torch.manual_seed(0)
    layer = KerasLSTM(*sizes, **options).to(dtype)
    with torch.no_grad():
        layer.bias.add_(torch.randn_like(layer.bias))
    return layer


def draw(*shape, dtype=torch.float32, grows=True):
    return torch.randn(*shape, dtype=dtype, requires_grad=grows)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["kernels", "operations"])
@pytest.mark.parametrize("share", [0.0, 0.3])
@pytest.mark.parametrize("gates", RECURRENT_ACTIVATIONS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_outputs_and_gradients_are_those_of_the_plain_loop(activation, gates, share, dtype):
    options = {"activation": activation, "recurrent_activation": gates, "dropout": share, "recurrent_dropout": share}
    layer = make(dtype=dtype, **options)
    x, state = draw(B, T, WIDTH, dtype=dtype), (draw(B, U, dtype=dtype), draw(B, U, dtype=dtype))
    torch.manual_seed(1)
    y, (h, c) = layer(x, state)
    torch.manual_seed(1)
    expected, (expected_h, expected_c) = plain_loop(layer, x, state, layer.draw_masks(B))
    tolerance = {"atol": 1e-5 if dtype == torch.float32 else 1e-12, "rtol": 1e-5}
    for ours, theirs in ((y, expected), (h, expected_h), (c, expected_c)):
        torch.testing.assert_close(ours, theirs, **tolerance)
    weights = [torch.randn_like(value) for value in (y, h, c)]  # so that each result matters
    leaves = [x, *layer.parameters(), *state]
    ours = sum((value * weight).sum() for value, weight in zip((y, h, c), weights, strict=True))
    theirs = sum((v * w).sum() for v, w in zip((expected, expected_h, expected_c), weights, strict=True))
    for own, other in zip(torch.autograd.grad(ours, leaves), torch.autograd.grad(theirs, leaves), strict=True):
        torch.testing.assert_close(own, other, atol=1e-4 if dtype == torch.float32 else 1e-11, rtol=1e-5)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_no_gradients_the_same_outputs(activation):
    layer = make(activation=activation, dropout=0.5, recurrent_dropout=0.5).eval()
    x, state = draw(B, T, WIDTH), (draw(B, U), draw(B, U))
    with_gradients, _ = layer(x, state)
    with torch.inference_mode():
        without, (h, c) = layer(x, state)
    torch.testing.assert_close(without, with_gradients.detach(), atol=1e-6, rtol=0)
    torch.testing.assert_close(h, without[:, -1])
    torch.testing.assert_close(c, plain_loop(layer, x, state)[1][1].detach(), atol=1e-6, rtol=0)


def test_without_onednn_the_same(monkeypatch):
    layer, x = make(dropout=0.2, recurrent_dropout=0.2), draw(B, T, WIDTH)
    torch.manual_seed(1)
    with_it, _ = layer(x)
    monkeypatch.setattr(keras_lstm, "_ONEDNN", False)
    torch.manual_seed(1)
    torch.testing.assert_close(layer(x)[0], with_it, atol=1e-6, rtol=0)


@pytest.mark.parametrize("frozen", ["x", "weights", "kernel"])
def test_gradients_for_a_part_of_the_inputs(frozen):
    layer, x = make(), draw(B, T, WIDTH)
    leaves = {"x": x} | dict(layer.named_parameters())
    for name, leaf in leaves.items():
        leaf.requires_grad_(not (name == frozen or (frozen == "weights" and name != "x")))
    layer(x)[0].square().sum().backward()
    ours = {name: leaf.grad for name, leaf in leaves.items()}
    for leaf in leaves.values():
        leaf.grad = None
    plain_loop(layer, x)[0].square().sum().backward()
    for name, leaf in leaves.items():
        assert (ours[name] is None) == (leaf.grad is None), name
        if leaf.grad is not None:
            torch.testing.assert_close(ours[name], leaf.grad, atol=1e-4, rtol=1e-5)


def test_one_loss_may_run_a_layer_twice():
    layer, x = make(), draw(2, B, T, WIDTH)
    (layer(x[0])[0] * layer(x[1])[0]).sum().backward()
    ours = layer.kernel.grad.clone()
    layer.kernel.grad = None
    (plain_loop(layer, x[0])[0] * plain_loop(layer, x[1])[0]).sum().backward()
    torch.testing.assert_close(ours, layer.kernel.grad, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_state_carries_on_where_a_stretch_ends(dtype):
    layer, x = make(dtype=dtype).eval(), draw(B, 20, WIDTH, dtype=dtype, grows=False)
    with torch.inference_mode():
        whole, last = layer(x)
        pieces, state = [], None
        for piece in x.split([1, 7, 2, 10], dim=1):
            y, state = layer(piece, state)
            pieces.append(y)
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole, atol=1e-6, rtol=0)
    torch.testing.assert_close(state, last, atol=1e-6, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_windows_share_the_products_of_the_rows_they_share(dtype):
    layer, rows = make(dtype=dtype).eval(), draw(12, WIDTH, dtype=dtype, grows=False)
    with torch.no_grad():
        y, _ = layer.recur(layer.input_products(rows), 8, shift=1)  # 8 windows of 5 steps
        assert y.shape == (5, 8, U)
        for window in range(8):
            torch.testing.assert_close(y[:, window], layer(rows[None, window : window + 5])[0][0], atol=1e-6, rtol=0)


def test_masks_are_drawn_for_each_gate_and_hold_over_time():
    layer = make(sizes=(40, 50), dropout=0.2, recurrent_dropout=0.4)
    for mask, width, share in zip(layer.draw_masks(60), (40, 50), (0.2, 0.4), strict=True):
        assert mask.shape == (4, 60, width)
        assert mask.unique().tolist() == pytest.approx([0, 1 / (1 - share)])
        dropped = (mask == 0).float()
        assert dropped.mean() == pytest.approx(share, abs=0.02)
        for gate in range(3):  # gates are independent of each other
            both = (dropped[gate] * dropped[gate + 1]).mean()
            assert both == pytest.approx(share**2, abs=0.03)


def test_masks_hold_over_time():
    layer = KerasLSTM(30, 4, activation="linear", dropout=0.5)
    with torch.no_grad():
        layer.recurrent_kernel.zero_()
    y, _ = layer(torch.ones(2, 8, 30))  # o c, with c' = f c + i g: gates that hold make steps that shrink alike
    steps = y.diff(dim=1)
    shrinking = steps[:, 1:] / steps[:, :-1]
    torch.testing.assert_close(shrinking, shrinking[:, :1].expand_as(shrinking), atol=2e-3, rtol=0)


def test_no_dropout_when_judging():
    layer, x = make(dropout=0.5, recurrent_dropout=0.5), draw(B, T, WIDTH)
    assert not torch.equal(layer(x)[0], layer(x)[0])
    layer.eval()
    assert torch.equal(layer(x)[0], layer(x)[0])


def test_equal_seeds_give_equal_numbers():
    results = []
    for _ in range(2):
        layer = make(dropout=0.3, recurrent_dropout=0.3)
        torch.manual_seed(3)
        layer(torch.linspace(-1, 1, B * T * WIDTH).view(B, T, WIDTH))[0].square().sum().backward()
        results.append([value.grad.clone() for value in layer.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_weights_start_as_keras_draws_them():
    layer = KerasLSTM(300, 40)
    limit = np.sqrt(6 / (300 + 160))
    assert 0.98 * limit < layer.kernel.abs().max() <= limit
    product = layer.recurrent_kernel @ layer.recurrent_kernel.T
    torch.testing.assert_close(product, torch.eye(40), atol=1e-5, rtol=0)
    assert layer.bias.unflatten(0, (4, 40)).mean(dim=1).tolist() == [0, 1, 0, 0]


def test_half_precision_around_it_changes_nothing():
    layer, x = make().eval(), draw(B, T, WIDTH)
    exact = layer(x)[0]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y, (h, c) = layer(x)
        assert torch.equal(y, exact)
        assert {value.dtype for value in (y, h, c)} == {torch.float32}
        y.sum().backward()
    assert layer.kernel.grad.dtype == torch.float32


def test_what_is_no_number_stays_none():
    layer, x = make(dropout=0.2), draw(B, T, WIDTH, grows=False)
    x[0, 2, 1] = torch.nan
    y, _ = layer(x)
    assert y[0, 2:].isnan().all()
    assert y[1:].isfinite().all()
    y.sum().backward()
    assert layer.kernel.grad.isnan().any()


def test_large_values_end_at_the_limits():
    layer = make().eval()
    y, _ = layer(1e4 * draw(B, T, WIDTH, grows=False))
    assert y.isfinite().all()
    assert 0 <= y.min() <= y.max() <= 1


@pytest.mark.parametrize("activation", keras_lstm.DENSE_ACTIVATIONS)
def test_dense_layers(activation):
    layer, x = KerasDense(4, 3, activation=activation), draw(2, 5, 4)
    z = x @ layer.kernel + layer.bias
    expected = torch.softmax(z, dim=-1) if activation == "softmax" else activate(z, activation)
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activation": "swish"}, "unknown activation 'swish'; expected one of linear, sigmoid"),
        ({"recurrent_activation": "tanh"}, "unknown recurrent_activation 'tanh'; expected one of sigmoid, hard_sigm"),
        ({"dropout": 1.0}, "dropout is 1.0; a share from 0 to below 1"),
        ({"recurrent_dropout": -0.1}, "recurrent_dropout is -0.1; a share from 0 to below 1"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(TalkfaceError, match=message):
        KerasLSTM(3, 4, **options)


# On a graphics card -----------------------------------------------------------------------------------------------


class Played:
    """A recording without a card: played again, the function overwrites its own results."""

    def __init__(self, function, given):
        self.inputs = [None if value is None else value.clone() for value in given]
        self.function, self.graph = function, self
        self.outputs = function(*self.inputs)
        self.plays = 0

    def replay(self):
        self.plays += 1
        for held, value in zip(self.outputs, self.function(*self.inputs), strict=True):
            if held is not None:
                held.copy_(value)

    __call__ = cuda_graphs.Recording.__call__


@pytest.fixture
def recorded(monkeypatch):
    monkeypatch.setattr(cuda_graphs, "Recording", Played)
    monkeypatch.setattr(keras_lstm, "_has_kernels", lambda x: False)
    monkeypatch.setattr(keras_lstm, "can_record", lambda x: True)
    monkeypatch.setattr(torch.cuda, "device", lambda device: contextlib.nullcontext())
    monkeypatch.setattr(cuda_graphs, "recordings", OrderedDict())


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_recordings_are_played_on_other_numbers(recorded, share):
    layer, x = make(dropout=share, recurrent_dropout=share), draw(2, B, T, WIDTH)
    torch.manual_seed(1)
    ours = (layer(x[0])[0] * layer(x[1])[0]).sum()  # twice before it goes back
    torch.manual_seed(1)
    theirs = [plain_loop(layer, part, masks=layer.draw_masks(B))[0] for part in x]
    leaves = [x, *layer.parameters()]
    expected = torch.autograd.grad((theirs[0] * theirs[1]).sum(), leaves)
    for own, other in zip(torch.autograd.grad(ours, leaves), expected, strict=True):
        torch.testing.assert_close(own, other, atol=1e-4, rtol=1e-5)
    assert [recording.plays for recording in cuda_graphs.recordings.values()] == [2, 2]  # one each way, made once


def test_old_recordings_go(recorded):
    layer = make()
    for batch in range(1, cuda_graphs.GRAPHS_KEPT + 3):
        layer(draw(batch, 2, WIDTH))[0].sum().backward()
    assert len(cuda_graphs.recordings) == cuda_graphs.GRAPHS_KEPT


@pytest.fixture
def cuda():
    if not torch.cuda.is_available():
        pytest.skip("no NVIDIA card here")
    return torch.device("cuda")


@pytest.mark.gpu
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_on_a_card_the_same_as_on_the_cpu(cuda, share):
    layer = make(dropout=share, recurrent_dropout=share)
    twin = make(dropout=share, recurrent_dropout=share).to(cuda)
    x = draw(B, T, WIDTH)
    for seed in (1, 2):  # the second run plays the recording of the first on other numbers
        torch.manual_seed(seed)
        masks = layer.draw_masks(B)
        on_card = tuple(None if mask is None else mask.to(cuda) for mask in masks)
        layer.draw_masks, twin.draw_masks = lambda batch, m=masks: m, lambda batch, m=on_card: m
        y, _ = layer(x * seed)
        other, _ = twin((x * seed).to(cuda))
        torch.testing.assert_close(other.cpu(), y, atol=1e-4, rtol=1e-4)
        layer.zero_grad(), twin.zero_grad()
        y.square().sum().backward(), other.square().sum().backward()
        for own, theirs in zip(layer.parameters(), twin.parameters(), strict=True):
            torch.testing.assert_close(theirs.grad.cpu(), own.grad, atol=1e-3, rtol=1e-3)


@pytest.mark.gpu
def test_on_a_card_one_loss_may_run_a_layer_twice(cuda):
    layer, x = make().to(cuda), draw(2, B, T, WIDTH).to(cuda)
    (layer(x[0])[0] * layer(x[1])[0]).sum().backward()
    ours = layer.kernel.grad.clone()
    layer.kernel.grad = None
    (plain_loop(layer, x[0])[0] * plain_loop(layer, x[1])[0]).sum().backward()
    torch.testing.assert_close(ours, layer.kernel.grad, atol=1e-3, rtol=1e-3)


@pytest.mark.gpu
def test_on_a_card_half_precision_leaves_the_state_alone(cuda):
    layer, x = make().to(cuda), draw(B, T, WIDTH).to(cuda)
    with torch.autocast("cuda", dtype=torch.bfloat16):
        y, (h, c) = layer(x.half())
        loss = y.square().sum()
    loss.backward()
    assert {value.dtype for value in (y, h, c, layer.kernel.grad)} == {torch.float32}
