"""Published generation with the temporal condition: window by window, each after the one before it."""

import numpy as np
import torch
from published_training import HOP, WINDOW, PublishedNetwork
from torch import nn
from torch.nn import functional


class PublishedConditionedNetwork(PublishedNetwork):
    """Base network with a layer that sees the coefficients of the frame before.

    `dropping` says whether dropout happens in prediction, as it does when the authors' code runs under torch 1 or
    later; under theirs, 0.4.1, it never does.
    """

    def __init__(self, outputs=6):
        super().__init__(outputs)
        self.fc2 = nn.Linear(2 * outputs, outputs)
        nn.init.xavier_uniform_(self.fc2.weight)
        self.dropping = False

    def forward(self, window, earlier):
        """Map samples (B, 2240) and coefficients (B, outputs) of the frame before to those of this one."""
        x = window[:, None]
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = functional.dropout(functional.leaky_relu(layer(x), 0.3), 0.2, self.dropping)
        said = functional.leaky_relu(self.fc1(x.flatten(1)), 0.3)
        return self.fc2(torch.cat([said, earlier], dim=-1))


def published_conditioned_coefficients(network, samples, rest):
    """Predict coefficients (T, 6) of float32 samples (S,) at 8 kHz, levelled; `rest` (6,) before the first frame."""
    padded = np.pad(samples, WINDOW // 2)  # half a window of zeros at both ends
    found, earlier = [], torch.from_numpy(rest)[None]
    with torch.no_grad():
        for frame in range((len(padded) - WINDOW) // HOP + 1):
            window = torch.from_numpy(padded[HOP * frame : HOP * frame + WINDOW])[None]
            earlier = network(window, earlier)
            found.append(earlier[0].numpy())
    return np.stack(found)
