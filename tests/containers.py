"""Films that carry their own time: each frame the milliseconds at which it was shown, the sound a burst at k + 0.5 s.

Written into every container that recorders write, with what makes their times hard to read: pictures stored in another
order, keyframes far apart, sound that begins earlier or later, rates from 15 to 240. `measure` says how far what is
read lies from what was written.
"""

import itertools
import subprocess
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from talkface.media.audio import extract_audio
from talkface.media.program import ffmpeg_program
from talkface.media.video import probe, read_frames

WIDTH, HEIGHT, BARS = 320, 48, 14
SECONDS = 3.0
RATE = 44_100
PCM = ("-c:a", "pcm_s16le")
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p")
AAC = ("-c:a", "aac", "-b:a", "128k")
# Picture and sound of each container; those without B-frames in any encoder of ours say so.
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "3", "-c:a", "mp2")
KINDS = {
    "mp4": (*X264, *AAC), "mov": (*X264, *PCM), "mkv": (*X264, "-c:a", "flac"), "avi": (*X264, *PCM),
    "webm": ("-c:v", "libvpx", "-deadline", "realtime", "-b:v", "1M", "-c:a", "libopus"), "ts": (*X264, *AAC),
    "flv": (*X264, *AAC),
    "mts": (*X264, "-c:a", "ac3"), "m2ts": (*X264, *AAC), "mpg": MPEG2, "vob": MPEG2, "3gp": (*X264, *AAC),
    "wmv": ("-c:v", "wmv2", "-q:v", "3", "-c:a", "wmav2"),
}  # fmt: skip
FORMATS = {"mts": "mpegts", "m2ts": "mpegts"}
WITHOUT_B_FRAMES = ("webm", "wmv")
WITHOUT_OFFSETS = ("avi",)  # which has no place for when a stream begins
ONLY_RATES = {"mpg": ("25", "50"), "vob": ("25", "50")}  # of MPEG-2


class Case(NamedTuple):
    """One film.

    Attributes
    ----------
    kind : str
        Container.
    fps : str
    b_frames : int
    keyframe_s : float
        Seconds from one to the next.
    late_s : float
        Seconds by which the stream of sound begins after the picture; negative: before it.
    """

    kind: str
    fps: str = "25"
    b_frames: int = 0
    keyframe_s: float = 0.5
    late_s: float = 0.0

    @property
    def name(self) -> str:
        """What a test is called."""
        return f"{self.kind}-{self.fps}-b{self.b_frames}-k{self.keyframe_s:g}-a{self.late_s:+g}".replace("/", ":")


def all_cases():
    """Every combination that a container can hold."""
    for kind, b_frames, keyframe_s, late_s, fps in itertools.product(
        KINDS, (0, 3), (0.5, 10), (-0.7, 0.0, 0.7), ("15", "25", "30000/1001", "50", "60", "240")
    ):
        if (b_frames and kind in WITHOUT_B_FRAMES) or (late_s and kind in WITHOUT_OFFSETS):
            continue
        if fps in ONLY_RATES.get(kind, (fps,)):
            yield Case(kind, fps, b_frames, keyframe_s, late_s)


def few_cases():
    """Some of them: each container, each difficulty."""
    for kind in KINDS:
        b_frames = 0 if kind in WITHOUT_B_FRAMES else 3
        slow, fast = ("25", "50") if kind in ONLY_RATES else ("30000/1001", "60")
        late_s = 0.0 if kind in WITHOUT_OFFSETS else 0.7
        yield Case(kind, slow, b_frames, 10, late_s)
        yield Case(kind, fast, 0, 0.5, -late_s)
    for fps in ("15", "48", "120", "240"):
        yield Case("mp4", fps, 3, 10)


