"""The viewer in a real browser: what is chosen, heard and seen stays in step."""

import cv2
import numpy as np
import pytest

from talkface.drawing import style
from talkface.report import viewer
from tests.toy_viewer import ERRORS, FRAMES, SPEAKERS, grey, write_page

FRAMES_SHOWN = "[...document.querySelectorAll('.panel')].map(panel => Number(panel.dataset.frame))"
PLAYED = "document.querySelector('video').currentTime"


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    return write_page(tmp_path_factory.mktemp("viewer"))


@pytest.fixture
def opened(open_page, page_file):
    """Open the page and wait until the first film can be seen."""

    def visit(path=page_file, **options):
        page = open_page(path, **options)
        page.wait_for_function("document.querySelector('video').readyState >= 2")
        settle(page, 0)
        return page

    return visit


def settle(page, frame):
    """Wait until all panels show a frame."""
    page.wait_for_function(f"{FRAMES_SHOWN}.every(shown => shown === {frame})")


def scrub(page, frame):
    page.locator("#seek").fill(str(frame))
    settle(page, frame)


def picture(page, panel):
    """What is seen of a panel, (H, W, 3) blue, green, red."""
    data = page.locator(f"#panel-{panel} .view").screenshot()
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).astype(float)


def film_shows(page, frame):
    """Whether the video comes to show a frame: it is composed a little after the page hears of it."""
    for _ in range(50):
        if abs(np.median(picture(page, "source")) - grey(frame)) <= 2:  # a frame more is 5 more
            return True
        page.evaluate("new Promise(requestAnimationFrame)")
    return False


def inside_mouth(page, panel):
    """Brightness between the lips of a painted face, where an open mouth is dark."""
    seen = picture(page, panel)
    high, wide = seen.shape[:2]
    return seen[round(0.705 * high) : round(0.735 * high), round(0.49 * wide) : round(0.51 * wide)].min()


def test_clips_stand_worst_first_with_their_numbers(opened):
    page = opened()
    names = page.locator("#list b").all_inner_texts()
    assert names == sorted(ERRORS, key=lambda clip: -sum(ERRORS[clip]))
    assert page.locator("#list data").all_inner_texts() == ["3.50 %", "2.25 %", "1.25 %"]
    # a speaker's name that looks like markup is nothing but a name
    assert SPEAKERS["c"] in page.locator("#list small").first.inner_text()
    assert page.locator("#list [aria-current=true] b").inner_text() == "c"
    rows = [row.inner_text().split() for row in page.locator("#numbers tbody tr").all()]
    assert [row[:3] for row in rows[1:]] == [["talkface", "3.00", "0.90"], ["cnn", "4.00", "–"]]
    page.locator("#order").select_option("name")
    assert page.locator("#list b").all_inner_texts() == ["a", "b", "c"]


def test_all_panels_show_the_frame_that_is_scrubbed_to(opened):
    page = opened()
    for frame in (15, 5, 39):
        scrub(page, frame)
        assert film_shows(page, frame)
        assert f"frame {frame}" in " ".join(page.locator("#clock").inner_text().replace("\u2007", "").split())
        assert f"{frame / 25:.2f} of 1.60 s" in page.locator("#clock").inner_text()


def test_an_open_mouth_is_drawn_open(opened):
    page = opened()
    seen = {}
    for frame in (5, 15):
        scrub(page, frame)
        seen[frame] = {panel: inside_mouth(page, panel) for panel in ("truth", "model-0", "model-1")}
        seen[frame, "drawn"] = {panel: picture(page, panel) for panel in ("landmarks", "truth", "model-1")}
    assert seen[15]["truth"] < 40 < seen[5]["truth"]
    assert seen[15]["model-0"] < 40
    assert seen[15]["model-1"] == seen[5]["model-1"] > 40  # cnn keeps its mouth closed
    for panel in ("landmarks", "truth"):
        assert np.abs(seen[15, "drawn"][panel] - seen[5, "drawn"][panel]).max() > 60
    assert np.array_equal(seen[15, "drawn"]["model-1"], seen[5, "drawn"]["model-1"])
    now = [float(row.locator("td").nth(2).inner_text()) for row in page.locator("#numbers tbody tr").all()[1:]]
    assert now[0] == 0
    assert now[1] > 5  # lip error of this frame


def test_a_clip_plays_in_step(opened):
    page = opened()
    seen, said = page.evaluate(  # all of it in the page: the film is short, and what a label says follows an event
        f"""new Promise(done => {{ const seen = [], said = [], button = document.querySelector('#play');
        const look = () => {{ seen.push([{PLAYED}, ...{FRAMES_SHOWN}]); said.push(button.getAttribute('aria-label'));
          document.querySelector('video').ended ? done([seen, said]) : requestAnimationFrame(look); }};
        button.click(); look(); }})"""
    )
    assert "Pause" in said
    time, frames = np.array(seen)[:, 0], np.array(seen)[:, 1:]
    assert (frames == frames[:, :1]).all()  # in all panels the same
    assert len(set(frames[:, 0])) > 5
    assert (np.diff(frames[:, 0]) >= 0).all()
    assert np.median(np.abs(frames[:, 0] - time * 25)) < 5  # a busy machine shows frames late
    settle(page, FRAMES - 1)
    page.wait_for_function("document.querySelector('#play').getAttribute('aria-label') === 'Play'")
    page.locator("#play").click()  # once more from the start
    page.wait_for_function(f"{PLAYED} < 0.8 && {PLAYED} > 0.05")


