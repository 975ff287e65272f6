"""The Basel Face Model of 2009 with FaceWarehouse's expressions, as system D uses it: the user's own files.

| file | what is read |
|---|---|
| 01_MorphableModel.mat | `shapeMU` (3 V,), `shapePC` (3 V, 199), `shapeEV` (199,): micrometres |
| Exp_Pca.bin | int32 number N; float32 mean (3 W,), not used; N vectors (3 W,) |
| std_exp.txt | N deviations |
| BFM_exp_idx.mat | `trimIndex` (W,): which of the V vertices are the W of the expressions, counted from 1 |
| BFM_front_idx.mat | `idx`: which of these W belong to the front of the face, counted from 1 |
| facemodel_info.mat | `tri` (F, 3) and `keypoints` (68,) of the front, counted from 1 |

Both are licensed for research by their makers, who give them to whoever asks; none comes along.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from talkface.errors import TalkfaceError
from talkface.face import points

IDENTITIES, EXPRESSIONS = 80, 64  # that system D keeps
NEEDED: Mapping[str, tuple[str, ...]] = {
    "01_MorphableModel.mat": ("shapeMU", "shapePC", "shapeEV"),
    "BFM_exp_idx.mat": ("trimIndex",),
    "BFM_front_idx.mat": ("idx",),
    "facemodel_info.mat": ("tri", "keypoints"),
}
DECIMETRES = 1e5  # of the files' micrometres


def read_basel(folder: str | Path) -> dict[str, NDArray]:
    """Read the files of a folder.

    Returns
    -------
    dict
        `neutral` (V', 3) of the front, `identity` (80, V', 3) and `expression` (64, V', 3), a standard deviation each:
        decimetres, y up, z towards the viewer; `triangles` (F, 3) and `landmarks` (68,), counted from 0.

    Raises
    ------
    TalkfaceError
        If a file is missing, unreadable, of another version, or does not fit the others.
    """
    folder = Path(folder)
    read = {name: _read_mat(folder / name, wanted) for name, wanted in NEEDED.items()}
    shape = read["01_MorphableModel.mat"]
    mean = shape["shapeMU"].reshape(-1, 3) / DECIMETRES
    vectors, deviations = shape["shapePC"], shape["shapeEV"].reshape(-1)
    where = folder / "01_MorphableModel.mat"
    _demand(
        vectors.shape == (mean.size, len(deviations)), where, f"shapePC {vectors.shape}", (mean.size, len(deviations))
    )
    expressions = _read_expressions(folder)
    kept = _indices(read["BFM_exp_idx.mat"]["trimIndex"], len(mean), folder / "BFM_exp_idx.mat")
    where = folder / "Exp_Pca.bin"
    _demand(
        expressions.shape[1] == len(kept),
        where,
        f"{expressions.shape[1]} vertices",
        f"{len(kept)}, as in BFM_exp_idx.mat",
    )
    front = _indices(read["BFM_front_idx.mat"]["idx"], len(kept), folder / "BFM_front_idx.mat")
    chosen, where = kept[front], folder / "facemodel_info.mat"
    landmarks = _indices(read["facemodel_info.mat"]["keypoints"], len(front), where)
    _demand(len(landmarks) == points.COUNT, where, f"{len(landmarks)} keypoints", points.COUNT)
    triangles = _indices(read["facemodel_info.mat"]["tri"], len(front), where).reshape(-1, 3)
    identity = (vectors * deviations).T[:IDENTITIES].reshape(-1, len(mean), 3) / DECIMETRES
    found = {
        "neutral": mean[chosen],
        "identity": identity[:, chosen],
        "expression": expressions[:EXPRESSIONS, front] / DECIMETRES,
    }
    for name, array in found.items():
        _demand(bool(np.isfinite(array).all()), folder, f"{name} with NaN or infinite values", "numbers")
    return {name: array.astype(np.float32) for name, array in found.items()} | {
        "triangles": triangles.astype(np.int32),
        "landmarks": landmarks,
    }


def _read_mat(path: Path, wanted: tuple[str, ...]) -> dict[str, NDArray]:
    try:
        content: dict[str, Any] = loadmat(str(path))
    except FileNotFoundError:
        raise TalkfaceError(
            f"{path}: there is no such file; a folder with {', '.join([*NEEDED, 'Exp_Pca.bin', 'std_exp.txt'])} was "
            "expected, the Basel Face Model of 2009 and its expressions; correct face_model"
        ) from None
    except (OSError, ValueError, NotImplementedError, TypeError, MatReadError) as error:
        raise TalkfaceError(
            f"{path}: not readable as a .mat file ({str(error).splitlines()[0]}); one of the Basel Face Model of 2009 "
            "was expected, not of a later version"
        ) from None
    for name in wanted:
        if name not in content:
            raise TalkfaceError(f"{path}: no {name}; the Basel Face Model of 2009 was expected, not another version")
    return {name: np.asarray(content[name], np.float64) for name in wanted}


def _read_expressions(folder: Path) -> NDArray[np.float64]:
    """Read the expressions (N, W, 3), a standard deviation each, micrometres."""
    path, deviations_path = folder / "Exp_Pca.bin", folder / "std_exp.txt"
    for each in (path, deviations_path):
        if not each.is_file():
            raise TalkfaceError(f"{each}: there is no such file; the expressions of the face model were expected")
    raw = path.read_bytes()
    count = int(np.frombuffer(raw[:4], np.int32)[0]) if len(raw) >= 4 else 0
    values = np.frombuffer(raw[4 : 4 + (len(raw) - 4) // 4 * 4], np.float32)
    size, rest = divmod(len(values), count + 1) if count > 0 else (0, 1)
    if rest or size == 0 or size % 3:
        raise TalkfaceError(
            f"{path}: {len(raw)} bytes for {count} expressions; a number, a mean and as many vectors were expected"
        )
    try:
        deviations = np.loadtxt(deviations_path).reshape(-1)
    except ValueError as error:
        raise TalkfaceError(f"{deviations_path}: {error}; {count} numbers were expected") from None
    _demand(len(deviations) == count, deviations_path, f"{len(deviations)} numbers", count)
    return (values[size:].reshape(count, size) * deviations[:, None]).reshape(count, -1, 3).astype(np.float64)


def _indices(numbers: NDArray, count: int, path: Path) -> NDArray[np.int64]:
    """Turn indices counted from 1 into ones from 0, flat; refuse those beyond `count`."""
    found = numbers.reshape(-1).astype(np.int64) - 1
    _demand(
        bool(len(found)) and found.min() >= 0 and found.max() < count, path, "indices beyond the mesh", f"1 .. {count}"
    )
    return found


def _demand(right: bool, path: Path, found: object, expected: object) -> None:
    if not right:
        raise TalkfaceError(f"{path}: {found}; {expected} was expected, files of one Basel Face Model; copy them again")
