"""Video files: probing, reading frames at a constant rate.

Axes: T frames, H height, W width, C channels.

Time. The zero of a clip is the instant at which its first frame is shown, or `start_s` seconds after it;
frame i has the time i/25 s and audio (see `audio`) counts from the same zero.

Every command is an argument list made by ffmpeg-python and every path is handed over as an absolute
`file:` address, so that no name (a leading dash, a quote, a `%`, a colon) can be taken for anything else.
"""

import contextlib
import logging
import math
import queue
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import ffmpeg
import numpy as np

from talkface.conventions import FPS
from talkface.errors import InputError, TalkfaceError
from talkface.media.crop import Crop
from talkface.media.decoding import (
    Converter,
    choose_picture,
    choose_sound,
    decode_timed,
    opened,
    reached_s,
    square_size,
    timed,
    turning,
)
from talkface.media.program import feed, ffmpeg_program

if TYPE_CHECKING:  # loaded by `probe` alone
    import av

log = logging.getLogger(__name__)

Item = TypeVar("Item")

_QUEUED_FRAMES = 32  # frames that may wait between decoder and consumer: 30 MB of grey 1280x720
_QUEUED_PICTURES = 4  # as decoded
# A stream may end a little before its declared duration (its last frame has one too); more is a truncated file.
_MISSING_S = 0.5
_WHOLE = ("asf", "flv")  # which say of each stream how long the whole is
_INSTANT_S = 1e-6  # times are sums of fractions


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
    audio_rate : int
        Hz, 0 without sound.
    audio_codec : str
        As ffmpeg calls it.
    audio_end_s : float
        The file's own time at which the sound ends, where a container says it to the sample; else infinite.
    offset_s : float
        Time from the start of the file to the first frame, in seconds.
    zero_s : float
        The file's own time of the clip's zero, in seconds.
    aspect : Fraction or None
        Width to height of a stored pixel; `width` and `height` are those of square ones.
    exact : bool
        Whether the duration is the stream's own, and not that of the whole file.
    """

    path: Path
    duration_s: float
    has_video: bool
    has_audio: bool
    fps: float = float("nan")
    width: int = 0
    height: int = 0
    rotation: int = 0
    audio_rate: int = 0
    audio_codec: str = ""
    audio_end_s: float = math.inf
    offset_s: float = 0.0
    zero_s: float = 0.0
    aspect: Fraction | None = None
    exact: bool = True


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
    path = Path(path)
    if not path.is_file():
        raise TalkfaceError(f"{path}: no such file; a video or audio file was expected; check the path")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: empty file; a video or audio file was expected; copy it again")
    with opened(path) as container:
        return _read_streams(path, container)


def _read_streams(path: Path, container: "av.container.InputContainer") -> Media:
    """Read the fields of `Media` from an open PyAV container."""
    import av

    picture, sound = choose_picture(container), choose_sound(container)
    start_s = container.start_time / av.time_base if container.start_time is not None else 0.0
    whole_s = container.duration / av.time_base if container.duration else float("nan")

    def length(stream: "av.stream.Stream") -> float:
        return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else whole_s

    fields: dict[str, Any] = {"has_video": picture is not None, "has_audio": sound is not None}
    if sound is not None:
        begins = sound.start_time
        fields |= {"audio_rate": sound.rate, "duration_s": length(sound)}
        fields |= {"audio_codec": sound.codec_context.name}
        if sound.duration and sound.time_base and container.format.name.startswith("mov"):
            # What an encoder adds to fill its last packet is no sound of the file.
            fields |= {"audio_end_s": float(((begins or 0) + sound.duration) * sound.time_base)}
        fields |= {"zero_s": float(begins * sound.time_base) if begins is not None and sound.time_base else start_s}
    if picture is not None:
        begins_s, frame = next(decode_timed(path, container, picture), (0.0, None))
        if frame is None:
            raise InputError(
                f"{path}: a video stream without a single frame that decodes; "
                "a whole video was expected; copy or convert it again"
            )
        aspect = picture.sample_aspect_ratio
        width, height = square_size(frame.width, frame.height, aspect)
        turned = any(name == "transpose" for name, _ in turning(frame))
        fields |= {
            "duration_s": length(picture),
            "exact": bool(picture.duration) and container.format.name not in _WHOLE,
            "fps": float(picture.average_rate or picture.guessed_rate or "nan"),
            "width": height if turned else width,
            "height": width if turned else height,
            "rotation": round(frame.rotation),
            "offset_s": max(0.0, begins_s - start_s),
            "zero_s": begins_s,
            "aspect": aspect,
        }
    if picture is None and sound is None:
        raise InputError(f"{path}: holds neither picture nor sound; a video or audio file was expected; check it")
    return Media(path=path, **fields)


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
    """Read frames of a video, upright, at a constant rate; decoding runs ahead in other threads.

    Parameters
    ----------
    media : Media
        From `probe`.
    start_s, end_s : float, optional
        Stretch of the video in seconds, from its first frame on.
    pixels : {"gray", "rgb24", "bgr24", "yuv420p"}
        Planar YUV, whose width and height must be even, is what `encoding.encode` takes: BT.601, limited range.
    fps : int
        Frames a second; each frame is the source's nearest.
    crop : Crop, optional
        Square of the upright source that is wanted.
    size : int or (width, height), optional
        Pixels to which the picture is scaled; one number: both ways.

    Yields
    ------
    numpy.ndarray
        (H, W), (H, W, 3) or (3 H / 2, W) uint8, a new array each, without gaps between its rows.

    Raises
    ------
    TalkfaceError
        If there is no picture, no frame in the stretch, or the file ends before its declared duration.
    """
    if not media.has_video:
        raise InputError(f"{media.path}: no video stream; a video was expected; check the sheet")
    filters: list[tuple[str, str]] = []
    width = media.width
    if crop is not None:
        width = crop.side
        filters.append(("crop", f"{crop.side}:{crop.side}:{crop.left}:{crop.top}:exact=1"))
    if size is not None:
        wide, high = size if isinstance(size, tuple) else (size, size)
        scaling = f"{wide}:{high}:flags={'area' if wide < width else 'bicubic'}"
        if pixels == "yuv420p":
            scaling += ":out_color_matrix=bt601:out_range=tv"
        filters.append(("scale", scaling))
    count = 0
    for frame in _ahead(_wanted(media, Converter(media.aspect, filters, format=pixels), start_s or 0.0, end_s, fps)):
        count += 1
        yield frame
    expected_s = (media.duration_s if end_s is None else min(end_s, media.duration_s)) - (start_s or 0.0)
    if count == 0:
        raise InputError(
            f"{media.path}: no frame decodes from {start_s or 0:g} s on; "
            f"a video of {media.duration_s:.2f} s was found; check the file and start_s"
        )
    # A container may say how long it is as a whole, and its picture end before its sound.
    missing = count / fps < expected_s - _MISSING_S
    if missing and (media.exact or reached_s(media.path) < media.duration_s - _MISSING_S):
        raise InputError(
            f"{media.path}: truncated, {count / fps:.2f} s of {expected_s:.2f} s decode; "
            "a whole video was expected; copy it again"
        )


def _wanted(media: Media, converter: Converter, start_s: float, end_s: float | None, fps: int) -> Iterator[np.ndarray]:
    """Give the picture nearest to each tick, an array each; the first and the last stand for what lies beyond them."""
    most = math.inf if end_s is None else max(1, round((end_s - start_s) * fps))
    tick = 0
    shown: Any = None

    def until(end_s: float) -> Iterator[np.ndarray]:
        nonlocal tick
        array = None
        while tick < most and start_s + tick / fps <= end_s + _INSTANT_S:
            # A decoder's rows are longer than the picture; an array of its own holds the picture alone.
            array = np.array(converter.convert(shown).to_ndarray() if array is None else array, order="C")
            tick += 1
            yield array

    t = last_s = 0.0
    # A second thread: of large pictures decoding and converting take as long as each other.
    decoded = _ahead(timed(media.path, choose_picture, start_s=start_s, zero_s=media.zero_s), most=_QUEUED_PICTURES)
    for t, frame in decoded:
        if shown is not None:
            yield from until((last_s + t) / 2)
            if tick >= most:
                return
        shown, last_s = frame, t
    if shown is not None:
        length_s = (
            float(shown.duration * shown.time_base) if shown.duration else 1 / (media.fps if media.fps > 0 else fps)
        )
        # As many ticks as the film is long, to the nearest.
        most = min(most, round((last_s + length_s - start_s) * fps))
        yield from until(math.inf)


def _ahead(items: Iterator[Item], *, most: int = _QUEUED_FRAMES) -> Generator[Item, None, None]:
    """Iterate in a thread that runs ahead of the consumer, by so many items at most."""
    waiting: queue.Queue[Item | Exception | None] = queue.Queue(most)
    stopped = threading.Event()

    def put(item: Item | Exception | None) -> bool:
        while not stopped.is_set():
            with contextlib.suppress(queue.Full):
                waiting.put(item, timeout=0.1)
                return True
        return False

    def fill() -> None:
        try:
            for item in items:
                if not put(item):
                    return
            put(None)
        except Exception as error:
            put(error)

    reader = threading.Thread(target=fill, name="frames", daemon=True)
    reader.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item
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
    folder.mkdir(parents=True, exist_ok=True)
    # The image writer reads % in the folder's name as a pattern: doubled it stands for itself.
    pattern = address(folder).replace("%", "%%") + "/%06d.jpg"
    pictures = ffmpeg.input("pipe:0", format="rawvideo", pix_fmt="rgb24", s=f"{media.width}x{media.height}")
    stream = pictures.output(pattern, format="image2", start_number=first_frame, qscale=jpeg_scale, pix_fmt="yuvj420p")
    command = ffmpeg.compile(stream.global_args("-v", "error", "-nostdin"), cmd=ffmpeg_program())
    feed(command, read_frames(media, start_s=start_s, end_s=end_s, pixels="rgb24", fps=fps), folder)
    return len(list(folder.glob("*.jpg")))
