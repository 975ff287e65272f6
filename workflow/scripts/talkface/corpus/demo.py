"""The demo corpus: invented people who say a sentence, drawn frame by frame, with exactly known landmarks.

Axes: T frames at 25 fps (frame i shows the time i/25 s), 68 landmarks, 2 coordinates (x right, y down).
"""

import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import h5py
import numpy as np
import soundfile
from numpy.typing import NDArray

from talkface.conventions import FPS
from talkface.corpus.visemes import mouth_track
from talkface.drawing.characters import OPENING, ROUND, TUCK, Build, mouth_points, neutral_face, person_of
from talkface.drawing.painters import ShadedPainter, blink_amounts, close_eyes
from talkface.face.points import LIPS
from talkface.files import writing
from talkface.media.encoding import encode
from talkface.media.espeak import Utterance, speak
from talkface.media.phoneme import Phoneme

RATE_WPM = 145  # unhurried: a sentence of eight words lasts about 3 s
PAUSE_S = 0.12  # of silence before and after the sentence
SIZE = 480  # pixels, both ways
UNIT = 108.0  # outer-eye distance in pixels: dlib's detector was tried at 105
EYE_HEIGHT = 0.44  # of the picture
# How far the jaw's points (0-16) follow the chin: the hinge is at the ear.
_JAW_WEIGHTS = np.array([0, 0, 0.03, 0.12, 0.30, 0.55, 0.80, 0.95, 1.0])
_NOISE = 2.2  # standard deviation in grey levels, of a camera in good light
_BLUR = 0.55  # pixels


@dataclass(frozen=True)
class Performance:
    """Landmarks (T, 68, 2) in pixels, shape (T, 68, 2) and rest (68, 2) in the template frame, as drawn."""

    landmarks: NDArray[np.float64]
    shape: NDArray[np.float64]
    rest: NDArray[np.float64]


def perform(utterance: Utterance, *, build: Build, rng: np.random.Generator) -> Performance:
    """Move a face through an utterance: lips and jaw by its phonemes; brows, lids and head at random."""
    frames = round(len(utterance.audio) / utterance.rate * FPS)
    times = np.arange(frames) / FPS
    track = mouth_track(utterance.phonemes, times=times)
    rest = neutral_face(build)
    mouth = rest[list(LIPS)].mean(axis=0) - mouth_points(build, np.zeros((1, 4)))[0].mean(axis=0)
    shape = np.repeat(rest[None], frames, axis=0)
    shape[:, list(LIPS)] = mouth + mouth_points(build, track)
    drop = 0.62 * track[:, OPENING] + 0.01 * track[:, ROUND] - 0.012 * track[:, TUCK]
    weights = np.concatenate([_JAW_WEIGHTS, _JAW_WEIGHTS[-2::-1]])
    shape[:, :17, 1] += drop[:, None] * weights
    shape[:, 17:27, 1] -= _brow_raise(utterance, times)[:, None]
    shape = close_eyes(shape, blink_amounts(frames, fps=FPS, rng=rng))
    return Performance(_move_head(shape, times, rng=rng), shape, rest)


def _between_pauses(utterance: Utterance) -> Utterance:
    """Add `PAUSE_S` of silence before and after."""
    silence = np.zeros(round(PAUSE_S * utterance.rate), np.int16)
    audio = np.concatenate([silence, utterance.audio, silence])
    moved = [
        replace(phoneme, start_s=phoneme.start_s + PAUSE_S, end_s=phoneme.end_s + PAUSE_S)
        for phoneme in utterance.phonemes
    ]
    end = len(audio) / utterance.rate
    return Utterance(audio, utterance.rate, [Phoneme("", 0.0, PAUSE_S), *moved, Phoneme("", end - PAUSE_S, end)])


def _brow_raise(utterance: Utterance, times: NDArray) -> NDArray[np.float64]:
    """Raise the brows a little on stressed syllables, (T,) units."""
    lift = np.zeros(len(times))
    for phoneme in utterance.phonemes:
        if phoneme.stressed:
            lift += np.exp(-0.5 * ((times - phoneme.start_s) / 0.10) ** 2)
    return 0.016 * np.clip(lift, 0, 1.5)


def _move_head(shape: NDArray, times: NDArray, *, rng: np.random.Generator) -> NDArray[np.float64]:
    """Place shapes in the picture with slow small movements: 2 degrees, 3 % of the unit, 1 % of scale."""

    def drift(amount: float) -> NDArray:
        slow = [np.sin(2 * np.pi * (f * times + rng.uniform())) * rng.uniform(0.5, 1) for f in (0.23, 0.41, 0.77)]
        return amount * np.sum(slow, axis=0) / 1.8

    angle, scale = np.radians(drift(1.8)), UNIT * (1 + drift(0.010))
    shift = UNIT * np.stack([drift(0.035), drift(0.025)], axis=-1)
    turn = np.stack([np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle)], -1).reshape(-1, 2, 2)
    pivot = np.array([0.0, 1.3])  # the head turns on the neck
    placed = (shape - pivot) @ turn * scale[:, None, None] + pivot * UNIT
    return placed + shift[:, None] + [SIZE / 2, EYE_HEIGHT * SIZE]


def make_clip(video: str | Path, truth: str | Path, *, voice: str, text: str) -> None:
    """Speak and draw one clip, and store what was drawn.

    Parameters
    ----------
    video : path
        H.264 and AAC in mp4, `SIZE` x `SIZE`, 25 fps.
    truth : path
        HDF5: `landmarks` (T, 68, 2) float32 pixels, `shape` (T, 68, 2) and `rest` (68, 2) float32 in the template
        frame without head motion, `phonemes/name`, `phonemes/start_s`, `phonemes/end_s`; attributes voice, text, fps.
    voice : str
        A voice of espeak-ng; it decides who is seen.
    text : str
        What is said.
    """
    utterance = _between_pauses(speak(text, voice=voice, rate_wpm=RATE_WPM))
    person = person_of(voice)
    who = zlib.crc32(voice.encode())
    acting = perform(utterance, build=person.build, rng=np.random.default_rng([who, zlib.crc32(text.encode())]))
    painter = ShadedPainter(
        acting.rest * UNIT + [SIZE / 2, EYE_HEIGHT * SIZE], look=person.look, size=(SIZE, SIZE),
        rng=np.random.default_rng(who),
    )  # fmt: skip
    rng = np.random.default_rng([who, 1])
    grain = [np.clip(rng.normal(8, _NOISE, (SIZE, SIZE, 3)), 0, 255).astype(np.uint8) for _ in range(3)]

    def frames() -> Iterator[NDArray]:
        for index, landmarks in enumerate(acting.landmarks):
            painter.paint(landmarks)
            soft = cv2.GaussianBlur(painter.frame, (0, 0), _BLUR)
            yield cv2.addWeighted(soft, 1, grain[index % len(grain)], 1, -8)

    with writing(video) as film, tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "speech.wav"
        soundfile.write(sound, utterance.audio, utterance.rate)
        encode(frames(), film, audio=sound, size=(SIZE, SIZE), preset="medium")  # models learn from what is left
    with writing(truth) as temporary, h5py.File(temporary, "w") as file:
        for name in ("landmarks", "shape", "rest"):
            file[name] = getattr(acting, name).astype(np.float32)
        file["phonemes/name"] = [phoneme.name for phoneme in utterance.phonemes]
        file["phonemes/start_s"] = [phoneme.start_s for phoneme in utterance.phonemes]
        file["phonemes/end_s"] = [phoneme.end_s for phoneme in utterance.phonemes]
        file.attrs.update(voice=voice, text=text, fps=FPS)
