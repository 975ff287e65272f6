"""ARKit's 52 weights of a face: their names and order, and which expressions of ICT-FaceKit make each of them.

A weight is 0 at rest and 1 where the movement is full. Left and right are the person's.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# The order of Apple's Live Link Face; its column of each is the same name with a capital letter.
NAMES = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft",
    "eyeWideLeft",
    "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight",
    "eyeWideRight",
    "jawForward", "jawRight", "jawLeft", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthRight", "mouthLeft", "mouthSmileLeft", "mouthSmileRight",
    "mouthFrownLeft", "mouthFrownRight", "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft",
    "mouthStretchRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthPressLeft",
    "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight",
    "tongueOut",
)  # fmt: skip
COUNT = len(NAMES)
INDEX = {name: index for index, name in enumerate(NAMES)}
# Columns of the right weight beside that of each left one; a weight of both sides stands for itself.
MIRROR = np.array([INDEX[name.replace("Left", "*").replace("Right", "Left").replace("*", "Right")] for name in NAMES])


def ict_names(name: str) -> list[str]:
    """Return the expressions of ICT-FaceKit that, all full, are one of ARKit's; none for the tongue, which it lacks.

    Examples
    --------
    >>> ict_names("mouthSmileLeft"), ict_names("browInnerUp"), ict_names("jawLeft")
    (['mouthSmile_L'], ['browInnerUp_L', 'browInnerUp_R'], ['jawLeft'])
    """
    if name == "tongueOut":
        return []
    if name in ("browInnerUp", "cheekPuff"):
        return [f"{name}_L", f"{name}_R"]
    for side in ("Left", "Right"):
        if name.endswith(side) and name not in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
            return [f"{name.removesuffix(side)}_{side[0]}"]
    return [name]


def from_ict(movements: NDArray, names: Sequence[str]) -> NDArray:
    """Sum movements (E, ...) of ICT-FaceKit's expressions to ARKit's, (52, ...); the tongue's is 0.

    Raises
    ------
    KeyError
        If an expression is missing.
    """
    place = {name: index for index, name in enumerate(names)}
    found = np.zeros((COUNT, *movements.shape[1:]), movements.dtype)
    for index, name in enumerate(NAMES):
        for one in ict_names(name):
            found[index] += movements[place[one]]
    return found
