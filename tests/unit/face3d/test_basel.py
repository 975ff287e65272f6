"""The Basel Face Model's files are read and checked; files of the same layout, small."""

import shutil

import numpy as np
import pytest
from scipy.io import savemat

from talkface.errors import TalkfaceError
from talkface.face3d.basel import read_basel
from talkface.face3d.bases import load_bases
from talkface.face3d.face_model import load_arkit_model, load_face_model

WHOLE, TRIMMED, FRONT = 120, 100, 80  # vertices
UNIT = 0.89  # decimetres between the outer eye corners


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder, and what lies in it: landmarks are the last 68 of the front."""
    folder, rng = tmp_path_factory.mktemp("basel"), np.random.default_rng(0)
    trimmed, front = rng.permutation(WHOLE)[:TRIMMED], rng.permutation(TRIMMED)[:FRONT]
    mean = rng.standard_normal((WHOLE, 3))
    mean[trimmed[front[-68:]]] = UNIT * load_bases().neutral * [1, -1, 1] + [3, 2, 1]
    vectors, deviations = rng.standard_normal((3 * WHOLE, 199)), rng.uniform(1, 5, 199)
    savemat(
        folder / "01_MorphableModel.mat",
        {"shapeMU": 1e5 * mean.reshape(-1, 1), "shapePC": vectors, "shapeEV": deviations[:, None]},
    )
    expressions, spread = rng.standard_normal((79, TRIMMED, 3)).astype(np.float32), rng.uniform(1, 9, 79)
    (folder / "Exp_Pca.bin").write_bytes(
        np.int32(79).tobytes() + np.full(3 * TRIMMED, 7, np.float32).tobytes() + expressions.tobytes()
    )
    np.savetxt(folder / "std_exp.txt", spread[None])
    savemat(folder / "BFM_exp_idx.mat", {"trimIndex": trimmed[None] + 1})
    savemat(folder / "BFM_front_idx.mat", {"idx": front[:, None] + 1})
    triangles = rng.integers(1, FRONT + 1, (30, 3))
    savemat(folder / "facemodel_info.mat", {"tri": triangles, "keypoints": np.arange(FRONT - 68, FRONT)[None] + 1})
    chosen = trimmed[front]
    return folder, {
        "neutral": mean[chosen],
        "identity": ((vectors * deviations).T[:80].reshape(80, WHOLE, 3) / 1e5)[:, chosen],
        "expression": (expressions * spread[:, None, None])[:64, front] / 1e5,
        "triangles": triangles - 1,
    }


def test_files_are_read(files):
    folder, expected = files
    found = read_basel(folder)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-7)
    assert found["landmarks"].tolist() == list(range(FRONT - 68, FRONT))


def test_it_is_a_face_model_of_its_own_expressions(files):
    folder, expected = files
    model = load_face_model(folder)
    np.testing.assert_allclose(model.neutral[model.landmarks], load_bases().neutral, atol=1e-3)
    lengths = np.linalg.norm(model.expression[3], axis=1) / np.linalg.norm(expected["expression"][3], axis=1)
    np.testing.assert_allclose(lengths, 1 / UNIT, rtol=1e-2)
    assert model.names[:2] == ("expression00", "expression01")
    assert list(model.parts) == ["skin"]
    with pytest.raises(TalkfaceError, match="expressions are not ARKit's; ICT-FaceKit was expected"):
        load_arkit_model(folder)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "BFM_front_idx.mat").unlink(), r"BFM_front_idx\.mat: there is no such file"),
        (lambda folder: (folder / "std_exp.txt").unlink(), r"std_exp\.txt: there is no such file"),
        (lambda folder: (folder / "std_exp.txt").write_text("1 2 3"), r"std_exp\.txt: 3 numbers; 79 was expected"),
        (lambda folder: (folder / "Exp_Pca.bin").write_bytes(b"\x4f\0\0\0abcd"), r"Exp_Pca\.bin: 8 bytes for 79"),
        (lambda folder: (folder / "01_MorphableModel.mat").write_text("x"), r"01_MorphableModel\.mat: not readable"),
        (
            lambda folder: savemat(folder / "01_MorphableModel.mat", {"shape": [1]}),
            r"01_MorphableModel\.mat: no shapeMU; the Basel Face Model of 2009 was expected, not another version",
        ),
        (
            lambda folder: savemat(folder / "BFM_exp_idx.mat", {"trimIndex": [1, 999]}),
            r"BFM_exp_idx\.mat: indices beyond",
        ),
        (lambda folder: savemat(folder / "BFM_exp_idx.mat", {"trimIndex": [1, 2]}), r"Exp_Pca\.bin: 100 vertices; 2"),
        (
            lambda folder: savemat(folder / "facemodel_info.mat", {"tri": [[1, 2, 3]], "keypoints": [1, 2]}),
            r"facemodel_info\.mat: 2 keypoints; 68 was expected",
        ),
    ],
)
def test_others_are_refused(files, tmp_path, spoil, said):
    folder = tmp_path / "spoilt"
    shutil.copytree(files[0], folder)
    spoil(folder)
    with pytest.raises(TalkfaceError, match=said):
        load_face_model(folder)
