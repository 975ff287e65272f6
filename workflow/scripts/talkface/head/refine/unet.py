"""A small U-Net that chooses, pixel by pixel, among the layers of a mouth, and adds what they lack.

It learns from the person's own frames: each is put together from frames half a second and more away, and compared with
what was filmed, by L1 and Laplacian pyramids; then, if asked, by a small PatchGAN (Isola et al. 2017) beside. The
finest band stays that of the real pictures, so that nearness is not bought with blur.

results/persons/{person}/refine.pt: `kind` (unet), `state`, and the figures of training.

Axes: B pictures, C channels, H and W of a window, K layers that may be chosen.
"""

import itertools
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from talkface.errors import TalkfaceError
from talkface.face3d.records import Stretch
from talkface.files import writing
from talkface.head.actor import Actor, Mouths, load_actor
from talkface.head.choice import choose, fade
from talkface.head.filmed import Frames
from talkface.head.picture import Layers, Mouth, Painter, blurred

log = logging.getLogger(__name__)

NEAR = 3  # mouths of the low band that it may take from
CHOICES = 2 + NEAR  # the composed picture, the frame below, and these
CHANNELS = 3 * CHOICES + 2  # and where lips and the inside of the mouth are
WIDTHS = (32, 48, 64, 64)
AWAY = 12  # frames from one that is learnt to any that it is put together from
BLOCK = 25  # frames that are put together from the same others
MOST = 900  # frames that are learnt from
STEPS, SHARPENING = 600, 0  # without and with the discriminator
BATCH, CROP = 6, (96, 128)  # pictures, and rows and columns of each, at most
RATE, AGAINST = 1e-3, 2e-4
ADVERSARIAL = 0.02  # of the discriminator's verdict beside L1
AVERAGE = 0.99
FINE, FINE_PX = 0.01, 1.8  # outer-eye distances, and at least pixels, standard deviation: what is finer stays as filmed


class Example(NamedTuple):
    """A mouth as put together, and as filmed: given (H, W, 3 CHOICES + 2), truth (H, W, 3), uint8, and mask (H, W)."""

    given: NDArray
    truth: NDArray
    mask: NDArray


