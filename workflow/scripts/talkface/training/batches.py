"""A corpus on its way into training: clips of a split on the device, cut into batches there; the splits of a corpus.

Axes: B stretches, N samples, T video frames, C clips, P frames of all clips end to end, F numbers of a feature frame.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from talkface.conventions import FULL_SCALE
from talkface.errors import TalkfaceError
from talkface.media.sound import Leveller
from talkface.models.base import BaseNetwork
from talkface.models.inputs import Batch, Clips, join
from talkface.noise.bank import NoiseBank, add_noise

SPLITTERS = ("sheet", "window", "clip", "speaker")
VALID_SHARE = 0.08  # of what a model splits by itself, as Eskimez et al. 2020 do


def add_noisy_copies(part: Clips, noise: NoiseBank, *, copies: int, snr_db: Sequence[float], seed: int) -> Clips:
    """A part followed by copies of its clips with noise, so that any network may learn from both.

    Parameters
    ----------
    part : Part
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
    noisy = []
    for _ in range(copies):
        audio = np.empty_like(part.audio)
        for first, last in zip(part.audio_offsets[:-1], part.audio_offsets[1:], strict=True):
            clean = torch.from_numpy(part.audio[first:last].astype(np.float32))[None]  # (1, S)
            draw = torch.from_numpy(generator.random((1, 2), np.float32))
            mixed = add_noise(clean, noise.cut(draw, clean.shape[1]), torch.tensor(generator.uniform(*snr_db)))[0]
            mixed = mixed * min(1.0, (FULL_SCALE - 1) / float(mixed.abs().max().clamp(min=1)))
            audio[first:last] = mixed.round().short().numpy()
        noisy.append(replace(part, audio=audio))
    return join([part, *noisy])


class Shape(Protocol):
    """What of the settings decides which stretches make a batch."""

    stretches: int
    frames: int


class Batches:
    """Clips of one split on the device, from which stretches are cut.

    Parameters
    ----------
    part : Part
    network : BaseNetwork
        Says what it hears of a clip, how much of it a frame needs, and what it aims at.
    device : torch.device
    noise : NoiseBank, optional
        For networks that want it.
    """

    def __init__(self, part: Clips, network: BaseNetwork, device: torch.device, *, noise: NoiseBank | None = None):
        self.lengths = np.diff(part.frame_offsets)  # (C), frames; on the host, where epochs are planned
        self.target = torch.from_numpy(np.ascontiguousarray(network.targets(part), np.float32)).to(device)  # (P, ...)
        self.frame_offsets = torch.from_numpy(part.frame_offsets).to(device)
        self.known = None if part.known is None else torch.from_numpy(part.known).to(device)  # (P)
        self.noise = noise.to(device) if noise and network.wants_noise else None
        if network.hears_frames:
            self.before, self.after, self.hop = network.before_frames, network.after_frames, 1
            sound = _listen(part, network)  # (P, F)
            self.sound, self.sound_offsets = sound.to(device), self.frame_offsets
        else:
            self.before, self.after, self.hop = network.before, network.after, network.hop
            samples, gain = _level(part, network)
            self.sound = torch.from_numpy(samples).to(device)  # (S)
            self.sound_offsets = torch.from_numpy(part.audio_offsets).to(device)
            self.gain = torch.from_numpy(gain).to(device)  # (C)
        self.hears_frames = network.hears_frames

    def cut(self, clip: Tensor, start: Tensor, frames: int, draw: Tensor | None = None) -> Batch:
        """Stretches of `frames` frames that begin at frame `start` (B) of clips `clip` (B), on the device.

        `draw` (B, 2), uniform in [0, 1), says which noise belongs to each.
        """
        device = self.sound.device
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
        known, index = frame < last - first, torch.minimum(frame + first, last - 1)
        if self.known is not None:
            known = known & self.known[index]
        noise = None if self.noise is None else self.noise.cut(draw, size)
        return Batch(sound, self.target[index], known, noise)


