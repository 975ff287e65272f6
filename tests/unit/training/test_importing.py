"""Weights from elsewhere: what they predict is what their own networks predict; what does not fit is said in a line."""

import json
import pickle
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
import yaml

from talkface.errors import TalkfaceError
from talkface.face.shape_files import read_shape_model_files
from talkface.face.shape_model import fit_shape_model
from talkface.models.checkpoint import load_network, pack_network, read_file, save_file
from talkface.models.layers.keras_lstm import KerasLSTM
from talkface.models.registry import build_network
from talkface.prediction.streaming import predict_samples
from talkface.training.importing import import_weights, initial_shape_model, load_initial, read_weights
from tests.foreign import PlainNetwork, predict_windows, write_shape_files
from tests.toy_corpus import shapes, toy_clip

LEVEL = {"level": "recorded"}  # no matter of the weights


def bring_in(folder, weights_file, block, model="mine"):
    """Import into `folder`; the network, ready to predict."""
    outputs = {key: folder / f"{model}.{key}" for key in ("weights", "config", "card")}
    import_weights(weights_file, **outputs, model=model, block=block)
    return load_network(outputs["weights"])


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Networks of Eskimez et al. 2020 and their state dicts: name -> (network, file)."""
    folder, made = tmp_path_factory.mktemp("plain"), {}
    for name, conditioned in (("base", False), ("tc", True)):
        torch.manual_seed(3)
        network = PlainNetwork(conditioned=conditioned)
        network.fc1.weight.data *= 30  # coefficients of about 0.1
        if conditioned:
            network.fc2.weight.data *= 0.8
        made[name] = (network, folder / f"{name}.pt")
        torch.save(network.state_dict(), made[name][1])
    return made


@pytest.fixture(scope="module")
def shape_files(tmp_path_factory):
    """Files of a made-up shape model."""
    return {key: str(path) for key, path in write_shape_files(tmp_path_factory.mktemp("shape")).items()}


@pytest.fixture(scope="module")
def keras(project):
    return project / "tests" / "data" / "keras"


@pytest.fixture(scope="module")
def speech():
    """(S,) int16 at 8 kHz; as the networks get it, float32."""
    samples = toy_clip("x", rates=(8_000,)).audio[8_000][:12_345]
    return samples, samples.astype(np.float32) / 32_768


# A state dict of Eskimez et al. 2020 ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["base", "tc"])
def test_a_state_dict_predicts_as_its_network_does_window_by_window(name, plain, shape_files, speech, tmp_path):
    theirs, path = plain[name]
    files = {key: value for key, value in shape_files.items() if key != "boosts"}
    ours = bring_in(tmp_path, path, {"network": "cnn", "shape_model": files, "arguments": LEVEL})
    shape_model, rest, _ = read_shape_model_files(files)
    expected = predict_windows(theirs, speech[1], rest)
    sound = torch.from_numpy(np.pad(speech[1], 1120))[None, : 2240 + 320 * (len(expected) - 1)]
    with torch.inference_mode():
        coefficients = ours(sound)[0][0].numpy()
    np.testing.assert_allclose(coefficients, expected, atol=1e-5)
    faces = predict_samples(ours, speech[0])
    assert faces.shape == (12_345 // 320 + 1, 68, 3)
    np.testing.assert_allclose(faces, shape_model.decode(expected), atol=1e-5)


def test_boosts_act_on_what_is_shown_and_not_on_what_is_fed_back(plain, shape_files, speech, tmp_path):
    theirs, path = plain["tc"]
    ours = bring_in(tmp_path, path, {"network": "cnn", "shape_model": shape_files, "arguments": LEVEL})
    shape_model, rest, boosts = read_shape_model_files(shape_files)
    expected = shape_model.decode(predict_windows(theirs, speech[1], rest) * boosts)
    np.testing.assert_allclose(predict_samples(ours, speech[0]), expected, atol=1e-4)


def test_published_shape_model(plain, shared_data, speech, tmp_path):
    """Decoded faces are the mean shape + coefficients @ eigen vectors, moved by one similarity."""
    names = {"mean": "mean_shape", "components": "eigen_vectors", "template": "mean"}
    files = {key: str(shared_data / "reference" / f"eskimez2020_{name}.npy") for key, name in names.items()}
    theirs, path = plain["tc"]
    ours = bring_in(tmp_path, path, {"network": "cnn", "shape_model": files, "arguments": LEVEL})
    coefficients = predict_windows(theirs, speech[1], read_shape_model_files(files)[1])
    vectors, mean = np.load(files["components"]).astype(float), np.load(files["mean"]).astype(float)
    landmarks = (mean + coefficients @ vectors).reshape(-1, 68, 3)
    right, left = mean.reshape(68, 3)[[36, 45], :2] @ [1, 1j]
    plane = (landmarks[..., :2] @ [1, 1j] - (right + left) / 2) / (left - right)
    depth = landmarks[..., 2] / abs(left - right)
    expected = np.stack([plane.real, plane.imag, depth], axis=-1)
    np.testing.assert_allclose(predict_samples(ours, speech[0]), expected, atol=2e-5)


@pytest.mark.parametrize("wrapper", ["state_dict", "model"])
def test_wrapped_state_dicts_with_prefixes(wrapper, plain, shape_files, tmp_path):
    state = {f"module.{key}": value for key, value in torch.load(plain["base"][1], weights_only=True).items()}
    path = tmp_path / "wrapped.pt"
    torch.save({"epoch": 7, wrapper: state, "optimizer": {"lr": 1e-4}}, path)
    ours = bring_in(tmp_path, path, {"network": "cnn", "shape_model": shape_files})
    torch.testing.assert_close(ours.fc1.weight, plain["base"][0].fc1.weight)


def test_files_of_old_versions_saved_on_a_graphics_card(plain, tmp_path):
    """As PyTorch 0.4 wrote them: no zip, storages of torch.cuda."""
    path = tmp_path / "old.pt"
    torch.save({"conv1.weight": torch.arange(5.0)}, path, _use_new_zipfile_serialization=False)
    data = path.read_bytes().replace(b"ctorch\nFloatStorage\n", b"ctorch.cuda\nFloatStorage\n")
    path.write_bytes(data.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"))
    assert b"cuda:0" in path.read_bytes()
    assert read_weights(path).tensors["conv1.weight"].tolist() == [0, 1, 2, 3, 4]


def test_what_is_written_beside_the_weights(plain, shape_files, tmp_path):
    block = {"network": "cnn", "shape_model": shape_files, "weights": str(plain["tc"][1])}
    bring_in(tmp_path, plain["tc"][1], block, model="tc")
    content = read_file(tmp_path / "tc.weights")
    assert content["facts"]["steps"] == 0
    assert content["facts"]["parameters"] == 3_989_766 + 78
    resolved = yaml.safe_load((tmp_path / "tc.config").read_text())["models"]["tc"]
    assert resolved["arguments"]["temporal_condition"] is True
    assert resolved["arguments"]["boosts"] == [1, 2.4, 2.8, 3.2, 3.6, 4]
    assert len(resolved["arguments"]["rest"]) == 6
    card = (tmp_path / "tc.card").read_text()
    assert "imported from a PyTorch state dict, `tc.pt`" in card
    assert content["facts"]["digest"] in card


# Keras files of Eskimez et al. 2018 --------------------------------------------------------------------------------

CONTEXTS = {"stack_22": 3, "dense_25": 1, "trained_25": 0}


@pytest.fixture(scope="module")
def references(keras):
    """Inputs and outputs of Keras itself, by name; see tests/data/keras/make_references.py."""
    with np.load(keras / "outputs.npz") as file:
        return dict(file)


@pytest.mark.parametrize("name", CONTEXTS)
def test_outputs_are_those_of_keras(name, keras, references, tmp_path):
    network = bring_in(tmp_path, keras / f"{name}.h5", LSTM)
    assert network.context == CONTEXTS[name]
    given = torch.from_numpy(references[f"{name}/input"].astype(np.float32))
    with torch.inference_mode():
        outputs, _ = network.run(given)
    np.testing.assert_allclose(outputs.numpy(), references[f"{name}/output"], atol=1e-5)


def deviations(network, name, references, draws=4_000):
    """How far mean and variances with dropout on lie from those of Keras, in standard errors."""
    given = torch.from_numpy(references[f"{name}/input"][:1].astype(np.float32))
    torch.manual_seed(1)
    network.train()
    with torch.no_grad():
        outputs = [network.run(given.expand(500, -1, -1))[0].double().numpy() for _ in range(draws // 500)]
    outputs = np.concatenate(outputs)  # (draws, T, 136)
    share = 1 / draws + 1 / references[f"{name}/draws"]

    def variance_deviation(values, expected):
        fourth = ((values - values.mean(axis=0)) ** 4).mean(axis=0)
        variance = values.var(axis=0, ddof=1)
        return (variance - expected) / np.sqrt((fourth - variance**2) * share)

    return {
        "mean": (outputs.mean(axis=0) - references[f"{name}/mean"]) / np.sqrt(outputs.var(axis=0, ddof=1) * share),
        "variance": variance_deviation(outputs, references[f"{name}/variance"]),
        "variance_in_time": variance_deviation(outputs.mean(axis=1), references[f"{name}/variance_in_time"]),
    }


@pytest.mark.parametrize("name", ["stack_22", "dense_25"])
def test_masks_of_dropout_are_distributed_as_those_of_keras(name, keras, references, tmp_path):
    network = bring_in(tmp_path, keras / f"{name}.h5", LSTM)
    for what, deviation in deviations(network, name, references).items():
        assert np.abs(deviation).max() < 5, what
        assert 0.7 < np.sqrt(np.mean(deviation**2)) < 1.3, what


def test_one_mask_for_all_gates_would_be_another_distribution(keras, references, tmp_path, monkeypatch):
    network = bring_in(tmp_path, keras / "stack_22.h5", LSTM)
    draw = KerasLSTM.draw_masks

    def shared(layer, batch):
        return tuple(mask[:1].repeat(4, 1, 1) for mask in draw(layer, batch))

    monkeypatch.setattr(KerasLSTM, "draw_masks", shared)
    found = deviations(network, "stack_22", references)
    assert np.abs(found["variance"]).max() > 10
    assert np.abs(found["variance_in_time"]).max() > 10


def test_an_imported_stack_predicts_from_sound(keras, tmp_path):
    """Faces of the template frame, streamed or over the published windows, from the features that Keras was given."""
    samples = toy_clip("x", rates=(44_100,)).audio[44_100]
    for generation in ("stateful", "window"):
        block = LSTM | {"arguments": {"delay": 1, "generation": generation}}
        network = bring_in(tmp_path, keras / "stack_22.h5", block)
        faces = predict_samples(network, samples)
        assert faces.shape == (61, 68, 2)
        np.testing.assert_allclose(faces[:, [36, 45]], np.broadcast_to([[-0.5, 0], [0.5, 0]], (61, 2, 2)), atol=1e-4)
        frames = torch.from_numpy(samples.astype(np.float32) / 32_768)
        with torch.inference_mode():
            features = network.listen(frames, 62)
            inputs = network.with_context(torch.cat([features[:1].expand(3, -1), features])[None])
            assert inputs.shape == (1, 62, 512)
            whole = network.decode(network.run(inputs[:, :60])[0])[0, 1:].numpy()
        if generation == "stateful":
            np.testing.assert_allclose(faces[:59], whole, atol=1e-4)


def test_the_file_says_what_it_was_trained_on(keras, tmp_path):
    """Whatever an entry that this one is like says of features, level and sizes."""
    repaired = {"hidden": 250, "delay": 1, "context": 3, "features": "levels", "normalisation": "template"}
    block = LSTM | {"arguments": repaired | {"generation": "stateful", "level": "running", "dropout": 0.2}}
    network = bring_in(tmp_path, keras / "stack_22.h5", block)
    assert (network.features, network.level, network.delay, network.context) == ("differences", "recorded", 1, 3)
    assert [layer.units for layer in network.layers] == [12, 12, 12, 136]
    stated = yaml.safe_load((tmp_path / "mine.config").read_text())["models"]["mine"]["arguments"]
    assert stated["features"] == "differences"
    assert stated["stack"][3] == ["lstm", 136, "sigmoid", "hard_sigmoid", 0.2, 0.2]


def test_a_start_from_a_keras_file(keras, tmp_path):
    network = bring_in(tmp_path, keras / "dense_25.h5", LSTM)
    with torch.no_grad():
        network.layers[0].kernel.zero_()
    load_initial(network, keras / "dense_25.h5")
    torch.testing.assert_close(network.state_dict(), load_network(tmp_path / "mine.weights").state_dict())
    message = r"stack_22\.h5: 512 inputs .* into lstm 12 .*; 256 inputs .* into lstm 16 .* were expected"
    refused(message, load_initial, network, keras / "stack_22.h5")


def altered(keras, path, change):
    """A reference file whose model_config is changed."""
    shutil.copy(keras / "stack_22.h5", path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        change(config["config"]["layers"])
        file.attrs["model_config"] = json.dumps(config)
    return path


def test_keras_files_that_do_not_fit(keras, tmp_path):
    stack = keras / "stack_22.h5"
    refused("stack_22.h5: takes 512 numbers .* set context: 3", bring_in, tmp_path, stack, LSTM | CONTEXT_5)
    refused("gives 12 numbers a frame; 136", bring_in, tmp_path, altered(keras, tmp_path / "a.h5", list.pop), LSTM)
    path = altered(keras, tmp_path / "b.h5", lambda layers: layers[2].update(class_name="Lambda"))
    refused("layer 'lstm_3' is of kind Lambda; a stack of LSTM and Dense", bring_in, tmp_path, path, LSTM)
    path = altered(keras, tmp_path / "c.h5", lambda layers: layers[2]["config"].update(recurrent_activation="sigmoid"))
    network = bring_in(tmp_path, stack, LSTM)
    refused(r"lstm 12 sigmoid sigmoid, .*; correct hidden", load_initial, network, path)
    message = "weights of network 'lstm'; 'cnn' was expected"
    refused(message, bring_in, tmp_path, tmp_path / "mine.weights", LSTM | {"network": "cnn"}, model="other")


LSTM = {"network": "lstm"}
CONTEXT_5 = {"arguments": {"context": 5}}


# Our own ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Fresh weights of the network talkface, small."""
    path = tmp_path_factory.mktemp("own") / "weights.pt"
    faces = shapes(np.random.default_rng(0).uniform(size=50)) + np.random.default_rng(1).normal(0, 0.01, (50, 68, 2))
    shape_model = fit_shape_model(faces, components=4)
    arguments = {"bands": 16, "channels": 16, "hidden": 16}
    torch.manual_seed(0)
    network = build_network("talkface", shape_model, arguments)
    content = pack_network(network, name="talkface", arguments=arguments, shape_model=shape_model)
    save_file(path, content | {"facts": {"steps": 12, "corpus": "toy"}})
    return path


