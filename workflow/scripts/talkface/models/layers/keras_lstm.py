"""LSTM layers as Keras 2 computed them, fast enough to train with.

Keras lets the activation be chosen (an LSTM usually has tanh; Eskimez et al. 2018 took the sigmoid), has a hard sigmoid
for the gates, and drops inputs and recurrent inputs with one mask per gate that stays the same over time (its
`implementation=1`; Gal and Ghahramani 2016). torch.nn.LSTM offers none of these, and a loop over cells is slow:

- input products of all frames are taken at once, only the recurrent ones step by step;
- what happens between two products is one pass over the memory (`lstm_kernels`);
- the way back writes down the gradients of the gates step by step and then takes each weight's gradient in one product;
- on a graphics card, where each of some thousand small operations would wait for the host, way and way back of a shape
  are recorded once as CUDA graphs and then replayed (`cuda_graphs`).

Axes: B batch, T steps, I inputs, U units, R rows of products, 4 gates in Keras's order: input, forget, candidate,
output. Inside, time comes first, so that a step's rows lie together.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from talkface.errors import TalkfaceError
from talkface.models.layers import lstm_kernels as kernels
from talkface.models.layers.cuda_graphs import can_record, recorded

ACTIVATIONS = ("linear", "sigmoid", "tanh", "relu", "hard_sigmoid")
RECURRENT_ACTIVATIONS = ("sigmoid", "hard_sigmoid")
DENSE_ACTIVATIONS = (*ACTIVATIONS, "softmax")
FEW_ROWS = 16  # below, to turn the weights for a product costs more than it saves
# Multiplications of a step's product for one gate; below, threads gain little where they have a core each and lose most
# of the time to waiting for each other where they have not.
FEW_MULTIPLICATIONS = 2_000_000

# Under torch.mm lies MKL, which leaves half of the speed of some processors unused; oneDNN does not.
_ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")

State = tuple[Tensor, Tensor]  # output and cell after the last step, (B, U) each
# Gradients of x (None where it needs none), kernel, recurrent_kernel, bias, h, c.
Gradients = tuple[Tensor | None, Tensor, Tensor, Tensor, Tensor, Tensor]


class KerasLSTM(nn.Module):
    """A layer of long short-term memory, its weights laid out as Keras stores them.

    Parameters
    ----------
    input_size, units : int
        I and U.
    activation : str
        Of the candidate and of the cell on its way out; one of `ACTIVATIONS`.
    recurrent_activation : {"hard_sigmoid", "sigmoid"}
        Of the gates; hard sigmoid is clip(0.2 x + 0.5, 0, 1).
    dropout, recurrent_dropout : float
        Share of the inputs and of the recurrent inputs dropped while training; what stays grows by 1 / (1 - share).

    Attributes
    ----------
    kernel : (I, 4 U) Parameter
        Glorot-uniform at first.
    recurrent_kernel : (U, 4 U) Parameter
        Orthogonal at first.
    bias : (4 U) Parameter
        0 at first, of the forget gate 1.
    """

    def __init__(
        self,
        input_size: int,
        units: int,
        *,
        activation: str = "sigmoid",
        recurrent_activation: str = "hard_sigmoid",
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
    ):
        super().__init__()
        _check_choice("activation", activation, ACTIVATIONS)
        _check_choice("recurrent_activation", recurrent_activation, RECURRENT_ACTIVATIONS)
        for name, share in (("dropout", dropout), ("recurrent_dropout", recurrent_dropout)):
            if not 0 <= share < 1:
                raise TalkfaceError(f"layers: {name} is {share}; a share from 0 to below 1 was expected; correct it")
        self.input_size, self.units = input_size, units
        self.activation, self.recurrent_activation = activation, recurrent_activation
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout
        self.kernel = nn.Parameter(torch.empty(input_size, 4 * units))
        self.recurrent_kernel = nn.Parameter(torch.empty(units, 4 * units))
        self.bias = nn.Parameter(torch.empty(4 * units))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights as Keras does."""
        nn.init.xavier_uniform_(self.kernel)
        nn.init.orthogonal_(self.recurrent_kernel)
        with torch.no_grad():
            self.bias.zero_()
            self.bias[self.units : 2 * self.units] = 1

    def extra_repr(self) -> str:
        """Describe the layer as torch's own layers do."""
        return (
            f"{self.input_size}, {self.units}, activation={self.activation!r}, "
            f"recurrent_activation={self.recurrent_activation!r}, dropout={self.dropout}, "
            f"recurrent_dropout={self.recurrent_dropout}"
        )

    def draw_masks(self, batch: int) -> tuple[Tensor | None, Tensor | None]:
        """Draw masks of inputs (4, B, I) and recurrent inputs (4, B, U): 0 or 1 / (1 - share); None without dropout."""
        return (
            _draw_mask((4, batch, self.input_size), self.dropout, self.kernel),
            _draw_mask((4, batch, self.units), self.recurrent_dropout, self.kernel),
        )

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Compute the outputs (B, T, U) of inputs (B, T, I), and the state after them; `state` None is zeros."""
        masks = self.draw_masks(len(x)) if self.training else (None, None)
        weights = (self.kernel, self.recurrent_kernel, self.bias)
        with torch.autocast(x.device.type, enabled=False):  # a state in half precision would lose what it adds up
            x = x.to(self.kernel.dtype).transpose(0, 1).contiguous()  # (T, B, I)
            h, c = self._start(state, x.shape[1])
            grows = torch.is_grad_enabled() and any(value.requires_grad for value in (x, h, c, *weights))
            if grows or masks != (None, None):
                y, cell = _Recurrence.apply(x, *weights, h, c, *masks, self.activation, self.recurrent_activation)
                return y.transpose(0, 1), (y[-1], cell)
            y, state = self.recur(self.input_products(x.flatten(0, 1)), len(h), state=(h, c))
        return y.transpose(0, 1), state

    def input_products(self, rows: Tensor) -> Tensor:
        """Multiply rows of inputs (R, I) by the kernel and add the bias: (R, 4 U)."""
        if len(rows) < FEW_ROWS:
            return torch.addmm(self.bias, rows, self.kernel)
        return _product(rows, _turned(self.kernel), self.bias)

    def recur(
        self, products: Tensor, batch: int, *, shift: int | None = None, state: State | None = None
    ) -> tuple[Tensor, State]:
        """Run over input products, without gradients and dropout.

        Parameters
        ----------
        products : (R, 4 U) tensor
            Of `input_products`. Step t reads rows t * shift .. t * shift + batch - 1.
        batch : int
            B.
        shift : int, optional
            Rows from step to step; by default B, so that the rows are steps end to end. With 1, B windows that each
            begin one row after the other share the products of the rows they share.
        state : pair of (B, U) tensors, optional

        Returns
        -------
        outputs : (T, B, U) tensor
            Time first.
        state : pair of (B, U) tensors
        """
        shift = batch if shift is None else shift
        steps = (len(products) - batch) // shift + 1
        h, c = self._start(state, batch)
        with torch.no_grad(), torch.autocast(products.device.type, enabled=False):
            if _has_kernels(products):
                return _run_products(self, products, steps, shift, h, c)
            y = products.new_empty(steps, batch, self.units)
            for step in range(steps):
                z = products[step * shift : step * shift + batch] + h @ self.recurrent_kernel
                i, f, g, o = z.chunk(4, dim=1)
                i, f, o = (_activate(gate, self.recurrent_activation) for gate in (i, f, o))
                c = f * c + i * _activate(g, self.activation)
                h = y[step] = o * _activate(c, self.activation)
        return y, (h, c)

    def _start(self, state: State | None, batch: int) -> State:
        if state is None:
            zeros = self.kernel.new_zeros(batch, self.units)
            return zeros, zeros
        return state[0].to(self.kernel.dtype), state[1].to(self.kernel.dtype)


class KerasDense(nn.Module):
    """A fully connected layer, frame by frame, its weights laid out as Keras stores them.

    Parameters
    ----------
    input_size, units : int
        I and U.
    activation : str
        One of `DENSE_ACTIVATIONS`.

    Attributes
    ----------
    kernel : (I, U) Parameter
        Glorot-uniform at first.
    bias : (U) Parameter
        0 at first.
    """

    def __init__(self, input_size: int, units: int, *, activation: str = "linear"):
        super().__init__()
        _check_choice("activation", activation, DENSE_ACTIVATIONS)
        self.input_size, self.units, self.activation = input_size, units, activation
        self.kernel = nn.Parameter(nn.init.xavier_uniform_(torch.empty(input_size, units)))
        self.bias = nn.Parameter(torch.zeros(units))

    def extra_repr(self) -> str:
        """Describe the layer as torch's own layers do."""
        return f"{self.input_size}, {self.units}, activation={self.activation!r}"

    def forward(self, x: Tensor) -> Tensor:
        """Compute the outputs (..., U) of inputs (..., I)."""
        x = x @ self.kernel + self.bias
        return x.softmax(dim=-1) if self.activation == "softmax" else _activate(x, self.activation)


