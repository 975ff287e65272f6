"""Keras 2 weights: a stack of LSTM and Dense layers from an .h5 file and into one, with h5py alone.

A file of `model.save` holds the text `model_config` (JSON: the layers and their settings) and the group `model_weights`
with a group a layer. Where in it the arrays lie changed over the years (`lstm_1/lstm_1/kernel:0` in Keras 2.2,
`lstm/lstm/lstm_cell/kernel:0` since 2.5, the name of a model before that for models inside models), so each is looked
for by its last name. Nothing is built or executed: layers that hold code are as unknown as any other.

Arrays as Keras lays them out, gates in the order input, forget, cell, output: kernel (width, 4 units), recurrent_kernel
(units, 4 units), bias (4 units); of a Dense layer kernel (width, units), bias (units).
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from talkface.errors import TalkfaceError

ACTIVATIONS = ("linear", "sigmoid", "hard_sigmoid", "tanh", "relu")
GATE_ACTIVATIONS = ("sigmoid", "hard_sigmoid")
EXPECTED = "a stack of LSTM and Dense layers was expected"
ARRAYS = ("kernel", "recurrent_kernel", "bias")  # in the order of Keras
PASSED = ("InputLayer", "Dropout")  # nothing of them is left at generation


@dataclasses.dataclass(frozen=True)
class Layer:
    """One layer of the stack.

    Attributes
    ----------
    name : str
        In the file.
    kind : {"lstm", "dense"}
    units : int
    activation : str
        Of candidate and output of an LSTM, or of a Dense layer.
    recurrent_activation : str
        Of an LSTM's gates; "linear" for a Dense layer.
    dropout, recurrent_dropout : float
        Share of the inputs and of the states that training drops.
    arrays : dict of float32 arrays
        kernel, recurrent_kernel (LSTM only), bias (zeros where the layer has none).
    has_bias : bool
    """

    name: str
    kind: str
    units: int
    activation: str
    recurrent_activation: str = "linear"
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    arrays: dict[str, NDArray] = dataclasses.field(default_factory=dict, repr=False)
    has_bias: bool = True

    @property
    def width(self) -> int:
        """Input numbers a frame."""
        return self.arrays["kernel"].shape[0]

    @property
    def entry(self) -> list:
        """The layer in the argument `stack` of the network lstm."""
        return [
            self.kind,
            self.units,
            self.activation,
            self.recurrent_activation,
            self.dropout,
            self.recurrent_dropout,
        ]


def read_keras(path: str | Path) -> list[Layer]:
    """Read the layers of a file that Keras 2 saved, first to last.

    Raises
    ------
    TalkfaceError
        If the file is damaged, holds no model, a layer of another kind or in another order than one after the other,
        or arrays that are missing, of a wrong shape or no numbers.
    """
    try:
        with h5py.File(path, "r") as file:
            return _read_layers(file, path)
    except OSError as error:
        raise TalkfaceError(
            f"{path}: not readable as HDF5 ({error}); a Keras 2 .h5 was expected; copy it again"
        ) from None


def write_keras(path: str | Path, layers: Sequence[Layer]) -> None:
    """Write layers as `model.save` of Keras 2 does, uncompiled, for frames of any number.

    Examples
    --------
    >>> import tempfile
    >>> arrays = {"kernel": np.ones((3, 2), np.float32), "bias": np.zeros(2, np.float32)}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_keras(Path(folder) / "model.h5", [Layer("dense_1", "dense", 2, "sigmoid", arrays=arrays)])
    ...     read_keras(Path(folder) / "model.h5")
    [Layer(name='dense_1', kind='dense', units=2, activation='sigmoid', recurrent_activation='linear', dropout=0.0, recurrent_dropout=0.0, has_bias=True)]
    """  # noqa: E501
    entries: list[dict[str, Any]] = []
    for layer in layers:
        config = {"name": layer.name, "trainable": True, "units": layer.units, "activation": layer.activation}
        config |= {"use_bias": True} if entries else {"use_bias": True, "batch_input_shape": [None, None, layer.width]}
        if layer.kind == "lstm":
            config |= {
                "return_sequences": True,
                "recurrent_activation": layer.recurrent_activation,
                "dropout": layer.dropout,
                "recurrent_dropout": layer.recurrent_dropout,
                "implementation": 1,
            }
        entries.append({"class_name": {"lstm": "LSTM", "dense": "Dense"}[layer.kind], "config": config})
    model = {"class_name": "Sequential", "config": {"name": "sequential_1", "layers": entries}}
    with h5py.File(path, "w") as file:
        file.attrs.update(keras_version=b"2.2.4", backend=b"tensorflow", model_config=json.dumps(model).encode())
        groups = file.create_group("model_weights")
        groups.attrs.update(
            keras_version=b"2.2.4", backend=b"tensorflow", layer_names=[layer.name.encode() for layer in layers]
        )
        for layer in layers:
            group = groups.create_group(layer.name)
            names = [f"{layer.name}/{key}:0" for key in ARRAYS if key in layer.arrays]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name in names:
                group[name] = layer.arrays[name.rsplit("/", 1)[-1].removesuffix(":0")].astype(np.float32)


def _read_layers(file: h5py.File, path: str | Path) -> list[Layer]:
    config = file.attrs.get("model_config")
    if config is None:
        raise TalkfaceError(
            f"{path}: has no model_config; a whole model of Keras 2 was expected (model.save, not save_weights); "
            "save it again with its model"
        )
    version = _text(file.attrs.get("keras_version", "2"))
    if not version.startswith("2"):
        raise TalkfaceError(f"{path}: written by Keras {version}; Keras 2 was expected; save it again with Keras 2")
    try:
        model = json.loads(_text(config))
        chain = _chain(model, path)
        layers: list[Layer] = []
        for entry in chain:
            _take(layers, entry, path)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise TalkfaceError(
            f"{path}: model_config is not one of Keras 2 ({type(error).__name__}: {error}); {EXPECTED}; save it again"
        ) from None
    if not layers:
        raise TalkfaceError(f"{path}: no layer with weights; {EXPECTED}; save the model again")
    groups = file.get("model_weights")
    if not isinstance(groups, h5py.Group):
        raise TalkfaceError(f"{path}: has no group model_weights; a whole model of Keras 2 was expected; save it again")
    given, width = _input_width(chain), None
    filled = []
    for layer in layers:
        arrays = _read_arrays(groups, layer, given if width is None else width, path)
        filled.append(dataclasses.replace(layer, arrays=arrays))
        width = layer.units
    return filled


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _chain(model: dict, path: str | Path) -> list[dict]:
    """Return the entries of the layers, each after the one that feeds it."""
    kind, config = model["class_name"], model["config"]
    if kind == "Sequential":
        return config if isinstance(config, list) else config["layers"]  # a bare list before Keras 2.2.3
    if kind not in ("Model", "Functional"):
        raise TalkfaceError(f"{path}: a model of kind {kind}; {EXPECTED}; only Sequential and functional ones are read")
    if len(config["input_layers"]) != 1 or len(config["output_layers"]) != 1:
        raise TalkfaceError(
            f"{path}: {len(config['input_layers'])} inputs and {len(config['output_layers'])} outputs; one of each was "
            "expected; only layers one after the other are read"
        )
    follows: dict[str, dict] = {}
    for entry in config["layers"]:
        nodes = entry["inbound_nodes"]
        if entry["class_name"] == "InputLayer" and not nodes:
            continue
        if len(nodes) != 1 or len(nodes[0]) != 1 or nodes[0][0][0] in follows:
            raise TalkfaceError(
                f"{path}: layer {entry['name']!r} does not stand in one row with the others; {EXPECTED}, "
                "each fed by the one before"
            )
        follows[nodes[0][0][0]] = entry
    chain, name = [], config["input_layers"][0][0]
    chain += [entry for entry in config["layers"] if entry["name"] == name]
    while name != config["output_layers"][0][0]:
        chain.append(follows.pop(name))
        name = chain[-1]["name"]
    return chain


def _take(layers: list[Layer], entry: dict, path: str | Path) -> None:
    """Add what an entry of model_config says to the layers so far."""
    kind, config = entry["class_name"], entry["config"]
    name = config["name"]
    if kind in PASSED:
        return
    if kind == "TimeDistributed" and config["layer"]["class_name"] == "Dense":
        kind, config = "Dense", config["layer"]["config"]  # a Dense layer works frame by frame anyhow
    if kind == "Activation" and layers and layers[-1].kind == "dense" and layers[-1].activation == "linear":
        layers[-1] = dataclasses.replace(layers[-1], activation=_activation(config["activation"], name, path))
        return
    if kind not in ("LSTM", "Dense"):
        raise TalkfaceError(
            f"{path}: layer {name!r} is of kind {kind}; {EXPECTED} (besides {', '.join(PASSED)}, TimeDistributed of "
            "Dense, Activation after Dense); such a model cannot be imported"
        )
    units = config["units"]
    if not isinstance(units, int) or units < 1:
        raise TalkfaceError(f"{path}: layer {name!r} has units {units!r}; a whole number from 1 was expected")
    activation, has_bias = _activation(config["activation"], name, path), bool(config.get("use_bias", True))
    if kind == "Dense":
        layers.append(Layer(name, "dense", units, activation, has_bias=has_bias))
        return
    for key, wanted in (("return_sequences", True), ("go_backwards", False), ("return_state", False)):
        if bool(config.get(key, False)) != wanted:
            raise TalkfaceError(
                f"{path}: layer {name!r} has {key} {not wanted}; {wanted} was expected, so that each frame of sound "
                "gives a frame; such a model cannot be imported"
            )
    shares = [config.get(key, 0.0) for key in ("dropout", "recurrent_dropout")]
    for share in shares:
        if not isinstance(share, int | float) or not 0 <= share < 1:
            raise TalkfaceError(f"{path}: layer {name!r} drops {share!r}; a share from 0 to below 1 was expected")
    recurrent = _activation(config["recurrent_activation"], name, path, known=GATE_ACTIVATIONS)
    dropout, recurrent_dropout = map(float, shares)
    layers.append(Layer(name, "lstm", units, activation, recurrent, dropout, recurrent_dropout, has_bias=has_bias))


def _activation(name: Any, layer: str, path: str | Path, *, known: tuple[str, ...] = ACTIVATIONS) -> str:
    if name not in known:
        raise TalkfaceError(
            f"{path}: layer {layer!r} has the activation {name!r}; one of {', '.join(known)} was expected; "
            "such a model cannot be imported"
        )
    return name


def _input_width(chain: list[dict]) -> int | None:
    """Return the input numbers a frame that the first entry gives, None where it gives none."""
    shape = chain[0]["config"].get("batch_input_shape")
    return shape[-1] if shape else None


def _read_arrays(groups: h5py.Group, layer: Layer, width: int | None, path: str | Path) -> dict[str, NDArray]:
    """Read and check the arrays of one layer; with `width` None, its kernel may take any number of inputs."""
    found: dict[str, list[h5py.Dataset]] = {}

    def keep(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            found.setdefault(name.rsplit("/", 1)[-1].removesuffix(":0"), []).append(item)

    group = groups.get(layer.name)
    if isinstance(group, h5py.Group):
        group.visititems(keep)
    columns = layer.units * (4 if layer.kind == "lstm" else 1)
    shapes = {"kernel": (width, columns), "recurrent_kernel": (layer.units, columns), "bias": (columns,)}
    if layer.kind == "dense":
        del shapes["recurrent_kernel"]
    arrays = {}
    for key, shape in shapes.items():
        if key == "bias" and not layer.has_bias:
            arrays[key] = np.zeros(columns, np.float32)
            continue
        if len(found.get(key, [])) != 1:
            raise TalkfaceError(
                f"{path}: layer {layer.name!r} has {len(found.get(key, []))} arrays {key!r}; one was expected; "
                "the file is not whole, save the model again"
            )
        dataset = found[key][0]
        if shape[0] is None and dataset.ndim == 2:
            shape = (dataset.shape[0], columns)
        if dataset.shape != shape or dataset.dtype.kind != "f":
            raise TalkfaceError(
                f"{path}: layer {layer.name!r} has {key} of shape {dataset.shape} and type {dataset.dtype}; numbers of "
                f"shape {shape} were expected; the file is not whole, save the model again"
            )
        arrays[key] = dataset[()].astype(np.float32)
        if not np.isfinite(arrays[key]).all():
            raise TalkfaceError(
                f"{path}: layer {layer.name!r} has NaN or infinite values in {key}; numbers were expected; "
                "take the weights of an earlier epoch"
            )
    return arrays
