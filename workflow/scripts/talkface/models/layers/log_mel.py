"""Log-mel bands of speech, with changes of the vocal tract for training.

Axes: B stretches, N samples, M feature frames (10 ms), F mel bands.
"""

import numpy as np
import torch
from torch import Tensor, nn

from talkface.models.layers.mel import mel_filters

LOW_HZ, HIGH_SHARE = 50.0, 7 / 16  # ends of the bands: Hz, and of the rate


class LogMel(nn.Module):
    """Logarithm of the power in mel bands, for speech scaled to [-1, 1].

    Parameters
    ----------
    rate : int
        Hz.
    bands : int
        F, from 50 Hz to 7/16 of the rate; Slaney's mel scale, as librosa has it.
    hop : int
        Samples between feature frames.
    window : int
        Samples of the Hann window; feature frame m covers samples [m * hop, m * hop + window) of its input.
    floor : float
        Added to the power.
    warp : float
        Largest stretch of the frequency axis that training may ask for, at most 0.125.

    Notes
    -----
    A floor of 1e-6 lies about 60 dB under a loud vowel, so that digital silence and a quiet room look alike.
    """

    WARPS = 9  # vocal tracts to choose from, the middle one as it is
    mel: Tensor  # buffers
    taper: Tensor

    def __init__(self, *, rate: int, bands: int, hop: int, window: int, warp: float = 0.0, floor: float = 1e-6):
        super().__init__()
        self.hop, self.window, self.floor = hop, window, floor
        self.size = 1 << (window - 1).bit_length()
        # Bins of a stretched spectrum lie where those of a recording at another rate would.
        mel = [
            mel_filters(rate=rate * factor, size=self.size, bands=bands, low_hz=LOW_HZ, high_hz=rate * HIGH_SHARE).T
            for factor in 1 + warp * np.linspace(-1, 1, self.WARPS)
        ]
        self.register_buffer("mel", torch.from_numpy(np.stack(mel)), persistent=False)  # (9, size // 2 + 1, F)
        self.register_buffer("taper", torch.hann_window(window), persistent=False)

    def forward(self, audio: Tensor, warp: Tensor | None = None) -> Tensor:
        """Compute the log-mel bands (B, M, F) of audio (B, N), M = (N - window) // hop + 1.

        `warp` (B), whole numbers below `WARPS`, chooses a vocal tract for each stretch; by default the one that is.
        """
        with torch.autocast(audio.device.type, enabled=False):  # half precision has no room for powers
            frames = audio.float().unfold(1, self.window, self.hop) * self.taper  # (B, M, window)
            spectrum = torch.fft.rfft(frames, n=self.size)  # (B, M, size // 2 + 1)
            power = spectrum.real.square() + spectrum.imag.square()
            mel = self.mel[self.WARPS // 2] if warp is None else self.mel[warp]  # (size // 2 + 1, F), a B before it
            return torch.log(self.floor + power @ mel)  # (B, M, F)
