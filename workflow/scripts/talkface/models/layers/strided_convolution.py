"""Convolution with stride 2 in a fifth of the multiplications, for the CPU: forward and backward.

y[i] = sum_k w[k] x[2 i + k] is a sum over even and odd samples, each a correlation of stride 1 with half the taps. In a
block of `SIZE` such samples that correlation is cyclic, so discrete Fourier transforms turn it into products, complex
ones with three real multiplications each (Gauss). Written out it is bilinear: y = C ((A w) * (B x)) with three constant
matrices (Winograd 1980, Arithmetic Complexity of Computations), which leaves a matrix product over channels for each of
M places. Of 21 taps, 2 x 47 multiplications give 22 outputs that take 22 x 21 otherwise, 4.9 times as many. The
gradients are the same products with the matrices transposed.

Rounding stays that of single precision: transforms of this length are orthogonal up to their scale.

Axes: B stretches, N samples, I and O channels in and out, P outputs, S samples of a block, U outputs of a block, Q
blocks, M places.
"""

import functools
import math
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

# Longer blocks save multiplications, but what is read and written between them leaves the cache: 32 was fastest for 21
# taps and 64 to 512 channels (24, 44 and 64 were tried).
SIZE = 32


def bilinear(taps: int, size: int = SIZE) -> tuple[NDArray, NDArray, NDArray]:
    """Make the matrices A (M, taps), B (M, size), C (size - taps + 1, M) of the correlation with `taps` taps.

    For x (size) and w (taps), C @ ((A @ w) * (B @ x)) is sum_k w[k] x[i + k] for each i below size - taps + 1.

    Examples
    --------
    >>> of_taps, of_samples, of_outputs = bilinear(3, size=8)
    >>> x, w = np.arange(8.0), np.array([1.0, 0.0, -1.0])
    >>> (of_outputs @ ((of_taps @ w) * (of_samples @ x))).round(6).tolist()
    [-2.0, -2.0, -2.0, -2.0, -2.0, -2.0]
    """
    outputs = size - taps + 1
    of_taps, of_samples, of_outputs = [], [], []
    for frequency in range(size // 2 + 1):
        angle = 2 * np.pi * frequency * np.arange(size) / size
        cosine, sine = np.cos(angle), np.sin(angle)
        if frequency in (0, size // 2):  # real
            of_taps += [cosine[:taps]]
            of_samples += [cosine]
            of_outputs += [cosine[:outputs] / size]
            continue
        # (a + ib)(c + id) from c (a + b), a (d - c), b (c + d); taps enter conjugate, and frequencies come in pairs.
        real, imaginary = cosine[:taps], sine[:taps]
        of_taps += [real, imaginary - real, real + imaginary]
        of_samples += [cosine - sine, cosine, -sine]
        cosine, sine = 2 * cosine[:outputs] / size, 2 * sine[:outputs] / size
        of_outputs += [cosine - sine, -sine, -cosine]
    return np.array(of_taps), np.array(of_samples), np.array(of_outputs).T


@functools.cache
def _matrices(kernel: int) -> tuple[Tensor, Tensor, Tensor]:
    with torch.inference_mode(False):  # made here, used in training as well
        of_taps, of_samples, of_outputs = (torch.from_numpy(matrix).float() for matrix in bilinear((kernel + 1) // 2))
    return of_taps, of_samples, of_outputs


def transform_weight(weight: Tensor) -> Tensor:
    """Compute A w (M, O, 2 I) of the weight w (O, I, kernel) of a `Conv1d` with stride 2 and an odd kernel."""
    of_taps, _, _ = _matrices(weight.shape[2])
    even_odd = functional.pad(weight, (0, 1)).unflatten(2, (-1, 2)).permute(2, 0, 3, 1)  # (taps, O, 2, I)
    return product(of_taps, even_odd.flatten(1)).view(len(of_taps), len(weight), -1)


class StridedConvolution:
    """The convolution of one `Conv1d` layer with stride 2, an odd kernel and a bias, with channels last.

    The layer itself keeps its weights. Between calls this holds memory for what is computed on the way, because to ask
    the system for new pages costs as much as to fill them, and the transformed weights where no gradient is wanted.
    """

    def __init__(self) -> None:
        self._held: dict[str, Tensor] = {}
        self._moved: tuple[tuple, Tensor] | None = None

    def __deepcopy__(self, memo: Any) -> "StridedConvolution":
        """Return a new one: nothing that is held need be copied."""
        return StridedConvolution()

    def __call__(self, x: Tensor, layer: nn.Conv1d) -> Tensor:
        """Convolve x (B, N, I), float32 on the CPU, to (B, P, O); P = (N - kernel) // 2 + 1."""
        weight = layer.weight
        assert layer.bias is not None
        if torch.is_grad_enabled():
            return _Convolution.apply(x, weight, layer.bias, self)
        key = (weight.data_ptr(), 0 if weight.is_inference() else weight._version)
        if self._moved is None or self._moved[0] != key:
            self._moved = key, transform_weight(weight)
        return self.forward(x, self._moved[1], layer.bias, _Plan(*x.shape, *weight.shape[::2]))[0]

    def space(self, name: str, *shape: int) -> Tensor:
        """Return memory of this shape, not initialised; the next call with the same name returns the same memory."""
        size = math.prod(shape)
        held = self._held.get(name)
        if held is None or held.numel() < size:
            with torch.inference_mode(False):  # memory for validation and training alike
                held = self._held[name] = torch.empty(size)
        return held[:size].view(shape)

    def forward(self, x: Tensor, weight: Tensor, bias: Tensor, plan: "_Plan") -> tuple[Tensor, Tensor]:
        """Convolve with weights (M, O, 2 I) of `transform_weight`; return the result and B x (M, B Q, 2 I)."""
        _, of_samples, of_outputs = _matrices(plan.kernel)
        whole = self.space("whole", plan.stretches, plan.needed, plan.wide_in)
        whole[:, : plan.samples], whole[:, plan.samples :] = x, 0
        # Two samples, an even and an odd one, make a row of 2 I; blocks of S rows overlap by S - U.
        rows = self.space("rows", *plan.rows)
        rows.copy_(whole.as_strided(plan.rows, (2 * plan.wide_in, whole.stride(0), 2 * plan.step * plan.wide_in, 1)))
        heard = product(of_samples, rows.flatten(1)).view(plan.heard)
        summed = _products(heard, weight, out=self.space("summed", *plan.summed))
        blocks = product(of_outputs, summed.flatten(1)).view(plan.block_rows)
        result = blocks.movedim(0, 2).reshape(plan.stretches, -1, plan.wide_out)  # (B, Q U, O)
        return result[:, : plan.outputs].add_(bias), heard

    def backward(self, gradient: Tensor, weight: Tensor, heard: Tensor, plan: "_Plan") -> tuple[Tensor, Tensor]:
        """Compute the gradients of x (B, N, I) and of the weight (O, I, kernel) from that of the result (B, P, O).

        Each product of the forward pass once more, with its matrix transposed.
        """
        of_taps, of_samples, of_outputs = _matrices(plan.kernel)
        whole = self.space("whole", plan.stretches, plan.blocks * plan.step, plan.wide_out)
        whole[:, : plan.outputs], whole[:, plan.outputs :] = gradient, 0
        blocks = self.space("blocks", *plan.block_rows)
        blocks.copy_(whole.view(plan.stretches, plan.blocks, plan.step, plan.wide_out).movedim(2, 0))
        summed = product(of_outputs.mT, blocks.flatten(1)).view(plan.summed)
        of_moved = _products(summed.mT, heard.mT, out=self.space("weight", *weight.shape))  # (M, O, 2 I)
        even_odd = product(of_taps.mT, of_moved.flatten(1)).view(-1, plan.wide_out, 2, plan.wide_in)  # (taps, O, 2, I)
        of_weight = even_odd.permute(1, 3, 0, 2).flatten(2)[:, :, : plan.kernel]
        of_heard = _products(summed, weight.mT, out=self.space("heard", *plan.heard))
        rows = product(of_samples.mT, of_heard.flatten(1)).view(plan.rows)
        of_x = gradient.new_zeros(plan.stretches, plan.blocks + 1, plan.step, 2 * plan.wide_in)
        of_x[:, :-1] = rows[: plan.step].movedim(0, 2)
        of_x[:, 1:, : plan.size - plan.step] += rows[plan.step :].movedim(0, 2)  # where a block meets the next
        return of_x.view(plan.stretches, -1, plan.wide_in)[:, : plan.samples], of_weight


class _Convolution(torch.autograd.Function):
    """Convolution of x (B, N, I) with weight (O, I, kernel) and bias (O), in the memory of a `StridedConvolution`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, convolution: StridedConvolution) -> Tensor:
        ctx.plan, ctx.convolution = _Plan(*x.shape, *weight.shape[::2]), convolution
        moved = transform_weight(weight)
        result, heard = convolution.forward(x, moved, bias, ctx.plan)
        ctx.save_for_backward(moved, heard)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple:
        of_x, of_weight = ctx.convolution.backward(gradient, *ctx.saved_tensors, ctx.plan)
        return of_x, of_weight, gradient.sum((0, 1)), None


class _Plan(NamedTuple):
    """How blocks cover x (B, N, I)."""

    stretches: int
    samples: int
    wide_in: int
    wide_out: int
    kernel: int
    size: int = SIZE

    @property
    def step(self) -> int:
        """U, from one block to the next."""
        return self.size - (self.kernel + 1) // 2 + 1

    @property
    def outputs(self) -> int:
        """P."""
        return (self.samples - self.kernel) // 2 + 1

    @property
    def blocks(self) -> int:
        """Q."""
        return -(-self.outputs // self.step)

    @property
    def needed(self) -> int:
        """Samples that the blocks reach into."""
        return max(self.samples, 2 * ((self.blocks - 1) * self.step + self.size))

    @property
    def rows(self) -> tuple[int, ...]:
        """(S, B, Q, 2 I)."""
        return self.size, self.stretches, self.blocks, 2 * self.wide_in

    @property
    def heard(self) -> tuple[int, ...]:
        """(M, B Q, 2 I)."""
        return len(_matrices(self.kernel)[0]), self.stretches * self.blocks, 2 * self.wide_in

    @property
    def summed(self) -> tuple[int, ...]:
        """(M, B Q, O)."""
        return *self.heard[:2], self.wide_out

    @property
    def block_rows(self) -> tuple[int, ...]:
        """(U, B, Q, O)."""
        return self.step, self.stretches, self.blocks, self.wide_out


# oneDNN uses AVX-512 wherever there is some, MKL on Intel's processors alone: twice as fast on AMD's.
_LINEAR = getattr(torch.ops.mkldnn, "_linear_pointwise", None) if torch.backends.mkldnn.is_available() else None


def product(left: Tensor, right: Tensor) -> Tensor:
    """Multiply matrices (R, I) and (I, O), float32 on the CPU, without a gradient."""
    return torch.mm(left, right) if _LINEAR is None else _LINEAR(left, right.mT, None, "none", [], "")


def _products(rows: Tensor, weight: Tensor, *, out: Tensor) -> Tensor:
    """Compute rows (M, R, I) @ weight (M, O, I)^T into `out` (M, R, O)."""
    if _LINEAR is None:
        return torch.bmm(rows, weight.mT, out=out)
    for place in range(len(out)):
        out[place] = product(rows[place], weight[place].mT)
    return out
