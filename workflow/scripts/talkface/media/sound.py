"""Speech samples as networks take them: resampled, brought to a level, counted in frames.

Axes: B stretches, N samples, M feature frames (10 ms), F mel bands, T video frames (40 ms).

Time: video frame i stands for the instant i/25 s. Feature frame m is centred on sample m * hop, so video frame i meets
feature frame 4 i.
"""

import logging
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from talkface.conventions import FPS, FULL_SCALE
from talkface.errors import TalkfaceError

log = logging.getLogger(__name__)

COUNTING_RATE = 8_000  # Hz; frames are counted at the rate of Eskimez et al. 2020, whatever a network listens at
BLOCK_S = 20.0  # seconds read at a time
# Full scale of the loudest sample; a file whose peak lies below -40 dB is taken as silence and not raised to it.
QUIETEST_PEAK = 0.01
LISTENED_S = 20.0  # of two channels, to tell whether one is turned over
TURNED_OVER = 0.05  # share of the energy of the difference, below which that of the sum says so (-13 dB)
LEVELS = ("peak", "running", "steady", "recorded")


def film_frames(samples: int, rate: int, *, fps: float = FPS) -> int:
    """Count the frames of a film of so many samples at `rate` Hz: the length of its sound, to the nearest frame.

    Examples
    --------
    >>> film_frames(48_000, 16_000)
    75
    """
    return max(round(samples / rate * fps), 1)


def frames_of(audio: str | Path, *, fps: float = FPS) -> int:
    """Count the frames of a film of a sound file: its length, to the nearest frame.

    Raises
    ------
    TalkfaceError
        If the sound is empty or cannot be read.
    """
    try:
        sound = soundfile.info(str(audio))
    except soundfile.LibsndfileError as error:
        raise TalkfaceError(f"{audio}: not a wav file ({error}); expected the audio of the clip") from None
    if sound.frames == 0:
        raise TalkfaceError(f"{audio}: no samples; expected speech to animate; give a longer recording")
    return film_frames(sound.frames, sound.samplerate, fps=fps)


