"""What is written for the programs of the published systems is what those wrote, and reads back as it was."""

import numpy as np
import pytest
import soundfile
import torch

from talkface.errors import TalkfaceError
from talkface.face.shape_files import find_shape_files, read_shape_model_files
from talkface.models.checkpoint import pack_network, save_file
from talkface.models.keras_weights import read_keras
from talkface.models.registry import build_network
from talkface.prediction.sharing import share_prediction
from talkface.prediction.streaming import predict_samples
from talkface.training.importing import open_weights, read_weights
from talkface.training.sharing import share_keras, share_torch
from tests.foreign import PlainNetwork, predict_windows, write_shape_files
from tests.toy_corpus import toy_clip, toy_shape_model

LEVEL = {"level": "recorded"}


def save(path, name, arguments, shape_model=None):
    """Write fresh weights of a network as training leaves them; return the network."""
    torch.manual_seed(5)
    shape_model = shape_model or toy_shape_model()
    network = build_network(name, shape_model, arguments).eval()
    save_file(path, pack_network(network, name=name, arguments=arguments, shape_model=shape_model))
    return network


@pytest.mark.parametrize("conditioned", [False, True])
def test_plain_torch_reads_a_state_dict(conditioned, tmp_path):
    arguments = LEVEL | {"temporal_condition": conditioned, "start": "drawn"}
    ours = save(tmp_path / "weights.pt", "cnn", arguments)
    paths = {key: tmp_path / name for key, name in (("mean", "mean_shape.npy"), ("components", "eigen_vectors.npy"))}
    share_torch(tmp_path / "weights.pt", tmp_path / "SPCH2FLM.pt", **paths)
    theirs = PlainNetwork(conditioned=conditioned)
    theirs.load_state_dict(torch.load(tmp_path / "SPCH2FLM.pt", weights_only=True))  # strict: these names alone
    samples = toy_clip("x", rates=(8_000,)).audio[8_000][:8_000]
    expected = predict_windows(theirs, samples.astype(np.float32) / 32_768, ours.rest.numpy())
    mean, vectors = np.load(paths["mean"]), np.load(paths["components"])
    assert (mean.shape, vectors.shape) == ((1, 136), (6, 136))
    faces = (mean + expected @ vectors).reshape(-1, 68, 2)
    np.testing.assert_allclose(predict_samples(ours, samples), faces, atol=1e-5)
    block = {"network": "cnn", "arguments": LEVEL, "shape_model": find_shape_files(tmp_path)}
    again = open_weights(read_weights(tmp_path / "SPCH2FLM.pt"), block, model="again").network.eval()
    # Read back, the mean shape's eye corners are put where the template has them: the toy's are a little off.
    np.testing.assert_allclose(predict_samples(again, samples), faces, atol=5e-3)


def test_an_imported_shape_model_is_handed_on_as_it_is(tmp_path):
    files = write_shape_files(tmp_path)
    save(tmp_path / "weights.pt", "cnn", LEVEL, read_shape_model_files(files)[0])
    out = {key: tmp_path / f"out_{key}.npy" for key in ("mean", "components")}
    share_torch(tmp_path / "weights.pt", tmp_path / "SPCH2FLM.pt", **out, shape_model=files)
    for key, path in out.items():
        np.testing.assert_array_equal(np.load(path), np.load(files[key]))


def test_keras_layers_come_back(tmp_path):
    network = save(tmp_path / "weights.pt", "lstm", {"hidden": 7, "context": 1, "features": "differences"})
    share_keras(tmp_path / "weights.pt", tmp_path / "talkingFaceModel.h5")
    layers = read_keras(tmp_path / "talkingFaceModel.h5")
    assert [(layer.kind, layer.units, layer.width) for layer in layers] == [
        ("lstm", 7, 256), ("lstm", 7, 7), ("lstm", 7, 7), ("lstm", 136, 7),
    ]  # fmt: skip
    for ours, theirs in zip(network.layers, layers, strict=True):
        assert (theirs.activation, theirs.recurrent_activation) == ("sigmoid", "hard_sigmoid")
        assert (theirs.dropout, theirs.recurrent_dropout) == (0.2, 0.2)
        for key, value in theirs.arrays.items():
            np.testing.assert_array_equal(getattr(ours, key).detach().numpy(), value)


def test_keras_itself_computes_the_same(tmp_path):
    tf_keras = pytest.importorskip("tf_keras", reason="tf_keras is not installed (pip install tensorflow tf_keras)")
    network = save(tmp_path / "weights.pt", "lstm", {"hidden": 7, "context": 1, "features": "differences"})
    share_keras(tmp_path / "weights.pt", tmp_path / "talkingFaceModel.h5")
    model = tf_keras.models.load_model(tmp_path / "talkingFaceModel.h5", compile=False)
    inputs = np.random.default_rng(0).standard_normal((2, 75, 256)).astype(np.float32)
    with torch.inference_mode():
        expected = network.run(torch.from_numpy(inputs))[0].numpy()
    np.testing.assert_allclose(model.predict(inputs, verbose=0), expected, atol=1e-5)


def test_a_prediction_in_the_frame_of_its_shape_model(tmp_path):
    """Mean shape and coefficients @ eigen vectors, in the unit of the files."""
    files = write_shape_files(tmp_path)
    shape_model, *_ = read_shape_model_files(files)
    coefficients = np.random.default_rng(0).standard_normal((10, 6))
    np.save(tmp_path / "predicted.npy", shape_model.decode(coefficients).astype(np.float32))
    speech = (0.3 * np.sin(np.arange(16_000) / 5)).astype(np.float32)
    soundfile.write(tmp_path / "speech.wav", speech, 16_000, subtype="FLOAT")
    out = {"faces": tmp_path / "faces.npy", "speech": tmp_path / "speech_orig.npy"}
    share_prediction(tmp_path / "predicted.npy", tmp_path / "speech.wav", **out, shape_model=files)
    mean, vectors = np.load(files["mean"]), np.load(files["components"])
    expected = (mean + coefficients @ vectors).reshape(-1, 68, 3)
    np.testing.assert_allclose(np.load(out["faces"]), expected, rtol=1e-4, atol=1e-3)  # pixels
    heard = np.load(out["speech"])
    assert heard.shape == (22_050,)
    assert np.abs(heard[1_000:-1_000]).max() == pytest.approx(0.3, rel=0.02)
    share_prediction(tmp_path / "predicted.npy", tmp_path / "speech.wav", **out)
    np.testing.assert_array_equal(np.load(out["faces"]), np.load(tmp_path / "predicted.npy"))


def test_another_network_is_named(tmp_path):
    save(tmp_path / "weights.pt", "lstm", {"hidden": 7})
    with pytest.raises(TalkfaceError, match=r"of the network 'lstm'; a state dict of Eskimez et al\. 2020 is made of"):
        share_torch(tmp_path / "weights.pt", tmp_path / "x.pt", mean=tmp_path / "m.npy", components=tmp_path / "c.npy")
