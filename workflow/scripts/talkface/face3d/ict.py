"""ICT-FaceKit's own files into one: meshes of its neutral face, expressions and identities as differences.

Layout of the .npz: see `face_model`. The meshes are Wavefront OBJ, all with the same vertices in the same order.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from talkface.errors import TalkfaceError
from talkface.files import writing

NEUTRAL = "generic_neutral_mesh"
IDENTITY = re.compile(r"identity\d+")
# Vertices of the neutral mesh that are the 68 landmarks.
LANDMARKS = (
    1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443, 268,
    493, 1914, 2044, 1401, 3615, 4240, 4114, 2734, 2509, 978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360,
    1507, 1542, 1537, 1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732, 5708, 5695, 2081, 0, 4275, 6200,
    6213, 6346, 6461, 5518, 5957, 5841, 5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966,
)  # fmt: skip


def read_obj(path: str | Path, *, faces: bool = False) -> tuple[NDArray[np.float32], list[list[int]]]:
    """Read the vertices (V, 3) of an OBJ, and its faces where asked for: lists of vertices, counted from 0.

    Raises
    ------
    TalkfaceError
        If it is none.
    """
    places, found = [], []
    try:
        with open(path, encoding="ascii") as file:
            for line in file:
                if line.startswith("v "):
                    places.append(line.split()[1:4])
                elif faces and line.startswith("f "):
                    found.append([int(corner.split("/")[0]) - 1 for corner in line.split()[1:]])
        vertices = np.array(places, np.float32)
    except (UnicodeDecodeError, ValueError) as error:
        raise TalkfaceError(f"{path}: no OBJ mesh ({error}); one of ICT-FaceKit was expected; fetch it again") from None
    if vertices.ndim != 2 or vertices.shape[1] != 3 or not np.isfinite(vertices).all():
        raise TalkfaceError(f"{path}: no OBJ mesh; one of ICT-FaceKit was expected; fetch it again")
    return vertices, found


def pack(files: Sequence[str | Path], output: str | Path, *, landmarks: Sequence[int] = LANDMARKS) -> None:
    """Gather meshes in one file.

    Parameters
    ----------
    files : sequence of paths
        The neutral mesh, identities, and expressions, by their names; any order.
    output : path
        An .npz.
    landmarks : sequence of int
        Vertices that are the 68 landmarks.

    Raises
    ------
    TalkfaceError
        If the neutral mesh is missing, or a mesh has another number of vertices.
    """
    by_name = {Path(path).stem: Path(path) for path in files}
    if NEUTRAL not in by_name:
        raise TalkfaceError(f"ICT-FaceKit: no {NEUTRAL}.obj among {len(by_name)} files; fetch them again")
    neutral, corners = read_obj(by_name.pop(NEUTRAL), faces=True)
    identities = sorted(filter(IDENTITY.fullmatch, by_name))
    expressions = sorted(set(by_name) - set(identities))
    movements: dict[str, Any] = {}
    for kind, names in (("expr", expressions), ("id", identities)):
        found = np.empty((len(names), *neutral.shape), np.float16)
        for row, name in enumerate(names):
            vertices, _ = read_obj(by_name[name])
            if vertices.shape != neutral.shape:
                raise TalkfaceError(
                    f"{by_name[name]}: {len(vertices)} vertices; {len(neutral)} were expected, as in {NEUTRAL}.obj; "
                    "fetch it again"
                )
            found[row] = vertices - neutral
        movements[f"{kind}_delta"], movements[f"{kind}_names"] = found, np.array(names)
    with writing(output) as temporary:
        np.savez_compressed(
            temporary,
            neutral=neutral,
            quads=np.array([face for face in corners if len(face) == 4], np.int32).reshape(-1, 4),
            tris=np.array([face for face in corners if len(face) == 3], np.int32).reshape(-1, 3),
            landmark_vertices=np.array(landmarks, np.int32),
            **movements,
        )
