"""The base network of Eskimez, Maddox, Xu, Duan 2020, "Noise-Resilient Training Method for Face Landmark Generation
From Speech" (TASLP 28:27-38), after the description in the paper; weights of the authors' code fit by name.

Speech at 8 kHz, a window of 7 frames (2,240 samples), four convolutions, a linear layer, 6 coefficients. Windows of
neighbouring frames share six sevenths of their samples, and their hop of 320 samples is 20 strides of the stack, so the
convolutions run once over a stretch and serve all of its windows; the linear layer is then a convolution, too.

Where the window lies: [320 i - 1120, 320 i + 1120) of frame i, in training and in prediction. (The authors' training
windows lie 20 ms later than those of their generation; and they keep dropout on when generating.)

Axes: B stretches, N samples, C channels, P positions (a stack stride of 16 samples apart), T frames, K coefficients.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from talkface.dataset import Part
from talkface.models import BaseNetwork, Batch, masked_mean
from talkface.shape_model import ShapeModel


class Network(BaseNetwork):
    """Four strided convolutions and a linear layer over windows of speech.

    Parameters
    ----------
    shape_model : ShapeModel
        6 components in the paper.
    dropout : float
        After each convolution; one mask a stretch, so that overlapping windows share it where they overlap.
    gain_db : (lowest, highest, step)
        Random gain in training, one draw a stretch; lowest == highest == 0 for none.
    """

    rate = 8_000
    before = after = 1_120  # half a window of 7 frames of 320 samples

    KERNEL, STRIDE, SLOPE = 21, 2, 0.3
    CHANNELS = (1, 64, 128, 256, 512)
    POSITIONS = 122  # of the last convolution in one window
    HOP_POSITIONS = 20  # from one window to the next: 320 samples / 2^4

    def __init__(
        self,
        shape_model: ShapeModel,
        *,
        dropout: float = 0.2,
        gain_db: tuple = (-12, 6, 3),
        level: str = "peak",
    ):
        super().__init__(shape_model, level=level)
        self.dropout = dropout
        lowest, highest, step = gain_db
        self.register_buffer("gains", 10 ** (torch.arange(lowest, highest + 1, step) / 20), persistent=False)
        for index, (wide_in, wide_out) in enumerate(zip(self.CHANNELS, self.CHANNELS[1:], strict=False), start=1):
            setattr(self, f"conv{index}", nn.Conv1d(wide_in, wide_out, self.KERNEL, stride=self.STRIDE))
        self.fc1 = nn.Linear(self.CHANNELS[-1] * self.POSITIONS, len(shape_model))
        for module in self.modules():
            if isinstance(module, nn.Conv1d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)

    def targets(self, part: Part) -> NDArray[np.float32]:
        """Coefficients (P, K)."""
        if part.targets is not None:
            return part.targets
        return self.encode(torch.from_numpy(part.shape)).numpy()

    def forward(self, sound: Tensor, state: None = None) -> tuple[Tensor, None]:
        x = sound[:, None]  # (B, 1, N)
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = functional.leaky_relu(layer(x), self.SLOPE, inplace=not self.training)  # (B, C, P)
            x = functional.dropout(x, self.dropout, self.training, inplace=True)
        windows = x.unfold(2, self.POSITIONS, self.HOP_POSITIONS)  # (B, C, T, 122), a view
        x = self.fc1(windows.transpose(1, 2).flatten(2))  # (B, T, K)
        return functional.leaky_relu(x, self.SLOPE), None

    def loss(self, batch: Batch) -> Tensor:
        """Mean absolute error of the coefficients."""
        audio = batch.sound
        if self.training:
            draw = torch.randint(len(self.gains), (len(audio), 1), device=audio.device)
            audio = audio * self.gains[draw]
        coefficients, _ = self(audio)
        return masked_mean((coefficients.float() - batch.target).abs(), batch.known)