class Block(nn.Module):
    """Two convolutions beside the way through."""

    def __init__(self, channels: int):
        super().__init__()
        self.one, self.two = nn.Conv2d(channels, channels, 3, padding=1), nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Refine features."""
        return x + self.two(functional.silu(self.one(functional.silu(x))))


class UNet(nn.Module):
    """From layers (B, CHANNELS, H, W), -1 .. 1, to a picture (B, 3, H, W); H and W are multiples of 16."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Conv2d(4 * CHANNELS, WIDTHS[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in itertools.pairwise(WIDTHS))
        self.before = nn.ModuleList(Block(width) for width in WIDTHS)
        self.up = nn.ModuleList(nn.Conv2d(a + b, b, 3, padding=1) for a, b in zip(WIDTHS[1:], WIDTHS, strict=False))
        self.leave = nn.Conv2d(WIDTHS[0], 4 * (CHOICES + 3), 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        assert self.leave.bias is not None
        nn.init.zeros_(self.leave.bias)
        with torch.no_grad():
            self.leave.bias[:4] = 3.0  # begins with the composed picture

    def forward(self, given: Tensor) -> Tensor:
        """Compute the picture."""
        x = self.enter(functional.pixel_unshuffle(given, 2))
        seen = []
        for level, block in enumerate(self.before):
            x = block(x)
            if level < len(self.down):
                seen.append(x)
                x = self.down[level](functional.silu(x))
        for level in reversed(range(len(self.up))):
            x = functional.interpolate(x, scale_factor=2, mode="nearest")
            x = functional.silu(self.up[level](torch.cat([x, seen[level]], dim=1)))
        out = functional.pixel_shuffle(self.leave(x), 2)  # (B, CHOICES + 3, H, W)
        share = out[:, :CHOICES].softmax(dim=1)
        layers = given[:, : 3 * CHOICES].unflatten(1, (CHOICES, 3))
        return (share[:, :, None] * layers).sum(dim=1) + out[:, CHOICES:]


class Patches(nn.Sequential):
    """A discriminator of patches: from pictures (B, 3, H, W) to verdicts."""

    def __init__(self) -> None:
        def layer(a: int, b: int, stride: int) -> list[nn.Module]:
            return [nn.utils.parametrizations.spectral_norm(nn.Conv2d(a, b, 4, stride, 1)), nn.LeakyReLU(0.2)]

        super().__init__(*layer(3, 32, 2), *layer(32, 64, 2), *layer(64, 96, 1), nn.Conv2d(96, 1, 4, 1, 1))


def given_of(layers: Layers) -> NDArray[np.uint8]:
    """Stack what the network is given, (H, W, CHANNELS)."""
    near = (layers.near * NEAR)[:NEAR]
    mean = layers.real.mean(axis=(0, 1)) - np.stack([picture.mean(axis=(0, 1)) for picture in near])
    pictures = [layers.composed(), layers.below, *(picture + shift for picture, shift in zip(near, mean, strict=True))]
    places = np.zeros((*layers.mask.shape, 2), np.float32)
    for k, outline in enumerate((layers.lips, layers.inner)):
        plane = np.zeros(layers.mask.shape, np.uint8)
        cv2.fillPoly(plane, [np.round(16 * outline).astype(np.int32)], 255, shift=4)
        places[..., k] = plane
    return np.rint(np.concatenate([*pictures, places], axis=2).clip(0, 255)).astype(np.uint8)


def to_tensor(pictures: NDArray) -> Tensor:
    """Bring pictures (B, H, W, C), 0 .. 255, to a tensor (B, C, H, W), -1 .. 1."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def examples(actor: Actor, mouths: Mouths, frames: Any, learnt: NDArray | None = None) -> list[Example]:
    """Put frames of a person together from others.

    Parameters
    ----------
    actor, mouths
    frames : mapping of frame to (H, W, 3) uint8 array
    learnt : (N,) bool array, optional
        Frames that may be looked at; by default all.
    """
    filmed = actor.filmed(mouths)
    known = np.ones(len(actor), bool) if learnt is None else learnt
    rows, painter = np.flatnonzero(known), Painter(actor, mouths)
    found = []
    for first in range(0, len(rows), BLOCK):
        some = rows[first : first + BLOCK]
        others = known & ~np.isin(np.arange(len(actor)), np.arange(some[0] - AWAY, some[-1] + AWAY + 1))
        if not others.any():
            continue
        chosen = choose(filmed.shape[some], actor.turn[some], filmed, allowed=others)
        sharp = fade(chosen.path, actor.video)
        behind = actor.nearest_pose(some, np.flatnonzero(others))
        for k, t in enumerate(some.tolist()):
            shares = {n: share for n, share in sharp[k].items() if others[n]} or {int(chosen.path[k]): 1.0}
            near = dict(zip(chosen.near[k].tolist(), chosen.share[k].tolist(), strict=True))
            mouth = Mouth({n: share / sum(shares.values()) for n, share in shares.items()}, near)
            n = int(behind[k])
            layers = painter.layers(frames[n], n, actor.weights[t], mouth, at=t)
            truth = frames[t][layers.window.rows_and_columns]
            if truth.shape[:2] == layers.mask.shape:
                found.append(Example(given_of(layers), truth, layers.mask))
    if not found:
        raise TalkfaceError("head.refine: no frame of the person can be put together from others; give more video")
    return found


def train(
    found: list[Example], *, seed: int = 1, steps: int = STEPS, sharpening: int = SHARPENING
) -> dict[str, Tensor]:
    """Train the network on examples; return its averaged weights."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network, judge = UNet(), Patches()
    average = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, betas=(0.9, 0.99), weight_decay=1e-4)
    whole = steps + sharpening
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min(1.0, 1.25 * (1 - step / whole)))
    against = torch.optim.Adam(judge.parameters(), lr=AGAINST, betas=(0.5, 0.99))
    height = min(CROP[0], min(len(example.mask) for example in found)) // 16 * 16
    width = min(CROP[1], min(example.mask.shape[1] for example in found)) // 16 * 16
    begun = time.perf_counter()
    for step in range(whole):
        given, truth, mask = _draw(found, rng, height, width)
        with torch.autocast("cpu", torch.bfloat16):
            shown = network(given).float()
        error = mask * (shown - truth)
        loss = error.abs().mean() + 0.5 * _pyramid(error)
        if step >= steps:
            seen, real = truth + mask * (shown - truth), truth
            verdict = functional.relu(1 - judge(real)).mean() + functional.relu(1 + judge(seen.detach())).mean()
            against.zero_grad()
            verdict.backward()
            against.step()
            loss = loss - ADVERSARIAL * judge(seen).mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        for name, tensor in network.state_dict().items():
            average[name].lerp_(tensor, 1 - min(AVERAGE, (step + 1) / (step + 10)))
        if step % 100 == 0:
            log.info("step %d: %.4f, %.0f s", step, float(loss.detach()), time.perf_counter() - begun)
    return average


