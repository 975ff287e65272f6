"""Network of this project: a committee of causal GRUs over log-mel bands and convolutions.

Where it looks: frame i sees the sound from the beginning of the file up to `lookahead_ms` (120) after the instant
i/25 s, and no sample beyond: the windows of the spectrum and of the convolutions end there, they do not reach past it.

What it is given: each mel band as loud as it is and beside its own running means, short ones and long ones, which take
the voice, the room and steady noise out; or cepstra beside a slow level (`layers.cepstra`). Members of the committee
differ in nothing but the numbers they began with; the face is the mean of theirs. Training mixes noise into a share of
the stretches, lets a share begin before the first word, and bends vocal tract and tempo of a share.

Axes: B stretches, N samples, M feature frames (10 ms), F mel bands, C channels, T video frames, K coefficients.
"""

import math
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from talkface.face.depth import rest_in_space
from talkface.face.points import LIPS
from talkface.face.shape_model import ShapeModel
from talkface.face.template import load_template
from talkface.media.phone_names import SILENCE, UNKNOWN
from talkface.media.sound import QUIETEST_PEAK
from talkface.models.base import BaseNetwork, choice, masked_mean
from talkface.models.inputs import Batch
from talkface.models.layers.cepstra import Cepstra, CepstraState
from talkface.models.layers.log_mel import HIGH_SHARE, LOW_HZ, LogMel
from talkface.models.layers.mel import mel_frequencies
from talkface.models.layers.phone_head import Closing, PhoneHead, phone_loss
from talkface.noise.bank import QUIETEST, add_noise


class Means(NamedTuple):
    """Sums and weights of the running means before a feature frame."""

    total: Tensor  # (R, B, F), R the number of means
    weight: Tensor  # (R)


class State(NamedTuple):
    """State between two stretches: of what the network is given, and of each member's GRU."""

    heard: Means | CepstraState
    members: list[Tensor]


class Truth(NamedTuple):
    """What is known of stretches: faces (B, T, 68, D), whether they are known (B, T), phones (B, T)."""

    shape: Tensor
    known: Tensor
    phone: Tensor


class Spoken(NamedTuple):
    """What a member makes of stretches: coefficients (B, T, K), and logits of phones (B, T, L, P)."""

    coefficients: Tensor
    phones: Tensor | None


