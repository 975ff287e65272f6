import importlib
import inspect
import math

import pytest
import torch
import yaml
from torch.utils.flop_counter import FlopCounterMode

from talkface.media.phone_names import SILENCE
from talkface.models.inputs import Batch
from talkface.models.registry import network_class
from talkface.noise.bank import NoiseBank
from talkface.training import loop, recipe, train
from tests.toy_corpus import make_network, noise_for, toy_dataset

Truth = importlib.import_module("talkface.models.networks.talkface").Truth
LOOKAHEAD = 1_920  # samples: 120 ms


def shipped(project_root):
    """The block `talkface` of the config as it is shipped."""
    return yaml.safe_load((project_root / "config/config.yaml").read_text())["models"]["talkface"]


def unseen(stretches, frames):
    """Stretches of which nothing is known."""
    none = torch.zeros(stretches, frames, dtype=torch.long)
    return Truth(torch.zeros(stretches, frames, 68, 2), none > 0, none)


@pytest.fixture(scope="module")
def chosen(pytestconfig):
    """The network as the config asks for it."""
    return make_network("talkface", **shipped(pytestconfig.rootpath)["arguments"])


def test_what_is_shipped_is_what_the_class_does(pytestconfig):
    arguments = shipped(pytestconfig.rootpath)["arguments"]
    given = {
        name: list(value.default) if isinstance(value.default, tuple) else value.default
        for name, value in inspect.signature(network_class("talkface")).parameters.items()
        if name != "shape_model"
    }
    assert given == arguments


def multiplications(network, frames=100):
    """Of one more frame in a long stretch: products of matrices and convolutions, and the Fourier transforms."""
    counts = []
    for number in (frames, 2 * frames):
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            network(noise_for(network, number, stretches=1))
        counts.append(counter.get_total_flops() / 2)  # a multiplication and an addition each
    size = getattr(getattr(network, "features", None), "size", 0)
    transforms = 4 * 2 * size * math.log2(size) if size else 0
    return (counts[1] - counts[0]) / frames + transforms


def test_talkface_is_small(chosen):
    assert sum(value.numel() for value in chosen.parameters()) < 3_000_000


def test_a_frame_of_talkface_costs_less_than_a_tenth_of_a_frame_of_cnn(chosen):
    cnn = make_network("cnn")
    layers = [module for module in cnn.modules() if isinstance(module, torch.nn.Conv1d)]
    window, shared, samples = 0, 0, cnn.before + cnn.after
    for index, layer in enumerate(layers, start=1):
        samples = (samples - layer.kernel_size[0]) // layer.stride[0] + 1
        window += layer.weight.numel() * samples  # each frame's window for itself, as published
        shared += layer.weight.numel() * cnn.hop / layer.stride[0] ** index  # what neighbouring windows share, once
    assert 6.0e8 < window + cnn.fc1.weight.numel() < 6.3e8
    ours = multiplications(chosen)
    assert 1e5 < ours < shared / 10


def test_talkface_looks_ahead_120_ms_and_no_sample_farther(chosen):
    assert chosen.after <= 0.120 * chosen.rate
    frame, audio = 10, noise_for(chosen, 30, stretches=1)
    place = chosen.before + frame * chosen.hop  # of the frame's instant
    with torch.inference_mode():
        heard = chosen(audio)[0][0, : frame + 1]
        later = audio.clone()
        later[:, place + LOOKAHEAD :] = torch.randn_like(later[:, place + LOOKAHEAD :])
        torch.testing.assert_close(chosen(later)[0][0, : frame + 1], heard, atol=1e-6, rtol=0)
        sooner = audio.clone()
        sooner[:, place + LOOKAHEAD - 200 : place + LOOKAHEAD] = 0
        assert (chosen(sooner)[0][0, frame] - heard[frame]).abs().max() > 1e-5


@pytest.mark.parametrize("milliseconds", [0, 60, 120])
def test_talkface_looks_ahead_as_far_as_it_is_told(milliseconds):
    network = make_network("talkface", lookahead_ms=milliseconds)
    assert network.after == 16 * milliseconds
    assert network(noise_for(network, 7))[0].shape == (2, 7, 6)