def _draw(found: list[Example], rng: np.random.Generator, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Draw a batch: cuts of examples, some mirrored."""
    rows = rng.integers(0, len(found), BATCH)
    given, truth, mask = [], [], []
    for row in rows:
        example = found[row]
        top = int(rng.integers(0, len(example.mask) - height + 1))
        left = int(rng.integers(0, example.mask.shape[1] - width + 1))
        window = slice(top, top + height), slice(left, left + width)
        flip = -1 if rng.random() < 0.3 else 1
        given.append(example.given[window][:, ::flip])
        truth.append(example.truth[window][:, ::flip])
        mask.append(example.mask[window][:, ::flip])
    x, y = to_tensor(np.stack(given)), to_tensor(np.stack(truth))
    return x, y, torch.from_numpy(np.ascontiguousarray(np.stack(mask)))[:, None]


def _pyramid(error: Tensor, levels: int = 3) -> Tensor:
    """Return the L1 of the bands of an error, which is that of two pictures' Laplacian pyramids."""
    total = error.new_zeros(())
    for _ in range(levels):
        low = functional.avg_pool2d(error, 2)
        total = total + (error - functional.interpolate(low, scale_factor=2, mode="nearest")).abs().mean()
        error = low
    return total + error.abs().mean()


class Refiner:
    """Makes of the layers of a mouth its picture, by a trained network."""

    def __init__(self, state: dict[str, Tensor]):
        self.network = UNet()
        self.network.load_state_dict(state)
        self.network.eval()

    def __call__(self, layers: Layers) -> NDArray[np.float32]:
        """Return the picture (H, W, 3) of the window."""
        height, width = layers.mask.shape
        padded = np.pad(given_of(layers), ((0, -height % 16), (0, -width % 16), (0, 0)), "edge")
        with torch.inference_mode():
            shown = self.network(to_tensor(padded[None]))[0].permute(1, 2, 0).numpy()
        composed = layers.composed()
        change = layers.mask[..., None] * (127.5 * (shown[:height, :width] + 1) - composed)
        return np.add(composed, blurred(np.asarray(change, np.float32), max(FINE_PX, FINE * layers.eyes)))


def write_refiner(state: dict[str, Tensor], output: str | Path) -> None:
    """Write a trained network."""
    with writing(output) as temporary:
        torch.save({"kind": "unet", "state": state}, temporary)


def read_refiner(path: str | Path) -> Refiner:
    """Read a trained network."""
    return Refiner(torch.load(path, weights_only=True)["state"])


def learn_refinement(
    output: str | Path, videos: Mapping[str, Stretch], *, faces: str | Path, identity: str | Path, mouths: str | Path,
    face_model: str | Path, steps: int = STEPS, seed: int = 1, threads: int = 1,
) -> None:  # fmt: skip
    """Train the network on a person's own frames, and write it.

    Parameters
    ----------
    output : path
        results/persons/{person}/refine.pt.
    videos : mapping of name to Stretch
        Of the person.
    faces, identity, mouths : path
        results/persons/{person}/.
    face_model : path
    steps : int
        Of training.
    seed : int
    threads : int
    """
    torch.set_num_threads(threads)
    actor = load_actor(face_model, faces, identity)
    some = np.arange(len(actor))
    if len(actor) > MOST:
        log.info("%d of %d frames are learnt from", MOST, len(actor))
        some = some[:MOST]
    learnt = np.isin(np.arange(len(actor)), some)
    found = examples(actor, Mouths(mouths), Frames(videos, actor, some), learnt)
    write_refiner(train(found, steps=steps, seed=seed), output)
