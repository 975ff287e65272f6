"""The small network that refines mouths."""

import numpy as np
import pytest
import torch

from talkface.head.picture import Layers
from talkface.head.refine import unet
from talkface.head.refine.unet import (
    CHANNELS,
    Example,
    Refiner,
    UNet,
    given_of,
    read_refiner,
    train,
    write_refiner,
)
from talkface.head.warp import Window

HEIGHT, WIDTH = 44, 61


def layers(seed=0, *, near=2):
    """A mouth whose composed picture is of one grey, and what lies below and near of others."""
    rng = np.random.default_rng(seed)
    picture = rng.uniform(60, 200, (HEIGHT, WIDTH, 3)).astype(np.float32)
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[10:34, 12:50] = 1
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    lips = np.column_stack([30 + 15 * np.cos(angle), 22 + 8 * np.sin(angle)])
    inner = np.column_stack([30 + 9 * np.cos(angle[:8] * 1.5), 22 + 3 * np.sin(angle[:8] * 1.5)])
    others = [picture + 5 * k for k in range(near)]
    return Layers(Window(0, 0, WIDTH, HEIGHT), picture, picture + 20, others, mask, lips, inner, 80.0)


def test_it_is_small_and_given_all_layers():
    assert 300_000 < sum(parameter.numel() for parameter in UNet().parameters()) < 500_000
    for near in (1, 2, 5):
        given = given_of(layers(near=near))
        assert given.shape == (HEIGHT, WIDTH, CHANNELS)
        assert given.dtype == np.uint8
    assert given[22, 30, -2:].tolist() == [255, 255]  # inside lips, and inside the mouth
    assert given[2, 2, -2:].tolist() == [0, 0]


def test_untrained_it_shows_about_the_composed_picture_and_nothing_outside_the_mask():
    torch.manual_seed(0)
    shown = Refiner(UNet().state_dict())(layers())
    composed = layers().composed()
    assert shown.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(shown - composed).max() < 12
    np.testing.assert_allclose(shown[:5], composed[:5], atol=1e-3)


def test_the_finest_band_stays_as_it_was_filmed():
    torch.manual_seed(0)
    network = UNet()
    torch.nn.init.normal_(network.leave.weight, std=0.05)
    mouth = layers()
    change = Refiner(network.state_dict())(mouth) - mouth.composed()
    steps = np.abs(np.diff(change[14:30, 16:46], axis=1))
    noise = np.abs(np.diff(mouth.composed()[14:30, 16:46], axis=1))
    assert np.abs(change).max() > 1
    assert steps.mean() < 0.2 * noise.mean()


def test_it_learns_which_layer_is_right_and_the_same_again(tmp_path, monkeypatch):
    monkeypatch.setattr(unet, "BATCH", 2)
    found = []
    for seed in range(4):
        mouth = layers(seed)
        truth = np.rint(mouth.below).astype(np.uint8)  # what lies below was right
        found.append(Example(given_of(mouth), truth, mouth.mask))
    state = train(found, steps=40, sharpening=2)
    again = train(found, steps=40, sharpening=2)
    for name, tensor in state.items():
        torch.testing.assert_close(tensor, again[name])
    mouth = layers(9)
    inside = mouth.mask > 0
    before = np.abs(mouth.composed() - mouth.below)[inside].mean()
    write_refiner(state, tmp_path / "refine.pt")
    after = np.abs(read_refiner(tmp_path / "refine.pt")(mouth) - mouth.below)[inside].mean()
    assert before == pytest.approx(20, abs=0.1)
    assert after < 0.7 * before
