"""What networks are given: clips of a split end to end, and batches of stretches cut from them.

Axes: C clips, N frames of all of them, S samples of all of them, B stretches, T video frames.
"""

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:  # clips are read where nothing is computed with torch
    from torch import Tensor


@dataclass(frozen=True)
class Clips:
    """Clips of one split, end to end, at one rate.

    Attributes
    ----------
    clips, speakers : (C,) lists of str
    shape : (N, 68, 2) float32 array
    frame_offsets : (C + 1,) int64 array
    audio : (S,) int16 array
    audio_offsets : (C + 1,) int64 array
    rate : int
        Hz.
    landmarks : (N, 68, 2) float32 array or None
        Pixels of the upright source.
    features : (N, F) float32 array or None
        What a network hears, where a training file from elsewhere brings it instead of sound.
    targets : (N, ...) float32 array or None
        What it aims at, likewise.
    known : (N,) bool array or None
        Frames of this split, where splits divide clips; None: all.
    """

    clips: list[str]
    speakers: list[str]
    shape: NDArray
    frame_offsets: NDArray
    audio: NDArray
    audio_offsets: NDArray
    rate: int
    landmarks: NDArray | None = None
    features: NDArray | None = None
    targets: NDArray | None = None
    known: NDArray | None = None

    def __len__(self) -> int:
        return len(self.clips)

    def take(self, chosen: ArrayLike) -> "Clips":
        """The clips of these indices only."""
        frames = {}
        for name in ("shape", "landmarks", "features", "targets", "known"):
            data = getattr(self, name)
            frames[name] = None if data is None else take_stretches(data, self.frame_offsets, chosen)[0]
        audio, audio_offsets = take_stretches(self.audio, self.audio_offsets, chosen)
        return Clips(
            clips=[self.clips[index] for index in chosen],
            speakers=[self.speakers[index] for index in chosen],
            frame_offsets=take_stretches(self.shape, self.frame_offsets, chosen)[1],
            audio=audio,
            audio_offsets=audio_offsets,
            rate=self.rate,
            **frames,
        )

    def shape_of(self, index: int) -> NDArray:
        """Shapes (T, 68, 2) of clip `index`."""
        return self.shape[self.frame_offsets[index] : self.frame_offsets[index + 1]]

    def audio_of(self, index: int) -> NDArray:
        """Samples (S,) int16 of clip `index`."""
        return self.audio[self.audio_offsets[index] : self.audio_offsets[index + 1]]


def take_stretches(data: NDArray, offsets: NDArray, chosen: ArrayLike) -> tuple[NDArray, NDArray]:
    """Take from an array, or a dataset of an HDF5 file: the stretches `chosen` of an end-to-end array, end to end again, and their offsets."""
    chosen = np.asarray(chosen)
    lengths = offsets[chosen + 1] - offsets[chosen]
    taken = np.empty((int(lengths.sum()), *data.shape[1:]), data.dtype)
    new_offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    for place, index in zip(new_offsets[:-1], chosen, strict=True):
        piece = data[offsets[index] : offsets[index + 1]]
        taken[place : place + len(piece)] = piece
    return taken, new_offsets


def join(parts: Sequence[Clips]) -> Clips:
    """Splits of one dataset as one."""
    arrays = {}
    for name in ("shape", "audio", "landmarks", "features", "targets", "known"):
        found = [getattr(part, name) for part in parts]
        arrays[name] = None if found[0] is None else np.concatenate(found)
    offsets = {
        name: np.concatenate([[0], np.cumsum(np.concatenate([np.diff(getattr(part, name)) for part in parts]))])
        for name in ("frame_offsets", "audio_offsets")
    }
    return Clips(
        clips=[clip for part in parts for clip in part.clips],
        speakers=[speaker for part in parts for speaker in part.speakers],
        rate=parts[0].rate,
        **arrays,
        **offsets,
    )


def digest_arrays(*parts: Clips) -> str:
    """sha256 of what a network sees of the dataset; a file made again with the same content keeps it."""
    state = hashlib.sha256()
    for part in parts:
        for field in dataclasses.fields(part):
            array = getattr(part, field.name)
            if isinstance(array, np.ndarray):
                state.update(np.ascontiguousarray(array).data)
        state.update("\n".join(part.clips).encode())
    return state.hexdigest()


class Batch(NamedTuple):
    """Stretches cut from the corpus.

    Attributes
    ----------
    sound : (B, before + (T - 1) * rate / 25 + after) float32
        In [-1, 1], each clip at the network's `level`; zeros beyond the clip's ends. For a network that hears frames,
        (B, before_frames + T + after_frames, F) of what it listens to; beyond its ends, the clip's first and last.
    target : (B, T, ...) float32
        Of the network's `targets`.
    known : (B, T) bool
        False beyond the clip's ends, and for frames that belong to another split.
    noise : (B, N) float32, optional
        As much noise as there is sound, at whatever level; for networks that want it.
    """

    sound: "Tensor"
    target: "Tensor"
    known: "Tensor"
    noise: "Tensor | None" = None
