"""One job of the rules that draw: a clip of the demo corpus, and films of predicted faces."""

import h5py
import numpy as np
import pytest
import soundfile

from talkface.face.template import load_template
from talkface.media.video import probe
from tests.workflow.conftest import run_snakemake


@pytest.fixture
def snakemake(project, tmp_path):
    """Call snakemake in an empty working folder."""
    return lambda *arguments, **options: run_snakemake(project, *arguments, cwd=tmp_path, **options)


def test_make_demo_clips(snakemake, tmp_path):
    snakemake("--cores", "1", "resources/demo/iris_1.mp4")
    media = probe(tmp_path / "resources" / "demo" / "iris_1.mp4")
    assert (media.width, media.height, media.fps) == (480, 480, 25)
    with h5py.File(tmp_path / "resources" / "demo" / "truth" / "iris_1.h5") as truth:
        assert len(truth["landmarks"]) == round(media.duration_s * 25)
        assert truth.attrs["voice"] == "en-us+f3"
    assert len(list((tmp_path / "resources" / "demo").glob("iris_*.mp4"))) == 4  # all of one person by one job
    again = snakemake("--cores", "1", "resources/demo/iris_1.mp4")
    assert "Nothing to be done" in again.stdout


def test_a_clip_that_is_not_in_the_table_is_refused(snakemake):
    done = snakemake("--cores", "1", "resources/demo/nobody_1.mp4", check=False)
    assert done.returncode
    assert "nobody_1" in done.stdout


def test_draw_animation(snakemake, tmp_path):
    for model in ("talkface", "cnn"):
        folder = tmp_path / "results" / "predictions" / model
        folder.mkdir(parents=True)
        np.save(folder / "iris_1.npy", np.repeat(load_template()[None], 26, axis=0).astype(np.float32))
    (tmp_path / "results" / "audio").mkdir()
    soundfile.write(tmp_path / "results" / "audio" / "iris_1.wav", np.zeros(44_100), 44_100)
    (tmp_path / "mine.yaml").write_text("drawing: {size: 200, style: flat}\nanimate: {model: cnn}\n")
    films = ["results/anim/iris_1.mp4", "results/anim/talkface/iris_1.mp4"]
    done = snakemake(
        "--cores", "2", "--configfile", "mine.yaml", "--allowed-rules", "draw_animation", "copy_film",
        "--", *films,
    )  # fmt: skip
    assert "as cnn predicts it" in done.stdout
    for film in films:
        media = probe(tmp_path / film)
        assert (media.width, media.height, media.duration_s) == (200, 200, 1.0)
        assert media.has_audio


def test_nan_in_predictions_ends_in_one_line(snakemake, tmp_path):
    folder = tmp_path / "results" / "predictions" / "talkface"
    folder.mkdir(parents=True)
    shapes = np.repeat(load_template()[None], 26, axis=0).astype(np.float32)
    shapes[7, 3] = np.nan
    np.save(folder / "iris_1.npy", shapes)
    (tmp_path / "results" / "audio").mkdir()
    soundfile.write(tmp_path / "results" / "audio" / "iris_1.wav", np.zeros(44_100), 44_100)
    done = snakemake(
        "--cores", "1", "--allowed-rules", "draw_animation", "copy_film", "--", "results/anim/iris_1.mp4", check=False
    )
    assert done.returncode
    assert "talkface: results/predictions/talkface/iris_1.npy: 1 of 26 frames hold NaN" in done.stdout
    assert "frame 7" in (tmp_path / "results/logs/draw_animation/talkface/iris_1.log").read_text()
