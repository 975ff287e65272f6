"""What a person's mouth and head do at what is heard, learnt from one short video.

What the members of the shipped voice model know of a sound (`Listener`) becomes weights of speech and angles of the
head by ridge regression, or by a small GRU; or cepstra do by the published network (`published.atc`). Half a minute of
one person allows no more. Where picture and sound are apart, and how much of a weight is kept back, is found by
cross-validation over stretches of the video. Movement is then made as large as the person's, lips meet where a p, b or
m is heard, and the mouth rests where nobody speaks.

results/persons/{person}/voice.npz: the arrays of `Voice`.

Axes: T frames, D features, O outputs (52 weights and yaw, pitch, roll), P classes of phones.
"""

import logging
from collections.abc import Container, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from torch import Tensor, nn

from talkface.conventions import FPS
from talkface.errors import TalkfaceError
from talkface.face import points
from talkface.face.faces import hold
from talkface.face3d import arkit
from talkface.face3d.bases import load_bases
from talkface.face3d.records import Motion, read_motion, write_weights
from talkface.files import writing
from talkface.head.lips import lip_distance, lips, opening
from talkface.head.published import atc
from talkface.head.published.mfcc import RATE as RATE_OF_CEPSTRA
from talkface.head.published.mfcc import ROWS, WIDTH, windows
from talkface.head.region import SPOKEN
from talkface.media.phone_names import BILABIAL, SILENCE, class_of
from talkface.media.sound import read_blocks, resample
from talkface.models.base import BaseNetwork
from talkface.models.checkpoint import load_network
from talkface.models.layers.phone_head import NOW
from talkface.prediction.streaming import predict_samples, predict_sound

log = logging.getLogger(__name__)

CONTEXT = (-4, -2, 0, 2, 4)  # frames around each that are heard, too
KEPT_BACK = (0.5, 1.0, 2.0, 4.0, 8.0)  # of ridge regression, in mean squared features
OFFSETS = range(-3, 4)  # frames that picture may come behind sound
FOLDS, APART = 5, 5  # stretches of cross-validation, and frames left out between them
OUTPUTS = arkit.COUNT + 3
LOUDER = 2.5  # movement is made so many times larger at most
SPREAD_FRAMES = 1.0  # standard deviation: over so many frames lips meet, and a rest begins
CLOSED_SHARE = 0.04  # of a person's frames, in which the mouth is most closed: so it looks where lips meet
# Frames of silence that tell how the person rests, with fewer the closed mouth does; and the share of them, most
# closed, that does: in a short pause the mouth stays open for the next word.
REST_FRAMES, REST_SHARE = 10, 0.3
CLOSING = 0.9  # how far lips are pulled together where a p, b or m is certain
MOST = 3_000  # frames that are learnt from: two minutes
LEAST = 100  # frames with sound
KEPT = 64  # principal components of features that the GRU is given
HIDDEN, RATE, STEPS, PATIENCE, CROP = 32, 1e-3, 300, 60, 75
KINDS = ("ridge", "gru", "atc")
EPOCHS = 100  # of the published network, as published
EVERY = 5  # steps after which a GRU is judged


class Heard(NamedTuple):
    """What a network knows of a sound: features (T, D), and shares of phones (T, P)."""

    features: NDArray
    phones: NDArray


def listener_of(kind: str, network: BaseNetwork) -> "Listener":
    """Return what listens for a kind of voice."""
    if kind not in KINDS:
        raise TalkfaceError(f"head.sound: {kind!r}; one of {', '.join(KINDS)} was expected")
    return CepstralListener(network) if kind == "atc" else Listener(network)


class Listener:
    """The voice model, asked for what it knows instead of the face that it would show."""

    def __init__(self, network: BaseNetwork):
        self.network, self.members = network, list(cast("Iterable[Any]", getattr(network, "members", [])))
        if not self.members or any(getattr(member, "phones", None) is None for member in self.members):
            raise TalkfaceError(
                "head.voice: the model tells no phones apart; one of network talkface with phone_weight was expected"
            )

    def __call__(self, sound: str | Path | NDArray, rate: int | None = None) -> Heard:
        """Listen to a sound file, or to samples (S,) at `rate` Hz."""
        known: list[list[NDArray]] = [[] for _ in self.members]
        said: list[list[NDArray]] = [[] for _ in self.members]
        hooks = []
        for k, member in enumerate(self.members):

            def keep(_: Any, given: Any, k: int = k) -> None:
                known[k].append(given[0][0].numpy())

            def keep_phones(_: Any, given: Any, out: Tensor, k: int = k) -> None:
                said[k].append(out[0, :, NOW].float().softmax(dim=-1).numpy())

            hooks.append(member.out.register_forward_pre_hook(keep))
            hooks.append(member.phones.register_forward_hook(keep_phones))
        try:
            if isinstance(sound, str | Path):
                frames = sum(len(chunk) for chunk in predict_sound(self.network, sound)[1])
            else:
                frames = len(predict_samples(self.network, sound, rate=rate))
        finally:
            for hook in hooks:
                hook.remove()
        features = np.concatenate([np.concatenate(parts)[:frames] for parts in known], axis=1)
        return Heard(features, np.mean([np.concatenate(parts)[:frames] for parts in said], axis=0))


