"""Models as the programs of the published systems write them, for use with those.

| file | holds | of |
|---|---|---|
| SPCH2FLM.pt | a state dict of torch: conv1 .. conv4, fc1 and, with the temporal condition, fc2 | Eskimez et al. 2020 |
| mean_shape.npy, eigen_vectors.npy | (1, 68 D) and (K, 68 D): the shape model that its coefficients belong to | |
| talkingFaceModel.h5 | a model of Keras 2, uncompiled: four LSTMs | Eskimez et al. 2018 |

D is 2, and 3 for imported models with a shape model in space.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from talkface.errors import TalkfaceError
from talkface.files import writing
from talkface.models.checkpoint import load_network, read_file
from talkface.models.keras_weights import Layer, write_keras
from talkface.models.layers.keras_lstm import KerasDense, KerasLSTM


def share_torch(
    weights: str | Path,
    state_dict: str | Path,
    *,
    mean: str | Path,
    components: str | Path,
    shape_model: Mapping[str, str | Path] | None = None,
) -> None:
    """Write the weights of a network cnn as a state dict, and its shape model beside them.

    Parameters
    ----------
    weights : path
        results/models/{corpus}/{model}/weights.pt.
    state_dict, mean, components : paths
        Outputs.
    shape_model : mapping of mean, components to paths, optional
        Files of an imported model, which are handed on as they are.

    Raises
    ------
    TalkfaceError
        If the model is of another network.
    """
    content = _read(weights, network="cnn", kind="a state dict of Eskimez et al. 2020")
    if shape_model:
        arrays = [np.load(shape_model[key], allow_pickle=False) for key in ("mean", "components")]
    else:
        arrays = [content["shape_model"][key].numpy() for key in ("mean", "components")]
        arrays[0] = arrays[0].reshape(1, -1)
    for path, array in zip((mean, components), arrays, strict=True):
        with writing(path) as temporary:
            np.save(temporary, array)
    with writing(state_dict) as temporary:
        torch.save({name: value.clone() for name, value in content["weights"].items()}, temporary)


def share_keras(weights: str | Path, output: str | Path) -> None:
    """Write a network lstm as a model of Keras 2.

    Keras's programs compute the features that `features: differences` names, and know no others.

    Parameters
    ----------
    weights : path
        results/models/{corpus}/{model}/weights.pt.
    output : path

    Raises
    ------
    TalkfaceError
        If the model is of another network.
    """
    _read(weights, network="lstm", kind="a model of Keras as Eskimez et al. 2018 have it")
    stack: nn.ModuleList = load_network(weights).layers  # type: ignore[assignment]
    with writing(output) as temporary:
        write_keras(temporary, [_layer(layer, number) for number, layer in enumerate(stack, start=1)])


def _read(weights: str | Path, *, network: str, kind: str) -> dict:
    content = read_file(weights)
    if content["network"] != network:
        raise TalkfaceError(
            f"{weights}: of the network {content['network']!r}; {kind} is made of the network {network!r} alone; ask "
            "for another model"
        )
    return content


def _layer(layer: nn.Module, number: int) -> Layer:
    arrays = {name: value.detach().numpy() for name, value in layer.named_parameters()}
    if isinstance(layer, KerasLSTM):
        return Layer(
            f"lstm_{number}", "lstm", layer.units, layer.activation, layer.recurrent_activation, layer.dropout,
            layer.recurrent_dropout, arrays,
        )  # fmt: skip
    assert isinstance(layer, KerasDense)
    return Layer(f"dense_{number}", "dense", layer.units, layer.activation, arrays=arrays)
