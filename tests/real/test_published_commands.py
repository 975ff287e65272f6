"""Every row of the table of commands in docs/published.md, run on real clips in one go, and what each row promises."""

import subprocess
import sys

import cv2
import h5py
import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
import yaml

from talkface.face.predictor import predictor_path
from talkface.media.video import probe, read_frames
from talkface.models.checkpoint import read_file
from talkface.models.keras_weights import read_keras
from tests.foreign import PlainNetwork
from tests.workflow.conftest import run_snakemake

CLIPS = {"bbaf4p": "train", "bbas2p": "train", "bbbf6n": "valid", "bbbmzn": "test"}  # GRID, speaker 1
CLIP = "bbbmzn"
SHORT = {"max_epochs": 1}
SHAPE = {"mean": "mean_shape", "components": "eigen_vectors", "template": "mean", "boosts": "tcboost"}
# What each row of the table asks for, by the beginning of its first column.
TARGETS = {
    "2018 `featureExtractor.py": ["results/dataset/export_a.hdf5"],
    "`train.py -i f.hdf5 -u": [
        "results/models/real/a_trained/weights.pt", "results/shared/a_trained/talkingFaceModel.h5",
    ],
    "`generate.py -i a.flac": ["results/anim/a_theirs/a.mp4", "results/plots/a_theirs/a.mp4"],
    "2020 `train.py": ["results/models/real/b_trained/weights.pt"],
    "with `-n noise.hdf5`": [f"results/models/real/b_{kind}/weights.pt" for kind in ("nr", "tc", "tc_nr")],
    "`train.py -m folder`": ["results/models/real/b_again/weights.pt", "results/shared/b_again/SPCH2FLM.pt"],
    "`generate.py -i folder": [f"results/anim/b_theirs/{CLIP}.mp4", f"results/anim3d/b_theirs/{CLIP}.mp4"],
    "`generate.py --temporal_condition`": [f"results/predictions/b_theirs/{CLIP}.npy"],
    "`generate.py -s`": [f"results/shared/b_theirs/{CLIP}/predicted.npy"],
    "`generate.py -l`": [f"results/anim/external-theirs/{CLIP}.mp4"],
    "replication toolkit": [f"results/frames/{CLIP}", f"results/audio/{CLIP}.wav", "landmark_all"],
    "landmarks drawn": [f"results/overlay/{CLIP}/40.png", f"results/overlay/{CLIP}.mp4"],
    "scatter and line": [f"results/plots/{CLIP}/40.png", f"results/plots/{CLIP}.mp4"],
    "alignment": [f"results/plots/{CLIP}/40.png"],
    "closed mouth": [f"results/identity/{CLIP}.png", "results/shapes/s1.h5"],
    "frame number": [f"results/comparison/{CLIP}.mp4"],
    "source video": [f"results/source/{CLIP}.mp4", f"results/comparison/b_theirs/{CLIP}.mp4"],
    "RMSE": [f"results/evaluation/rmse_{CLIP}.tsv"],
    "2017 preprocessing": [],  # make sheet, below; train_all trains as the rows above do
    "`CNN_train.py`": [
        "results/models/real/fft_cnn_published/weights.pt", "results/evaluation/clips/fft_cnn_published.tsv",
        "results/anim/fft_cnn_published/a.mp4", "results/anim/fft_cnn_published/a.gif",
    ],
    "faces from landmarks": [],
}  # fmt: skip


