"""The report in a real browser: made by Snakemake from made-up tables and films, read on a desktop and a phone."""

import contextlib
import re
import shutil
import subprocess

import pandas as pd
import pytest
import yaml
from playwright.sync_api import TimeoutError

from talkface.corpus.sheet import read_sheet
from talkface.media.program import ffmpeg_program
from tests.conftest import watched_pages
from tests.toy_tables import curve_table, write_tables
from tests.workflow.conftest import run_snakemake

MODELS = {"talkface": "talkface", "cnn": "cnn"}
SETTINGS = {"qc": {"min_face_px": 47}, "comparison": {"panel": 240, "layout": "row"}, "training": {"models": [*MODELS]}}
REJECTED = "iris_1"  # the first test clip, so that the second is filmed
RULES = ("write_settings", "write_quality", "write_tables", "write_film", "report_all")
FIGURE = '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="300"><circle cx="99" cy="99" r="50"/></svg>'
CATEGORIES = ["1. Settings", "2. Clips", "3. Training", "4. Evaluation", "5. Films"]
# What Snakemake's own page says of itself; anything else fails.
ALLOWED = (
    r"cdn\.tailwindcss\.com should not be used in production.*",
    r"The input spec uses Vega-Lite v3, but the current version of Vega-Lite is v5\.2\.0\.",
)


def quality_table(sheet):
    """A made-up table of quality control of all clips of a sheet."""
    values = ("yes", "", 1.0, 186.4, 1, 1.5, 0, -18.5, 0.1, 70, 2.8, 20.0, 0.7, 25.0, "dlib", 0.0)
    rows = [(clip, row.speaker, row.split, *values) for clip, row in sheet.iterrows()]
    names = "clip speaker split accepted reason detected_share face_size_px faces jitter_percent longest_gap_frames "
    names += "audio_dbfs silence_share frames duration_s av_offset_ms av_certainty source_fps detector drift_ms"
    table = pd.DataFrame(rows, columns=names.split())
    why = "videos/iris_1.mp4: a face 12 pixels wide (qc.min_face_px: 47)"
    table.loc[table["clip"] == REJECTED, ["accepted", "reason"]] = "no", why
    return table


@pytest.fixture(scope="module")
def report(project, tmp_path_factory):
    """results/report.html of a working folder whose tables and films are made up."""
    folder = tmp_path_factory.mktemp("report")
    results = folder / "results"
    write_tables(results / "evaluation", networks=MODELS, splits=("test",), seeds=False)
    film = folder / "film.mp4"
    command = [ffmpeg_program(), "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=720x240:rate=25"]
    command += ["-f", "lavfi", "-i", "sine=440:sample_rate=16000", "-t", "3", "-pix_fmt", "yuv420p", str(film)]
    subprocess.run(command, check=True)
    for model in MODELS:
        for name, made in (("models", curve_table()), ("comparison", None)):
            (results / name / model).mkdir(parents=True)
            if made is not None:
                made.to_csv(results / name / model / "curve.tsv", sep="\t", index=False)
        shutil.copy(film, results / "comparison" / model / "iris_2.mp4")
    (results / "qc").mkdir()
    sheet = read_sheet(project / "config" / "clips.tsv", shipped=True)
    quality_table(sheet).to_csv(results / "qc" / "clips.tsv", sep="\t", index=False)
    for name in ("evaluation/summary.html", "viewer.html"):
        (results / name).write_text("<p>beside the report</p>", encoding="utf-8")
    for name in ("curves", "noise_test", "gain_test", "speakers_test"):
        (results / "evaluation" / f"{name}.svg").write_text(FIGURE, encoding="utf-8")
    (folder / "mine.yaml").write_text(yaml.safe_dump(SETTINGS), encoding="utf-8")
    mine = ("--configfile", str(folder / "mine.yaml"), "--", "report_all")
    run_snakemake(project, "--cores", "2", "--allowed-rules", *RULES, *mine, cwd=folder)
    style = ("--report-stylesheet", str(project / "workflow" / "report" / "report.css"))
    run_snakemake(project, "--report", "results/report.html", *style, *mine, cwd=folder)
    return results / "report.html"


