"""Convolution with stride 2 in a quarter of the multiplications, for prediction on the CPU.

y[i] = sum_k w[k] x[2 i + k] is a sum over even and odd samples, each a correlation of stride 1 with half the taps. In a
block of `SIZE` such samples that correlation is cyclic, so discrete Fourier transforms turn it into products, complex
ones with three real multiplications each (Gauss). Written out it is bilinear: y = C ((A w) * (B x)) with three constant
matrices (Winograd 1980, Arithmetic Complexity of Computations), which leaves a matrix product over channels for each of
M places. Of 21 taps, 2 x 47 multiplications give 22 outputs that take 22 x 21 otherwise, 4.9 times as many.

Rounding stays that of single precision: transforms of this length are orthogonal up to their scale.

Axes: B stretches, N samples, I and O channels in and out, P outputs, S samples of a block, U outputs of a block, Q
blocks, M places.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

# Longer blocks save multiplications, but what is read and written between them leaves the cache: 32 was fastest for 21
# taps and 64 to 512 channels (24, 44 and 64 were tried).
SIZE = 32


def bilinear(taps: int, size: int = SIZE) -> tuple[NDArray, NDArray, NDArray]:
    """Matrices A (M, taps), B (M, size), C (size - taps + 1, M) of the correlation with `taps` taps.

    For x (size) and w (taps), C @ ((A @ w) * (B @ x)) is sum_k w[k] x[i + k] for each i below size - taps + 1.
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


class StridedConvolution:
    """What a `Conv1d` of stride 2 and an odd kernel gives, followed by a leaky ReLU, with channels last.

    Parameters
    ----------
    layer : nn.Conv1d
        Its weights are taken as they are now.
    slope : float
        Of the leaky ReLU.
    """

    def __init__(self, layer: nn.Conv1d, *, slope: float):
        self.kernel, self.slope = layer.kernel_size[0], slope
        taps = (self.kernel + 1) // 2
        of_taps, of_samples, of_outputs = (torch.from_numpy(matrix).float() for matrix in bilinear(taps))
        self.of_samples, self.of_outputs = of_samples, of_outputs  # (M, S), (U, M)
        weight = functional.pad(layer.weight.detach(), (0, 1)).unflatten(2, (taps, 2))  # (O, I, taps, 2)
        self.weight = torch.einsum("mk,oikt->moti", of_taps, weight).flatten(2).contiguous()  # (M, O, 2 I)
        self.bias = layer.bias.detach()
        self._held: dict[str, Tensor] = {}

    def __call__(self, x: Tensor) -> Tensor:
        """(B, P, O) of x (B, N, I), P = (N - kernel) // 2 + 1; valid until the next call."""
        (stretches, samples, channels), (places, size) = x.shape, self.of_samples.shape
        outputs, step = (samples - self.kernel) // 2 + 1, len(self.of_outputs)
        blocks = -(-outputs // step)
        needed = 2 * ((blocks - 1) * step + size)
        whole = self._space("whole", stretches, max(needed, samples), channels)
        whole[:, :samples], whole[:, samples:] = x, 0
        # Two samples, an even and an odd one, make a row of 2 I; blocks of S rows overlap by S - U.
        strides = (2 * channels, whole.stride(0), 2 * step * channels, 1)
        rows = self._space("rows", size, stretches, blocks, 2 * channels)
        rows.copy_(whole.as_strided(rows.shape, strides))  # (S, B, Q, 2 I)
        moved = self._space("moved", places, stretches * blocks * 2 * channels)
        torch.mm(self.of_samples, rows.view(size, -1), out=moved)
        heard = moved.view(places, -1, 2 * channels)  # (M, B Q, 2 I)
        summed = self._space("summed", places, heard.shape[1], self.weight.shape[1])
        _products(heard, self.weight, out=summed)  # (M, B Q, O)
        blockwise = self._space("blockwise", step, summed[0].numel())
        torch.mm(self.of_outputs, summed.view(places, -1), out=blockwise)
        result = self._space("result", stretches, blocks, step, self.weight.shape[1])
        result.copy_(blockwise.view(step, stretches, blocks, -1).movedim(0, 2))  # (B, Q, U, O)
        result = result.flatten(1, 2)[:, :outputs]
        return functional.leaky_relu_(result.add_(self.bias), self.slope)

    def _space(self, name: str, *shape: int) -> Tensor:
        """Memory that is kept from call to call: to ask the system for new pages costs as much as to fill them."""
        size = math.prod(shape)
        held = self._held.get(name)
        if held is None or held.numel() < size:
            held = self._held[name] = torch.empty(size)
        return held[:size].view(shape)


# oneDNN uses AVX-512 wherever there is some, MKL on Intel's processors alone: twice as fast on AMD's.
_LINEAR = getattr(torch.ops.mkldnn, "_linear_pointwise", None) if torch.backends.mkldnn.is_available() else None


def _products(rows: Tensor, weight: Tensor, *, out: Tensor) -> None:
    """rows (M, R, I) @ weight (M, O, I)^T into `out` (M, R, O)."""
    if _LINEAR is None:
        torch.bmm(rows, weight.transpose(1, 2), out=out)
    else:
        torch.stack([_LINEAR(a, b, None, "none", [], "") for a, b in zip(rows, weight, strict=True)], out=out)
