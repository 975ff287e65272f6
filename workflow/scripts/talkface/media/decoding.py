"""Decoding in this process: which streams of a file are taken, and their pictures and sound by their own times.

Times are seconds from the instant at which the first picture is shown (of a file without pictures, from the first
sample on). They are those that the file says of each frame: nothing is trusted that a container says of itself, its
duration, its frame rate, where a seek ends. Only the file itself is read, and only as a container of `CONTAINERS`: a
playlist, which names other files, is none.
"""

import contextlib
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from talkface.errors import MACHINE_FAULTS, InputError, MachineError

if TYPE_CHECKING:  # loaded where a file is opened
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# Demuxers of libavformat that read one file. Playlists and protocols are left out, and pictures numbered in a folder.
CONTAINERS = (
    "aac", "ac3", "aiff", "amr", "amrnb", "amrwb", "asf", "au", "avi", "caf", "dv", "eac3", "flac", "flv", "gif",
    "h264", "hevc", "ivf", "jpeg_pipe", "m4v", "matroska", "webm", "mjpeg", "mov", "mp3", "mpeg", "mpegts", "mpegvideo",
    "mxf", "nut", "ogg", "png_pipe", "rm", "tta", "voc", "w64", "wav", "wv", "yuv4mpegpipe",
)  # fmt: skip
PLAYLISTS = (
    (b"#EXTM3U", "a playlist (HLS or M3U)"), (b"ffconcat", "a list for ffmpeg's concat"), (b"<MPD", "a DASH manifest"),
    (b"[playlist]", "a playlist (PLS)"), (b"<ASX", "a playlist (ASX)"), (b"v=0\r\no=", "an SDP description"),
    (b"v=0\no=", "an SDP description"),
)  # fmt: skip
DEEP_S = 20.0  # a stretch that begins later is sought; what lies before is decoded where a seek ends too late
MARGIN_S = 6.0  # so much earlier than the stretch: some containers end a seek beyond what was asked for
BACK_S = 0.5  # times that go back by more begin anew: recordings that were joined end to end
REORDERED = 16  # packets among which the earliest picture is: they are stored in another order than shown
WITHOUT_TIMES = ("avi",)  # which stores when pictures are decoded, and not when they are shown


@contextlib.contextmanager
def opened(path: Path) -> Iterator["InputContainer"]:
    """Open a file, and nothing besides.

    Raises
    ------
    InputError
        If it is no container of `CONTAINERS`, or a damaged one.
    MachineError
        If the machine does not let it be read.
    """
    import av

    whitelist = {"protocol_whitelist": "file,pipe", "format_whitelist": ",".join(CONTAINERS)}
    try:
        container = av.open(f"file:{path.absolute()}", options=whitelist)
    except (av.FFmpegError, UnicodeDecodeError) as error:
        number = getattr(error, "errno", None)
        if number in MACHINE_FAULTS:
            raise MachineError(f"{path}: {MACHINE_FAULTS[number]}") from None
        with open(path, "rb") as file:
            head = file.read(1_000)
        playlist = next((name for start, name in PLAYLISTS if start in head), None)
        if playlist:
            raise InputError(
                f"{path}: {playlist}, which names other files; a file that itself holds picture or sound was "
                "expected; give that"
            ) from None
        reason = getattr(error, "strerror", None) or "unreadable metadata"
        raise InputError(
            f"{path}: not a media file, or a truncated one ({reason}); a file that ffmpeg can read was expected; "
            "copy or convert it again"
        ) from None
    with container:
        yield container


def choose_picture(container: "InputContainer") -> "VideoStream | None":
    """Choose the stream of pictures: a marked default that moves, else the first that moves; no cover picture."""
    import av

    films = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    moving = [s for s in films if not _is_still(s)] or films
    return _default(moving)


def choose_sound(container: "InputContainer") -> "AudioStream | None":
    """Choose the stream of sound: the one that is marked as the default, else the first."""
    return _default(list(container.streams.audio))


