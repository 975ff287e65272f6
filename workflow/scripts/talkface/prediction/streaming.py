"""Streaming prediction: landmarks from speech of any length in bounded memory, by any trained network.

Sound is read twice, in blocks: once for its peak, which may set the level (`sound.Leveller`), once for the faces.
The network runs over chunks of frames; neighbouring chunks overlap by the sound a frame needs, and a recurrent network
hands its state on, so that the cut changes nothing. A network that draws while predicting (published dropout) draws
from the same seed for every file.

T = floor(L / 320) + 1 frames for L samples at 8 kHz, whatever rate the file or the network has; frame i stands for the
instant i/25 s.
"""

import logging
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from talkface.conventions import FPS, FULL_SCALE
from talkface.errors import TalkfaceError
from talkface.files import writing
from talkface.media.sound import Leveller, count_frames, read_blocks
from talkface.models.base import BaseNetwork
from talkface.models.checkpoint import load_network
from talkface.models.devices import choose_device

log = logging.getLogger(__name__)

CHUNK_FRAMES = 100  # 4 s: the overlap costs 6 %, and what the layers hand on still fits the processor's cache
BAR_FROM_FRAMES = 60 * FPS  # shorter files are done before a bar can be read


def predict_chunks(
    network: BaseNetwork,
    blocks: Iterable[NDArray[np.int16]],
    *,
    frames: int,
    leveller: Leveller,
    chunk_frames: int = CHUNK_FRAMES,
    device: torch.device | str = "cpu",
) -> Iterator[NDArray[np.float32]]:
    """Predict the shapes of a stream of sound, chunk by chunk.

    Parameters
    ----------
    network : BaseNetwork
        In eval mode, on `device`.
    blocks : iterable of (n,) int16 arrays
        Sound at the network's rate, from the beginning of a file to its end.
    frames : int
        T, how many frames to give; sound beyond the end is what the network's `edges` says.
    leveller : Leveller
    chunk_frames : int
        Rounded up to a multiple of the network's `multiple`.
    device : torch.device or str

    Yields
    ------
    (t, 68, D) float32 array
        Template frame; together T frames.
    """
    chunk_frames = -(-chunk_frames // network.multiple) * network.multiple
    sound = _Stream(blocks, leveller, network)
    state, seen = None, frames - network.repeats_last
    if frames and seen < 1:
        raise TalkfaceError(
            f"the sound has {frames} frames of 40 ms; more than the model's delay of {network.repeats_last} were "
            "expected; give longer sound, or a model with generation: stateful"
        )
    for first in range(0, seen, chunk_frames):
        count = min(chunk_frames, seen - first)
        held = sound.read(network.before + (count - 1) * network.hop + network.after)
        with torch.inference_mode():
            outputs, state = network(torch.from_numpy(held).to(device)[None], state)  # (1, t, K)
            faces = network.decode(outputs)[0].cpu().numpy()  # (t, 68, D)
        yield faces
        sound.skip(count * network.hop)
    if frames and network.repeats_last:
        yield np.repeat(faces[-1:], network.repeats_last, axis=0)


class _Stream:
    """Levelled samples of a file and of what lies beyond its ends, from `before` samples ahead of it on."""

    def __init__(self, blocks: Iterable[NDArray[np.int16]], leveller: Leveller, network: BaseNetwork):
        self.blocks = (leveller.apply(block) for block in blocks)
        self.reflects = network.edges == "reflect"
        self.beyond = network.after + 2 * network.hop  # samples; no frame sees farther past the end
        self.ended = False
        self.held = np.zeros(0, np.float32)
        self._fill(network.before + 1)
        self.held = np.concatenate([self._mirror(self.held[1:], network.before)[::-1], self.held])

    def read(self, samples: int) -> NDArray[np.float32]:
        """Return the next `samples`, without moving on."""
        self._fill(samples)
        return np.pad(self.held[:samples], (0, max(0, samples - len(self.held))))

    def skip(self, samples: int) -> None:
        """Move on by `samples`."""
        self.held = self.held[samples:]

    def _fill(self, samples: int) -> None:
        """Hold at least so many samples, if the file has them; at its end also what lies beyond."""
        pieces, size = [self.held], len(self.held)
        while size < samples and not self.ended:
            piece = next(self.blocks, None)
            self.ended = piece is None
            if piece is not None:
                pieces.append(piece)
                size += len(piece)
            else:
                pieces.append(self._mirror(np.concatenate(pieces)[:-1][::-1], self.beyond))
        self.held = np.concatenate(pieces)

    def _mirror(self, known: NDArray[np.float32], samples: int) -> NDArray[np.float32]:
        """Return `samples` samples: those known, nearest first, where the network wants a mirror; zeros beyond them."""
        known = known[:samples] if self.reflects else known[:0]
        return np.pad(known, (0, samples - len(known)))


def predict_samples(
    network: BaseNetwork, samples: NDArray[np.int16], *, seed: int = 0, device: torch.device | str = "cpu"
) -> NDArray[np.float32]:
    """Predict the shapes (T, 68, D) of sound (S,) at the network's rate."""
    torch.manual_seed(seed)
    peak = np.abs(samples.astype(np.float32)).max(initial=0) / FULL_SCALE
    frames = count_frames(len(samples), network.rate)
    leveller = Leveller(network.level, rate=network.rate, peak=peak)
    chunks = predict_chunks(network, [samples], frames=frames, leveller=leveller, device=device)
    return np.concatenate([np.zeros((0, 68, network.coordinates), np.float32), *chunks])


def predict_file(
    audio: str | Path,
    output: str | Path,
    *,
    weights: str | Path,
    seed: int = 0,
    threads: int = 1,
    device: str = "auto",
) -> None:
    """Write the faces that a trained network predicts from a sound file.

    Parameters
    ----------
    audio : path
        A wav file of any rate and length.
    output : path
        (T, 68, 2 or 3) float32 .npy, template frame, 25 fps.
    weights : path
        results/models/{model}/weights.pt.
    seed : int
        For networks that draw while predicting.
    threads : int
        Of the CPU.
    device : str
        "auto", "cpu" or "cuda".

    Raises
    ------
    TalkfaceError
        If the file is no sound, is empty or holds samples that are no numbers.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    chosen = choose_device(device)
    network = load_network(weights).to(chosen)
    peak = max(
        (int(np.abs(block.astype(np.int32)).max(initial=0)) for block in read_blocks(audio, network.rate)), default=0
    )
    info = soundfile.info(str(audio))
    frames = count_frames(info.frames, info.samplerate)
    if not peak:
        log.warning("%s: digital silence; the face will rest", audio)
    with writing(output) as temporary:
        shape = (frames, 68, network.coordinates)
        faces = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=shape)
        leveller = Leveller(network.level, rate=network.rate, peak=peak / FULL_SCALE)
        blocks = read_blocks(audio, network.rate)
        chunks = predict_chunks(network, blocks, frames=frames, leveller=leveller, device=chosen)
        place = 0
        with tqdm(
            total=frames, desc="predicting", unit="frame", file=sys.stderr, disable=frames < BAR_FROM_FRAMES
        ) as bar:
            for chunk in chunks:
                faces[place : place + len(chunk)] = chunk
                place += len(chunk)
                bar.update(len(chunk))
        if not np.isfinite(faces).all():
            raise TalkfaceError(f"{weights}: predicts faces that are no numbers for {audio}; train the model again")
        faces.flush()
        del faces
    log.info("%s: %d frames", output, frames)
