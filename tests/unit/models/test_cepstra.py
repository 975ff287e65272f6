"""Cepstra beside a slow level: what they forget, and what they do not."""

import importlib

import pytest
import torch

from talkface.media.phone_names import SILENCE
from talkface.models.layers.cepstra import DB, Cepstra
from talkface.models.layers.log_mel import LogMel
from talkface.models.registry import network_class
from tests.toy_corpus import make_network, noise_for

Truth = importlib.import_module("talkface.models.networks.talkface").Truth
BANDS, RATE = 40, 16_000
CEPSTRAL = {"inputs": "cepstra", "bands": BANDS, "level": "recorded"}


def spoken(stretches, frames):
    """Voices of which no face is known, that say one sound."""
    known = torch.zeros(stretches, frames, dtype=torch.bool)
    return Truth(torch.zeros(stretches, frames, 68, 2), known, torch.full((stretches, frames), 5))


@pytest.fixture(scope="module")
def cepstra():
    return Cepstra(bands=BANDS, cepstra=14, frames_per_s=100)


@pytest.fixture(scope="module")
def features():
    return LogMel(rate=RATE, bands=BANDS, hop=160, window=400, floor=1e-8)


def voice(seconds, *, seed=0, peak=0.3):
    """Something that swells and falls four times a second."""
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(int(seconds * RATE)) / RATE
    swell = (0.5 - 0.5 * torch.cos(2 * torch.pi * 4 * time)) ** 2
    sound = swell * torch.randn(len(time), generator=generator)
    return (peak * sound / sound.abs().max())[None]


def test_two_numbers_a_cepstrum_and_four_frames_fewer(cepstra, features):
    heard, _ = cepstra(features(voice(1.0)), 50)
    assert heard.shape == (1, 98 - 4, 28)


def test_cutting_a_stretch_changes_nothing(cepstra, features):
    spectrum = features(voice(4.0))
    whole, _ = cepstra(spectrum, 0)
    first, state = cepstra(spectrum[:, :204], 199)
    second, _ = cepstra(spectrum[:, 200:], 0, state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, atol=1e-4, rtol=0)


def test_a_quiet_room_before_the_first_word_lies_at_the_floor(cepstra, features):
    generator = torch.Generator().manual_seed(1)
    room = 10 ** (-60 / 20) * torch.randn(1, 3 * RATE, generator=generator)
    heard, _ = cepstra(features(torch.cat([room, voice(2.0)], dim=1)), 0)
    loud = heard[0, :, 0]  # the first cepstrum: how loud
    assert loud[20:280].std() < 0.3 * loud[320:].std()
    assert loud[20:280].mean() < loud[320:].mean()


def test_the_level_falls_slowly(cepstra, features):
    _, loud = cepstra(features(voice(3.0)), 290)
    _, later = cepstra(features(torch.cat([voice(3.0), torch.zeros(1, 5 * RATE)], dim=1)), 790)
    assert (loud.held - later.held).item() == pytest.approx(5 * DB, abs=1.5 * DB)
    # Silence is not speech: it leaves the bands' statistics alone.
    torch.testing.assert_close(later.total / later.weight[:, None], loud.total / loud.weight[:, None], atol=0.1, rtol=0)


def test_slopes_are_those_of_a_line(cepstra):
    spectrum = -6 + 0.01 * torch.arange(400.0)[None, :, None].expand(1, 400, BANDS)
    heard, _ = cepstra(spectrum, 0)
    steps = heard[0, 300:390, 0].diff()
    torch.testing.assert_close(heard[0, 301:389, 14], 4 * (steps[1:] + steps[:-1]) / 2, atol=2e-3, rtol=0)


def test_the_network_looks_no_farther_ahead_and_streams():
    network = make_network("talkface", **CEPSTRAL).eval()
    assert network.after == 1_920  # 120 ms
    sound = 0.1 * noise_for(network, 60, stretches=2)
    with torch.inference_mode():
        whole, _ = network(sound)
        parts, state = [], None
        for first, last in ((0, 7), (7, 30), (30, 60)):
            out, state = network(sound[:, first * 640 : network.before + (last - 1) * 640 + network.after], state)
            parts.append(out)
        torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-5, rtol=0)
        other = sound.clone()
        other[:, network.before + 20 * 640 + 1_920 :] = 0.3
        assert torch.equal(network(other)[0][:, :21], whole[:, :21])
        assert not torch.equal(network(other)[0][:, 21:], whole[:, 21:])


