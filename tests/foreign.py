"""Files as the published systems left them, made up."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from talkface.face.template import load_template


def foreign_face(coordinates=3, *, scale=100.0, turn=0.1, shift=(300.0, 200.0)):
    """A face in pixels, turned and moved: (68, coordinates)."""
    depth = np.random.default_rng(0).uniform(-0.3, 0.3, (68, 1))
    turned = load_template() @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.hstack([turned * scale + shift, depth * scale])[:, :coordinates]


def write_shape_files(folder, **changed):
    """Write mean, components, template and boosts as .npy; keywords replace arrays, None leaves one out."""
    generator = np.random.default_rng(1)
    mean = foreign_face()
    arrays = {
        "mean": mean.reshape(1, -1),
        "components": generator.standard_normal((6, 204)) * 5,
        "template": mean * 1.5 + generator.standard_normal((68, 3)),
        "boosts": np.array([1, 2.4, 2.8, 3.2, 3.6, 4]),
    } | changed
    paths = {}
    for key, array in arrays.items():
        if array is not None:
            paths[key] = folder / f"{key}.npy"
            np.save(paths[key], array)
    return paths


class PlainNetwork(nn.Module):
    """The network of Eskimez et al. 2020 for one window at a time, names as in their state dicts."""

    def __init__(self, *, conditioned):
        super().__init__()
        channels = (1, 64, 128, 256, 512)
        for index in range(4):
            setattr(self, f"conv{index + 1}", nn.Conv1d(channels[index], channels[index + 1], 21, stride=2))
        self.fc1 = nn.Linear(512 * 122, 6)
        if conditioned:
            self.fc2 = nn.Linear(12, 6)
        for module in self.modules():
            if isinstance(module, nn.Conv1d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)

    def forward(self, window, previous):
        """Coefficients (6,) of a window (2240,), given those of the frame before."""
        x = window[None, None]
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = functional.leaky_relu(layer(x), 0.3)
        x = functional.leaky_relu(self.fc1(x.flatten(1)), 0.3)
        return (self.fc2(torch.cat([x, previous[None]], dim=1)) if hasattr(self, "fc2") else x)[0]


def predict_windows(network, samples, rest):
    """Coefficients (T, 6) of samples (S,) at 8 kHz, window by window, as the published code generates."""
    sound = functional.pad(torch.from_numpy(samples), (1120, 1120))
    previous, frames = torch.as_tensor(rest, dtype=torch.float32), []
    with torch.inference_mode():
        for start in range(0, len(sound) - 2240 + 1, 320):
            previous = network(sound[start : start + 2240], previous)
            frames.append(previous.numpy())
    return np.stack(frames)
