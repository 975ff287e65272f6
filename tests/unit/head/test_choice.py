"""Choice of filmed mouths."""

import numpy as np
import pytest

from talkface.head.choice import NEAREST, Filmed, choose, distances, fade

FRAMES, VERTICES = 120, 30


@pytest.fixture(scope="module")
def filmed():
    """Two videos of mouths that open and close smoothly, and a head that nods."""
    rng = np.random.default_rng(0)
    ways = rng.standard_normal((2, VERTICES, 3)) / 30
    t = np.arange(FRAMES) / 25
    course = np.column_stack([np.sin(7 * t), np.cos(3.1 * t)])
    turn = np.column_stack([0.1 * np.sin(t), np.zeros(FRAMES), np.zeros(FRAMES)])
    return Filmed(np.tensordot(course, ways, axes=1), turn, np.zeros((FRAMES, 3)), np.repeat([0, 1], FRAMES // 2))


def test_distances_are_those_of_vertices(filmed):
    found = distances(filmed.shape[:3], filmed.shape[:5])
    wanted = 100 * np.sqrt(np.square(filmed.shape[:3, None] - filmed.shape[None, :5]).sum(axis=3).mean(axis=2))
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_what_was_filmed_is_chosen_as_filmed(filmed):
    rows = np.arange(10, 40)
    found = choose(filmed.shape[rows], filmed.turn[rows], filmed)
    assert found.path.tolist() == rows.tolist()
    assert found.near[:, 0].tolist() == rows.tolist()
    assert found.distance.max() < 1e-3
    assert found.share[:, 0].min() > found.share[:, 1].max() - 1e-6
    np.testing.assert_allclose(found.share.sum(axis=1), 1, atol=1e-6)


def test_what_may_not_be_taken_is_not(filmed):
    rows = np.arange(10, 40)
    allowed = np.arange(FRAMES) >= FRAMES // 2
    found = choose(filmed.shape[rows], filmed.turn[rows], filmed, allowed=allowed)
    assert allowed[found.path].all()
    assert allowed[found.near].all()
    assert found.near.shape == (30, NEAREST)
    assert found.distance.min() > 0


def test_a_path_goes_on_rather_than_leaping_for_little(filmed):
    rng = np.random.default_rng(1)
    rows = np.arange(62, 100)
    wanted = filmed.shape[rows] + 0.004 * rng.standard_normal(filmed.shape[rows].shape)
    path = choose(wanted, filmed.turn[rows], filmed).path
    assert (np.diff(path) == 1).mean() > 0.8


def test_of_two_as_near_the_head_decides(filmed):
    twice = Filmed(
        np.concatenate([filmed.shape, filmed.shape]), np.concatenate([filmed.turn, filmed.turn + 0.3]),
        np.zeros((2 * FRAMES, 3)), np.repeat([0, 1], FRAMES),
    )  # fmt: skip
    rows = np.arange(20, 50)
    assert choose(filmed.shape[rows], filmed.turn[rows] + 0.3, twice).path.min() >= FRAMES


def test_an_odd_inside_is_left_alone(filmed):
    shape = np.repeat(filmed.shape[:1], 8, axis=0)
    inside = np.tile([0.02, 0.01, 0.0], (8, 1))
    inside[0] = [0.0, 0.0, 0.2]  # a tongue that nobody else shows
    same = Filmed(shape, np.zeros((8, 3)), inside, np.zeros(8, int))
    assert 0 not in choose(shape[:3], np.zeros((3, 3)), same).path


def test_fades_last_three_frames_and_no_frame_of_another_video_comes_in():
    video = np.repeat([0, 1], 5)
    shown = fade(np.array([1, 2, 5, 6]), video)
    assert set(shown[0]) == {1}
    assert set(shown[1]) == {2, 5}  # what went before 5 is of another video
    assert set(shown[2]) == {5, 3}
    assert all(sum(shares.values()) == pytest.approx(1) for shares in shown)


def test_one_long_speech_is_looked_at_in_pieces(filmed, monkeypatch):
    rows = np.arange(10, 40)
    whole = choose(filmed.shape[rows], filmed.turn[rows], filmed)
    monkeypatch.setattr("talkface.head.choice.BLOCK", 7)
    pieces = choose(filmed.shape[rows], filmed.turn[rows], filmed)
    assert pieces.path.tolist() == whole.path.tolist()
    np.testing.assert_allclose(pieces.distance, whole.distance, atol=1e-3)
