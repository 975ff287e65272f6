"""Batches of stretches, cut from the clips of a split on the device, and the division into training and validation.

Axes: B stretches, N samples, T video frames, C clips, P frames of all clips end to end, F numbers of a feature frame.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from talkface.conventions import FULL_SCALE
from talkface.errors import TalkfaceError
from talkface.media.sound import Leveller, loudest
from talkface.models.base import BaseNetwork
from talkface.models.inputs import Batch, Clips, join
from talkface.noise.bank import NoiseBank, add_noise

SPLITTERS = ("sheet", "none", "window", "clip", "speaker")
EMPTY_FRAMES = 75
LAST_BATCHES = ("drop", "keep", "wrap")
VALID_SHARE = 0.08  # of what a model splits by itself, as Eskimez et al. 2020 do


def add_noisy_copies(part: Clips, noise: NoiseBank, *, copies: int, snr_db: Sequence[float], seed: int) -> Clips:
    """Append noisy copies of its clips to a part, so that any network may learn from both.

    Parameters
    ----------
    part : Clips
    noise : NoiseBank
        At the rate of the part.
    copies : int
        How many times each clip is repeated, each time with other noise.
    snr_db : (lowest, highest)
        dB; of each clip as a whole, uniform.
    seed : int

    Raises
    ------
    TalkfaceError
        If the part brings features instead of sound.
    """
    if part.features is not None:
        raise TalkfaceError("models: noisy_copies needs sound, but the training file holds features; set 0")
    generator = np.random.default_rng([seed, len(part)])
    lowest, highest = snr_db
    noisy = []
    for _ in range(copies):
        audio = np.empty_like(part.audio)
        whole = audio.dtype == np.int16
        for first, last in zip(part.audio_offsets[:-1], part.audio_offsets[1:], strict=True):
            clean = torch.from_numpy(part.audio[first:last].astype(np.float32))[None]  # (1, S)
            draw = torch.from_numpy(generator.random((1, 2), np.float32))
            ratio = torch.tensor(generator.uniform(lowest, highest))
            mixed = add_noise(clean, noise.cut(draw, clean.shape[1]), ratio)[0]
            if whole:
                mixed = (mixed * min(1.0, (FULL_SCALE - 1) / float(mixed.abs().max().clamp(min=1)))).round().short()
            audio[first:last] = mixed.numpy()
        noisy.append(replace(part, audio=audio))
    return join([part, *noisy])


class Shape(Protocol):
    """Settings that decide which stretches make a batch."""

    @property
    def stretches(self) -> int:
        """Stretches of a batch."""

    @property
    def frames(self) -> int:
        """Frames of a stretch."""

    @property
    def last_batch(self) -> str:
        """What becomes of the stretches of an epoch that fill no batch, see `Recipe`."""


class Batches:
    """Clips of one split on the device, from which stretches are cut.

    Parameters
    ----------
    part : Clips
    network : BaseNetwork
        Says what its inputs are, how many of them a frame needs, and what its targets are.
    device : torch.device
    noise : NoiseBank, optional
        For networks that want it.
    empty_clip : bool
        Whether a clip of zeros, `EMPTY_FRAMES` long, stands behind the others, for networks that hear frames.

    Raises
    ------
    TalkfaceError
        If an empty clip is wanted for a network that hears samples.
    """

    def __init__(
        self,
        part: Clips,
        network: BaseNetwork,
        device: torch.device,
        *,
        noise: NoiseBank | None = None,
        empty_clip: bool = False,
    ):
        if empty_clip and not network.hears_frames:
            raise TalkfaceError("models: empty_clip is for networks that hear frames of features, as lstm; set false")
        rows = EMPTY_FRAMES if empty_clip else 0
        offsets = np.append(part.frame_offsets, [part.frame_offsets[-1] + rows] * empty_clip).astype(np.int64)
        # Frames (C) that are learnt from, and the first of a clip; on the host, where epochs are planned.
        self.first, self.lengths = network.learns_from(np.diff(offsets))
        self.learnt = torch.from_numpy(self.lengths).to(device)
        target = np.ascontiguousarray(network.targets(part), np.float32)  # (P, ...)
        self.target = _with_rows(torch.from_numpy(target), rows).to(device)
        self.frame_offsets = torch.from_numpy(offsets).to(device)
        self.known = None
        if part.known is not None:
            self.known = torch.from_numpy(np.append(part.known, np.ones(rows, bool))).to(device)  # (P)
        self.phone = None if part.phone is None else _with_rows(torch.from_numpy(part.phone), rows).to(device)  # (P)
        self.noise = noise.to(device) if noise and network.wants_noise else None
        if network.hears_frames:
            self.before, self.after, self.hop = network.before_frames, network.after_frames, 1
            sound = _with_rows(_listen(part, network), rows)  # (P, F)
            self.sound, self.sound_offsets = sound.to(device), self.frame_offsets
        else:
            self.before, self.after, self.hop = network.before, network.after, network.hop
            samples, gain = _level(part, network)
            self.sound = torch.from_numpy(samples).to(device)  # (S)
            self.sound_offsets = torch.from_numpy(part.audio_offsets).to(device)
            self.gain = torch.from_numpy(gain).to(device)  # (C)
        self.hears_frames = network.hears_frames

    def cut(self, clip: Tensor, start: Tensor, frames: int, draw: Tensor | None = None) -> Batch:
        """Cut stretches of `frames` frames that begin at frame `start` (B) of clips `clip` (B), on the device.

        Frame 0 is the first of a clip that is learnt from.
        `draw` (B, 2), uniform in [0, 1), says which noise belongs to each; needed where there is noise.
        """
        device = self.sound.device
        start, end = start + self.first, self.first + self.learnt[clip][:, None]
        size = self.before + (frames - 1) * self.hop + self.after + (1 if self.hears_frames else 0)
        place = (start * self.hop - self.before)[:, None] + torch.arange(size, device=device)  # (B, N)
        first, last = self.sound_offsets[clip][:, None], self.sound_offsets[clip + 1][:, None]
        inside = (place >= 0) & (place < last - first)
        index = (torch.minimum(place.clamp(min=0) + first, last - 1)).clamp(min=0)
        sound = self.sound[index].float()  # (B, N), (B, T + context, F)
        if not self.hears_frames:  # beyond its ends a clip is silent; a frame out of reach repeats the nearest
            sound = sound * (self.gain[clip][:, None] * inside)
        frame = start[:, None] + torch.arange(frames, device=device)  # (B, T)
        first, last = self.frame_offsets[clip][:, None], self.frame_offsets[clip + 1][:, None]
        known, index = frame < end, torch.minimum(frame + first, last - 1)
        if self.known is not None:
            known = known & self.known[index]
        noise = None
        if self.noise is not None:
            assert draw is not None
            noise = self.noise.cut(draw, size)
        phone = None
        if self.phone is not None:
            phone = self.phone[index].long() * (frame < end)
        return Batch(sound, self.target[index], known, noise, phone)


def _with_rows(data: Tensor, rows: int) -> Tensor:
    """Append rows of zeros to (P, ...)."""
    return torch.cat([data, data.new_zeros(rows, *data.shape[1:])]) if rows else data


def _listen(part: Clips, network: BaseNetwork) -> Tensor:
    """Compute the feature frames (P, F) of all clips."""
    if part.features is not None:
        return torch.from_numpy(part.features)
    heard = []
    with torch.inference_mode():
        for index, frames in enumerate(np.diff(part.frame_offsets)):
            audio = torch.from_numpy(_leveller(part, index, network).apply(part.audio_of(index)))
            heard.append(network.listen(audio, int(frames)))
    return torch.cat(heard).clone()


def _level(part: Clips, network: BaseNetwork) -> tuple[NDArray, NDArray[np.float32]]:
    """Return the samples (S,) of all clips, int16 or on its scale, and the factor (C,) that levels each."""
    levellers = [_leveller(part, index, network) for index in range(len(part))]
    gain = np.array([leveller.gain for leveller in levellers], np.float32)
    if not levellers[0].follows:
        return part.audio, gain
    samples = np.empty(len(part.audio), np.int16)
    for index, leveller in enumerate(levellers):
        first, last = part.audio_offsets[index : index + 2]
        levelled = leveller.apply(part.audio[first:last]) * FULL_SCALE
        samples[first:last] = np.clip(np.round(levelled), -FULL_SCALE, FULL_SCALE - 1)
    return samples, gain


def _leveller(part: Clips, index: int, network: BaseNetwork) -> Leveller:
    level = network.level if part.targets is None else network.file_level
    return Leveller(level, rate=part.rate, peak=loudest([part.audio_of(index)]))


def resplit(parts: Sequence[Clips], how: str, *, seed: int) -> tuple[Clips, Clips]:
    """Divide clips into training and validation as a model wants it; the test clips are never touched.

    Parameters
    ----------
    parts : sequence of Clips
        Training and validation clips as the sheet has them, or one part of all clips there are.
    how : {"sheet", "none", "window", "clip", "speaker"}
        sheet: leave them; none: learn from all of them, and judge by the same (published); the others pool them and
        take 8 % for validation: of the frames, so that overlapping windows of one clip stand on both sides
        (published), of the clips, of the speakers.
    seed : int

    Raises
    ------
    TalkfaceError
        If there is only one clip, or speaker, to divide.
    """
    if how == "sheet":
        train, valid = parts
        return train, valid
    whole, generator = join(parts), np.random.default_rng(seed)
    if how == "none":
        return whole, whole
    if how == "window":
        chosen = generator.random(len(whole.shape)) < VALID_SHARE
        chosen[generator.integers(len(chosen))] = True  # one at least
        return replace(whole, known=~chosen), replace(whole, known=chosen)
    names = np.array(whole.speakers if how == "speaker" else whole.clips)
    groups = np.unique(names)
    if len(groups) < 2:
        raise TalkfaceError(
            f"models: split is {how!r}, but training and validation clips have one {how} only; choose split: window or "
            "sheet, or add clips"
        )
    taken = generator.permutation(groups)[: max(1, round(VALID_SHARE * len(groups)))]
    inside = np.isin(names, taken)
    return whole.take(np.flatnonzero(~inside)), whole.take(np.flatnonzero(inside))


def plan_epoch(lengths: NDArray, frames: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Plan one epoch: its stretches in random order, (number, 2), as clip and first frame.

    The stretches of a clip lie evenly from its first frame to its last, so that its ends count like its middle; the
    inner ones are moved by chance. A clip that has room for one only gives it from a random frame on.

    Examples
    --------
    >>> plan = plan_epoch(np.array([16, 32]), 16, np.random.default_rng(0))
    >>> sorted(plan.tolist())
    [[0, 0], [1, 0], [1, 16]]
    """
    plan = []
    for clip, (length, count) in enumerate(zip(lengths, count_stretches(lengths, frames), strict=True)):
        room = max(0, int(length) - frames)
        if count == 1:
            starts: NDArray = generator.integers(0, room + 1, 1)
        else:
            starts = np.linspace(0, room, count)
            starts[1:-1] += generator.uniform(-0.25, 0.25, count - 2) * room / (count - 1)
        plan += [(clip, round(start)) for start in starts]
    return generator.permutation(np.array(plan, np.int64))


