"""Floors that open a mouth by loudness, or by what phones ask for."""

import numpy as np
import pytest

from talkface.evaluation import floors
from talkface.evaluation.articulation import Spoken
from talkface.face import points
from talkface.face.shape_model import fit_shape_model
from talkface.face.template import load_template


@pytest.fixture(scope="module")
def shape_model():
    """Of faces whose lower lip and chin move together."""
    opening = np.abs(np.random.default_rng(0).standard_normal(500)) * 0.05
    shapes = np.repeat(load_template()[None], 500, axis=0)
    shapes[:, [8, *range(65, 68)], 1] += opening[:, None]
    return fit_shape_model(shapes, components=3)


def test_the_mouth_follows_a_course_as_the_training_faces_open(shape_model):
    course = np.sin(np.arange(40) / 5)
    faces = floors.opened_by(course, shape_model)
    opening = points.mouth_opening(faces)
    assert np.corrcoef(opening, course)[0, 1] > 0.9999
    assert opening.std() == pytest.approx(floors.SHARE * shape_model.deviation[0] / 2, rel=0.02)  # 4 points move alike
    chin = faces[:, 8, 1] - shape_model.mean[8, 1]
    assert np.corrcoef(chin, course)[0, 1] > 0.9999  # and the chin with it
    np.testing.assert_allclose(faces.mean(axis=0), shape_model.mean, atol=1e-9)


def test_a_course_that_does_not_move_is_the_mean_face(shape_model):
    np.testing.assert_array_equal(floors.opened_by(np.ones(5), shape_model)[3], shape_model.mean)
    assert floors.opened_by(np.zeros(0), shape_model).shape == (0, 68, 2)


@pytest.mark.parametrize("names", [("AA1", "B", "IY0"), ("ɑː", "b", "iː")])
def test_phones_open_and_close_the_mouth_by_whatever_name(names):
    spoken = Spoken(phones=[(0.2, 0.5), (0.5, 0.6), (0.6, 0.9)], names=[floors.plain(name) for name in names])
    course = floors.opening_of_phones(spoken, 30)
    assert course[8] > 0.15  # at 0.32 s, an open vowel
    assert course[[13, 14]].min() < 0.02  # at 0.55 s, closed lips
    assert 0.04 < course[18] < course[8]