def test_the_level_of_talkface_follows_the_sound_so_far(chosen):
    assert chosen.level == "steady"


def test_talkface_hears_as_far_back_as_the_beginning(chosen):
    audio = noise_for(chosen, 30, stretches=1)
    other = audio.clone()
    other[:, : chosen.hop] = 0
    assert not torch.equal(chosen(audio)[0][:, 8], chosen(other)[0][:, 8])


def test_talkface_is_the_same_however_the_stream_is_cut(chosen):
    audio = noise_for(chosen, 60)
    with torch.inference_mode():
        whole, _ = chosen(audio)
        state, pieces = None, []
        for frame in range(60):
            first = frame * chosen.hop
            piece, state = chosen(audio[:, first : first + chosen.before + chosen.after], state)
            pieces.append(piece)
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole, atol=1e-5, rtol=0)


def test_the_running_means_take_out_what_stays():
    network = make_network("talkface", memories_s=(0.05, 0.2))
    bands = network.features.mel.shape[-1]
    heard, (totals, weights) = network.normalise(torch.full((1, 300, bands), -3.0), 280)
    assert heard.shape == (1, 300, 3 * bands)
    assert heard[0, -1, :bands].unique().tolist() == [1.0]
    assert heard[0, -1, bands:].abs().max() < 1e-2
    assert heard[0, 20, bands : 2 * bands].max() < heard[0, 20, 2 * bands :].min()  # the longer one, later
    torch.testing.assert_close(totals / weights[:, None, None], torch.full_like(totals, -3.0), atol=1e-2, rtol=0)


def test_members_of_the_committee_speak_for_themselves():
    network = make_network("talkface", members=3, closing=0.0)
    audio = noise_for(network, 5)
    each, _ = network.speak(network.features(audio))
    assert len(each) == 3
    assert not torch.equal(each[0].coefficients, each[1].coefficients)
    torch.testing.assert_close(network(audio)[0], sum(one.coefficients for one in each) / 3)


def test_talkface_learns_a_resting_face_from_silence():
    network = make_network("talkface", silence_share=1.0)
    sound, truth = network.augment_sound(noise_for(network, 4), unseen(2, 4), None)
    torch.testing.assert_close(truth.shape, network.rest.expand(2, 4, 68, 2))
    assert truth.known.all()
    assert (truth.phone == SILENCE).all()
    assert (sound == 0).all()


def test_noise_comes_in_at_the_ratio_asked_for_and_in_the_share_asked_for():
    alone = {"silence_share": 0.0, "room_share": 0.0, "rest_share": 0.0}
    network = make_network("talkface", gain_db=(0, 0), noise_share=0.5, snr_db=(3, 3), **alone)
    assert network.wants_noise
    assert not make_network("talkface", noise_share=0.0).wants_noise
    stretches, samples = 200, 16_000
    torch.manual_seed(0)
    tone = torch.sin(torch.arange(samples) * 0.3).expand(stretches, -1)
    mixed, _ = network.augment_sound(tone, unseen(stretches, 4), torch.randn(stretches, samples))
    assert mixed.abs().amax(dim=1).allclose(torch.ones(stretches))
    amount = (mixed @ tone.T)[:, :1] / tone[0].square().sum()  # of the tone in what is heard
    rest = (mixed - amount * tone).square().mean(dim=1)
    noisy = rest > 1e-6
    assert 70 < noisy.sum() < 130
    ratio = 10 * torch.log10((amount[:, 0] * tone[0].std()).square() / rest)[noisy]
    assert (ratio - 3).abs().max() < 0.3


def test_noises_become_others():
    network = make_network("talkface", noise_share=1.0)
    torch.manual_seed(0)
    noise = torch.randn(64, 16_000)
    coloured = network.colour(noise)
    assert coloured.shape == noise.shape
    power = torch.fft.rfft(coloured).abs().square()
    tilt = power[:, :4_000].mean(dim=1) / power[:, 4_000:].mean(dim=1)
    assert tilt.min() < 0.5
    assert tilt.max() > 2
    level = coloured.unfold(1, 1_600, 1_600).square().mean(dim=2).sqrt()
    assert (level.amax(dim=1) / level.amin(dim=1)).max() > 4


