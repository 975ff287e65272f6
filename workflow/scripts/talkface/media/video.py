"""Video files: probing, reading frames at a constant rate.

Axes: T frames, H height, W width, C channels.

Time. The zero of a clip is the instant at which its first frame is shown, or `start_s` seconds after it;
frame i has the time i/25 s and audio (see `audio`) counts from the same zero.

Every command is an argument list made by ffmpeg-python and every path is handed over as an absolute
`file:` address, so that no name (a leading dash, a quote, a `%`, a colon) can be taken for anything else.
"""

import contextlib
import io
import logging
import queue
import subprocess
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ffmpeg
import numpy as np

from talkface.conventions import FPS
from talkface.errors import MACHINE_FAULTS, InputError, MachineError, TalkfaceError
from talkface.media.crop import Crop
from talkface.media.program import ffmpeg_program, sort_fault, start

if TYPE_CHECKING:  # loaded by `probe` alone
    import av

log = logging.getLogger(__name__)

_QUEUED_FRAMES = 32  # frames that may wait between decoder and consumer: 30 MB of grey 1280x720
_CHANNELS = {"gray": 1, "rgb24": 3, "bgr24": 3, "yuv420p": 1.5}
# A stream may end a little before its declared duration (its last frame has one too); more is a truncated file.
_MISSING_S = 0.5


@dataclass(frozen=True, kw_only=True)
class Media:
    """Properties of a media file.

    Attributes
    ----------
    path : pathlib.Path
    duration_s : float
        Length of the picture (of the sound, if there is no picture), NaN if the file does not say.
    has_video, has_audio : bool
    fps : float
        Average frame rate of the source, NaN without a picture.
    width, height : int
        Size in pixels after rotation to upright, 0 without a picture.
    rotation : int
        Degrees by which the stored frames must be turned.
    video_index, audio_index : int
        Stream numbers, -1 if there is none.
    audio_rate : int
        Hz, 0 without sound.
    offset_s : float
        Time from the start of the file to the first frame, in seconds.
    """

    path: Path
    duration_s: float
    has_video: bool
    has_audio: bool
    fps: float = float("nan")
    width: int = 0
    height: int = 0
    rotation: int = 0
    video_index: int = -1
    audio_index: int = -1
    audio_rate: int = 0
    offset_s: float = 0.0


def address(path: Path | str) -> str:
    """Convert a path to the form that ffmpeg takes whatever its letters: absolute, with the protocol named."""
    return f"file:{Path(path).absolute()}"


def probe(path: Path | str) -> Media:
    """Read the properties of a media file, in this process.

    Parameters
    ----------
    path : path
        Any file.

    Raises
    ------
    TalkfaceError
        If it is missing, empty, or holds neither picture nor sound that ffmpeg can read.
    """
    import av

    path = Path(path)
    if not path.is_file():
        raise TalkfaceError(f"{path}: no such file; a video or audio file was expected; check the path")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: empty file; a video or audio file was expected; copy it again")
    try:
        with av.open(address(path)) as container:
            return _read_streams(path, container)
    except (av.FFmpegError, UnicodeDecodeError) as error:
        number = getattr(error, "errno", None)
        if number in MACHINE_FAULTS:
            raise MachineError(f"{path}: {MACHINE_FAULTS[number]}") from None
        reason = getattr(error, "strerror", None) or "unreadable metadata"
        raise InputError(
            f"{path}: not a media file, or a truncated one ({reason}); a file that ffmpeg can read was expected; "
            "copy or convert it again"
        ) from None


def _read_streams(path: Path, container: "av.container.InputContainer") -> Media:
    """Read the fields of `Media` from an open PyAV container."""
    import av

    # A cover picture in an mp3 or m4a counts as no picture.
    pictures = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    sounds = list(container.streams.audio)
    start_s = container.start_time / av.time_base if container.start_time is not None else 0.0
    whole_s = container.duration / av.time_base if container.duration else float("nan")

    def length(stream: "av.stream.Stream") -> float:
        return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else whole_s

    fields: dict[str, Any] = {"has_video": bool(pictures), "has_audio": bool(sounds)}
    if sounds:
        fields |= {"audio_index": sounds[0].index, "audio_rate": sounds[0].rate, "duration_s": length(sounds[0])}
    if pictures:
        stream = pictures[0]
        frame = _first_frame(container, stream)
        if frame is None:
            raise InputError(
                f"{path}: a video stream without a single frame that decodes; "
                "a whole video was expected; copy or convert it again"
            )
        turned = round(frame.rotation) % 180 == 90
        begins_s = float(frame.pts * frame.time_base) if frame.pts is not None and frame.time_base else start_s
        fields |= {
            "video_index": stream.index,
            "duration_s": length(stream),
            "fps": float(stream.average_rate or stream.guessed_rate or "nan"),
            "width": frame.height if turned else frame.width,
            "height": frame.width if turned else frame.height,
            "rotation": round(frame.rotation),
            "offset_s": max(0.0, begins_s - start_s),
        }
    if not (pictures or sounds):
        raise InputError(f"{path}: holds neither picture nor sound; a video or audio file was expected; check it")
    return Media(path=path, **fields)


