"""Sound: mono masters of clips and speech files, resampling, and the shards that hold them.

A master is (S,) int16 at 44.1 kHz, sample 0 at the instant of the clip's first frame (see `video`).

results/audio/{shard}.h5: a dataset per clip, (S,) int16; attributes `rate` (Hz), `source` (file name), `digest`
(sha256 of the source) and `rejected`, which is empty or says in words why the clip cannot be used (then S may be 0).
"""

import logging
import wave
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from talkface.errors import TalkfaceError
from talkface.storage import digest, writing
from talkface.video import probe, run, source

log = logging.getLogger(__name__)

RATE = 44_100  # Hz; GRID's own rate, and that of system A's features
FULL_SCALE = 32_768.0  # of int16


def extract_audio(
    path: Path | str, *, rate: int = RATE, start_s: float | None = None, end_s: float | None = None
) -> np.ndarray:
    """Mono sound of any video or audio file, in step with its frames.

    Gaps in the stream become silence and a late start is filled, so that sample s is heard at s/rate seconds
    after the first frame. Channels are averaged.

    Parameters
    ----------
    path : path
        Anything ffmpeg reads.
    rate : int
        Hz.
    start_s, end_s : float, optional
        Stretch in seconds, from the first frame on.

    Returns
    -------
    (S,) int16 array

    Raises
    ------
    TalkfaceError
        If the file is no media file, has no audio stream, no sample, or nothing but zeros.
    """
    media = probe(path)
    if not media.has_audio:
        raise TalkfaceError(f"{path}: no audio stream; speech was expected; give a file with sound")
    stream = (
        source(media, media.audio_index, start_s=start_s, end_s=end_s)
        # Gaps and overlaps of more than 20 ms (half a frame) are filled or cut; less is jitter of the timestamps.
        .filter("aresample", rate, **{"async": 1, "min_hard_comp": 0.02, "first_pts": 0})
        .output("pipe:", format="s16le", acodec="pcm_s16le", ac=1, ar=rate)
    )
    with run(stream, what=path) as process:
        samples = np.frombuffer(process.stdout.read(), dtype="<i2").astype(np.int16)
    if len(samples) == 0:
        raise TalkfaceError(
            f"{path}: the audio stream holds no sample; speech was expected; check the file and start_s"
        )
    if not samples.any():
        raise TalkfaceError(f"{path}: the audio is digital silence; speech was expected; check the recording")
    return samples


def extract_audio_shard(
    videos: Sequence[Path | str],
    output: Path | str,
    *,
    clips: Sequence[str],
    start_s: Sequence[float | None],
    end_s: Sequence[float | None],
    rate: int = RATE,
) -> None:
    """Write the masters of the clips of one shard; a clip that cannot be read is marked, not fatal.

    Parameters
    ----------
    videos : sequence of paths
        One a clip.
    output : path
        results/audio/{shard}.h5.
    clips : sequence of str
        Names, in the order of `videos`.
    start_s, end_s : sequence of float or None
        The stretch of each clip in seconds.
    rate : int
        Hz.
    """
    with writing(output) as temporary, h5py.File(temporary, "w") as file:
        for clip, video, begin, end in zip(clips, videos, start_s, end_s, strict=True):
            rejected, samples = "", np.zeros(0, np.int16)
            try:
                samples = extract_audio(video, rate=rate, start_s=begin, end_s=end)
            except TalkfaceError as error:
                rejected = str(error)
                log.warning("clip %s rejected: %s", clip, rejected)
            dataset = file.create_dataset(clip, data=samples)
            dataset.attrs.update(rate=rate, source=Path(video).name, digest=digest(video), rejected=rejected)
            log.info("clip %s: %.2f s", clip, len(samples) / rate)


def read_audio(shard: Path | str, clip: str) -> tuple[np.ndarray, dict]:
    """Master of a clip and its attributes.

    Returns
    -------
    samples : (S,) int16 array
    attributes : dict
        rate, source, digest, rejected.

    Raises
    ------
    TalkfaceError
        If the shard has no such clip.
    """
    with h5py.File(shard) as file:
        if clip not in file:
            raise TalkfaceError(f"{shard}: no clip {clip!r}; it holds {', '.join(file)}; delete the file to remake it")
        return file[clip][:], dict(file[clip].attrs)


def write_wav(path: Path | str, samples: np.ndarray, *, rate: int = RATE) -> None:
    """Write (S,) int16 samples as a mono wav file, whole or not at all."""
    with writing(path) as temporary, wave.open(str(temporary), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.asarray(samples).astype("<i2", casting="same_kind").tobytes())


def extract_wav(
    path: Path | str,
    output: Path | str,
    *,
    rate: int = RATE,
    start_s: float | None = None,
    end_s: float | None = None,
) -> None:
    """Write the mono master of one video or audio file as wav; parameters as in `extract_audio`.

    Raises
    ------
    TalkfaceError
        If the file gives no sound.
    """
    write_wav(output, extract_audio(path, rate=rate, start_s=start_s, end_s=end_s), rate=rate)


def read_wav(path: Path | str) -> tuple[np.ndarray, int]:
    """Samples (S,) int16 and rate in Hz of a mono wav file that `write_wav` made.

    Raises
    ------
    TalkfaceError
        If it is another kind of file.
    """
    try:
        with wave.open(str(path), "rb") as file:
            kind = (file.getnchannels(), file.getsampwidth())
            samples, rate = file.readframes(file.getnframes()), file.getframerate()
    except (wave.Error, EOFError) as error:
        raise TalkfaceError(f"{path}: no wav file ({error}); mono 16-bit wav was expected; make it again") from None
    if kind != (1, 2):
        raise TalkfaceError(
            f"{path}: {kind[0]} channels of {8 * kind[1]} bits; mono 16-bit wav was expected; make it with extract_wav"
        )
    return np.frombuffer(samples, "<i2").astype(np.int16), rate


def resample(samples: np.ndarray, rate_in: float, rate_out: float) -> np.ndarray:
    """Samples at another rate, in step with the old ones (soxr's highest quality, linear phase).

    Parameters
    ----------
    samples : (S,) array
        int16, or float in any scale.
    rate_in, rate_out : float
        Hz.

    Returns
    -------
    (ceil(S * rate_out / rate_in),) float32 array
        In [-1, 1] where `samples` is int16, else in its scale.
    """
    import soxr

    values = np.asarray(samples)
    values = values.astype(np.float32) / FULL_SCALE if values.dtype == np.int16 else values.astype(np.float32)
    if rate_in == rate_out:
        return values
    count = int(np.ceil(len(values) * rate_out / rate_in))
    changed = soxr.resample(values, rate_in, rate_out, quality="VHQ")
    # soxr rounds the length its own way; one sample more or less is settled here.
    return np.pad(changed[:count], (0, max(0, count - len(changed))))
