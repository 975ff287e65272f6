"""The mean face (template): 68 landmarks of no particular person, in the template frame, as each detector sees it.

All shapes have the template of dlib's landmarks as their face at rest, whoever saw the motion: one frame for all. A
detector's own template is what its landmarks are aligned to.

Template frame: the distance of the outer eye corners is 1, the origin lies midway between them, x points to the right
of the picture, y down.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from talkface.face.points import LIP_PAIRS

TABLES = {
    "dlib": Path(__file__).with_name("template.tsv"),
    "mesh": Path(__file__).with_name("template_mesh.tsv"),
}


def resting_face() -> NDArray[np.float64]:
    """Return the template with its lips closed, (68, 2)."""
    face = load_template()
    for upper, lower in LIP_PAIRS:
        face[[upper, lower]] = face[[upper, lower]].mean(axis=0)
    return face


def load_template(detector: str = "dlib") -> NDArray[np.float64]:
    """Read a detector's template, (68, 2), from the table beside this module (made by `make template`)."""
    return np.loadtxt(TABLES[detector], skiprows=2, usecols=(1, 2))
