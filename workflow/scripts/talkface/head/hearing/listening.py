"""What is heard of a sound, and lessons of what was heard and seen.

Axes: T frames, D features, O outputs (52 weights and yaw, pitch, roll), P classes of phones.
"""

import logging
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any, NamedTuple, cast

import h5py
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from talkface.conventions import FPS
from talkface.errors import TalkfaceError
from talkface.face3d import arkit
from talkface.face3d.records import read_motion
from talkface.head.published.mfcc import RATE, WIDTH, windows
from talkface.head.region import SPOKEN
from talkface.media.sound import read_blocks, resample
from talkface.models.base import BaseNetwork
from talkface.models.layers.phone_head import NOW
from talkface.prediction.streaming import predict_samples, predict_sound

log = logging.getLogger(__name__)

OUTPUTS = arkit.COUNT + 3
MOST = 3_000  # frames that are learnt from: two minutes
LEAST = 100  # frames with sound
KINDS = ("ridge", "gru", "atc")


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
            samples = np.concatenate(list(read_blocks(sound, RATE)))
        else:
            samples = resample(sound, rate or RATE, RATE)
        cepstra = windows(samples).reshape(-1, WIDTH)  # two pictures fewer than phones: the last ones are held
        return Heard(cepstra[np.minimum(np.arange(len(phones)), len(cepstra) - 1)], phones)


class Lesson(NamedTuple):
    """Videos of a person one after the other: features (T, D), phones (T, P), outputs (T, O), number of video (T,)."""

    features: NDArray
    phones: NDArray
    target: NDArray
    video: NDArray


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
