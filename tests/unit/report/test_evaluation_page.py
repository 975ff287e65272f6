"""The page of an evaluation: its rows, sentences, links, and that names stay names."""

import html.parser
import re
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest

from talkface.evaluation.metrics import MEASURES
from talkface.evaluation.tables import Results, read_clean_clips, read_pairs, read_summary, read_worst
from talkface.report import evaluation_page, evaluation_tables, verdict
from talkface.report.cells import Cell, Row, decimals, mark_best, number, percent
from tests.toy_tables import NETWORKS, lip_error, write_tables

TWINS = [("cnn_nr", "cnn"), ("cnn_tc_nr", "cnn_tc")]
ODD = "<b>x</b>\"&'"
VOID = {"meta", "br", "line", "circle", "wbr", "use", "path", "rect"}


class Reader(html.parser.HTMLParser):
    """Tables as lists of rows of texts, links, attributes that load something, ids, and all text."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.links, self.loads, self.ids, self.words, self.open = [], [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if tag == "a" else []
        self.loads += [value for key, value in attributes if key in ("src", "srcset", "data", "action")]
        self.loads += [found.get("href")] if tag == "link" else []
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data):
        self.words.append(data)
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data


FEW = {"talkface": "talkface", "cnn": "cnn"}


def make_tables(folder, change, **keywords):
    """Tables, changed on the disk."""
    paths = write_tables(folder, **keywords)
    change(paths)
    return paths


def edit(path, change):
    """Change a table on the disk."""
    table = pd.read_csv(path, sep="\t")
    change(table)
    table.to_csv(path, sep="\t", index=False)


def write(folder, paths, *, films=True, networks=NETWORKS, splits=("test", "unseen")):
    """The text of a page; its films are empty files."""
    if films:
        for row in read_worst(paths["worst"]).to_dict("records"):
            film = folder / "worst" / row["model"] / f"{row['clip']}.mp4"
            film.parent.mkdir(parents=True, exist_ok=True)
            film.touch()
    evaluation_page.write_page(
        folder / "summary.html", **paths, films=folder / "worst", networks=networks, twins=TWINS, splits=splits
    )
    return (folder / "summary.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def text(folder):
    return write(folder, write_tables(folder))


@pytest.fixture(scope="module")
def read(text):
    return Reader(text)


def results_of(folder, networks=NETWORKS):
    return Results(
        summary=read_summary(folder / "summary.tsv"),
        pairs=read_pairs(folder / "pairs.tsv"),
        clips=read_clean_clips({model: folder / "clips" / f"{model}.tsv" for model in networks}),
        worst=read_worst(folder / "worst.tsv"),
        networks=networks,
    )


def test_the_page_is_one_well_formed_file(text, read):
    assert read.open == []
    assert read.loads == []
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    assert len(read.ids) == len(set(read.ids))


def test_the_main_table_has_all_models_floors_and_ceilings(read):
    main = read.tables[0]
    names = [row[0] for row in main]
    order = sorted(NETWORKS, key=lambda model: lip_error(model, np.nan))
    assert names[1 : 1 + len(NETWORKS)] == order
    rest = names[1 + len(NETWORKS) :]
    assert "mean face" in rest
    assert "talkface, frames in random order" in rest
    assert "truth, 1 frame (40 ms) late" in rest
    assert "truth, measured again" in rest
    assert main[1][1] == "1.601.34 … 1.86"  # value, then its interval
    assert main[1][3].startswith(f"{lip_error('talkface', 0):.2f}")
    assert len({len(row) for row in main if len(row) > 1}) == 1


def test_the_best_model_of_each_column_is_marked(text):
    main = text[text.index("<table") : text.index("</table>")]
    best = re.findall(r"<b>([^<]*)</b>", main)
    assert best[:2] == ["1.60", f"{lip_error('talkface', 0):.2f}"]
    assert len(best) == 9


def test_links_resolve(folder, read):
    assert len([link for link in read.links if link.startswith("worst/")]) == 2 * 3 * len(NETWORKS)
    for link in read.links:
        if link.startswith("#"):
            assert link[1:] in read.ids
        else:
            assert (folder / unquote(link)).is_file(), link


def test_every_measure_is_defined(read):
    rows = read.tables[-1]
    assert len(rows) == 1 + len(MEASURES)
    for row, (name, measure) in zip(rows[1:], MEASURES.items(), strict=True):
        assert row[0] == measure.title + name
        assert row[1] == measure.unit
        assert len(row[3]) > 20, f"{name} has no definition"
        assert row[4] == measure.source


def test_the_verdict_says_what_the_tables_say(folder, text):
    first, against, correlation, closures, rooms, noise, floors, caution = verdict.judge(results_of(folder), "test")
    assert first == (
        "On 8 test clips <b><code>talkface</code></b> has the smallest lip error: <b>1.60\xa0%</b> "
        "(95\xa0% interval 1.34 to 1.86\xa0%)."
    )
    assert "<b>20\xa0% below</b> the best published system, <code>lstm_d40_c3</code>" in against
    assert "(95\xa0% interval 15 to 25\xa0%, which excludes zero)" in against
    assert "correlation of <b>0.69</b> (95\xa0% interval 0.57 to 0.81)." in correlation
    assert closures.startswith("At /p b m/ its lips meet <b>60</b> times of 100; the true ones, as dlib sees them, 90")
    assert rooms.startswith("In rooms with noise 20\xa0dB below the speech, where nobody speaks, it opens to <b>")
    assert "a mouth at rest has 2.6\xa0%, and the first syllables after them keep" in rooms
    assert "at 0\xa0dB" in noise
    assert "<code>cnn_nr</code>" in noise  # the best published one in noise
    assert "has 3.06\xa0%." in floors
    assert "one frame late has 0.90\xa0%, the truth measured again 0.45\xa0%" in floors
    assert caution.startswith("All these clips are of 2 speakers")
    assert first in text


def test_a_difference_that_may_be_chance_is_called_so(tmp_path):
    make_tables(tmp_path, lambda paths: edit(paths["pairs"], lambda table: table.__setitem__("gain_low", -5.0)))
    said = verdict.judge(results_of(tmp_path), "test")[1]
    assert "which holds zero: on these clips the two cannot be told apart" in said


def test_a_model_that_does_not_hear_is_named(tmp_path):
    def deafen(table):
        table.loc[(table["model"] == "fft_cnn") & (table["measure"] == "lip_rmse"), "value"] = 3.05

    make_tables(tmp_path, lambda paths: edit(paths["summary"], deafen))
    said = verdict.judge(results_of(tmp_path), "test")[6]
    assert "<code>fft_cnn</code> is not by more than 5\xa0% better" in said


def test_a_published_system_may_win(folder):
    networks = {"cnn": "cnn", "cnn_nr": "cnn", "fft_cnn": "talkface"}
    said = verdict.judge(results_of(folder, networks), "test")
    assert "<code>cnn</code>" in said[0]
    assert "the best model of our own, <code>fft_cnn</code>" in said[1]
    assert (
        "next best model, <code>cnn_nr</code>"
        in verdict.judge(results_of(folder, {"cnn": "cnn", "cnn_nr": "cnn"}), "test")[1]
    )


def test_names_stay_names_and_missing_films_are_not_linked(tmp_path):
    def rename(table):
        for column, odd in (("corpus", ODD), ("speaker", ODD), ("clip", "<i>")):
            if column in table:
                table[column] = odd if column == "corpus" else table[column] + odd

    def rename_all(paths):
        for path in (paths["summary"], *paths["clips"].values(), paths["worst"]):
            edit(path, rename)

    shared = {"networks": FEW, "splits": ("test",)}
    text = write(tmp_path, make_tables(tmp_path, rename_all, **shared), films=False, **shared)
    assert "<b>x</b>" not in text
    assert "<i>" not in text
    read = Reader(text)
    assert f"Evaluation on {ODD}" in "".join(read.words)
    assert any("iris_1<i>" in cell for table in read.tables for row in table for cell in row)
    assert not [link for link in read.links if link.startswith("worst/")]


def test_one_model_clean_alone(tmp_path):
    shared = {"networks": {"cnn": "cnn"}, "splits": ("test",)}

    def leave_noise_out(paths):
        for name in ("summary", "pairs"):
            edit(paths[name], lambda table: table.drop(table.index[table["snr_db"].notna()], inplace=True))

    text = write(tmp_path, make_tables(tmp_path, leave_noise_out, seeds=False, **shared), **shared)
    read = Reader(text)
    assert "cnn" in [row[0] for row in read.tables[0]]
    words = "".join(read.words)
    for absent in ("Gains in noise", "Each model against each other", "Spread over seeds", "at 0\xa0dB"):
        assert absent not in words


def test_seeds_and_training_are_told(read):
    tables = {tuple(table[0]): table for table in read.tables}
    seeds = tables["model", "measure", "seeds", "mean", "standard deviation", "smallest", "largest"]
    assert seeds[1] == ["talkface", "lip error", "3", "1.600", "0.030", "1.560", "1.650"]
    training = next(table for head, table in tables.items() if "ended at" in head)
    assert training[1][:4] == ["talkface", "dlib", "420", "patience"]
    assert training[2][3] == "limit"


def test_pairs_stand_in_both_directions(folder):
    looks = {}
    table = evaluation_tables.pair_tables(results_of(folder), "test", looks)[0]
    rows = {
        row.name: dict(zip([head.text for head in table.heads], row.cells, strict=True)) for row in table.groups[0].rows
    }
    assert rows["talkface"]["cnn"].text == percent(100 * (2.3 - 1.6) / 2.3)
    assert rows["talkface"]["cnn"].css == "up"
    assert rows["cnn"]["talkface"].css == "down"
    assert rows["cnn"]["cnn"].text == ""
    assert rows["cnn"]["cnn_nr"].css == "none"
    assert "p = 0.4" in rows["cnn"]["cnn_nr"].title


def test_few_clips_stand_one_by_one(folder, monkeypatch):
    table = evaluation_tables.clip_table(results_of(folder), "unseen", {})
    assert [(head.text, head.unit) for head in table.heads][:2] == [("s2_1", "speaker s2"), ("s2_2", "speaker s2")]
    clips = pd.read_csv(folder / "clips" / "cnn.tsv", sep="\t")
    known = clips[(clips["clip"] == "s4_1") & (clips["condition"] == "clean") & clips["control"].isna()].iloc[0]
    row = next(row for row in table.groups[0].rows if row.name == "cnn")
    assert row.cells[3].text == f"{known['lip_rmse']:.2f}"
    assert row.cells[3].interval == f"r {known['opening_correlation']:.2f}"
    monkeypatch.setattr(evaluation_tables, "FEW_CLIPS", 4)
    assert evaluation_tables.clip_table(results_of(folder), "unseen", {}) is None


def test_numbers_as_people_read_them():
    assert number(-1.234, 2) == "−1.23"
    assert number(-0.001, 2) == "0.00"
    assert number(float("nan"), 2) == "–"
    assert [decimals([value]) for value in (0.0004, 0.05, 0.8, 1.6, 60, 300, 0, float("nan"))] == [
        5,
        2,
        2,
        2,
        1,
        0,
        2,
        2,
    ]
    assert percent(3.14) == "3.1"
    assert percent(-31.4) == "−31"


@pytest.mark.parametrize(
    ("better", "values", "best"),
    [("low", [2, 1, 3], 1), ("high", [2, 1, 3], 2), ("zero", [-20, 5, 40], 1), ("one", [0.5, 1.2, 3], 1)],
)
def test_best_is_what_the_measure_wants(better, values, best):
    rows = [Row("", [Cell(sort=str(value))]) for value in [*values, float("nan")]]
    mark_best(rows, 0, better)
    assert [row.cells[0].best for row in rows] == [place == best for place in range(4)]
