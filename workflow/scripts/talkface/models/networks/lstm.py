"""LSTM of Eskimez et al. 2018.

Eskimez, Maddox, Xu, Duan: "Generating Talking Face Landmarks from Speech" (LVA/ICA), implemented after the paper;
weights that Keras saved fit layer by layer.

Speech at 44.1 kHz as 64 mel bands every 40 ms, their differences in time, each frame together with the `context`
frames before it; four LSTMs; 68 points in [0, 1]. Each defect of the published system is an argument: `features`
(differences alone drop the level), `normalisation` (one frame decides how a clip's face is scaled), `generation` (75
frames anew for each one, and the last `delay` frames never predicted), `resampling` (training heard 16 bits, generation
floats), `level`.

Where it looks: frame i sees the sound from the beginning of the file (published: of its 75 frames) up to 20 ms after
frame i + delay.

Axes: B stretches, N samples, T video frames, S steps of the network, M mel bands, F numbers of a feature frame, W
numbers of a step's input, P frames of all clips end to end, U units.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from talkface.errors import TalkfaceError
from talkface.face import points
from talkface.face.shape_model import ShapeModel
from talkface.models.base import BaseNetwork, choice, masked_mean
from talkface.models.inputs import Batch, Clips
from talkface.models.keras_weights import Layer
from talkface.models.layers.keras_lstm import KerasDense, KerasLSTM
from talkface.models.layers.mel import mel_filters

FEATURES = ("levels", "differences")
NORMALISATIONS = ("template", "first_frame")
GENERATIONS = ("stateful", "window")
STARTS = ("mean_face", "keras")
CORNERS = list(points.OUTER_EYE_CORNERS)


class Heard(NamedTuple):
    """State of the network between two stretches of a file.

    Attributes
    ----------
    steps : int
        How many frames of sound there were.
    spectrum : (B, 2, M) tensor
        Log-mel bands of the last two.
    frames : (B, context, F) tensor
        Features of the last ones.
    inner : list or (B, 74, 4 U) tensor
        State of each layer; or the first layer's input products of the last steps, which the next windows share.
    """

    steps: int
    spectrum: Tensor
    frames: Tensor
    inner: Any


class Network(BaseNetwork):
    """Keras's LSTMs over differences of mel bands in time.

    Parameters
    ----------
    shape_model : ShapeModel
        Its mean is the face that normalisation "first_frame" moves all faces to.
    hidden : int
        Units of the first three layers; the last has 136.
    delay : int
        Frames of 40 ms by which a face comes later than its sound.
    context : int
        Frames of 40 ms before each that its input repeats.
    features : {"levels", "differences"}
        levels: log-mel bands and their first and second differences (192 numbers a frame), quiet sound floored;
        differences: without the bands themselves (128), no floor (published).
    normalisation : {"template", "first_frame"}
        Of the faces it learns. template: the corpus's identity-free shapes; first_frame: pixels, placed by the outer
        eye corners of the clip's first frame, their motion carried over to the mean face (published).
    generation : {"stateful", "window"}
        stateful: one run over the file; window: 75 frames from a zero state for each frame, the last `delay` frames of
        the file repeating the one before them (published).
    dropout, recurrent_dropout : float
        Of each layer's inputs and of its state, one mask a gate, the same for all frames of a stretch.
    start : {"mean_face", "keras"}
        Where training starts. mean_face: the last layer's weights are small and its biases such that it gives the mean
        face; keras: as Keras draws weights, far from any face (published).
    resampling : {"int16", "float"}
        Of sound at other rates. int16: rounded, as the data set holds it; float: as it comes (published), which the
        quiet bands of `differences` hear.
    level : {"running", "peak", "recorded"}
        Published: recorded.
    stack : sequence of (kind, units, activation, recurrent_activation, dropout, recurrent_dropout)
        Layers of an imported file, kind "lstm" or "dense"; takes the place of `hidden` and the dropouts.
    """

    rate = 44_100
    coefficients = False  # landmarks
    edges = "reflect"
    hears_frames = True
    wants_landmarks = True
    PUBLISHED: ClassVar[dict] = {
        "split": "none",
        "keep": "last",
        "last_batch": "wrap",
        "empty_clip": True,
        "arguments": {
            "features": "differences",
            "normalisation": "first_frame",
            "generation": "window",
            "start": "keras",
            "resampling": "float",
            "level": "recorded",
        },
    }

    BANDS, SIZE = 64, 1_764  # mel bands; samples of window, transform and hop: 40 ms
    WINDOW_STEPS = 75  # of the published generation
    WINDOWS = 128  # computed at once: 40 MB a layer
    OUTPUTS = 136
    FLOORS: ClassVar[dict] = {"levels": 1e-10, "differences": 1e-16}  # of the power; speech at full scale has 1e-4
    CENTRE, SPREAD = -19.0, 4.0  # of log-mel bands of speech at full scale, for "levels"
    START_SCALE = 0.1  # of the last layer's weights
    START_BIAS = (1.5, 1.5, 2.0)  # of input gate, forget gate (0.8 each), candidate: a cell filled within five frames
    EYES = 0.4  # distance of the outer eye corners in [0, 1]
    MIDDLE = (0.5, 1 / 3)  # and where their middle lies
    mel: Tensor  # buffers
    taper: Tensor

    def __init__(
        self,
        shape_model: ShapeModel,
        *,
        hidden: int = 250,
        delay: int = 0,
        context: int = 3,
        features: str = "levels",
        normalisation: str = "template",
        generation: str = "stateful",
        dropout: float = 0.2,
        recurrent_dropout: float = 0.2,
        start: str = "mean_face",
        resampling: str = "int16",
        level: str = "running",
        stack: Sequence[Sequence] = (),
    ):
        super().__init__(shape_model, level=level)
        self.delay, self.context = _count("delay", delay, 0), _count("context", context, 0)
        self.features = choice("features", features, FEATURES)
        self.normalisation = choice("normalisation", normalisation, NORMALISATIONS)
        self.generation = choice("generation", generation, GENERATIONS)
        self.rounds = choice("resampling", resampling, ("int16", "float")) == "int16"
        self.coordinates = 2
        self.before = self.SIZE // 2
        self.after = self.SIZE // 2 + self.delay * self.SIZE
        self.before_frames = self.context
        self.repeats_last = self.delay if generation == "window" else 0
        self.width = self.features_width(features)
        widths = [_count("hidden", hidden, 1)] * 3 + [self.OUTPUTS]
        published = [("lstm", units, "sigmoid", "hard_sigmoid", dropout, recurrent_dropout) for units in widths]
        self.layers = _build(stack or published, self.width * (self.context + 1))
        mel = mel_filters(rate=self.rate, size=self.SIZE, bands=self.BANDS)  # (M, 883)
        self.register_buffer("mel", torch.from_numpy(mel.T.astype(np.float64)), persistent=False)
        self.register_buffer("taper", torch.hann_window(self.SIZE, dtype=torch.float64), persistent=False)
        self.mean_face = self.place(shape_model.mean[None, :, :2])[0]  # (68, 2) in [0, 1]
        last = self.layers[-1]
        published_last = isinstance(last, KerasLSTM) and last.recurrent_activation == "hard_sigmoid"
        if choice("start", start, STARTS) == "mean_face" and published_last and last.activation == "sigmoid":
            self.start_at_mean_face()

    @classmethod
    def features_width(cls, features: str) -> int:
        """Return F, the numbers of a feature frame."""
        return cls.BANDS * (3 if features == "levels" else 2)

    # Faces ------------------------------------------------------------------------------------------------------

    def place(self, face: NDArray) -> NDArray[np.float64]:
        """Scale faces (T, 68, 2) of any unit into [0, 1], all alike, so that the first one's eye corners lie right."""
        right, left = face[0, CORNERS] @ [1, 1j]
        z = (face @ [1, 1j] - (right + left) / 2) * self.EYES / (left - right) + self.MIDDLE @ np.array([1, 1j])
        return np.stack([z.real, z.imag], axis=-1)

    def carry_over(self, landmarks: NDArray) -> NDArray[np.float64]:
        """Carry the motion of a clip's face (T, 68, 2), pixels, over to the mean face, in [0, 1]."""
        placed = self.place(landmarks.astype(np.float64))
        known = np.column_stack([placed[0], np.ones(68)])  # (68, 3)
        affine = np.linalg.lstsq(known, self.mean_face, rcond=None)[0][:2].T  # (2, 2), from first frame to mean face
        return self.mean_face + np.hypot(affine[:, 0], affine[:, 1]) * (placed - placed[0])

    def targets(self, part: Clips) -> NDArray[np.float32]:
        """Return faces in [0, 1], (P, 136), `delay` frames late; a clip's first frame fills the beginning."""
        if part.features is not None and part.features.shape[1] != self.width:
            fitting = [name for name in FEATURES if self.features_width(name) == part.features.shape[1]]
            raise TalkfaceError(
                f"models: the training file has {part.features.shape[1]} features a frame; {self.width} were expected "
                f"with features: {self.features}; " + (f"set features: {fitting[0]}" if fitting else "correct the file")
            )
        lengths = np.diff(part.frame_offsets)
        if lengths.min(initial=self.delay + 1) <= self.delay:
            index = int(lengths.argmin())
            raise TalkfaceError(
                f"clip {part.clips[index]}: {lengths[index]} frames; more than the delay of {self.delay} were expected;"
                " take the clip out, or lower the model's delay"
            )
        starts = np.repeat(part.frame_offsets[:-1], lengths)  # (P)
        return self._faces(part)[np.maximum(np.arange(len(starts)) - self.delay, starts)]

    def _faces(self, part: Clips) -> NDArray[np.float32]:
        if part.targets is not None:
            return part.targets.reshape(len(part.targets), -1).astype(np.float32)
        if self.normalisation == "template":
            return self.encode(torch.from_numpy(part.shape)[None])[0].numpy()
        if part.landmarks is None:
            raise TalkfaceError(
                "models: normalisation first_frame starts from landmarks in pixels, and the data set holds none; "
                "assemble it again with this model in training.models, or set normalisation: template"
            )
        clips = np.split(part.landmarks, part.frame_offsets[1:-1])
        return np.concatenate([self.carry_over(clip) for clip in clips]).reshape(-1, self.OUTPUTS).astype(np.float32)

    def encode(self, shape: Tensor) -> Tensor:
        """Return outputs (B, T, 136) in [0, 1] of shapes (B, T, 68, 2) in the template frame."""
        return (shape.float() * self.EYES + shape.new_tensor(self.MIDDLE, dtype=torch.float32)).flatten(-2)

    def decode(self, outputs: Tensor) -> Tensor:
        """Return shapes (B, T, 68, 2), template frame, of outputs (B, T, 136).

        Each frame is moved, turned and scaled so that its outer eye corners lie where the corpus's mean face has them.
        """
        x, y = outputs.float().unflatten(-1, (68, 2)).unbind(dim=-1)  # (B, T, 68)
        z = torch.complex(x, y)
        right, left = z[..., CORNERS].split(1, dim=-1)  # (B, T, 1)
        across = left - right
        # Before it has learnt anything a network may put both corners near one spot: then a face is scaled as expected.
        across = torch.where(across.abs() > self.EYES / 2, across, self.EYES + 0 * across)
        mean_right, mean_left = torch.complex(*self.mean.unflatten(0, (68, -1))[CORNERS, :2].unbind(dim=1))
        z = (z - (right + left) / 2) / across * (mean_left - mean_right) + (mean_right + mean_left) / 2
        return torch.view_as_real(z)

    @torch.no_grad()
    def start_at_mean_face(self) -> None:
        """Set the weights of the last layer, an LSTM, so that it gives the mean face whatever its inputs are.

        With gates at rest the cell comes to c = i g / (1 - f), the output to o sigmoid(c), and the inverse of the hard
        sigmoid says which bias the output gate needs.
        """
        last = self.layers[-1]
        assert isinstance(last, KerasLSTM)
        last.kernel.mul_(self.START_SCALE)
        last.recurrent_kernel.mul_(self.START_SCALE)
        for bias, value in zip(last.bias.chunk(4), self.START_BIAS, strict=False):
            bias.fill_(value)
        entrance, forget = (0.2 * value + 0.5 for value in self.START_BIAS[:2])
        cell = entrance * torch.tensor(self.START_BIAS[2]).sigmoid() / (1 - forget)
        gate = torch.from_numpy(self.mean_face).float().flatten() / cell.sigmoid()
        last.bias.chunk(4)[3].copy_((gate.clamp(0.02, 0.98) - 0.5) / 0.2)

    # Sound ------------------------------------------------------------------------------------------------------

    def log_mel(self, sound: Tensor) -> Tensor:
        """Compute the log-mel bands (B, S, M) of samples (B, S * 1764), a window a frame.

        Notes
        -----
        In double precision, as the quiet bands of a loud frame would drown in the rounding of its loud ones.
        """
        with torch.autocast(sound.device.type, enabled=False):
            frames = sound.double().unflatten(1, (-1, self.SIZE)) * self.taper  # (B, S, 1764)
            spectrum = torch.fft.rfft(frames) / (1 + self.SIZE // 2)
            power = spectrum.real.square() + spectrum.imag.square()  # (B, S, 883)
            return torch.log(self.FLOORS[self.features] + power @ self.mel)

    def to_features(self, spectrum: Tensor, heard: Heard | None) -> tuple[Tensor, Tensor]:
        """Compute features (B, S, F) of log-mel bands (B, S, M); return the last two frames of the bands besides."""
        earlier = spectrum[:, :1].expand(-1, 2, -1) if heard is None else heard.spectrum
        whole = torch.cat([earlier, spectrum], dim=1)  # (B, 2 + S, M)
        first = whole.diff(dim=1)  # (B, 1 + S, M)
        second = first.diff(dim=1)  # (B, S, M)
        step = (0 if heard is None else heard.steps) + torch.arange(spectrum.shape[1], device=spectrum.device)
        second = second * (step >= 2)[:, None]  # the first frame has no first difference, so the next no second one
        made = [first[:, 1:], second]
        if self.features == "levels":
            made = [(spectrum - self.CENTRE) / self.SPREAD, *(part / self.SPREAD for part in made)]
        return torch.cat(made, dim=2).float(), whole[:, -2:]

    def listen(self, audio: Tensor, frames: int) -> Tensor:
        """Compute the features (frames, F) of a whole clip (S,); its ends are reflected."""
        needed = max(0, frames * self.SIZE - self.before - len(audio))
        sound = torch.cat([_mirror(audio[1:], self.before).flip(0), audio, _mirror(audio[:-1].flip(0), needed)])
        return self.to_features(self.log_mel(sound[None, : frames * self.SIZE]), None)[0][0]

    def with_context(self, frames: Tensor) -> Tensor:
        """Make inputs (B, S, W) of features (B, context + S, F): each frame, then those before it, nearest first."""
        steps = frames.shape[1] - self.context
        return torch.cat([frames[:, self.context - back :][:, :steps] for back in range(self.context + 1)], dim=2)

    # The network ------------------------------------------------------------------------------------------------

    def run(self, x: Tensor, states: list | None = None) -> tuple[Tensor, list]:
        """Compute the outputs (B, S, 136) of inputs (B, S, W), and the layers' states."""
        after = []
        with torch.autocast(x.device.type, enabled=False):
            for index, layer in enumerate(self.layers):
                state = None
                if isinstance(layer, KerasLSTM):
                    x, state = layer(x, states[index] if states else None)
                else:
                    x = layer(x)
                after.append(state)
        return x, after

    def forward(self, sound: Tensor, state: Heard | None = None) -> tuple[Tensor, Heard]:
        """Compute the outputs (B, T, 136) of samples (B, N), and the state after them."""
        if state is not None:
            sound = sound[:, self.delay * self.SIZE :]  # the frames the delay asks for were heard already
        features, spectrum = self.to_features(self.log_mel(sound), state)  # (B, S, F)
        earlier = features[:, :1].expand(-1, self.context, -1) if state is None else state.frames
        frames = torch.cat([earlier, features], dim=1)  # (B, context + S, F)
        skipped = self.delay if state is None else 0
        inner = None if state is None else state.inner
        if self.generation == "window":
            outputs, inner = self.run_windows(self.with_context(frames), inner, skip=skipped)
        else:
            outputs, inner = self.run(self.with_context(frames), inner)
            outputs = outputs[:, skipped:]
        steps = features.shape[1] + (0 if state is None else state.steps)
        return outputs, Heard(steps, spectrum, frames[:, features.shape[1] :], inner)

    @torch.no_grad()
    def run_windows(self, x: Tensor, earlier: Tensor | None, *, skip: int = 0) -> tuple[Tensor, Tensor]:
        """Compute outputs (B, S - skip, 136) of inputs (B, S, W), each the last of 75 steps from a zero state.

        `earlier` holds what the first LSTM takes of the 74 steps before; None: there were none, and zeros stand for
        them. Neighbouring windows share 74 steps, so what the first LSTM makes of its inputs is computed once.
        """
        lstms = [(index, layer) for index, layer in enumerate(self.layers) if isinstance(layer, KerasLSTM)]
        if not lstms:
            return self.run(x)[0][:, skip:], x[:, :0]
        head, first = lstms[0]  # layers before it go frame by frame
        nothing = x.new_zeros(len(x), self.WINDOW_STEPS - 1, x.shape[2]) if earlier is None else x[:, :0]
        rows = torch.cat([nothing, x], dim=1)
        for layer in self.layers[:head]:
            rows = layer(rows)
        products = first.input_products(rows.flatten(0, 1)).unflatten(0, rows.shape[:2])
        if earlier is not None:
            products = torch.cat([earlier, products], dim=1)  # (B, 74 + S, 4 U)
        outputs = x.new_empty(len(x), x.shape[1] - skip, self.OUTPUTS)
        for stretch, place in ((b, t) for b in range(len(x)) for t in range(skip, x.shape[1], self.WINDOWS)):
            count = min(self.WINDOWS, x.shape[1] - place)
            shared = products[stretch, place : place + self.WINDOW_STEPS - 1 + count]
            y, _ = first.recur(shared, count, shift=1)  # (75, count, U)
            for layer in self.layers[head + 1 :]:
                if isinstance(layer, KerasLSTM):
                    y, _ = layer.recur(layer.input_products(y.flatten(0, 1)), count)
                else:
                    y = layer(y)
            outputs[stretch, place - skip : place - skip + count] = y[-1]
        return outputs, products[:, x.shape[1] :].clone()

    def loss(self, batch: Batch) -> Tensor:
        """Compute the mean squared error in [0, 1]."""
        outputs, _ = self.run(self.with_context(batch.sound.float()))
        return masked_mean((outputs - batch.target).square(), batch.known)

    # Weights ----------------------------------------------------------------------------------------------------

    @classmethod
    def from_keras(
        cls, layers: Sequence[Layer], arguments: Mapping[str, Any], *, path: str | Path
    ) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Return arguments and tensors of a network that is the stack of a Keras file.

        The file decides `stack` and, by its input width, `context`. Such files were trained by the published code, so
        features, normalisation and level are the published ones whatever `arguments` says; the rest is its choice.
        """
        width, given = cls.features_width("differences"), arguments.get("context")
        context, rest = divmod(layers[0].width, width)
        if rest or not context or given not in (None, context - 1):
            fitting = "give a file of the published code" if rest or not context else f"set context: {context - 1}"
            raise TalkfaceError(
                f"{path}: takes {layers[0].width} numbers a frame; {width} for the frame and for each of its context"
                f"{'' if given is None else f' of {given}'} were expected; {fitting}"
            )
        if layers[-1].units != cls.OUTPUTS:
            raise TalkfaceError(
                f"{path}: gives {layers[-1].units} numbers a frame; {cls.OUTPUTS} were expected, two for each of 68 "
                "points; give weights of a network for faces"
            )
        published = {key: cls.PUBLISHED["arguments"][key] for key in ("features", "normalisation", "level")}
        decided = {"context": context - 1, "stack": [layer.entry for layer in layers]}
        return {**arguments, **published, **decided}, _tensors(layers)

    def same_stack(self, layers: Sequence[Layer], *, path: str | Path) -> dict[str, Tensor]:
        """Return the tensors of a Keras file; raise a TalkfaceError if its layers or inputs are not this network's."""
        own, theirs = [_named(layer) for layer in self.layers], [_named(layer) for layer in layers]
        takes, given = self.layers[0].input_size, layers[0].width
        if own != theirs or takes != given or self.features != "differences":
            raise TalkfaceError(
                f"{path}: {given} inputs (features: differences) into {', '.join(theirs)}; {takes} inputs (features: "
                f"{self.features}) into {', '.join(own)} were expected; correct hidden, context and features in the "
                "config, or give other weights"
            )
        return _tensors(layers)

    def load_state_dict(self, state_dict: Mapping[str, Any], *arguments: Any, **keywords: Any) -> Any:
        """Load weights as torch does; raise a TalkfaceError if they belong to another context or other features."""
        kernel = state_dict.get("layers.0.kernel")
        expected = self.layers[0].input_size
        if kernel is not None and kernel.shape[0] != expected:
            context, rest = divmod(kernel.shape[0], self.width)
            raise TalkfaceError(
                f"models: the weights take {kernel.shape[0]} numbers a frame; {expected} were expected with "
                f"features: {self.features} and context: {self.context}; "
                + ("set other features" if rest or not context else f"set context: {context - 1}")
            )
        return super().load_state_dict(state_dict, *arguments, **keywords)


def _count(name: str, value: Any, lowest: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < lowest:
        raise TalkfaceError(
            f"models: {name} is {value!r}; a whole number from {lowest} was expected; correct the config"
        )
    return value


def _mirror(known: Tensor, samples: int) -> Tensor:
    """Return the first `samples` samples, followed by zeros where there are fewer."""
    return nn.functional.pad(known[:samples], (0, max(0, samples - len(known))))


def _build(stack: Sequence[Sequence], width: int) -> nn.ModuleList:
    layers = nn.ModuleList()
    for entry in stack:
        if len(entry) != 6 or entry[0] not in ("lstm", "dense"):
            raise TalkfaceError(
                f"models: {list(entry)!r} in stack; [lstm or dense, units, activation, recurrent_activation, dropout, "
                "recurrent_dropout] was expected; correct the config"
            )
        kind, units, activation, recurrent_activation, dropout, recurrent_dropout = entry
        units = _count("units in stack", units, 1)
        if kind == "lstm":
            shares = {"dropout": dropout, "recurrent_dropout": recurrent_dropout}
            gates = {"activation": activation, "recurrent_activation": recurrent_activation}
            layers.append(KerasLSTM(width, units, **gates, **shares))
        else:
            layers.append(KerasDense(width, units, activation=activation))
        width = units
    if width != Network.OUTPUTS:
        raise TalkfaceError(
            f"models: the last layer of stack has {width} units; {Network.OUTPUTS} were expected, two for each of 68 "
            "points; correct the config"
        )
    return layers


def _tensors(layers: Sequence[Layer]) -> dict[str, Tensor]:
    return {
        f"layers.{index}.{name}": torch.from_numpy(array)
        for index, layer in enumerate(layers)
        for name, array in layer.arrays.items()
    }


def _named(layer: nn.Module | Layer) -> str:
    """Describe a layer: two with the same description compute alike."""
    gates = getattr(layer, "recurrent_activation", "linear")
    kind = "lstm" if gates != "linear" else "dense"
    return f"{kind} {layer.units} {layer.activation}" + (f" {gates}" if gates != "linear" else "")
