"""Inputs of the networks: clips of a split end to end, and batches of stretches cut from them.

Axes: C clips, N frames of all of them, S samples of all of them, B stretches, T video frames.
"""

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # clips are read where nothing is computed with torch
    from torch import Tensor

OPTIONAL = ("landmarks", "features", "targets", "known", "phone")  # arrays of `Clips`, a row a frame, that may be None


@dataclass(frozen=True)
class Clips:
    """Clips of one split, end to end, at one rate.

    Attributes
    ----------
    clips, speakers : (C,) lists of str
    shape : (N, 68, 2) float32 array
    frame_offsets : (C + 1,) int64 array
    audio : (S,) int16 array, or float32 on its scale
    audio_offsets : (C + 1,) int64 array
    rate : int
        Hz.
    landmarks : (N, 68, 2) float32 array or None
        Pixels of the upright source.
    features : (N, F) float32 array or None
        Inputs of the network, where a training file from elsewhere brings them instead of sound.
    targets : (N, ...) float32 array or None
        Targets of the network, likewise.
    known : (N,) bool array or None
        Frames of this split, where splits divide clips, and whose faces are known; None: all.
    phone : (N,) uint8 array or None
        Class of the phone that is spoken, see `media.phone_names`; None: not known.
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
    phone: NDArray | None = None

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.clips)

    def take(self, chosen: Sequence[int] | NDArray[np.int64]) -> "Clips":
        """Return the clips of these indices only."""
        shape, frame_offsets = take_stretches(self.shape, self.frame_offsets, chosen)
        others = {}
        for name in OPTIONAL:
            data = getattr(self, name)
            others[name] = None if data is None else take_stretches(data, self.frame_offsets, chosen)[0]
        audio, audio_offsets = take_stretches(self.audio, self.audio_offsets, chosen)
        return Clips(
            clips=[self.clips[index] for index in chosen],
            speakers=[self.speakers[index] for index in chosen],
            shape=shape,
            frame_offsets=frame_offsets,
            audio=audio,
            audio_offsets=audio_offsets,
            rate=self.rate,
            **others,
        )

    def shape_of(self, index: int) -> NDArray:
        """Return the shapes (T, 68, 2) of clip `index`."""
        return self.shape[self.frame_offsets[index] : self.frame_offsets[index + 1]]

    def audio_of(self, index: int) -> NDArray:
        """Return the samples (S,) of clip `index`."""
        return self.audio[self.audio_offsets[index] : self.audio_offsets[index + 1]]


def take_stretches(
    data: NDArray, offsets: NDArray, chosen: Sequence[int] | NDArray[np.int64]
) -> tuple[NDArray, NDArray[np.int64]]:
    """Take the stretches `chosen` out of an end-to-end array.

    Parameters
    ----------
    data : (N, ...) array or dataset of an HDF5 file
        Stretch i lies from offsets[i] to offsets[i + 1].
    offsets : (C + 1,) array
    chosen : sequence of int

    Returns
    -------
    taken : array
        The chosen stretches, end to end in the order of `chosen`.
    offsets : array
        Theirs.

    Examples
    --------
    >>> taken, offsets = take_stretches(np.array([1, 1, 2, 3, 3, 3]), np.array([0, 2, 3, 6]), [2, 0])
    >>> taken.tolist(), offsets.tolist()
    ([3, 3, 3, 1, 1], [0, 3, 5])
    """
    chosen = np.asarray(chosen)
    lengths = offsets[chosen + 1] - offsets[chosen]
    taken = np.empty((int(lengths.sum()), *data.shape[1:]), data.dtype)
    new_offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    for place, index in zip(new_offsets[:-1], chosen, strict=True):
        piece = data[offsets[index] : offsets[index + 1]]
        taken[place : place + len(piece)] = piece
    return taken, new_offsets


def join(parts: Sequence[Clips]) -> Clips:
    """Join splits of one dataset into one."""
    others = {}
    for name in OPTIONAL:
        found = [getattr(part, name) for part in parts]
        others[name] = None if found[0] is None else np.concatenate(found)
    return Clips(
        clips=[clip for part in parts for clip in part.clips],
        speakers=[speaker for part in parts for speaker in part.speakers],
        shape=np.concatenate([part.shape for part in parts]),
        audio=np.concatenate([part.audio for part in parts]),
        frame_offsets=_join_offsets([part.frame_offsets for part in parts]),
        audio_offsets=_join_offsets([part.audio_offsets for part in parts]),
        rate=parts[0].rate,
        **others,
    )


def _join_offsets(parts: Sequence[NDArray]) -> NDArray:
    lengths = np.concatenate([np.diff(offsets) for offsets in parts])
    return np.concatenate([[0], np.cumsum(lengths)])


def digest_arrays(*parts: Clips) -> str:
    """Return the sha256 of all clips and arrays; a dataset made again with the same content keeps it."""
    state = hashlib.sha256()
    for part in parts:
        for field in dataclasses.fields(part):
            array = getattr(part, field.name)
            if isinstance(array, np.ndarray):
                state.update(np.ascontiguousarray(array).data)
        state.update("\n".join(part.clips).encode())
    return state.hexdigest()


class Batch(NamedTuple):
    """A batch of stretches cut from the corpus.

    Attributes
    ----------
    sound : (B, before + (T - 1) * rate / 25 + after) float32
        In [-1, 1], each clip at the network's `level`; zeros beyond the clip's ends. For a network with
        `hears_frames`, its feature frames (B, before_frames + T + after_frames, F); beyond the clip's ends the first
        and the last frame are repeated.
    target : (B, T, ...) float32
        Of the network's `targets`.
    known : (B, T) bool
        False beyond the clip's ends, for frames that belong to another split, and where only the voice is known.
    noise : (B, N) float32, optional
        As much noise as there is sound, at whatever level; for networks that want it.
    phone : (B, T) int64, optional
        Class of the phone that is spoken, see `media.phone_names`: 0 where that is not known.
    """

    sound: "Tensor"
    target: "Tensor"
    known: "Tensor"
    noise: "Tensor | None" = None
    phone: "Tensor | None" = None
