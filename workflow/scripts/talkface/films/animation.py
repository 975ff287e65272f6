"""Films of drawn faces: frames streamed into ffmpeg while they are painted, with their speech.

Axes: T frames at 25 fps, 68 landmarks, 2 coordinates.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from talkface.conventions import FPS
from talkface.drawing.characters import PRESENTER, Person, neutral_face
from talkface.drawing.painters import STYLES, FlatPainter, ShadedPainter, blink_amounts, close_eyes
from talkface.face.faces import hold, load_shapes
from talkface.face.template import resting_face
from talkface.files import writing
from talkface.media.encoding import YuvPicture, encode
from talkface.media.sound import frames_of

# Where a face stands in the picture: its outer-eye distance and the height of the eyes, as shares of the size. The flat
# face fills the picture, the shaded one leaves room for hair and shoulders.
PLACES = {"flat": (0.34, 0.385), "shaded": (0.255, 0.425)}


def paint_frames(
    shapes: NDArray, *, style: str, size: int, blink: bool, seed: int = 0, person: Person = PRESENTER, fps: float = FPS
) -> Iterator[NDArray[np.uint8]]:
    """Paint shapes (T, 68, 2) of the template frame as planar YUV pictures (3 size / 2, size), ready for x264.

    The flat face has the shapes' own outlines. The shaded one is a person with a face of its own: it takes over how the
    shapes differ from the closed template. Only the windows that a frame changed are converted. A picture is valid
    until the next one is asked for.
    """
    if style not in STYLES:
        raise ValueError(f"style {style!r}; expected one of {', '.join(STYLES)}")
    scale, height = PLACES[style]
    unit, origin = scale * size, np.array([0.5, height]) * size
    rest = resting_face()
    if style == "shaded":
        own = neutral_face(person.build)
        shapes, rest = shapes - rest + own, own
    if blink:
        shapes = close_eyes(shapes, blink_amounts(len(shapes), fps=fps, rng=np.random.default_rng(seed)))
    painter: FlatPainter | ShadedPainter
    if style == "shaded":
        rng = np.random.default_rng(seed)
        painter = ShadedPainter(rest * unit + origin, look=person.look, size=(size, size), rng=rng)
    else:
        painter = FlatPainter(rest * unit + origin, size=(size, size))
    planes = YuvPicture((size, size))
    planes.update(painter.frame, [(slice(0, size), slice(0, size))])
    cv2.setNumThreads(1)  # from here on the encoder keeps all cores busy, and what is painted is small
    for landmarks in shapes * unit + origin:
        planes.update(painter.frame, painter.paint(landmarks))
        yield planes.picture


def animate(
    shapes: NDArray, output: str | Path, *, audio: str | Path, style: str = "shaded", size: int = 1000,
    blink: bool = False, seed: int = 0, progress: bool = False,
) -> None:  # fmt: skip
    """Write a film of a face that moves through shapes, with its speech.

    Parameters
    ----------
    shapes : (T, 68, 2) array
        Template frame, 25 fps.
    output : path
        An mp4, H.264 and AAC; it lasts as long as the audio, to the nearest frame: the last shape is held, or frames
        beyond the end of the audio are left out.
    audio : path
        A wav file.
    style : {"shaded", "flat"}
    size : int
        Pixels, both ways, even.
    blink : bool
        Let the eyes blink at chance times.
    seed : int
        Of those times and of the strands of hair.
    progress : bool
        Show a bar.

    Raises
    ------
    TalkfaceError
        If the audio is empty or cannot be read, or ffmpeg fails.
    """
    shapes = hold(shapes, frames_of(audio))
    pictures = paint_frames(shapes, style=style, size=size, blink=blink, seed=seed)
    bar = tqdm(pictures, total=len(shapes), desc="drawing", unit="frame", file=sys.stderr, disable=not progress)
    with writing(output) as film:
        encode(bar, film, size=(size, size), audio=audio, pixels="yuv420p")


def draw_animation(
    predictions: str | Path, audio: str | Path, output: str | Path, *, style: str, size: int, blink: bool, seed: int
) -> None:
    """Animate a file of predicted landmarks with the audio they were predicted from; see `load_shapes`, `animate`."""
    animate(load_shapes(predictions), output, audio=audio, style=style, size=size, blink=blink, seed=seed)