def count_stretches(lengths: NDArray, frames: int) -> NDArray[np.int64]:
    """Count the stretches of `frames` frames that clips of `lengths` (C) frames give in an epoch; at least one each.

    Examples
    --------
    >>> count_stretches(np.array([10, 40, 100]), 20).tolist()
    [1, 2, 5]
    """
    return np.maximum(1, np.round(np.asarray(lengths) / frames)).astype(np.int64)


def batches(
    corpus: Batches, settings: Shape, *, seed: int, first_step: int, last_step: int
) -> Iterator[tuple[int, Batch]]:
    """Yield the steps first_step .. last_step - 1 with their batches, the same whichever step is the first."""
    device, per_epoch = corpus.sound.device, steps_per_epoch(corpus.lengths, settings)
    total, size = int(count_stretches(corpus.lengths, settings.frames).sum()), settings.stretches

    @functools.lru_cache(maxsize=2)  # a batch seldom reaches over more than one end
    def plan(turn: int) -> tuple[Tensor, Tensor]:
        """Plan the stretches of one turn through the corpus, and draw which noise belongs to each."""
        generator = np.random.default_rng([seed, turn])
        stretches = torch.from_numpy(plan_epoch(corpus.lengths, settings.frames, generator)).to(device)
        return stretches, torch.from_numpy(generator.random((len(stretches), 2), np.float32)).to(device)

    for step in range(first_step, last_step):
        epoch, place = divmod(step, per_epoch)
        first = epoch * total + place * size  # places in all turns, one behind the other
        last = min(first + size, (epoch + 1) * total)
        if settings.last_batch == "wrap":  # without a seam
            first, last = step * size, (step + 1) * size
        parts = []
        while first < last:
            turn, begin = divmod(first, total)
            parts.append([part[begin : begin + last - first] for part in plan(turn)])
            first += len(parts[-1][0])
        stretches, draws = map(torch.cat, zip(*parts, strict=True))
        clip, start = stretches.T
        yield step, corpus.cut(clip, start, settings.frames, draws)


