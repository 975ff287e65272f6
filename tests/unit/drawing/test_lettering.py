"""Words stand where they are asked to, fit, and can be read on any ground."""

import numpy as np
import pytest

from talkface.drawing.canvas import to_bgr
from talkface.drawing.lettering import LEAST, clock, measure, shorten, wrap, write

INK, RED = "#2b2b2b", "#d55e00"


def paper(shade=255):
    return np.full((80, 400, 3), shade, np.uint8)


def extent(picture, ground=255):
    """First and last column, first and last row that are not ground."""
    rows, columns = np.nonzero((picture != ground).any(axis=2))
    return columns.min(), columns.max(), rows.min(), rows.max()


def test_letters_have_their_colour_and_stand_on_the_line():
    picture = paper()
    write(picture, "HELLO", (20, 50), size=24, colour=RED)
    left, right, top, bottom = extent(picture)
    assert left == pytest.approx(22, abs=3)
    assert right - left == pytest.approx(measure("HELLO", size=24), abs=5)
    assert bottom == pytest.approx(50, abs=2)
    assert 12 < bottom - top < 26
    darkest = picture[picture.sum(axis=2) == picture.sum(axis=2).min()][0]
    np.testing.assert_allclose(darkest, to_bgr(RED), atol=6)


@pytest.mark.parametrize(("anchor", "side"), [("left", 0), ("centre", 0.5), ("right", 1)])
def test_anchors(anchor, side):
    picture = paper()
    write(picture, "frame 37", (200, 50), size=24, colour=INK, anchor=anchor)
    left, right, _, _ = extent(picture)
    assert left + side * (right - left) == pytest.approx(200, abs=4)


def test_a_long_line_shrinks_to_its_room_but_stays_letters():
    picture, text = paper(), "a clip with a rather long name"
    assert measure(text, size=30) > 200
    write(picture, text, (10, 50), size=30, colour=INK, width=200)
    left, right, top, bottom = extent(picture)
    assert right - left <= 200
    assert bottom - top >= LEAST - 2
    before = measure(text, size=30)
    assert measure(text, size=15) == pytest.approx(before / 2, rel=0.1)
    assert measure(text, size=30, bold=True) > before


def test_what_does_not_fit_in_the_least_letters_loses_its_middle():
    name = "external-a_model_with_a_very_long_name-seed12"
    for width in (150, 60):
        picture = paper()
        write(picture, name, (10, 50), size=30, colour=INK, width=width)
        left, right, _, _ = extent(picture)
        assert width / 2 < right - left <= width + 2
    short = shorten(name, size=LEAST, width=100)
    assert measure(short, size=LEAST) <= 100
    assert short.startswith("external")
    assert short.endswith("seed12")
    assert "…" in short
    assert shorten("cnn", size=LEAST, width=100) == "cnn"


def test_words_are_wrapped():
    words = "one two three four five six"
    for bold in (False, True):
        lines = wrap(words, size=30, width=150, bold=bold)
        assert " ".join(lines) == words
        assert len(lines) > 2
        assert max(measure(line, size=30, bold=bold) for line in lines) <= 150
    assert wrap("immeasurably one", size=30, width=20) == ["immeasurably", "one"]  # a word is not broken
    assert wrap("", size=30, width=20) == [""]


def test_a_rim_makes_dark_letters_readable_on_dark_ground():
    plain, rimmed = paper(20), paper(20)
    write(plain, "face", (20, 50), size=24, colour=INK)
    write(rimmed, "face", (20, 50), size=24, colour=INK, halo="#f7f4ee")
    assert plain.max() < 60
    assert rimmed.max() > 230


def test_what_lies_beyond_the_picture_is_left_out():
    picture = paper()
    write(picture, "beyond", (-500, 900), size=24, colour=INK)
    assert (picture == 255).all()


def test_clock():
    assert clock(37, fps=25) == "frame 37   1.48 s"
    assert clock(0, fps=25) == "frame 0   0.00 s"
    assert clock(24, fps=24) == "frame 24   1.00 s"
