"""The sound beside an exported face."""

from pathlib import Path

import numpy as np
import soundfile

from talkface.conventions import FPS
from talkface.files import writing


def write_sound(audio: str | Path, output: str | Path, *, frames: int) -> None:
    """Write the sound of a wav file as long as so many frames at 25 a second: cut, or followed by silence."""
    samples, rate = soundfile.read(audio, dtype="int16", always_2d=False)
    length = round(frames * rate / FPS)
    found = np.zeros((length, *samples.shape[1:]), np.int16)
    found[: len(samples)] = samples[:length]
    with writing(output) as temporary:
        soundfile.write(str(temporary), found, rate, subtype="PCM_16", format="WAV")
