"""Films of drawn faces: frames streamed into ffmpeg while they are painted, with their speech.

Axes: T frames at 25 fps, 68 landmarks, 2 coordinates.
"""

import contextlib
import fcntl
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import ffmpeg
import numpy as np
import soundfile
from numpy.typing import NDArray

from talkface.conventions import FPS
from talkface.drawing import STYLES, FlatPainter, ShadedPainter, blink_amounts, close_eyes
from talkface.errors import TalkfaceError
from talkface.faces import neutral_face
from talkface.files import writing
from talkface.people import PRESENTER, Person
from talkface.points import LIP_PAIRS
from talkface.predicted import frames_of, hold, load_shapes
from talkface.template import load_template
from talkface.video import address, ffmpeg_program

# Players take an HD film without these words for BT.709 (H.264, table E-5: 6 is what OpenCV and ffmpeg make, BT.601).
_COLOURS = "h264_metadata=colour_primaries=6:transfer_characteristics=6:matrix_coefficients=6"
# x264's own default preset; crf 18 is near transparent for drawn edges.
ENCODER = {"vcodec": "libx264", "preset": "medium", "crf": 18, "pix_fmt": "yuv420p", "bsf:v": _COLOURS}
# A video costs the encoder more than drawn faces: half of the work, as large a file, 1 to 2 dB further from the source
# (40.9 dB of 41.7 in a comparison, 46 in an overlay).
OF_VIDEO = {"preset": "veryfast"}
_PIPE_BYTES = 1 << 20  # the most that an ordinary user may ask for (/proc/sys/fs/pipe-max-size)
# Where a face stands in the picture: its outer-eye distance and the height of the eyes, as shares of the size. The flat
# face fills the picture, the shaded one leaves room for hair and shoulders.
PLACES = {"flat": (0.34, 0.385), "shaded": (0.255, 0.425)}


@contextlib.contextmanager
def as_wav(samples: NDArray[np.int16], rate: int) -> Iterator[Path]:
    """Sound (S,) at `rate` Hz as a wav file for a while, which is what ffmpeg takes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        soundfile.write(path, samples, rate, subtype="PCM_16")
        yield path


def encoder_command(output: str | Path, *, size: tuple[int, int], fps: float = FPS, audio: str | Path | None = None,
                    pixels: str = "bgr24", **options: object) -> list[str]:  # fmt: skip
    """Arguments of the ffmpeg that takes raw frames on standard input and writes an mp4."""
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


def feed(command: list[str], frames: Iterable[NDArray[np.uint8]], output: str | Path) -> None:
    """Run an ffmpeg that takes raw frames on standard input.

    Raises
    ------
    TalkfaceError
        If it fails, with what it says and the name of `output`.
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said)
        with contextlib.suppress(AttributeError, OSError):  # a frame in two turns, not in twenty; Linux alone has it
            fcntl.fcntl(process.stdin, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        try:
            with contextlib.suppress(BrokenPipeError):  # ffmpeg has given up: it says why below
                for frame in frames:
                    process.stdin.write(memoryview(np.ascontiguousarray(frame)).cast("B"))
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            status = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        if status:
            said.seek(0)
            lines = said.read().decode(errors="replace").splitlines()
            reason = "; ".join(line.strip() for line in lines if line.strip())[-400:] or f"exit status {status}"
            raise TalkfaceError(f"{output}: ffmpeg could not write it: {reason}")


def resting_face() -> NDArray[np.float64]:
    """The template with its lips closed, (68, 2)."""
    face = load_template()
    for upper, lower in LIP_PAIRS:
        face[[upper, lower]] = face[[upper, lower]].mean(axis=0)
    return face


def paint_frames(
    shapes: NDArray, *, style: str, size: int, blink: bool, seed: int = 0, person: Person = PRESENTER, fps: float = FPS
) -> Iterator[NDArray[np.uint8]]:
    """Paint shapes (T, 68, 2) of the template frame as planar YUV pictures (3 size / 2, size), ready for x264.

    The flat face has the shapes' own outlines. The shaded one is a person with a face of its own: it takes over how the
    shapes differ from the closed template. Only the windows that a frame changed are converted. A picture is valid
    until the next one is asked for.
    """
    if style not in STYLES:
        raise ValueError(f"style {style!r}; expected one of {', '.join(STYLES)}")
    scale, height = PLACES[style]
    unit, origin = scale * size, np.array([0.5, height]) * size
    rest = resting_face()
    if style == "shaded":
        own = neutral_face(person.build)
        shapes, rest = shapes - rest + own, own
    if blink:
        shapes = close_eyes(shapes, blink_amounts(len(shapes), fps=fps, rng=np.random.default_rng(seed)))
    painter: FlatPainter | ShadedPainter
    if style == "shaded":
        rng = np.random.default_rng(seed)
        painter = ShadedPainter(rest * unit + origin, look=person.look, size=(size, size), rng=rng)
    else:
        painter = FlatPainter(rest * unit + origin, size=(size, size))
    planes = YuvPicture((size, size))
    planes.update(painter.frame, [(slice(0, size), slice(0, size))])
    cv2.setNumThreads(1)  # from here on the encoder keeps all cores busy, and what is painted is small
    for landmarks in shapes * unit + origin:
        planes.update(painter.frame, painter.paint(landmarks))
        yield planes.picture


class YuvPicture:
    """A picture in the layout that x264 takes, kept up to date window by window.

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


def animate(
    shapes: NDArray, output: str | Path, *, audio: str | Path, style: str = "shaded", size: int = 1000,
    blink: bool = False, seed: int = 0,
) -> None:  # fmt: skip
    """Write a film of a face that moves through shapes, with its speech.

    Parameters
    ----------
    shapes : (T, 68, 2) array
        Template frame, 25 fps.
    output : path
        An mp4, H.264 and AAC; it lasts as long as the audio, to the nearest frame: the last shape is held, or frames
        beyond the end of the audio are left out.
    audio : path
        A wav file.
    style : {"shaded", "flat"}
    size : int
        Pixels, both ways, even.
    blink : bool
        Let the eyes blink at chance times.
    seed : int
        Of those times and of the strands of hair.

    Raises
    ------
    TalkfaceError
        If the audio is empty or cannot be read, or ffmpeg fails.
    """
    shapes = hold(shapes, frames_of(audio))
    pictures = paint_frames(shapes, style=style, size=size, blink=blink, seed=seed)
    with writing(output) as film:
        encode(pictures, film, size=(size, size), audio=audio, pixels="yuv420p")


def draw_animation(
    predictions: str | Path, audio: str | Path, output: str | Path, *, style: str, size: int, blink: bool, seed: int
) -> None:
    """Animate a file of predicted landmarks with the audio they were predicted from; see `load_shapes`, `animate`."""
    animate(load_shapes(predictions), output, audio=audio, style=style, size=size, blink=blink, seed=seed)