def test_noise_is_judged_with_the_sound_and_the_same_every_time():
    network = make_network("talkface", noise_share=0.5)
    sound, faces, known = noise_for(network, 9), torch.zeros(2, 9, 68, 2), torch.ones(2, 9, dtype=torch.bool)
    clean = network.loss(Batch(sound, faces, known))
    noisy = network.loss(Batch(sound, faces, known, torch.randn(sound.shape)))
    assert clean != noisy
    assert network.loss(Batch(sound, faces, known)) == clean


def test_talkface_changes_the_chosen_stretches_alone():
    network = make_network("talkface", mask=(1, 8, 6), warp=0.2, tempo=0.2)
    changed = torch.arange(200)[:, None] % 2 == 0
    torch.manual_seed(0)
    spectrum = torch.arange(32.0).expand(200, 60, 32).clone()
    hidden = network.hide(spectrum, changed) == network.CENTRE
    assert not hidden[1::2].any()
    assert hidden.all(dim=1).sum(dim=1).max() == 8
    assert hidden.all(dim=2).sum(dim=1).max() == 6
    faces, known = torch.rand(200, 13, 68, 2), torch.ones(200, 13, dtype=torch.bool)
    bent, (moved, seen, said) = network.bend(spectrum, Truth(faces, known, torch.full((200, 13), 7)), changed)
    assert torch.equal(said == 7, seen | (said == 7))
    torch.testing.assert_close(bent[1::2], spectrum[1::2], atol=1e-4, rtol=0)
    assert torch.equal(moved[1::2], faces[1::2])
    assert seen[1::2].all()
    assert (bent[::2] - spectrum[::2]).abs().amax(dim=(1, 2)).median() > 0.3
    assert 0.7 < seen[::2].float().mean() < 1


def test_another_tempo_moves_sound_and_face_together():
    network = make_network("talkface", warp=0.0, tempo=0.3)
    frames, lead = 60, (network.before - 200) / 160
    heard = 4 * (frames - 1) + 13
    torch.manual_seed(0)
    time = ((torch.arange(heard) - lead) / 4)[None, :, None].repeat(8, 1, 32)  # video frames
    faces = torch.arange(1.0 * frames)[None, :, None, None].repeat(8, 1, 68, 2)
    known, changed = torch.ones(8, frames, dtype=torch.bool), torch.ones(8, 1, dtype=torch.bool)
    phone = torch.arange(frames).expand(8, -1)
    bent, (moved, seen, said) = network.bend(time, Truth(faces, known, phone), changed)
    assert ((said - moved[..., 0, 0]).abs() <= 0.5 + 1e-4)[seen].all()
    for frame in (10, 30):
        place = 4 * frame + lead
        left, share = int(place), place % 1
        heard = torch.lerp(bent[:, left, 0], bent[:, left + 1, 0], share)
        torch.testing.assert_close(heard, moved[:, frame, 0, 0], atol=1e-3, rtol=0)
    speed = moved[:, 1, 0, 0] - moved[:, 0, 0, 0]
    assert speed.min() < 0.95
    assert speed.max() > 1.05
    for row in range(8):
        assert seen[row].sum() == min(frames, int((frames - 1 - moved[row, 0, 0, 0]) / speed[row] + 1e-3) + 1)


def test_training_with_noise_is_the_same_twice(tmp_path):
    data = toy_dataset(tmp_path / "toy.h5", train=4, valid=2, test=1, rates=(16_000,), components=2)
    small = {"bands": 16, "channels": 16, "hidden": 16, "layers": 1, "members": 2, "noise_share": 0.5}
    settings = recipe.Recipe(
        network="talkface", components=2, stretches=4, frames=30, max_epochs=3, average=0.9, arguments=small
    )
    parts, shape_model, _ = train.read_material(data, settings, model="toy", seed=1)
    bank = NoiseBank([torch.randn(20_000, generator=torch.Generator().manual_seed(seed)).numpy() for seed in (1, 2)])
    first, second = (loop.fit(parts, shape_model, settings, seed=1, noise=bank).best for _ in range(2))
    torch.testing.assert_close(first, second, atol=0, rtol=0)
