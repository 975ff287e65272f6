"""Pages of the report: settings, quality, the opening words, a film."""

import re
import subprocess

import numpy as np
import pandas as pd
import pytest
import yaml

from talkface.config import resolve_models
from talkface.errors import TalkfaceError
from talkface.media.program import ffmpeg_program
from talkface.media.video import probe
from talkface.report import film_page, front, quality_page, settings_page
from tests.toy_tables import write_tables
from tests.unit.report.test_evaluation_page import Reader

SHIPPED = """\
corpus: demo        # name of the data set
seed: 1             # every random number follows from it
qc:                 # which clips are used
  min_face_px: 40   # pixels; narrower is too coarse
  names: [a, b]     # a list
models:             # the catalogue
  first:            # our own
    network: talkface
    arguments:      # of the network
      bands: 32     # mel bands
  second:           # the same, finer
    like: first
    arguments:      # of the network
      bands: 64
"""
ENV = """\
channels: [conda-forge]
dependencies:
  - python =3.12
  - numpy =1.0
  - nosuch =2.5
  - pip:
      - also-none==3.0
"""


TABLES = ("summary", "pairs", "worst", "zoo")


@pytest.fixture
def shipped(tmp_path):
    path = tmp_path / "shipped.yaml"
    path.write_text(SHIPPED, encoding="utf-8")
    return path


def test_comments_are_read_by_their_keys(shipped, project):
    found = settings_page.read_comments(shipped)
    assert found["qc", "min_face_px"] == "pixels; narrower is too coarse"
    assert found["models", "first", "arguments", "bands"] == "mel bands"
    assert ("models", "second", "arguments", "bands") not in found
    real = project / "config" / "config.yaml"
    said = settings_page.read_comments(real)
    known = yaml.safe_load(real.read_text(encoding="utf-8"))
    missing = [path for path, _ in settings_page.leaves(known) if path not in said and path[0] != "models"]
    assert not missing, missing


def write_settings(folder, shipped, **changes):
    """The page, read, and the file beside it."""
    settings = yaml.safe_load(shipped.read_text(encoding="utf-8")) | changes
    settings.setdefault("clips", "<b>sheet</b>")
    settings.setdefault("split_by", "speaker")
    (folder / "one.yaml").write_text(ENV, encoding="utf-8")
    models = {name: resolve_models(settings["models"])[name] for name in ("second",)}
    settings_page.write_settings(
        folder / "settings.html", folder / "settings.yaml", settings=settings, shipped=shipped,
        envs=[folder / "one.yaml"], models=models, clips={"train": 3, "test": 1},
        speakers={"train": 2, "test": 1, "all": 2}, snakemake="9.9",
    )  # fmt: skip
    text = (folder / "settings.html").read_text(encoding="utf-8")
    return Reader(text), text, yaml.safe_load((folder / "settings.yaml").read_text(encoding="utf-8")), settings


def test_what_was_changed_stands_first_with_what_it_means(shipped, tmp_path):
    read, text, resolved, settings = write_settings(tmp_path, shipped, qc={"min_face_px": 55, "names": ["a", "b"]})
    assert read.open == []
    changed = {row[0]: row[1:] for row in read.tables[0][1:]}
    assert changed["qc.min_face_px"] == ["55", "40", "pixels; narrower is too coarse"]
    assert changed["clips"][:2] == ["<b>sheet</b>", "not set"]
    assert "qc.names" not in changed
    assert "seed" not in changed
    assert "<b>sheet</b>" not in text
    assert resolved == settings
    rows = {row[0]: row[1:] for table in read.tables for row in table}
    assert rows["arguments.bands"] == ["64", "", "mel bands"]  # explained where `like` leads
    assert rows["train"] == ["3", "2"]
    assert rows["all"] == ["4", "2"]
    assert rows["names"][0] == "[a, b]"


def test_versions_are_those_installed_else_those_pinned(shipped, tmp_path):
    rows = {row[0]: row[1:] for table in write_settings(tmp_path, shipped)[0].tables for row in table}
    assert rows["numpy"] == [np.__version__, "one"]
    assert rows["nosuch"] == ["2.5", "one"]
    assert rows["also-none"] == ["3.0", "one"]
    assert rows["snakemake"][0] == "9.9"


def test_nothing_changed_is_said(shipped, tmp_path):
    shipped.write_text(SHIPPED + "clips: config/clips.tsv\nsplit_by: speaker\n", encoding="utf-8")
    assert "everything is as shipped" in write_settings(tmp_path, shipped)[1]


