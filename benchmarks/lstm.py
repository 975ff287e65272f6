"""Speed of the network of 2018: a training step, generation over windows, and a frame of streaming."""

import time
from pathlib import Path

import numpy as np
import torch
from published_lstm import keras_step, plain_layer, published_outputs, stacked_layer
from speech_data import sentences
from torch import nn

from talkface.face.shape_model import ShapeModel
from talkface.face.template import load_template
from talkface.media.sound import resample
from talkface.models.layers.keras_lstm import KerasLSTM
from talkface.models.registry import build_network

BATCH, FRAMES = 128, 75
SIZES = ((512, 250), (250, 250), (250, 250), (250, 136))  # context 3
ROUNDS = 5
STREAMED = 250  # frames


def run(data: Path | None) -> list[dict]:
    """Measure seconds a training step, frames a second of generation, milliseconds a frame; and differences."""
    rows = [*_training(torch.device("cpu")), *_generation(data), *_streaming()]
    if torch.cuda.is_available():
        rows += _training(torch.device("cuda"))
    return [{"case": "lstm"} | row for row in rows]


def _seconds(function, device) -> float:
    start = time.perf_counter()
    function()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _training(device: torch.device) -> list[dict]:
    torch.manual_seed(0)
    ours = nn.ModuleList(KerasLSTM(*size, dropout=0.2, recurrent_dropout=0.2) for size in SIZES).to(device)
    theirs = nn.ModuleList(nn.LSTM(*size, batch_first=True) for size in SIZES).to(device)
    x = torch.randn(BATCH, FRAMES, SIZES[0][0], device=device)
    target = torch.rand(BATCH, FRAMES, SIZES[-1][1], device=device)

    def step(run_layer, layers):
        layers.zero_grad()
        torch.manual_seed(1)
        y = x
        for layer in layers:
            y = run_layer(layer, y)
        (y - target).square().mean().backward()

    steps = {
        "ours": lambda: step(lambda layer, y: layer(y)[0], ours),
        "torch.nn.LSTM (tanh, no masks)": lambda: step(lambda layer, y: layer(y)[0], theirs),
        "plain loop over cells": lambda: step(lambda layer, y: plain_layer(layer, y, layer.draw_masks(len(y))), ours),
        "the same, gates stacked": lambda: step(
            lambda layer, y: stacked_layer(layer, y, layer.draw_masks(len(y))), ours
        ),
    }
    if device.type == "cpu" and (keras := keras_step(SIZES, x, target)):
        steps["tf_keras itself"] = keras
    gradients = {}
    for name in ("ours", "plain loop over cells"):
        steps[name]()
        gradients[name] = [value.grad.clone() for value in ours.parameters()]
    for function in steps.values():  # the first step allocates, compiles, records
        function()
    times = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, function in steps.items():
            times[name].append(_seconds(function, device))
    times = {name: np.array(values) for name, values in times.items()}
    work = f"training step of {BATCH} x {FRAMES} frames" + (", on a graphics card" if device.type == "cuda" else "")
    rows = []
    for name in list(steps)[1:]:
        slower, required = times[name] / times["ours"], ""
        if name.startswith("torch"):
            slower, required = 1 / slower, "<= 1.5" if device.type == "cpu" else ""
        elif name.startswith("plain") and device.type == "cuda":
            required = ">= 10"
        rows.append(
            {"work": f"{work}; beside {name}", "unit": "s", "published": np.median(times[name])}
            | {"ours": np.median(times["ours"]), "ratio": np.median(slower), "required": required}
        )
    differences = [
        float((own - other).abs().max() / other.abs().max())
        for own, other in zip(gradients["ours"], gradients["plain loop over cells"], strict=True)
    ]
    rows.append(
        {"work": f"{work}; largest difference of gradients", "unit": "share of the largest", "ours": max(differences)}
        | {"required": "<= 1e-4"}
    )
    return rows


def _network(**arguments):
    torch.manual_seed(0)
    faces = ShapeModel(load_template(), np.zeros((0, 136)), np.zeros(0), np.zeros(0))
    return build_network("lstm", faces, {"features": "differences", "level": "recorded"} | arguments).eval()


def _generation(data: Path | None) -> list[dict]:
    network = _network(generation="window")
    samples = resample(sentences(data)[0], 8_000, 44_100) / np.float32(32_768)
    frames = 1 + len(samples) // network.SIZE
    features = network.listen(torch.from_numpy(samples), frames)  # (T, 128)
    inputs = network.with_context(torch.cat([features[:1].expand(network.context, -1), features])[None])  # (1, T, 512)
    ways = {
        "frame by frame, plain loop over cells": lambda: published_outputs(network.layers, inputs[0]),
        "frame by frame, our layers": lambda: published_outputs(
            network.layers, inputs[0], lambda layer, x, _: layer(x)[0]
        ),
        "ours": lambda: network.run_windows(inputs, None)[0][0].numpy(),
    }
    times = {name: [] for name in ways}
    results = {}
    for _ in range(3):
        for name, function in ways.items():
            start = time.perf_counter()
            results[name] = function()
            times[name].append(time.perf_counter() - start)
    times = {name: np.array(values) for name, values in times.items()}
    rows = []
    for name, required in zip(list(ways)[:2], (">= 12", ""), strict=True):
        rows.append(
            {"work": f"generation over windows, {frames} frames; {name}", "unit": "frames/s"}
            | {"published": frames / np.median(times[name]), "ours": frames / np.median(times["ours"])}
            | {"ratio": np.median(times[name] / times["ours"]), "required": required}
        )
    difference = np.abs(results["ours"] - results["frame by frame, plain loop over cells"]).max()
    rows.append(
        {"work": "generation over windows, largest difference", "unit": "of the picture's width", "ours": difference}
        | {"required": "<= 1e-5"}
    )
    return rows


def _streaming() -> list[dict]:
    network = _network(features="levels", delay=1)
    generator = torch.Generator().manual_seed(0)
    samples = 0.1 * torch.randn(1, network.before + STREAMED * network.hop + network.after, generator=generator)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    times, state = [], None
    with torch.inference_mode():
        for frame in range(STREAMED):
            start = time.perf_counter()
            first = frame * network.hop
            outputs, state = network(samples[:, first : first + network.before + network.after], state)
            network.decode(outputs)
            times.append(time.perf_counter() - start)
    torch.set_num_threads(threads)
    return [
        {"work": "streaming: 40 ms of sound to a face, one core, median", "unit": "ms"}
        | {"ours": 1_000 * np.median(times), "required": "< 2"}
    ]
