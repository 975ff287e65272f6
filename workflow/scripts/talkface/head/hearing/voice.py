"""What a person's mouth and head do at what is heard, learnt from one short video.

What the members of the shipped voice model know of a sound (`listening`) becomes weights of speech and angles of the
head by ridge regression, or by a small GRU; or cepstra do by the published network (`published.atc`). Half a minute of
one person allows no more. Where picture and sound are apart, and how much of a weight is kept back, is found by
cross-validation over stretches of the video. Movement is then made as large as the person's, lips meet where a p, b or
m is heard, and the mouth rests where nobody speaks.

results/persons/{person}/voice.npz: the arrays of `Voice`.

Axes: T frames, D features, O outputs (52 weights and yaw, pitch, roll), P classes of phones.
"""

import logging
from collections.abc import Container, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from talkface.errors import TalkfaceError
from talkface.face3d import arkit
from talkface.face3d.records import Motion, write_weights
from talkface.files import writing
from talkface.head.hearing import gru
from talkface.head.hearing.listening import KINDS, OUTPUTS, Heard, Lesson, gather, listener_of
from talkface.head.hearing.regression import FOLDS, cross_validate, folds, in_context, ridge, shift
from talkface.head.lips import lip_distance, opening
from talkface.head.published import atc
from talkface.head.published.mfcc import ROWS, WIDTH
from talkface.head.region import SPOKEN
from talkface.media.phone_names import BILABIAL, SILENCE, class_of
from talkface.models.checkpoint import load_network

log = logging.getLogger(__name__)

LOUDER = 2.5  # movement is made so many times larger at most
SPREAD_FRAMES = 1.0  # standard deviation: over so many frames lips meet, and a rest begins
CLOSED_SHARE = 0.04  # of a person's frames, in which the mouth is most closed: so it looks where lips meet
# Frames of silence that tell how the person rests, with fewer the closed mouth does; and the share of them, most
# closed, that does: in a short pause the mouth stays open for the next word.
REST_FRAMES, REST_SHARE = 10, 0.3
CLOSING = 0.9  # how far lips are pulled together where a p, b or m is certain
EPOCHS = 100  # of the published network, as published


