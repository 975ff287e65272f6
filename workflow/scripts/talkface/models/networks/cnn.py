"""CNN of Eskimez et al. 2020, with its variants NR (noise-resilient) and TC (temporal condition).

Eskimez, Maddox, Xu, Duan: "Noise-Resilient Training Method for Face Landmark Generation From Speech" (TASLP 28:27-38),
implemented after the paper; weights of the authors' code fit by name.

Speech at 8 kHz, a window of 7 frames (2,240 samples), four convolutions, a linear layer, 6 coefficients. Windows of
neighbouring frames share six sevenths of their samples, and their hop of 320 samples is 20 strides of the stack, so the
convolutions run once over a stretch and serve all of its windows; the linear layer then runs over those.

Noise-resilient (NR): each stretch is given twice, clean and with noise, and its features shall be the same.
Temporal condition (TC): a second linear layer is given the coefficients of the frame before beside those of the sound.
It has no activation, so that generation is u(t) + P y(t - 1): all u at once, and a product of 6 x 6 a frame.

Where the window lies: [320 i - 1120, 320 i + 1120) of frame i.

What was published and is repaired here, each a switch (PUBLISHED sets them all): dropout never happened (`dropout`),
training windows lay 20 ms later than those of generation (`window_centre`) and never at the ends of a clip
(`window_ends`), the loudest sample of a file set its level, but not in training (`level`, `file_level`), the index into
the list of signal-to-noise ratios was taken for the ratio (`snr`), TC was trained on true frames alone (`own_share`),
gain and noise stayed on in validation (`validation`), biases began at random, some eight times as loud as what the
first convolution makes of speech (`start`), and windows of one clip stood on both sides of the split (`split` of the
block).

The authors' code calls dropout without telling whether it trains. Under torch 0.4.1, which they pin, that means never;
from torch 1.0 on the same code drops always, so that whoever runs it today hears random faces which the authors never
had: `generation_dropout` with `dropout: 0.2` shows those.

Axes: B stretches, N samples, C channels, P positions (a stack stride of 16 samples apart), T frames, K coefficients.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from talkface.errors import TalkfaceError
from talkface.face.shape_model import ShapeModel
from talkface.face.template import load_template
from talkface.models.base import BaseNetwork, choice, masked_mean
from talkface.models.inputs import Batch, Clips
from talkface.models.layers.strided_convolution import StridedConvolution
from talkface.noise.bank import add_noise


class Network(BaseNetwork):
    """Four strided convolutions and a linear layer over windows of speech, two with the temporal condition.

    Parameters
    ----------
    shape_model : ShapeModel
        6 components in the paper.
    dropout : float
        After each convolution; one mask a stretch, so that overlapping windows share it where they overlap. 0
        published.
    gain_db : (lowest, highest, step)
        Random gain in training, one draw a stretch; lowest == highest == 0 for none.
    noise_resilient : bool
        Train with noise, which the batches must hold.
    snr : {"list", "index"}
        Mix at a ratio drawn from `snr_db`, or at its index in that list: 0, 1, 2 .. dB (published).
    snr_db : (lowest, highest, step)
        Signal-to-noise ratios, dB.
    feature_weight : float
        Weight of the mean squared difference between the features of clean and noisy speech.
    temporal_condition : bool
    own_share : float
        Share of the stretches that training runs through as generation does, on the network's own frames; the others
        see the true frame before. 0 published.
    boosts : (K,) sequence, optional
        Factors on the coefficients that TC shows, not on those it feeds back.
    rest : (K,) sequence, optional
        What TC starts from; by default the coefficients of the template.
    generation_dropout : bool
        Predict window by window with dropout on, as the authors' code does under a torch later than theirs.
    window_centre : {"start", "middle"}
        Where the windows of training and validation are centred: on the instant of their frame, as in prediction, or
        half a frame later (published).
    window_ends : {"silence", "whole"}
        What training learns of the ends of a clip. silence: windows reach beyond them, as in prediction; whole: only
        windows that lie inside are learnt from, the last two of those left out (published).
    level : {"running", "peak", "recorded"}
        See `sound.Leveller`; peak published.
    file_level : {"running", "peak", "recorded"}, optional
        Of training files from elsewhere; recorded published, which takes the samples as they are.
    validation : {"quiet", "as_trained"}
        Judge on clean speech, NR on noisy speech, too, TC on its own frames; or with the gain (and dropout, if there is
        any) of training, NR on noisy speech alone, and TC as it was trained (published).
    start : {"quiet", "drawn"}
        Weights begin as Glorot and Bengio have it (Xavier). quiet: biases at zero, and TC passes its input on and
        feeds nothing back yet; drawn: biases and all of TC's layer at random (published).
    """

    rate = 8_000
    peak_rate = 22_050  # at which the authors load a file
    before = 1_120  # half a window of 7 frames of 320 samples

    PUBLISHED: ClassVar[dict] = {
        "split": "window",
        "last_batch": "keep",
        "stretches": 128,
        "frames": 1,
        "arguments": {
            "snr": "index",
            "own_share": 0.0,
            "dropout": 0.0,
            "window_centre": "middle",
            "window_ends": "whole",
            "level": "peak",
            "file_level": "recorded",
            "validation": "as_trained",
            "start": "drawn",
        },
    }

    KERNEL, STRIDE, SLOPE = 21, 2, 0.3
    CHANNELS = (1, 64, 128, 256, 512)
    WINDOW = 2_240  # samples
    POSITIONS = 122  # of the last convolution in one window
    HOP_POSITIONS = 20  # from one window to the next: 320 samples / 2^4
    PORTION = 20  # windows at once where each is computed by itself: they need much memory
    PARTS, BEYOND = 7, 18  # hops that a window reaches into, and the positions of the last that it does not

    ratios: Tensor  # buffers
    gains: Tensor
    rest: Tensor
    boosts: Tensor
    conv1: nn.Conv1d
    conv2: nn.Conv1d
    conv3: nn.Conv1d
    conv4: nn.Conv1d

    def __init__(
        self,
        shape_model: ShapeModel,
        *,
        dropout: float = 0.2,
        gain_db: Sequence[float] = (-12, 6, 3),
        noise_resilient: bool = False,
        snr: str = "list",
        snr_db: Sequence[float] = (6, 30, 3),
        feature_weight: float = 1e-3,
        temporal_condition: bool = False,
        own_share: float = 0.5,
        boosts: Sequence[float] = (),
        rest: Sequence[float] = (),
        generation_dropout: bool = False,
        window_centre: str = "start",
        window_ends: str = "silence",
        level: str = "running",
        file_level: str | None = None,
        validation: str = "quiet",
        start: str = "quiet",
    ):
        super().__init__(shape_model, level=level, file_level=file_level)
        self.whole_windows = choice("window_ends", window_ends, ("silence", "whole")) == "whole"
        outputs = len(shape_model)
        self.dropout, self.feature_weight, self.own_share = dropout, feature_weight, own_share
        self.wants_noise, self.temporal_condition = noise_resilient, temporal_condition
        self.generation_dropout = generation_dropout and dropout > 0
        self.late = self.hop // 2 if choice("window_centre", window_centre, ("start", "middle")) == "middle" else 0
        self.after = self.before + self.late  # the last samples are for training alone
        self.validates_quietly = choice("validation", validation, ("quiet", "as_trained")) == "quiet"
        ratios = _steps("snr_db", snr_db)
        if choice("snr", snr, ("list", "index")) == "index":
            ratios = torch.arange(len(ratios), dtype=torch.float32)
        self._hold("ratios", ratios)
        self._hold("gains", 10 ** (_steps("gain_db", gain_db) / 20))
        template = torch.from_numpy(load_template()).float()
        self._hold("rest", _numbers("rest", rest, outputs) if len(rest) else self.encode(template[None])[0])
        self._hold("boosts", _numbers("boosts", boosts, outputs) if len(boosts) else torch.ones(outputs))
        for index, (wide_in, wide_out) in enumerate(zip(self.CHANNELS, self.CHANNELS[1:], strict=False), start=1):
            setattr(self, f"conv{index}", nn.Conv1d(wide_in, wide_out, self.KERNEL, stride=self.STRIDE))
        self.fc1 = nn.Linear(self.CHANNELS[-1] * self.POSITIONS, outputs)
        if temporal_condition:
            self.fc2 = nn.Linear(2 * outputs, outputs)
        self._convolutions = [StridedConvolution() for _ in range(3)]
        quiet = choice("start", start, ("quiet", "drawn")) == "quiet"
        for module in self.modules():
            if isinstance(module, nn.Conv1d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if quiet and module.bias is not None:
                    nn.init.zeros_(module.bias)
        if temporal_condition and quiet:
            nn.init.eye_(self.fc2.weight)  # (K, 2 K): what is heard comes first

    @classmethod
    def from_torch(
        cls,
        tensors: Mapping[str, Tensor],
        arguments: dict,
        *,
        components: int,
        rest: Sequence[float],
        boosts: Sequence[float],
        path: Path,
    ) -> dict:
        """Return the arguments of the network that a state dict of the authors' code is for; see `training.importing`.

        fc2 tells the temporal condition; its start and its boosts come with the files of the shape model.
        """
        outputs = len(tensors.get("fc1.weight", range(components)))
        if outputs != components:
            raise TalkfaceError(
                f"{path}: gives {outputs} coefficients, but the shape model has {components} components; as many were "
                "expected; name the files that belong to the weights under shape_model"
            )
        conditioned = "fc2.weight" in tensors
        if arguments.get("temporal_condition", conditioned) != conditioned:
            raise TalkfaceError(
                f"{path}: has {'a' if conditioned else 'no'} layer fc2, so temporal_condition is "
                f"{str(conditioned).lower()}; the config says otherwise; correct arguments.temporal_condition"
            )
        found: dict[str, bool | list[float]] = {"temporal_condition": conditioned}
        if conditioned:
            given = {"rest": rest, "boosts": boosts}
            found |= {key: [float(x) for x in value] for key, value in given.items() if not arguments.get(key)}
        return {**arguments, **found}

    def learns_from(self, lengths: NDArray[np.int64]) -> tuple[int, NDArray[np.int64]]:
        """Return the first frame that is learnt from, and how many of clips of `lengths` (C): see `window_ends`."""
        if not self.whole_windows:
            return 0, lengths
        return self.PARTS // 2, np.maximum(lengths - self.PARTS - 1, 0)

    def _hold(self, name: str, value: Tensor) -> None:
        self.register_buffer(name, value, persistent=False)  # no weight of the authors' files

    def targets(self, part: Clips) -> NDArray[np.float32]:
        """Return coefficients (P, K); with the temporal condition (P, 2, K), those of the frame before in second place.

        Before the first frame of a clip the face is at rest, as in generation.
        """
        own = self.encode(torch.from_numpy(part.shape)).numpy() if part.targets is None else part.targets
        if not self.temporal_condition:
            return own
        earlier = np.roll(own, 1, axis=0)
        earlier[part.frame_offsets[:-1]] = self.rest.cpu().numpy()
        return np.stack([own, earlier], axis=1)

    def forward(self, sound: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Compute the coefficients (B, T, K) of samples (B, N), and those of the last frame, which TC goes on from."""
        sound = sound[:, : sound.shape[1] - self.late]  # (B, N)
        if self.generation_dropout and not self.training:
            windows = sound.unfold(1, self.WINDOW, self.hop)  # (B, T, 2240)
            portions = windows.flatten(0, 1).split(self.PORTION)
            heard = torch.cat([self.see(self.hear(portion, dropping=True)) for portion in portions])  # (B T, 1, K)
            heard = heard.unflatten(0, windows.shape[:2])[:, :, 0]
        else:
            heard = self.see(self.hear(sound, dropping=self.training))  # (B, T, K)
        if not self.temporal_condition:
            return heard, None
        coefficients = self.follow(heard, self.rest.expand(len(sound), -1) if state is None else state)
        return coefficients * self.boosts, coefficients[:, -1]

    def hear(self, sound: Tensor, *, dropping: bool) -> Tensor:
        """Compute the features (B, P, C) of sound (B, N), which the windows of all frames share."""
        quick = sound.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
        x = sound.unfold(1, self.KERNEL, self.STRIDE)  # (B, P, 21)
        x = functional.linear(x, self.conv1.weight[:, 0], self.conv1.bias)  # (B, P, 64)
        x = self._bend(x, dropping=dropping)
        for layer, convolution in zip((self.conv2, self.conv3, self.conv4), self._convolutions, strict=True):
            x = convolution(x, layer) if quick else layer(x.mT).mT
            x = self._bend(x, dropping=dropping)
        return x

    def _bend(self, x: Tensor, *, dropping: bool) -> Tensor:
        x = functional.leaky_relu(x, self.SLOPE, inplace=not torch.is_grad_enabled())
        return _drop(x, self.dropout) if dropping and self.dropout else x

    def see(self, features: Tensor) -> Tensor:
        """Compute the coefficients (B, T, K) of each window of features (B, P, C).

        A window is 6.1 hops of 20 positions long, so each hop meets each of its 7 parts once; to lay the windows side
        by side would copy each position six times.
        """
        hops = functional.pad(features, (0, 0, 0, self.BEYOND)).unflatten(1, (-1, self.HOP_POSITIONS))
        weight = functional.pad(self.fc1.weight.unflatten(1, (-1, self.POSITIONS)), (0, self.BEYOND))  # (K, C, 140)
        parts = weight.unflatten(2, (self.PARTS, -1)).permute(3, 1, 2, 0).flatten(2).flatten(0, 1)  # (20 C, 7 K)
        products = (hops.flatten(2) @ parts).float().unflatten(2, (self.PARTS, -1))  # (B, T + 6, 7, K)
        frames = products.shape[1] - self.PARTS + 1
        said = sum(products[:, part : part + frames, part] for part in range(self.PARTS))  # (B, T, K)
        return functional.leaky_relu(said + self.fc1.bias, self.SLOPE)

    def follow(self, heard: Tensor, first: Tensor) -> Tensor:
        """Apply the temporal condition to `heard` (B, T, K), each frame after the one predicted before it.

        `first` (B, K) are the coefficients before the first frame.
        """
        with torch.autocast(heard.device.type, enabled=False):
            of_heard, of_before = self.fc2.weight.T.split(len(self.rest))  # (K, K) each
            said = (heard.float() @ of_heard + self.fc2.bias).unbind(1)
            frames, last = [], first
            for frame in said:
                last = torch.addmm(frame, last, of_before)  # (B, K)
                frames.append(last)
            return torch.stack(frames, dim=1)

    def loss(self, batch: Batch) -> Tensor:
        """Compute the mean absolute error; NR adds that of noisy speech, and the difference of the features.

        Validation of NR takes clean and noisy speech, too; published: noisy speech alone.

        Raises
        ------
        TalkfaceError
            If noise is wanted and the batch holds none.
        """
        disturbed = self.training or not self.validates_quietly
        sound = batch.sound[:, self.late :]
        if disturbed:
            sound = sound * _draw(self.gains, sound)
        copies = 1
        if self.wants_noise:
            if batch.noise is None:
                raise TalkfaceError("models: noise_resilient wants noise; name a file: noise: results/noise.h5")
            noisy = add_noise(sound, batch.noise[:, self.late :], _draw(self.ratios, sound))
            alone = disturbed and not self.training
            sound, copies = (noisy, 1) if alone else (torch.cat([sound, noisy]), 2)
        features = self.hear(sound, dropping=disturbed)  # (copies B, P, C)
        known, target = batch.known.repeat(copies, 1), batch.target.repeat(copies, *[1] * (batch.target.ndim - 1))
        predicted = self.see(features).float()  # (copies B, T, K)
        if self.temporal_condition:
            target, earlier = target.unbind(2)
            predicted = self.condition(predicted, earlier, self.own_share if disturbed else 1.0)
        loss = copies * masked_mean((predicted - target).abs(), known)
        if copies == 2:
            clean, noisy = features.float().chunk(2)
            difference = (clean - noisy).square().mean(dim=2)  # (B, P)
            windows = difference.unfold(1, self.POSITIONS, self.HOP_POSITIONS)  # (B, T, 122)
            loss = loss + self.feature_weight * masked_mean(windows, batch.known)
        return loss

    def condition(self, heard: Tensor, earlier: Tensor, own_share: float) -> Tensor:
        """Apply the temporal condition in training: coefficients (B, T, K) after the true frames before.

        `earlier` (B, T, K) are those frames. In a share of the stretches, the network's own take their place from the
        second on, and gradients go through all of them.
        """
        if own_share <= 0:
            return self.fc2(torch.cat([heard, earlier], dim=2)).float()
        own = self.follow(heard, earlier[:, 0])
        if own_share >= 1:
            return own
        predicted = self.fc2(torch.cat([heard, earlier], dim=2)).float()
        return torch.where(torch.rand(len(heard), 1, 1, device=heard.device) < own_share, own, predicted)


