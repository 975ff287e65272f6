"""Animations as GIF: 24 frames a second, no sound, in a loop.

A GIF counts hundredths of a second: at 24 frames a second its frames stand for 4 or 5 of them, and on the whole it
keeps step with the sound. Axes: T frames, 68 landmarks, 2 coordinates.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from talkface.conventions import FPS
from talkface.face.faces import load_shapes
from talkface.films.animation import paint_frames
from talkface.media.encoding import encode_gif
from talkface.media.sound import frames_of

GIF_FPS = 24.0
PALETTE_EVERY = 6  # frames; those that the palette is chosen from
# Flat colours need no dither; of a portrait's soft shades ordered dots stay where they are and cost the least.
DITHER: dict[str, dict[str, object]] = {"flat": {"dither": "none"}, "shaded": {"dither": "bayer", "bayer_scale": 4}}


def resample(shapes: NDArray, frames: int, *, fps: float = GIF_FPS) -> NDArray[np.float64]:
    """Interpolate faces at 25 fps (T, 68, 2) at the instants i / fps, (frames, 68, 2).

    The last face is held, those beyond the last instant are left out.
    """
    at = np.minimum(np.arange(frames) / fps * FPS, len(shapes) - 1)
    before = np.floor(at).astype(int)
    after = np.minimum(before + 1, len(shapes) - 1)
    share = (at - before)[:, None, None]
    return shapes[before] * (1 - share) + shapes[after] * share


def delays(frames: int, *, fps: float = GIF_FPS) -> NDArray[np.int64]:
    """Return the delay of each frame of a GIF, (frames,), hundredths of a second; halves are rounded up, as in ffmpeg.

    Examples
    --------
    >>> delays(6).tolist()
    [4, 4, 5, 4, 4, 4]
    """
    return np.diff(np.floor(np.arange(frames + 1) * 100 / fps + 0.5).astype(int))


def write_gif(shapes: NDArray, output: str | Path, *, style: str, size: int, blink: bool, seed: int) -> None:
    """Write faces as a GIF that is shown over and over.

    Parameters
    ----------
    shapes : (T, 68, 2) array
        Template frame, `GIF_FPS`.
    output : path
    style : {"flat", "shaded"}
    size : int
        Pixels, both ways, even.
    blink : bool
    seed : int

    Raises
    ------
    TalkfaceError
        If ffmpeg fails.
    """

    def pictures(faces: NDArray, *, blink: bool) -> Iterable[NDArray[np.uint8]]:
        """Paint faces at the speed of the GIF."""
        return paint_frames(faces, style=style, size=size, blink=blink, seed=seed, fps=GIF_FPS)

    faces = pictures(shapes, blink=blink)
    sample = pictures(shapes[::PALETTE_EVERY], blink=False)
    last_delay = int(delays(len(shapes))[-1])
    encode_gif(faces, output, sample=sample, size=size, fps=GIF_FPS, dither=DITHER[style], last_delay=last_delay)


def draw_gif(
    predictions: str | Path, audio: str | Path, output: str | Path, *, style: str, size: int, blink: bool, seed: int
) -> None:
    """Animate a file of predicted landmarks, as long as the audio they were predicted from; see `write_gif`.

    Raises
    ------
    TalkfaceError
        If the predictions are no such array or hold NaN, the audio is empty or cannot be read, or ffmpeg fails.
    """
    frames = frames_of(audio, fps=GIF_FPS)
    write_gif(resample(load_shapes(predictions), frames), output, style=style, size=size, blink=blink, seed=seed)