def bars_of(time_ms):
    """The row of a picture that says its time: 14 bars, then white and black."""
    bits = [(round(time_ms) >> bit) & 1 for bit in range(BARS - 1, -1, -1)] + [1, 0]
    return np.repeat(np.where(bits, 225, 25), WIDTH // 16).astype(np.uint8)


def read_bars(frame):
    """The time that a picture says, ms; None if it says none."""
    bars = frame[4:-4].mean(axis=0).reshape(16, -1)[:, 4:-4].mean(axis=1)
    if bars[14] < 150 or bars[15] > 100:
        return None
    return int("".join("1" if bar > 125 else "0" for bar in bars[:BARS]), 2)


def write_case(folder: Path, case: Case) -> Path:
    """Write a film; give its path."""
    path, wav = folder / f"film.{case.kind}", folder / "sound.wav"
    whole, _, part = case.fps.partition("/")
    fps = int(whole) / int(part or 1)
    begins_s = max(0.0, case.late_s)
    time = np.arange(round((SECONDS - begins_s) * RATE)) / RATE + begins_s
    burst = np.where((time - 0.5) % 1 < 0.03, 0.5 * np.sin(2 * np.pi * 2_000 * ((time - 0.5) % 1)), 0)
    noise = np.random.default_rng(1).normal(0, 0.0025, len(time))
    soundfile.write(wav, burst + noise, RATE, subtype="PCM_16")
    first = round(max(0.0, -case.late_s) * fps) / fps  # the picture begins later, on a frame of its own
    shown = np.arange(round((SECONDS - first) * fps)) / fps
    frames = b"".join(np.tile(bars_of(1_000 * (t + first)), (HEIGHT, 1)).tobytes() for t in shown)
    command = [
        ffmpeg_program(), "-v", "error", "-y",
        "-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", case.fps, "-i", "-",
        "-itsoffset", f"{begins_s:g}", "-i", str(wav), "-map", "0:v", "-map", "1:a",
        "-vf", f"setpts=PTS+{round(first * fps)}", *KINDS[case.kind],
        "-g", str(max(1, round(case.keyframe_s * fps))), "-bf", str(case.b_frames), "-fps_mode", "passthrough",
    ]  # fmt: skip
    command += ["-f", FORMATS[case.kind]] if case.kind in FORMATS else []
    subprocess.run([*command, str(path)], input=frames, check=True)
    return path


class Read(NamedTuple):
    """How far what is read lies from what was written, ms.

    Attributes
    ----------
    frames : int
    foreign : int
        Frames that say no time.
    picture_ms : float
        Largest distance of a picture's time from where it stands.
    sound_ms : list of float
        Of each burst.
    """

    frames: int
    foreign: int
    picture_ms: float
    sound_ms: list


def measure(path, *, start_s=None):
    """Read a film and say how far it is off; the zero is the time of the first picture."""
    media = probe(path)
    zero_ms = read_bars(next(iter(read_frames(media, end_s=0.04))))
    said = [read_bars(frame) for frame in read_frames(media, start_s=start_s)]
    places = zero_ms + 1_000 * (start_s or 0) + 40 * np.arange(len(said))
    last = max(time for time in said if time is not None)  # which is shown to the end
    off = [abs(time - place) for time, place in zip(said, places, strict=True) if time is not None and place <= last]
    samples = extract_audio(path, start_s=start_s) / 32_768
    return Read(len(said), said.count(None), max(off, default=0.0), _bursts(samples, zero_ms / 1_000 + (start_s or 0)))


def _bursts(samples, begins_s):
    """How late each burst is heard, ms."""
    step = 44  # 1 ms, two waves
    blocks = samples[: len(samples) // step * step].reshape(-1, step)
    wave = np.exp(2j * np.pi * 2_000 * np.arange(step) / RATE)
    loud = np.abs(blocks @ wave) / step > 0.1
    onsets = np.flatnonzero(loud[1:] & ~loud[:-1]) + 1
    heard = [begins_s + onset * step / RATE for onset in onsets if loud[onset : onset + 15].all()]
    return [1_000 * ((time - 0.5 + 0.5) % 1 - 0.5) for time in heard]