def test_our_own_weights(own, tmp_path):
    network, again = load_network(own), bring_in(tmp_path, own, {"network": "talkface"})
    samples = toy_clip("x", rates=(16_000,)).audio[16_000]
    np.testing.assert_array_equal(predict_samples(again, samples), predict_samples(network, samples))
    assert read_file(tmp_path / "mine.weights")["facts"]["steps"] == 12


def test_a_start_from_our_own_weights_and_from_a_state_dict(own, plain, shape_files):
    network = load_network(own)
    faces = shapes(np.random.default_rng(2).uniform(size=50)) + np.random.default_rng(3).normal(0, 0.01, (50, 68, 2))
    fresh = build_network("talkface", fit_shape_model(faces, components=4), SMALL)
    load_initial(fresh, own)
    kept = {name: value for name, value in fresh.state_dict().items() if ".out." not in name}
    torch.testing.assert_close(kept, {name: network.state_dict()[name] for name in kept})
    sound = torch.randn(1, network.before + 9 * 640 + network.after, generator=torch.Generator().manual_seed(0)) * 0.1
    fresh.eval().closing = network.closing = None
    with torch.inference_mode():  # coefficients of another shape model, for the same faces, as far as it shows them
        theirs, ours = (each.decode(each(sound)[0]) for each in (network, fresh))
        torch.testing.assert_close(ours, fresh.decode(fresh.encode(theirs)), atol=1e-4, rtol=0)
    cnn = build_network("cnn", read_shape_model_files(shape_files)[0], {})
    load_initial(cnn, plain["base"][1])
    torch.testing.assert_close(cnn.fc1.weight, plain["base"][0].fc1.weight)
    with pytest.raises(TalkfaceError, match=r"tc\.pt: has fc2\.bias, fc2\.weight besides; the weights of network"):
        load_initial(cnn, plain["tc"][1])
    with pytest.raises(TalkfaceError, match="weights of network 'talkface'; 'cnn' was expected; correct `init`"):
        load_initial(cnn, own)


