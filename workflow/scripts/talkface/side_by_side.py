"""Films of a prediction beside the truth: two flat faces, what they are, and the opening of both mouths over time.

Axes: T frames at 25 fps, 68 landmarks, 2 coordinates; pixels of the picture are (x, y).
"""

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import h5py
import numpy as np
import soundfile
from numpy.typing import NDArray

from talkface.animation import YuvPicture, encode, resting_face
from talkface.canvas import SHIFT, colour, fixed
from talkface.drawing import FlatPainter
from talkface.lettering import write
from talkface.parts import triple
from talkface.points import INNER_LIP, OUTER_LIP, mouth_opening
from talkface.storage import writing
from talkface.style import BLUE, GROUND, INK, MARK, RULE, SOFT
from talkface.video import FPS

log = logging.getLogger(__name__)

PANEL = (480, 430)  # pixels, width and height of a face's picture
HEAD, STRIP = 52, 158  # pixels, heights of the title above and of the curves below
SIZE = (2 * PANEL[0], HEAD + PANEL[1] + STRIP)
SCALE, PLACE = 165, (240, 182)  # pixels: outer-eye distance, and where the middle of the eyes stands
MARGIN = 20  # pixels
TRUTH, PREDICTION = "truth", "prediction"


def paint_curves(openings: dict[str, NDArray], *, frames: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The strip below the faces (STRIP, width, 3), and where each frame stands in it (frames,), pixels."""
    strip = np.full((STRIP, SIZE[0], 3), triple(colour(GROUND)), np.uint8)
    top, bottom = 30, STRIP - 16
    highest = max(max((float(series.max(initial=0)) for series in openings.values()), default=0), 1e-6)
    x = MARGIN + (SIZE[0] - 2 * MARGIN) * np.arange(frames) / max(frames - 1, 1)
    ground = np.array([[MARGIN, bottom], [SIZE[0] - MARGIN, bottom]], float)
    cv2.polylines(strip, [fixed(ground)], False, triple(colour(RULE)), 1, cv2.LINE_AA, SHIFT)
    for name, series in openings.items():
        y = bottom - (bottom - top) * np.clip(series / highest, 0, 1)
        line = np.stack([x[: len(y)], y], axis=-1)
        code = INK if name == TRUTH else BLUE
        cv2.polylines(strip, [fixed(line)], False, triple(colour(code)), 2, cv2.LINE_AA, SHIFT)
    write(strip, "opening of the mouth", (MARGIN, 16), size=13, code=SOFT)
    return strip, x


def paint_pairs(
    truth: NDArray, prediction: NDArray, *, title: str, told: str, model: str, frames: int
) -> Iterator[NDArray[np.uint8]]:
    """Paint the truth on the left, and on the right the prediction with a line around the true lips.

    Parameters
    ----------
    truth, prediction : (T, 68, 2) arrays
        Template frame; the last face of each is held.
    title, told : str
        What stands above, on the left and on the right.
    model : str
    frames : int

    Yields
    ------
    (3 H / 2, W) uint8 array
        Planar YUV, valid until the next one is asked for.
    """
    shown = {TRUTH: truth[:frames].astype(np.float64), PREDICTION: prediction[:frames].astype(np.float64)}
    picture = np.full((SIZE[1], SIZE[0], 3), triple(colour(GROUND)), np.uint8)
    write(picture, title, (MARGIN, 36), size=22, code=INK, bold=True, width=PANEL[0] - 2 * MARGIN)
    write(picture, told, (SIZE[0] - MARGIN, 36), size=17, code=SOFT, anchor="right", width=PANEL[0] - MARGIN)
    strip, x = paint_curves({name: mouth_opening(shapes) for name, shapes in shown.items()}, frames=frames)
    below = slice(HEAD + PANEL[1], SIZE[1])
    names = {TRUTH: ("truth", INK), PREDICTION: (model, BLUE)}
    painters = {name: FlatPainter(resting_face() * SCALE + PLACE, size=PANEL) for name in shown}
    planes = YuvPicture(SIZE)
    planes.update(picture, [(slice(0, SIZE[1]), slice(0, SIZE[0]))])
    cv2.setNumThreads(1)  # from here on the encoder keeps the cores busy
    for frame in range(frames):
        faces = {name: shapes[min(frame, len(shapes) - 1)] * SCALE + PLACE for name, shapes in shown.items()}
        for place, (name, face) in enumerate(faces.items()):
            panel = picture[HEAD : HEAD + PANEL[1], place * PANEL[0] : (place + 1) * PANEL[0]]
            painters[name].paint(face)
            panel[:] = painters[name].frame
            write(panel, names[name][0], (MARGIN, 22), size=18, code=names[name][1], bold=True, width=PANEL[0] // 2)
        lips = [fixed(faces[TRUTH][list(part)]) for part in (OUTER_LIP, INNER_LIP)]
        cv2.polylines(panel, lips, True, triple(colour(INK)), 1, cv2.LINE_AA, SHIFT)
        write(panel, "line: the true lips", (PANEL[0] - MARGIN, 22), size=14, code=SOFT, anchor="right")
        picture[below] = strip
        at = np.array([[x[frame], 24], [x[frame], STRIP - 10]])
        cv2.polylines(picture[below], [fixed(at)], False, triple(colour(MARK)), 1, cv2.LINE_AA, SHIFT)
        planes.update(picture, [(slice(HEAD, SIZE[1]), slice(0, SIZE[0]))])
        yield planes.picture


def film_pair(
    truth: NDArray, prediction: NDArray, output: str | Path, *, sound: NDArray[np.int16], rate: int, title: str,
    told: str, model: str,
) -> None:  # fmt: skip
    """Write a film of `paint_pairs` that lasts as long as its sound (S,) at `rate` Hz, to the nearest frame."""
    frames = max(round(len(sound) / rate * FPS), 1)
    pictures = paint_pairs(truth, prediction, title=title, told=told, model=model, frames=frames)
    with tempfile.TemporaryDirectory() as folder, writing(output) as film:
        speech = Path(folder) / "speech.wav"
        soundfile.write(speech, sound, rate, subtype="PCM_16")
        encode(pictures, film, size=SIZE, audio=speech, pixels="yuv420p")


def draw_worst(faces: str | Path, folder: str | Path) -> None:
    """Write a film of each prediction in results/evaluation/worst.h5.

    Parameters
    ----------
    faces : path
        Layout: `talkface.worst`.
    folder : path
        results/evaluation/worst/; gets {model}/{clip}.mp4.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with h5py.File(faces, "r") as file:
        for model, clips in file.get(PREDICTION, {}).items():
            for clip, prediction in clips.items():
                told, sound = prediction.attrs, file[f"sound/{clip}"]
                correlation = told["opening_correlation"]
                film_pair(
                    file[f"{TRUTH}/{clip}"][:],
                    prediction[:],
                    folder / model / f"{clip}.mp4",
                    sound=sound[:],
                    rate=int(sound.attrs["rate"]),
                    title=f"{clip}, speaker {told['speaker']}",
                    told=f"lip error {told['lip_rmse']:.2f} %"
                    + (f", correlation {correlation:.2f}" if np.isfinite(correlation) else ""),
                    model=model,
                )
                count += 1
    log.info("%s: %d films", folder, count)
