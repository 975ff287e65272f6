"""Compiled kernels of an LSTM: what lies between two matrix products, one step forward and one step back.

Each is one pass over the memory. Compiled by numba; the loops over units become vector instructions, which the
library's exponential would prevent, so there is one here. NaN stays NaN all the way, so that a training that fails is
seen to fail.

Axes: R rows of products, B batch, U units, 4 gates in Keras's order: input, forget, candidate, output.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from talkface.compiling import compiled

LINEAR, SIGMOID, TANH, RELU, HARD_SIGMOID = range(5)
Row = NDArray[np.float32]  # (U,)
Rows = tuple[NDArray[np.float32], ...]  # one array for each of the four gates
CODES = {"linear": LINEAR, "sigmoid": SIGMOID, "tanh": TANH, "relu": RELU, "hard_sigmoid": HARD_SIGMOID}


def _compiled(**options: Any) -> Callable:
    """Compile as `compiled` does, for loops that become vector instructions."""
    # A division that checks for zero, and sums that must not be contracted, would not be vectorised.
    return compiled(error_model="numpy", fastmath={"contract"}, nogil=True, **options)


@_compiled(inline="always")
def _exp(x: np.float32) -> np.float32:
    """Compute e^x of one float32, relative error below 2e-7; x is kept within +-87, where float32 ends."""
    f = np.float32
    x = f(87) if x > f(87) else x
    x = f(-87) if x < f(-87) else x
    whole = np.floor(x * f(1.4426950408889634) + f(0.5))  # x = whole * ln 2 + rest, |rest| <= ln 2 / 2
    rest = x - whole * f(0.693359375)  # ln 2 in two parts: the first has so few digits that this is exact
    rest = rest - whole * f(-2.12194440e-4)
    power = f(1 / 5040)  # Taylor's series to the 7th power
    power = power * rest + f(1 / 720)
    power = power * rest + f(1 / 120)
    power = power * rest + f(1 / 24)
    power = power * rest + f(1 / 6)
    power = power * rest + f(1 / 2)
    power = power * rest + f(1)
    power = power * rest + f(1)
    two_to_whole = np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)  # its bits
    return power * two_to_whole


@_compiled()
def activate(x: Row, code: int) -> None:
    """Apply the activation `code` to a row x (U,) in place."""
    zero, one = np.float32(0), np.float32(1)
    if code == SIGMOID:
        for j in range(x.shape[0]):
            x[j] = one / (one + _exp(-x[j]))
    elif code == TANH:
        for j in range(x.shape[0]):
            x[j] = np.float32(2) / (one + _exp(np.float32(-2) * x[j])) - one
    elif code == RELU:
        for j in range(x.shape[0]):
            x[j] = zero if x[j] < zero else x[j]
    elif code == HARD_SIGMOID:
        for j in range(x.shape[0]):
            value = np.float32(0.2) * x[j] + np.float32(0.5)
            value = zero if value < zero else value
            x[j] = one if value > one else value


@_compiled()
def scale_by_slope(x: Row, y: Row, code: int) -> None:
    """Multiply a row x (U,) by the derivative of activation `code` where its value is y (U,)."""
    zero, one = np.float32(0), np.float32(1)
    if code == SIGMOID:
        for j in range(x.shape[0]):
            x[j] *= y[j] * (one - y[j])
    elif code == TANH:
        for j in range(x.shape[0]):
            x[j] *= one - y[j] * y[j]
    elif code == RELU:
        for j in range(x.shape[0]):
            x[j] *= one if y[j] > zero else zero
    elif code == HARD_SIGMOID:
        for j in range(x.shape[0]):
            x[j] *= np.float32(0.2) if (y[j] > zero) & (y[j] < one) else zero


@_compiled()
def _add(out: Row, a: Row, b: Row) -> None:
    for j in range(out.shape[0]):
        out[j] = a[j] + b[j]


@_compiled()
def step_forward(
    products: Rows,
    first: int,
    recurrent: Rows,
    cell_before: NDArray[np.float32],
    cell: NDArray[np.float32],
    output: NDArray[np.float32],
    spread: NDArray[np.float32],
    mask: NDArray[np.float32],
    masked: bool,
    keep: bool,
    activation: int,
    recurrent_activation: int,
) -> None:
    """Compute one step of the cell.

    Parameters
    ----------
    products : four (R, U or 4 U) float32 arrays
        Input products with bias; of the gates one by one, or four times the same array that holds them side by side.
        Rows first .. first + B - 1 belong to this step.
    first : int
    recurrent : four (B, U or 4 U) float32 arrays
        Recurrent products, laid out likewise.
    cell_before, cell, output : (B, U) float32 arrays
        The cell before this step; written: the cell and the output after it.
    spread : (4, B, U) float32 array
        Written if `masked`: the output times the mask of each gate, which the next step's products take.
    mask : (4, B, U) float32 array
    masked : bool
    keep : bool
        Whether the gates overwrite `products`, for the way back.
    activation, recurrent_activation : int
        See `CODES`.
    """
    batch, units = output.shape
    beside = units if products[0].shape[1] > units else 0  # columns from one gate to the next
    recurrent_beside = units if recurrent[0].shape[1] > units else 0
    scratch = np.empty((5, units), np.float32)
    for b in range(batch):
        row = first + b
        p0, p1 = products[0][row, :units], products[1][row, beside : beside + units]
        p2 = products[2][row, 2 * beside : 2 * beside + units]
        p3 = products[3][row, 3 * beside : 3 * beside + units]
        r0, r1 = recurrent[0][b, :units], recurrent[1][b, recurrent_beside : recurrent_beside + units]
        r2 = recurrent[2][b, 2 * recurrent_beside : 2 * recurrent_beside + units]
        r3 = recurrent[3][b, 3 * recurrent_beside : 3 * recurrent_beside + units]
        if keep:
            i, f, g, o = p0, p1, p2, p3
        else:
            i, f, g, o = scratch[0], scratch[1], scratch[2], scratch[3]
        _add(i, p0, r0)
        _add(f, p1, r1)
        _add(g, p2, r2)
        _add(o, p3, r3)
        activate(i, recurrent_activation)
        activate(f, recurrent_activation)
        activate(g, activation)
        activate(o, recurrent_activation)
        before, after, out, squashed = cell_before[b], cell[b], output[b], scratch[4]
        for j in range(units):
            after[j] = f[j] * before[j] + i[j] * g[j]
        for j in range(units):
            squashed[j] = after[j]
        activate(squashed, activation)
        for j in range(units):
            out[j] = o[j] * squashed[j]
        if masked:
            for gate in range(4):
                target, share = spread[gate, b], mask[gate, b]
                for j in range(units):
                    target[j] = out[j] * share[j]


@_compiled()
def step_back(
    gates: Rows,
    first: int,
    cell_before: NDArray[np.float32],
    cell: NDArray[np.float32],
    output_gradient: NDArray[np.float32],
    returned: Rows,
    mask: NDArray[np.float32],
    masked: bool,
    cell_gradient: NDArray[np.float32],
    gradients: Rows,
    activation: int,
    recurrent_activation: int,
) -> None:
    """Compute one step of the cell backwards.

    Parameters
    ----------
    gates : four (R, U) float32 arrays
        Values of the gates; rows first .. first + B - 1 belong to this step.
    first : int
    cell_before, cell : (B, U) float32 arrays
    output_gradient : (B, U) float32 array
        From outside; what the later steps return comes on top.
    returned : four (B, U) float32 arrays
        Gradients of the recurrent inputs of each gate at the next step.
    mask : (4, B, U) float32 array
    masked : bool
    cell_gradient : (B, U) float32 array
        Of the cell after this step; becomes that of the cell before it.
    gradients : four (R, U) float32 arrays
        Written: gradients of the gates before their activation.
    activation, recurrent_activation : int
        See `CODES`.
    """
    batch, units = cell.shape
    scratch = np.empty((2, units), np.float32)
    for b in range(batch):
        row = first + b
        i, f, g, o = gates[0][row], gates[1][row], gates[2][row], gates[3][row]
        di, df, dg, do = gradients[0][row], gradients[1][row], gradients[2][row], gradients[3][row]
        r0, r1, r2, r3 = returned[0][b], returned[1][b], returned[2][b], returned[3][b]
        before, after, outside, carried = cell_before[b], cell[b], output_gradient[b], cell_gradient[b]
        total, squashed = scratch[0], scratch[1]
        if masked:
            m0, m1, m2, m3 = mask[0, b], mask[1, b], mask[2, b], mask[3, b]
            for j in range(units):
                total[j] = outside[j] + (r0[j] * m0[j] + r1[j] * m1[j]) + (r2[j] * m2[j] + r3[j] * m3[j])
        else:
            for j in range(units):
                total[j] = outside[j] + (r0[j] + r1[j]) + (r2[j] + r3[j])
        for j in range(units):
            squashed[j] = after[j]
        activate(squashed, activation)
        for j in range(units):
            do[j] = total[j] * squashed[j]
            total[j] *= o[j]
        scale_by_slope(do, o, recurrent_activation)
        scale_by_slope(total, squashed, activation)
        for j in range(units):
            along = carried[j] + total[j]
            di[j] = along * g[j]
            df[j] = along * before[j]
            dg[j] = along * i[j]
            carried[j] = along * f[j]
        scale_by_slope(di, i, recurrent_activation)
        scale_by_slope(df, f, recurrent_activation)
        scale_by_slope(dg, g, activation)
