"""Speech for the cases of training and prediction: real sentences where there are some, synthetic ones elsewhere."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from talkface.face.template import load_template
from talkface.media.sound import resample
from talkface.models.inputs import Clips
from talkface.training.dataset import Clip, write_dataset

CLIPS = {"train": 40, "valid": 10, "test": 4}


def sentences(data: Path | None) -> list[np.ndarray]:
    """Return sentences of about 3 s, int16 samples (S,) at 8 kHz each."""
    count = sum(CLIPS.values())
    if data is None:
        generator = np.random.default_rng(0)
        return [_babble(generator) for _ in range(count)]
    from talkface.media.audio import extract_audio

    videos = pd.read_csv(data / "grid_s1.tsv", sep="\t")["video"].head(count)
    return [resample(extract_audio(data / video), 44_100, 8_000) for video in videos]


def _babble(generator):
    time = np.arange(24_000) / 8_000
    loud = np.interp(time, np.arange(0, 3.3, 0.1), generator.uniform(0, 1, 33))
    pitch = 2 * np.pi * np.cumsum(np.interp(time, np.arange(0, 3.3, 0.1), generator.uniform(90, 160, 33))) / 8_000
    voice = sum(np.sin(k * pitch) / k for k in range(1, 20))
    return (6_000 * loud * (voice + 0.1 * generator.standard_normal(24_000))).astype(np.int16)


def make_dataset(path: Path, data: Path | None) -> Path:
    """Write a dataset whose mouths open with the loudness of what is said.

    Speed does not depend on the faces, and a validation loss can be compared on any that follow the sound.
    """
    clips, sounds = [], iter(sentences(data))
    for split, count in CLIPS.items():
        for index in range(count):
            samples = next(sounds)
            frames = len(samples) // 320
            loud = np.sqrt(np.square(samples[: frames * 320].astype(float).reshape(frames, 320)).mean(axis=1))
            loud = np.convolve(loud / loud.max(), np.hanning(5) / 2, mode="same")
            generator = np.random.default_rng(index)
            shape = np.repeat(load_template()[None], frames, axis=0)
            shape[:, [*range(55, 60), 65, 66, 67], 1] += 0.3 * loud[:, None]
            shape[:, 5:12, 1] += 0.2 * loud[:, None]
            shape += 0.005 * generator.standard_normal(shape.shape)
            clips.append(
                Clip(
                    f"{split}{index}", "s", split, "", shape, {8_000: samples, 16_000: resample(samples, 8_000, 16_000)}
                )
            )
    write_dataset(path, clips, corpus="bench", components=6)
    return path


def clips_of(part: Clips, shape_model) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return sound, scaled to its peak, and coefficients of each clip, as the published loop takes them."""
    clips = []
    for index in range(len(part)):
        samples = part.audio_of(index).astype(np.float32)
        clips.append((samples / np.abs(samples).max(), shape_model.encode(part.shape_of(index)).astype(np.float32)))
    return clips


def run_measured(code: str, *arguments: object) -> float:
    """Run Python code in a process of its own; return its peak of resident memory, MB."""
    code += (
        "\n(line,) = [line for line in open('/proc/self/status') if line.startswith('VmHWM')]\nprint(line.split()[1])"
    )
    scripts = Path(__file__).resolve().parent.parent / "workflow" / "scripts"
    head = f"import sys; sys.path.insert(0, {str(scripts)!r})\n"
    command = [sys.executable, "-c", head + code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1]) / 1024