class Member(nn.Module):
    """Convolutions down to 25 frames a second, then a GRU beside them: (B, M, F') to (B, T, K), in deviations.

    Parameters
    ----------
    bands, channels, hidden, layers, dropout
        See `Network`; `bands` are all that it is given, F'.
    kernels : (int, int)
        Widths of the convolutions; the second has stride `stride`.
    coefficients : int
        K.
    phones : bool
        Whether it tells phones apart.
    phone_share : float
        See `Network`.
    """

    def __init__(
        self,
        bands: int,
        channels: int,
        hidden: int,
        layers: int,
        dropout: float,
        *,
        kernels: tuple[int, int],
        stride: int,
        coefficients: int,
        phones: bool,
        phone_share: float,
    ):
        super().__init__()
        self.conv1 = nn.Conv1d(bands, channels, kernels[0])
        self.norm1 = nn.LayerNorm(channels)
        self.conv2 = nn.Conv1d(channels, channels, kernels[1], stride=stride)
        self.norm2 = nn.LayerNorm(channels)
        self.gru = nn.GRU(channels, hidden, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.out = nn.Linear(hidden + channels, coefficients)
        self.drop = nn.Dropout(dropout)
        self.phones = PhoneHead(hidden + channels) if phones else None
        self.phone_share = phone_share

    def forward(self, heard: Tensor, state: Tensor | None) -> tuple[Spoken, Tensor]:
        """Compute coefficients, in deviations, and phones of bands (B, M, F'), and the GRU's state after them."""
        x = self.conv1(heard.transpose(1, 2)).transpose(1, 2)  # (B, M - 4, C)
        x = functional.gelu(self.norm1(x))
        x = self.conv2(x.transpose(1, 2)).transpose(1, 2)  # (B, T, C)
        x = self.drop(functional.gelu(self.norm2(x)))
        past, state = self.gru(x, state)  # (B, T, hidden)
        x = self.drop(torch.cat([past, x], dim=2))
        said = None if self.phones is None else self.phones(torch.lerp(x.detach(), x, self.phone_share))
        return Spoken(self.out(x), said), state


class Network(BaseNetwork):
    """A committee of GRUs over log-mel bands.

    Parameters
    ----------
    shape_model : ShapeModel
    inputs : {"bands", "cepstra"}
        What the members are given: each band as loud as it is and beside its running means, F' = (1 + R) F; or cepstra
        and their slopes beside a slow level, see `layers.cepstra`, F' = 2 Q.
    bands : int
        Mel bands, F.
    cepstra : int
        Q.
    channels : int
        Of the convolutions, C.
    hidden, layers : int
        Width and number of each GRU's layers.
    members : int
        Of the committee.
    lookahead_ms : float
        The last sound that a face depends on, after its instant.
    memories_s : sequence of float
        Time constants of the running means of each band, R of them; for "bands".
    dropout : float
        Before the GRU, before the last linear layer, and between the layers of a GRU that has several.
    lip_weight : float
        Weight of a lip point in the loss; any other point has 1.
    velocity_weight : float
        Weight of the error of differences between neighbouring frames.
    noise_share : float
        Share of the stretches that training mixes noise into; 0 asks for no noise.
    snr_db : (lowest, highest)
        Signal-to-noise ratio.
    augmented_share : float
        Share of the stretches that training changes as below; the rest sounds as recorded, so that the network learns
        from unchanged sound as well.
    gain_db : (lowest, highest)
        Random gain.
    warp, tempo : float
        Largest random stretch of the frequency axis and of time (sound and face together), a share.
    mask : (number, bands, frames)
        Spans of the spectrum hidden, their widest extent in bands and in feature frames.
    silence_share : float
        Share of the stretches that become silence with the face at rest: few recordings hold much of it.
    room_share : float
        Share of the stretches that begin, or end, with a room in which nobody speaks but others, and the face at rest.
    rest_share : float
        Share of the stretches that are noise alone, from `REST_DBFS`, with the face at rest.
    phone_weight : float
        Weight of the cross-entropy of phones beside the error of positions, see `layers.phone_head`; 0: none is learnt.
    phone_share : float
        Share of what phones teach that reaches all layers, and not the second head alone: 1 where voices without faces
        are learnt from; with few clips it costs faces.
    closing : float
        How far the lips are pulled together where a p, b or m is heard, a share; needs `phone_weight`.
    """

    rate = 16_000
    OF_WEIGHTS: ClassVar[dict] = {
        "inputs": "bands",
        "cepstra": 14,
        "level": "running",
        "phone_weight": 0.0,
        "closing": 0.0,
    }

    HOP, WINDOW = 160, 400  # samples: 10 ms and 25 ms
    KERNELS = (5, 9)  # feature frames
    STRIDE = 4  # feature frames a video frame
    CENTRE, SPREAD = -7.0, 4.0  # of log-mel values of speech at full scale (silence lies at -13.8)
    BESIDE = 3.0  # the same of differences from a running mean
    START, START_WEIGHT = -9.0, 0.1  # of a running mean before anything was heard
    JUDGED_DB = 5.0  # signal-to-noise ratio in validation
    FLOORS: ClassVar[dict] = {"bands": 1e-6, "cepstra": 1e-8}  # of the power, by what is given
    ROOM_BEGINS = 0.6  # share of the rooms that lie before the words, and not behind them
    # Frames of a room before the first word, and how far around a random one the quietest is sought to cut at; frames
    # over which the face leaves its rest; dB of the speech above its noise; level of noise alone, below full scale.
    ROOM, ROOM_SEARCH, ROOM_RISE, ROOM_DB, REST_DBFS = (8, 50), 6, 4, (8.0, 40.0), (-75.0, -40.0)
    # How far a level lifts a room before someone speaks, at most.
    LIFT_DB: ClassVar[dict] = {"running": 30.0, "steady": 10.0}
    # What becomes of noise: share that is filtered and the filters' length in samples; share that swells and falls, how
    # far in dB and how often in samples; share with a second noise and how far below the first that may lie in dB.
    COLOURED, TAPS = 0.7, 16
    PULSED, PULSE_DB, SYLLABLE = 0.5, 15.0, 2_000
    PAIRED, SECOND_DB = 0.5, 15.0
    # Share of the rooms whose noise is others who talk, other stretches of the same step, and at most how many at once.
    ROOM_TALKERS, TALKERS = 0.5, 4
    point_weight: Tensor  # buffers
    decay: Tensor
    rest: Tensor
    deviation: Tensor
    centres: Tensor

    def __init__(
        self,
        shape_model: ShapeModel,
        *,
        inputs: str = "bands",
        bands: int = 32,
        cepstra: int = 14,
        channels: int = 128,
        hidden: int = 128,
        layers: int = 1,
        members: int = 3,
        lookahead_ms: float = 120,
        memories_s: tuple = (0.2, 1.0, 3.0),
        dropout: float = 0.2,
        lip_weight: float = 3.0,
        velocity_weight: float = 1.0,
        noise_share: float = 0.7,
        snr_db: tuple = (-10, 30),
        augmented_share: float = 0.4,
        gain_db: tuple = (-18, 0),
        warp: float = 0.15,
        tempo: float = 0.15,
        mask: tuple = (1, 4, 4),
        silence_share: float = 0.01,
        room_share: float = 0.2,
        rest_share: float = 0.05,
        phone_weight: float = 0.01,
        phone_share: float = 0.0,
        closing: float = 0.8,
        level: str = "steady",
    ):
        super().__init__(shape_model, level=level)
        self.velocity_weight = velocity_weight
        weight = torch.ones(68, 1)
        weight[list(LIPS)] = lip_weight
        self.register_buffer("point_weight", weight / weight.mean(), persistent=False)
        self.noise_share, self.snr_db, self.wants_noise = noise_share, snr_db, noise_share > 0
        self.augmented_share, self.silence_share = augmented_share, silence_share
        self.gain_db, self.warp, self.tempo, self.mask = gain_db, warp, tempo, mask
        self.room_share, self.rest_share = room_share, rest_share
        self.lift_db = self.LIFT_DB.get(level, 0.0)
        self.phone_weight = phone_weight
        self.closing = Closing(shape_model, closing) if phone_weight and closing else None
        self.inputs = choice("inputs", inputs, tuple(self.FLOORS))
        decay = [math.exp(-self.HOP / self.rate / memory) for memory in memories_s]  # a feature frame
        self.register_buffer("decay", torch.tensor(decay), persistent=False)  # (R)
        # Identity removal puts the closed mouth onto the template: this is the face at rest.
        rest = load_template() if self.coordinates == 2 else rest_in_space(load_template())
        self.register_buffer("rest", torch.from_numpy(rest).float(), persistent=False)
        self.register_buffer("deviation", torch.from_numpy(shape_model.deviation).float(), persistent=False)
        self.features = LogMel(rate=self.rate, bands=bands, hop=self.HOP, window=self.WINDOW, floor=self.FLOORS[inputs])
        if inputs == "cepstra":
            self.cepstra = Cepstra(bands=bands, cepstra=cepstra, frames_per_s=self.rate // self.HOP)
        centres = mel_frequencies(bands + 2, low_hz=LOW_HZ, high_hz=self.rate * HIGH_SHARE)[1:-1]  # (F), Hz
        self.register_buffer("centres", torch.from_numpy(centres).float(), persistent=False)
        self.members = nn.ModuleList(
            Member(
                bands * (1 + len(memories_s)) if inputs == "bands" else 2 * cepstra,
                channels,
                hidden,
                layers,
                dropout,
                kernels=self.KERNELS,
                stride=self.STRIDE,
                coefficients=len(shape_model),
                phones=phone_weight > 0,
                phone_share=phone_share,
            )
            for _ in range(members)
        )
        self.reach = 0 if inputs == "bands" else 2 * Cepstra.REACH  # feature frames that slopes need beside
        # Samples that a frame's convolutions cover.
        span = (sum(self.KERNELS) - 2 + self.reach) * self.HOP + self.WINDOW
        self.after = round(lookahead_ms / 1000 * self.rate)
        self.before = span - self.after

    @torch.no_grad()
    def rebase(self, before: ShapeModel) -> None:
        """Let weights that gave coefficients of another shape model give those of this one, for the same faces."""
        mean, basis = (torch.from_numpy(part).float() for part in (before.mean, before.components))
        turn = basis.unflatten(1, tuple(mean.shape))[..., :2].flatten(1) @ self.fit  # (K before, K)
        shift = (mean[:, :2].flatten() - self.mean.unflatten(0, (68, -1))[:, :2].flatten()) @ self.fit  # (K)
        deviation = self.deviation.clamp(min=1e-6)  # a component in which nothing moved has none
        turn = torch.from_numpy(before.deviation).float()[:, None] * turn / deviation
        for member in self.members:
            assert isinstance(member, Member)
            member.out.weight.copy_(turn.T @ member.out.weight)
            member.out.bias.copy_(member.out.bias @ turn + shift / deviation)

    def hear(self, spectrum: Tensor, state: Any) -> tuple[Tensor, Means | CepstraState]:
        """Compute what the members are given (B, M, F'), of log-mel bands, and the state where the next one begins."""
        frames = (spectrum.shape[1] - self.reach - sum(self.KERNELS) + 1) // self.STRIDE + 1  # T
        given = self.normalise if self.inputs == "bands" else self.cepstra
        return given(spectrum, self.STRIDE * frames - 1, state)

    def normalise(self, spectrum: Tensor, last: int, state: Means | None = None) -> tuple[Tensor, Means]:
        """Normalise log-mel bands (B, M, F), each as it is and beside its running means: (B, M, (1 + R) F).

        Returned besides: the sums and the weights of these means after feature frame `last`.
        """
        stretches, frames, bands = spectrum.shape
        decay = self.decay[:, None]  # (R, 1)
        if state is None:
            weight = torch.full_like(self.decay, self.START_WEIGHT)
            total = (self.START * weight)[:, None, None].expand(-1, stretches, bands)
        else:
            total, weight = state.total, state.weight
        age = torch.arange(1, frames + 1, device=spectrum.device)  # (M)
        kept = decay**age  # (R, M)
        share = decay[..., None] ** (age[:, None] - age).clamp(min=0)  # (R, M, M), of frame n in the sum at m
        share = ((1 - decay[..., None]) * share).tril()
        with torch.autocast(spectrum.device.type, enabled=False):  # half precision would round the means
            totals = torch.einsum("rmn,bnf->rbmf", share, spectrum) + kept[:, None, :, None] * total[:, :, None]
        weights = 1 - kept * (1 - weight[:, None])  # (R, M)
        beside = spectrum - totals / weights[:, None, :, None]
        heard = torch.cat([(spectrum - self.CENTRE) / self.SPREAD, *(beside / self.BESIDE)], dim=2)
        return heard, Means(totals[:, :, last], weights[:, last])

    def speak(self, spectrum: Tensor, state: State | None = None) -> tuple[list[Spoken], State]:
        """Compute what each member makes of log-mel bands (B, M, F), and the state after them."""
        heard, after = self.hear(spectrum, None if state is None else state.heard)
        states = [None] * len(self.members) if state is None else state.members
        spoken = [member(heard, held) for member, held in zip(self.members, states, strict=True)]
        scaled = [Spoken(self.deviation * out.coefficients, out.phones) for out, _ in spoken]
        return scaled, State(after, [held for _, held in spoken])

    def forward(self, sound: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Compute the coefficients (B, T, K) of samples (B, N), the mean of the members', and the state after them."""
        spoken, state = self.speak(self.features(sound), state)
        coefficients = torch.stack([each.coefficients for each in spoken]).mean(dim=0)
        if self.closing is not None:
            logits = [each.phones for each in spoken if each.phones is not None]
            coefficients = self.closing(coefficients, torch.stack(logits).mean(dim=0))
        return coefficients, state

    def loss(self, batch: Batch) -> Tensor:
        """Compute the mean absolute error of positions, lips weighted, and of differences from frame to frame.

        In validation, of clean speech and of speech with noise, half each.
        """
        sound, noise = batch.sound, batch.noise
        phone = torch.full_like(batch.known, UNKNOWN, dtype=torch.long) if batch.phone is None else batch.phone
        truth = Truth(batch.target, batch.known, phone)
        if not self.training:
            heard = [sound] if noise is None else [sound, add_noise(sound, noise, sound.new_tensor(self.JUDGED_DB))]
            losses = (self.compare(self.features(audio), truth) for audio in heard)
            return sum(losses, start=sound.new_zeros(())) / len(heard)
        sound, truth = self.augment_sound(sound, truth, noise)
        changed = torch.rand(len(sound), 1, device=sound.device) < self.augmented_share  # (B, 1)
        return self.compare(*self.bend(self.hide(self.features(sound), changed), truth, changed))

    def compare(self, spectrum: Tensor, truth: Truth) -> Tensor:
        """Compute the mean loss of the members."""
        shape, known, phone = truth
        total = spectrum.new_zeros(())
        pairs = known[:, 1:] & known[:, :-1]  # (B, T - 1)
        for spoken in self.speak(spectrum)[0]:
            error = (self.decode(spoken.coefficients) - shape) * self.point_weight  # (B, T, 68, 2)
            total = total + masked_mean(error.abs(), known)
            total = total + self.velocity_weight * masked_mean(error.diff(dim=1).abs(), pairs)
            if self.training and spoken.phones is not None:  # weights are chosen by faces alone
                total = total + self.phone_weight * phone_loss(spoken.phones, phone)
        return total / len(self.members)

    def augment_sound(self, sound: Tensor, truth: Truth, noise: Tensor | None) -> tuple[Tensor, Truth]:
        """Add noise and rooms to some stretches, make some silent with the face at rest, give each a random level."""
        draw = torch.rand(4, len(sound), 1, device=sound.device)
        silent = draw[0] < self.silence_share
        spoken, sound = sound, sound.masked_fill(silent, 0)
        room = torch.zeros_like(silent)
        if self.room_share:
            sound, truth, early, room = self.enter_room(sound, truth)
        if noise is not None:
            noise = self.colour(noise)
            low, high = self.snr_db
            noisy = add_noise(sound, noise, low + (high - low) * draw[1])
            if self.room_share:  # whose noise is low: in loud noise nobody knows whether someone speaks
                low, high = self.ROOM_DB
                talk = torch.rand_like(draw[1]) < self.ROOM_TALKERS
                beside = torch.where(talk, self.talkers(spoken), noise)
                heard = add_noise(sound, beside, low + (high - low) * draw[1]) - sound
                lift = 10 ** (self.lift_db * torch.rand_like(draw[1]) / 20)
                sound = torch.where(room, sound + torch.where(early, lift, 1.0) * heard, sound)
            sound = torch.where((draw[2] < self.noise_share) & ~room, noisy, sound)
        peak = sound.abs().amax(dim=1, keepdim=True).clamp(min=QUIETEST_PEAK)
        gain = self.gain_db[0] + draw[3] * (self.gain_db[1] - self.gain_db[0])  # (B, 1), dB
        sound = 10 ** (gain / 20) / peak * sound
        if self.rest_share and noise is not None:
            low, high = self.REST_DBFS[0], self.REST_DBFS[1] + self.lift_db
            more = torch.rand(2, len(sound), 1, device=sound.device)
            loudness = noise.square().mean(dim=1, keepdim=True).clamp(min=QUIETEST).sqrt()
            alone = more[0] < self.rest_share
            sound = torch.where(alone, noise / loudness * 10 ** ((low + (high - low) * more[1]) / 20), sound)
            silent = silent | alone
        return sound, self.at_rest(truth, silent.float())

    def at_rest(self, truth: Truth, share: Tensor) -> Truth:
        """Let nobody speak where `share` (B, T or 1) is above 0, and the face rest by that share."""
        shape, known, phone = truth
        shape = torch.lerp(shape, self.rest.expand_as(shape), share[..., None, None])
        # Of a voice whose face is not known, it is known to rest; how it leaves that is not.
        return Truth(shape, known | (share == 1), phone.masked_fill(share > 0, SILENCE))

    def enter_room(self, sound: Tensor, truth: Truth) -> tuple[Tensor, Truth, Tensor, Tensor]:
        """Let some stretches begin before the first word, or end behind the last.

        Their sound is silent on one side of a quiet place, and the face at rest. Returned besides: which samples lie
        before a first word (B, N), which stretches are in a room (B, 1).
        """
        stretches, frames = truth.known.shape
        draw = torch.rand(3, stretches, 1, device=sound.device)
        room = draw[0] < self.room_share
        place = torch.arange(frames, device=sound.device)  # (T)
        low, high = self.ROOM[0], min(self.ROOM[1], frames - 1)
        about = low + (high - low) * draw[1]  # (B, 1)
        power = (
            sound[:, self.before : self.before + frames * self.hop].unfold(1, self.hop, self.hop).square().mean(dim=2)
        )
        power = functional.pad(power, (0, frames - power.shape[1]), value=math.inf)
        far = (place - about).abs() > self.ROOM_SEARCH
        first = power.masked_fill(far, math.inf).argmin(dim=1, keepdim=True)  # (B, 1), frame of the first word
        before = torch.arange(sound.shape[1], device=sound.device) < self.before + first * self.hop
        begins = draw[2] < self.ROOM_BEGINS  # else the room is behind the words
        sound = sound.masked_fill(room & (before == begins), 0)
        rest = (torch.where(begins, first - place, place - first) / self.ROOM_RISE).clamp(0, 1)  # (B, T), of the face
        return sound, self.at_rest(truth, torch.where(room, rest, 0.0)), room & begins & before, room

    def talkers(self, spoken: Tensor) -> Tensor:
        """Return others who talk beside each stretch of speech (B, N): one, or up to `TALKERS` at once."""
        voices = spoken / spoken.square().mean(dim=1, keepdim=True).clamp(min=QUIETEST).sqrt()
        beside = torch.rand(len(spoken), 1, device=spoken.device) * self.TALKERS  # the first talks always
        return torch.stack([voices.roll(k + 1, 0) * (beside >= k) for k in range(self.TALKERS)]).sum(dim=0)

    def colour(self, noise: Tensor) -> Tensor:
        """Vary noise (B, N) by random filters and rhythms, and add two at a time: more noises than recordings."""
        stretches, samples = noise.shape
        noise = noise / noise.square().mean(dim=1, keepdim=True).clamp(min=QUIETEST).sqrt()
        draw = torch.rand(6, stretches, 1, device=noise.device)
        length = 0.5 + 5.5 * draw[0]  # samples in which a filter dies away: from flat to steep
        place = torch.arange(self.TAPS, device=noise.device)
        taps = torch.randn(stretches, self.TAPS, device=noise.device) * torch.exp(-place / length)
        taps = taps / taps.square().sum(dim=1, keepdim=True).sqrt()
        padded = functional.pad(noise, (self.TAPS - 1, 0))[None]  # (1, B, N + TAPS - 1)
        filtered = functional.conv1d(padded, taps[:, None], groups=stretches)[0]
        noise = torch.where(draw[1] < self.COLOURED, filtered, noise)
        rhythm = 2 * torch.rand(stretches, 1, samples // self.SYLLABLE + 2, device=noise.device) - 1
        rhythm = functional.interpolate(rhythm, size=samples, mode="linear", align_corners=True)[:, 0]  # (B, N)
        noise = torch.where(draw[2] < self.PULSED, noise * 10 ** (self.PULSE_DB * draw[3] * rhythm / 20), noise)
        other = noise.roll(1, 0) * 10 ** (-self.SECOND_DB * draw[5] / 20)
        return torch.where(draw[4] < self.PAIRED, noise + other, noise)

    def bend(self, spectrum: Tensor, truth: Truth, changed: Tensor) -> tuple[Tensor, Truth]:
        """Change vocal tract and tempo of the stretches where `changed` (B, 1).

        Vocal tract length perturbation (Jaitly, Hinton 2013) moves the spectrum along its bands, tempo moves it along
        time, and the face with it; frames that would lie beyond the stretch are not known.
        """
        if not (self.warp or self.tempo):
            return spectrum, truth
        shape, known, phone = truth
        stretches, frames, bands = spectrum.shape
        draw = torch.rand(3, stretches, 1, device=spectrum.device)
        tract = (1 + self.warp) ** ((2 * draw[0] - 1) * changed)  # (B, 1)
        tempo = (1 + self.tempo) ** ((2 * draw[1] - 1) * changed)
        scale = _mel(self.centres)  # (F), evenly spaced
        band = (_mel(tract * self.centres) - scale[0]) / (scale[1] - scale[0])  # (B, F)
        start = draw[2] * (shape.shape[1] - 1) * (1 - tempo).clamp(min=0)  # video frames
        # Feature frame m has its middle `lead` feature frames before instant m * HOP of the first video frame.
        lead = (self.before - self.WINDOW // 2) / self.HOP
        place = self.STRIDE * start + tempo * (torch.arange(frames, device=spectrum.device) - lead) + lead
        where = torch.broadcast_tensors(2 * band[:, None] / (bands - 1) - 1, 2 * place[..., None] / (frames - 1) - 1)
        grid = torch.stack(where, dim=-1)  # (B, M, F, 2), in [-1, 1]
        spectrum = functional.grid_sample(spectrum[:, None], grid, padding_mode="border", align_corners=True)[:, 0]
        place = start + tempo * torch.arange(shape.shape[1], device=spectrum.device)  # (B, T), video frames
        left = place.floor().clamp(max=shape.shape[1] - 2).long()
        right_share = (place - left)[:, :, None, None]
        row = torch.arange(stretches, device=spectrum.device)[:, None]
        shape = torch.lerp(shape[row, left], shape[row, left + 1], right_share)
        inside = place <= known.shape[1] - 1
        phone = phone[row, place.round().clamp(max=phone.shape[1] - 1).long()].masked_fill(~inside, UNKNOWN)
        return spectrum, Truth(shape, known[row, left] & known[row, left + 1] & inside, phone)

    def hide(self, spectrum: Tensor, changed: Tensor) -> Tensor:
        """Set spans of bands and of time to the mean of speech, as in SpecAugment (Park et al. 2019)."""
        stretches, frames, bands = spectrum.shape
        number, widest_band, widest_time = self.mask
        for _ in range(number):
            hidden_bands = _spans(stretches, bands, widest_band, spectrum.device)[:, None, :]
            hidden_frames = _spans(stretches, frames, widest_time, spectrum.device)[:, :, None]
            hidden = (hidden_bands | hidden_frames) & changed[:, :, None]
            mean = self.CENTRE if self.inputs == "bands" else spectrum.mean(dim=(1, 2), keepdim=True)
            spectrum = torch.where(hidden, mean, spectrum)
        return spectrum


def _mel(frequency: Tensor) -> Tensor:
    """Convert Hz to Slaney's mel scale, as librosa has it: linear to 1 kHz, logarithmic above."""
    return torch.where(frequency < 1000, 3 * frequency / 200, 15 + 27 * torch.log(frequency / 1000) / math.log(6.4))


def _spans(stretches: int, size: int, widest: int, device: torch.device) -> Tensor:
    """Draw a random span of at most `widest` places for each stretch, (B, size) bool."""
    draw = torch.rand(2, stretches, 1, device=device)
    width = draw[0] * widest
    start = draw[1] * (size - width)
    place = torch.arange(size, device=device)
    return (place >= start) & (place < start + width)