class CepstralListener(Listener):
    """Cepstra of the published network, and the phones that the voice model hears."""

    def __call__(self, sound: str | Path | NDArray, rate: int | None = None) -> Heard:
        """Listen to a sound file, or to samples (S,) at `rate` Hz."""
        phones = super().__call__(sound, rate).phones
        if isinstance(sound, str | Path):
            samples = np.concatenate(list(read_blocks(sound, RATE_OF_CEPSTRA)))
        else:
            samples = resample(sound, rate or RATE_OF_CEPSTRA, RATE_OF_CEPSTRA)
        return Heard(hold(windows(samples).reshape(-1, WIDTH), len(phones)), phones)


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

    def outputs(self, features: NDArray) -> NDArray[np.float64]:
        """Return what features (T, D) become before it is made as large as the person's, (T, O)."""
        given = (features - self.mean) / self.scale
        if self.kind == "ridge":
            return in_context(given) @ self.coefficients + self.middle
        state = {name: torch.from_numpy(np.asarray(array)) for name, array in self.network.items()}
        if self.kind == "atc":
            return atc.apply(state, features.reshape(-1, ROWS, WIDTH // ROWS), OUTPUTS) + self.middle
        network = Gru(OUTPUTS)
        network.load_state_dict(state)
        with torch.inference_mode():
            return network.eval()(torch.from_numpy(given @ self.basis).float()[None])[0].double().numpy() + self.middle


class Gru(nn.Module):
    """A bidirectional GRU from components of features (B, T, KEPT) to differences from the mean outputs (B, T, O)."""

    def __init__(self, outputs: int):
        super().__init__()
        self.gru = nn.GRU(KEPT, HIDDEN, batch_first=True, bidirectional=True)
        self.drop = nn.Dropout(0.3)
        self.out = nn.Linear(2 * HIDDEN, outputs)

    def forward(self, given: Tensor) -> Tensor:
        """Compute the outputs."""
        return self.out(self.drop(self.gru(self.drop(given))[0]))


def in_context(features: NDArray, context: Sequence[int] = CONTEXT, *, video: NDArray | None = None) -> NDArray:
    """Put features (T, D) of frames around each beside its own, (T, len(context) * D).

    At the ends, of each `video` (T,) if given, the last ones are repeated.
    """
    rows = np.arange(len(features))
    first, last = (0, len(rows) - 1) if video is None else _ends(video)
    return np.concatenate([features[(rows + k).clip(first, last)] for k in context], axis=1)


def _ends(video: NDArray) -> tuple[NDArray, NDArray]:
    """Return the first and the last frame of each frame's video, (T,) each."""
    return np.searchsorted(video, video, side="left"), np.searchsorted(video, video, side="right") - 1


class Lesson(NamedTuple):
    """Videos of a person one after the other: features (T, D), phones (T, P), outputs (T, O), number of video (T,)."""

    features: NDArray
    phones: NDArray
    target: NDArray
    video: NDArray


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
        offset, kept_back, guessed = _cross_validate(given, lesson)
        shifted = _shift(lesson.target, lesson.video, offset)
        middle = shifted.mean(axis=0)
    if kind == "gru":
        basis = _components(given)
        guessed = _guess_by_gru(given @ basis, shifted, seed)
        network = _train(given @ basis, shifted - middle, np.ones(len(shifted), bool), seed)
    elif kind == "ridge":
        coefficients = _ridge(in_context(given, video=lesson.video), shifted - middle, kept_back)
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
    )  # fmt: skip


def folds(frames: int) -> list[tuple[NDArray, NDArray]]:
    """Divide frames into stretches: rows to learn from, and rows to judge, APART frames away."""
    found = []
    for judged in np.array_split(np.arange(frames), FOLDS):
        learnt = np.setdiff1d(np.arange(frames), np.arange(judged[0] - APART, judged[-1] + APART + 1))
        found.append((learnt, judged))
    return found


def _shift(values: NDArray, video: NDArray, offset: int) -> NDArray:
    """Take values (T, O) of `offset` frames later, never those of another video."""
    rows = np.arange(len(values))
    return values[(rows + offset).clip(*_ends(video))]


def _cross_validate(given: NDArray, lesson: Lesson) -> tuple[int, float, NDArray]:
    """Find the offset and how much is kept back, with the outputs guessed for stretches that were not learnt."""
    features = in_context(given, video=lesson.video)
    kernel = features @ features.T / features.shape[1]
    targets = [_shift(lesson.target, lesson.video, offset) for offset in OFFSETS]
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


def _ridge(features: NDArray, target: NDArray, kept_back: float) -> NDArray:
    """Solve ridge regression by its dual, as there are at most `MOST` frames."""
    kernel = features @ features.T / features.shape[1]
    dual = np.linalg.solve(kernel + kept_back * np.eye(len(kernel)), target)
    return features.T @ dual / features.shape[1]


def _components(given: NDArray) -> NDArray:
    """Return principal components (D, KEPT) of features (T, D), the first as far as it spreads."""
    _, size, right = np.linalg.svd(given, full_matrices=False)
    return right[:KEPT].T / (size[0] / np.sqrt(len(given)))


def _guess_by_gru(given: NDArray, target: NDArray, seed: int) -> NDArray:
    guessed = np.empty_like(target)
    for learnt, judged in folds(len(target)):
        middle = target[learnt].mean(axis=0)
        rows = np.isin(np.arange(len(target)), learnt)
        network = Gru(OUTPUTS)
        state = _train(given, target - middle, rows, seed)
        network.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
        with torch.inference_mode():
            guessed[judged] = network.eval()(torch.from_numpy(given).float()[None])[0].numpy()[judged] + middle
    return guessed


def _train(given: NDArray, target: NDArray, learnt: NDArray, seed: int) -> dict[str, NDArray]:
    """Train a GRU on stretches of learnt frames; a fifth of these tell when to stop."""
    torch.manual_seed(seed)
    network = Gru(OUTPUTS)
    x, y = torch.from_numpy(given).float(), torch.from_numpy(target).float()
    expression = torch.from_numpy(load_bases().expression[:, list(points.LIPS)]).float().flatten(1)  # (52, 60)
    rows = np.flatnonzero(learnt)
    judged = np.zeros(len(given), bool)
    judged[rows[-max(1, len(rows) // FOLDS) :]] = True
    weight = torch.from_numpy(learnt & ~judged).float()
    check = torch.from_numpy(learnt & judged).float()
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-2)

    def loss(out: Tensor, wanted: Tensor, of: Tensor) -> Tensor:
        error = out - wanted
        shape = (error[..., : arkit.COUNT] @ expression).square().mean(dim=-1)
        return ((shape + 1e-3 * error.square().mean(dim=-1)) * of).sum() / of.sum().clamp(min=1)

    best, state, waited = float("inf"), network.state_dict(), 0
    crop = min(CROP, len(given))
    generator = np.random.default_rng(seed)
    for step in range(STEPS):
        network.train()
        starts = generator.integers(0, len(given) - crop + 1, 8)
        batch = torch.stack([x[s : s + crop] for s in starts])
        wanted = torch.stack([y[s : s + crop] for s in starts])
        of = torch.stack([weight[s : s + crop] for s in starts])
        optimiser.zero_grad()
        loss(network(batch), wanted, of).backward()
        optimiser.step()
        if step % EVERY:
            continue
        network.eval()
        with torch.inference_mode():
            error = float(loss(network(x[None])[0], y, check))
        if error < best:
            best, waited = error, 0
            state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        else:
            waited += EVERY
            if waited > PATIENCE:
                break
    return {name: tensor.numpy() for name, tensor in state.items()}


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


def gather(
    listener: Listener, faces: str | Path, audio: str | Path, *, only: Container[str] | None = None, least: int = LEAST
) -> Lesson:
    """Gather what is heard and seen in a person's videos.

    Parameters
    ----------
    listener : Listener
    faces : path
        results/persons/{person}/faces.h5.
    audio : path
        results/persons/{person}/audio.h5.
    only : container of str, optional
        Names of videos that may be taken.
    least : int
        Frames that must be there.

    Raises
    ------
    TalkfaceError
        If fewer have both.
    """
    parts: list[Lesson] = []
    with h5py.File(faces, "r") as file, h5py.File(audio, "r") as sounds:
        clips = [clip for clip in file if not file[clip].attrs["rejected"] and len(sounds[clip])]
        clips = [clip for clip in clips if only is None or clip in only]
        for number, clip in enumerate(clips):
            heard = listener(sounds[clip][:], int(sounds[clip].attrs["rate"]))
            motion = read_motion(faces, clip)
            frames = min(len(heard.features), len(motion.weights))
            target = np.concatenate([np.where(SPOKEN, motion.weights, 0), motion.turn], axis=1)[:frames]
            parts.append(
                Lesson(heard.features[:frames], heard.phones[:frames], target.astype(np.float64),
                       np.full(frames, number))
            )  # fmt: skip
    heard_frames = sum(len(part.video) for part in parts)
    if heard_frames < least:
        raise TalkfaceError(
            f"{audio}: {heard_frames / FPS:.1f} s of video with sound; a person who speaks for {least / FPS:g} s was "
            "expected"
        )
    if heard_frames > MOST:
        log.info("the first %d of %d frames are learnt from", MOST, heard_frames)
    return Lesson(*(np.concatenate(column)[:MOST] for column in zip(*parts, strict=True)))


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
