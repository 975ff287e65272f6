"""The landmark network of Li et al. 2017, against its description."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from talkface.errors import TalkfaceError
from talkface.face.points import OUTER_EYE_CORNERS
from talkface.face.template import load_template
from talkface.models import checkpoint
from talkface.models.networks import fft_cnn
from talkface.models.networks.fft_cnn import align_eyes, interpolate, measure_boxes
from talkface.prediction.streaming import predict_blocks, predict_samples
from talkface.training.batches import Batches
from talkface.training.dataset import read_part
from talkface.training.loop import fit
from talkface.training.recipe import Recipe
from tests.toy_corpus import make_network, noise_for, toy_clip, toy_dataset, toy_shape_model

CPU = torch.device("cpu")
PUBLISHED = fft_cnn.Network.PUBLISHED["arguments"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return toy_dataset(tmp_path_factory.mktemp("toy") / "toy.h5", train=4, valid=1, test=1, rates=(48_000,))


@pytest.fixture(scope="module")
def part(dataset):
    """Four clips of two speakers, one of whom opens the mouth twice as far."""
    part = read_part(dataset, "train", rate=48_000, landmarks=True)
    mean = part.shape.mean(axis=0)
    for index in (2, 3):
        part.shape_of(index)[:] += part.shape_of(index) - mean
    return dataclasses.replace(part, speakers=["ada", "ada", "bob", "bob"])


# The network --------------------------------------------------------------------------------------------------------


def test_parameters_are_those_of_the_description():
    """Counted by hand: kernel x channels in x channels out + channels out; a GRU of torch has two biases."""
    convolutions = [
        3 * 1 * 32 + 32,
        3 * 32 * 32 + 32,
        2 * 32 * 64 + 64,
        3 * 64 * 64 + 64,
        3 * 64 * 128 + 128,
        3 * 128 * 128 + 128,
        3 * 128 * 136 + 136,
        4 * 136 * 136 + 136,
    ]
    dense = 136 * 136 + 136
    network = make_network("fft_cnn")
    assert [sum(value.numel() for value in layer.parameters()) for layer in network.convolutions] == convolutions
    assert sum(value.numel() for value in network.gru.parameters()) == 3 * (2 * 136 * 136 + 2 * 136)
    total = {gru: sum(v.numel() for v in make_network("fft_cnn", gru=gru).parameters()) for gru in (True, False)}
    assert total[False] == sum(convolutions) + 3 * dense == 276_104
    assert total[True] == total[False] + 111_792 == 387_896


def test_sizes_from_layer_to_layer():
    network, sizes = make_network("fft_cnn"), []
    for layer in network.convolutions:
        layer.register_forward_hook(lambda module, given, result: sizes.append(tuple(result.shape[1:])))
    assert network.hear(torch.zeros(2, 5, 128, 23)).shape == (2, 5, 136)
    assert sizes == [
        *((32, 64, 23), (32, 16, 23), (64, 4, 23), (64, 2, 23), (128, 1, 23)),
        *((128, 1, 6), (136, 1, 3), (136, 1, 1)),
    ]


@pytest.mark.parametrize(
    ("size", "wide", "step"), [(128, 3, 2), (8, 2, 2), (11, 3, 2), (6, 3, 2), (3, 4, 4), (7, 1, 1)]
)
def test_padding_is_tensorflows_same(size, wide, step):
    """As `tf.nn.conv2d` documents it: ceil(n / stride) places, the odd zero behind."""
    x = torch.arange(1.0, size + 1).reshape(1, 1, size, 1)
    padded = fft_cnn._pad_same(x, (wide, 1), (step, 1))[0, 0, :, 0]
    before = int(padded.nonzero()[0])
    behind = len(padded) - size - before
    assert (len(padded) - wide) // step + 1 == -(-size // step)
    assert behind in (before, before + 1)
    kernel = torch.randn(1, 1, wide, 1)
    assert nn.functional.conv2d(padded.reshape(1, 1, -1, 1), kernel, stride=(step, 1)).shape[2] == -(-size // step)


def test_spectra_by_numpy():
    network = make_network("fft_cnn")
    sound = noise_for(network, 5)
    steps = network.spectra(sound, 6)
    assert steps.shape == (2, 6, 128, 23)
    for stretch, step, block in ((0, 0, 0), (1, 3, 7), (0, 5, 21), (1, 2, 22)):
        first = 1_440 * step + 128 * block  # the sound begins 30 ms before step 0
        last = min(first + 128, 1_440 * step + 2_880)  # the last block is half zeros
        piece = np.zeros(128)
        piece[: last - first] = sound[stretch, first:last]
        np.testing.assert_allclose(steps[stretch, step, :, block], np.abs(np.fft.fft(piece)), atol=1e-4)


def test_silence_is_shifted_as_published():
    published, repaired = (make_network("fft_cnn", shift=shift) for shift in (True, False))
    silence = torch.zeros(1, 2_880)
    assert not repaired.spectra(silence, 1).any()
    spectrum = published.spectra(silence, 1)[0, 0]  # every sample at -1
    np.testing.assert_allclose(spectrum[0], [128] * 22 + [64], atol=1e-3)
    assert spectrum[1:, :22].abs().max() < 1e-3


# Time ---------------------------------------------------------------------------------------------------------------


def test_steps_hear_the_sound_around_them():
    network = make_network("fft_cnn")
    sound = noise_for(network, 6, stretches=1).requires_grad_()
    for step in (0, 1, 5):
        heard = torch.autograd.grad(network.spectra(sound, 7)[0, step].sum(), sound)[0][0].nonzero()[:, 0]
        assert (heard.min(), heard.max()) == (1_440 * step, 1_440 * (step + 2) - 1)


@pytest.mark.parametrize(("frame", "first", "last"), [(0, 0, 0), (1, 1, 2), (2, 2, 3), (3, 4, 4), (8, 10, 11)])
def test_frames_lie_between_steps(frame, first, last):
    """And the sound that the last of them hears is there, and not a sample more than the farthest frame needs."""
    network = make_network("fft_cnn", gru=False)
    sound = noise_for(network, frame + 1)
    (outputs, _), (steps, _) = network(sound), network.native(sound, last + 1)
    weight = (4 * frame / 3) % 1
    torch.testing.assert_close(outputs[:, frame], (1 - weight) * steps[:, first] + weight * steps[:, last])
    end = 1_440 * (last + 2)
    assert end <= sound.shape[1]
    assert sound.shape[1] - end == (0 if frame % 3 == 1 else 480 if frame % 3 == 2 else 960)


def test_interpolation_is_exact_for_linear_motion():
    slope, start = torch.randn(2, 2, 1, 136).double()
    times = {period: period * torch.arange(40).double()[None, :, None] for period in (0.03, 0.04)}
    steps, frames = (start + slope * times[period] for period in (0.03, 0.04))
    torch.testing.assert_close(interpolate(steps, 30, every=4, of=3), frames[:, :30])
    torch.testing.assert_close(interpolate(frames, 40, every=3, of=4), steps)


def test_the_loss_compares_at_the_steps(monkeypatch, part):
    network = make_network("fft_cnn")
    batch = Batches(part, network, CPU).cut(torch.tensor([0, 1]), torch.tensor([0, 5]), 9)
    frames = torch.linspace(0.2, 0.6, 9)[None, :, None].expand(2, 9, 136)
    steps = (0.2 + 0.4 * torch.arange(11) * 0.03 / 0.32)[None, :, None].expand(2, 11, 136)
    monkeypatch.setattr(network, "native", lambda sound, count: (steps[:, :count], None))
    assert network.loss(batch._replace(target=frames)) < 1e-12
    known = batch.known.clone()
    known[:, 4] = False  # steps 5 to 6 lie within a frame of it: 0.15 and 0.18 s
    spoilt = frames.clone()
    spoilt[:, 4] = 9
    assert network.loss(batch._replace(target=spoilt, known=known)) < 1e-12
    assert network.loss(batch._replace(target=spoilt)) > 1


@pytest.mark.parametrize("arguments", [{}, PUBLISHED], ids=["repaired", "published"])
def test_chunks_change_nothing(arguments):
    network = make_network("fft_cnn", **arguments)
    samples = toy_clip("x", frames=70, rates=(48_000,)).audio[48_000]
    whole = predict_samples(network, samples)
    assert whole.shape == (71, 68, 2)
    for chunk in (1, 30, 50):
        chunks = list(predict_blocks(network, np.array_split(samples, 5), rate=48_000, peak=1.0, chunk_frames=chunk))
        assert [len(faces) % 3 for faces in chunks[:-1]] == [0] * 5  # windows of three frames
        np.testing.assert_allclose(np.concatenate(chunks), whole, atol=2e-5)


# Faces --------------------------------------------------------------------------------------------------------------


def test_faces_in_the_box_of_their_speaker(part):
    network = make_network("fft_cnn")
    targets = network.targets(part).reshape(-1, 68, 2)
    boxes = []
    for clips in ((0, 1), (2, 3)):
        faces = np.concatenate([part.shape_of(index) for index in clips]).reshape(-1, 2)
        boxed = np.concatenate([targets[part.frame_offsets[i] : part.frame_offsets[i + 1]] for i in clips])
        low, high = faces.min(axis=0), faces.max(axis=0)
        boxes.append((low, high))
        np.testing.assert_allclose(boxed.reshape(-1, 2), (faces - low) / (high - low), atol=1e-6)
        assert (boxed.min(), boxed.max()) == (0, 1)
    np.testing.assert_allclose(network.mean_box, np.mean(boxes, axis=0), atol=1e-6)
    faces = torch.from_numpy(part.shape[None])
    torch.testing.assert_close(network.decode(network.encode(faces)), faces)


def test_a_speaker_keeps_the_box_of_training(part):
    """In a split by clip or window the judged frames alone would give a smaller one."""
    network = make_network("fft_cnn")
    network.targets(part)
    mean_box = network.mean_box.clone()
    few = part.take([0])
    np.testing.assert_array_equal(network.targets(few), network.targets(part)[: len(few.shape)])
    other = network.targets(dataclasses.replace(few, speakers=["eve"]))
    assert (other.min(), other.max()) == (0, 1)  # a speaker who was not heard has a box of her own
    assert torch.equal(network.mean_box, mean_box)


def test_faces_in_a_box_of_their_own_as_published(part):
    network = make_network("fft_cnn", **PUBLISHED)
    targets = network.targets(part).reshape(-1, 68, 2)
    assert (targets.min(axis=1) == 0).all()
    assert (targets.max(axis=1) == 1).all()
    frame = part.landmarks[7]
    np.testing.assert_allclose(targets[7], (frame - frame.min(axis=0)) / np.ptp(frame, axis=0), atol=1e-6)
    np.testing.assert_allclose(network.mean_box, measure_boxes(part.shape).mean(axis=0), atol=1e-6)
    corners = network.decode(torch.from_numpy(network.targets(part))[None])[:, :, list(OUTER_EYE_CORNERS)]
    torch.testing.assert_close(corners, torch.tensor([[-0.5, 0], [0.5, 0]]).expand_as(corners))
    with pytest.raises(TalkfaceError, match="learns from pixel landmarks, but the dataset holds none; assemble it"):
        network.targets(dataclasses.replace(part, landmarks=None))


def test_eyes_are_aligned():
    face = torch.from_numpy(load_template())
    turned = 3 * face @ torch.tensor([[0.8, 0.6], [-0.6, 0.8]]).double() + 5
    torch.testing.assert_close(align_eyes(turned[None]), face[None], atol=1e-6, rtol=0)
    assert align_eyes(torch.full((1, 68, 2), 0.5)).isfinite().all()


def test_the_box_lies_beside_the_weights(dataset, tmp_path):
    settings = Recipe.read({"network": "fft_cnn", "stretches": 2, "frames": 6, "max_steps": 2}, name="x")
    parts = {split: read_part(dataset, split, rate=48_000, landmarks=True) for split in ("train", "valid")}
    run = fit(parts, toy_shape_model(), settings, seed=1)
    faces = parts["train"].shape
    box = torch.from_numpy(np.stack([faces.min(axis=(0, 1)), faces.max(axis=(0, 1))]))
    assert not torch.allclose(make_network("fft_cnn").mean_box, box, atol=1e-3)
    content = checkpoint.pack_network(
        run.network, name="fft_cnn", arguments={}, shape_model=toy_shape_model(), weights=run.best
    )
    checkpoint.save_file(tmp_path / "weights.pt", content)
    network = checkpoint.load_network(tmp_path / "weights.pt")
    torch.testing.assert_close(network.mean_box, box)
    samples = parts["valid"].audio_of(0)
    run.network.load_state_dict(run.best)
    np.testing.assert_array_equal(predict_samples(network, samples), predict_samples(run.network.eval(), samples))
    again = fit(parts, toy_shape_model(), settings, seed=1)
    assert all(torch.equal(again.best[key], value) for key, value in run.best.items())


# Learning -----------------------------------------------------------------------------------------------------------


def test_it_begins_at_the_mean_face():
    network = make_network("fft_cnn")
    face = network.decode(network(noise_for(network, 3))[0])[0].detach()
    np.testing.assert_allclose(face, np.broadcast_to(toy_shape_model().mean, (3, 68, 2)), atol=0.1)


def test_published_begins_as_tensorflow_does():
    """Glorot and Bengio 2010: uniform up to sqrt(6 / (values in + values out)); biases at zero."""
    network = make_network("fft_cnn", **PUBLISHED)
    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
            assert (layer.bias == 0).all()
            weight = layer.weight.detach()
            around = weight[0, 0].numel() * (weight.shape[0] + weight.shape[1])
            limit = (6 / around) ** 0.5
            assert 0.95 * limit < weight.abs().max() <= limit
            assert weight.std() == pytest.approx(limit / 3**0.5, rel=0.15)


# Published weights begin so far off that 80 steps find the mean face alone.
@pytest.mark.parametrize("arguments", [{}, PUBLISHED | {"start": "mean_face"}], ids=["repaired", "published"])
def test_it_overfits_eight_windows(arguments, part):
    network = make_network("fft_cnn", **arguments).train()
    batch = Batches(part, network, CPU).cut(torch.arange(8) % 4, 6 * torch.arange(8), 6)
    mean = (batch.target - batch.target.flatten(0, 1).mean(dim=0)).square().mean()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.002)
    for _ in range(80):
        optimizer.zero_grad()
        loss = network.loss(batch)
        loss.backward()
        optimizer.step()
    assert all(value.grad.isfinite().all() for value in network.parameters())
    assert loss < 0.2 * mean


@pytest.mark.parametrize(("key", "value"), [("box", "face"), ("level", "loud"), ("start", "keras")])
def test_switches_that_are_none_are_named(key, value):
    with pytest.raises(TalkfaceError, match=f"models: {key} is '{value}'; one of "):
        make_network("fft_cnn", **{key: value})
