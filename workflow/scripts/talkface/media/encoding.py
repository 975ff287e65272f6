"""Video encoding: frames streamed into ffmpeg while they are drawn, with their sound.

Axes: T frames at 25 fps, H rows, W columns, S samples.
"""

import contextlib
import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import cv2
import ffmpeg
import h5py
import numpy as np
import soundfile
from numpy.typing import NDArray

from talkface.conventions import FPS
from talkface.errors import MachineError
from talkface.files import writing
from talkface.media.program import feed, ffmpeg_program
from talkface.media.video import address, probe, read_frames

log = logging.getLogger(__name__)

# Players take an HD film without these words for BT.709 (H.264, table E-5: 6 is what OpenCV and ffmpeg make, BT.601).
_COLOURS = "h264_metadata=colour_primaries=6:transfer_characteristics=6:matrix_coefficients=6"
# crf 18 is near transparent for drawn edges. Beside x264's own preset, medium: less than half of the work, a file no
# larger, 1 to 2 dB further from what was drawn (50.1 dB instead of 51.8 of a face, 40.9 instead of 41.7 in a comparison
# with a video).
ENCODER = {"vcodec": "libx264", "preset": "veryfast", "crf": 18, "pix_fmt": "yuv420p", "bsf:v": _COLOURS}
CRF = 28  # x264's scale; its default is 23, and sites that host videos choose less than that
SHIFT_PX = 1


