"""The mean face."""

import numpy as np
import pytest

from talkface.face import points, template


@pytest.mark.parametrize("detector", template.TABLES)
def test_template_frame(detector):
    face = template.load_template(detector)
    assert face.shape == (68, 2)
    np.testing.assert_allclose(face[36], [-0.5, 0], atol=1e-4)
    np.testing.assert_allclose(face[45], [0.5, 0], atol=1e-4)


@pytest.mark.parametrize("detector", template.TABLES)
def test_template_is_symmetric_and_a_face(detector):
    face = template.load_template(detector)
    np.testing.assert_allclose(face[points.MIRROR] * [-1, 1], face, atol=1e-4)
    assert 0 <= points.mouth_opening(face) < 0.05  # closed
    assert face[8, 1] > face[57, 1] > face[33, 1] > face[27, 1]  # chin, lower lip, nose, bridge from below
    assert face[19, 1] < 0  # brows above the eyes


def test_measure_and_save(tmp_path, resource):
    maker = resource("measure_template")
    face = template.load_template()
    lopsided = 100 * face + [300, 200]
    lopsided[48] += [-4, 6]
    measured = maker.measure_template([np.stack([lopsided] * 3)])
    np.testing.assert_allclose(measured[points.MIRROR] * [-1, 1], measured, atol=1e-9)
    maker.save_template(measured, tmp_path / "t.tsv", origin="a test")
    text = (tmp_path / "t.tsv").read_text()
    assert text.startswith("# a test\npoint\tx\ty\n0\t")
    assert len(text.splitlines()) == 70