def test_some_stretches_begin_in_a_room_with_the_face_at_rest():
    network = make_network("talkface", **CEPSTRAL, room_share=1.0)
    sound, truth = torch.ones_like(noise_for(network, 75, stretches=8)), spoken(8, 75)
    torch.manual_seed(0)
    network.ROOM_BEGINS = 1.0
    heard, (faces, known, phones), early, room = network.enter_room(sound, truth)
    assert torch.equal(early, heard == 0)
    assert room.all()
    for one, face, seen, said in zip(heard, faces, known, phones, strict=True):
        silent = int((one == 0).sum())
        first = (silent - network.before) // network.hop  # frame of the first word
        assert 2 <= first <= 56
        assert (one[:silent] == 0).all() and (one[silent:] == 1).all()  # noqa: PT018
        resting = max(first - 4, 0)  # over four frames the face leaves its rest
        torch.testing.assert_close(face[:resting], network.rest.expand(resting, -1, -1))
        assert (face[first:] == 0).all()
        assert seen.tolist() == [frame <= first - 4 for frame in range(75)]  # of a voice whose face nobody saw
        assert said.tolist() == [SILENCE if frame < first else 5 for frame in range(75)]
    network.ROOM_BEGINS = 0.0
    heard, (faces, known, phones), early, room = network.enter_room(sound, truth)
    assert room.all()
    assert not early.any()
    for one, face, said in zip(heard, faces, phones, strict=True):
        last = (int((one == 1).sum()) - network.before) // network.hop  # frame behind the last word
        assert (one[-1], said[-1], said[last]) == (0, SILENCE, 5)
        torch.testing.assert_close(face[last + 4 :], network.rest.expand(71 - last, -1, -1))
        assert (face[: last + 1] == 0).all()
    untouched = make_network("talkface", **CEPSTRAL, room_share=0.0).enter_room(sound, truth)
    assert torch.equal(untouched[0], sound)


def test_others_talk_in_rooms_one_or_several():
    network = make_network("talkface", **CEPSTRAL).train()
    sound = torch.diag(torch.arange(1.0, 9.0))  # the voice of each stretch sounds at an instant of its own
    torch.manual_seed(0)
    beside = network.talkers(sound)
    heard = beside > 0
    assert not heard.diagonal().any(), "somebody talks beside himself"
    assert set(heard.sum(dim=1).tolist()) <= {1, 2, 3, 4}
    assert heard.sum(dim=1).unique().numel() > 1
    torch.testing.assert_close(beside[heard], beside[heard][:1].expand(int(heard.sum())))  # as loud as each other
    network.room_share, network.rest_share, network.silence_share = 1.0, 0.0, 0.0
    sound, truth, nothing = torch.randn(8, 48_000), spoken(8, 75), torch.zeros(8, 48_000)
    quietest = {}
    for share in (0.0, 1.0):
        network.ROOM_TALKERS = share
        heard, _ = network.augment_sound(sound, truth, nothing)
        quietest[share] = heard.unfold(1, 640, 640).square().mean(dim=2).amin(dim=1)
    assert (quietest[0.0] == 0).all(), "rooms are silent where neither noise nor talkers are"
    assert (quietest[1.0] > 0).all()


def test_noise_alone_is_rest():
    network = make_network("talkface", **CEPSTRAL, rest_share=1.0).train()
    sound = 0.1 * noise_for(network, 75, stretches=4)
    torch.manual_seed(0)
    heard, (faces, known, phones) = network.augment_sound(sound, spoken(4, 75), torch.randn_like(sound))
    assert known.all()
    assert (phones == SILENCE).all()
    level = 20 * torch.log10(heard.square().mean(dim=1).sqrt())
    low, high = network_class("talkface").REST_DBFS
    assert ((level > low - 0.1) & (level < high + 0.1)).all()
    torch.testing.assert_close(faces, network.rest.expand_as(faces))
