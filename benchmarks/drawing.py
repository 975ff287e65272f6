"""Speed of drawing at 1000 x 1000, beside ffmpeg alone on the same frames and beside matplotlib's frames."""

import subprocess
import tempfile
import time
from pathlib import Path

import ffmpeg
import numpy as np
import soundfile
from published_drawing import draw_published

from talkface.conventions import FPS
from talkface.drawing.characters import Build, mouth_points
from talkface.face.points import LIPS
from talkface.face.template import load_template
from talkface.films.animation import animate, paint_frames
from talkface.films.wires import draw_wires, paint_wires
from talkface.media.encoding import ENCODER
from talkface.media.program import ffmpeg_program

ROUNDS = 5
SIZE = 1000  # pixels, both ways
FRAMES = 500  # 20 s
PUBLISHED_FRAMES = 20  # of matplotlib, whose speed does not depend on how many there are
RATE = 44_100


def run(data: Path | None) -> list[dict]:
    """Measure frames a second of both styles and of the turning wires; ratios to ffmpeg alone and to matplotlib."""
    shapes = talking_shapes(FRAMES)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = time.perf_counter()
        draw_published(shapes[:PUBLISHED_FRAMES], folder)
        published = PUBLISHED_FRAMES / (time.perf_counter() - start)
        speech = folder / "speech.wav"
        noise = np.random.default_rng(0).normal(0, 0.05, RATE * FRAMES // FPS)
        soundfile.write(speech, noise, RATE)
        np.save(folder / "shapes.npy", shapes)
        wires = {"size": SIZE, "turn_s": 6}
        for style in ("flat", "shaded", "wires"):
            raw = folder / "frames.yuv"
            flat = {"style": style, "size": SIZE, "blink": True}
            with open(raw, "wb") as file:
                for picture in paint_wires(shapes, **wires) if style == "wires" else paint_frames(shapes, **flat):
                    file.write(picture)
            times = []
            for _ in range(ROUNDS):
                start = time.perf_counter()
                encode_alone(raw, speech, folder / "alone.mp4")
                middle = time.perf_counter()
                if style == "wires":
                    draw_wires(folder / "shapes.npy", speech, folder / "film.mp4", **wires)
                else:
                    animate(shapes, folder / "film.mp4", audio=speech, **flat)
                times.append((middle - start, time.perf_counter() - middle))
            times = np.array(times)
            alone, ours = FRAMES / np.median(times, axis=0)
            common = {"case": "drawing", "unit": "frames/s", "ours": ours}
            share = np.median(times[:, 0] / times[:, 1])
            work = f"{style}, {SIZE} x {SIZE}, {FRAMES} frames"
            rows.append(common | {"work": f"{work}, beside ffmpeg alone", "published": alone, "ratio": share})
            rows[-1]["required"] = ">= 0.75" if style == "wires" else ">= 0.85"
            if style == "flat":  # the face that the published procedure draws
                rows.append(common | {"work": f"{work}, beside matplotlib", "published": published})
                rows[-1] |= {"ratio": ours / published, "required": ">= 8"}
    return rows


def talking_shapes(frames: int) -> np.ndarray:
    """Make landmarks (frames, 68, 2) of a mouth that opens four times a second, with jaw and now and then brows."""
    time_s = np.arange(frames) / FPS
    track = np.zeros((frames, 4))
    track[:, 0] = 0.11 * (1 - np.cos(2 * np.pi * 4 * time_s)) * (0.6 + 0.4 * np.sin(2 * np.pi * 0.7 * time_s))
    track[:, 1] = 0.06 * np.sin(2 * np.pi * 1.3 * time_s)
    track[:, 2] = np.clip(-8 * track[:, 1], 0, 1)
    build = Build()
    shapes = np.repeat(load_template()[None], frames, axis=0)
    shapes[:, list(LIPS)] += mouth_points(build, track) - mouth_points(build, np.zeros((1, 4)))
    shapes[:, 4:13, 1] += 0.6 * track[:, :1] * np.sin(np.linspace(0.3, np.pi - 0.3, 9))
    shapes[:, 17:27, 1] -= 0.012 * np.maximum(np.sin(2 * np.pi * 0.5 * time_s), 0)[:, None] ** 4
    return shapes


def encode_alone(raw: Path, speech: Path, output: Path) -> None:
    """Encode the same frames with the same settings from a file, by ffmpeg alone."""
    film = ffmpeg.input(str(raw), format="rawvideo", pix_fmt="yuv420p", s=f"{SIZE}x{SIZE}", framerate=FPS)
    sound = ffmpeg.input(str(speech))
    settings = {**ENCODER, "acodec": "aac", "audio_bitrate": "128k", "ar": RATE, "ac": 1, "movflags": "+faststart"}
    made = ffmpeg.output(film.video, sound.audio, str(output), **settings).global_args("-v", "error", "-nostdin")
    subprocess.run(ffmpeg.compile(made.overwrite_output(), cmd=ffmpeg_program()), check=True)
