import numpy as np
import pytest

from talkface.corpus.visemes import CLOSED, LIP_ON_TEETH, TARGETS, mouth_track, sounds
from talkface.drawing.characters import OPENING, ROUND, TUCK, WIDTH
from talkface.media.phoneme import Phoneme


def say(*names, length_s=0.12):
    return [Phoneme(name, i * length_s, (i + 1) * length_s) for i, name in enumerate(names)]


def at(phonemes, index):
    middle = (phonemes[index].start_s + phonemes[index].end_s) / 2
    return mouth_track(phonemes, times=np.array([middle]))[0]


def test_diphthongs_are_two_sounds_and_marks_none():
    parts = sounds([Phoneme("aɪ", 0.0, 0.2), Phoneme("iː", 0.2, 0.3), Phoneme("", 0.3, 0.4), Phoneme("ǂ", 0.4, 0.5)])
    assert [part[0] for part in parts] == ["a", "ɪ", "i", "", "ə"]
    assert parts[0][2] == pytest.approx(0.1)


@pytest.mark.parametrize("lips", sorted(CLOSED))
@pytest.mark.parametrize("vowel", ["a", "i", "u", "ɔ"])
@pytest.mark.parametrize("length_s", [0.03, 0.08])
def test_lips_close_in_some_frame_wherever_it_lies(lips, vowel, length_s):
    phonemes = [Phoneme(vowel, 0.0, 0.15), Phoneme(lips, 0.15, 0.15 + length_s), Phoneme(vowel, 0.15 + length_s, 0.4)]
    for offset in np.linspace(0, 0.04, 9):
        opening = mouth_track(phonemes, times=offset + np.arange(10) / 25)[:, OPENING]
        assert opening.min() < 1e-6
        assert opening.max() > 0.04


@pytest.mark.parametrize("lips", sorted(LIP_ON_TEETH))
def test_lower_lip_lies_on_the_teeth(lips):
    track = at(say("a", lips, "a"), 1)
    assert track[TUCK] == pytest.approx(1)
    assert 0.02 < track[OPENING] < 0.05  # teeth show


def test_open_and_round_vowels():
    a, i, u, o = (at(say("t", vowel, "t", length_s=0.16), 1) for vowel in ("ɑ", "i", "u", "o"))
    assert a[OPENING] > 0.18 > o[OPENING] > u[OPENING]
    assert i[WIDTH] > 0.04
    assert u[WIDTH] < -0.09
    assert min(u[ROUND], o[ROUND]) > 0.6 > 0.1 > a[ROUND]


def test_neighbours_colour_a_sound():
    alone, rounded = at(say("t", "t", "t"), 1), at(say("u", "t", "u"), 1)
    assert rounded[WIDTH] < alone[WIDTH] - 0.03


def test_the_mouth_moves_smoothly_and_rests_in_silence():
    phonemes = [Phoneme("", 0.0, 0.5), *[Phoneme("a", 0.5, 0.7), Phoneme("", 0.7, 1.4)]]
    track = mouth_track(phonemes, times=np.arange(140) / 100)
    assert np.abs(track[[0, 20, -1]]).max() < 1e-3
    assert np.abs(np.diff(track[:, OPENING], 2)).max() < 0.01


def test_every_target_is_within_reach():
    table = np.array(list(TARGETS.values()))
    assert (table[:, 0] >= 0).all()
    assert (table[:, 0] <= 0.3).all()
    assert (np.abs(table[:, 1]) <= 0.16).all()
    assert ((table[:, 2:4] >= 0) & (table[:, 2:4] <= 1)).all()
