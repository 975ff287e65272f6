"""Published training of the base network of Eskimez et al. 2020: windows one by one, each with its own gain.

Written plainly, and kind to it: all windows lie in memory, where the authors read an HDF5 file window by window.
Without dropout, which under their torch, 0.4.1, never happens.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

WINDOW, HOP, BATCH = 2_240, 320, 128  # samples at 8 kHz; windows a step
GAINS_DB = range(-12, 7, 3)


class PublishedNetwork(nn.Module):
    """Four convolutions and a linear layer on one window."""

    def __init__(self, outputs=6):
        super().__init__()
        self.conv1 = nn.Conv1d(1, 64, 21, stride=2)
        self.conv2 = nn.Conv1d(64, 128, 21, stride=2)
        self.conv3 = nn.Conv1d(128, 256, 21, stride=2)
        self.conv4 = nn.Conv1d(256, 512, 21, stride=2)
        self.fc1 = nn.Linear(512 * 122, outputs)
        for layer in self.children():
            nn.init.xavier_uniform_(layer.weight)

    def forward(self, window):
        """Map samples (B, 2240) to coefficients (B, outputs)."""
        x = window[:, None]
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = functional.leaky_relu(layer(x), 0.3)
        return functional.leaky_relu(self.fc1(x.flatten(1)), 0.3)


class Windows(torch.utils.data.Dataset):
    """Windows centred on their frames, and the coefficients of those.

    Parameters
    ----------
    clips : list of ((S,) float32 samples at 8 kHz, (T, K) float32 coefficients)
    """

    def __init__(self, clips):
        self.audio = [np.pad(samples, (WINDOW // 2, WINDOW + HOP)) for samples, _ in clips]
        self.target = [coefficients for _, coefficients in clips]
        self.index = [(clip, frame) for clip, (_, target) in enumerate(clips) for frame in range(len(target))]

    def __len__(self):
        """Return the number of windows."""
        return len(self.index)

    def __getitem__(self, item):
        """Return a window and the coefficients of its frame."""
        clip, frame = self.index[item]
        window = self.audio[clip][HOP * frame : HOP * frame + WINDOW]
        gain = 10 ** (GAINS_DB[torch.randint(len(GAINS_DB), ()).item()] / 20)
        return torch.from_numpy(window * np.float32(gain)), torch.from_numpy(self.target[clip][frame])


def published_steps(network, clips, *, seed):
    """Train `network` on `clips` for ever; yield after each step."""
    torch.manual_seed(seed)
    loader = torch.utils.data.DataLoader(Windows(clips), batch_size=BATCH, shuffle=True, drop_last=True)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, betas=(0.5, 0.999))
    network.train()
    while True:
        for window, target in loader:
            optimizer.zero_grad()
            functional.l1_loss(network(window), target).backward()
            optimizer.step()
            yield
