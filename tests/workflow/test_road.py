"""The whole road on a small corpus with bad clips among its good ones, in a working folder elsewhere.

Four demo clips are drawn once; the sheet mixes them with what goes wrong in real corpora. One run must end well, judge
every clip in words, and lose nothing.
"""

import contextlib
import os
import re
import shutil
import site
import subprocess
import venv

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml

from talkface.corpus.sheet import read_sheet
from talkface.face.points import outer_eye_distance
from talkface.media.program import ffmpeg_program
from talkface.media.video import probe
from tests.workflow.conftest import copy_workflow, run_snakemake

SETTINGS = {
    "corpus": "small",
    "clips": "corpus/sheet.tsv",
    "training": {"models": ["talkface"]},
    "models": {"talkface": {"max_steps": 12}},
    "drawing": {"size": 256},
    "evaluate": {"snr_db": [0, 20, 20], "worst": 1},
}
ODD_NAME = """-odd "name" {1} {clip} [x] #2 & $(touch executed) ; 'x' %d видео.mp4"""


def ffmpeg(*arguments):
    """Run ffmpeg quietly."""
    subprocess.run([ffmpeg_program(), "-nostdin", "-loglevel", "error", "-y", *map(str, arguments)], check=True)


def make_corpus(folder, demo, names):
    """Videos, good and bad, and their sheet."""
    good = [demo / f"{name}.mp4" for name in names]
    named = [os.path.relpath(path, folder) for path in good]
    videos = folder / "videos"
    videos.mkdir(parents=True)
    shutil.copy(good[0], videos / ODD_NAME)
    (videos / "text.mp4").write_text("this is no video")
    whole = good[0].read_bytes()
    (videos / "truncated.mp4").write_bytes(whole[: len(whole) // 2])
    (videos / "empty.mp4").touch()
    ffmpeg("-i", good[0], "-an", "-c:v", "copy", videos / "mute.mp4")
    ffmpeg("-i", good[0], "-af", "volume=0", "-c:v", "copy", videos / "silent.mp4")
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x240:rate=25",
        "-i",
        good[0],
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-t",
        "2",
        videos / "pattern.mp4",
    )
    ffmpeg("-ss", "1", "-i", good[0], "-t", "0.12", videos / "short.mp4")
    ffmpeg(
        "-i", good[0], "-i", good[1], "-filter_complex", "[0:v][1:v]hstack=shortest=1", "-t", "2", videos / "two.mp4"
    )
    rows = [
        ("odd_name", "ann", "train", f"videos/{ODD_NAME}"),
        ("text", "ann", "train", "videos/text.mp4"),
        ("truncated", "ann", "train", "videos/truncated.mp4"),
        ("empty", "bob", "train", "videos/empty.mp4"),
        ("mute", "ann", "train", "videos/mute.mp4"),
        ("silent", "ann", "train", "videos/silent.mp4"),
        ("pattern", "ann", "train", "videos/pattern.mp4"),
        ("short", "ann", "train", "videos/short.mp4"),
        ("two", "ann", "train", "videos/two.mp4"),
        ("good_train", "cid", "train", named[1]),
        ("good_valid", "dan", "valid", named[2]),
        ("good_test", "eve", "test", named[3]),
        ("bad_test", "eve", "test", "videos/pattern.mp4"),
    ]
    pd.DataFrame(rows, columns=["clip", "speaker", "split", "video"]).to_csv(
        folder / "sheet.tsv", sep="\t", index=False
    )


@pytest.fixture(scope="module")
def road(project, tmp_path_factory):
    """A finished run in a working folder elsewhere, from a copy of the workflow whose files were listed before."""
    base = tmp_path_factory.mktemp("road")
    copy, work = base / "workflow copy", base / "work"
    copy_workflow(project, copy)
    work.mkdir()
    for cache in list(copy.rglob("__pycache__")):
        shutil.rmtree(cache)
    before = sorted(path.relative_to(copy) for path in copy.rglob("*"))
    sheet = read_sheet(project / "config" / "clips.tsv", shipped=True)
    names = [*sheet.groupby("speaker", sort=False).head(1).index[:4]]
    run_snakemake(copy, "--directory", str(work), *(f"resources/demo/{name}.mp4" for name in names), cwd=copy)
    make_corpus(work / "corpus", work / "resources" / "demo", names)
    (work / "resources" / "speech").mkdir()
    ffmpeg(
        "-i",
        work / "resources" / "demo" / f"{names[0]}.mp4",
        "-vn",
        "-ar",
        "22050",
        work / "resources" / "speech" / "spoken.mp3",
    )
    (work / "mine.yaml").write_text(yaml.safe_dump(SETTINGS))

    def run(*arguments, more=(), **keywords):
        files = [str(work / "mine.yaml"), *map(str, more)]
        return run_snakemake(copy, *arguments, "--configfile", *files, "--directory", str(work), cwd=copy, **keywords)

    run.first = run("train_all", "evaluate_all", "results/anim/good_test.mp4", "results/anim/spoken.mp4")
    run.copy, run.work, run.before = copy, work, before
    return run


def test_every_clip_is_judged_in_words(road):
    table = pd.read_csv(road.work / "results" / "qc" / "clips.tsv", sep="\t", index_col="clip", keep_default_na=False)
    assert len(table) == 13
    accepted = {"odd_name", "good_train", "good_valid", "good_test"}
    assert set(table.index[table["accepted"] == "yes"]) == accepted
    for clip, word in (
        ("text", "not a media file"),
        ("truncated", "truncated"),
        ("empty", "empty file"),
        ("mute", "no audio"),
        ("silent", "silen"),
        ("pattern", "no face"),
        ("short", "0.12 s of picture"),
        ("two", "2 faces"),
        ("bad_test", "no face"),
    ):
        reason = table.at[clip, "reason"]
        assert word in reason, f"{clip}: {reason}"
        assert "\n" not in reason
    assert int(table.at["two", "faces"]) == 2
    assert int(table.at["good_test", "faces"]) == 1
    assert float(table.at["good_test", "detected_share"]) == 1


def test_nothing_from_a_name_is_executed(road):
    assert not list(road.work.rglob("executed"))
    assert not list(road.copy.rglob("executed"))


def test_the_workflows_own_folder_is_untouched(road):
    after = sorted(
        path.relative_to(road.copy)
        for path in road.copy.rglob("*")
        if "__pycache__" not in path.parts and ".snakemake" not in path.parts
    )
    assert after == road.before


def test_the_dataset_holds_the_accepted_clips(road):
    with h5py.File(road.work / "results" / "dataset" / "small.h5") as file:
        assert sorted(file["clip"].asstr()[:]) == ["good_test", "good_train", "good_valid", "odd_name"]
        shape = file["shape"][:]
    assert np.isfinite(shape).all()
    np.testing.assert_allclose(outer_eye_distance(shape).mean(), 1, atol=0.05)


@pytest.mark.parametrize("clip", ["good_test", "spoken"])
def test_the_animation_lasts_as_long_as_its_sound(road, clip):
    film = probe(road.work / "results" / "anim" / f"{clip}.mp4")
    frames = np.load(road.work / "results" / "predictions" / "talkface" / f"{clip}.npy")
    assert film.has_video
    assert film.has_audio
    assert (film.width, film.height, film.fps) == (256, 256, 25)
    sound = probe(road.work / "results" / "audio" / f"{clip}.wav").duration_s
    assert abs(film.duration_s - sound) <= 0.04 + 1e-3
    assert frames.shape[1:] == (68, 2)
    assert abs(len(frames) - sound * 25) <= 1


def test_the_evaluation_has_its_floors(road):
    table = pd.read_csv(road.work / "results" / "evaluation" / "summary.tsv", sep="\t")
    clean = table[table["condition"] == "clean"].set_index(["model", "measure"])["value"]
    for name in ("floor:mean_face", "ceiling:shifted_1", "ceiling:detector", "talkface", "talkface:shuffled"):
        assert clean[name, "lip_rmse"] > 0
    assert clean["ceiling:detector", "lip_rmse"] < clean["floor:mean_face", "lip_rmse"]
    assert clean["truth", "lip_rmse"] == 0
    assert -1 <= clean["talkface", "opening_correlation"] <= 1
    noisy = table[(table["model"] == "talkface") & (table["measure"] == "lip_rmse")]
    kinds = ["clean", "environment", "babble", "talker", "music", "white", "pink", "all"]
    assert sorted(noisy["condition"].unique()) == sorted(kinds)
    assert (noisy.groupby("condition").size()[kinds[1:]] == 2).all()  # ratios


def test_a_second_run_does_nothing_and_says_so(road):
    assert "Nothing to be done" in road(*ALL).stdout


def test_a_setting_of_the_drawing_retrains_nothing(road):
    settings = road.work / "other.yaml"
    settings.write_text(yaml.safe_dump({"drawing": {"blink": False}}))
    planned = road("--dry-run", "results/anim/good_test.mp4", more=[settings]).stdout
    assert "draw_animation" in planned
    assert "train_model" not in planned  # nor retrain_model
    assert "detect_landmarks" not in planned


ALL = ("train_all", "evaluate_all", "results/anim/good_test.mp4", "results/anim/spoken.mp4")


@contextlib.contextmanager
def edited(road, *edits):
    """Files of the workflow changed for a while: (path below workflow/scripts, text, text instead of it)."""
    scripts = road.copy / "workflow" / "scripts"
    kept = {scripts / name: (scripts / name).read_text(encoding="utf-8") for name, _, _ in edits}
    try:
        for name, before, after in edits:
            text = (scripts / name).read_text(encoding="utf-8")
            assert before in text, f"{name}: no {before!r}"
            (scripts / name).write_text(text.replace(before, after, 1), encoding="utf-8")
        yield
    finally:
        for path, text in kept.items():
            path.write_text(text, encoding="utf-8")


def planned(road, *targets):
    """Rules that a dry run would run."""
    done = road("--dry-run", *(targets or ALL))
    return set(re.findall(r"^(\w+) +\d+$", done.stdout, flags=re.M)) - {"total"}


def test_an_edit_that_changes_no_result_reruns_nothing(road):
    """A comment, a docstring, a type hint, what users are told, and a mere checkout, which dates every file anew."""
    with edited(
        road,
        ("talkface/face/identity.py", "import logging\n", "import logging  # says what was taken\n"),
        ("talkface/training/loop.py", '"""', '"""Another thought. '),
        ("talkface/training/loop.py", "schedule: str) -> float:", "schedule: object) -> float:"),
        ("talkface/errors.py", "class TalkfaceError", "WORDS = 1\n\n\nclass TalkfaceError"),
        ("train_model.py", '"""', '"""Another thought. '),
    ):
        for path in road.copy.rglob("*"):
            path.touch()
        assert planned(road) == set()


def test_an_edit_of_a_measure_reruns_the_evaluation_alone(road):
    with edited(road, ("talkface/evaluation/metrics.py", "CLOSED_PERCENT =", "FURTHER = 1\nCLOSED_PERCENT =")):
        rules = planned(road)
    assert {"evaluate_model", "measure_floors", "summarise_evaluation"} <= rules
    assert not {"train_model", "retrain_model", "assemble_dataset", "predict_landmarks", "draw_animation"} & rules


def test_an_edit_of_a_layer_retrains_the_networks_that_have_it(road):
    with edited(road, ("talkface/models/layers/log_mel.py", "floor: float = 1e-6", "floor: float = 2e-6")):
        rules = planned(road)
    assert {"retrain_model", "predict_landmarks", "draw_animation"} <= rules
    assert not {"assemble_dataset", "detect_landmarks"} & rules
    with edited(road, ("talkface/models/layers/keras_lstm.py", "FEW_ROWS =", "FURTHER = 1\nFEW_ROWS =")):
        assert planned(road) == set()


def test_an_edit_of_a_painter_draws_films_and_trains_nothing(road):
    with edited(road, ("talkface/drawing/skin.py", "SKULL_TOP =", "FURTHER = 1\nSKULL_TOP =")):
        rules = planned(road)
    assert {"draw_animation", "copy_film"} <= rules
    assert not {"train_model", "retrain_model", "evaluate_model", "predict_landmarks", "extract_wav"} & rules


def test_a_folder_that_was_moved_and_another_environment_rerun_nothing(road, tmp_path):
    environment = tmp_path / "environment"
    venv.create(environment, symlinks=True)
    (folder,) = environment.glob("lib/python*/site-packages")
    (folder / "pins.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    python = environment / "bin" / "python"
    place = road.copy
    road.copy = place.rename(place.with_name("another place"))
    try:
        assert (
            "Nothing to be done"
            in run_snakemake(
                road.copy, "--dry-run", *ALL, "--configfile", str(road.work / "mine.yaml"), "--directory",
                str(road.work), cwd=road.copy, python=python,
            ).stdout
        )  # fmt: skip
    finally:
        road.copy = road.copy.rename(place)


def test_a_working_folder_that_was_moved_reruns_nothing(road):
    place = road.work
    road.work = place.rename(place.with_name("another work"))
    try:
        done = run_snakemake(
            road.copy, "--dry-run", *ALL, "--configfile", str(road.work / "mine.yaml"), "--directory", str(road.work),
            cwd=road.copy,
        )  # fmt: skip
        assert "Nothing to be done" in done.stdout
    finally:
        road.work = road.work.rename(place)


def test_a_rejected_clip_asked_for_alone_fails_with_the_reason(road):
    done = road("results/anim/text.mp4", check=False)
    assert done.returncode != 0
    assert "text.mp4: not a media file" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_split_left_empty_by_rejections_stops_and_says_so(road):
    """The quality table stays, so that the reasons can be read."""
    sheet = road.work / "corpus" / "sheet.tsv"
    other = road.work / "other.tsv"
    kept = ("clip", "good_train", "good_valid", "bad_test")
    rows = [line for line in sheet.read_text(encoding="utf-8").splitlines() if line.startswith(kept)]
    other.write_text(
        "\n".join(rows).replace("videos/", "corpus/videos/").replace("\t../", "\t") + "\n", encoding="utf-8"
    )
    folder = road.work / "other"
    folder.mkdir()
    done = run_snakemake(
        road.copy, "results/dataset/other.h5", "--config", "corpus=other", f"clips={other}",
        "--directory", str(folder), cwd=road.copy, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "split test: none of its 1 clips can be used (bad_test:" in done.stdout
    assert "bad_test" in (folder / "results" / "qc" / "clips.tsv").read_text(encoding="utf-8")


def test_a_broken_prediction_is_refused(road):
    path = road.work / "results" / "predictions" / "talkface" / "spoken.npy"
    whole = path.read_bytes()
    frames = np.load(path)
    frames[3, 50] = np.nan
    np.save(path, frames)
    try:
        done = road("results/anim/talkface/spoken.mp4", check=False)
    finally:
        path.write_bytes(whole)
    assert done.returncode != 0
    assert "spoken.npy" in done.stdout
    assert "Traceback" not in done.stdout
