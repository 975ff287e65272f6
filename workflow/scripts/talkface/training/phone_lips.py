"""Faces for voices that nobody filmed: what the corpus's people do, on average, when these phones are spoken.

A ridge regression of the faces on which phones are spoken from 120 ms before to 160 ms after a frame, learnt from the
clips whose phones are known. It moves nobody's lips as they moved; from many voices it teaches what lips do at a sound
that one speaker of the corpus says in one way alone.
"""

import dataclasses
import logging

import numpy as np
from numpy.typing import NDArray

from talkface.media.phone_names import CLASSES, UNKNOWN, class_of
from talkface.models.inputs import Clips

log = logging.getLogger(__name__)

TAPS = range(-3, 5)  # frames beside
PENALTY = 10.0
SELDOM = 25  # frames: a phone that the corpus says less often is taken for its neighbour
NEIGHBOURS = {"uh": "uw", "ng": "n", "sh": "ch", "zh": "jh", "hh": "ah", "oy": "ow", "er": "r", "th": "dh", "aw": "ah"}
LEAST = 1_000  # frames with phones that a table is learnt from


def lend_faces(voices: Clips, corpus: Clips) -> Clips:
    """Give voices the faces that the people of a corpus would have; unchanged where its phones are hardly known.

    Parameters
    ----------
    voices, corpus : Clips
        With phones.

    Returns
    -------
    Clips
        Of the voices; a face is known at each frame whose phone is.
    """
    learnt = np.zeros(0, bool) if corpus.phone is None else corpus.phone != UNKNOWN
    if corpus.known is not None:
        learnt = learnt & corpus.known
    if voices.phone is None or learnt.sum() < LEAST:
        log.info("voices get no faces: phones of %d frames of the corpus are known, %d are needed", learnt.sum(), LEAST)
        return voices
    assert corpus.phone is not None
    counts = np.bincount(corpus.phone[learnt], minlength=CLASSES)
    named = np.arange(CLASSES)
    for name, neighbour in NEIGHBOURS.items():
        if counts[class_of(name)] < SELDOM:
            named[class_of(name)] = class_of(neighbour)
    heard, face = _presence(corpus, named)[learnt], corpus.shape[learnt].reshape(learnt.sum(), -1)
    middle, mean = heard.mean(axis=0), face.mean(axis=0)
    heard = heard - middle
    weights = np.linalg.solve(heard.T @ heard + PENALTY * np.eye(heard.shape[1]), heard.T @ (face - mean))
    faces = (_presence(voices, named) - middle) @ weights + mean
    return dataclasses.replace(
        voices,
        shape=faces.reshape(-1, *corpus.shape.shape[1:]).astype(np.float32),
        known=voices.phone != UNKNOWN,
    )


def _presence(part: Clips, named: NDArray[np.int64]) -> NDArray[np.float32]:
    """Tell which phones are spoken about each frame, (N, taps x classes) of 0 and 1."""
    assert part.phone is not None
    each = np.eye(CLASSES, dtype=np.float32)[named[part.phone]]  # (N, classes)
    found = np.empty((len(each), len(TAPS), CLASSES), np.float32)
    for first, last in zip(part.frame_offsets[:-1], part.frame_offsets[1:], strict=True):
        place = np.arange(first, last)[:, None] + np.array(TAPS)
        found[first:last] = each[place.clip(first, last - 1)]
    return found.reshape(len(each), -1)
