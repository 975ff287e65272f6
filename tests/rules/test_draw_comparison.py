"""One job of each rule that films a clip beside what is predicted for it."""

import h5py
import numpy as np
import pytest
import soundfile

from talkface.media.encoding import encode
from talkface.media.video import probe, read_frames
from tests.unit.films.test_comparison import FRAMES, amount_of, opened, write_landmarks, write_shapes
from tests.workflow.conftest import run_snakemake

RULES = ("draw_comparison", "draw_model_comparison")


@pytest.fixture
def folder(tmp_path):
    """A working folder with all that the films of a clip and of a speech file are made from."""
    for name in ("resources/demo", "resources/speech", "results/audio", "results/landmarks", "results/shapes"):
        (tmp_path / name).mkdir(parents=True)
    pictures = (np.full((120, 120, 3), 5 * frame, np.uint8) for frame in range(FRAMES))
    encode(pictures, tmp_path / "resources/demo/iris_1.mp4", size=(120, 120))
    shapes = opened(amount_of(np.arange(FRAMES)))
    write_landmarks(tmp_path / "results/landmarks/iris_1.h5", "iris_1", frames=FRAMES, size=120)
    write_shapes(tmp_path / "results/shapes/iris.h5", "iris_1", shapes)
    silence = np.zeros(44_100 * FRAMES // 25)
    soundfile.write(tmp_path / "resources/speech/hello.wav", silence, 44_100)
    with h5py.File(tmp_path / "results/audio/iris_1.h5", "w") as file:
        file["iris_1"] = (8_000 * np.sin(np.arange(len(silence)) / 10)).astype(np.int16)
        file["iris_1"].attrs.update(rate=44_100, rejected="")
    for clip in ("iris_1", "hello"):
        soundfile.write(tmp_path / f"results/audio/{clip}.wav", silence, 44_100)
        for model in ("talkface", "cnn"):
            (tmp_path / "results/predictions" / model).mkdir(parents=True, exist_ok=True)
            np.save(tmp_path / f"results/predictions/{model}/{clip}.npy", shapes.astype(np.float32))
    (tmp_path / "mine.yaml").write_text(
        "media: {clips_per_shard: 1}\ncomparison: {panel: 100}\nlook: {models: [talkface]}\n"
        "qc: {min_mouth_motion_percent: null}\n"  # a face that stands still
    )
    return tmp_path


def test_films_of_a_clip_of_one_model_and_of_a_speech_file(project, folder):
    films = {
        "results/comparison/iris_1.mp4": (300, 100),
        "results/comparison/cnn/iris_1.mp4": (300, 100),
        "results/comparison/hello.mp4": (100, 100),
    }
    arguments = ("--cores", "2", "--configfile", "mine.yaml", "--allowed-rules", *RULES, "--", *films)
    done = run_snakemake(project, *arguments, cwd=folder)
    assert "Filming iris_1, its landmarks and what cnn predicts" in done.stdout
    for film, size in films.items():
        media = probe(folder / film)
        assert (media.width, media.height) == size
        assert media.duration_s == pytest.approx(FRAMES / 25, abs=0.04)
        assert media.has_audio
        if size[0] > 100:  # landmarks are shown, not why there are none
            panel = next(read_frames(media))[20:, 100:200]
            assert (panel < 80).sum() > 100
    assert "Nothing to be done" in run_snakemake(project, *arguments, cwd=folder).stdout


@pytest.mark.parametrize("target", ["results/comparison/nobody.mp4", "results/comparison/nomodel/iris_1.mp4"])
def test_what_is_not_known_is_refused_with_what_is(project, tmp_path, target):
    done = run_snakemake(project, "--cores", "1", "-n", target, cwd=tmp_path, check=False)
    assert done.returncode
    assert ("'nomodel' is not a known model" if "nomodel" in target else "'nobody' is not a known clip") in done.stdout
    assert "known are: " in done.stdout