@contextlib.contextmanager
def as_wav(samples: NDArray[np.int16], rate: int) -> Iterator[Path]:
    """Keep sound (S,) at `rate` Hz as a temporary wav file, which is what ffmpeg takes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        try:
            soundfile.write(path, samples, rate, subtype="PCM_16")
        except (AssertionError, soundfile.LibsndfileError) as error:  # what the library makes of a full disk
            fault = f"{folder}: no room for a temporary file ({error}); set TMPDIR to another folder"
            raise MachineError(fault) from None
        yield path


def encoder_command(output: str | Path, *, size: tuple[int, int], fps: float = FPS, audio: str | Path | None = None,
                    pixels: str = "bgr24", **options: object) -> list[str]:  # fmt: skip
    """Build the command of an ffmpeg that takes raw frames on standard input and writes an mp4."""
    width, height = size
    film = ffmpeg.input("pipe:0", format="rawvideo", pix_fmt=pixels, s=f"{width}x{height}", framerate=fps)
    streams = [film.video]
    settings = {**ENCODER, **options, "movflags": "+faststart"}
    if audio is not None:
        streams.append(ffmpeg.input(address(audio)).audio)
        settings = {"acodec": "aac", "audio_bitrate": "128k", "ar": 44100, "ac": 1, **settings}
    made = ffmpeg.output(*streams, address(output), **settings).global_args("-v", "error", "-nostdin")
    return ffmpeg.compile(made.overwrite_output(), cmd=ffmpeg_program())


def encode(frames: Iterable[NDArray[np.uint8]], output: str | Path, *, size: tuple[int, int], fps: float = FPS,
           audio: str | Path | None = None, pixels: str = "bgr24", **options: object) -> None:  # fmt: skip
    """Write frames and sound as H.264 and AAC.

    Parameters
    ----------
    frames : iterable of uint8 arrays
        (H, W, 3) blue, green, red, or (3 H / 2, W) for `pixels="yuv420p"`; each is written before the next one
        is asked for.
    output : path
        An mp4.
    size : (width, height)
    fps : float
    audio : path or None
        Any file that ffmpeg reads.
    pixels : {"bgr24", "yuv420p"}
    **options
        Of ffmpeg's encoders, before those of `ENCODER`.
    """
    feed(encoder_command(output, size=size, fps=fps, audio=audio, pixels=pixels, **options), frames, output)


class YuvPicture:
    """A picture in the planar layout that x264 takes, updated window by window.

    Attributes
    ----------
    picture : (3 H / 2, W) uint8 array
        Planes Y (H, W), U and V (H / 2, W / 2) one after the other; BT.601, limited range.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        width, height = size
        self.picture = np.zeros((height * 3 // 2, width), np.uint8)
        flat = self.picture.reshape(-1)
        area = width * height
        self._y = flat[:area].reshape(height, width)
        self._u = flat[area : area * 5 // 4].reshape(height // 2, width // 2)
        self._v = flat[area * 5 // 4 :].reshape(height // 2, width // 2)

    def update(self, frame: NDArray[np.uint8], windows: list[tuple[slice, slice]]) -> None:
        """Convert windows (rows, columns) of a blue-green-red frame; their bounds are rounded outwards to even ones."""
        height, width = frame.shape[:2]
        for rows, columns in windows:
            top, left = rows.start & ~1, columns.start & ~1
            bottom, right = min(rows.stop + 1 & ~1, height), min(columns.stop + 1 & ~1, width)
            high, wide = bottom - top, right - left
            if high <= 0 or wide <= 0:
                continue
            flat = cv2.cvtColor(frame[top:bottom, left:right], cv2.COLOR_BGR2YUV_I420).reshape(-1)
            area = high * wide
            self._y[top:bottom, left:right] = flat[:area].reshape(high, wide)
            half = slice(top // 2, bottom // 2), slice(left // 2, right // 2)
            self._u[half] = flat[area : area * 5 // 4].reshape(high // 2, wide // 2)
            self._v[half] = flat[area * 5 // 4 :].reshape(high // 2, wide // 2)


class FilmPicture(YuvPicture):
    """A planar picture whose upper part is copied from a video, so that only what is drawn is converted."""

    def lay(self, video: NDArray[np.uint8]) -> None:
        """Copy a planar picture (3 h / 2, W) to the top."""
        width = video.shape[1]
        height = video.shape[0] * 2 // 3
        flat, area = video.reshape(-1), width * height
        self._y[:height] = flat[:area].reshape(height, width)
        self._u[: height // 2] = flat[area : area * 5 // 4].reshape(height // 2, width // 2)
        self._v[: height // 2] = flat[area * 5 // 4 :].reshape(height // 2, width // 2)

    def show(self, picture: NDArray[np.uint8], window: tuple[slice, slice]) -> None:
        """Convert a window, of even bounds, into a picture (H, W, 3)."""
        rows, columns = window
        high, wide = rows.stop - rows.start, columns.stop - columns.start
        if high <= 0 or wide <= 0:
            return
        half = slice(rows.start // 2, rows.stop // 2), slice(columns.start // 2, columns.stop // 2)
        flat = np.concatenate([self._y[window].reshape(-1), self._u[half].reshape(-1), self._v[half].reshape(-1)])
        picture[window] = cv2.cvtColor(flat.reshape(high * 3 // 2, wide), cv2.COLOR_YUV2BGR_I420)


@contextlib.contextmanager
def speech(path: str | Path, clip: str, *, frames: int) -> Iterator[Path | None]:
    """Keep the sound of a clip from results/audio/{shard}.h5 as a temporary wav file, cut to so many frames.

    It gives the path of the file, None if the clip has no sound.
    """
    with h5py.File(path, "r") as file:
        rate = int(file[clip].attrs["rate"])
        samples = file[clip][: round(frames / FPS * rate)]
    if not len(samples):
        log.warning("%s: no sound", clip)
        yield None
        return
    with as_wav(samples, rate) as wav:
        yield wav


def encode_again(
    video: str | Path,
    output: str | Path,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    crf: int = CRF,
    shift_px: int = SHIFT_PX,
) -> None:
    """Encode the frames of a clip at 25 frames a second as H.264, shifted right and down; the edges are repeated.

    Parameters
    ----------
    video, output : paths
        `output` ends in .mp4.
    start_s, end_s : float, optional
        The clip's stretch of the video in seconds, from its first frame on.
    crf : int
        x264's constant rate factor, 0 (lossless) to 51.
    shift_px : int
        Pixels of the upright source at its own size, 0 or more.
    """
    media = probe(video)
    width, height = media.width, media.height
    # 4:2:0 wants even sides; what is added is cut off by nobody, and no face lies there.
    size = (width + width % 2, height + height % 2)

    def moved(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        picture = np.zeros((size[1], size[0], 3), np.uint8)
        picture[:height, :width] = np.pad(frame, ((shift_px, 0), (shift_px, 0), (0, 0)), "edge")[:height, :width]
        return picture

    frames = read_frames(media, start_s=start_s, end_s=end_s, pixels="rgb24")
    encode(map(moved, frames), output, size=size, pixels="rgb24", preset="medium", crf=crf, threads=1)


def shrink(film: str | Path, output: str | Path, *, duration_s: float, bits: int, widest: int, sound: int) -> None:
    """Encode the beginning of a film again, narrower and at a lower bit rate.

    Parameters
    ----------
    film, output : path
        `output` ends in .mp4.
    duration_s : float
        Seconds of it that are kept.
    bits : int
        Highest rate of the picture, bits a second.
    widest : int
        Pixels; a wider film becomes as narrow as this.
    sound : int
        Bits a second of the sound, where it has one.

    Raises
    ------
    TalkfaceError
        If ffmpeg fails.
    """
    source = ffmpeg.input(address(film), t=duration_s)
    picture = source.video.filter("scale", f"trunc(min(iw,{widest})/2)*2", -2)
    streams = [picture, *([source.audio] if probe(film).has_audio else [])]
    made = ffmpeg.output(
        *streams, address(output), vcodec="libx264", preset="medium", crf=23, maxrate=bits, bufsize=2 * bits,
        pix_fmt="yuv420p", acodec="aac", audio_bitrate=sound, movflags="+faststart",
    )  # fmt: skip
    feed(ffmpeg.compile(made.global_args("-v", "error").overwrite_output(), cmd=ffmpeg_program()), (), output)


def encode_gif(
    frames: Iterable[NDArray[np.uint8]], output: str | Path, *, sample: Iterable[NDArray[np.uint8]], size: int,
    fps: float, dither: Mapping[str, object], last_delay: int,
) -> None:  # fmt: skip
    """Write frames as a GIF that repeats for ever.

    Parameters
    ----------
    frames : iterable of (3 size / 2, size) uint8 arrays
        Planar YUV.
    output : path
    sample : iterable of such arrays
        Those that the palette is chosen from.
    size : int
        Pixels, both ways.
    fps : float
    dither : mapping
        Options of ffmpeg's filter paletteuse.
    last_delay : int
        How long the last frame stands, hundredths of a second.

    Raises
    ------
    TalkfaceError
        If ffmpeg fails.
    """
    source = {"format": "rawvideo", "pix_fmt": "yuv420p", "s": f"{size}x{size}", "framerate": fps}

    def command(made: ffmpeg.nodes.OutputStream) -> list[str]:
        return ffmpeg.compile(made.global_args("-v", "error").overwrite_output(), cmd=ffmpeg_program())

    with tempfile.TemporaryDirectory() as folder, writing(output) as film:
        palette = Path(folder) / "palette.png"
        colours = ffmpeg.input("pipe:0", **source).filter("palettegen", stats_mode="full")
        feed(command(ffmpeg.output(colours, address(palette))), sample, output)
        streams = [ffmpeg.input("pipe:0", **source), ffmpeg.input(address(palette))]
        used = ffmpeg.filter(streams, "paletteuse", diff_mode="rectangle", **dither)
        feed(command(ffmpeg.output(used, address(film), loop=0, final_delay=last_delay)), frames, output)
