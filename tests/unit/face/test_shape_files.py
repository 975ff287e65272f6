"""Shape models of Eskimez et al. 2020 (published files where they are at hand, else made up)."""

from functools import partial

import numpy as np
import pytest
import scipy.spatial

from talkface.errors import TalkfaceError
from talkface.face.shape_files import read_shape_model_files
from talkface.face.template import load_template
from tests.foreign import foreign_face, write_shape_files

KEYS = {"mean": "mean_shape", "components": "eigen_vectors", "template": "mean", "boosts": "tcboost"}


@pytest.fixture
def published(shared_data):
    """The published files."""
    return {key: shared_data / "reference" / f"eskimez2020_{name}.npy" for key, name in KEYS.items()}


@pytest.fixture
def files(tmp_path):
    """Write made-up files; keywords replace arrays, None leaves a file out."""
    return partial(write_shape_files, tmp_path)


def test_published_files_lie_in_the_template_frame(published):
    shape_model, rest, boosts = read_shape_model_files(published)
    mean = np.load(published["mean"]).astype(float).reshape(68, 3)
    vectors = np.load(published["components"]).astype(float)
    assert shape_model.mean.shape == (68, 3)
    assert shape_model.components.shape == (6, 204)
    np.testing.assert_allclose(shape_model.mean[[36, 45], :2], [[-0.5, 0], [0.5, 0]], atol=1e-9)
    # One similarity of the plane; z is scaled alike: every face of coefficients moves as a whole.
    coefficients = np.random.default_rng(0).standard_normal((5, 6)) * 0.1
    theirs = mean + (coefficients @ vectors).reshape(-1, 68, 3)
    ours = shape_model.decode(coefficients)
    eyes = mean[45, :2] - mean[36, :2]
    scale = 1 / np.hypot(*eyes)
    angle = -np.arctan2(eyes[1], eyes[0])
    rotation = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = (mean[36, :2] + mean[45, :2]) / 2
    np.testing.assert_allclose(ours[..., :2], (theirs[..., :2] - middle) @ rotation.T, atol=1e-9)
    np.testing.assert_allclose(ours[..., 2], theirs[..., 2] * scale, atol=1e-9)
    # The start: the template after procrustes to the mean shape, as published.
    fitted = scipy.spatial.procrustes(mean, np.load(published["template"]))[1]
    np.testing.assert_allclose(rest, (fitted - mean).reshape(-1) @ vectors.T, atol=1e-6)
    np.testing.assert_allclose(boosts, [1, 2.4, 2.8, 3.2, 3.6, 4])


def test_a_mean_shape_in_pixels_takes_the_template_to_it(files):
    mean, components = foreign_face(), np.random.default_rng(2).standard_normal((6, 204))
    moved = (mean + (np.arange(6) @ components * 0.2).reshape(68, 3)) * 0.01 + 5
    _, rest, _ = read_shape_model_files(files(components=components, template=moved))
    fitted = scipy.spatial.procrustes(mean, moved)[1]
    centre = mean.mean(axis=0)
    fitted = fitted * np.linalg.norm(mean - centre) + centre
    np.testing.assert_allclose(rest, np.linalg.pinv(components.T) @ (fitted - mean).reshape(-1), atol=1e-8)
    assert np.abs(rest).max() > 0.1


@pytest.mark.parametrize("shape", [(68, 2), (136,), (1, 136)])
def test_faces_of_two_coordinates(files, shape):
    paths = files(mean=foreign_face(2).reshape(shape), components=np.eye(4, 136), template=None, boosts=None)
    shape_model, rest, boosts = read_shape_model_files(paths)
    np.testing.assert_allclose(shape_model.mean, load_template(), atol=1e-9)
    assert shape_model.encode(shape_model.decode([1.0, 2, 3, 4])) == pytest.approx([1, 2, 3, 4])
    assert len(rest) == len(boosts) == 0


BAD = np.zeros((68, 3))
BAD[3, 1] = np.nan
FAULTS = [
    ({"mean": None}, "shape_model has no 'mean'"),
    ({"components": None}, "shape_model has no 'components'"),
    ({"mean": np.zeros((70, 3))}, r"mean.npy: an array \(70, 3\); 68 points of 2 or 3 coordinates"),
    ({"mean": BAD}, "mean.npy: holds NaN or infinite values"),
    ({"mean": np.zeros((68, 3))}, "mean.npy: both outer eye corners at one place"),
    ({"mean": foreign_face() * [1, -1, 1]}, "mean.npy: the chin lies above the eyes"),
    ({"mean": np.array(["face"] * 204)}, "mean.npy: an array of <U4; numbers were expected"),
    ({"mean": np.array([{}] * 204)}, "mean.npy: not readable .Object arrays cannot be loaded"),
    ({"components": np.zeros((6, 136))}, r"components.npy: an array \(6, 136\); \(number, 204\) was expected"),
    ({"template": foreign_face(2)}, "template.npy: a face of 2 coordinates a point; 3 were expected"),
    ({"boosts": np.ones(5)}, "boosts.npy: 5 numbers; 6 were expected"),
]


@pytest.mark.parametrize(("changed", "message"), FAULTS, ids=range(len(FAULTS)))
def test_files_that_do_not_fit_are_refused_in_one_line(files, changed, message):
    paths = files(**changed)
    with pytest.raises(TalkfaceError, match=message) as caught:
        read_shape_model_files(paths)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_and_one_that_is_no_array(files, tmp_path):
    paths = files()
    with pytest.raises(TalkfaceError, match=r"none\.npy: there is no such file; an .npy of a shape model was expected"):
        read_shape_model_files(paths | {"boosts": tmp_path / "none.npy"})
    paths["template"].write_text("a face")
    with pytest.raises(TalkfaceError, match=r"template\.npy: not readable"):
        read_shape_model_files(paths)
