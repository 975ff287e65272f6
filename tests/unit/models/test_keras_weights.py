"""The reader of Keras 2 files against outputs of Keras itself (tests/data/keras), with a cell written out in numpy."""

import json
import shutil

import h5py
import numpy as np
import pytest

from talkface.errors import TalkfaceError
from talkface.models.keras_weights import read_keras

FUNCTIONS = {
    "linear": lambda x: x,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "tanh": np.tanh,
}
STACKS = {
    "stack_22": [["lstm", units, "sigmoid", "hard_sigmoid", 0.2, 0.2] for units in (12, 12, 12, 136)],
    "dense_25": [
        ["lstm", 16, "tanh", "sigmoid", 0.2, 0.2],
        ["lstm", 8, "sigmoid", "hard_sigmoid", 0.2, 0.2],
        ["dense", 136, "linear", "linear", 0.0, 0.0],
    ],
    "trained_25": [
        ["lstm", 8, "sigmoid", "sigmoid", 0.2, 0.2],
        ["lstm", 10, "tanh", "hard_sigmoid", 0.2, 0.2],
        ["dense", 136, "sigmoid", "linear", 0.0, 0.0],
    ],
}


@pytest.fixture(scope="module")
def keras(project):
    """Folder of the reference files."""
    return project / "tests" / "data" / "keras"


def run(layers, x):
    """Outputs (B, T, units) of inputs (B, T, width), float64, cell by cell."""
    for layer in layers:
        active, gate = FUNCTIONS[layer.activation], FUNCTIONS[layer.recurrent_activation]
        product = x @ layer.arrays["kernel"].astype(float) + layer.arrays["bias"]
        if layer.kind == "dense":
            x = active(product)
            continue
        h = c = np.zeros((len(x), layer.units))
        outputs = []
        for frame in range(x.shape[1]):
            i, f, g, o = np.split(product[:, frame] + h @ layer.arrays["recurrent_kernel"], 4, axis=1)
            c = gate(f) * c + gate(i) * active(g)
            h = gate(o) * active(c)
            outputs.append(h)
        x = np.stack(outputs, axis=1)
    return x


@pytest.mark.parametrize("name", STACKS)
def test_the_stack_and_its_outputs_are_those_of_keras(name, keras):
    layers = read_keras(keras / f"{name}.h5")
    assert [layer.entry for layer in layers] == STACKS[name]
    with np.load(keras / "outputs.npz") as references:
        given, output = references[f"{name}/input"], references[f"{name}/output"]
    assert layers[0].width == given.shape[-1]
    np.testing.assert_allclose(run(layers, given.astype(float)), output, atol=1e-5)


@pytest.fixture
def spoil(keras, tmp_path):
    """Copy a reference file and change it: `spoil(name, change)`, change(file, model_config) in place."""

    def make(name, change):
        path = shutil.copy(keras / f"{name}.h5", tmp_path / f"{name}.h5")
        with h5py.File(path, "r+") as file:
            text = file.attrs["model_config"]
            config = json.loads(text)
            change(file, config)
            if "model_config" in file.attrs:
                file.attrs["model_config"] = json.dumps(config)
        return path

    return make


def settings(config, place):
    return config["config"]["layers"][place]["config"]


def set_to(place, **values):
    return lambda file, config: settings(config, place).update(values)


def rename(place, kind):
    return lambda file, config: config["config"]["layers"][place].update(class_name=kind)


def replaced(path, value):
    def change(file, config):
        group = file["model_weights"]
        del group[path]
        if value is not None:
            group[path] = value

    return change


def feed_twice(file, config):
    config["config"]["layers"][2]["inbound_nodes"] = [[["input_2", 0, 0, {}]]]