def _first_frame(
    container: "av.container.InputContainer", stream: "av.video.stream.VideoStream"
) -> "av.video.frame.VideoFrame | None":
    """Decode the first frame that decodes; None if there is none."""
    import av

    with contextlib.suppress(av.FFmpegError):
        for frame in container.decode(stream):
            return frame
    return None


def source(
    media: Media, index: int, *, start_s: float | None = None, end_s: float | None = None
) -> ffmpeg.nodes.FilterableStream:
    """Open one stream of a file as an ffmpeg-python stream, its time counted from the clip's zero.

    Parameters
    ----------
    media : Media
    index : int
        Number of the stream.
    start_s, end_s : float, optional
        Stretch of the video in seconds, from its first frame on.
    """
    start_s = 0.0 if start_s is None else float(start_s)
    options = {}
    # Seeking is left out where nothing is to be skipped: it costs time, and some containers seek badly.
    if start_s + media.offset_s > 0:
        options["ss"] = f"{start_s + media.offset_s:.6f}"
    if end_s is not None:
        options["t"] = f"{float(end_s) - start_s:.6f}"
    return ffmpeg.input(address(media.path), **options)[str(index)]


def at_constant_rate(
    media: Media, *, start_s: float | None, end_s: float | None, fps: int
) -> ffmpeg.nodes.FilterableStream:
    """Open the picture as an ffmpeg-python stream at `fps` frames a second, the first shown at the clip's zero."""
    stream = source(media, media.video_index, start_s=start_s, end_s=end_s).filter("fps", fps=fps, start_time=0)
    if end_s is None:
        return stream
    # Where a stretch begins between two frames the filter would give one more than it lasts.
    return stream.filter("trim", end_frame=max(1, round((end_s - (start_s or 0.0)) * fps)))


