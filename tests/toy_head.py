"""A head of ICT-FaceKit's layout that weighs little: its landmarks where they belong, everything else in a point."""

import numpy as np

from talkface.face3d import arkit
from talkface.face3d.bases import load_bases
from talkface.face3d.face_model import ICT_PARTS, ICT_VERTICES

UNIT = 8.9  # centimetres between the outer eye corners


def toy_arrays(identities=3):
    """Arrays of such an .npz; vertex 0 .. 67 are the landmarks, joined to a fan of triangles about the nose."""
    bases = load_bases()
    upright = UNIT * np.array([1, -1, 1])
    names = [one for name in arkit.NAMES for one in arkit.ict_names(name)]
    neutral = np.zeros((ICT_VERTICES, 3), np.float32)
    neutral[:68] = bases.neutral * upright
    for side in (1, -1):  # two small eyeballs, of eight vertices each
        first, _ = ICT_PARTS["eyes"]
        ball = np.stack(np.meshgrid([-1, 1], [-1, 1], [-1, 1]), -1).reshape(-1, 3)
        rows = slice(first + (0 if side > 0 else 8), first + (8 if side > 0 else 16))
        neutral[rows] = ball + np.array([3.2 * side, 0, -1])
    neutral[first + 16 : ICT_PARTS["eyes"][1]] = [3.2, 0, -1]
    moved = np.zeros((len(names), ICT_VERTICES, 3), np.float16)
    for row, name in enumerate(names):
        target = next(each for each in arkit.NAMES if name in arkit.ict_names(each))
        share = 1 / len(arkit.ict_names(target))
        moved[row, :68] = share * bases.expression[arkit.INDEX[target]] * upright
    persons = np.zeros((identities, ICT_VERTICES, 3), np.float16)
    persons[:, :68] = bases.identity[:identities] * upright
    lips = [[48, 60, 67, 59], [54, 55, 65, 64]]
    return {
        "neutral": neutral,
        "quads": np.array(lips, np.int32),
        "tris": np.array([[0, 8, 16], [27, 30, 33], [first, first + 1, first + 2]], np.int32),
        "expr_names": np.array(names),
        "expr_delta": moved,
        "id_delta": persons,
        "landmark_vertices": np.arange(68, dtype=np.int32),
    }


def write_toy_head(path, **changes):
    """Write it, with other arrays where `changes` has them, and without those that are None there."""
    arrays = toy_arrays() | changes
    np.savez_compressed(path, **{name: array for name, array in arrays.items() if array is not None})
    return path
