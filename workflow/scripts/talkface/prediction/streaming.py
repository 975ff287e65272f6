"""Streaming prediction: landmarks from speech of any length in bounded memory, by any trained network.

A file is read twice, in blocks: once for its peak, which may set the level (`sound.Leveller`), once for the faces.
The network runs over chunks of frames; neighbouring chunks overlap by the sound a frame needs, and a recurrent network
hands its state on, so that the cut changes nothing: live speech and a whole file take the same way (`Stream`). A
network that draws while predicting (published dropout) draws from the same seed for every file.

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
from talkface.media.sound import Leveller, Resampler, count_frames, loudest, read_blocks, read_sound, resample_blocks
from talkface.models.base import BaseNetwork
from talkface.models.checkpoint import load_network
from talkface.models.devices import choose_device

log = logging.getLogger(__name__)

CHUNK_FRAMES = 100  # 4 s: the overlap costs 6 %, and what the layers hand on still fits the processor's cache
BAR_FROM_FRAMES = 60 * FPS  # shorter files are done before a bar can be read


class Stream:
    """Prediction of a face while its speech arrives, in bounded memory.

    A frame is given as soon as the last sample that it depends on has been heard. All frames together are those of the
    same speech predicted as a whole.

    Parameters
    ----------
    network : BaseNetwork
        In eval mode, on `device`.
    rate : int, optional
        Hz, of the samples that are pushed; by default that of the network.
    peak : float, optional
        Loudest sample of all that will come, 0 .. 1: a network whose `level` is "peak" needs to know.
    chunk_frames : int, optional
        Frames are given so many at a time (rounded up to the network's `multiple`), the last ones by `finish`; by
        default as soon as they can be.
    seed : int, optional
        For networks that draw while predicting; None leaves torch's generator as it is.
    device : torch.device or str

    Raises
    ------
    TalkfaceError
        If the network needs the peak and it is not given.

    Examples
    --------
    >>> import talkface
    >>> stream = talkface.Stream(talkface.load_model("talkface_voice"), rate=16_000)
    >>> stream.push(np.zeros(3_200)).shape  # 200 ms of sound: the model looks 120 ms ahead
    (3, 68, 2)
    >>> stream.finish().shape
    (3, 68, 2)
    """

    def __init__(
        self,
        network: BaseNetwork,
        *,
        rate: int | None = None,
        peak: float | None = None,
        chunk_frames: int | None = None,
        seed: int | None = 0,
        device: torch.device | str = "cpu",
    ):
        if network.level == "peak" and peak is None:
            raise TalkfaceError(
                "the model sets its level by the loudest sample of all that will be said (level: peak); give that as "
                "peak, or take a model with level: running"
            )
        if seed is not None:
            torch.manual_seed(seed)
        self.network, self.device = network, device
        self.rate = network.rate if rate is None else rate
        self._step = network.multiple if chunk_frames is None else chunk_frames
        self._step = -(-self._step // network.multiple) * network.multiple
        self._whole = chunk_frames is not None
        self._resampler = Resampler(self.rate, network.rate, rounded=network.rounds)
        self._leveller = Leveller(network.level, rate=network.rate, peak=peak or 0.0)
        self._held = np.zeros(0, np.float32)  # levelled samples, from `before` of them ahead of the next frame on
        self._beyond = network.after + 2 * network.hop  # samples; no frame sees farther past the end
        self._recent = self._held  # the last samples, which may be mirrored there
        self._begun = self._finished = False
        self._samples = self._frames = 0  # pushed, at their own rate; given
        self._state = None
        self._last = np.zeros((0, 68, network.coordinates), np.float32)

    def push(self, samples: NDArray) -> NDArray[np.float32]:
        """Take the next samples and return the faces that are known now.

        Parameters
        ----------
        samples : (n,) array
            Floats in [-1, 1] or int16; one channel.

        Returns
        -------
        (t, 68, D) float32 array
            Template frame, 25 fps; t may be 0.

        Raises
        ------
        TalkfaceError
            If samples are no numbers, or of several channels.
        """
        if self._finished:
            raise ValueError("the stream is finished; make another one")
        samples = np.asarray(samples)
        if samples.ndim != 1 or not np.isfinite(samples).all():
            raise TalkfaceError(
                f"samples of shape {samples.shape}: one channel of finite numbers was expected; mix the channels"
            )
        self._samples += len(samples)
        self._hear(self._resampler.push(_as_floats(samples)))
        return self._advance(self._known())

    def finish(self) -> NDArray[np.float32]:
        """Return the faces that are left when nothing more is said, (t, 68, D); what lies beyond is `edges`."""
        self._hear(self._resampler.finish())
        self._finished = True
        network, total = self.network, count_frames(self._samples, self.rate)
        seen = total - network.repeats_last
        if total and seen < 1:
            raise TalkfaceError(
                f"the sound has {total} frames of 40 ms; more than the model's delay of {network.repeats_last} were "
                "expected; give longer sound, or a model with generation: stateful"
            )
        self._begin()
        self._held = np.concatenate([self._held, self._mirror(self._recent[:-1][::-1], self._beyond)])
        faces = self._advance(seen - self._frames if total else 0, ended=True)
        again = network.repeats_last if total else 0
        return np.concatenate([faces, np.repeat(self._last, again, axis=0)]) if again else faces

    def _hear(self, block: NDArray) -> None:
        """Level the next samples at the network's rate and hold them."""
        levelled = self._leveller.apply(block)
        self._held = np.concatenate([self._held, levelled])
        self._recent = np.concatenate([self._recent, levelled])[-self._beyond - 1 :]
        if len(self._held) > self.network.before:
            self._begin()

    def _begin(self) -> None:
        """Put what lies ahead of the first sample before it, once that is known."""
        if not self._begun:
            self._held = np.concatenate([self._mirror(self._held[1:], self.network.before)[::-1], self._held])
            self._begun = True

    def _known(self) -> int:
        """Count the frames whose sound is there."""
        if not self._begun:
            return 0
        network = self.network
        known = (len(self._held) - network.before - network.after) // network.hop + 1
        return min(known, count_frames(self._samples, self.rate) - network.repeats_last - self._frames)

    def _advance(self, frames: int, *, ended: bool = False) -> NDArray[np.float32]:
        """Predict so many frames: all when the sound has ended, else whole chunks alone."""
        network, parts = self.network, []
        while frames >= self._step or (ended and frames > 0):
            count = min(frames, self._step if self._whole else max(self._step, CHUNK_FRAMES // self._step * self._step))
            if not ended:
                count -= count % self._step
            size = network.before + (count - 1) * network.hop + network.after
            held = np.pad(self._held[:size], (0, max(0, size - len(self._held))))
            with torch.inference_mode():
                outputs, self._state = network(torch.from_numpy(held).to(self.device)[None], self._state)  # (1, t, K)
                faces = network.decode(outputs)[0].cpu().numpy()  # (t, 68, D)
            self._held, self._last = self._held[count * network.hop :], faces[-1:]
            self._frames += count
            frames -= count
            parts.append(faces)
        return np.concatenate(parts) if parts else self._last[:0]

    def _mirror(self, known: NDArray[np.float32], samples: int) -> NDArray[np.float32]:
        """Return `samples` samples: those known, nearest first, where the network wants a mirror; zeros beyond them."""
        known = known[:samples] if self.network.edges == "reflect" else known[:0]
        return np.pad(known, (0, samples - len(known)))


def predict_blocks(
    network: BaseNetwork,
    blocks: Iterable[NDArray],
    *,
    rate: int,
    peak: float,
    chunk_frames: int = CHUNK_FRAMES,
    device: torch.device | str = "cpu",
) -> Iterator[NDArray[np.float32]]:
    """Predict the shapes of speech that comes in blocks.

    Parameters
    ----------
    network : BaseNetwork
        In eval mode, on `device`.
    blocks : iterable of (n,) arrays
        Sound from the beginning of a file to its end, int16 or floats in [-1, 1].
    rate : int
        Hz, of the blocks.
    peak : float
        Loudest sample of the file, 0 .. 1.
    chunk_frames : int
        Frames predicted at a time; rounded up to a multiple of the network's `multiple`.
    device : torch.device or str

    Yields
    ------
    (t, 68, D) float32 array
        Template frame; together T frames.
    """
    stream = Stream(network, rate=rate, peak=peak, chunk_frames=chunk_frames, seed=None, device=device)
    for block in blocks:
        yield stream.push(block)
    yield stream.finish()


def predict_samples(
    network: BaseNetwork,
    samples: NDArray,
    *,
    rate: int | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> NDArray[np.float32]:
    """Predict the shapes (T, 68, D) of sound (S,), int16 or floats in [-1, 1], by default at the network's rate."""
    torch.manual_seed(seed)
    rate = network.rate if rate is None else rate
    peak = 0.0
    if network.level == "peak":
        peak = loudest(resample_blocks([_as_floats(samples)], rate, _peak_rate(network)))
    chunks = predict_blocks(network, [samples], rate=rate, peak=peak, device=device)
    return np.concatenate([np.zeros((0, 68, network.coordinates), np.float32), *chunks])


def predict_sound(
    network: BaseNetwork, audio: str | Path, *, seed: int = 0, device: torch.device | str = "cpu"
) -> tuple[int, Iterator[NDArray[np.float32]]]:
    """Predict the shapes of a sound file.

    Parameters
    ----------
    network : BaseNetwork
        In eval mode, on `device`.
    audio : path
        A file of any rate and length that soundfile reads.
    seed : int
        For networks that draw while predicting.
    device : torch.device or str

    Returns
    -------
    frames : int
        T.
    chunks : iterator of (t, 68, D) float32 arrays
        Template frame, 25 fps; together T frames.

    Raises
    ------
    TalkfaceError
        If the file is no sound, is empty or holds samples that are no numbers.
    """
    peak = loudest(read_blocks(audio, _peak_rate(network)))
    if not peak:
        log.warning("%s: digital silence; the face will rest", audio)
    info = soundfile.info(str(audio))
    torch.manual_seed(seed)
    sound = read_sound(audio)
    chunks = predict_blocks(network, sound, rate=info.samplerate, peak=peak, device=device)
    return count_frames(info.frames, info.samplerate), chunks


def _as_floats(samples: NDArray) -> NDArray[np.float32]:
    """Bring samples, int16 or floats, to [-1, 1]."""
    return samples.astype(np.float32) / np.float32(FULL_SCALE if samples.dtype == np.int16 else 1)


def _peak_rate(network: BaseNetwork) -> int:
    """Return the rate at which a file's loudest sample is looked for, Hz."""
    return network.peak_rate if network.level == "peak" and network.peak_rate else network.rate


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
        results/models/{corpus}/{model}/weights.pt.
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
    chosen = choose_device(device)
    network = load_network(weights).to(chosen)
    frames, chunks = predict_sound(network, audio, seed=seed, device=chosen)
    with writing(output) as temporary:
        shape = (frames, 68, network.coordinates)
        faces = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=shape)
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
