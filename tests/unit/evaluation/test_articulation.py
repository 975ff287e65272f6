"""What predicted lips do at the sounds that need them."""

import numpy as np
import pandas as pd
import pytest

from talkface.corpus.phones import COLUMNS
from talkface.evaluation import articulation
from talkface.evaluation.articulation import Spoken, spoken_in
from talkface.face import points
from talkface.face.template import load_template

LIPS, ROUND, TEETH, ALL = [(0.4, 0.5), (1.0, 1.1)], [(0.6, 0.7)], [(1.4, 1.5)], [(0.2, 1.8)]
SPOKEN = Spoken(LIPS, ROUND, TEETH, ALL, source="words")
REST = 100 * float(points.mouth_opening(load_template()))


def speaking(opening, *, frames=50):
    """Faces (T, 68, 2) with an open mouth, whose lower lip stands `opening[frame]` under its place at rest."""
    faces = np.repeat(load_template()[None], frames, axis=0)
    below = np.full(frames, 0.1)
    for frame, value in opening.items():
        below[frame] = value
    faces[:, 55:60, 1] += below[:, None]
    faces[:, 65:68, 1] += below[:, None]
    return faces


def test_lips_that_meet_at_one_of_two_sounds_meet_half_of_the_time():
    faces = speaking({11: 0.0})  # at 0.44 s, within the first
    assert articulation.closure_rate(faces, faces, spoken=SPOKEN) == 0.5
    assert articulation.closure_gap(faces, faces, spoken=SPOKEN) == pytest.approx((REST + REST + 10) / 2, abs=0.3)
    assert articulation.closure_rate(speaking({}), faces, spoken=SPOKEN) == 0
    assert articulation.closure_rate(load_template()[None].repeat(50, 0), faces, spoken=SPOKEN) == 1


def test_lips_may_meet_a_frame_before_the_sound_and_not_much_earlier():
    early, earlier = speaking({9: 0.0}), speaking({8: 0.0})  # 40 and 80 ms before 0.4 s
    assert articulation.closure_rate(early, early, spoken=Spoken(LIPS[:1])) == 1
    assert articulation.closure_rate(earlier, earlier, spoken=Spoken(LIPS[:1])) == 0


def test_a_round_mouth_is_narrower_than_the_mouth_on_average():
    faces = speaking({})
    assert articulation.lip_rounding(faces, faces, spoken=SPOKEN) == pytest.approx(0, abs=1e-9)
    faces[14:19, 48, 0] += 0.03  # the corners nearer to each other from 0.56 to 0.72 s
    faces[14:19, 54, 0] -= 0.03
    found = articulation.lip_rounding(faces, faces, spoken=SPOKEN)
    assert 5 < found < 6  # 6, less what it does to the mean


def test_the_lower_lip_touches_the_teeth_where_lips_meet_at_rest():
    open_, touching = speaking({}), speaking({36: 0.0})  # at 1.44 s
    away = [articulation.lip_teeth_gap(faces, faces, spoken=SPOKEN) for faces in (open_, touching)]
    assert away[0] - away[1] == pytest.approx(10, abs=0.01)
    assert 0 < away[1] < REST / 2  # the middle of the lower lip is that far below the middle of the mouth at rest


def test_without_phones_and_beyond_the_prediction_nothing_is_measured():
    faces = speaking({})
    for name in ("closure_rate", "closure_gap", "lip_rounding", "lip_teeth_gap"):
        measure = getattr(articulation, name)
        assert np.isnan(measure(faces, faces, spoken=Spoken()))
        assert np.isnan(measure(faces[:0], faces, spoken=SPOKEN))
    assert articulation.closure_rate(speaking({11: 0.0})[:20], faces, spoken=SPOKEN) == 1  # the second is cut off


def test_what_is_spoken_is_gathered_by_clip_and_kind():
    rows = [
        ("a", "B", 0.1, 0.2, "words"),
        ("a", "UW1", 0.2, 0.3, "words"),
        ("a", "AA", 0.3, 0.4, "words"),
        ("b", "f", 0.0, 0.1, "marks"),
        ("c", "", np.nan, np.nan, "pocketsphinx is not installed"),
    ]
    found = spoken_in(pd.DataFrame(rows, columns=list(COLUMNS)))
    every = [(0.1, 0.2), (0.2, 0.3), (0.3, 0.4)]
    assert found["a"] == Spoken([(0.1, 0.2)], [(0.2, 0.3)], [], every, ["b", "uw", "aa"], "words")
    assert found["b"].labiodental == [(0.0, 0.1)]
    assert found["c"] == Spoken([], [], [], [], [], "pocketsphinx is not installed")
    moved = found["a"].earlier(0.05)
    assert moved.bilabial == [pytest.approx((0.05, 0.15))]
    assert moved.source == "words"
