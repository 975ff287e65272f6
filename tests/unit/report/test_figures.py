"""Figures of an evaluation: what is drawn is what the tables say."""

import re
import xml.etree.ElementTree as ElementTree

import matplotlib.colors
import numpy as np
import pytest

from talkface.errors import TalkfaceError
from talkface.evaluation.tables import choose_pairs, read_clean_clips, read_pairs, read_summary, read_worst
from talkface.report import figures
from tests.toy_tables import FLOORS, KINDS, NETWORKS, SNR_DB, SPEAKERS, lip_error, write_tables

CLEAN = SNR_DB[-1] + 1.6 * 5
TWINS = [("cnn_nr", "cnn"), ("cnn_tc_nr", "cnn_tc")]
MANY = {f"{network}_{place}": network for network in ("talkface", "cnn", "lstm", "fft_cnn") for place in range(5)}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return write_tables(tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="module")
def summary(tables):
    return read_summary(tables["summary"])


def lines_of(axis, colour):
    return [line for line in axis.lines if matplotlib.colors.same_color(line.get_color(), colour)]


def texts_of(figure):
    return [text.get_text() for axis in figure.axes for text in axis.texts]


def test_every_model_has_a_look_of_its_own():
    looks = figures.choose_looks(MANY)
    assert len(set(looks.values())) == len(MANY) == 20
    # colours of one network are tints of one colour, and other networks have other hues
    assert {looks[f"cnn_{place}"].colour for place in range(4)} == {looks["cnn_0"].colour}
    assert looks["cnn_0"].colour != looks["lstm_0"].colour
    assert len({look.colour for look in figures.choose_looks({str(k): str(k) for k in range(7)}).values()}) == 7


@pytest.mark.parametrize("narrow", [False, True])
def test_curves_over_noise_have_the_values_of_the_table(summary, narrow):
    figure = figures.noise_figure(summary, split="test", networks=NETWORKS, narrow=narrow)
    axis, looks = figure.axes[0], figures.choose_looks(NETWORKS)
    curve = next(line for line in lines_of(axis, looks["talkface"].colour) if len(line.get_xdata()) == len(SNR_DB))
    assert list(curve.get_xdata()) == list(SNR_DB)
    assert curve.get_ydata() == pytest.approx([lip_error("talkface", snr) for snr in SNR_DB], rel=1e-3)
    dots = [line for line in lines_of(axis, looks["talkface"].colour) if line.get_marker() == "o"]
    assert dots[0].get_xdata() == pytest.approx([CLEAN])
    assert dots[0].get_ydata() == pytest.approx([lip_error("talkface", np.nan)])
    levels = {round(line.get_ydata()[0], 4) for line in lines_of(axis, figures.GREY) if len(line.get_ydata()) == 2}
    assert {FLOORS[name] for name in figures.FLOORS} <= levels
    assert {*NETWORKS, *figures.FLOORS.values()} <= set(texts_of(figure))
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert [titles.count(kind) for kind in KINDS] == [1 if narrow else 2] * len(KINDS)
    assert "lip error, %" in titles[0]
    assert axis.get_xlabel() == "signal-to-noise ratio, dB"


def test_names_at_the_curves_do_not_meet(summary, tmp_path):
    paths = write_tables(tmp_path, networks=MANY, splits=("test",), seeds=False)
    figure = figures.noise_figure(read_summary(paths["summary"]), split="test", networks=MANY)
    figure.draw_without_rendering()
    axis = figure.axes[0]
    height = axis.get_window_extent().height * 72 / figure.dpi
    places = sorted(text.get_position()[1] for text in axis.texts if text.get_position()[0] > 1)
    assert len(places) == len(MANY) + len(figures.FLOORS)
    assert np.diff(places).min() * height > 0.9 * figures.ROOM
    assert min(places) >= 0
    assert max(places) <= 1 + 1e-9


def test_a_model_far_off_is_written_at_the_edge(summary):
    far = summary.copy()
    far.loc[(far["model"] == "fft_cnn") & (far["measure"] == "lip_rmse"), "value"] = 20.0
    figure = figures.noise_figure(far, split="test", networks=NETWORKS)
    assert figure.axes[0].get_ylim()[1] < 7
    assert "fft_cnn ↑ 20.0" in texts_of(figure)


def test_without_noise_the_clean_values_are_drawn(summary):
    clean = summary[summary["snr_db"].isna()]
    figure = figures.noise_figure(clean, split="test", networks=NETWORKS)
    assert len(figure.axes) == 2
    assert {*NETWORKS} <= set(texts_of(figure))


def test_spread_moves_places_as_little_as_need_be():
    assert figures.spread([0.1, 0.5, 0.9], room=0.1, low=0, high=1) == pytest.approx([0.1, 0.5, 0.9])
    assert figures.spread([0.5, 0.5], room=0.2, low=0, high=1) == pytest.approx([0.4, 0.6])
    assert figures.spread([1.0, 0.98], room=0.2, low=0, high=1) == pytest.approx([1.0, 0.8])
    assert figures.spread([0.5] * 5, room=0.5, low=0, high=1) == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert figures.spread([], room=0.5, low=0, high=1).shape == (0,)