@pytest.fixture
def open_report(chromium, report):
    """Open the report; what the console says against it fails the test, but for what Snakemake's own page says."""
    with watched_pages(chromium, allowed=ALLOWED) as open_file:

        def open_it(**window):
            page = open_file(report, **window)
            page.wait_for_selector("#app #rulegraph svg, #app #rulegraph canvas")
            return page

        yield open_it


def at_rest(page):
    """Wait until the menu glides no more."""
    page.wait_for_function("document.getAnimations().every(each => each.playState !== 'running')")


def press(page, target):
    """Press a link once nothing moves: at the beginning of a glide a press meets what lies there a moment later."""
    at_rest(page)
    target.first.click()
    at_rest(page)


def show(page, category, words=""):
    """Choose a category and the result whose row holds these words; give the frame that shows it, if it is a page."""
    shown = page.locator("#app iframe, #app > div > div:last-child img")
    for _ in range(3):
        press(page, page.locator("#app nav nav ol a"))
        press(page, page.get_by_text(category, exact=True))
        press(page, page.locator("#app nav tbody tr", has_text=words).first.locator("td a"))
        # On a busy machine a press is lost now and then: the page is Snakemake's own, and not what is tested here.
        with contextlib.suppress(TimeoutError):
            shown.first.wait_for(timeout=10_000)
            break
    shown.first.wait_for(timeout=1_000)
    frame = page.query_selector("#app iframe")
    if frame is None:
        return None
    content = frame.content_frame()
    content.wait_for_load_state()
    return content


def caption(page, category, words=""):
    """The words beside a result."""
    show(page, category, words)
    press(page, page.locator("#app nav tbody tr", has_text=words).first.locator("td a").nth(1))
    return " ".join(page.locator("#app nav li.prose").inner_text().split())


def rows_of(frame, table):
    """The cells of a table of a page, row by row."""
    return frame.evaluate(
        "s => [...document.querySelectorAll(s + ' tbody tr:not(.group)')].map(r => [...r.cells].map(c => c.innerText))",
        table,
    )


def test_the_front_says_what_was_trained_and_which_model_is_best(open_report):
    page = open_report()
    words = " ".join(page.locator("#app .prose").first.inner_text().split())
    assert "50 clips of 10 speakers, 49 of them used" in words
    assert "Trained on 36 clips of 6 speakers" in words
    assert "talkface has the smallest lip error: 1.60" in words
    menu = page.locator("#app > div > nav").inner_text()
    assert [line for line in menu.splitlines() if re.match(r"\d\. ", line)] == CATEGORIES
    page.locator("#app .prose a", has_text="5. Films").click()
    page.wait_for_selector("#app nav tbody tr")
    assert page.locator("#app nav tbody tr").count() == len(MODELS)


def test_what_lies_beside_the_report_is_linked(open_report, report):
    links = open_report().locator("#app .prose a").evaluate_all("links => links.map(a => a.href)")
    beside = [link for link in links if not link.startswith("javascript:")]
    assert beside == [(report.parent / name).as_uri() for name in ("viewer.html", "evaluation/summary.html")]


def test_the_rules_and_their_times_are_drawn(open_report):
    page = open_report()
    assert page.locator("#app #rulegraph").bounding_box()["height"] > 200
    page.get_by_role("link", name="Statistics").click()
    page.wait_for_selector("#app #runtimes canvas, #app #runtimes svg")
    assert page.locator("#app #timeline").bounding_box()["height"] > 100


def test_the_settings_say_what_was_changed(open_report):
    frame = show(open_report(), "1. Settings")
    changed = {row[0]: row[1:] for row in rows_of(frame, "#changed")}
    assert changed["qc.min_face_px"][:2] == ["47", "40"]
    assert "pixels" in changed["qc.min_face_px"][2]
    assert changed["comparison.panel"][:2] == ["240", "500"]
    assert "training.models" not in changed  # as shipped
    assert ["train", "36", "6"] in rows_of(frame, "#counts")
    packages = {row[0]: row[1] for row in rows_of(frame, "#packages")}
    assert {"snakemake", "python", "numpy", "pytorch"} <= set(packages)
    assert re.fullmatch(r"\d+\.\d+(\.\d+)?.*", packages["snakemake"])


