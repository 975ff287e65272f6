"""Small films of the clips that the viewer shows, cropped around the face, and the landmarks in them.

results/viewer/sources/: {clip}.mp4, H.264 and AAC, 25 fps, as long as the sound; and landmarks.h5:

| dataset | shape, type | holds |
|---|---|---|
| {clip}/landmarks | (T, 68, 2) float32 | shares of the film's side, from its upper left corner |
| {clip}/detected | (T,) bool | False where the points are interpolated |
"""

import logging
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
from numpy.typing import NDArray

from talkface.face.measured import read_measured
from talkface.media.crop import face_crop
from talkface.media.encoding import as_wav, encode
from talkface.media.sound import film_frames
from talkface.media.video import probe, read_frames

log = logging.getLogger(__name__)

# Pixels and quality of a film that stands beside others in a page; a key frame every half second, so that a jump
# to any frame is quick.
SIZE = 320
QUALITY: dict[str, Any] = {"crf": 26, "preset": "slow", "g": 12, "audio_bitrate": "64k"}


def cut_clips(
    faces: str | Path,
    folder: str | Path,
    *,
    landmarks: Sequence[str | Path],
    videos: Mapping[str, str | Path],
    stretches: Mapping[str, tuple[float | None, float | None]],
    size: int = SIZE,
) -> None:
    """Write a film of each clip, and its landmarks.

    Parameters
    ----------
    faces : path
        results/viewer/faces.h5, whose clips and sounds are taken.
    folder : path
        results/viewer/sources/, see above; appears whole or not at all.
    landmarks : sequence of paths
        results/landmarks/{shard}.h5 of the clips at least.
    videos : mapping of clip to its video
    stretches : mapping of clip to (start_s, end_s)
        Seconds of the video, None where it has no such bound.
    size : int
        Pixels of the films, both ways; even.

    Raises
    ------
    TalkfaceError
        If a video does not decode.
    """
    folder = Path(folder)
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        where = _find(landmarks)
        with h5py.File(faces, "r") as file, h5py.File(aside / "landmarks.h5", "w") as points:
            for clip, sound in file.get("sound", {}).items():
                samples, rate = sound[:], int(sound.attrs["rate"])
                start_s, end_s = stretches[clip]
                found = read_measured(where[clip], clip)
                crop = face_crop(found.landmarks, width=found.width, height=found.height)
                frames = film_frames(len(samples), rate)
                pictures = read_frames(
                    probe(videos[clip]), start_s=start_s, end_s=end_s, pixels="bgr24", crop=crop, size=size
                )
                _film(_lasting(pictures, frames), aside / f"{clip}.mp4", samples=samples, rate=rate, size=size)
                placed = crop.place(found.landmarks, size=size) + 0.5  # from the corner of the picture
                points[f"{clip}/landmarks"] = (placed / size).astype(np.float32)
                points[f"{clip}/detected"] = found.detected
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    log.info("%s: %d films", folder, len(list(folder.glob("*.mp4"))))


def _find(files: Sequence[str | Path]) -> dict[str, str | Path]:
    """Return the file of landmarks that holds each clip."""
    where: dict[str, str | Path] = {}
    for path in files:
        with h5py.File(path, "r") as file:
            where |= dict.fromkeys(file, path)
    return where


def _lasting(pictures: Iterator[NDArray[np.uint8]], frames: int) -> Iterator[NDArray[np.uint8]]:
    """Give exactly so many frames of a video: the last one is held, or those beyond are read and left out."""
    count, picture = 0, np.zeros(0, np.uint8)
    for picture in pictures:  # to the end, so that a truncated file is found out
        if count < frames:
            yield picture
        count += 1
    yield from (picture for _ in range(frames - count))


def _film(pictures: Iterator[NDArray], output: Path, *, samples: NDArray, rate: int, size: int) -> None:
    """Write pictures and sound as a film."""
    cv2.setNumThreads(1)
    with as_wav(samples, rate) as speech:
        encode(pictures, output, size=(size, size), audio=speech, **QUALITY)