def _default(streams: "list[Any]") -> Any:
    import av

    marked = [s for s in streams if s.disposition & av.stream.Disposition.default]
    # Where all are marked, or none is, the mark says nothing.
    return (marked if len(marked) == 1 else streams or [None])[0]


def _is_still(stream: "VideoStream") -> bool:
    """Tell a cover picture that is not marked as one: a picture format, of a single frame."""
    still = stream.codec_context.name in ("mjpeg", "png", "bmp", "gif", "webp")
    length_s = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else math.inf
    return still and (stream.frames == 1 or length_s < 0.1)


def reached_s(path: Path) -> float:
    """Measure how far a file goes, whichever stream goes farthest: seconds from its start; nothing is decoded."""
    import av

    ends = [0.0]
    with opened(path) as container:
        start_s = container.start_time / av.time_base if container.start_time is not None else 0.0
        for packet in container.demux(*container.streams.video, *container.streams.audio):
            if packet.pts is not None and packet.time_base:
                ends.append(float((packet.pts + (packet.duration or 0)) * packet.time_base) - start_s)
    return max(ends)


def square_size(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """Return the size of a picture in square pixels, never smaller than it is stored.

    Examples
    --------
    >>> square_size(720, 576, Fraction(16, 15))
    (768, 576)
    >>> square_size(720, 480, Fraction(8, 9))
    (720, 540)
    """
    aspect = aspect or Fraction(1)
    if aspect >= 1:
        return round(width * aspect), height
    return width, round(height / aspect)


def turning(frame: "VideoFrame") -> list[tuple[str, str]]:
    """Return the filters that turn a picture upright, as its display matrix says: (name, arguments)."""
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return []
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].tolist()
    angle = math.degrees(math.atan2(b, a)) % 360
    filters = []
    if abs(angle - 90) < 1:
        filters.append(("transpose", "cclock_flip" if c > 0 else "clock"))
    elif abs(angle - 180) < 1:
        filters += [("hflip", "")] * (a < 0) + [("vflip", "")] * (d < 0)
    elif abs(angle - 270) < 1:
        filters.append(("transpose", "clock_flip" if c < 0 else "cclock"))
    elif 1 < angle < 359:
        filters.append(("rotate", f"{math.radians(angle)}"))
    elif d < 0:
        filters.append(("vflip", ""))
    return filters


def _chain(steps: list[tuple[str, str]]) -> Any:
    """Make a graph of filters that follow one another: (name, arguments) each, from a source to a sink."""
    import av

    graph = av.filter.Graph()
    nodes = [graph.add(name, arguments) if arguments else graph.add(name) for name, arguments in steps]
    for one, other in itertools.pairwise(nodes):
        one.link_to(other)
    graph.configure()
    return graph


class Converter:
    """Pictures as they are wanted: upright, of square pixels, cut, scaled, of one format; remade when a film changes.

    Parameters
    ----------
    aspect : Fraction or None
        Of a stored pixel: width to height.
    filters : list of (name, arguments)
        Filters of libavfilter that follow.
    format : str
        Pixel format.
    """

    def __init__(self, aspect: Fraction | None, filters: list[tuple[str, str]], *, format: str):
        self.aspect, self.filters, self.format = aspect, filters, format
        self._made_for: tuple | None = None
        self._graph: Any = None
        # Of the first picture, upright and square; later ones are brought to it.
        self.size: tuple[int, int] | None = None

    def convert(self, frame: "VideoFrame") -> "VideoFrame":
        """Convert one picture."""
        kind = (frame.width, frame.height, frame.format.name, frame.color_range, frame.colorspace, *turning(frame))
        if kind != self._made_for:
            self._graph, self._made_for = self._make(frame), kind
        self._graph.push(frame)
        return self._graph.pull()

    def _make(self, frame: "VideoFrame") -> Any:
        arguments = {
            "video_size": f"{frame.width}x{frame.height}", "pix_fmt": frame.format.name, "time_base": "1/1000",
            "colorspace": int(frame.colorspace), "range": int(frame.color_range),
        }  # fmt: skip
        steps = [("buffer", ":".join(f"{key}={value}" for key, value in arguments.items()))]
        width, height = square_size(frame.width, frame.height, self.aspect)
        if (width, height) != (frame.width, frame.height):
            steps.append(("scale", f"{width}:{height}:flags=bicubic"))
        turned = turning(frame)
        steps += turned
        upright = (height, width) if any(name == "transpose" for name, _ in turned) else (width, height)
        self.size = self.size or upright
        if upright != self.size:
            steps.append(("scale", f"{self.size[0]}:{self.size[1]}:flags=bicubic"))
        steps += [("setsar", "1"), *self.filters, ("format", self.format), ("buffersink", "")]
        return _chain(steps)


