"""CNN over short spectra, with a GRU, of Li et al. 2017.

Li, Tang, Tao, Xu: "Speech-Driven Facial Animation by CNN-RNN-GAN Model" (course project), its network for landmarks,
implemented after its description.

Every 30 ms it takes 60 ms of speech at 48 kHz, as the magnitudes of 23 short spectra, through eight convolutions, a
recurrent layer and two dense ones, and gives the 68 points in a box that reaches from 0 to 1.

Where it looks: step k stands for the instant 0.03 k s and takes samples [1440 (k - 1), 1440 (k + 1)). Three video
frames last as long as four steps; frame i lies at step 4 i / 3, between two steps where that is no whole number, and
its face is interpolated there. A stretch whose frames are a multiple of three ends with a whole step, so only the
recurrent layer's state goes from one stretch to the next. In training the truth is interpolated from frames to steps.

Published and repaired, argument by argument: the recurrent layer was described but never connected (`gru`); the samples
were scaled as value / 2^16 * 2 - 1, which puts silence at -1 (`shift`); the level was that of the recording (`level`);
each frame was scaled by its own box, so that a falling jaw made the rest of the face shrink instead (`box`); weights
began as TensorFlow draws them, so that some hundred steps pass before anything but the mean face is learnt (`start`).
Magnitudes are taken as they are, as published.

Axes: B stretches, N samples, T video frames (40 ms), S steps (30 ms), C channels, F frequencies (128), W blocks (23).
"""

from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from talkface.errors import TalkfaceError
from talkface.face.points import COUNT, OUTER_EYE_CORNERS
from talkface.face.shape_model import ShapeModel
from talkface.models.base import BaseNetwork, choice, masked_mean
from talkface.models.inputs import Batch, Clips

# Kernel, stride, channels of each convolution, and the pool behind it (frequency, block).
LAYERS = (
    ((3, 1), (2, 1), 32, (2, 1)),
    ((3, 1), (2, 1), 32, (2, 1)),
    ((2, 1), (2, 1), 64, None),
    ((3, 1), (2, 1), 64, None),
    ((3, 1), (2, 1), 128, (1, 2)),
    ((1, 3), (1, 2), 128, None),
    ((1, 3), (1, 2), 136, None),
    ((1, 4), (1, 4), 136, None),
)


