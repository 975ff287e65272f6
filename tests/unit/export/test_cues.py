"""Mouth cues: the right mouth at the right time, as rhubarb-lip-sync writes them."""

import itertools
import json

import numpy as np
import pytest

from talkface.export.cues import find_cues, write_cues
from talkface.face3d import arkit


def weights(**parts):
    """Weights of 60 frames: a pair (first, after the last, of a part) and values by name."""
    found = np.zeros((60, 52))
    for name, (first, last, value) in parts.items():
        found[first:last, arkit.INDEX[name]] = value
    return found


@pytest.mark.parametrize(
    ("shown", "letter"),
    [
        ({"jawOpen": (20, 40, 0.08)}, "B"),
        ({"jawOpen": (20, 40, 0.25)}, "C"),
        ({"jawOpen": (20, 40, 0.7)}, "D"),
        ({"jawOpen": (20, 40, 0.35), "mouthPucker": (20, 40, 0.9)}, "E"),
        ({"jawOpen": (20, 40, 0.12), "mouthPucker": (20, 40, 0.9)}, "F"),
        ({"jawOpen": (20, 40, 0.3), "mouthRollLower": (20, 40, 0.6)}, "G"),
    ],
)
def test_a_mouth_between_two_rests(shown, letter):
    assert find_cues(weights(**shown)) == [(0.0, 0.8, "X"), (0.8, 1.6, letter), (1.6, 2.4, "X")]


def test_lips_that_meet_for_a_moment_are_no_rest():
    open_mouth = weights(jawOpen=(10, 50, 0.5))
    open_mouth[30] = 0  # one frame
    cues = find_cues(open_mouth)
    assert [letter for *_, letter in cues] == ["X", "D", "A", "D", "X"]
    assert cues[2][:2] == pytest.approx((1.2, 1.28))


def test_cues_follow_each_other_and_do_not_flicker():
    rng = np.random.default_rng(0)
    noisy = weights()
    noisy[:, arkit.INDEX["jawOpen"]] = rng.uniform(0, 0.6, 60)
    cues = find_cues(noisy)
    assert cues[0][0] == 0
    assert cues[-1][1] == pytest.approx(2.4)
    for (_, end, letter), (start, _, after) in itertools.pairwise(cues):
        assert end == start
        assert letter != after
    assert min(b - a for a, b, _ in cues[:-1]) > 0.07


def test_files_are_rhubarbs(tmp_path):
    cues = find_cues(weights(jawOpen=(20, 40, 0.7)))
    write_cues(cues, table=tmp_path / "cues.tsv", json_file=tmp_path / "cues.json", sound="speech.wav")
    assert (tmp_path / "cues.tsv").read_text() == "0.00\tX\n0.80\tD\n1.60\tX\n2.40\tX\n"
    assert json.loads((tmp_path / "cues.json").read_text()) == {
        "metadata": {"soundFile": "speech.wav", "duration": 2.4},
        "mouthCues": [
            {"start": 0.0, "end": 0.8, "value": "X"},
            {"start": 0.8, "end": 1.6, "value": "D"},
            {"start": 1.6, "end": 2.4, "value": "X"},
        ],
    }
    write_cues(find_cues(np.empty((0, 52))), table=tmp_path / "no.tsv", json_file=tmp_path / "no.json", sound="s.wav")
    assert (tmp_path / "no.tsv").read_text() == "0.00\tX\n"