def timed(
    path: Path, choose: "Callable[[InputContainer], Stream | None]", *, start_s: float, zero_s: float
) -> "Iterator[tuple[float, Any]]":
    """Decode the frames of a stream with their times, from the last one before a start, or earlier, to the end.

    Parameters
    ----------
    path : Path
    choose : function
        Of a container, that chooses the stream.
    start_s : float
        Seconds after the zero from which on frames are wanted.
    zero_s : float
        The file's own time of the zero, seconds.

    Yields
    ------
    (float, frame)
        Seconds after the zero. Where the file's times begin anew, as in recordings joined end to end, they go on.
    """
    margins = [MARGIN_S, 5 * MARGIN_S] if start_s > DEEP_S else []
    for margin in [*margins, None]:
        with opened(path) as container:
            stream = choose(container)
            if stream is None:
                return
            if margin is not None:
                if container.format.name in WITHOUT_TIMES:
                    continue
                container.seek(int((start_s + zero_s - margin) / float(stream.time_base or 1)), stream=stream)
            frames = decode_timed(path, container, stream, sought=margin is not None)
            first = next(frames, None)
            if first is None or (margin is not None and first[0] - zero_s > start_s):
                continue  # a seek that ended too late
            yield first[0] - zero_s, first[1]
            for t, frame in frames:
                yield t - zero_s, frame
            return


def decode_timed(
    path: Path, container: "InputContainer", stream: "Any", *, sought: bool = False
) -> "Iterator[tuple[float, Any]]":
    """Decode a stream: the file's times in seconds, which never begin anew."""
    unit, last, step, shift, awaited = float(stream.time_base), None, 0.0, 0.0, sought and stream.type == "video"
    back: Iterator[float] | None = None
    for frame in decode(container, stream):
        if awaited and not frame.key_frame:
            continue  # what a seek left without the pictures it is made from
        awaited = False
        if frame.pts is not None:
            t = float(frame.pts) * unit + shift
        else:
            t = _begins_s(path, stream, _length(frame, stream, unit)) if last is None else last + step
        if last is not None and t < last - BACK_S:
            back = back or iter(_restarts(path))
            # Picture and sound of what was joined end at different times: what follows is shifted alike.
            t_shift = next(back, last + step - t)
            shift, t = shift + t_shift, t + t_shift
        step = _length(frame, stream, unit)
        last = t
        yield t, frame


def _begins_s(path: Path, stream: "Any", step: float) -> float:
    """Tell when a stream begins whose first frames carry no time: as many frames before the first time that is said."""
    unsaid, said = 0, []
    with opened(path) as container:
        for packet in container.demux(container.streams[stream.index]):
            if packet.pts is not None:
                said.append(float(packet.pts) * float(stream.time_base))
                if len(said) == REORDERED:
                    break
            elif packet.size:
                unsaid += 1
    return min(said) - unsaid * step if said else 0.0


def _restarts(path: Path) -> list[float]:
    """Measure how far the picture's times go back wherever they begin anew, seconds; nothing is decoded."""
    found: list[float] = []
    with opened(path) as container:
        picture = choose_picture(container)
        if picture is None:
            return found
        unit, end_s, last_s = float(picture.time_base or 1), 0.0, -math.inf
        for packet in container.demux(picture):
            if packet.pts is None or packet.dts is None:
                continue
            t = packet.pts * unit
            if packet.dts * unit < last_s - BACK_S:
                found.append(end_s - t)
                end_s = t
            end_s, last_s = max(end_s, t + _length(packet, picture, unit)), packet.dts * unit
    return found


