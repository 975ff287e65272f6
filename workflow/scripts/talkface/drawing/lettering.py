"""Text on pictures: one font at any size, anchored left, centre or right, shrunk to a width.

Pixels of a picture are (x, y). Sizes and colours: `talkface.drawing.style`.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from talkface.drawing.canvas import to_bgr, triple
from talkface.drawing.style import FONT

WEIGHTS = {False: 400, True: 650}
LEAST = 8  # pixels; letters are not shrunk below


def measure(text: str, *, size: int, bold: bool = False) -> int:
    """Return the width of a line of text, pixels."""
    return cv2.getTextSize((0, 0), text, (0, 0), cv2.FontFace(FONT), size, WEIGHTS[bold])[2]


def write(
    picture: NDArray[np.uint8], text: str, place: tuple[float, float], *, size: int, colour: str, bold: bool = False,
    anchor: str = "left", width: int | None = None, halo: str | None = None,
) -> None:  # fmt: skip
    """Write a line on a picture.

    Parameters
    ----------
    picture : (H, W, 3) uint8 array
    text : str
    place : (x, y)
        Where the baseline begins, has its middle or ends.
    size : int
        Height of the letters, pixels.
    colour : str
        Colour, "#rrggbb".
    bold : bool
    anchor : {"left", "centre", "right"}
    width : int, optional
        Pixels; letters become smaller where the line is wider, down to `LEAST`, then its middle is left out.
    halo : str, optional
        Colour of a rim around the letters, for writing on a video.
    """
    while width is not None and size > LEAST and measure(text, size=size, bold=bold) > width:
        size -= 1
    if width is not None:
        text = shorten(text, size=size, width=width, bold=bold)
    shift = {"left": 0, "centre": 0.5, "right": 1}[anchor]
    x, y = round(place[0] - shift * measure(text, size=size, bold=bold)), round(place[1])
    face = cv2.FontFace(FONT)
    if halo is not None:
        rim, reach = triple(to_bgr(halo)), max(1, round(size / 14))
        for right, down in ((-reach, 0), (reach, 0), (0, -reach), (0, reach)):
            cv2.putText(picture, text, (x + right, y + down), rim, face, size, WEIGHTS[bold])
    cv2.putText(picture, text, (x, y), triple(to_bgr(colour)), face, size, WEIGHTS[bold])


def shorten(text: str, *, size: int, width: float, bold: bool = False) -> str:
    """Leave out the middle of a line that is wider than `width` pixels: names often differ at their end."""
    kept = len(text)
    short = text
    while kept > 1 and measure(short, size=size, bold=bold) > width:
        kept -= 1
        short = f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}"
    return short


def wrap(text: str, *, size: int, width: float, bold: bool = False) -> list[str]:
    """Break a text into lines that are no wider than `width` pixels, if no word is."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and measure(longer, size=size, bold=bold) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def clock(frame: int, *, fps: float) -> str:
    """Format number and time of a frame as they are drawn into films.

    Examples
    --------
    >>> clock(37, fps=25)
    'frame 37   1.48 s'
    """
    return f"frame {frame}   {frame / fps:.2f} s"
