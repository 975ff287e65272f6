"""Face models are read into the template frame, and what is none is refused in a line."""

import numpy as np
import pytest

from talkface.errors import TalkfaceError
from talkface.face3d import arkit
from talkface.face3d.bases import load_bases
from talkface.face3d.face_model import ICT_VERTICES, load_face_model, normals_of
from talkface.face3d.looks import COLOURS, colours_of
from tests.toy_head import toy_arrays, write_toy_head


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return load_face_model(write_toy_head(tmp_path_factory.mktemp("head") / "head.npz"))


def test_landmarks_lie_where_the_table_has_them(toy):
    bases = load_bases()
    np.testing.assert_allclose(toy.neutral[toy.landmarks], bases.neutral, atol=2e-3)
    np.testing.assert_allclose(toy.expression[:, toy.landmarks], bases.expression, atol=2e-3)
    np.testing.assert_allclose(toy.person([1.0])[toy.landmarks], bases.neutral + bases.identity[0], atol=3e-3)
    assert toy.person().dtype == np.float32
    assert toy.names == arkit.NAMES


def test_eyeballs_turn_with_the_gaze(toy):
    eyes = toy.parts["eyes"]
    moved = toy.expression[arkit.INDEX["eyeLookOutLeft"], eyes]
    ball = toy.neutral[eyes]
    left = ball[:, 0] > 0
    front = left & (ball[:, 2] > ball[left][:, 2].mean())
    assert moved[front, 0].mean() > 0.01  # the person's left eye looks to the viewer's right
    assert np.abs(moved[~left]).max() == 0


def test_parts_have_colours(toy):
    colours = colours_of(toy)
    assert colours.shape == toy.neutral.shape
    marks = colours[toy.landmarks]
    np.testing.assert_allclose(marks[[62, 66]], [COLOURS["lips"]] * 2, atol=1)
    np.testing.assert_allclose(marks[[19, 24]], [COLOURS["brows"]] * 2, atol=1)
    np.testing.assert_allclose(marks[[8, 30]], [COLOURS["skin"]] * 2, atol=1)
    between = marks[51]  # on the contour of the lips
    assert (between < COLOURS["skin"]).all()
    assert (between > COLOURS["lips"]).all()
    assert sum(len(toy.triangles_of(part)) for part in toy.parts) == len(toy.triangles)


def test_normals_point_outwards():
    square = np.array([[0, 0, 0], [0, 1, 0], [1, 0, 0]], np.float32)
    np.testing.assert_allclose(normals_of(square, np.array([[0, 1, 2]])), [[0, 0, 1]] * 3)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tris": None}, "no array tris"),
        ({"landmark_vertices": np.arange(5)}, r"landmark_vertices is \(5,\); \(68,\) was expected"),
        ({"quads": np.array([[0, 1, 2, ICT_VERTICES]])}, "quads names vertices that are not there"),
        ({"neutral": np.full((ICT_VERTICES, 3), np.nan, np.float32)}, "neutral holds NaN"),
        ({"expr_names": np.array(["x"] * 53)}, "no expression eyeBlink_L"),
    ],
)
def test_another_npz_is_refused(tmp_path, changes, said):
    path = write_toy_head(tmp_path / "head.npz", **changes)
    with pytest.raises(TalkfaceError, match=f"head.npz: {said}"):
        load_face_model(path)


def test_what_is_no_npz_is_refused_and_nothing_is_unpickled(tmp_path):
    with pytest.raises(TalkfaceError, match=r"none\.npz: there is no such file"):
        load_face_model(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(TalkfaceError, match=r"text\.npz: not readable"):
        load_face_model(tmp_path / "text.npz")
    np.savez(tmp_path / "pickled.npz", **(toy_arrays() | {"expr_names": np.array([{}], object)}))
    with pytest.raises(TalkfaceError, match=r"pickled\.npz: not readable"):
        load_face_model(tmp_path / "pickled.npz")
