"""One job of each rule that plots landmarks and shows identity removal."""

import cv2
import h5py
import numpy as np
import pytest
import soundfile

from talkface.drawing.canvas import to_bgr
from talkface.drawing.style import BLUE, INK, VERMILION
from talkface.media.encoding import encode
from talkface.media.video import probe, read_frames
from tests.toy_stages import LENGTHS, SPEAKERS, write_stages
from tests.workflow.conftest import run_snakemake

RULES = [
    "draw_plot", "draw_plot_frame", "draw_identity",
    "draw_predicted_plot", "draw_predicted_plot_frame", "draw_predicted_identity",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Toy stages, d rejected; a has a video, and two models predict it; `voice` is heard only."""
    folder = tmp_path_factory.mktemp("plots")
    clips = write_stages(folder, rejected=["d"])
    for clip in LENGTHS:
        with h5py.File(folder / "results" / "landmarks" / f"{clip}.h5", "a") as file:
            frames = len(file[clip]["landmarks"]) if "landmarks" in file[clip] else 0
            file[clip].attrs.update(width=400, height=300)
            file[clip]["detected"], file[clip]["box"] = np.ones(frames, bool), np.zeros((frames, 4), np.float32)
        with h5py.File(folder / "results" / "shapes" / f"{SPEAKERS[clip]}.h5", "a") as file:
            file[clip].attrs.update(reference_clip=clip, reference_frame=0)
        soundfile.write(folder / "results" / "audio" / f"{clip}.wav", np.zeros(44_100), 44_100)
    encode((np.full((300, 400, 3), 90, np.uint8) for _ in range(LENGTHS["a"])), folder / "a.mp4", size=(400, 300))
    (folder / "resources" / "speech").mkdir(parents=True)
    for place in ("resources/speech", "results/audio"):
        soundfile.write(folder / place / "voice.wav", np.zeros(44_100), 44_100)
    for model, clip in (("talkface", "a"), ("external-other", "voice")):
        (folder / "results" / "predictions" / model).mkdir(parents=True)
        np.save(folder / "results" / "predictions" / model / f"{clip}.npy", clips[0].shape)
    (folder / "elsewhere").mkdir()
    np.save(folder / "elsewhere" / "voice.npy", clips[0].shape)
    (folder / "mine.yaml").write_text(
        "clips: sheet.tsv\nmedia: {clips_per_shard: 1}\nplots: {size: 200, shape: aligned}\n"
        "external: {other: elsewhere}\n"
        "look: {models: [talkface, external-other]}\n"
    )
    return folder


def ask(project, folder, *targets, **options):
    return run_snakemake(
        project, "--cores", "2", "--configfile", "mine.yaml", "--allowed-rules", *RULES,
        "--rerun-triggers", "input", "--keep-going", "--", *targets, cwd=folder, **options,
    )  # fmt: skip


def count(picture, colour):
    return (np.abs(picture.astype(float) - to_bgr(colour)).max(axis=-1) < 12).sum()


def near(picture, colour):
    return (np.abs(picture.astype(float) - to_bgr(colour)).max(axis=-1) < 60).sum()


def test_plots_and_identity(project, folder):
    ask(
        project, folder, "results/plots/a.mp4", "results/plots/a/3.png", "results/plots/talkface/a/3.png",
        "results/plots/external-other/voice.mp4", "results/identity/a.png", "results/identity/talkface/a.png",
    )  # fmt: skip
    for film in ("a.mp4", "external-other/voice.mp4"):
        media = probe(folder / "results" / "plots" / film)
        assert (media.width, media.height, media.fps, media.has_audio) == (200, 200, 25, True)
        assert media.duration_s == pytest.approx(1.0, abs=0.02)
    heard = next(read_frames(media, pixels="bgr24"))  # of the model in the second place
    assert near(heard, VERMILION) > 100 > near(heard, BLUE)
    truth, predicted = (cv2.imread(str(folder / "results" / "plots" / name / "3.png")) for name in ("a", "talkface/a"))
    assert truth.shape == (200, 200, 3)
    assert count(truth, BLUE) == 0 < count(predicted, BLUE)
    assert count(truth, INK) > count(predicted, INK)
    measured, predicted = (
        cv2.imread(str(folder / "results" / "identity" / name)) for name in ("a.png", "talkface/a.png")
    )
    assert measured.shape[1] == predicted.shape[1] == 1200
    assert count(measured, "#5a5a5a") > 50_000  # the video's grey
    assert count(predicted, BLUE) > count(measured, BLUE)


def test_what_cannot_be_shown_ends_in_one_line(project, folder):
    done = ask(
        project, folder, "results/plots/d.mp4", "results/identity/d.png", "results/plots/a/99.png", check=False
    )  # fmt: skip
    assert done.returncode
    assert done.stdout.count("d: rejected (no face); a clip with a face was expected; results/qc/clips.tsv") >= 2
    assert "a: no frame 99; 0 to 74 were expected" in done.stdout


def test_a_speech_file_has_no_landmarks_of_its_own(project, folder):
    for target in ("results/plots/voice.mp4", "results/identity/voice.png"):
        done = ask(project, folder, target, check=False)
        assert done.returncode
        assert "voice" in done.stdout
        assert "clip of the sheet" in done.stdout
