"""A small model of lips, learnt in a second: ridge regression of faces on mel bands of the sound around each frame.

Axes: T frames of 40 ms, F features, K numbers of a face, S samples.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from talkface.conventions import FPS, FULL_SCALE
from talkface.models.layers.log_mel import LogMel

RATE = 16_000  # Hz
BANDS = 24
CONTEXT = 8  # frames to either side
PENALTY = 300.0


def hear(samples: NDArray, frames: int) -> NDArray[np.float64]:
    """Describe the sound (S,) int16 at `RATE` around each frame, (T, F); each band has mean 0 and deviation 1."""
    hop = RATE // FPS
    sound = np.concatenate([np.zeros(hop), samples / FULL_SCALE, np.zeros((frames + 2) * hop)])
    mel = LogMel(rate=RATE, bands=BANDS, hop=hop, window=2 * hop)(torch.from_numpy(sound).float()[None])[0].numpy()
    heard = mel[: max(1, len(samples) // hop)]
    mel = (mel[:frames].astype(np.float64) - heard.mean(axis=0)) / (heard.std(axis=0) + 0.1)
    padded = np.pad(mel, ((CONTEXT, CONTEXT), (0, 0)), mode="edge")
    return np.concatenate([padded[k : k + frames] for k in range(2 * CONTEXT + 1)], axis=1)


class Ridge(NamedTuple):
    """Weights (F, K), and the means of what they were learnt from."""

    weights: NDArray
    heard: NDArray
    seen: NDArray

    def predict(self, heard: NDArray) -> NDArray[np.float64]:
        """Predict (T, K) from (T, F)."""
        return (heard - self.heard) @ self.weights + self.seen


def learn(heard: Sequence[NDArray], seen: Sequence[NDArray]) -> Ridge:
    """Learn from clips, (T, F) and (T, K) each."""
    x, y = np.concatenate(heard), np.concatenate(seen)
    centred = x - x.mean(axis=0)
    square = centred.T @ centred + PENALTY * np.eye(x.shape[1])
    return Ridge(np.linalg.solve(square, centred.T @ (y - y.mean(axis=0))), x.mean(axis=0), y.mean(axis=0))


def cross_validate(heard: NDArray, seen: NDArray, *, folds: int = 5) -> float:
    """Correlate a series (T,) with what is predicted of each fifth from the others; frames in reach are left out."""
    found = np.zeros(len(seen))
    for fold in np.array_split(np.arange(len(seen)), folds):
        far = np.abs(np.arange(len(seen))[:, None] - fold).min(axis=1) > 2 * CONTEXT
        found[fold] = learn([heard[far]], [seen[far, None]]).predict(heard[fold])[:, 0]
    return float(np.corrcoef(found, seen)[0, 1])
