"""Audio extraction: mono masters of clips and speech files, and the files of shards that hold them.

A master is (S,) int16 at 44.1 kHz, sample 0 at the instant of the clip's first frame (see `video`). Beside it there may
be one in float32 at the rate of the source, for models that hear what a resampler leaves in silent bands.

results/audio/{shard}.h5: a dataset per clip, (S,) int16; attributes `rate` (Hz), `source` (file name), `digest`
(sha256 of the source) and `rejected`, which is empty or says in words why the clip cannot be used (then S may be 0).
"""

import logging
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np
import soundfile

from talkface.errors import InputError
from talkface.files import digest, writing
from talkface.media.decoding import Sounder, choose_sound, timed
from talkface.media.sound import LISTENED_S, is_turned_over
from talkface.media.video import Media, probe

log = logging.getLogger(__name__)

RATE = 44_100  # Hz; GRID's own rate, and that of the features of Eskimez et al. 2018


def sound_blocks(
    path: Path | str,
    *,
    rate: int | None = RATE,
    as_float: bool = False,
    start_s: float | None = None,
    end_s: float | None = None,
    may_be_silent: bool = False,
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
    may_be_silent : bool
        Whether zeros are no fault.

    Yields
    ------
    (n,) int16 array, or float32 in [-1, 1]

    Raises
    ------
    InputError
        If the file is no media file, has no audio stream, no sample, a sample that is no number, or nothing but zeros.
    """
    media = probe(path)
    if not media.has_audio:
        raise InputError(f"{path}: no audio stream; speech was expected; give a file with sound")
    rate = rate or media.audio_rate
    channel, peak = examine(media, start_s or 0.0)
    last_s = math.inf if end_s is None else end_s
    sounder = Sounder(
        rate, format="flt" if as_float else "s16", start_s=start_s or 0.0,
        end_s=min(last_s, media.audio_end_s - media.zero_s), channel=channel, gain=1 / peak,
    )  # fmt: skip
    count, heard = 0, False
    for samples in _blocks(media, sounder):
        count, heard = count + len(samples), heard or bool(samples.any())
        yield samples
    if not count:
        raise InputError(f"{path}: the audio stream holds no sample; speech was expected; check the file and start_s")
    if not heard and not may_be_silent:
        raise InputError(f"{path}: the audio is digital silence; speech was expected; check the recording")
    if not heard:
        log.warning("%s: digital silence; the face will rest", path)


def _blocks(media: Media, sounder: Sounder) -> Iterator[np.ndarray]:
    """Feed a file's sound from shortly before the stretch to shortly after it."""
    for t, frame in timed(media.path, choose_sound, start_s=sounder.start_s, zero_s=media.zero_s):
        if t > sounder.end_s:
            break
        yield from sounder.push(t, frame)
    yield from sounder.finish()


def examine(media: Media, start_s: float) -> tuple[int | None, float]:
    """Look at sound before it is read: which channel to take, and how loud its loudest sample is.

    Of stereo the first seconds decide; where the mean of both channels would be near silence one of them is inverted,
    and the first is taken. Samples that are stored as floats are read to their end: they may go over full scale, and be
    no numbers.

    Returns
    -------
    (int or None, float)
        The channel, None for the mean of all; the loudest sample, 1 where samples cannot be louder.

    Raises
    ------
    InputError
        If a sample is no number: its place.
    """
    mean = difference = peak = 0.0
    for t, frame in timed(media.path, choose_sound, start_s=start_s, zero_s=media.zero_s):
        stored_as_floats = frame.format.name.startswith(("flt", "dbl")) and media.audio_codec.startswith("pcm_")
        stereo = frame.layout.nb_channels == 2 and t <= start_s + LISTENED_S
        if not stereo and not stored_as_floats:
            break
        samples = frame.to_ndarray().astype(np.float64)
        samples = samples.reshape(frame.layout.nb_channels, -1, order="C" if frame.format.is_planar else "F")
        if stored_as_floats:
            wrong = np.flatnonzero(~np.isfinite(samples).all(axis=0))
            if len(wrong):
                place_s = t + wrong[0] / frame.sample_rate
                raise InputError(
                    f"{media.path}: a sample that is no number (NaN or infinite) at {place_s:.4f} s; speech was "
                    "expected; repair the file"
                )
            peak = max(peak, float(np.abs(samples).max(initial=0)))
        if stereo:
            mean += float(np.square(samples[0] + samples[1]).sum())
            difference += float(np.square(samples[0] - samples[1]).sum())
    if peak > 1:
        log.warning("%s: samples over full scale, the loudest %.2f; all are made quieter by that", media.path, peak)
    channel = 0 if is_turned_over(mean, difference) else None
    if channel is not None:
        log.warning("%s: one channel is the other turned over; the first is taken", media.path)
    return channel, max(1.0, peak)


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
        blocks = sound_blocks(path, rate=rate, as_float=as_float, start_s=start_s, end_s=end_s, may_be_silent=True)
        for block in blocks:
            file.write(block)
