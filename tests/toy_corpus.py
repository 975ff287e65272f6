"""A made-up corpus whose mouth follows its sound: learnt in seconds, and known exactly."""

import numpy as np
import torch

from talkface.face import points
from talkface.face.shape_model import fit_shape_model
from talkface.face.template import load_template
from talkface.models import checkpoint
from talkface.models.registry import build_network, network_names
from talkface.training.dataset import Clip, write_dataset

# The lower lip and the chin fall when the mouth opens.
FALLING = (*range(55, 60), 65, 66, 67, *range(6, 11))


def envelope(frames, generator, *, per_frame):
    """Smooth loudness 0 .. 1, (frames * per_frame,): a syllable every 200 ms, of random height."""
    heights = generator.uniform(0, 1, frames // 5 + 3)
    place = np.arange(frames * per_frame) / per_frame / 5
    left = place.astype(int)
    weight = 0.5 - 0.5 * np.cos(np.pi * (place - left))
    return heights[left] * (1 - weight) + heights[left + 1] * weight


def sound(loudness, rate, generator):
    """(S,) int16: a buzz and a hiss as loud as `loudness` (S,)."""
    time = np.arange(len(loudness)) / rate
    buzz = sum(np.sin(2 * np.pi * 120 * harmonic * time) / harmonic for harmonic in range(1, 12))
    signal = loudness * (0.15 * buzz + 0.02 * generator.standard_normal(len(loudness)))
    return np.round(signal * 32767).clip(-32768, 32767).astype(np.int16)


def shapes(loudness):
    """(T, 68, 2) float32 faces whose mouth is as open as `loudness` (T,)."""
    faces = np.repeat(load_template()[None], len(loudness), axis=0)
    faces[:, list(FALLING), 1] += 0.2 * np.asarray(loudness)[:, None]
    faces[:, list(points.LIPS), 0] *= 1 - 0.05 * np.asarray(loudness)[:, None]
    return faces.astype(np.float32)


# Of the network talkface: one member that learns without noise, from speech little changed.
SINGLE = {
    "members": 1, "noise_share": 0.0, "augmented_share": 0.3, "gain_db": [-6, 0], "warp": 0.05, "tempo": 0.0,
    "level": "peak",
}  # fmt: skip
RATES = (8_000, 16_000, 44_100, 48_000)  # of all networks


def toy_clip(name, *, frames=60, seed=0, rates=RATES, split="train", speaker="toy"):
    """One clip: sound whose loudness opens the mouth."""

    def loudness(per_frame):
        return envelope(frames, np.random.default_rng(seed), per_frame=per_frame)

    audio = {rate: sound(loudness(rate // 25), rate, np.random.default_rng(seed)) for rate in rates}
    faces = shapes(loudness(1))
    return Clip(name, speaker, split, f"digest-{name}", faces, audio, landmarks=200 + 100 * faces)


def toy_dataset(path, *, train=12, valid=3, test=3, components=6, rates=RATES, frames=60):
    """A dataset file of toy clips; each fourth clip is a little shorter."""
    clips = []
    for split, number in (("train", train), ("valid", valid), ("test", test)):
        for index in range(number):
            seed = len(clips)
            length = frames - 7 if index % 4 == 3 else frames
            clips.append(toy_clip(f"{split}{index}", frames=length, seed=seed, rates=rates, split=split))
    write_dataset(path, clips, corpus="toy", components=components)
    return path


def toy_shape_model():
    """Six components: the moving mouth, and noise."""
    generator = np.random.default_rng(0)
    faces = shapes(generator.uniform(size=200)) + 0.01 * generator.standard_normal((200, 68, 2))
    return fit_shape_model(faces, components=6)


def make_network(name, **arguments):
    """A network with fresh weights, ready to predict, on a shape model of six components."""
    torch.manual_seed(0)
    return build_network(name, toy_shape_model(), arguments).eval()


def noise_for(network, frames, *, stretches=2):
    """White noise as sound for so many frames."""
    generator = torch.Generator().manual_seed(1)
    samples = network.before + (frames - 1) * network.hop + network.after
    return torch.randn(stretches, samples, generator=generator) * 0.3


def save_fresh_weights(folder):
    """Weights of every network as its constructor leaves them, {name}.pt in `folder`; gives the folder."""
    for name in network_names():
        network, shape_model = make_network(name), toy_shape_model()
        content = checkpoint.pack_network(network, name=name, arguments={}, shape_model=shape_model)
        checkpoint.save_file(folder / f"{name}.pt", content)
    return folder