def joined(corpus: Iterator[tuple[int, Batch]], more: Iterator[tuple[int, Batch]]) -> Iterator[tuple[int, Batch]]:
    """Yield the steps of a corpus with the stretches of another beside its own."""
    for (step, batch), (_, other) in zip(corpus, more, strict=True):
        if batch.phone is None and other.phone is not None:
            batch = batch._replace(phone=batch.known.new_zeros(batch.known.shape, dtype=torch.long))
        both = {
            name: torch.cat([value, getattr(other, name)])
            for name, value in batch._asdict().items()
            if value is not None
        }
        yield step, batch._replace(**both)


def steps_per_epoch(lengths: NDArray, settings: Shape) -> int:
    """Count the batches of one epoch; at least one.

    Examples
    --------
    >>> from talkface.training.recipe import Recipe
    >>> kinds = [Recipe(network="lstm", stretches=128, frames=75, last_batch=kind) for kind in LAST_BATCHES]
    >>> [steps_per_epoch(np.full(300, 75), kind) for kind in kinds]  # 2.3 batches
    [2, 3, 3]
    """
    full, rest = divmod(int(count_stretches(lengths, settings.frames).sum()), settings.stretches)
    return max(1, full + {"drop": 0, "keep": int(rest > 0), "wrap": 1}[settings.last_batch])
