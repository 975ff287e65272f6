"""The rules of faces in space, and of the files that engines read."""

import json

import cv2
import ffmpeg
import h5py
import numpy as np
import pandas as pd
import pytest
import soundfile

from talkface.face.measured import read_shape
from talkface.face.template import load_template
from talkface.face3d import arkit
from talkface.face3d.records import read_weights
from talkface.media.video import probe
from tests.toy_head import write_toy_head
from tests.unit.face3d.test_fit import film
from tests.unit.media.test_video import encode
from tests.workflow.conftest import run_snakemake

RULES = (
    "fit_identity", "fit_faces", "write_weights", "weigh_prediction", "weigh_speech", "draw_mesh", "export_weights",
    "export_weights_of_model", "export_sound", "export_sound_of_model", "export_gltf", "export_gltf_of_model",
    "shapes_in_space",
)  # fmt: skip
FRAMES = 20
FILES = ("arkit.csv", "weights.json", "cues.tsv", "cues.json", "speech.wav", "face.glb")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working folder with two clips as far as landmarks and predictions, a voice, and a head; `lost` has no face."""
    root = tmp_path_factory.mktemp("face3d")
    picture = ffmpeg.input("color=c=0x404040:s=640x480:r=25:d=0.8", f="lavfi")
    encode(picture, ffmpeg.input("sine=d=0.8", f="lavfi"), path=root / "grey.mp4", pix_fmt="yuv420p")
    sheet = {"clip": ["seen", "lost", "more"], "speaker": "a", "split": ["train", "test", "valid"], "video": "grey.mp4"}
    pd.DataFrame(sheet).to_csv(root / "clips.tsv", sep="\t", index=False)
    settings = "clips: clips.tsv\nmedia: {clips_per_shard: 1}\nsplit_by: clip\nexport: {fps: 30}\n"
    (root / "mine.yaml").write_text(
        settings
        + "training: {models: [cnn]}\nface_model: head.npz\nanimate: {model: cnn}\nface3d: {photometric: false}\n"
    )
    write_toy_head(root / "head.npz")
    results = root / "results"
    for name in ("landmarks", "audio", "predictions/cnn"):
        (results / name).mkdir(parents=True)
    (root / "resources" / "speech").mkdir(parents=True)
    soundfile.write(root / "resources/speech/voice.wav", np.zeros(16_000, np.int16), 16_000)
    landmarks, *_ = film(FRAMES)
    for clip in ("seen", "lost", "more"):
        with h5py.File(results / "landmarks" / f"{clip}.h5", "w") as file:
            group = file.create_group(clip)
            group.attrs.update(width=640, height=480, detector="dlib")
            group.attrs["rejected"] = "grey.mp4: no face in any of 20 frames" if clip == "lost" else ""
            if clip != "lost":
                group["landmarks"], group["detected"] = landmarks.astype(np.float32), np.arange(FRAMES) != 5
        with h5py.File(results / "audio" / f"{clip}.h5", "w") as file:
            file[clip] = (5_000 * np.sin(np.arange(35_280) / 9)).astype(np.int16)
            file[clip].attrs.update(rate=44_100, rejected="")
        soundfile.write(results / "audio" / f"{clip}.wav", np.zeros(35_280, np.int16), 44_100)
    soundfile.write(results / "audio" / "voice.wav", np.zeros(44_100, np.int16), 44_100)
    for clip in ("seen", "voice"):
        faces = np.repeat(load_template()[None], FRAMES, axis=0).astype(np.float32)
        np.save(results / "predictions" / "cnn" / f"{clip}.npy", faces)
    return root


@pytest.fixture(scope="module")
def make(project, folder):
    """Ask for targets in that folder, with the rules of this file alone."""

    def call(*targets, check=True, config=()):
        return run_snakemake(
            project, "--cores", "2", "--configfile", "mine.yaml", *config, "--allowed-rules", *RULES, "--", *targets,
            cwd=folder, check=check,
        )  # fmt: skip

    return call


def test_all_files_of_a_clip_of_a_model_and_of_a_voice(make, folder):
    clips = ("seen", "cnn/seen", "voice")
    make("results/mesh/seen.mp4", *(f"results/export/{clip}/{name}" for clip in clips for name in FILES))
    results = folder / "results"
    with h5py.File(results / "face3d" / "seen.h5") as file:
        assert file["seen/weights"].shape == (FRAMES, 52)
        assert np.flatnonzero(file["seen/interpolated"]).tolist() == [5]
    fitted, predicted = (read_weights(results / "blendshapes" / name) for name in ("seen.tsv", "cnn/seen.tsv"))
    assert fitted.weights[:, arkit.INDEX["jawOpen"]].max() > 0.4
    assert np.abs(fitted.turn[:, 0]).max() > 0.1
    assert predicted.weights.max() < 0.01
    assert np.abs(predicted.turn).max() == 0
    for clip in clips:
        made = results / "export" / clip
        assert len((made / "arkit.csv").read_text().splitlines()) == 1 + round(FRAMES * 30 / 25)
        assert json.loads((made / "weights.json").read_text())["trackPath"] == "speech.wav"
        assert len(soundfile.read(made / "speech.wav")[0]) == round(FRAMES * 44_100 / 25)
        assert (made / "face.glb").read_bytes()[:4] == b"glTF"
        assert (made / "cues.tsv").read_text().startswith("0.00\t")
    info = probe(results / "mesh" / "seen.mp4")
    assert (info.width, info.duration_s) == (720, pytest.approx(0.8, abs=0.05))
    video = cv2.VideoCapture(str(results / "mesh" / "seen.mp4"))
    picture = video.read()[1]
    assert np.abs(picture[:540].astype(int) - 0x40).max() > 40  # the toy's lips and eyes are painted


def test_shapes_in_three_dimensions(make, folder):
    (folder / "deep.yaml").write_text("landmarks: {dimensions: 3}\n")
    make("results/shapes/a.h5", config=("deep.yaml",))  # a second file of settings
    with h5py.File(folder / "results" / "shapes" / "a.h5") as file:
        shape = file["seen/shape"][:]
        assert shape.shape == (FRAMES, 68, 3)
        assert file["seen"].attrs["detector"] == "dlib"
        assert file["lost"].attrs["rejected"]
        assert "shape" not in file["lost"]
    eyes = shape[:, [36, 45]].mean(axis=(0, 1))
    np.testing.assert_allclose(eyes, [0, 0, 0], atol=0.02)  # upright, in the template frame
    assert shape[:, 30, 2].min() > 0.3  # the nose is nearest
    assert read_shape(folder / "results" / "shapes" / "a.h5", "seen").shape == (FRAMES, 68, 2)


def test_a_clip_without_a_face_is_said(make):
    done = make("results/blendshapes/lost.tsv", check=False)
    assert done.returncode != 0
    text = done.stdout
    assert "lost: rejected (grey.mp4: no face in any of 20 frames); a clip with a face was expected" in text


def test_a_head_needs_a_model(make):
    done = make("results/export/seen/face.glb", check=False, config=("--config", "face_model=null"))
    text = done.stdout
    assert "face_model is null in the config, and a head in space is asked for" in text
    assert "--config face_model=ict" in text
