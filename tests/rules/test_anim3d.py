"""One job of the rules that draw wires in space and GIFs."""

import av
import numpy as np
import pytest
import soundfile

from talkface.face.template import load_template
from talkface.media.video import probe
from tests.workflow.conftest import run_snakemake

RULES = ["draw_wires", "draw_gif", "copy_film"]


@pytest.fixture
def snakemake(project, tmp_path):
    """Call snakemake in a working folder with predictions of two models."""
    for model in ("talkface", "external-mine"):
        folder = tmp_path / "results" / "predictions" / model
        folder.mkdir(parents=True)
        np.save(folder / "iris_1.npy", np.repeat(load_template()[None], 26, axis=0).astype(np.float32))
    (tmp_path / "results" / "audio").mkdir()
    soundfile.write(tmp_path / "results" / "audio" / "iris_1.wav", np.zeros(44_100), 44_100)
    (tmp_path / "mine").mkdir()
    np.save(tmp_path / "mine" / "iris_1.npy", load_template()[None])
    (tmp_path / "mine.yaml").write_text("anim3d: {size: 120, turn_s: 2}\ngif: {size: 80}\nexternal: {mine: mine}\n")
    return lambda *arguments, **options: run_snakemake(
        project, "--cores", "2", "--configfile", "mine.yaml", "--allowed-rules", *RULES, "--", *arguments,
        cwd=tmp_path, **options,
    )  # fmt: skip


def test_wires_and_gifs_of_any_model(snakemake, tmp_path):
    films = ["results/anim3d/iris_1.mp4", "results/anim3d/external-mine/iris_1.mp4"]
    gif = "results/anim/external-mine/iris_1.gif"
    done = snakemake(*films, gif)
    assert "as talkface predicts it" in done.stdout
    for film in films:
        media = probe(tmp_path / film)
        assert (media.width, media.height, media.duration_s, media.has_audio) == (120, 120, 1.0, True)
    with av.open(str(tmp_path / gif)) as file:
        assert file.streams.video[0].codec_context.width == 80
        assert sum(1 for _ in file.decode(video=0)) == 24
    assert (tmp_path / "results/logs/draw_gif/external-mine/iris_1.log").exists()
    assert (tmp_path / "results/benchmarks/draw_wires/external-mine/iris_1.tsv").exists()


def test_nan_ends_in_one_line(snakemake, tmp_path):
    path = tmp_path / "results" / "predictions" / "talkface" / "iris_1.npy"
    np.save(path, np.full((25, 68, 2), np.nan, np.float32))
    done = snakemake("results/anim3d/iris_1.mp4", check=False)
    assert done.returncode
    assert "talkface: results/predictions/talkface/iris_1.npy: 25 of 25 frames hold NaN" in done.stdout


def test_test_clips_have_a_collect_rule_each(project, tmp_path):
    done = run_snakemake(project, "--dry-run", "anim3d_all", "gif_all", cwd=tmp_path)
    for path in ("results/anim3d/iris_1.mp4", "results/anim/iris_1.gif"):
        assert path in done.stdout
    assert "results/anim/ada_1.gif" not in done.stdout
