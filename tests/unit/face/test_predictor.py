"""The batched predictor gives dlib's numbers."""

import dlib
import numpy as np
import pytest

from talkface.errors import TalkfaceError
from talkface.face.predictor import load_predictor, predict, predictor_path


@pytest.fixture(scope="module")
def pictures():
    """Soft blobs: the trees need something to look at, not a face."""
    rng = np.random.default_rng(5)
    coarse = rng.uniform(0, 255, (6, 12, 15))
    return np.repeat(np.repeat(coarse, 16, axis=1), 16, axis=2).astype(np.uint8)


def test_equal_to_dlib(pictures):
    path = predictor_path()
    boxes = np.array([[40, 30, 150, 140], [100, 60, 180, 140], [-20, -10, 90, 100], [160, 120, 259, 219]], float)
    which = np.array([0, 5, 2, 3])
    ours = predict(load_predictor(path), pictures, which, boxes)
    theirs = dlib.shape_predictor(str(path))
    for points, number, box in zip(ours, which, boxes, strict=True):
        shape = theirs(pictures[number], dlib.rectangle(*box.astype(int)))
        expected = np.array([(point.x, point.y) for point in shape.parts()])
        # dlib rounds to whole pixels.
        assert np.abs(points - expected).max() <= 0.5 + 1e-3
        np.testing.assert_array_equal(np.floor(points + 0.5), expected)


def test_a_prediction_does_not_depend_on_its_batch(pictures):
    predictor = load_predictor(predictor_path())
    boxes = np.random.default_rng(1).uniform(0, 100, (10, 2))
    boxes = np.concatenate([boxes, boxes + 80], axis=1)
    which = np.arange(10) % 6
    together = predict(predictor, pictures, which, boxes)
    alone = np.concatenate([predict(predictor, pictures, which[i : i + 1], boxes[i : i + 1]) for i in range(10)])
    np.testing.assert_array_equal(together, alone)


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "other.dat"
    path.write_bytes(np.random.default_rng(0).bytes(5_000))
    with pytest.raises(TalkfaceError, match="not a shape predictor"):
        load_predictor(path)
    path.write_bytes(predictor_path().read_bytes()[:100_000])
    load_predictor.cache_clear()
    with pytest.raises(TalkfaceError, match="not a shape predictor"):
        load_predictor(path)
    load_predictor.cache_clear()


def test_the_file_is_checked(tmp_path, monkeypatch):
    path = tmp_path / "other.dat"
    path.write_bytes(b"something else")
    with pytest.raises(TalkfaceError, match="sha256"):
        predictor_path(path)
    with pytest.raises(TalkfaceError, match="no such file"):
        predictor_path(tmp_path / "none.dat")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(TalkfaceError, match="face_recognition_models"):
        predictor_path()