@contextlib.contextmanager
def run(stream: ffmpeg.nodes.OutputStream, *, what: Path | str) -> Iterator[io.BufferedReader]:
    """Run an ffmpeg-python stream whose output is read from a pipe, and check how it ended.

    Parameters
    ----------
    stream : ffmpeg-python output stream
    what : path
        The file, for the error message.

    Yields
    ------
    io.BufferedReader
        The pipe. Leaving early ends the program without complaint.

    Raises
    ------
    InputError, MachineError
        If ffmpeg fails; its last line stands in the message. See `program.sort_fault`.
    """
    command = ffmpeg.compile(stream.global_args("-nostdin", "-hide_banner", "-loglevel", "error"), cmd=ffmpeg_program())
    log.debug("running %s", command)
    with start(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as (process, said):
        pipe = process.stdout
        assert isinstance(pipe, io.BufferedReader)
        try:
            yield pipe
        finally:
            whole = pipe.read(1) == b""  # bytes left over: the reader stopped early, on purpose
            pipe.close()
            if not whole:
                process.kill()
    for line in said:
        log.warning("ffmpeg: %s", line)
    fault = sort_fault(process.returncode, said, what=what) if whole else None
    if fault:
        raise fault


def read_frames(
    media: Media,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    pixels: str = "gray",
    fps: int = FPS,
    crop: Crop | None = None,
    size: int | tuple[int, int] | None = None,
) -> Generator[np.ndarray, None, None]:
    """Read frames of a video, upright, at a constant rate; decoding runs ahead in another process and thread.

    Parameters
    ----------
    media : Media
        From `probe`.
    start_s, end_s : float, optional
        Stretch of the video in seconds, from its first frame on.
    pixels : {"gray", "rgb24", "bgr24", "yuv420p"}
        Planar YUV, whose width and height must be even, is what `encoding.encode` takes: BT.601, limited range.
    fps : int
        Frames a second; each frame is the source's nearest (ffmpeg's fps filter).
    crop : Crop, optional
        Square of the upright source that is wanted.
    size : int or (width, height), optional
        Pixels to which the picture is scaled; one number: both ways.

    Yields
    ------
    numpy.ndarray
        (H, W), (H, W, 3) or (3 H / 2, W) uint8, a new array each.

    Raises
    ------
    TalkfaceError
        If there is no picture, no frame in the stretch, or the file ends before its declared duration.
    """
    if not media.has_video:
        raise InputError(f"{media.path}: no video stream; a video was expected; check the sheet")
    pictures = at_constant_rate(media, start_s=start_s, end_s=end_s, fps=fps)
    height, width = media.height, media.width
    if crop is not None:
        height = width = crop.side
        pictures = pictures.filter("crop", crop.side, crop.side, crop.left, crop.top, exact=1)
    if size is not None:
        whole, (width, height) = width, size if isinstance(size, tuple) else (size, size)
        scaling = {"flags": "area" if width < whole else "bicubic"}
        if pixels == "yuv420p":
            scaling |= {"out_color_matrix": "bt601", "out_range": "tv"}
        pictures = pictures.filter("scale", width, height, **scaling)
    shape = {1: (height, width), 3: (height, width, 3), 1.5: (height * 3 // 2, width)}[_CHANNELS[pixels]]
    stream = pictures.output("pipe:", format="rawvideo", pix_fmt=pixels)
    count = 0
    with run(stream, what=media.path) as pipe:
        for frame in _ahead(pipe, shape):
            count += 1
            yield frame
    expected_s = (media.duration_s if end_s is None else min(end_s, media.duration_s)) - (start_s or 0.0)
    if count == 0:
        raise InputError(
            f"{media.path}: no frame decodes from {start_s or 0:g} s on; "
            f"a video of {media.duration_s:.2f} s was found; check the file and start_s"
        )
    if count / fps < expected_s - _MISSING_S:
        raise InputError(
            f"{media.path}: truncated, {count / fps:.2f} s of {expected_s:.2f} s decode; "
            "a whole video was expected; copy it again"
        )


def _ahead(pipe: io.BufferedReader, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Read frames of `shape` from a pipe, in a thread that runs ahead of the consumer."""
    frames: queue.Queue[np.ndarray | Exception | None] = queue.Queue(_QUEUED_FRAMES)
    stopped = threading.Event()

    def put(item: np.ndarray | Exception | None) -> bool:
        while not stopped.is_set():
            with contextlib.suppress(queue.Full):
                frames.put(item, timeout=0.1)
                return True
        return False

    def fill() -> None:
        try:
            while True:
                frame = np.empty(shape, np.uint8)
                view, size = frame.data.cast("B"), 0
                while size < len(view):
                    got = pipe.readinto(view[size:])
                    if not got:
                        put(None)
                        return
                    size += got
                if not put(frame):
                    return
        except (OSError, ValueError) as error:
            put(error)

    reader = threading.Thread(target=fill, name="frames", daemon=True)
    reader.start()
    try:
        while (frame := frames.get()) is not None:
            if isinstance(frame, Exception):
                raise frame
            yield frame
    finally:
        stopped.set()
        reader.join()


def save_frames(
    video: Path | str,
    folder: Path | str,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    jpeg_scale: int = 2,
    first_frame: int = 0,
    fps: int = FPS,
) -> int:
    """Write the frames of a video as JPEG files named by their number.

    Parameters
    ----------
    video : path
    folder : path
        Made if need be.
    start_s, end_s : float, optional
        Stretch of the video in seconds, from its first frame on.
    jpeg_scale : int
        ffmpeg's quality scale, 2 (best) to 31.
    first_frame : int
        Number of the first one.
    fps : int

    Returns
    -------
    int
        Number of frames.

    Raises
    ------
    TalkfaceError
        If the file is no video or does not decode.
    """
    media, folder = probe(video), Path(folder)
    if not media.has_video:
        raise InputError(f"{media.path}: no video stream; a video was expected; check the sheet")
    folder.mkdir(parents=True, exist_ok=True)
    # The image writer reads % in the folder's name as a pattern: doubled it stands for itself.
    pattern = address(folder).replace("%", "%%") + "/%06d.jpg"
    pictures = at_constant_rate(media, start_s=start_s, end_s=end_s, fps=fps)
    stream = pictures.output(pattern, format="image2", start_number=first_frame, qscale=jpeg_scale, pix_fmt="yuvj420p")
    with run(stream, what=media.path) as pipe:
        pipe.read()
    count = len(list(folder.glob("*.jpg")))
    if count == 0:
        raise InputError(f"{media.path}: no frame decodes; a video was expected; check the file and start_s")
    return count