def test_it_slows_down(opened):
    page = opened()
    page.locator("#speed").select_option("0.25")
    page.evaluate("document.querySelector('video').play()")
    page.wait_for_function(f"{PLAYED} > 0.05")
    begin, start = page.evaluate(f"[{PLAYED}, performance.now()]")
    page.wait_for_function(f"{PLAYED} > {begin + 0.1}")
    time, end = page.evaluate(f"[{PLAYED}, performance.now()]")
    assert (time - begin) / (end - start) * 1000 < 0.35  # a busy machine may be slower than a quarter
    page.locator("body").press("s")
    assert page.evaluate("document.querySelector('video').playbackRate") == 0.1
    page.locator("body").press("s")
    assert page.locator("#speed").input_value() == "1"


def test_after_a_choice_by_mouse_the_keys_are_the_pages(opened):
    page = opened()
    page.locator("#speed").click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator("#speed").input_value() == "0.5"
    page.keyboard.press("ArrowRight")
    settle(page, 1)


def test_a_stretch_is_looped(opened):
    page = opened()
    scrub(page, 10)
    page.keyboard.press("i")
    scrub(page, 20)
    page.keyboard.press("o")
    assert page.locator("#loop").get_attribute("aria-pressed") == "true"
    page.locator("#speed").select_option("0.5")  # a busy machine hears of the end late
    page.locator("#play").click()
    page.wait_for_function(f"{FRAMES_SHOWN}[0] >= 10 && {PLAYED} < 0.8")
    seen = page.evaluate(
        f"""new Promise(done => {{ const seen = []; let back = 0;
        const look = () => {{ seen.push([...{FRAMES_SHOWN}, {PLAYED}]);
          if (seen.length > 1 && seen.at(-1)[2] < seen.at(-2)[2]) back++;
          const going = back < 2 && !document.querySelector('video').ended;
          going ? requestAnimationFrame(look) : done(seen); }}; look(); }})"""
    )
    film, drawn, time = np.array(seen).T[[0, 2, -1]]
    assert (drawn.min(), drawn.max()) == (10, 20)
    assert film.min() >= 10
    assert film.max() < 35  # without a loop it would come to 39
    assert time.max() < 1.5
    assert (np.diff(drawn) < 0).sum() == 2  # it came back
    page.keyboard.press("Escape")
    page.keyboard.press("l")
    page.wait_for_function(f"{PLAYED} > 1")


def test_keys(opened):
    page = opened()
    for key, frame in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", FRAMES - 1), ("Home", 0)):
        page.keyboard.press(key)
        settle(page, frame)
    page.keyboard.press("w")
    settle(page, 10)  # where cnn first misses the open mouth
    page.keyboard.press("Shift+ArrowRight")
    assert page.locator("#list [aria-current=true] b").inner_text() == "b"
    assert page.url.endswith("#b")
    page.keyboard.press("2")
    assert page.locator("#panel-model-1").count() == 0
    page.keyboard.press("f")
    assert page.locator("#lined").get_attribute("aria-pressed") == "true"
    page.keyboard.press("m")
    assert page.evaluate("document.querySelector('video').muted")
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#help").is_visible()
    page.keyboard.press("l")  # so that it does not end before it is looked at
    page.keyboard.press(" ")
    page.wait_for_function("!document.querySelector('video').paused")
    page.keyboard.press(" ")
    page.wait_for_function("document.querySelector('video').paused")


def test_every_control_is_reached_by_tab_and_has_a_name(opened):
    page = opened()
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                """() => { const at = document.activeElement;
                return [at.id || at.textContent, (at.getAttribute('aria-label') || at.textContent
                  || [...(at.labels || [])].map(label => label.textContent).join('')).trim()]; }"""
            )[0]
        )
    controls = page.evaluate(
        """[...document.querySelectorAll('button, input, select')].filter(each => each.checkVisibility())
        .map(each => [each.id || each.textContent, (each.getAttribute('aria-label') || each.textContent
          || [...(each.labels || [])].map(label => label.textContent).join('')).trim()])"""
    )
    assert len(controls) > 15
    assert not [name for name, label in controls if not label]
    assert {name for name, _ in controls} <= reached


def test_another_clip_is_chosen(opened):
    page = opened()
    scrub(page, 20)
    page.locator("#list button", has_text="ada").click()
    settle(page, 0)
    page.wait_for_function("document.querySelector('video').readyState >= 2")
    assert page.locator("#numbers tbody tr").nth(1).locator("td").first.inner_text() == "1.00"
    assert page.locator("#panel-model-1 figcaption").inner_text().split() == ["cnn", "1.50", "%"]
    scrub(page, 12)
    assert film_shows(page, 12)