NAN = np.full((12, 48), np.nan, np.float32)
FAULTS = [
    ("stack_22", rename(1, "Lambda"), r"layer 'lstm_2' is of kind Lambda; a stack of LSTM and Dense layers was exp"),
    ("stack_22", rename(1, "Bidirectional"), "layer 'lstm_2' is of kind Bidirectional"),
    ("stack_22", rename(0, "CuDNNLSTM"), "layer 'lstm_1' is of kind CuDNNLSTM"),
    ("stack_22", set_to(3, return_sequences=False), "layer 'lstm_4' has return_sequences False; True was expected"),
    ("stack_22", set_to(0, go_backwards=True), "layer 'lstm_1' has go_backwards True; False was expected"),
    ("stack_22", set_to(0, activation="swish"), "layer 'lstm_1' has the activation 'swish'; one of linear, sigmoid"),
    ("stack_22", set_to(0, activation={"class_name": "f"}), "has the activation {'class_name': 'f'}"),
    ("stack_22", set_to(0, recurrent_activation="tanh"), "has the activation 'tanh'; one of sigmoid, hard_sigmoid was"),
    ("stack_22", set_to(0, dropout="half"), "layer 'lstm_1' drops 'half'"),
    ("stack_22", set_to(0, units=0), "layer 'lstm_1' has units 0"),
    ("stack_22", set_to(1, units=13), r"layer 'lstm_2' has kernel of shape \(12, 48\) .* of shape \(12, 52\)"),
    ("stack_22", set_to(0, batch_input_shape=[None, 75, 256]), r"'lstm_1' has kernel of shape \(512, 48\) .*\(256, 48"),
    ("stack_22", replaced("lstm_2/lstm_2/bias:0", None), "layer 'lstm_2' has 0 arrays 'bias'; one was expected"),
    ("stack_22", replaced("lstm_3/lstm_3/recurrent_kernel:0", NAN), "'lstm_3' has NaN or infinite values in recurr"),
    ("stack_22", replaced("lstm_4", None), "layer 'lstm_4' has 0 arrays 'kernel'"),
    ("stack_22", lambda file, config: file.__delitem__("model_weights"), "has no group model_weights"),
    ("stack_22", lambda file, config: file.attrs.pop("model_config"), "has no model_config; .*model.save, not save_we"),
    ("stack_22", lambda file, config: file.attrs.update(keras_version="3.1.0"), "written by Keras 3.1.0; Keras 2 was"),
    ("stack_22", lambda file, config: config.pop("class_name"), "model_config is not one of Keras 2"),
    ("stack_22", lambda file, config: config["config"].update(layers=[]), "no layer with weights"),
    ("dense_25", lambda file, config: config.update(class_name="Encoder"), "a model of kind Encoder"),
    ("dense_25", feed_twice, "layer 'lstm_4' does not stand in one row with the others"),
    ("dense_25", lambda file, config: config["config"]["output_layers"].append(["x", 0, 0]), "1 inputs and 2 outputs"),
    ("trained_25", rename(2, "BatchNormalization"), "layer 'dropout' is of kind BatchNormalization"),
]


@pytest.mark.parametrize(("name", "change", "message"), FAULTS, ids=range(len(FAULTS)))
def test_a_file_that_does_not_fit_is_refused_in_one_line(name, change, message, spoil):
    path = spoil(name, change)
    with pytest.raises(TalkfaceError, match=message) as caught:
        read_keras(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_hdf5_and_half_an_hdf5(keras, tmp_path):
    text = tmp_path / "text.h5"
    text.write_text("no weights")
    half = tmp_path / "half.h5"
    half.write_bytes((keras / "stack_22.h5").read_bytes()[:200_000])
    for path in (text, half, tmp_path / "absent.h5"):
        with pytest.raises(TalkfaceError, match="not readable as HDF5") as caught:
            read_keras(path)
        assert "\n" not in str(caught.value)


def test_an_activation_layer_belongs_to_the_dense_layer_before_it(spoil):
    def add(file, config):
        layer = {"class_name": "Activation", "name": "a", "config": {"name": "a", "activation": "tanh"}}
        config["config"]["layers"].append(layer | {"inbound_nodes": [[["dense", 0, 0, {}]]]})
        config["config"]["output_layers"] = [["a", 0, 0]]

    assert read_keras(spoil("dense_25", add))[-1].activation == "tanh"


def test_a_bare_list_of_layers_as_before_keras_2_2_3(spoil):
    def flatten(file, config):
        config["config"] = config["config"]["layers"]

    assert [layer.entry for layer in read_keras(spoil("stack_22", flatten))] == STACKS["stack_22"]