def settings(project, shared_data):
    files = {key: str(shared_data / "reference" / f"eskimez2020_{name}.npy") for key, name in SHAPE.items()}
    keras = str(project / "tests" / "data" / "keras" / "stack_22.h5")
    b_file = {"dataset": "results/dataset/export_b.hdf5"} | SHORT
    return {
        "corpus": "real", "clips": "sheet.tsv", "split_by": "clip",
        "media": {"jpeg_scale": 5},
        "landmarks": {"predictor": str(predictor_path())},
        "identity": {"method": "published", "threshold": 0.1},
        "plots": {"kind": "scatter", "numbers": True, "mouth_only": True, "shape": "aligned", "size": 200},
        "overlay": {"numbers": True},
        "comparison": {"layout": "column", "panel": 160},
        "drawing": {"style": "flat", "size": 200}, "anim3d": {"size": 200}, "gif": {"size": 100},
        "look": {"models": ["b_theirs"]},
        "external": {"theirs": "theirs"},
        "evaluate": {"snr_db": [0, 0, 5]},
        "training": {"models": ["fft_cnn_published"]},
        "models": {
            "a_trained": {
                "like": "lstm_d40_c3_published", "dataset": "results/dataset/export_a.hdf5",
                "arguments": {"hidden": 8, "delay": 1, "context": 3},
            } | SHORT,
            "a_theirs": {"like": "lstm_d40_c5_published", "weights": keras},  # the file's context is another
            "b_trained": {"like": "cnn_published"} | b_file,
            "b_nr": {"like": "cnn_nr_published", "noise": "noise.hdf5"} | b_file,
            "b_tc": {"like": "cnn_tc_published"} | b_file,
            "b_tc_nr": {"like": "cnn_tc_nr_published", "noise": "noise.hdf5"} | b_file,
            "b_again": {"like": "cnn_published", "init": "before"} | b_file,
            "b_theirs": {"like": "cnn_tc_published", "weights": "model.pt", "shape_model": files},
            "fft_cnn_published": SHORT,
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def work(project, shared_data, tmp_path_factory):
    """A working folder in which all rows were asked for."""
    folder = tmp_path_factory.mktemp("theirs")
    for name in ("theirs", "before", "resources/speech"):
        (folder / name).mkdir(parents=True)
    videos = [str(shared_data / "grid" / "s1" / f"{clip}.mpg") for clip in CLIPS]
    sheet = pd.DataFrame({"clip": CLIPS.keys(), "speaker": "s1", "split": CLIPS.values(), "video": videos})
    sheet.to_csv(folder / "sheet.tsv", sep="\t", index=False)
    samples, rate = soundfile.read(shared_data / "speech" / "eskimez_test1.flac", stop=40_000)
    soundfile.write(folder / "resources" / "speech" / "a.flac", samples, rate)
    torch.manual_seed(0)
    torch.save(PlainNetwork(conditioned=True).state_dict(), folder / "model.pt")
    torch.save(PlainNetwork(conditioned=False).state_dict(), folder / "before" / "SPCH2FLM.pt")
    with h5py.File(folder / "noise.hdf5", "w") as file:
        for number in range(2):
            file[f"noise{number}"] = np.random.default_rng(number).standard_normal(40_000).astype(np.float32)
    # The toolkit's own landmarks of another video, whose first 13 rows are empty.
    landmarks = np.load(shared_data / "reference" / "obama2s_dlib.npy")
    np.save(folder / "theirs" / f"{CLIP}.npy", landmarks[np.minimum(np.arange(75), len(landmarks) - 1)])
    (folder / "theirs.yaml").write_text(yaml.safe_dump(settings(project, shared_data)))
    targets = list(dict.fromkeys(target for row in TARGETS.values() for target in row))
    run_snakemake(project, "--cores", "2", "--configfile", "theirs.yaml", "--", *targets, cwd=folder)
    return folder


def test_each_row_of_the_table_is_here(project):
    text = (project / "docs" / "published.md").read_text(encoding="utf-8")
    table = text.split("| published | here |")[1].split("\n\n")[0].splitlines()[2:]
    rows = [line.removeprefix("| ").split(" | ")[0] for line in table]
    assert len(rows) == len(TARGETS)
    for row, start in zip(rows, TARGETS, strict=True):
        assert row.startswith(start)


def test_their_training_file_of_2018(work):
    with h5py.File(work / "results/dataset/export_a.hdf5") as file:
        assert file["MelFeatures"].shape[1:] == (75, 128)
        assert file["flmark"].shape[1:] == (75, 136)
        assert 0.25 < file["flmark"][0, :, 72].mean() < 0.35  # the outer eye corner, at 0.3


def test_the_2018_training_keeps_to_the_originals_schedule(work):
    recipe = yaml.safe_load((work / "results/models/real/a_trained/config.yaml").read_text())["models"]["a_trained"]
    assert (recipe["stretches"], recipe["learning_rate"], recipe["schedule"]) == (128, 0.001, "constant")
    assert (recipe["last_batch"], recipe["empty_clip"], recipe["keep"]) == ("wrap", True, "last")
    curve = pd.read_csv(work / "results/models/real/a_trained/curve.tsv", sep="\t")
    assert list(curve["step"]) == [1]  # floor(N / 128) + 1
    layers = read_keras(work / "results/shared/a_trained/talkingFaceModel.h5")
    assert [layer.units for layer in layers] == [8, 8, 8, 136]


def test_the_context_of_a_file_stands_above_an_inherited_one(work):
    assert read_file(work / "results/models/a_theirs/weights.pt")["arguments"]["context"] != 5
    for kind in ("anim", "plots"):
        assert probe(work / f"results/{kind}/a_theirs/a.mp4").duration_s == pytest.approx(2.5, abs=0.1)
    assert soundfile.info(work / "results/audio/float/a.wav").samplerate == 16_000  # of the file itself


def test_the_2020_trainings(work):
    for name in ("b_trained", "b_nr", "b_tc", "b_tc_nr", "b_again"):
        content = read_file(work / f"results/models/real/{name}/weights.pt")
        assert content["arguments"]["dropout"] == 0
        assert ("fc2.weight" in content["weights"]) == ("tc" in name)
        assert content["arguments"].get("noise_resilient", False) == ("nr" in name)
    state = torch.load(work / "results/shared/b_again/SPCH2FLM.pt", weights_only=True)
    PlainNetwork(conditioned=False).load_state_dict(state)
    before = torch.load(work / "before/SPCH2FLM.pt", weights_only=True)
    assert (state["conv1.weight"] - before["conv1.weight"]).abs().max() < 1e-2  # a few steps from there


def test_generation_of_2020(work, shared_data):
    faces = np.load(work / f"results/predictions/b_theirs/{CLIP}.npy")
    assert faces.shape == (75, 68, 3)
    predicted = np.load(work / f"results/shared/b_theirs/{CLIP}/predicted.npy")
    speech = np.load(work / f"results/shared/b_theirs/{CLIP}/speech_orig.npy")
    assert predicted.shape == faces.shape
    assert len(speech) == pytest.approx(3 * 22_050, abs=900)
    mean = np.load(shared_data / "reference" / "eskimez2020_mean_shape.npy").reshape(68, 3)
    vectors = np.load(shared_data / "reference" / "eskimez2020_eigen_vectors.npy")
    moved = (predicted - mean).reshape(len(predicted), -1)
    inside = moved @ np.linalg.pinv(vectors) @ vectors  # in their frame a face is the mean and the eigen vectors
    np.testing.assert_allclose(inside, moved, atol=1e-4)
    for kind in ("anim", "anim3d"):
        assert probe(work / f"results/{kind}/b_theirs/{CLIP}.mp4").width == 200


def test_landmarks_with_empty_rows(work):
    assert probe(work / f"results/anim/external-theirs/{CLIP}.mp4").duration_s == pytest.approx(3, abs=0.1)
    said = (work / f"results/logs/import_prediction/external-theirs/{CLIP}.log").read_text()
    assert "no face in the first 13 of 75 frames; the first face is held there" in said
    faces = np.load(work / f"results/predictions/external-theirs/{CLIP}.npy")
    np.testing.assert_array_equal(faces[0], faces[13])


def test_the_toolkits_frames_sound_landmarks_and_pictures(work):
    assert len(list((work / f"results/frames/{CLIP}").glob("*.jpg"))) == 75
    assert soundfile.info(work / f"results/audio/{CLIP}.wav").samplerate == 44_100
    assert set(pd.read_csv(work / "results/qc/clips.tsv", sep="\t")["accepted"]) == {"yes"}
    for path in (f"overlay/{CLIP}/40.png", f"plots/{CLIP}/40.png", f"identity/{CLIP}.png"):
        assert np.ptp(cv2.imread(str(work / "results" / path))) > 100
    for path in (f"overlay/{CLIP}.mp4", f"plots/{CLIP}.mp4", f"source/{CLIP}.mp4"):
        media = probe(work / "results" / path)
        assert (media.fps, media.has_audio) == (25, True)
    with h5py.File(work / "results/shapes/s1.h5") as file:
        assert set(file) == set(CLIPS)


def test_videos_one_above_the_other(work):
    both = [probe(work / f"results/comparison/{path}.mp4") for path in (CLIP, f"b_theirs/{CLIP}")]
    for media in both:
        assert media.width == 160
        assert media.height >= 320
    frame = next(read_frames(both[0]))
    assert np.ptp(frame[:160]) > 60


def test_rmse_and_its_control(work):
    table = pd.read_csv(work / f"results/evaluation/rmse_{CLIP}.tsv", sep="\t")
    assert len(table)
    assert any("shuffled" in column for column in table.columns)


def test_the_sheet_of_ravdess(project, shared_data, tmp_path):
    """Pictures are paired with the sound-only file of the same utterance."""
    folder = tmp_path / "RAVDESS" / "Actor_01"
    folder.mkdir(parents=True)
    for number, clip in enumerate(CLIPS, start=1):
        (folder / f"02-01-01-01-01-01-{number:02d}.mp4").symlink_to(shared_data / "grid" / "s1" / f"{clip}.mpg")
        sound = np.random.default_rng(0).uniform(-0.1, 0.1, 48_000)
        soundfile.write(folder / f"03-01-01-01-01-01-{number:02d}.wav", sound, 48_000)
    command = [sys.executable, "-m", "talkface.cli", "sheet", str(tmp_path / "RAVDESS"), "-o", str(tmp_path / "s.tsv")]
    environment = {"PYTHONPATH": str(project / "workflow" / "scripts")}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    sheet = pd.read_csv(tmp_path / "s.tsv", sep="\t")
    assert len(sheet) == len(CLIPS)
    assert sheet["audio"].str.endswith(".wav").all()


def test_the_networks_of_2017(work):
    assert (work / "results/models/real/fft_cnn_published/weights.pt").exists()
    measured = pd.read_csv(work / "results/evaluation/clips/fft_cnn_published.tsv", sep="\t")
    assert CLIP in set(measured["clip"])
    assert probe(work / "results/anim/fft_cnn_published/a.mp4").duration_s == pytest.approx(2.5, abs=0.1)
    film = cv2.VideoCapture(str(work / "results/anim/fft_cnn_published/a.gif"))
    assert film.read()[0]
