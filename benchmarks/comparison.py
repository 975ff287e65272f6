"""Speed of films of three panels at 1500 x 500, beside ffmpeg alone on the same frames and beside matplotlib."""

import subprocess
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
import soundfile
from drawing import RATE, talking_shapes
from published_drawing import draw_published_panels

from talkface.conventions import FPS
from talkface.drawing.style import colour_of
from talkface.face.template import load_template
from talkface.films.animation import animate
from talkface.films.comparison import draw_comparison, paint_comparison
from talkface.media.crop import face_crop
from talkface.media.encoding import encoder_command
from talkface.media.video import probe, read_frames

ROUNDS = 5
PANEL = 500  # pixels, both ways
FRAMES = 500  # 20 s
PUBLISHED_FRAMES = 20  # of matplotlib, whose speed does not depend on how many there are
LATE = 3  # frames by which the prediction differs from the truth


def run(data: Path | None) -> list[dict]:
    """Measure frames a second of the whole film, its source decoded; ratios to ffmpeg alone and to matplotlib."""
    shapes = talking_shapes(FRAMES + LATE).astype(np.float32)
    truth, prediction = shapes[LATE:], shapes[:FRAMES]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        speech = folder / "speech.wav"
        soundfile.write(speech, np.random.default_rng(0).normal(0, 0.05, RATE * FRAMES // FPS), RATE)
        video = data and data / "talking" / "person31.mp4"
        if video is None or not video.exists():
            video = folder / "source.mp4"
            animate(shapes, video, audio=speech, size=720)
        media = probe(video)
        face = load_template() * media.height / 4.8 + [media.width / 2, media.height * 0.42]
        landmarks = np.repeat(face[None], FRAMES, axis=0).astype(np.float32)
        write_clip(folder, landmarks, truth, width=media.width, height=media.height)
        np.save(folder / "model.npy", prediction)
        crop = face_crop(landmarks, width=media.width, height=media.height)

        def source(side: int):
            return read_frames(media, pixels="bgr24", crop=crop, size=side, end_s=FRAMES / FPS)

        raw = folder / "frames.yuv"
        looks = {"layout": "row", "panel": PANEL, "style": "flat"}
        size, pictures = paint_comparison(
            {"model": prediction}, frames=FRAMES, colours=colour_of(["model"]), source=source, truth=truth, **looks
        )
        with open(raw, "wb") as file:
            for picture in pictures:
                file.write(picture)
        start = time.perf_counter()
        shown = [picture for _, picture in zip(range(PUBLISHED_FRAMES), source(PANEL))]
        draw_published_panels(shown, truth, prediction, folder)
        published = PUBLISHED_FRAMES / (time.perf_counter() - start)
        times = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            alone = encoder_command(folder / "alone.mp4", size=size, audio=speech, pixels="yuv420p")
            with open(raw, "rb") as file:
                subprocess.run(alone, stdin=file, check=True)
            middle = time.perf_counter()
            draw_comparison(
                {"model": folder / "model.npy"}, speech, folder / "film.mp4", clip="a", video=video,
                landmarks=folder / "landmarks.h5", shapes=folder / "shapes.h5", end_s=FRAMES / FPS, **looks,
            )  # fmt: skip
            times.append((middle - start, time.perf_counter() - middle))
    times = np.array(times)
    alone, ours = FRAMES / np.median(times, axis=0)
    common = {"case": "comparison", "unit": "frames/s", "ours": ours}
    work = f"{size[0]} x {size[1]}, {FRAMES} frames, source {media.width} x {media.height}"
    share = np.median(times[:, 0] / times[:, 1])
    rows = [common | {"work": f"{work}, beside ffmpeg alone", "published": alone, "ratio": share}]
    rows[-1]["required"] = ">= 0.85, or ours >= 100"
    rows.append(common | {"work": f"{work}, beside matplotlib", "published": published, "ratio": ours / published})
    rows[-1]["required"] = ">= 8"
    return rows


def write_clip(folder: Path, landmarks: np.ndarray, shapes: np.ndarray, *, width: int, height: int) -> None:
    """Write landmarks and identity-free shapes of a clip `a`, as the workflow does."""
    with h5py.File(folder / "landmarks.h5", "w") as file:
        group = file.create_group("a")
        group.attrs.update(width=width, height=height, rejected="")
        group["landmarks"], group["detected"] = landmarks, np.ones(len(landmarks), bool)
        group["box"] = np.zeros((len(landmarks), 4), np.float32)
    with h5py.File(folder / "shapes.h5", "w") as file:
        file.create_group("a")["shape"] = shapes