def _drop(x: Tensor, share: float) -> Tensor:
    """Apply dropout: 0 with probability `share`, else x times the factor that keeps the mean."""
    if x.device.type != "cpu":
        return functional.dropout(x, share)
    # 16 bits decide, which takes a quarter of the time of a Bernoulli draw.
    bits = torch.empty(x.numel() // 4 + 1, dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
    kept = bits[: x.numel()].view(x.shape) >= round(share * 2**16) - 2**15
    return x * kept.to(x.dtype).mul_(1 / (1 - share))


def _draw(values: Tensor, sound: Tensor) -> Tensor:
    """Draw one of the values for each stretch, (B, 1)."""
    return values[torch.randint(len(values), (len(sound), 1), device=sound.device)]


def _steps(name: str, bounds: Sequence[float]) -> Tensor:
    """Return the values from bounds[0] to bounds[1] in steps of bounds[2]; raise a TalkfaceError if there are none."""
    if len(bounds) != 3 or bounds[1] < bounds[0] or bounds[2] <= 0:
        raise TalkfaceError(
            f"models: {name} is {list(bounds)}, which holds no value; [lowest, highest, step] was expected, as in "
            "[6, 30, 3]; correct the config"
        )
    lowest, highest, step = bounds
    return torch.arange(lowest, highest + step / 1e3, step, dtype=torch.float32)


def _numbers(name: str, values: Sequence[float], count: int) -> Tensor:
    """Return values, one a coefficient, as a tensor; raise a TalkfaceError if they are fewer or more."""
    if len(values) != count:
        raise TalkfaceError(
            f"models: {name} has {len(values)} numbers, but the shape model has {count} components; give {count}"
        )
    return torch.tensor([float(value) for value in values])