REASONS = [
    "",
    "/far/a.mp4: no face in frames 0 to 11; at most 5 in a row are filled in (landmarks.max_gap_frames)",
    "a face in 45% of the frames (qc.min_detected_share: 0.9); 3 faces (qc.max_faces: 1)",
    "b.mp4: not a media file, or a truncated one; a file was expected",
    "c.mp4: not a media file, or a truncated one; a file was expected",
]


def quality(path, reasons=REASONS):
    """A table of quality control; every third clip with a measure."""
    rows = [
        (f"0{place}", f"s{place % 2}", "train" if place < 3 else "test", "no" if why else "yes", why, 60.0, 100.0)
        for place, why in enumerate(reasons)
    ]
    names = ("clip", "speaker", "split", "accepted", "reason", "duration_s", "face_size_px")
    pd.DataFrame(rows, columns=names).to_csv(path, sep="\t", index=False)
    return path


def test_reasons_are_counted_by_their_kind(tmp_path):
    assert quality_page.kind_of(REASONS[1]) == "landmarks.max_gap_frames"
    assert quality_page.kind_of(REASONS[2]) == "qc.min_detected_share, qc.max_faces"
    assert quality_page.kind_of(REASONS[3]) == "not a media file, or a truncated one"
    quality_page.write_quality(tmp_path / "q.html", table=quality(tmp_path / "q.tsv"))
    text = (tmp_path / "q.html").read_text(encoding="utf-8")
    counts, reasons, clips = Reader(text).tables
    assert "5 clips: 1 accepted, 4 rejected" in text
    assert [row[:4] for row in counts[1:]] == [
        ["train", "3", "1", "2"],
        ["test", "2", "0", "2"],
        ["all", "5", "1", "4"],
    ]
    assert counts[-1][-1] == "1.0"  # minutes
    assert reasons[1][:2] == ["not a media file, or a truncated one", "2"]
    assert [row[0] for row in clips[1:]] == ["01", "02", "03", "04", "00"]
    assert clips[1][4].startswith("a.mp4: no face")


def test_what_is_worth_a_look_stands_first(tmp_path):
    table = pd.read_csv(quality(tmp_path / "q.tsv", ["", "", ""]), sep="\t", dtype={"clip": str})
    table["audio_s"], table["av_offset_ms"], table["av_certainty"] = (
        [60.0, 48.0, 60.0],
        [3.0, 0.0, -320.0],
        [0.9, 0.5, 0.9],
    )
    table.to_csv(tmp_path / "q.tsv", sep="\t", index=False)
    quality_page.write_quality(tmp_path / "q.html", table=tmp_path / "q.tsv")
    text = (tmp_path / "q.html").read_text(encoding="utf-8")
    assert text.index('id="found"') < text.index('id="counts"')
    assert "02: sound 320 ms early, certainty 0.90" in text
    assert "01: 0.50" in text
    assert "01: 48.00 s of sound and 60.00 s of picture" in text
    quality_page.write_quality(tmp_path / "q.html", table=quality(tmp_path / "q.tsv"))
    assert 'id="found"' not in (tmp_path / "q.html").read_text(encoding="utf-8")


def test_of_very_many_clips_the_rejected_ones_are_listed(tmp_path):
    table = quality(tmp_path / "q.tsv", [*REASONS, *[""] * 30])
    quality_page.write_quality(tmp_path / "q.html", table=table, most_rows=6)
    text = (tmp_path / "q.html").read_text(encoding="utf-8")
    clips = Reader(text).tables[-1]
    assert [row[3] for row in clips[1:]] == ["no"] * 4 + ["yes"] * 2
    assert "29 more accepted clips" in text


def test_no_reasons_no_column_of_them(tmp_path):
    quality_page.write_quality(tmp_path / "q.html", table=quality(tmp_path / "q.tsv", ["", ""]))
    tables = Reader((tmp_path / "q.html").read_text(encoding="utf-8")).tables
    assert len(tables) == 2
    assert not any("reason" in cell for cell in tables[-1][0])


def test_a_table_without_its_columns_is_refused(tmp_path):
    (tmp_path / "q.tsv").write_text("clip\tspeaker\na\tb\n", encoding="utf-8")
    with pytest.raises(TalkfaceError, match=r"q\.tsv: no column split, accepted, reason; delete it"):
        quality_page.write_quality(tmp_path / "q.html", table=tmp_path / "q.tsv")


