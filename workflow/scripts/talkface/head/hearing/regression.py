"""Ridge regression with cross-validation over stretches of a person's videos.

Axes: T frames, D features, O outputs.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from talkface.face3d import arkit
from talkface.head.hearing.listening import OUTPUTS, Lesson
from talkface.head.lips import lips

CONTEXT = (-4, -2, 0, 2, 4)  # frames around each that are heard, too
KEPT_BACK = (0.5, 1.0, 2.0, 4.0, 8.0)  # in mean squared features
OFFSETS = range(-3, 4)  # frames that picture may come behind sound
FOLDS, APART = 5, 5  # stretches of cross-validation, and frames left out between them


def in_context(features: NDArray, context: Sequence[int] = CONTEXT, *, video: NDArray | None = None) -> NDArray:
    """Put features (T, D) of frames around each beside its own, (T, len(context) * D).

    At the ends, of each `video` (T,) if given, the last ones are repeated.
    """
    rows = np.arange(len(features))
    first, last = (0, len(rows) - 1) if video is None else ends(video)
    return np.concatenate([features[(rows + k).clip(first, last)] for k in context], axis=1)


def ends(video: NDArray) -> tuple[NDArray, NDArray]:
    """Return the first and the last frame of each frame's video, (T,) each."""
    return np.searchsorted(video, video, side="left"), np.searchsorted(video, video, side="right") - 1


def shift(values: NDArray, video: NDArray, offset: int) -> NDArray:
    """Take values (T, O) of `offset` frames later, never those of another video."""
    rows = np.arange(len(values))
    return values[(rows + offset).clip(*ends(video))]


def folds(frames: int) -> list[tuple[NDArray, NDArray]]:
    """Divide frames into stretches: rows to learn from, and rows to judge, APART frames away."""
    found = []
    for judged in np.array_split(np.arange(frames), FOLDS):
        learnt = np.setdiff1d(np.arange(frames), np.arange(judged[0] - APART, judged[-1] + APART + 1))
        found.append((learnt, judged))
    return found


def cross_validate(given: NDArray, lesson: Lesson) -> tuple[int, float, NDArray]:
    """Find the offset and how much is kept back, with the outputs guessed for stretches that were not learnt."""
    features = in_context(given, video=lesson.video)
    kernel = features @ features.T / features.shape[1]
    targets = [shift(lesson.target, lesson.video, offset) for offset in OFFSETS]
    guessed = {(offset, kept): np.empty_like(lesson.target) for offset in OFFSETS for kept in KEPT_BACK}
    for learnt, judged in folds(len(given)):
        middles = [target[learnt].mean(axis=0) for target in targets]
        wanted = np.concatenate([target[learnt] - m for target, m in zip(targets, middles, strict=True)], axis=1)
        values, vectors = np.linalg.eigh(kernel[np.ix_(learnt, learnt)])
        across, turned = kernel[np.ix_(judged, learnt)] @ vectors, vectors.T @ wanted
        for kept in KEPT_BACK:
            found = across @ (turned / (values + kept)[:, None])
            for k, offset in enumerate(OFFSETS):
                guessed[offset, kept][judged] = found[:, k * OUTPUTS : (k + 1) * OUTPUTS] + middles[k]
    best: tuple[float, int, float] | None = None
    for (offset, kept), found in guessed.items():
        target = targets[offset - OFFSETS.start]
        error = np.square(lips(found[:, : arkit.COUNT].clip(0, 1)) - lips(target[:, : arkit.COUNT])).mean()
        # Nought unless another is surely better: an offset that is found wrong is worse than none.
        error *= 1.02 if offset else 1.0
        if best is None or error < best[0]:
            best = error, offset, kept
    assert best is not None
    return best[1], best[2], guessed[best[1], best[2]]


def ridge(features: NDArray, target: NDArray, kept_back: float) -> NDArray:
    """Solve ridge regression by its dual, as there are at most `listening.MOST` frames."""
    kernel = features @ features.T / features.shape[1]
    dual = np.linalg.solve(kernel + kept_back * np.eye(len(kernel)), target)
    return features.T @ dual / features.shape[1]
