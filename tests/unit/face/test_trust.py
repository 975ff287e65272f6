"""Which mouths are believed to be seen."""

import numpy as np
import pytest

from talkface.face import trust
from tests.toy_corpus import shapes


def test_doubt_is_of_lips_alone():
    seen, covered, tilted = [0.002, 0.002], [0.01, 0.002], [0.01, 0.01]
    assert trust.doubt_share([seen] * 4) == 0
    assert trust.doubt_share([covered, seen, covered, seen]) == 0.5
    assert trust.doubt_share([tilted] * 4) == 0
    assert trust.doubt_share([covered, [np.nan, np.nan]]) == 1
    assert np.isnan(trust.doubt_share([[np.nan, np.nan]]))


def test_motion_is_the_deviation_of_the_opening():
    wave = 0.5 + 0.5 * np.sin(np.arange(100) / 3)
    faces = shapes(wave)
    # The lower lip of the toy falls by 0.2 outer-eye distances.
    assert trust.mouth_motion(faces) == pytest.approx(20 * wave.std(), rel=0.02)
    assert trust.mouth_motion(300 + 60 * faces) == pytest.approx(trust.mouth_motion(faces), rel=1e-4)
    faces[10:20] = np.nan
    assert 0 < trust.mouth_motion(faces) < 20
    assert np.isnan(trust.mouth_motion(faces[10:20]))


def test_limits_of_none_trust_everything():
    faces, spread = shapes(np.zeros(10)), np.full((10, 2), [0.01, 0.002])
    limits = {"max_doubt_share": 0.2, "min_motion_percent": 1.0}
    assert not trust.is_trusted(faces, spread, **limits)
    assert not trust.is_trusted(faces, spread, **limits | {"min_motion_percent": None})
    assert not trust.is_trusted(faces, spread, **limits | {"max_doubt_share": None})
    assert trust.is_trusted(faces, spread, max_doubt_share=None, min_motion_percent=None)
    assert trust.is_trusted(shapes(np.arange(10) / 10), np.full((10, 2), np.nan), **limits)