def decode(container: "InputContainer", stream: "Any") -> "Iterator[Any]":
    """Decode a stream in the order of its frames; damaged packets are passed over."""
    import av

    stream.thread_type = "AUTO"
    stored: deque[int] = deque()  # times of packets in a container that tells no times of pictures, only their order
    counts = container.format.name in WITHOUT_TIMES and stream.type == "video"
    for packet in container.demux(stream):
        if counts and packet.size and packet.dts is not None:
            stored.append(packet.dts)
        with contextlib.suppress(av.FFmpegError):
            for frame in packet.decode():
                if stored:
                    frame.pts = stored.popleft()  # the first to be shown has the time of the first that is stored
                yield frame


def _length(frame: "Any", stream: "Any", unit: float) -> float:
    """Return how long a frame is shown or heard, seconds."""
    if stream.type == "audio":
        return frame.samples / frame.sample_rate
    if frame.duration:
        return float(frame.duration) * unit
    rate = stream.average_rate or stream.guessed_rate
    return 1 / float(rate) if rate else 0.04


class Sounder:
    """Sound as it is wanted: its gaps filled, cut to a stretch, resampled, mono; fed frame by frame.

    Parameters
    ----------
    rate : int
        Hz, wanted.
    format : {"s16", "flt"}
        Of samples.
    start_s, end_s : float
        Stretch, seconds after the zero; `end_s` may be infinite.
    channel : int or None
        The one that is taken; None: the mean of all.
    gain : float
        Samples are multiplied by it.
    """

    def __init__(
        self, rate: int, *, format: str, start_s: float, end_s: float, channel: int | None = None, gain: float = 1.0
    ):
        self.rate, self.format, self.channel, self.gain = rate, format, channel, gain
        self.start_s, self.end_s = start_s, end_s
        self._graph: Any = None

    def push(self, t: float, frame: "AudioFrame") -> Iterator[np.ndarray]:
        """Take in a frame that begins at `t` seconds; give what is known after it, (n,) arrays."""
        if self._graph is None:
            self._graph = self._make(frame)
        frame.pts, frame.time_base = round(t * frame.sample_rate), Fraction(1, frame.sample_rate)
        self._graph.push(frame)
        yield from self._pull()

    def finish(self) -> Iterator[np.ndarray]:
        """Give the rest."""
        if self._graph is not None:
            self._graph.push(None)
            yield from self._pull()

    def _pull(self) -> Iterator[np.ndarray]:
        import av

        with contextlib.suppress(av.BlockingIOError, av.EOFError):
            while True:
                yield self._graph.pull().to_ndarray().reshape(-1)

    def _make(self, frame: "AudioFrame") -> Any:
        rate, kind = frame.sample_rate, frame.format.name
        layout = frame.layout.name
        steps = [("abuffer", f"sample_rate={rate}:sample_fmt={kind}:channel_layout={layout}:time_base=1/{rate}")]
        if self.start_s > 0 or math.isfinite(self.end_s):
            end = f":end={self.end_s:.6f}" if math.isfinite(self.end_s) else ""
            steps.append(("atrim", f"start={self.start_s:.6f}{end}"))
            steps.append(("asetpts", f"PTS-{self.start_s:.6f}/TB"))
        if self.channel is not None:
            steps.append(("pan", f"mono|c0=c{self.channel}"))
        if self.gain != 1:
            steps.append(("volume", f"{self.gain:.9g}"))
        # Gaps and overlaps of more than 5 ms are filled or cut; less is jitter of the timestamps.
        # Channels of floats would be added and not averaged; whole numbers have no room for that.
        mixing = ":rematrix_maxval=1.0:ochl=mono" if self.format == "flt" else ""
        steps += [
            ("aresample", f"{self.rate}:async=1:min_hard_comp=0.005:first_pts=0{mixing}"),
            ("aformat", f"sample_fmts={self.format}:sample_rates={self.rate}:channel_layouts=mono"),
            ("abuffersink", ""),
        ]
        return _chain(steps)
