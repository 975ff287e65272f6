"""The landmarks by name."""

import numpy as np

from talkface.face import points


def test_groups_cover_all_points_once():
    groups = points.JAW + points.BROWS + points.NOSE + points.EYES + points.LIPS
    assert sorted(groups) == list(range(points.COUNT))


def test_mirror_is_its_own_inverse():
    np.testing.assert_array_equal(points.MIRROR[points.MIRROR], np.arange(points.COUNT))
    assert set(points.MIRROR[list(points.RIGHT_EYE)]) == set(points.LEFT_EYE)
    assert set(points.MIRROR[list(points.INNER_LIP)]) == set(points.INNER_LIP)


def test_lengths():
    face = np.zeros((2, 68, 2))
    face[:, 45, 0] = 100
    face[1, [65, 66, 67], 1] = [3, 6, 9]
    face[:, 54] = [3, 4]
    np.testing.assert_allclose(points.outer_eye_distance(face), [100, 100])
    np.testing.assert_allclose(points.mouth_opening(face), [0, 6])
    np.testing.assert_allclose(points.mouth_width(face), [5, 5])
