"""Competing talkers of an evaluation: voices of espeak-ng, none of them in the demo corpus."""

from collections.abc import Sequence
from pathlib import Path

import soundfile

from talkface.files import writing
from talkface.media.espeak import speak

RATE_WPM = 160  # a little faster than the demo corpus, as people talk who do not address anybody here


def make_talkers(files: Sequence[str | Path], *, voices: Sequence[str], texts: Sequence[str]) -> None:
    """Write what talkers say as mono wav files at espeak-ng's own rate; one file, voice and text each."""
    for path, voice, text in zip(files, voices, texts, strict=True):
        spoken = speak(text, voice=voice, rate_wpm=RATE_WPM)
        with writing(path) as temporary:
            soundfile.write(str(temporary), spoken.audio, spoken.rate, subtype="PCM_16")