@dataclass
class Voice:
    """What was learnt of a person.

    Attributes
    ----------
    kind : str
        "ridge", "gru" or "atc".
    mean, scale : (D,) arrays
        Of features.
    coefficients : (len(CONTEXT) * D, O) array
        Of ridge regression; empty for a GRU.
    network : dict of str to array
        The weights of a network; empty for ridge regression.
    basis : (D, KEPT) array
        Principal components that a GRU is given; empty for others.
    middle : (O,) array
        Outputs in the mean.
    opening_spread : float
        Standard deviation of how far the mouth opens while the person speaks, outer-eye distances.
    turn_spread : (3,) array
        Standard deviations of the head's angles, radians.
    closed, rest : (52,) arrays
        Weights where lips meet, and where nobody speaks.
    offset : int
        Frames that the picture comes behind the sound.
    error, error_of_mean, correlation : float
        By cross-validation: mean distance of lip landmarks, % of the outer-eye distance, that of the mean expression,
        and the correlation of the opening.
    interval : float
        Half the width of the 95 % interval of the error, by Student's t over the stretches; NaN where one was judged.
    """

    kind: str
    mean: NDArray
    scale: NDArray
    coefficients: NDArray
    network: dict[str, NDArray]
    basis: NDArray
    middle: NDArray
    opening_spread: float
    turn_spread: NDArray
    closed: NDArray
    rest: NDArray
    offset: int
    error: float
    error_of_mean: float
    correlation: float
    interval: float

    def outputs(self, features: NDArray) -> NDArray[np.float64]:
        """Return what features (T, D) become before it is made as large as the person's, (T, O)."""
        given = (features - self.mean) / self.scale
        if self.kind == "ridge":
            return in_context(given) @ self.coefficients + self.middle
        state = {name: torch.from_numpy(np.asarray(array)) for name, array in self.network.items()}
        if self.kind == "atc":
            return atc.apply(state, features.reshape(-1, ROWS, WIDTH // ROWS), OUTPUTS) + self.middle
        network = gru.Gru(OUTPUTS)
        network.load_state_dict(state)
        with torch.inference_mode():
            return network.eval()(torch.from_numpy(given @ self.basis).float()[None])[0].double().numpy() + self.middle


def learn(
    lesson: Lesson, *, kind: str = "ridge", seed: int = 1, start: dict[str, Tensor] | None = None, epochs: int = EPOCHS
) -> Voice:
    """Learn a person's voice.

    Parameters
    ----------
    lesson : Lesson
    kind : {"ridge", "gru", "atc"}
    seed : int
        Of a network.
    start : dict of str to Tensor, optional
        Weights of general training that `atc` begins with.
    epochs : int
        Of `atc`, which is judged on the last fifth, and learns the rest.
    """
    if kind not in KINDS:
        raise TalkfaceError(f"head.sound: {kind!r}; one of {', '.join(KINDS)} was expected")
    mean, scale = lesson.features.mean(axis=0), lesson.features.std(axis=0) + 1e-6
    given = (lesson.features - mean) / scale
    basis, network, coefficients = np.empty((len(mean), 0)), {}, np.empty((0, OUTPUTS))
    judged = np.ones(len(given), bool)
    if kind == "atc":
        offset, shifted = 0, lesson.target
        middle = shifted.mean(axis=0)
        judged = np.arange(len(given)) >= (1 - 1 / FOLDS) * len(given)
        cepstra = lesson.features.reshape(-1, ROWS, WIDTH // ROWS)
        state = atc.train(
            cepstra[~judged], (shifted - middle)[~judged], lesson.video[~judged], expressions=arkit.COUNT,
            epochs=epochs, seed=seed, start=start,
        )  # fmt: skip
        network = {name: tensor.numpy() for name, tensor in state.items()}
        guessed = atc.apply(state, cepstra, OUTPUTS) + middle
    else:
        offset, kept_back, guessed = cross_validate(given, lesson)
        shifted = shift(lesson.target, lesson.video, offset)
        middle = shifted.mean(axis=0)
    if kind == "gru":
        basis = gru.components(given)
        guessed = gru.guess(given @ basis, shifted, seed)
        network = gru.train(given @ basis, shifted - middle, np.ones(len(shifted), bool), seed)
    elif kind == "ridge":
        coefficients = ridge(in_context(given, video=lesson.video), shifted - middle, kept_back)
    weights, found = shifted[:, : arkit.COUNT], guessed[:, : arkit.COUNT].clip(0, 1)
    open_, seen = opening(weights), opening(found)
    order = np.argsort(open_)
    closed = weights[order[: max(3, round(CLOSED_SHARE * len(order)))]].mean(axis=0)
    silent = lesson.phones[:, SILENCE] > 0.5
    quiet = order[silent[order]]  # most closed first
    return Voice(
        kind, mean, scale, coefficients, network, basis, middle,
        opening_spread=float(open_[~silent].std()) if (~silent).any() else float(open_.std()),
        turn_spread=lesson.target[:, arkit.COUNT :].std(axis=0),
        closed=closed,
        rest=weights[quiet[: round(REST_SHARE * len(quiet))]].mean(axis=0) if len(quiet) >= REST_FRAMES else closed,
        offset=offset,
        error=lip_distance(found[judged], weights[judged]),
        error_of_mean=lip_distance(weights.mean(axis=0, keepdims=True), weights[judged]),
        correlation=float(np.corrcoef(open_[judged], seen[judged])[0, 1]),
        interval=np.nan if kind == "atc" else _interval(found, weights),
    )  # fmt: skip


def _interval(found: NDArray, weights: NDArray) -> float:
    """Return half the width of the 95 % interval of the error of weights (T, 52), over the stretches."""
    errors = np.array([lip_distance(found[rows], weights[rows]) for _, rows in folds(len(weights))])
    return float(stats.t.ppf(0.975, len(errors) - 1) * errors.std(ddof=1) / np.sqrt(len(errors)))


def drive(voice: Voice, heard: Heard) -> Motion:
    """Return what the person's face does at what was heard.

    Parameters
    ----------
    voice : Voice
    heard : Heard
        Of new speech.

    Returns
    -------
    Motion
        Weights (T, 52), those of speech alone, and turns (T, 3) of the head.
    """
    outputs = voice.outputs(heard.features)  # in step, however late the picture of the person's videos was
    silent = gaussian_filter1d(heard.phones[:, SILENCE].astype(np.float64), SPREAD_FRAMES, mode="nearest")
    silent = ((silent - 0.5) / 0.3).clip(0, 1)
    weights = outputs[:, : arkit.COUNT]
    speaks = silent < 0.5
    middle = weights[speaks].mean(axis=0) if speaks.any() else voice.middle[: arkit.COUNT]
    spread = opening(weights[speaks]).std() if speaks.any() else 0.0
    larger = np.clip(voice.opening_spread / max(float(spread), 1e-6), 1.0, LOUDER)
    # A strange voice is another in the mean; what the person does about it is not.
    weights = voice.middle[: arkit.COUNT] + larger * (weights - middle)
    names = sorted({class_of(name) for name in BILABIAL})
    meets = gaussian_filter1d(heard.phones[:, names].sum(axis=1).astype(np.float64), 0.5, mode="nearest")
    meets = (CLOSING * meets).clip(0, 1)[:, None]
    weights = weights + meets * (voice.closed - weights)
    weights = weights + silent[:, None] * (voice.rest - weights)
    turns = outputs[:, arkit.COUNT :]
    moved = turns - turns.mean(axis=0)
    turns = turns.mean(axis=0) + moved * (voice.turn_spread / np.maximum(moved.std(axis=0), 1e-6)).clip(1, 2 * LOUDER)
    log.info("movement made %.2f times as large", larger)
    return Motion(np.where(SPOKEN, weights, 0).clip(0, 1).astype(np.float32), turns.astype(np.float32))


def learn_voice(
    faces: str | Path, audio: str | Path, output: str | Path, *, model: str | Path, kind: str, seed: int = 1,
    general: str | Path | None = None, epochs: int = EPOCHS, threads: int = 1,
) -> None:  # fmt: skip
    """Learn a person's voice from the fitted videos, and write it.

    Parameters
    ----------
    faces, audio : path
        See `gather`.
    output : path
        results/persons/{person}/voice.npz.
    model : path
        Weights of the voice model.
    kind : {"ridge", "gru", "atc"}
    seed : int
    general : path, optional
        Weights of `learn_general`, which `atc` begins with.
    epochs : int
        Of `atc`.
    threads : int
    """
    torch.set_num_threads(threads)
    start = torch.load(general, weights_only=True) if general else None
    lesson = gather(listener_of(kind, load_network(model)), faces, audio)
    voice = learn(lesson, kind=kind, seed=seed, start=start, epochs=epochs)
    log.info(
        "%s: lips %.2f %% (mean expression %.2f), opening %.2f, offset %d frames",
        kind, voice.error, voice.error_of_mean, voice.correlation, voice.offset,
    )  # fmt: skip
    write_voice(voice, output)


def drive_person(voice: str | Path, audio: str | Path, output: str | Path, *, model: str | Path) -> None:
    """Write what a person's face does at a sound file: results/head/{person}/{speech}/expression.tsv."""
    known = read_voice(voice)
    write_weights(drive(known, listener_of(known.kind, load_network(model))(audio)), output)


def learn_general(
    files: Sequence[tuple[str | Path, str | Path]], output: str | Path, *, clips: Container[str], model: str | Path,
    epochs: int,
    seed: int = 1, threads: int = 1,
) -> None:  # fmt: skip
    """Train the published network on the fitted faces of many people.

    Parameters
    ----------
    files : sequence of (faces, audio)
        results/face3d/{shard}.h5 and results/audio/{shard}.h5.
    output : path
        results/head_general/{corpus}.pt.
    clips : container of str
        Those that are learnt from.
    model : path
        Weights of the voice model.
    epochs : int
    seed : int
    threads : int
    """
    torch.set_num_threads(threads)
    listener, lessons, videos = listener_of("atc", load_network(model)), [], 0
    for faces, audio in files:
        try:
            lesson = gather(listener, faces, audio, only=clips, least=atc.FRAMES)
        except TalkfaceError as error:
            log.warning("left out: %s", error)
            continue
        lessons.append(lesson._replace(video=lesson.video + videos))
        videos += int(lesson.video[-1]) + 1
    if not lessons:
        raise TalkfaceError(f"{output}: no clip with a face and a voice; those of the split train were expected")
    features, _, target, video = (np.concatenate(column) for column in zip(*lessons, strict=True))
    state = atc.train(
        features.reshape(-1, ROWS, WIDTH // ROWS), target - target.mean(axis=0), video, expressions=arkit.COUNT,
        epochs=epochs, rate=atc.GENERAL_RATE, seed=seed,
    )  # fmt: skip
    with writing(output) as temporary:
        torch.save(state, temporary)
    log.info("%d pictures of %d clips", len(video), videos)


def write_voice(voice: Voice, output: str | Path) -> None:
    """Write what was learnt."""
    arrays: dict[str, Any] = asdict(voice)
    arrays |= {f"network.{name}": array for name, array in arrays.pop("network").items()}
    arrays = {name: np.asarray(array) for name, array in arrays.items()}
    small: dict[str, Any] = {name: a.astype(np.float32) if a.dtype == np.float64 else a for name, a in arrays.items()}
    with writing(output) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **small)


def read_voice(path: str | Path) -> Voice:
    """Read what was learnt."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    inside = [name for name in arrays if name.startswith("network.")]
    network = {name.removeprefix("network."): arrays.pop(name) for name in inside}
    plain = {name: array.item() if array.ndim == 0 else array for name, array in arrays.items()}
    return Voice(**plain, network=network)
