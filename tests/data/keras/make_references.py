"""Make the reference files beside this script with Keras 2 itself; the tests read them and need no TensorFlow.

Made with Python 3.11, tensorflow 2.21.0, tf_keras 2.21.0, h5py 3.14.0 and numpy 2.4.6 on a CPU, in an environment of
its own::

    python3 -m venv keras && keras/bin/pip install tensorflow==2.21.0 tf_keras==2.21.0
    TF_USE_LEGACY_KERAS=1 TF_ENABLE_ONEDNN_OPTS=0 keras/bin/python tests/data/keras/make_references.py

- stack_22.h5: LSTMs of 12, 12, 12, 136 units as in Eskimez et al. 2018 (sigmoid, hard_sigmoid), input 512; groups,
  attributes and config as Keras 2.2.4 wrote them.
- dense_25.h5: functional; LSTM 16 (tanh, sigmoid), LSTM 8 (sigmoid, hard_sigmoid), Dense 136, input 256; as Keras
  writes it since 2.5.
- trained_25.h5: Sequential; LSTM 8 (sigmoid, sigmoid), Dropout, LSTM 10 (tanh, hard_sigmoid) without bias,
  TimeDistributed Dense 136 sigmoid, input 128; trained one step, so that the optimiser's state lies in it.
- outputs.npz: `<model>/input` (2, T, width) float16, `<model>/output` (2, T, 136) float32; for the first two models
  with dropout on, over `<model>/draws` draws of the masks for the first of the inputs: `<model>/mean`,
  `<model>/variance` (T, 136) of the outputs, `<model>/variance_in_time` (136) of their mean over time, large only where
  one mask serves all frames.

All LSTMs drop 0.2 of the inputs and of the states, implementation 1.
"""

import json
from pathlib import Path

import h5py
import numpy as np
import tensorflow as tf
from tensorflow.keras import Input, Model, Sequential, layers

FOLDER = Path(__file__).parent
DRAWS, ROWS = 20_000, 500


def lstm(units, activation, recurrent, **keywords):
    """An LSTM as system A has it."""
    return layers.LSTM(
        units,
        activation=activation,
        recurrent_activation=recurrent,
        dropout=0.2,
        recurrent_dropout=0.2,
        implementation=1,
        return_sequences=True,
        **keywords,
    )


def build():
    """Name -> (model, frames)."""
    stack = Sequential([Input((None, 512)), *(lstm(units, "sigmoid", "hard_sigmoid") for units in (12, 12, 12, 136))])
    given = Input((None, 256))
    x = lstm(8, "sigmoid", "hard_sigmoid")(lstm(16, "tanh", "sigmoid")(given))
    dense = Model(given, layers.Dense(136)(x))
    trained = Sequential(
        [
            lstm(8, "sigmoid", "sigmoid", input_shape=(75, 128)),
            layers.Dropout(0.3),
            lstm(10, "tanh", "hard_sigmoid", use_bias=False),
            layers.TimeDistributed(layers.Dense(136, activation="sigmoid")),
        ]
    )
    return {"stack_22": (stack, 20), "dense_25": (dense, 24), "trained_25": (trained, 75)}


def randomise(model, generator):
    """Weights wide enough for the hard sigmoid to saturate in places."""
    fresh = []
    for value in model.get_weights():
        bound = 1.0 if value.ndim == 1 else 4.0 / np.sqrt(value.shape[0])
        fresh.append(generator.uniform(-bound, bound, value.shape).astype(np.float32))
    model.set_weights(fresh)


def save_as_22(model, path):
    """Write a Sequential of LSTMs with the groups, attributes and config of Keras 2.2.4."""
    entries = []
    with h5py.File(path, "w") as file:
        group = file.create_group("model_weights")
        names = []
        for index, layer in enumerate(model.layers, start=1):
            name = f"lstm_{index}"
            config = layer.get_config() | {"name": name}
            for key in ("dtype", "time_major"):  # written later than 2.2.4; initialisers are of no use to a reader
                config.pop(key, None)
            config = {key: value for key, value in config.items() if not isinstance(value, dict | None)}
            if index == 1:
                config["batch_input_shape"] = [None, 75, model.input_shape[-1]]
            entries.append({"class_name": "LSTM", "config": config})
            inner = group.create_group(name)
            weights = [f"{name}/{kind}:0" for kind in ("kernel", "recurrent_kernel", "bias")]
            for weight, value in zip(weights, layer.get_weights(), strict=True):
                inner.create_dataset(weight, data=value)
            inner.attrs["weight_names"] = np.array(weights, dtype="S")
            names.append(name)
        group.attrs["layer_names"] = np.array(names, dtype="S")
        config = {"class_name": "Sequential", "config": {"name": "sequential_1", "layers": entries}}
        for place in (file, group):
            place.attrs.update(backend=np.bytes_("tensorflow"), keras_version=np.bytes_("2.2.4"))
        file.attrs["model_config"] = np.bytes_(json.dumps(config))


def measure(model, given):
    """Statistics of training outputs for one input (T, width): mean, variance, variance of the mean over time."""
    first, second, means = 0.0, 0.0, []
    batch = np.repeat(given[None], ROWS, axis=0)
    for _ in range(DRAWS // ROWS):
        output = model(batch, training=True).numpy().astype(np.float64)  # (ROWS, T, 136)
        first, second = first + output.sum(axis=0), second + (output**2).sum(axis=0)
        means.append(output.mean(axis=1))
    mean = first / DRAWS
    variance = (second / DRAWS - mean**2) * DRAWS / (DRAWS - 1)
    return {"mean": mean, "variance": variance, "variance_in_time": np.concatenate(means).var(axis=0, ddof=1)}


def main():
    """Write all files."""
    tf.keras.utils.set_random_seed(128)
    generator = np.random.default_rng(128)
    arrays = {}
    for name, (model, frames) in build().items():
        given = generator.standard_normal((2, frames, model.input_shape[-1])).astype(np.float16)
        randomise(model, generator)
        if name == "trained_25":
            model.compile(loss="mse", optimizer="adam")
            model.train_on_batch(given.astype(np.float32), np.full((2, frames, 136), 0.5, np.float32))
        if name.endswith("_22"):
            save_as_22(model, FOLDER / f"{name}.h5")
        else:
            model.save(FOLDER / f"{name}.h5")
        arrays[f"{name}/input"] = given
        arrays[f"{name}/output"] = model(given.astype(np.float32), training=False).numpy()
        if name != "trained_25":  # its layer Dropout has no counterpart at generation
            arrays[f"{name}/draws"] = np.array(DRAWS)
            statistics = measure(model, given[0].astype(np.float32))
            arrays |= {f"{name}/{key}": value.astype(np.float32) for key, value in statistics.items()}
    np.savez_compressed(FOLDER / "outputs.npz", **arrays)


main()