def test_the_quality_of_each_clip_is_listed_rejected_ones_first(open_report):
    frame = show(open_report(), "2. Clips")
    clips = rows_of(frame, "#clips")
    assert len(clips) == 50
    assert clips[0][:4] == [REJECTED, "iris", "test", "no"]
    assert clips[0][4] == "iris_1.mp4: a face 12 pixels wide (qc.min_face_px: 47)"
    assert [row[:4] for row in rows_of(frame, "#counts")] == [
        ["train", "36", "36", "0"], ["valid", "6", "6", "0"], ["test", "8", "7", "1"], ["all", "50", "49", "1"],
    ]  # fmt: skip
    assert rows_of(frame, "#reasons")[0][:2] == ["qc.min_face_px", "1"]
    frame.locator("#clips thead th").first.click()
    frame.locator("#clips thead th").first.click()
    assert rows_of(frame, "#clips")[0][0] == max(row[0] for row in clips)
    frame.locator("#clips thead th", has_text="speaker").click()
    assert [row[1] for row in rows_of(frame, "#clips")] == sorted(row[1] for row in clips)


def test_the_tables_of_the_evaluation_have_their_rows(open_report):
    frame = show(open_report(), "4. Evaluation", "tables")
    main = {row[0]: row[1] for row in rows_of(frame, ".scroll:has(td.bar) table")}
    assert main["talkface"].startswith("1.60")
    assert main["cnn"].startswith("2.30")
    assert "has the smallest lip error" in frame.locator(".verdict").first.inner_text()
    assert frame.locator("a:not([href^='#'])").count() == 0  # nothing outside can be reached from within a report
    frame.get_by_role("link", name="Measures").click()
    assert frame.evaluate("scrollY") > 100


@pytest.mark.parametrize("category", ["3. Training", "4. Evaluation"])
def test_figures_are_shown(open_report, category):
    page = open_report()
    words = "losses" if category.startswith("3") else "over noise"
    assert show(page, category, words) is None
    image = page.locator("#app > div > div:last-child img")
    assert image.evaluate("i => i.decode().then(() => i.naturalWidth)") > 200


@pytest.mark.parametrize("model", MODELS)
def test_a_film_of_each_model_plays_in_the_page(open_report, model):
    page = open_report()
    frame = show(page, "5. Films", model)
    assert "iris_2" in page.locator("#app nav tbody tr", has_text=model).inner_text()
    film = frame.locator("video")
    film.evaluate("v => { v.muted = true; return v.play(); }")
    frame.wait_for_function("document.querySelector('video').currentTime > 0.3")
    first = film.evaluate("v => v.currentTime")
    frame.wait_for_function("t => document.querySelector('video').currentTime != t", arg=first)
    assert film.evaluate("v => [v.videoWidth, v.videoHeight]") == [720, 240]
    assert film.evaluate("v => v.duration") == pytest.approx(3, abs=0.1)


def test_captions_quote_the_settings_really_used(open_report):
    page = open_report()
    assert "at least 47 pixels wide" in caption(page, "2. Clips")
    film = caption(page, "5. Films", "cnn")
    assert "The clip iris_2 of the split test" in film
    assert "Panels of 240 pixels, faces painted flat" in film
    assert "side by side" in film
    assert "noise from -10 to 30 dB in steps of 5" in caption(page, "4. Evaluation", "tables")
    assert "seed 1" in caption(page, "1. Settings")


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_cut_or_pushed_aside(open_report, width):
    page = open_report(width=width, height=844)

    def fits():
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for name in ("#app > div > nav", "#app > div > div:last-child"):
            box = page.locator(name).bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width + 1
            assert box["width"] == width if width < 800 else box["width"] > 200
        # What is read stays within its pane, and begins within it.
        assert page.evaluate(
            """() => [...document.querySelectorAll('#app nav li, #app nav td, #app .prose')].every(e => {
                const box = e.getBoundingClientRect();
                return !box.width || (box.left >= -1 && box.right <= innerWidth + 1);
            })"""
        )

    fits()
    for category in CATEGORIES:
        frame = show(page, category, "tables" if category.startswith("4") else "")
        at_rest(page)
        fits()
        if frame is not None:
            assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert frame.evaluate("innerHeight") > 300
            small = "[...document.querySelectorAll('#counts .scroll')].every(e => e.scrollWidth <= e.clientWidth)"
            assert frame.evaluate(small)  # counts are read without moving them
    assert "talkface" in caption(page, "5. Films", "talkface")
    at_rest(page)
    fits()
