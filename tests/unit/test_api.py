"""The library: models by name or file, faces from speech, films."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import talkface
from talkface import TalkfaceError, api
from talkface.media.program import ffmpeg_program
from talkface.media.video import probe
from talkface.models.checkpoint import save_file
from talkface.prediction.streaming import predict_file
from tests.foreign import PlainNetwork, write_shape_files

VOICE = Path(__file__).parents[2] / "resources" / "models" / "talkface_voice.pt"


@pytest.fixture(scope="module")
def model():
    return talkface.load_model()


@pytest.fixture(scope="module")
def hello(tmp_path_factory):
    """A second and a half of syllables in noise."""
    path = tmp_path_factory.mktemp("sound") / "hello.wav"
    time = np.arange(33_000) / 22_050
    samples = 0.3 * np.sin(2 * np.pi * 140 * time) * np.sin(2 * np.pi * 3 * time) ** 2
    soundfile.write(path, samples + 0.01 * np.random.default_rng(0).standard_normal(len(time)), 22_050)
    return path


def test_importing_loads_nothing_heavy():
    code = "import sys, talkface; print([n for n in ('torch', 'numpy', 'pandas') if n in sys.modules], dir(talkface))"
    scripts = str(Path(talkface.__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": scripts}, capture_output=True, text=True)
    assert done.stdout.startswith("[] ")
    for name in ("load_model", "predict", "animate", "landmarks", "Stream", "TalkfaceError", "__version__"):
        assert f"'{name}'" in done.stdout
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        talkface.nothing  # noqa: B018


def test_a_face_is_that_of_the_workflow(model, hello, tmp_path):
    predict_file(hello, tmp_path / "face.npy", weights=VOICE, device="cpu")
    face = talkface.predict(model, hello)
    np.testing.assert_array_equal(face, np.load(tmp_path / "face.npy"))
    assert face.dtype == np.float32


def test_samples_are_heard_as_their_file(model, hello):
    samples, rate = soundfile.read(hello, dtype="int16")
    face = talkface.predict(model, hello)
    np.testing.assert_allclose(talkface.predict(model, samples, rate=rate), face, atol=1e-6)
    np.testing.assert_allclose(talkface.predict(model, samples / 32_768, rate=rate), face, atol=1e-6)
    stream = talkface.Stream(model, rate=rate)
    parts = [stream.push(block) for block in np.array_split(samples, 11)]
    np.testing.assert_allclose(np.concatenate([*parts, stream.finish()]), face, atol=1e-6)


@pytest.mark.parametrize(
    ("sound", "rate", "said"),
    [
        (np.zeros(100), None, "samples without a rate"),
        (np.zeros((100, 2)), 8_000, "one channel of finite numbers"),
        (np.zeros(0), 8_000, "one channel of finite numbers"),
        (np.full(10, np.nan), 8_000, "one channel of finite numbers"),
        ("nowhere.wav", None, r"nowhere\.wav: there is no such file"),
    ],
)
def test_what_is_no_speech_is_refused(model, sound, rate, said):
    with pytest.raises(TalkfaceError, match=said):
        talkface.predict(model, sound, rate=rate)


def test_other_sounds_are_read_by_ffmpeg(model, hello, tmp_path):
    other = tmp_path / "hello.m4a"
    subprocess.run([ffmpeg_program(), "-v", "error", "-i", str(hello), str(other)], check=True)
    assert np.abs(talkface.predict(model, other) - talkface.predict(model, hello)).mean() < 0.02
    (tmp_path / "text.m4a").write_text("no sound")
    with pytest.raises(TalkfaceError, match=r"text\.m4a"):
        talkface.predict(model, tmp_path / "text.m4a")


def test_a_recorder_that_lost_its_power(model, hello, tmp_path):
    """Its head says that no sample follows."""
    content = bytearray(hello.read_bytes())
    at = content.index(b"data") + 4
    content[4:8] = content[at : at + 4] = bytes(4)
    (tmp_path / "lost.wav").write_bytes(content)
    np.testing.assert_allclose(
        talkface.predict(model, tmp_path / "lost.wav"), talkface.predict(model, hello), atol=1e-4
    )


def test_models_by_name_file_and_folder(model, tmp_path):
    content = torch.load(VOICE, weights_only=True)
    save_file(tmp_path / "weights.pt", content)
    for name in (tmp_path, tmp_path / "weights.pt", str(VOICE)):
        loaded = talkface.load_model(name)
        assert not loaded.training
        torch.testing.assert_close(loaded.state_dict(), model.state_dict())
    with pytest.raises(TalkfaceError, match=r"talkface_dem: neither a file .* did you mean 'talkface_demo'"):
        talkface.load_model("talkface_dem")
    with pytest.raises(TalkfaceError, match="no argument 'delay'"):
        talkface.load_model("talkface_demo", delay=1)


def test_weights_of_the_published_systems(project, hello, tmp_path):
    """With what their authors gave beside them: an .h5 alone, a state dict and the files of its shape model."""
    keras = project / "tests" / "data" / "keras" / "trained_25.h5"
    lstm = talkface.load_model(keras, delay=1)
    assert (lstm.rate, lstm.level, lstm.delay) == (44_100, "recorded", 1)
    assert talkface.predict(lstm, hello).shape == (38, 68, 2)
    torch.save(PlainNetwork(conditioned=False).state_dict(), tmp_path / "model.pt")
    with pytest.raises(TalkfaceError, match=r"no \*mean_shape\.npy"):
        talkface.load_model(tmp_path / "model.pt")
    (tmp_path / "made").mkdir()
    names = {"mean": "mean_shape", "components": "eigen_vectors", "template": "mean", "boosts": "tcboost"}
    for key, path in write_shape_files(tmp_path / "made").items():
        shutil.copy(path, tmp_path / f"eskimez2020_{names[key]}.npy")
    beside = talkface.predict(talkface.load_model(tmp_path / "model.pt"), hello)
    assert beside.shape == (38, 68, 3)
    named = talkface.load_model(tmp_path / "model.pt", shape_model=write_shape_files(tmp_path / "made"))
    np.testing.assert_allclose(talkface.predict(named, hello), beside, atol=1e-6)


def test_films(model, hello, tmp_path):
    face = talkface.predict(model, hello)
    talkface.animate(face, hello, tmp_path / "a.mp4", style="flat", size=160)
    film = probe(tmp_path / "a.mp4")
    assert (film.width, film.height, film.fps, film.has_audio) == (160, 160, 25, True)
    assert film.duration_s == pytest.approx(1.5, abs=0.05)
    talkface.animate(face, hello, tmp_path / "a.gif", style="flat", size=80)
    assert (tmp_path / "a.gif").read_bytes()[:6] == b"GIF89a"
    with pytest.raises(TalkfaceError, match=r"shape \(38, 68\)"):
        talkface.animate(face[..., 0], hello, tmp_path / "b.mp4")
    with pytest.raises(TalkfaceError, match="NaN"):
        talkface.animate(face * np.nan, hello, tmp_path / "b.mp4")
    assert not (tmp_path / "b.mp4").exists()


@pytest.mark.parametrize(("extra", "library"), [("films", "cv2"), ("landmarks", "dlib")])
def test_a_missing_extra_is_one_line(model, hello, tmp_path, monkeypatch, extra, library):
    find = api.importlib.util.find_spec
    monkeypatch.setattr(api.importlib.util, "find_spec", lambda name: None if name == library else find(name))
    with pytest.raises(TalkfaceError, match=rf"need {library}, which is not installed; .*'talkface\[{extra}\]'"):
        if extra == "films":
            talkface.animate(talkface.predict(model, hello), hello, tmp_path / "a.mp4")
        else:
            talkface.landmarks(hello)


def test_landmarks_of_a_video(shared_data):
    found = talkface.landmarks(shared_data / "grid" / "s1" / "bbaf4p.mpg", start_s=1, end_s=2)
    assert found.shape == (25, 68, 2)
    assert 100 < found[:, 30, 0].mean() < 260
    with pytest.raises(TalkfaceError, match="no face in frames 0 to 11"):
        talkface.landmarks(shared_data / "grid" / "s1" / "lrarzn.mpg")