def test_gains_are_drawn_hollow_where_zero_lies_within(tables, summary):
    pairs = read_pairs(tables["pairs"])
    chosen = choose_pairs(summary, TWINS, split="test", networks=NETWORKS)
    assert chosen == [("talkface", "lstm_d40_c3"), *TWINS]
    figure = figures.gain_figure(pairs, split="test", chosen=chosen)
    assert len(figure.axes) == 2 * len(chosen)
    axis = next(axis for axis in figure.axes if axis.get_title(loc="left") == "cnn_nr\nover cnn")
    full, hollow = {}, {}
    for line in axis.lines:
        if line.get_marker() == "o":
            target = hollow if matplotlib.colors.same_color(line.get_markerfacecolor(), "white") else full
            target |= dict(zip(line.get_xdata(), line.get_ydata(), strict=True))
    expected = {snr: 100 * (1 - lip_error("cnn_nr", snr) / lip_error("cnn", snr)) for snr in SNR_DB}
    expected[CLEAN] = 100 * (1 - 2.35 / 2.3)
    assert full | hollow == pytest.approx(expected, abs=0.01)
    assert sorted(hollow) == [25, 30, CLEAN]  # there the difference is below the 0.1 of the interval


def test_the_best_own_model_need_not_have_a_rival(summary, tables):
    assert choose_pairs(summary, [], split="test", networks={"talkface": "talkface"}) == []
    figure = figures.gain_figure(read_pairs(tables["pairs"]), split="test", chosen=[])
    assert [text.get_text() for text in figure.texts] == ["no two models to compare"]


def test_without_a_training_there_are_no_curves(tmp_path):
    figures.plot_curves({}, tmp_path / "curves.svg")
    assert (tmp_path / "curves.svg").exists()


def test_names_of_digits_stay_names(tables, tmp_path):
    text = tables["worst"].read_text().replace("jonas_", "00")
    (tmp_path / "worst.tsv").write_text(text)
    assert "004" in set(read_worst(tmp_path / "worst.tsv")["clip"])


@pytest.mark.parametrize("narrow", [False, True])
def test_a_panel_a_speaker_and_a_dot_a_clip(tables, narrow):
    clips = read_clean_clips(tables["clips"])
    figure = figures.speakers_figure(clips, split="unseen", networks=NETWORKS, floor=3.06, narrow=narrow)
    panels = [axis for axis in figure.axes if axis.get_visible()]
    counts = {axis.get_title(loc="left"): 0 for axis in panels}
    assert list(counts) == ["s2, 2 clips", "s3, 1 clip", "s4, 1 clip", "s5, 1 clip"]
    for axis in panels:
        dots = [line for line in axis.lines if line.get_marker() == "o"]
        counts[axis.get_title(loc="left")] = sum(len(line.get_xdata()) for line in dots)
    assert list(counts.values()) == [len(NETWORKS) * count for count in SPEAKERS["unseen"].values()]
    assert panels[0].get_yticklabels()[0].get_text() == "talkface"  # best on top
    assert panels[0].yaxis_inverted()


def test_svg_for_a_page_keeps_text_and_its_own_ids(summary):
    text = figures.inline_svg(figures.noise_figure(summary, split="test", networks=NETWORKS), prefix="a")
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg")
    words = {element.text for element in root.iter() if element.tag.endswith("text")}
    assert {*NETWORKS, "babble"} <= words
    known = set(re.findall(r'\bid="([^"]+)"', text))
    assert all(name.startswith("a-") for name in known)
    used = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text))
    assert {name for pair in used for name in pair if name} <= known
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)


def test_files_are_written_whole(tables, tmp_path):
    shared = {"split": "test", "networks": NETWORKS}
    figures.plot_noise(tables["summary"], tmp_path / "noise_test.svg", **shared)
    figures.plot_gain(tables["pairs"], tmp_path / "gain_test.svg", summary=tables["summary"], twins=TWINS, **shared)
    figures.plot_speakers(tables["clips"], tmp_path / "speakers_test.svg", summary=tables["summary"], **shared)
    figures.plot_curves(tables["curves"], tmp_path / "curves.svg")
    for name in ("noise_test", "gain_test", "speakers_test", "curves"):
        assert ElementTree.parse(tmp_path / f"{name}.svg").getroot().tag.endswith("svg")
    assert len(list(tmp_path.iterdir())) == 4


def test_a_table_of_another_layout_is_named(tmp_path):
    (tmp_path / "summary.tsv").write_text("model\tvalue\na\t1\n")
    with pytest.raises(TalkfaceError, match=r"summary\.tsv: no column corpus, detector, split"):
        read_summary(tmp_path / "summary.tsv")
