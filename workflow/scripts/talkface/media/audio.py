"""Audio extraction: mono masters of clips and speech files, and the files of shards that hold them.

A master is (S,) int16 at 44.1 kHz, sample 0 at the instant of the clip's first frame (see `video`). Beside it there may
be one in float32 at the rate of the source, for models that hear what a resampler leaves in silent bands.

results/audio/{shard}.h5: a dataset per clip, (S,) int16; attributes `rate` (Hz), `source` (file name), `digest`
(sha256 of the source) and `rejected`, which is empty or says in words why the clip cannot be used (then S may be 0).
"""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np
import soundfile

from talkface.errors import InputError
from talkface.files import digest, writing
from talkface.media.video import probe, run, source

log = logging.getLogger(__name__)

RATE = 44_100  # Hz; GRID's own rate, and that of the features of Eskimez et al. 2018
BLOCK_BYTES = 1 << 20  # 12 s of sound


def sound_blocks(
    path: Path | str,
    *,
    rate: int | None = RATE,
    as_float: bool = False,
    start_s: float | None = None,
    end_s: float | None = None,
) -> Iterator[np.ndarray]:
    """Read the sound of any video or audio file as mono, in step with its frames, block by block.

    Gaps in the stream become silence and a late start is filled, so that sample s is heard at s/rate seconds
    after the first frame. Channels are averaged.

    Parameters
    ----------
    path : path
        Anything ffmpeg reads.
    rate : int or None
        Hz; None: that of the source.
    as_float : bool
        Whether samples are given as floats, which nothing has rounded.
    start_s, end_s : float, optional
        Stretch in seconds, from the first frame on.

    Yields
    ------
    (n,) int16 array, or float32 in [-1, 1]

    Raises
    ------
    InputError
        If the file is no media file, has no audio stream, no sample, or nothing but zeros.
    """
    media = probe(path)
    if not media.has_audio:
        raise InputError(f"{path}: no audio stream; speech was expected; give a file with sound")
    rate = rate or media.audio_rate
    kind, dtype = ("f32le", np.float32) if as_float else ("s16le", np.int16)
    # Channels of floats would be added and not averaged; whole numbers have no room for that.
    mixing = {"rematrix_maxval": 1.0, "ochl": "mono"} if as_float else {}
    stream = (
        source(media, media.audio_index, start_s=start_s, end_s=end_s)
        # Gaps and overlaps of more than 20 ms (half a frame) are filled or cut; less is jitter of the timestamps.
        .filter("aresample", rate, **{"async": 1, "min_hard_comp": 0.02, "first_pts": 0, **mixing})
        .output("pipe:", format=kind, acodec=f"pcm_{kind}", ac=1, ar=rate)
    )
    count, heard = 0, False
    with run(stream, what=path) as pipe:
        while block := pipe.read(BLOCK_BYTES):  # whole blocks: the pipe is buffered
            samples = np.frombuffer(block, np.dtype(dtype).newbyteorder("<")).astype(dtype)
            count, heard = count + len(samples), heard or bool(samples.any())
            yield samples
    if not count:
        raise InputError(f"{path}: the audio stream holds no sample; speech was expected; check the file and start_s")
    if not heard:
        raise InputError(f"{path}: the audio is digital silence; speech was expected; check the recording")


def extract_audio(
    path: Path | str, *, rate: int = RATE, start_s: float | None = None, end_s: float | None = None
) -> np.ndarray:
    """Read the blocks of `sound_blocks` end to end, (S,) int16."""
    blocks = sound_blocks(path, rate=rate, start_s=start_s, end_s=end_s)
    return np.concatenate([np.zeros(0, np.int16), *blocks])


def extract_audio_shard(
    sources: Sequence[Path | str],
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
    sources : sequence of paths
        Videos or sound files, one a clip; a sound file begins with the first frame of its clip's video.
    output : path
        results/audio/{shard}.h5.
    clips : sequence of str
        Names, in the order of `sources`.
    start_s, end_s : sequence of float or None
        The stretch of each clip in seconds.
    rate : int
        Hz.
    """
    with writing(output) as temporary, h5py.File(temporary, "w") as file:
        for clip, path, begin, end in zip(clips, sources, start_s, end_s, strict=True):
            rejected, samples = "", np.zeros(0, np.int16)
            try:
                samples = extract_audio(path, rate=rate, start_s=begin, end_s=end)
            except InputError as error:
                rejected = str(error)
                log.warning("clip %s rejected: %s", clip, rejected)
            dataset = file.create_dataset(clip, data=samples)
            dataset.attrs.update(rate=rate, source=Path(path).name, digest=digest(path), rejected=rejected)
            log.info("clip %s: %.2f s", clip, len(samples) / rate)


def extract_wav(
    path: Path | str,
    output: Path | str,
    *,
    rate: int | None = RATE,
    as_float: bool = False,
    start_s: float | None = None,
    end_s: float | None = None,
) -> None:
    """Write the mono master of one video or audio file as wav, of any length; parameters as in `sound_blocks`.

    Raises
    ------
    InputError
        If the file gives no sound.
    """
    kind = "FLOAT" if as_float else "PCM_16"
    rate = rate or probe(path).audio_rate or RATE  # without sound it is none, which the first block says
    with writing(output) as temporary, soundfile.SoundFile(temporary, "w", rate, 1, subtype=kind, format="WAV") as file:
        for block in sound_blocks(path, rate=rate, as_float=as_float, start_s=start_s, end_s=end_s):
            file.write(block)
