"""Which filmed frames lie behind new speech."""

import numpy as np
import pytest

from talkface.head.pose import HANNING, KEY_APART, KEY_SHARE, key_poses, nearest_path, to_and_fro

FRAMES = 200


@pytest.fixture(scope="module")
def turn():
    t = np.arange(FRAMES) / 25
    return np.column_stack([0.1 * np.sin(1.3 * t), 0.05 * np.cos(0.9 * t), 0.08 * np.sin(2.1 * t)])


def test_short_speech_takes_the_longest_video_as_it_was_filmed(turn):
    assert to_and_fro([0, 50, FRAMES], turn, 100).tolist() == list(range(50, 150))


def test_long_speech_goes_to_and_fro_within_one_video_without_a_leap(turn):
    path = to_and_fro([0, 50, FRAMES], turn, 1_000)
    assert np.abs(np.diff(path)).max() == 1
    assert path.min() >= 50
    assert path.max() < FRAMES
    assert (np.diff(path) < 0).any()


def test_the_course_turns_round_where_the_head_rests():
    turn = np.zeros((100, 3))
    turn[:, 0] = np.arange(100) / 100
    turn[88:92, 0] = turn[88, 0]  # the head stops here
    path = to_and_fro([0, 100], turn, 400)
    assert 86 <= path.max() <= 92


def test_a_course_that_was_filmed_is_found_again(turn):
    found = nearest_path([0, FRAMES], turn, turn)
    assert np.abs(found - np.arange(FRAMES)).max() <= 1
    back = nearest_path([0, FRAMES], turn, turn[::-1])
    assert np.abs(back - np.arange(FRAMES)[::-1]).max() <= 2


def test_paths_go_on_by_two_frames_at_most_and_stay_in_one_video(turn):
    rng = np.random.default_rng(0)
    path = nearest_path([0, 80, FRAMES], turn, 0.1 * rng.standard_normal((300, 3)).cumsum(axis=0) / 10)
    assert np.abs(np.diff(path)).max() <= 2
    assert path.max() < 80 or path.min() >= 80


def test_key_poses_are_matched_at_the_extremes_of_the_roll(turn):
    path = key_poses([0, FRAMES], turn, turn[20:180])
    assert len(path) == 160
    assert path.min() >= 0
    assert path.max() < FRAMES
    apart = np.degrees(np.abs(turn[path] - turn[20:180] - turn[path].mean(axis=0) + turn[20:180].mean(axis=0)))
    assert apart.mean() < np.degrees(np.abs(turn[20:180] - turn[20:180].mean(axis=0))).mean()
    assert (HANNING, KEY_SHARE, KEY_APART) == (7, 0.1, 3)  # as published


def test_a_frame_alone_is_a_course():
    turn = np.zeros((3, 3))
    assert to_and_fro([0, 3], turn, 1).tolist() == [0]
    assert key_poses([0, 3], turn, np.zeros((1, 3))).tolist() == [0]
    assert nearest_path([0, 3], turn, np.zeros((2, 3))).shape == (2,)


def test_a_matched_head_moves_on_and_seldom_turns_round(turn):
    rng = np.random.default_rng(1)
    wanted = turn[np.r_[20:90, 90:30:-1]] + 0.01 * rng.standard_normal((130, 3))
    step = np.diff(nearest_path([0, FRAMES], turn, wanted))
    assert (step == 0).mean() < 0.2
    moved = np.sign(step[step != 0])
    assert 1 <= (np.diff(moved) != 0).sum() <= 5