def count_frames(samples: int, rate: int) -> int:
    """Count the video frames of `samples` at `rate` Hz: floor(L / 320) + 1 for L samples at 8 kHz, 0 for none.

    Examples
    --------
    >>> count_frames(48_000, 16_000)  # 3 s: frames at 0, 0.04 .. 3 s
    76
    """
    return -(-samples * COUNTING_RATE // rate) // (COUNTING_RATE // FPS) + 1 if samples else 0


class Leveller:
    """Scaling of the samples of one file to the level that a network expects, block by block.

    Parameters
    ----------
    kind : {"peak", "running", "steady", "recorded"}
        peak: the loudest sample of the whole file comes to full scale, as Eskimez et al. 2020 do (except that a file
        below -40 dB is silence); running: the loudest sample so far, which the level forgets by 3 dB a second, so that
        no sound is heard in the light of a later one; steady: the same, but by 1 dB a second from -6 dB on, so that a
        quiet room before the first word or between two is not taken for speech; recorded: as it is.
    rate : int
        Hz.
    peak : float
        Loudest sample of the file, 0 .. 1; only "peak" asks for it.
    """

    # What the level is before anything was heard (-20 dB, -6 dB), and by how many dB a second it is forgotten: a pause
    # between two sentences changes little, a speaker who steps back is followed.
    FOLLOWING: ClassVar[dict[str, tuple[float, float]]] = {"running": (0.1, 3.0), "steady": (0.5, 1.0)}

    def __init__(self, kind: str, *, rate: int, peak: float = 0.0):
        self.kind = kind
        self.gain = (1 / max(float(peak), QUIETEST_PEAK) if kind == "peak" else 1.0) / FULL_SCALE
        self.follows = kind in self.FOLLOWING
        start, forgets_db = self.FOLLOWING.get(kind, (1.0, 0.0))
        self._fall = forgets_db / 20 * math.log(10) / rate  # of the logarithm, a sample
        self._held = math.log(start)

    def apply(self, block: NDArray) -> NDArray[np.float32]:
        """Scale the next samples (n,), int16 or on its scale, to [-1, 1] (beyond, where `peak` was too low)."""
        if not self.follows:
            return block.astype(np.float32) * np.float32(self.gain)
        if not len(block):
            return np.zeros(0, np.float32)
        samples = block.astype(np.float32) * np.float32(self.gain)
        # The envelope e[n] = max(|x[n]|, e[n - 1] f) is a running maximum once the fall is taken out.
        place = np.arange(1, len(block) + 1) * self._fall
        rising = np.log(np.maximum(np.abs(samples), 1e-6)) + place
        held = np.maximum.accumulate(np.maximum(rising, self._held)) - place
        self._held = max(held[-1], math.log(QUIETEST_PEAK))
        return samples / np.maximum(np.exp(held), QUIETEST_PEAK).astype(np.float32)


class Resampler:
    """Resampling of a stream of sound to 16 bits at another rate; how it is cut into blocks changes nothing.

    Parameters
    ----------
    rate, new_rate : int
        Hz.
    rounded : bool
        Whether samples become int16, as a dataset holds them; else they are float32 on the scale of int16.
    """

    def __init__(self, rate: int, new_rate: int, *, rounded: bool = True):
        self.rate, self.new_rate, self.rounded = rate, new_rate, rounded
        same = rate == new_rate
        self._stream = None if same else soxr.ResampleStream(rate, new_rate, 1, dtype="float32", quality="HQ")
        self._taken = self._given = 0

    def push(self, block: NDArray[np.float32]) -> NDArray:
        """Return what is known after the next samples (n,), in [-1, 1]: (m,)."""
        self._taken += len(block)
        resampled = self._stream.resample_chunk(block) if self._stream else block
        self._given += len(resampled)
        return self._scale(resampled)

    def finish(self) -> NDArray:
        """Return the rest: together ceil(S * new_rate / rate) samples."""
        if self._stream is None or not self._taken:
            return self._scale(np.zeros(0, np.float32))
        missing = -(-self._taken * self.new_rate // self.rate) - self._given  # soxr rounds the length its own way
        tail = self._stream.resample_chunk(np.zeros(0, np.float32), last=True)[:missing]
        return self._scale(np.pad(tail, (0, missing - len(tail))))

    def _scale(self, samples: NDArray[np.float32]) -> NDArray:
        samples = samples * np.float32(FULL_SCALE)
        return np.clip(np.round(samples), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16) if self.rounded else samples


def resample_blocks(blocks: Iterable[NDArray], rate: int, new_rate: int, *, rounded: bool = True) -> Iterator[NDArray]:
    """Resample sound of any length, block by block.

    Parameters
    ----------
    blocks : iterable of (n,) float32 arrays
        In [-1, 1].
    rate, new_rate : int
        Hz.
    rounded : bool
        See `Resampler`.

    Yields
    ------
    (m,) int16 array, or float32 on its scale
        Together ceil(S * new_rate / rate) samples.
    """
    resampler = Resampler(rate, new_rate, rounded=rounded)
    for block in blocks:
        yield resampler.push(block)
    yield resampler.finish()


def resample(samples: NDArray, rate: int, new_rate: int) -> NDArray[np.int16]:
    """Resample int16 samples (S,) to (ceil(S * new_rate / rate),) int16, as `resample_blocks` does."""
    blocks = [samples.astype(np.float32) / FULL_SCALE]
    return np.concatenate([np.zeros(0, np.int16), *resample_blocks(blocks, rate, new_rate)])


def read_sound(path: str | Path, *, block_s: float = BLOCK_S) -> Iterator[NDArray[np.float32]]:
    """Read the sound of a file at its own rate, in blocks of about `block_s` seconds, in [-1, 1].

    Channels are averaged; of two of which one is the other turned over, the first is taken.

    Raises
    ------
    TalkfaceError
        If the file cannot be read as sound, holds no sample, or a sample that is no number.
    """
    try:
        with soundfile.SoundFile(str(path)) as file:
            if not file.frames:
                raise TalkfaceError(f"{path}: no samples; speech was expected; check the recording")
            channel, read = _channel_of(file, path), 0
            for block in file.blocks(int(block_s * file.samplerate), dtype="float32", always_2d=True):
                yield _checked(block, path, channel=channel, start_s=read / file.samplerate, rate=file.samplerate)
                read += len(block)
    except soundfile.SoundFileError as error:
        raise TalkfaceError(
            f"{path}: not readable as sound ({error}); a wav file was expected; make it again"
        ) from None


def rate_of(path: str | Path) -> int:
    """Return the rate of a sound file, Hz."""
    try:
        return int(soundfile.info(str(path)).samplerate)
    except soundfile.SoundFileError as error:
        raise TalkfaceError(
            f"{path}: not readable as sound ({error}); a wav file was expected; make it again"
        ) from None


def read_blocks(path: str | Path, rate: int, *, block_s: float = BLOCK_S, rounded: bool = True) -> Iterator[NDArray]:
    """Read the sound of a file at `rate` Hz, in blocks of about `block_s` seconds; errors as `read_sound`."""
    yield from resample_blocks(read_sound(path, block_s=block_s), rate_of(path), rate, rounded=rounded)


def by_stem(files: Iterable[str | Path]) -> dict[str, Path]:
    """Return recordings by their names without ending; raise a TalkfaceError if two have the same."""
    seen: dict[str, Path] = {}
    for path in map(Path, files):
        if path.stem in seen:
            raise TalkfaceError(f"{path}: {seen[path.stem]} has the same stem; rename one of them")
        seen[path.stem] = path
    return seen


def loudest(blocks: Iterable[NDArray]) -> float:
    """Return the loudest sample of sound in blocks, int16 or on its scale: 0 .. 1."""
    return max((float(np.abs(block.astype(np.float32)).max(initial=0)) for block in blocks), default=0.0) / FULL_SCALE


def is_turned_over(sum_energy: float, difference_energy: float) -> bool:
    """Tell by the energies of sum and difference of two channels whether one is the other turned over."""
    return sum_energy < TURNED_OVER * difference_energy


def _channel_of(file: soundfile.SoundFile, path: str | Path) -> int | None:
    """Choose the channel of an open file: None, the mean of all, but the first of two that cancel each other."""
    if file.channels != 2:
        return None
    start = file.read(round(LISTENED_S * file.samplerate), dtype="float32", always_2d=True)
    file.seek(0)
    left, right = np.nan_to_num(start).T.astype(np.float64)
    if not is_turned_over(float(np.square(left + right).sum()), float(np.square(left - right).sum())):
        return None
    log.warning("%s: one channel is the other turned over; the first is taken", path)
    return 0


def _checked(block: NDArray, path: str | Path, *, channel: int | None, start_s: float, rate: int) -> NDArray:
    """Make a block mono; a TalkfaceError, with its place, if a sample is no number."""
    mono = block.mean(axis=1) if channel is None else block[:, channel]
    wrong = np.flatnonzero(~np.isfinite(mono))
    if len(wrong):
        raise TalkfaceError(
            f"{path}: a sample that is no number (NaN or infinite) at {start_s + wrong[0] / rate:.4f} s; speech was "
            "expected; repair the file"
        )
    return mono
