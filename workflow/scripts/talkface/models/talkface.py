"""The network of this project: log-mel bands, convolutions down to 25 frames a second, a causal GRU that looks ahead.

The published networks learn slowly from little data; this one is small (a third of a million weights), hears the
sound as log-mel bands rather than samples, and is trained on whole sentences with augmentation of sound and spectrum.

Where it looks: frame i sees the sound from the beginning of the stretch up to `lookahead_frames` after i/25 s, and the
window of the convolutions (72.5 ms on either side) around each of those frames.

Axes: B stretches, N samples, M feature frames (10 ms), F mel bands, C channels, T video frames, K coefficients.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from talkface.features import LogMel
from talkface.models import BaseNetwork, Batch, masked_mean
from talkface.points import LIPS
from talkface.shape_model import ShapeModel
from talkface.template import load_template


class Network(BaseNetwork):
    """Convolutions over log-mel bands, then a GRU.

    Parameters
    ----------
    shape_model : ShapeModel
    bands : int
        Mel bands, F.
    channels : int
        Of the convolutions, C.
    hidden, layers : int
        Width and number of the GRU's layers.
    lookahead_frames : int
        Frames of 40 ms between the sound heard last and the face shown.
    dropout : float
        Before and between the layers of the GRU, and before the last linear layer.
    lip_weight : float
        Weight of a lip point in the loss; any other point has 1.
    velocity_weight : float
        Weight of the error of differences between neighbouring frames.
    augmented_share : float
        Share of the stretches that training changes as below; the rest sounds as recorded, because what a network
        never hears unchanged it does not know when it counts.
    gain_db, noise_db : (lowest, highest)
        Random gain, and signal-to-noise ratio of white noise.
    warp : float
        Largest random stretch of the frequency axis, a share.
    mask : (number, bands, frames)
        Spans of the spectrum hidden, their widest extent in bands and in feature frames.
    silence_share : float
        Share of the stretches that become silence with the face at rest: few recordings hold much of it.
    """

    rate = 16_000

    HOP, WINDOW = 160, 400  # samples: 10 ms and 25 ms
    KERNELS = (5, 9)  # feature frames; the second convolution has stride 4
    STRIDE = 4
    CENTRE, SPREAD = -7.0, 4.0  # of log-mel values of speech at full scale (silence lies at -13.8)

    def __init__(
        self,
        shape_model: ShapeModel,
        *,
        bands: int = 32,
        channels: int = 128,
        hidden: int = 128,
        layers: int = 2,
        lookahead_frames: int = 3,
        dropout: float = 0.2,
        lip_weight: float = 3.0,
        velocity_weight: float = 1.0,
        augmented_share: float = 0.3,
        gain_db: tuple = (-6, 0),
        noise_db: tuple = (30, 60),
        warp: float = 0.05,
        mask: tuple = (1, 4, 4),
        silence_share: float = 0.01,
        level: str = "peak",
    ):
        super().__init__(shape_model, level=level)
        self.lookahead = lookahead_frames
        self.velocity_weight = velocity_weight
        self.gain_db, self.noise_db, self.mask = gain_db, noise_db, mask
        self.augmented_share, self.silence_share = augmented_share, silence_share
        weight = torch.ones(68, 1)
        weight[list(LIPS)] = lip_weight
        self.register_buffer("point_weight", weight / weight.mean(), persistent=False)
        # Identity removal puts the closed mouth onto the template: this is the face at rest.
        self.register_buffer("rest", torch.from_numpy(load_template()).float(), persistent=False)
        self.features = LogMel(rate=self.rate, bands=bands, hop=self.HOP, window=self.WINDOW, warp=warp)
        self.conv1 = nn.Conv1d(bands, channels, self.KERNELS[0])
        self.norm1 = nn.LayerNorm(channels)
        self.conv2 = nn.Conv1d(channels, channels, self.KERNELS[1], stride=self.STRIDE)
        self.norm2 = nn.LayerNorm(channels)
        self.gru = nn.GRU(channels, hidden, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.out = nn.Linear(hidden, len(shape_model))
        self.drop = nn.Dropout(dropout)
        self.register_buffer("deviation", torch.from_numpy(shape_model.deviation).float(), persistent=False)
        reach = (sum(self.KERNELS) - 2) // 2  # feature frames on either side of a video frame's own
        self.before = reach * self.HOP + self.WINDOW // 2
        self.after = self.before + self.lookahead * self.hop

    def hear(self, spectrum: Tensor) -> Tensor:
        """Convolutions: (B, T, C) at 25 frames a second of log-mel (B, M, F)."""
        x = (spectrum - self.CENTRE) / self.SPREAD
        x = self.conv1(x.transpose(1, 2)).transpose(1, 2)  # (B, M - 4, C)
        x = functional.gelu(self.norm1(x))
        x = self.conv2(x.transpose(1, 2)).transpose(1, 2)  # (B, T, C)
        return functional.gelu(self.norm2(x))

    def speak(self, heard: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Coefficients (B, T, K) of heard (B, T + lookahead, C), and the GRU's state after it.

        Without a state the first frames fill the lookahead; with one, the stretch before has heard them already.
        """
        if state is not None:
            heard = heard[:, self.lookahead :]  # (B, T, C)
        x, after = self.gru(self.drop(heard), state)
        if state is None:
            x = x[:, self.lookahead :]  # (B, T, hidden)
        return self.deviation * self.out(self.drop(x)), after

    def forward(self, sound: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return self.speak(self.hear(self.features(sound)), state)

    def loss(self, batch: Batch) -> Tensor:
        """Mean absolute error of positions, lips weighted, and of differences between neighbouring frames."""
        audio, shape, known, _ = batch
        if self.training:
            changed = torch.rand(len(audio), 1, device=audio.device) < self.augmented_share  # (B, 1)
            audio, shape = self.augment_sound(audio, shape, changed)
            spectrum = self.hide(self.features(audio, self.draw_tract(changed)), changed)
        else:
            spectrum = self.features(audio)
        coefficients, _ = self.speak(self.hear(spectrum))
        error = (self.decode(coefficients) - shape) * self.point_weight  # (B, T, 68, 2)
        position = masked_mean(error.abs(), known)
        velocity = masked_mean(error.diff(dim=1).abs(), known[:, 1:] & known[:, :-1])
        return position + self.velocity_weight * velocity

    def augment_sound(self, audio: Tensor, shape: Tensor, changed: Tensor) -> tuple[Tensor, Tensor]:
        """Gain and noise where `changed` (B, 1), silence with the face at rest in some stretches."""
        draw = torch.rand(3, len(audio), 1, device=audio.device)
        gain = self.gain_db[0] + draw[0] * (self.gain_db[1] - self.gain_db[0])  # (B, 1), dB
        ratio = self.noise_db[0] + draw[1] * (self.noise_db[1] - self.noise_db[0])
        power = audio.square().mean(dim=1, keepdim=True).sqrt()
        silent = draw[2] < self.silence_share
        audio = audio.masked_fill(silent, 0)
        noisy = 10 ** (gain / 20) * (audio + 10 ** (-ratio / 20) * power * torch.randn_like(audio))
        return torch.where(changed, noisy, audio), torch.where(silent[:, :, None, None], self.rest, shape)

    def draw_tract(self, changed: Tensor) -> Tensor:
        """Which vocal tract to hear each stretch (B) through: vocal tract length perturbation (Jaitly, Hinton 2013)."""
        number = self.features.WARPS
        tract = torch.randint(number, (len(changed),), device=changed.device)
        return torch.where(changed[:, 0], tract, number // 2)

    def hide(self, spectrum: Tensor, changed: Tensor) -> Tensor:
        """Spans of bands and of time set to the mean of speech, as in SpecAugment (Park et al. 2019)."""
        stretches, frames, bands = spectrum.shape
        number, widest_band, widest_time = self.mask
        for _ in range(number):
            hidden_bands = _spans(stretches, bands, widest_band, spectrum.device)[:, None, :]
            hidden_frames = _spans(stretches, frames, widest_time, spectrum.device)[:, :, None]
            spectrum = spectrum.masked_fill((hidden_bands | hidden_frames) & changed[:, :, None], self.CENTRE)
        return spectrum


def _spans(stretches: int, size: int, widest: int, device: torch.device) -> Tensor:
    """One random span of at most `widest` places a stretch, (B, size) bool."""
    draw = torch.rand(2, stretches, 1, device=device)
    width = draw[0] * widest
    start = draw[1] * (size - width)
    place = torch.arange(size, device=device)
    return (place >= start) & (place < start + width)
