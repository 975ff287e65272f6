"""Weights for engines, as Live Link Face and Audio2Face write them.

The table of the first is what importers of Unreal, Unity and Blender read.

Axes: T frames, 52 weights.
"""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from talkface.errors import TalkfaceError
from talkface.export.resample import resample
from talkface.face3d import arkit
from talkface.face3d.records import Motion
from talkface.files import writing

RATES = (30, 60)  # frames a second that Live Link Face records
ANGLES = tuple(f"{part}{turn}" for part in ("Head", "LeftEye", "RightEye") for turn in ("Yaw", "Pitch", "Roll"))
HEAD = ("Timecode", "BlendShapeCount", *(name[0].upper() + name[1:] for name in arkit.NAMES), *ANGLES)
COUNT = arkit.COUNT + len(ANGLES)
# How far an eye turns at weight 1: what ICT-FaceKit's eyeballs do, radians.
EYE_TURN = 0.5


def write_arkit(motion: Motion, output: str | Path, *, fps: int) -> None:
    """Write weights and turns as Live Link Face does: names with a capital letter, 61 values a row.

    Parameters
    ----------
    motion : Motion
    output : path
        A .csv.
    fps : {30, 60}
        Frames a second, by interpolation that keeps closures. `Timecode` counts them: hours, minutes, seconds, frames
        and thousandths of a frame.
    """
    if fps not in RATES:
        raise TalkfaceError(f"export.fps: {fps}; 30 or 60 was expected, what Live Link Face records; correct it")
    values = resample(np.column_stack([motion.weights, motion.turn]), fps)
    weights, turn = values[:, : arkit.COUNT].clip(0, 1), values[:, arkit.COUNT :]
    rows = np.column_stack([weights, turn, *(_eye(weights, side) for side in ("Left", "Right"))]) + 0.0
    with writing(output) as temporary:
        lines = [",".join(HEAD)]
        for frame, row in enumerate(rows):
            lines.append(",".join([timecode(frame, fps), str(COUNT), *(f"{value:.6f}" for value in row)]))
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def timecode(frame: int, fps: int) -> str:
    """Return the time of a frame as hours, minutes, seconds, frames and thousandths of one.

    Examples
    --------
    >>> timecode(3_723 * 60 + 7, 60)
    '01:02:03:07.000'
    """
    seconds, rest = divmod(frame, fps)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{rest:02d}.000"


def _eye(weights: NDArray, side: str) -> NDArray[np.float64]:
    """Return yaw, pitch and roll (T, 3) of an eye as its weights turn it; axes as of the head."""
    looks = {way: weights[:, arkit.INDEX[f"eyeLook{way}{side}"]] for way in ("In", "Out", "Up", "Down")}
    outwards = looks["Out"] - looks["In"]  # the person's left is the viewer's right
    yaw = outwards if side == "Left" else -outwards
    return EYE_TURN * np.column_stack([yaw, looks["Down"] - looks["Up"], np.zeros(len(weights))])


def write_json(motion: Motion, output: str | Path, *, fps: int, sound: str) -> None:
    """Write weights in the layout of NVIDIA's Audio2Face: `facsNames`, and `weightMat` with a row a frame.

    Parameters
    ----------
    motion : Motion
    output : path
        A .json.
    fps : int
    sound : str
        Name of the sound beside it.
    """
    weights = resample(motion.weights, fps).clip(0, 1)
    content = {
        "exportFps": float(fps),
        "trackPath": sound,
        "numPoses": arkit.COUNT,
        "numFrames": len(weights),
        "facsNames": list(arkit.NAMES),
        "weightMat": [[round(float(value), 6) for value in row] for row in weights],
    }
    with writing(output) as temporary:
        temporary.write_text(json.dumps(content) + "\n", encoding="utf-8")