def test_the_tables_have_no_figures_and_lead_nowhere(tmp_path):
    networks = {"talkface": "talkface", "external-other": "elsewhere"}
    paths = write_tables(tmp_path, networks=networks, splits=("test",), seeds=False)
    out = tmp_path / "report"
    front.write_tables(
        out / "evaluation.html", out / "front.html", tables={name: paths[name] for name in TABLES},
        clips=paths["clips"], networks=networks, twins=[], splits=["test"], quality=quality(tmp_path / "q.tsv"),
        corpus="<i>toy</i>", trained=["talkface"], seed=7,
    )  # fmt: skip
    text = (out / "evaluation.html").read_text(encoding="utf-8")
    read = Reader(text)
    assert read.open == []
    assert all(link.startswith("#") for link in read.links)
    assert {link[1:] for link in read.links} <= set(read.ids)
    assert "<figure" not in text
    assert len(text) < 200_000
    opening = (out / "front.html").read_text(encoding="utf-8")
    told = re.sub(r"<[^>]+>", "", opening)
    assert "Corpus &lt;i&gt;toy&lt;/i&gt;: 5 clips of 2 speakers, 1 of them used." in told
    assert "Trained on 1 clip of 1 speaker (1.0 minutes), seed 7: talkface." in told
    assert "Made elsewhere: external-other." in told
    assert "has the smallest lip error" in told


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A film that is hard to encode: noise, with a sound."""
    path = tmp_path_factory.mktemp("film") / "noise.mp4"
    command = [ffmpeg_program(), "-nostdin", "-loglevel", "error", "-f", "lavfi"]
    command += [
        "-i",
        "color=gray:size=480x160:rate=25,noise=alls=90:allf=t",
        "-f",
        "lavfi",
        "-i",
        "sine=300",
        "-t",
        "2",
    ]
    subprocess.run([*command, "-preset", "ultrafast", "-pix_fmt", "yuv420p", str(path)], check=True)
    return path


def test_a_small_film_stays_as_it_is_and_a_large_one_is_encoded_again(film, tmp_path):
    whole = film.read_bytes()
    assert film_page.fit_film(film, most_bytes=len(whole))[0] == whole
    small, duration = film_page.fit_film(film, most_bytes=len(whole) // 4, most_s=1.0)
    assert len(small) <= len(whole) // 4
    assert duration == 1
    (tmp_path / "small.mp4").write_bytes(small)
    found = probe(tmp_path / "small.mp4")
    assert (found.width, found.height, found.has_audio) == (480, 160, True)
    assert found.duration_s == pytest.approx(1, abs=0.1)


def test_a_film_that_cannot_be_made_small_is_refused(film):
    with pytest.raises(TalkfaceError, match=r"noise\.mp4: \d+ bytes, and still \d+ encoded again; give a shorter clip"):
        film_page.fit_film(film, most_bytes=1000, most_s=1.0)


def test_the_page_of_a_film_says_what_it_shows(film, tmp_path):
    whole = len(film.read_bytes())
    film_page.write_film(tmp_path / "film.html", film=film, title="a & b", text="<i>", most_bytes=whole)
    text = (tmp_path / "film.html").read_text(encoding="utf-8")
    assert "<title>a &amp; b</title>" in text
    assert "&lt;i&gt;" in text
    assert "100cqw * 160 / 480" in text  # as high as the film, and room for the buttons
    assert re.search(r'<video [^>]*src="data:video/mp4;base64,[A-Za-z0-9+/]{1000,}', text)


def test_the_page_of_a_talking_head_says_what_was_measured(film, tmp_path):
    rows = [f"{name}\t0.84\t{'' if 'nearest' in name else 0.6}\t%" for name in film_page.OF_HEADS]
    (tmp_path / "quality.tsv").write_text("measure\tfilm\tperson\tunit\n" + "\n".join(rows) + "\n", encoding="utf-8")
    page = tmp_path / "head.html"
    film_page.write_head_film(page, film=film, table=tmp_path / "quality.tsv", title="ada says hello")
    text = page.read_text(encoding="utf-8")
    assert "A synthetic film. Lips found beside those asked for: 0.84 % (filmed: 0.60); " in text
    assert "nearest filmed mouth, worst twentieth 0.84 %." in text