class Network(BaseNetwork):
    """Convolutions over short spectra, a GRU, two dense layers: 387,896 parameters, 276,104 without the GRU.

    Parameters
    ----------
    shape_model : ShapeModel
        Its mean face and deviations give the first box; its components are not used.
    gru : bool
        Whether the recurrent layer is connected; published: false.
    shift : bool
        Whether the samples' zero lies at -1; published: true.
    box : {"speaker", "frame"}
        What is scaled to 0 .. 1: identity-free faces by the box of all frames of their speaker, or the pixels of each
        frame by its own box; published: frame.
    level : {"running", "recorded", "peak"}
        Of the sound; published: recorded.
    start : {"mean_face", "glorot"}
        Weights begin as Glorot and Bengio have it (Xavier), biases at zero; mean_face: but the last layer gives the
        mean face, a tenth as loud.

    Notes
    -----
    Faces come back through the mean box of the training speakers, kept beside the weights: with `speaker` straight into
    the template frame; with `frame` it gives the face its height and width again, then each frame is moved, turned and
    scaled by its own outer eye corners.
    """

    rate = 48_000
    coefficients = False  # landmarks
    wants_landmarks = True
    multiple = 3  # frames: as long as four steps
    STEP = 1_440  # samples: 30 ms
    before = STEP  # of the first frame
    after = STEP + 960  # of a frame that lies a third between two steps
    BLOCK, BLOCKS = 128, 23  # samples and number of the short spectra; 60 ms are 22.5 blocks, the rest is zeros
    WIDTH = 2 * COUNT
    mean_box: Tensor  # buffer

    PUBLISHED: ClassVar[dict] = {
        "arguments": {"gru": False, "shift": True, "box": "frame", "level": "recorded", "start": "glorot"},
        "stretches": 3,  # of 99 steps of 30 ms: a batch of 300, one after the other as their code took them
        "frames": 75,
        "split": "none",
        "keep": "last",
        "last_batch": "keep",
    }

    def __init__(
        self,
        shape_model: ShapeModel,
        *,
        gru: bool = True,
        shift: bool = False,
        box: str = "speaker",
        level: str = "running",
        start: str = "mean_face",
    ):
        super().__init__(shape_model, level=level)
        self.shift = float(shift)
        self.box = choice("box", box, ("speaker", "frame"))
        channels = [1, *(wide for _, _, wide, _ in LAYERS)]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(channels[index], wide, kernel, stride) for index, (kernel, stride, wide, _) in enumerate(LAYERS)
        )
        self.dense1 = nn.Linear(self.WIDTH, self.WIDTH)
        self.gru = nn.GRU(self.WIDTH, self.WIDTH, batch_first=True) if gru else None
        self.dense2 = nn.Linear(self.WIDTH, self.WIDTH)
        self.dense3 = nn.Linear(self.WIDTH, self.WIDTH)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        # Lowest and highest x and y of the box, template frame: from the shape model until the training faces are seen.
        mean = shape_model.mean[:, :2]
        spread = np.sqrt(np.square(shape_model.deviation[:, None] * shape_model.components).sum(axis=0))  # (136 or 204)
        spread = 2 * spread.reshape(shape_model.mean.shape)[:, :2]
        first = np.stack([(mean - spread).min(axis=0), (mean + spread).max(axis=0)])
        self.register_buffer("mean_box", torch.from_numpy(first).float())  # (2, 2)
        self.boxes: dict[str, NDArray] = {}  # of the training speakers, while it is trained
        if choice("start", start, ("mean_face", "glorot")) == "glorot":
            return
        with torch.no_grad():
            face = self.encode(torch.from_numpy(mean)[None, None])[0, 0]  # (136)
            self.dense3.bias.copy_(torch.logit(face.clamp(0.02, 0.98)))
            self.dense3.weight.mul_(0.1)

    # Sound ---------------------------------------------------------------------------------------------------------

    def spectra(self, sound: Tensor, steps: int) -> Tensor:
        """Compute the magnitudes (B, S, F, W) of `steps` steps of sound (B, N), which begins 30 ms before the first."""
        with torch.autocast(sound.device.type, enabled=False):  # half precision has no room for magnitudes
            heard = sound.float().unfold(1, 2 * self.STEP, self.STEP)[:, :steps] - self.shift  # (B, S, 2880)
            heard = functional.pad(heard, (0, self.BLOCKS * self.BLOCK - 2 * self.STEP))
            half = torch.fft.rfft(heard.unflatten(2, (self.BLOCKS, self.BLOCK))).abs()  # (B, S, W, 65)
            # Of a real signal the upper half of the spectrum mirrors the lower one.
            return torch.cat([half, half[..., 1:-1].flip(-1)], dim=-1).transpose(2, 3)  # (B, S, F, W)

    def hear(self, spectra: Tensor) -> Tensor:
        """Apply the convolutions to spectra (B, S, F, W): (B, S, 136)."""
        stretches, steps = spectra.shape[:2]
        # Channels last in memory: on the CPU the first layers, which hold most of the work, run twice as fast.
        x = spectra.flatten(0, 1)[:, None].contiguous(memory_format=torch.channels_last)  # (B S, 1, F, W)
        for layer, (kernel, stride, _, pool) in zip(self.convolutions, LAYERS, strict=True):
            x = layer(_pad_same(x, kernel, stride))  # (B S, C, F, W)
            if pool:
                x = functional.max_pool2d(x, pool)
            x = functional.relu(x)  # after the pool, where it is the same and half the work
        return x.flatten(1).unflatten(0, (stretches, steps))  # (B, S, 136)

    def native(self, sound: Tensor, steps: int, state: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Compute boxed points (B, S, 136) every 30 ms, and the recurrent layer's state after the last step.

        `sound` (B, N) begins 30 ms before the first step and reaches at least 30 ms beyond the last.
        """
        x = torch.tanh(self.dense1(self.hear(self.spectra(sound, steps))))
        if self.gru is not None:
            x, state = self.gru(x, state)
        x = torch.tanh(self.dense2(x))
        return torch.sigmoid(self.dense3(x)), state

    def forward(self, sound: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Compute boxed points (B, T, 136) of samples (B, N), and the recurrent layer's state after them."""
        frames = (sound.shape[1] - self.before - self.after) // self.hop + 1
        steps, state = self.native(sound, -(-4 * (frames - 1) // 3) + 1, state)  # (B, S, 136)
        return interpolate(steps.float(), frames, every=4, of=3), state  # (B, T, 136)

    def loss(self, batch: Batch) -> Tensor:
        """Compute the mean squared error of the boxed points, step by step."""
        frames = batch.known.shape[1]
        count = 4 * (frames - 1) // 3 + 1
        steps, _ = self.native(batch.sound, count)  # (B, S, 136)
        truth = interpolate(batch.target, count, every=3, of=4)
        place = 3 * torch.arange(count, device=batch.known.device)
        known = batch.known[:, place // 4] & batch.known[:, -(-place // 4)]  # both of a step's neighbours
        return masked_mean((steps.float() - truth).square(), known)

    # Faces ---------------------------------------------------------------------------------------------------------

    def targets(self, part: Clips) -> NDArray[np.float32]:
        """Return boxed points (P, 136) of a part. The first part, of training, sets the boxes of its speakers."""
        own = measure_boxes(part.shape)  # (P, 2, 2)
        names, speaker = np.unique(part.speakers, return_inverse=True)
        speaker = np.repeat(speaker, np.diff(part.frame_offsets))  # (P)
        boxes = {name: enclose(own[speaker == index]) for index, name in enumerate(names)}
        if not self.boxes:
            self.boxes = boxes
            mean = np.mean(list(boxes.values()) if self.box == "speaker" else own, axis=0)
            self.mean_box.copy_(torch.from_numpy(mean))
        if self.box == "speaker":
            # Judged by the box it was trained with, a speaker may stand on both sides.
            known = np.stack([self.boxes.get(name, boxes[name]) for name in names])
            return into_box(part.shape, known[speaker])
        if part.landmarks is None:
            raise TalkfaceError(
                "models: fft_cnn with box: frame learns from pixel landmarks, but the dataset holds none; "
                "assemble it again with this model in training.models, or set box: speaker"
            )
        return into_box(part.landmarks, measure_boxes(part.landmarks))

    def encode(self, shape: Tensor) -> Tensor:
        """Return boxed points (B, T, 136) of shapes (B, T, 68, 2 or 3)."""
        shape = shape[..., :2].float()
        low, high = self.mean_box
        if self.box == "frame":
            low, high = shape.amin(dim=2, keepdim=True), shape.amax(dim=2, keepdim=True)
        return ((shape - low) / (high - low)).flatten(2)

    def decode(self, outputs: Tensor) -> Tensor:
        """Return shapes (B, T, 68, 2), template frame, of boxed points (B, T, 136)."""
        low, high = self.mean_box
        shape = low + outputs.float().unflatten(-1, (COUNT, 2)) * (high - low)  # (B, T, 68, 2)
        return shape if self.box == "speaker" else align_eyes(shape)


def into_box(points: NDArray, box: NDArray) -> NDArray[np.float32]:
    """Scale points (N, 68, 2) to (N, 136), 0 at the low and 1 at the high side of their boxes (N, 2, 2)."""
    low, high = box[:, None, 0], box[:, None, 1]
    return ((points - low) / (high - low)).reshape(len(points), -1).astype(np.float32)


def measure_boxes(points: NDArray) -> NDArray:
    """Return the box (N, 2, 2) of each frame's points (N, 68, 2): lowest x and y, highest x and y."""
    return np.stack([points.min(axis=1), points.max(axis=1)], axis=1)


def enclose(boxes: NDArray) -> NDArray:
    """Return the box (2, 2) around boxes (N, 2, 2)."""
    return np.stack([boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)])


def align_eyes(shape: Tensor) -> Tensor:
    """Move, turn and scale shapes (..., 68, 2) so that their outer eye corners lie at (-0.5, 0) and (0.5, 0)."""
    right, left = (shape[..., point, None, :] for point in OUTER_EYE_CORNERS)  # (..., 1, 2)
    across = left - right
    centred = shape - (right + left) / 2
    along = (centred * across).sum(-1)  # (..., 68)
    down = centred[..., 1] * across[..., 0] - centred[..., 0] * across[..., 1]
    # Corners that nearly meet are no face (an untrained network): they are not blown up without end.
    return torch.stack([along, down], dim=-1) / across.square().sum(-1, keepdim=True).clamp(min=0.01)


def interpolate(series: Tensor, count: int, *, every: int, of: int) -> Tensor:
    """Interpolate a series (B, n, ...) linearly at the places 0, every / of, 2 every / of, ...: (B, count, ...).

    Examples
    --------
    >>> interpolate(torch.tensor([[0.0, 4.0, 8.0]]), 4, every=1, of=2).tolist()
    [[0.0, 2.0, 4.0, 6.0]]
    """
    place = every * torch.arange(count, device=series.device)
    weight = ((place % of).to(series.dtype) / of).view(-1, *[1] * (series.ndim - 2))
    return torch.lerp(series[:, place // of], series[:, -(-place // of)], weight)


def _pad_same(x: Tensor, kernel: tuple[int, int], stride: tuple[int, int]) -> Tensor:
    """Pad x (B, C, F, W) with zeros as TensorFlow's "same" does: ceil(n / stride) places; the odd zero behind."""
    around = []
    for size, wide, step in zip(x.shape[:1:-1], kernel[::-1], stride[::-1], strict=True):  # last axis first
        missing = max(0, (-(-size // step) - 1) * step + wide - size)
        around += [missing // 2, missing - missing // 2]
    return functional.pad(x, around) if any(around) else x
