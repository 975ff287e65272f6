import numpy as np
import pytest

from talkface.face.shape_model import ShapeStatistics, fit_shape_model


@pytest.fixture
def shapes():
    """Faces that move in three directions: 400 frames, deviations 0.3, 0.2, 0.1."""
    generator = np.random.default_rng(0)
    directions = np.linalg.qr(generator.standard_normal((136, 3)))[0].T
    coefficients = generator.standard_normal((400, 3)) * [0.3, 0.2, 0.1]
    mean = generator.standard_normal((68, 2))
    return mean + (coefficients @ directions).reshape(-1, 68, 2)


def test_components_agree_with_the_singular_value_decomposition(shapes):
    model = fit_shape_model(shapes, components=3)
    offset = (shapes - shapes.mean(axis=0)).reshape(len(shapes), -1)
    _, singular, vectors = np.linalg.svd(offset, full_matrices=False)
    np.testing.assert_allclose(model.mean, shapes.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(np.abs(np.sum(model.components * vectors[:3], axis=1)), 1, atol=1e-9)
    np.testing.assert_allclose(model.variance_ratio, singular[:3] ** 2 / np.sum(singular**2), atol=1e-9)
    np.testing.assert_allclose(model.deviation, singular[:3] / np.sqrt(len(shapes)), atol=1e-9)
    np.testing.assert_allclose(model.components @ model.components.T, np.eye(3), atol=1e-12)


def test_three_directions_are_told_whole_by_three_components(shapes):
    model = fit_shape_model(shapes, components=3)
    assert model.variance_ratio.sum() == pytest.approx(1, abs=1e-9)
    np.testing.assert_allclose(model.decode(model.encode(shapes)), shapes, atol=1e-9)
    one = model.first(1)
    assert len(one) == 1
    assert one.encode(shapes).shape == (400, 1)
    assert np.abs(one.decode(one.encode(shapes)) - shapes).max() > 0.01


def test_encode_by_hand():
    still = np.zeros((3, 68, 2))
    still[:, 62, 1] = [-1.0, 0.0, 1.0]  # one point goes down
    model = fit_shape_model(still, components=1)
    np.testing.assert_allclose(model.encode(still[2]), [1.0])  # the largest entry is positive, so down is positive
    np.testing.assert_allclose(model.deviation, [np.sqrt(2 / 3)])
    np.testing.assert_allclose(model.decode([2.0])[62], [0.0, 2.0], atol=1e-12)


def test_clips_taken_in_one_by_one_give_the_same_model(shapes):
    statistics = ShapeStatistics(shapes[0])
    for part in np.array_split(shapes, 7):
        statistics.add(part.astype(np.float32))
    whole = fit_shape_model(shapes, components=3)
    model = statistics.fit(3)
    assert statistics.count == 400
    np.testing.assert_allclose(model.mean, whole.mean, atol=1e-6)
    np.testing.assert_allclose(model.components, whole.components, atol=1e-4)


def test_six_components_by_default(shapes):
    assert len(fit_shape_model(shapes)) == 6


def test_too_little_is_refused(shapes):
    with pytest.raises(ValueError, match="at least two frames"):
        fit_shape_model(shapes[:1])
    with pytest.raises(ValueError, match="has 3 components; 4 were asked for"):
        fit_shape_model(shapes, components=3).first(4)


def test_all_coordinates_that_are_given_count():
    generator = np.random.default_rng(0)
    frames = generator.standard_normal((50, 68, 3)) * generator.uniform(0, 1, 68)[:, None]
    model = fit_shape_model(frames, components=4)
    coefficients = generator.standard_normal((5, 4))
    shapes = model.decode(coefficients)
    np.testing.assert_allclose(model.encode(shapes), coefficients, atol=1e-9)
    np.testing.assert_allclose(model.encode(shapes[..., :2]), coefficients, atol=1e-9)
    plane = model.plane()
    np.testing.assert_allclose(plane.decode(coefficients), shapes[..., :2])
    np.testing.assert_allclose(plane.encode(shapes[..., :2]), coefficients, atol=1e-9)
