"""Landmarks from speech of any length in bounded memory, by any trained network.

Sound is read twice, in blocks: once for its peak, which sets the level (`features.level`), once for the faces. The
network runs over chunks of frames; neighbouring chunks overlap by the sound a frame needs, and a recurrent network
hands its state on, so that the cut changes nothing.

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

from talkface.checkpoint import load_network
from talkface.devices import choose_device
from talkface.errors import TalkfaceError
from talkface.features import FPS, FULL_SCALE, count_frames, level, read_blocks
from talkface.models import BaseNetwork
from talkface.storage import writing

log = logging.getLogger(__name__)

CHUNK_FRAMES = 100  # 4 s: the overlap costs 6 %, and what the layers hand on still fits the processor's cache
BAR_FROM_FRAMES = 60 * FPS  # shorter files are done before a bar can be read


def predict_chunks(
    network: BaseNetwork,
    blocks: Iterable[NDArray[np.int16]],
    *,
    frames: int,
    gain: float,
    chunk_frames: int = CHUNK_FRAMES,
    device: torch.device | str = "cpu",
) -> Iterator[NDArray[np.float32]]:
    """Shapes of a stream of sound, chunk by chunk.

    Parameters
    ----------
    network : BaseNetwork
        In eval mode, on `device`.
    blocks : iterable of (n,) int16 arrays
        Sound at the network's rate.
    frames : int
        T, how many frames to give; sound beyond the end counts as silence.
    gain : float
        Factor on the samples after scaling to [-1, 1].
    chunk_frames : int
    device : torch.device or str

    Yields
    ------
    (t, 68, 2) float32 array
        Template frame; together T frames.
    """
    blocks = iter(blocks)
    held = np.zeros(network.before, np.int16)  # samples from `first * hop - before` on
    state = None
    for first in range(0, frames, chunk_frames):
        count = min(chunk_frames, frames - first)
        needed = network.before + (count - 1) * network.hop + network.after
        pieces, size = [held], len(held)
        while size < needed:
            block = next(blocks, None)
            if block is None:
                block = np.zeros(needed - size, np.int16)
            pieces.append(block)
            size += len(block)
        held = np.concatenate(pieces)
        audio = torch.from_numpy(held[:needed]).to(device).float()[None] * (gain / FULL_SCALE)  # (1, N)
        with torch.inference_mode():
            coefficients, state = network(audio, state)
            yield network.decode(coefficients)[0].cpu().numpy()  # (t, 68, 2)
        held = held[count * network.hop :]


def predict_samples(
    network: BaseNetwork, samples: NDArray[np.int16], *, device: torch.device | str = "cpu"
) -> NDArray[np.float32]:
    """Shapes (T, 68, 2) of sound (S,) at the network's rate."""
    peak = np.abs(samples.astype(np.float32)).max(initial=0) / FULL_SCALE
    frames = count_frames(len(samples), network.rate)
    chunks = predict_chunks(network, [samples], frames=frames, gain=level(peak), device=device)
    return np.concatenate([np.zeros((0, 68, 2), np.float32), *chunks])


def predict_file(
    audio: str | Path, output: str | Path, *, weights: str | Path, threads: int = 1, device: str = "auto"
) -> None:
    """Write the faces that a trained network sees in a sound file.

    Parameters
    ----------
    audio : path
        A wav file of any rate and length.
    output : path
        (T, 68, 2) float32 .npy, template frame, 25 fps.
    weights : path
        results/models/{model}/weights.pt.
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
        faces = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=(frames, 68, 2))
        blocks = read_blocks(audio, network.rate)
        chunks = predict_chunks(network, blocks, frames=frames, gain=level(peak / FULL_SCALE), device=chosen)
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