def _listen(part: Clips, network: BaseNetwork) -> Tensor:
    """What a network that hears frames hears of all clips, (P, F)."""
    if part.features is not None:
        return torch.from_numpy(part.features)
    heard = []
    with torch.inference_mode():
        for index, frames in enumerate(np.diff(part.frame_offsets)):
            audio = torch.from_numpy(_leveller(part, index, network).apply(part.audio_of(index)))
            heard.append(network.listen(audio, int(frames)))
    return torch.cat(heard).clone()


def _level(part: Clips, network: BaseNetwork) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """Samples (S,) of all clips, and the factor (C,) that levels each."""
    levellers = [_leveller(part, index, network) for index in range(len(part))]
    gain = np.array([leveller.gain for leveller in levellers], np.float32)
    if network.level != "running":
        return part.audio, gain
    samples = np.empty_like(part.audio)
    for index, leveller in enumerate(levellers):
        first, last = part.audio_offsets[index : index + 2]
        levelled = leveller.apply(part.audio[first:last]) * FULL_SCALE
        samples[first:last] = np.clip(np.round(levelled), -FULL_SCALE, FULL_SCALE - 1)
    return samples, gain


def _leveller(part: Clips, index: int, network: BaseNetwork) -> Leveller:
    peak = np.abs(part.audio_of(index).astype(np.float32)).max(initial=0) / FULL_SCALE
    return Leveller(network.level, rate=part.rate, peak=peak)


def resplit(parts: Sequence[Clips], how: str, *, seed: int) -> tuple[Clips, Clips]:
    """Training and validation clips as a model wants them divided; the test clips are never touched.

    Parameters
    ----------
    parts : sequence of Part
        Training and validation clips as the sheet has them, or one part of all clips there are.
    how : {"sheet", "window", "clip", "speaker"}
        sheet: leave them; the others pool them and take 8 % for validation: of the frames, so that overlapping windows
        of one clip stand on both sides (published), of the clips, of the speakers.
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
    """Stretches of one epoch in random order, (number, 2): clip and first frame.

    The stretches of a clip lie evenly from its first frame to its last, so that its ends count like its middle; the
    inner ones are moved by chance. A clip that has room for one only gives it from a random frame on.
    """
    plan = []
    for clip, (length, count) in enumerate(zip(lengths, count_stretches(lengths, frames), strict=True)):
        room = max(0, int(length) - frames)
        if count == 1:
            starts = generator.integers(0, room + 1, 1)
        else:
            starts = np.linspace(0, room, count)
            starts[1:-1] += generator.uniform(-0.25, 0.25, count - 2) * room / (count - 1)
        plan += [(clip, round(start)) for start in starts]
    return generator.permutation(np.array(plan, np.int64))


def count_stretches(lengths: NDArray, frames: int) -> NDArray[np.int64]:
    """Stretches of `frames` frames that clips of `lengths` (C) frames give in an epoch, (C); at least one each."""
    return np.maximum(1, np.round(np.asarray(lengths) / frames)).astype(np.int64)


def batches(
    corpus: Batches, settings: Shape, *, seed: int, first_step: int, last_step: int
) -> Iterator[tuple[int, Batch]]:
    """Steps first_step .. last_step - 1 and their batches, the same whichever step is the first."""
    step, device = first_step, corpus.sound.device
    per_epoch = steps_per_epoch(corpus.lengths, settings)
    while step < last_step:
        epoch, position = divmod(step, per_epoch)
        generator = np.random.default_rng([seed, epoch])
        plan = plan_epoch(corpus.lengths, settings.frames, generator)
        on_device = torch.from_numpy(plan).to(device)
        draws = torch.from_numpy(generator.random((len(plan), 2), np.float32)).to(device)  # which noise
        for place in range(position, min(per_epoch, position + last_step - step)):
            taken = slice(place * settings.stretches, (place + 1) * settings.stretches)
            clip, start = on_device[taken].T
            yield step, corpus.cut(clip, start, settings.frames, draws[taken])
            step += 1


def steps_per_epoch(lengths: NDArray, settings: Shape) -> int:
    """Full batches of one epoch, at least one."""
    return max(1, int(count_stretches(lengths, settings.frames).sum()) // settings.stretches)