def _check_choice(name: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise TalkfaceError(f"layers: unknown {name} {given!r}; expected one of {', '.join(known)}; correct it")


def _draw_mask(shape: tuple[int, ...], share: float, like: Tensor) -> Tensor | None:
    if not share:
        return None
    mask = torch.empty(shape, dtype=like.dtype, device=like.device)
    return mask.bernoulli_(1 - share).div_(1 - share)


class _Recurrence(torch.autograd.Function):
    """A layer over all steps: time first, masks given."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        kernel: Tensor,
        recurrent_kernel: Tensor,
        bias: Tensor,
        h: Tensor,
        c: Tensor,
        input_mask: Tensor | None,
        recurrent_mask: Tensor | None,
        activation: str,
        gate_activation: str,
    ) -> State:
        given = (x, kernel, recurrent_kernel, bias, h, c, input_mask, recurrent_mask)
        ctx.way = (activation, gate_activation, ctx.needs_input_grad[0])
        if _has_kernels(x):
            y, cells, *gates = _forward_kernels(*given, activation, gate_activation)
        elif can_record(x):
            y, cells, *gates = recorded(_forward_ops, ctx.way[:2], given)(given)
        else:
            y, cells, *gates = _forward_ops(*given, way=ctx.way[:2])
        ctx.save_for_backward(x, kernel, recurrent_kernel, h, c, input_mask, recurrent_mask, y, cells, *gates)
        if can_record(x) and any(ctx.needs_input_grad):  # now, not in the thread that goes back
            saved = (x, kernel, recurrent_kernel, h, c, input_mask, recurrent_mask, y, cells, *gates)
            recorded(_backward_ops, ctx.way, (torch.zeros_like(y), torch.zeros_like(c), *saved))
        return y, cells[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, y_gradient: Tensor, cell_gradient: Tensor) -> tuple[Tensor | None, ...]:
        given = (y_gradient.contiguous(), cell_gradient.contiguous(), *ctx.saved_tensors)
        with torch.autocast(y_gradient.device.type, enabled=False):
            if _has_kernels(y_gradient):
                gradients: Gradients = _backward_kernels(*given, way=ctx.way)
            elif can_record(y_gradient):
                gradients = recorded(_backward_ops, ctx.way, given)(given)
            else:
                gradients = _backward_ops(*given, way=ctx.way)
        return *gradients, None, None, None, None


# On the CPU -------------------------------------------------------------------------------------------------------


def _has_kernels(x: Tensor) -> bool:
    return x.device.type == "cpu" and x.dtype == torch.float32


def _product(rows: Tensor, turned: Tensor, bias: Tensor | None = None) -> Tensor:
    """Multiply rows (R, m) by transposed weights (n, m), both contiguous: (R, n)."""
    if _ONEDNN and _has_kernels(rows) and rows.numel():
        return torch.ops.mkldnn._linear_pointwise(rows, turned, bias, "none", [], "")
    return functional.linear(rows, turned, bias)


@contextlib.contextmanager
def _threads_for(multiplications: int) -> Iterator[None]:
    """Use one thread while products are small, else as many as there were."""
    threads = torch.get_num_threads()
    if threads == 1 or multiplications >= FEW_MULTIPLICATIONS:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _turned(matrix: Tensor) -> Tensor:
    return matrix.detach().T.contiguous()


def _by_gate(matrix: Tensor) -> list[Tensor]:
    """Split weights (n, 4 U) into those of each gate (n, U), contiguous."""
    return [part.contiguous() for part in matrix.detach().chunk(4, dim=1)]


def _arrays(tensors: Iterable[Tensor]) -> tuple[NDArray[np.float32], ...]:
    return tuple(value.detach().numpy() for value in tensors)


def _masked_product(x: Tensor, mask: Tensor | None, gate: int, turned: Tensor, bias: Tensor | None) -> Tensor:
    """Multiply x (T, B, m), masked for a gate, by transposed weights (n, m): (T B, n)."""
    rows = x if mask is None else x * mask[gate]
    return _product(rows.flatten(0, 1), turned, bias)


def _forward_kernels(
    x: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor,
    h: Tensor,
    c: Tensor,
    input_mask: Tensor | None,
    recurrent_mask: Tensor | None,
    activation: str,
    gate_activation: str,
) -> tuple[Tensor, ...]:
    """Compute outputs (T, B, U), cells (T, B, U) and the four gates, (T B, U) each."""
    steps, batch, units = len(x), x.shape[1], recurrent_kernel.shape[0]
    codes = kernels.CODES[activation], kernels.CODES[gate_activation]
    turned, turned_recurrent = _turned(kernel).chunk(4), _turned(recurrent_kernel).chunk(4)
    biases = bias.detach().chunk(4)
    gates = [_masked_product(x, input_mask, gate, turned[gate], biases[gate]) for gate in range(4)]  # become gates
    y, cells = x.new_empty(2, steps, batch, units).unbind()
    masked = recurrent_mask is not None
    spread = h.new_empty(4, 0, 0) if recurrent_mask is None else h.detach() * recurrent_mask  # (4, B, U)
    mask = spread if recurrent_mask is None else recurrent_mask
    products, into, outputs, states, shares = _arrays([*gates]), spread.numpy(), y.numpy(), cells.numpy(), mask.numpy()
    before, heard = c.detach().contiguous().numpy(), h.detach().contiguous()
    with _threads_for(batch * units * units):
        for step in range(steps):
            sides = spread if masked else [heard] * 4
            recurrent = _arrays(_product(side, weight) for side, weight in zip(sides, turned_recurrent, strict=True))
            kernels.step_forward(
                *(products, step * batch, recurrent, before, states[step], outputs[step]),
                *(into, shares, masked, True, *codes),
            )
            before, heard = states[step], y[step]
    return y, cells, *gates


def _run_products(
    layer: KerasLSTM, products: Tensor, steps: int, shift: int, h: Tensor, c: Tensor
) -> tuple[Tensor, State]:
    """Run `KerasLSTM.recur` with the kernels; the gates lie side by side and are not kept."""
    weights = layer.recurrent_kernel.detach()
    turned = _turned(weights) if len(h) >= FEW_ROWS else None
    codes = kernels.CODES[layer.activation], kernels.CODES[layer.recurrent_activation]
    y = products.new_empty(steps, *h.shape)
    cell, unused, heard = c.detach().clone(), products.new_empty(4, 0, 0).numpy(), h.detach().contiguous()
    rows, state, outputs = (products.detach().numpy(),) * 4, cell.numpy(), y.numpy()
    with _threads_for(h.numel() * layer.units):
        for step in range(steps):
            recurrent = ((heard @ weights if turned is None else _product(heard, turned)).numpy(),) * 4
            kernels.step_forward(
                rows, step * shift, recurrent, state, state, outputs[step], unused, unused, False, False, *codes
            )
            heard = y[step]
    return y, (heard, cell)


def _backward_kernels(
    y_gradient: Tensor,
    cell_gradient: Tensor,
    x: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    h: Tensor,
    c: Tensor,
    input_mask: Tensor | None,
    recurrent_mask: Tensor | None,
    y: Tensor,
    cells: Tensor,
    *gates: Tensor,
    way: tuple[str, str, bool],
) -> Gradients:
    """Compute the gradients from those of outputs (T, B, U) and of the last cell (B, U)."""
    activation, gate_activation, x_wanted = way
    steps, batch, units = y.shape
    codes = kernels.CODES[activation], kernels.CODES[gate_activation]
    weights = _by_gate(recurrent_kernel)
    masked = recurrent_mask is not None
    mask = y.new_empty(4, 0, 0) if recurrent_mask is None else recurrent_mask
    slopes = [torch.empty_like(gate) for gate in gates]  # (T B, U): gradients of the gates before their activation
    carried = cell_gradient.clone()
    returned = [torch.zeros_like(h)] * 4
    values, written, states, shares = _arrays(gates), _arrays(slopes), cells.numpy(), mask.numpy()
    outside, along, first_cell = y_gradient.numpy(), carried.numpy(), c.detach().contiguous().numpy()
    with _threads_for(batch * units * units):
        for step in reversed(range(steps)):
            rows = slice(step * batch, (step + 1) * batch)
            before = states[step - 1] if step else first_cell
            kernels.step_back(
                *(values, rows.start, before, states[step], outside[step], _arrays(returned)),
                *(shares, masked, along, written, *codes),
            )
            returned = [_product(slope[rows], weight) for slope, weight in zip(slopes, weights, strict=True)]
    parts = (part * mask[gate] if masked else part for gate, part in enumerate(returned))
    h_gradient = sum(parts, start=torch.zeros_like(h))
    turned_x = x.flatten(0, 1).T.contiguous().unflatten(1, (steps, batch))  # (I, T, B)
    turned_h = y.new_empty(units, steps, batch)
    turned_h[:, 0] = h.T
    turned_h[:, 1:] = y[:-1].permute(2, 0, 1)
    into_kernel: list[Tensor] = []
    into_recurrent: list[Tensor] = []
    for gate, slope in enumerate(slopes):
        turned = slope.T.contiguous()  # (U, T B)
        for into, heard, dropped in ((into_kernel, turned_x, input_mask), (into_recurrent, turned_h, recurrent_mask)):
            if dropped is not None:
                heard = heard * dropped[gate].T.contiguous()[:, None]
            into.append(_product(heard.flatten(1), turned))
    into_bias = torch.cat([slope.sum(0) for slope in slopes])
    x_gradient = _input_gradient(slopes, kernel, input_mask, x) if x_wanted else None
    return x_gradient, torch.cat(into_kernel, 1), torch.cat(into_recurrent, 1), into_bias, h_gradient, carried


def _input_gradient(slopes: list[Tensor], kernel: Tensor, mask: Tensor | None, x: Tensor) -> Tensor:
    weights = _by_gate(kernel)
    total = _product(slopes[0], weights[0]).view_as(x)
    if mask is not None:
        total.mul_(mask[0])
    for gate in range(1, 4):
        part = _product(slopes[gate], weights[gate]).view_as(x)
        if mask is None:
            total += part
        else:
            total.addcmul_(part, mask[gate])
    return total


# In operations of torch: on a graphics card, and in other precisions ----------------------------------------------
# On a card each operation of a step costs its start, so there are as few as can be: eight forward, eight back.

# Output, input, forget, candidate: the first three have an activation of their own, and the last three take their
# gradient from the cell; each three are treated in one go.
_ORDER = (3, 0, 1, 2)


_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": torch.clone,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
}


def _activate(x: Tensor, name: str) -> Tensor:
    if name == "hard_sigmoid":
        return (0.2 * x + 0.5).clamp(0, 1)
    return _FUNCTIONS[name](x)


def _slope(y: Tensor, name: str) -> Tensor:
    """Compute the derivative of an activation where its value is y."""
    if name == "sigmoid":
        return y * (1 - y)
    if name == "tanh":
        return 1 - y * y
    if name == "relu":
        return (y > 0).to(y.dtype)
    if name == "hard_sigmoid":
        return 0.2 * ((y > 0) & (y < 1)).to(y.dtype)
    return torch.ones_like(y)


def _stacked(weights: Tensor) -> Tensor:
    """Stack the gates of weights (n, 4 U) as (4, n, U), in `_ORDER`."""
    return torch.stack([weights.chunk(4, dim=-1)[gate] for gate in _ORDER])


def _side_by_side(weights: Tensor) -> Tensor:
    """Invert `_stacked`."""
    return torch.cat([weights[_ORDER.index(gate)] for gate in range(4)], dim=-1)


def _ordered(mask: Tensor | None) -> Tensor | None:
    """Bring a mask (4, B, n) into `_ORDER`; an index of numbers would have to be sent to the card."""
    return None if mask is None else torch.stack([mask[gate] for gate in _ORDER])


def _for_gates(x: Tensor, mask: Tensor | None) -> Tensor:
    """Mask inputs (T, B, n) for each gate in `_ORDER`: (4, T B, n)."""
    if mask is None:
        return x.flatten(0, 1).expand(4, -1, -1)
    return (x * mask[:, None]).flatten(1, 2)


def _forward_ops(
    x: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor,
    h: Tensor,
    c: Tensor,
    input_mask: Tensor | None,
    recurrent_mask: Tensor | None,
    *,
    way: tuple[str, str],
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute outputs (T, B, U), cells (T, B, U) and gates (4, T, B, U)."""
    activation, gate_activation = way
    input_mask, mask = _ordered(input_mask), _ordered(recurrent_mask)
    steps, batch, units = len(x), x.shape[1], recurrent_kernel.shape[0]
    weights, recurrent, biases = _stacked(kernel), _stacked(recurrent_kernel), _stacked(bias)[:, None]
    if gate_activation == "hard_sigmoid":  # clip(0.2 z + 0.5, 0, 1): weights bring the factor, so clipping remains
        for value in (weights, recurrent, biases):
            value[:3] *= 0.2
        biases[:3] += 0.5
    gates = torch.baddbmm(biases, _for_gates(x, input_mask), weights).unflatten(1, (steps, batch))  # become gates
    y, cells = x.new_empty(steps, batch, units), x.new_empty(steps, batch, units)
    for step in range(steps):
        z = gates[:, step]  # (4, B, U)
        z.baddbmm_(h.expand(4, -1, -1) if mask is None else h * mask, recurrent)
        if gate_activation == "hard_sigmoid":
            z[:3].clamp_(0, 1)
        else:
            z[:3].sigmoid_()
        if activation == "sigmoid":
            z[3].sigmoid_()
        elif activation != "linear":
            z[3] = _activate(z[3], activation)
        o, i, f, g = z
        c = torch.addcmul(i * g, f, c, out=cells[step])
        h = torch.mul(o, _activate(c, activation), out=y[step])
    return y, cells, gates


def _backward_ops(
    y_gradient: Tensor,
    cell_gradient: Tensor,
    x: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    h: Tensor,
    c: Tensor,
    input_mask: Tensor | None,
    recurrent_mask: Tensor | None,
    y: Tensor,
    cells: Tensor,
    gates: Tensor,
    *,
    way: tuple[str, str, bool],
) -> Gradients:
    """Compute the gradients from those of outputs (T, B, U) and of the last cell (B, U)."""
    activation, gate_activation, x_wanted = way
    input_mask, mask = _ordered(input_mask), _ordered(recurrent_mask)
    steps, batch, _ = y.shape
    o, i, f, g = gates  # (T, B, U) each
    before = torch.cat([c[None], cells[:-1]])  # (T, B, U)
    squashed = _activate(cells, activation)
    into_cell = o * _slope(squashed, activation)  # of all steps at once: what an output's gradient is multiplied with
    into_output = squashed * _slope(o, gate_activation)
    into_others = torch.stack(  # and what a cell's is: input gate, forget gate, candidate
        [g * _slope(i, gate_activation), before * _slope(f, gate_activation), i * _slope(g, activation)]
    )
    turned = _stacked(recurrent_kernel).transpose(1, 2)  # (4, U, U)
    slopes = torch.empty_like(gates)
    h_gradient, c_gradient = torch.zeros_like(h), cell_gradient
    for step in reversed(range(steps)):
        total = y_gradient[step] + h_gradient
        along = torch.addcmul(c_gradient, total, into_cell[step])
        torch.mul(total, into_output[step], out=slopes[0, step])
        torch.mul(along, into_others[:, step], out=slopes[1:, step])
        c_gradient = along * f[step]
        returned = torch.bmm(slopes[:, step], turned)  # (4, B, U)
        h_gradient = (returned if mask is None else returned * mask).sum(0)
    flat = slopes.flatten(1, 2)  # (4, T B, U)
    heard = torch.cat([h[None], y[:-1]])  # (T, B, U)
    into_kernel = _side_by_side(torch.bmm(_for_gates(x, input_mask).transpose(1, 2), flat))
    into_recurrent = _side_by_side(torch.bmm(_for_gates(heard, mask).transpose(1, 2), flat))
    into_bias = _side_by_side(flat.sum(1))
    x_gradient = None
    if x_wanted:
        parts = torch.bmm(flat, _stacked(kernel).transpose(1, 2)).unflatten(1, (steps, batch))  # (4, T, B, I)
        x_gradient = (parts if input_mask is None else parts * input_mask[:, None]).sum(0)
    return x_gradient, into_kernel, into_recurrent, into_bias, h_gradient, c_gradient