def test_a_page_opens_at_the_clip_of_its_address(open_page, page_file):
    page = open_page(page_file)
    page.goto(page_file.as_uri() + "#b")
    page.wait_for_function("document.querySelector('#list [aria-current=true] b').textContent === 'b'")
    page.goto(page_file.as_uri() + "#50%")  # no clip, nor a well-formed address
    page.reload()
    page.wait_for_function("document.querySelector('#list [aria-current=true] b').textContent === 'c'")


def graph_colours(page):
    """Colours of at least thirty pixels of the curves, (red, green, blue)."""
    data = page.locator("#graph").screenshot()
    seen = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].reshape(-1, 3)
    colours, counts = np.unique(seen, axis=0, return_counts=True)
    return {tuple(map(int, colour)) for colour in colours[counts > 30]}


def test_a_model_is_hidden_and_comes_back(opened):
    page = opened()
    blue, vermilion = (0, 114, 178), (213, 94, 0)  # of style.PALETTE; the playhead is vermilion, too
    assert {blue, vermilion} <= graph_colours(page)
    page.locator("#models button", has_text="talkface").click()
    assert page.locator(".panel").count() == 4
    assert page.locator("#numbers tbody tr").count() == 2
    assert blue not in graph_colours(page)
    page.locator("#models button", has_text="talkface").click()
    assert page.locator("#panel-model-0").is_visible()
    assert blue in graph_colours(page)


def test_colours_that_come_again_are_told_apart(open_page, tmp_path, monkeypatch):
    monkeypatch.setattr(style, "PALETTE", style.PALETTE[:1])
    page = open_page(write_page(tmp_path))
    for marks in ("#models button", ".panel[id^=panel-model] figcaption", "#numbers tr + tr th"):
        rounding = page.evaluate(
            "s => [...document.querySelectorAll(s)].map(each => getComputedStyle(each, '::before').borderRadius)", marks
        )
        assert rounding == ["50%", "2px"], marks


def test_the_true_lips_are_laid_over_predictions(opened):
    page = opened()
    scrub(page, 15)
    before = {panel: picture(page, panel) for panel in ("truth", "model-1", "source")}
    page.get_by_label("true lips").check()
    page.get_by_label("points on video").check()
    page.mouse.move(0, 0)
    assert np.array_equal(picture(page, "truth"), before["truth"])
    for panel in ("model-1", "source"):
        assert (np.abs(picture(page, panel) - before[panel]).max(axis=2) > 50).sum() > 50


def test_the_curves_seek_and_choose_a_stretch(opened):
    page = opened()
    box = page.locator("#graph").bounding_box()
    left, wide = box["x"] + 34, box["width"] - 46  # the room of the curves

    def place(frame):
        return left + wide * frame / (FRAMES - 1), box["y"] + 60

    page.mouse.click(*place(25))
    settle(page, 25)
    page.mouse.move(*place(5))
    page.mouse.down()
    page.mouse.move(*place(9))
    page.mouse.move(*place(14))
    page.mouse.up()
    settle(page, 5)
    assert page.evaluate("[state.from, state.to, state.loop]") == [5, 14, True]
    assert "linear-gradient" in page.locator("#seek").get_attribute("style")


def test_a_long_list_is_searched(open_page, tmp_path, monkeypatch):
    monkeypatch.setattr(viewer, "FEW", 2)
    page = open_page(write_page(tmp_path))
    page.locator("#search").fill("BRU")
    assert page.locator("#list b").all_inner_texts() == ["b"]
    page.locator("#search").press("1")  # letters and digits are text here, not keys of the page
    assert page.locator("#panel-model-0").count() == 1
    assert page.locator("#nothing").is_visible()


def test_a_telephone_reads_it(opened):
    page = opened(width=390, height=844)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    boxes = [panel.bounding_box() for panel in page.locator(".panel").all()]
    assert len({round(box["x"]) for box in boxes}) == 2  # two columns
    assert all(box["width"] > 150 and box["x"] + box["width"] <= 390 for box in boxes)
    small = page.evaluate(
        """[...document.querySelectorAll('body *')].filter(each => each.checkVisibility() && each.children.length === 0
        && each.textContent.trim()).map(each => parseFloat(getComputedStyle(each).fontSize)).sort((a, b) => a - b)[0]"""
    )
    assert small >= 11
    assert page.locator("#play").bounding_box()["y"] < 844  # in reach without scrolling
    assert not page.locator("#list").is_visible()
    page.locator("#clips-button").click()
    page.locator("#list button", has_text="bruno").click()
    assert page.locator("#clips-now b").inner_text() == "b"
    assert not page.locator("#list").is_visible()


def test_dark(opened):
    page = opened(dark=True)
    page.keyboard.press("f")
    drawn = picture(page, "truth")
    assert np.median(drawn) < 60
    assert drawn.max() > 200
    ground, ink = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    level = [sum(map(int, code.removeprefix("rgb(").removesuffix(")").split(","))) / 3 for code in (ground, ink)]
    assert level[0] < 40
    assert level[1] > 200