SMALL = {"bands": 16, "channels": 16, "hidden": 16}


# What does not fit ------------------------------------------------------------------------------------------------


def refused(message, call, *arguments, **keywords):
    """The call fails with one line that matches."""
    with pytest.raises(TalkfaceError, match=message) as caught:
        call(*arguments, **keywords)
    assert "\n" not in str(caught.value)


class Code:
    """Unpickled, it would make a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_would_run_code_does_not_run(zipped, tmp_path):
    trace = tmp_path / "it_ran"
    torch.save({"conv1.weight": Code(trace)}, tmp_path / "evil.pt", _use_new_zipfile_serialization=zipped)
    refused(r"evil\.pt: holds Python objects \(.*\) that might run code", read_weights, tmp_path / "evil.pt")
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(Code(trace)))
    refused("evil.pkl: (holds Python objects|not readable as weights)", read_weights, tmp_path / "evil.pkl")
    assert not trace.exists()


def test_a_whole_module_is_refused(plain, tmp_path):
    torch.save(plain["base"][0], tmp_path / "module.pt")
    message = r"module\.pt: holds Python objects \(tests\.foreign\.PlainNetwork\) .*save model\.state_dict\(\) instead"
    refused(message, read_weights, tmp_path / "module.pt")


def test_files_that_hold_no_weights(plain, keras, tmp_path):
    (tmp_path / "text.pt").write_text("hello, these are no weights\n")
    (tmp_path / "empty.pt").touch()
    (tmp_path / "half.pt").write_bytes(plain["base"][1].read_bytes()[:3_000_000])
    (tmp_path / "text.h5").write_text("hello")
    for name in ("text.pt", "empty.pt", "half.pt"):
        message = rf"{name}: not readable as weights .*a PyTorch state dict or an .h5 of Keras 2"
        refused(message, read_weights, tmp_path / name)
    refused(r"text\.h5: not readable as HDF5", read_weights, tmp_path / "text.h5")
    refused(r"absent\.pt: there is no such file", read_weights, tmp_path / "absent.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    refused(r"list\.pt: holds a list; tensors by name were expected", read_weights, tmp_path / "list.pt")
    torch.save({"epoch": 3}, tmp_path / "epoch.pt")
    refused(r"epoch\.pt: holds 'epoch', a int; tensors by name", read_weights, tmp_path / "epoch.pt")


def state_with(plain, path, **changed):
    """A state dict of the base network with tensors replaced, or left out (None)."""
    state = torch.load(plain["base"][1], weights_only=True) | {
        key.replace("_", "."): value for key, value in changed.items()
    }
    torch.save({key: value for key, value in state.items() if value is not None}, path)
    return path


def test_tensors_that_are_missing_superfluous_misshapen_or_no_numbers(plain, shape_files, tmp_path):
    block = {"network": "cnn", "shape_model": shape_files}
    path = tmp_path / "bad.pt"
    refused(
        r"bad\.pt: lacks conv2\.bias; the weights of network 'cnn' with these arguments were expected, conv1\.bias",
        bring_in, tmp_path, state_with(plain, path, conv2_bias=None), block,
    )  # fmt: skip
    more = state_with(plain, path, fc3_bias=torch.ones(1))
    refused(r"bad\.pt: has fc3\.bias besides", bring_in, tmp_path, more, block)
    refused(
        r"bad\.pt: conv1\.weight has the shape \(64, 1, 11\); \(64, 1, 21\) was expected by network 'cnn'",
        bring_in, tmp_path, state_with(plain, path, conv1_weight=torch.ones(64, 1, 11)), block,
    )  # fmt: skip
    bad = torch.full((64,), torch.nan)
    refused(
        r"bad\.pt: conv1\.bias holds NaN or infinite values",
        bring_in, tmp_path, state_with(plain, path, conv1_bias=bad), block,
    )  # fmt: skip
    assert not list(tmp_path.glob("mine.*"))


def test_weights_of_the_wrong_network(plain, own, shape_files, keras, tmp_path):
    base = plain["base"][1]
    message = r"base\.pt: a PyTorch state dict; network 'talkface' takes a weights\.pt of this project; correct"
    refused(message, bring_in, tmp_path, base, {"network": "talkface"})
    refused(r"stack_22\.h5: an \.h5 of Keras 2; network 'cnn' takes", bring_in, tmp_path, keras / "stack_22.h5", CNN)
    refused("weights of network 'talkface'; 'cnn' was expected", bring_in, tmp_path, own, CNN)
    torch.save(torch.nn.Linear(3, 3).state_dict(), tmp_path / "linear.pt")
    block = CNN | {"shape_model": shape_files}
    message = r"linear\.pt: lacks conv1\.bias, .* has bias, weight besides"
    refused(message, bring_in, tmp_path, tmp_path / "linear.pt", block)
    block = {"network": "talkface", "arguments": {"hidden": 32}}
    refused(r"weights\.pt: .* has the shape .* was expected by network 'talkface'", bring_in, tmp_path, own, block)


CNN = {"network": "cnn"}


def test_a_condition_the_weights_do_not_have(plain, shape_files, tmp_path):
    block = CNN | {"shape_model": shape_files}
    for name, said in (("base", True), ("tc", False)):
        message = rf"{name}\.pt: .*fc2.*temporal_condition.* correct"
        refused(message, bring_in, tmp_path, plain[name][1], block | {"arguments": {"temporal_condition": said}})


def test_shape_models_that_are_missing_or_of_another_size(plain, own, shape_files, tmp_path):
    base = plain["base"][1]
    refused("models.mine has no shape_model; its files mean and components", bring_in, tmp_path, base, CNN)
    block = CNN | {"shape_model": {key: value for key, value in shape_files.items() if key != "components"}}
    refused("shape_model has no 'components'", bring_in, tmp_path, base, block)
    block = CNN | {"shape_model": shape_files | {"mean": str(tmp_path / "none.npy")}}
    refused(r"none\.npy: there is no such file", bring_in, tmp_path, base, block)
    np.save(tmp_path / "four.npy", np.ones((4, 204)))
    block = CNN | {"shape_model": {"mean": shape_files["mean"], "components": str(tmp_path / "four.npy")}}
    refused(r"base\.pt: .*6 coefficients.* 4 ", bring_in, tmp_path, base, block)
    block = {"network": "talkface", "shape_model": shape_files}
    refused("models.mine.shape_model is not used", bring_in, tmp_path, own, block)


def test_weights_of_earlier_versions_speak_as_they_did(tmp_path):
    """They do not state what was not known yet; the config of today says nothing about them."""
    samples = toy_clip("x", rates=(16_000,)).audio[16_000]
    shape_model, small = fit_shape_model(shapes(np.linspace(0, 1, 9)), components=4), {"bands": 16, "channels": 16}
    then = {"level": "running", "phone_weight": 0.0, "closing": 0.0, "inputs": "bands"}
    network = build_network("talkface", shape_model, small | then).eval()
    before = predict_samples(network, samples)
    content = pack_network(network, name="talkface", arguments=small, shape_model=shape_model)
    save_file(tmp_path / "old.pt", content | {"arguments": small})
    np.testing.assert_array_equal(predict_samples(load_network(tmp_path / "old.pt"), samples), before)
    today = {"phone_weight": 0.01, "closing": 0.5, "level": "recorded", "inputs": "cepstra"}
    again = bring_in(tmp_path, tmp_path / "old.pt", {"network": "talkface", "arguments": today})
    np.testing.assert_array_equal(predict_samples(again, samples), before)


def test_a_training_that_starts_from_our_own_weights_takes_their_shape_model(own, plain):
    mean = initial_shape_model(own).mean
    np.testing.assert_allclose(mean, load_network(own).mean.reshape(68, 2).numpy(), rtol=0, atol=1e-6)
    assert initial_shape_model(plain["base"][1]) is None
