"""Least squares of a chain of frames with bounds, by coordinate descent.

Axes: T frames, N unknowns a frame, of which the first 52 are weights.
"""

import numpy as np
from numpy.typing import NDArray

from talkface.compiling import compiled
from talkface.face3d import arkit

SWEEPS, ENOUGH = 200, 1e-4


def descend(
    unknown: NDArray,
    quadratic: NDArray,
    pull: NDArray,
    change: NDArray,
    *,
    before: NDArray | None = None,
    sweeps: int = SWEEPS,
    enough: float = ENOUGH,
) -> None:
    """Minimise u Q u / 2 - u p of each frame, and the cost of what changes from frame to frame.

    Parameters
    ----------
    unknown : (T, N) float64 array
        Where to begin; changed in place. Weights, the first 52 of N, stay within 0 .. 1, and so does the sum of the
        jaw's two (`weights.movements`).
    quadratic : (T or 1, N, N) array
        Positive definite; one for all frames, or one each.
    pull : (T, N) array
    change : (N,) array
        What the squared difference of an unknown between neighbours costs.
    before : (T - 1, N) array, optional
        Added to those differences.
    sweeps : int
        At most.
    enough : float
        Largest step of a sweep after which no more are taken.
    """
    if before is None:
        before = np.zeros((max(len(unknown) - 1, 0), unknown.shape[1]))
    jaw, close = arkit.INDEX["jawOpen"], arkit.INDEX["mouthClose"]
    _descend(unknown, quadratic, pull, 2 * change, before, arkit.COUNT, jaw, close, sweeps, enough)


@compiled()
def _descend(
    unknown: NDArray, quadratic: NDArray, pull: NDArray, change: NDArray, before: NDArray, bounded: int, jaw: int,
    close: int, sweeps: int, enough: float,
) -> None:  # fmt: skip
    frames, count = unknown.shape
    slope = -pull
    for t in range(frames):
        slope[t] += quadratic[min(t, len(quadratic) - 1)] @ unknown[t]
    for _ in range(sweeps):
        largest = 0.0
        for t in range(frames):
            matrix = quadratic[min(t, len(quadratic) - 1)]
            for k in range(count):
                diagonal, gradient = matrix[k, k], slope[t, k]
                if t > 0:
                    gradient += change[k] * (unknown[t, k] - unknown[t - 1, k] + before[t - 1, k])
                    diagonal += change[k]
                if t < frames - 1:
                    gradient -= change[k] * (unknown[t + 1, k] - unknown[t, k] + before[t, k])
                    diagonal += change[k]
                step = -gradient / diagonal
                if k < bounded:
                    most = 1.0
                    if k == jaw:
                        most -= unknown[t, close]
                    elif k == close:
                        most -= unknown[t, jaw]
                    step = min(max(unknown[t, k] + step, 0.0), most) - unknown[t, k]
                if step != 0.0:
                    unknown[t, k] += step
                    for other in range(count):
                        slope[t, other] += step * matrix[k, other]
                    largest = max(largest, abs(step))
        if largest < enough:
            break
