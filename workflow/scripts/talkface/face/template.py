"""The mean face (template): 68 landmarks of no particular person, in the template frame.

Template frame: the distance of the outer eye corners is 1, the origin lies midway between them, x points to the right
of the picture, y down.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from talkface.face.points import LIP_PAIRS

TABLE = Path(__file__).with_name("template.tsv")


def resting_face() -> NDArray[np.float64]:
    """Return the template with its lips closed, (68, 2)."""
    face = load_template()
    for upper, lower in LIP_PAIRS:
        face[[upper, lower]] = face[[upper, lower]].mean(axis=0)
    return face


def load_template() -> NDArray[np.float64]:
    """Read the template, (68, 2), from the table beside this module (made by `make template`)."""
    return np.loadtxt(TABLE, skiprows=2, usecols=(1, 2))
