"""Rooms before, between and after words, and what a mouth does there."""

import numpy as np
import pytest

from talkface.evaluation import rooms
from talkface.face import points
from talkface.face.template import load_template

RATE = 16_000
HOP = RATE // 25


def clip(frames=75):
    """Sound that is loud but for its frames 30 to 35, and the loudness of each frame."""
    loudness = np.zeros(frames)
    loudness[30:36] = -40.0
    return np.repeat(10 ** (loudness / 20), HOP), loudness


def faces(opening):
    shapes = np.repeat(load_template()[None], len(opening), axis=0)
    shapes[:, 65:68, 1] += np.asarray(opening)[:, None]
    return shapes


def test_rooms_lie_before_in_the_quietest_place_and_behind():
    sound, loudness = clip()
    plan = rooms.add_rooms(sound, loudness, rate=RATE)
    assert len(plan.sound) == len(sound) + 7 * RATE
    assert not plan.sound[: 3 * RATE].any()
    assert not plan.sound[3 * RATE + 30 * HOP : 5 * RATE + 30 * HOP].any()
    assert not plan.sound[-2 * RATE :].any()
    silent = [not plan.sound[frame * HOP : (frame + 1) * HOP].any() for frame in plan.inside]
    assert all(silent)
    assert len(plan.inside) == (75 - 10) + (50 - 20) + (50 - 20)  # 0.4 s from speech on either side
    np.testing.assert_array_equal(plan.first[:12], np.arange(12))  # half a second
    np.testing.assert_array_equal(plan.moved - plan.first, [75] * 12 + [125] * 12)
    assert plan.first[12] == 36  # where it is loud again


def test_a_mouth_that_talks_to_the_room_is_told_from_one_that_rests():
    plan = rooms.add_rooms(*clip(), rate=RATE)
    count = len(plan.sound) // HOP
    speaking = faces(np.full(75, 0.1))
    restless, resting = np.full(count, 0.1), np.full(count, 0.1)
    resting[plan.inside] = 0.0
    rest = 100 * float(points.mouth_opening(load_template()))
    for course, opening in ((restless, rest + 10), (resting, rest)):
        found = rooms.look_into(plan, faces(course), speaking)
        assert rooms.rest_opening(speaking, speaking, rooms=found) == pytest.approx(opening, abs=0.3)
        assert rooms.opening_kept(speaking, speaking, rooms=found) == pytest.approx(1)
    late = np.full(count, 0.1)
    late[plan.moved] = 0.05
    found = rooms.look_into(plan, faces(late), speaking)
    assert rooms.opening_kept(speaking, speaking, rooms=found) == pytest.approx(0.5, abs=0.02)


def test_without_rooms_nothing_is_measured():
    shapes = faces(np.zeros(5))
    assert np.isnan(rooms.rest_opening(shapes, shapes, rooms=None))
    assert np.isnan(rooms.opening_kept(shapes, shapes, rooms=None))
    plan = rooms.add_rooms(*clip(), rate=RATE)
    nothing = rooms.look_into(plan, faces(np.zeros(0)), shapes)
    assert np.isnan(rooms.rest_opening(shapes, shapes, rooms=nothing))
