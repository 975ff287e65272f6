"""Phones beside lips: what teaches them, and lips that meet."""

import pytest
import torch

from talkface.face.points import mouth_opening
from talkface.media.phone_names import CLASSES, UNKNOWN, class_of
from talkface.models.inputs import Batch
from talkface.models.layers.phone_head import AHEAD, Closing, phone_loss
from tests.toy_corpus import make_network, noise_for, toy_shape_model

PHONES = {"phone_weight": 0.01, "phone_share": 1.0}


def said(*names, sure=30.0):
    """Logits (1, T, L, P) that are sure of these phones, as of each frame."""
    logits = torch.zeros(1, len(names), len(AHEAD), CLASSES)
    for frame in range(len(names)):
        for place, lead in enumerate(AHEAD):
            name = names[min(max(frame + lead, 0), len(names) - 1)]
            logits[0, frame, place, class_of(name)] = sure
    return logits


def test_what_is_spoken_ahead_and_before_is_asked_for():
    names = ["sil", "b", "aa", "aa", "n", "sil"]
    phones = torch.tensor([[class_of(name) for name in names]])
    assert phone_loss(said(*names), phones) < 1e-6
    assert phone_loss(said(*names).roll(1, 1), phones) > 5


def test_frames_whose_phone_is_not_known_teach_nothing():
    logits = torch.randn(2, 5, len(AHEAD), CLASSES, requires_grad=True)
    unknown = torch.full((2, 5), UNKNOWN)
    assert phone_loss(logits, unknown) == 0
    unknown[1, 3] = class_of("aa")
    loss = phone_loss(logits, unknown)
    loss.backward()
    asked = logits.grad.abs().sum(dim=-1) > 0  # (2, 5, L): once for each instant that it is asked of
    assert asked.nonzero().tolist() == [[1, 1, 3], [1, 2, 2], [1, 3, 1], [1, 4, 0]]


@pytest.fixture(scope="module")
def shape_model():
    return toy_shape_model()


def test_lips_meet_at_p_b_m(shape_model):
    closing = Closing(shape_model, 1.0)
    coefficients = torch.from_numpy(3 * shape_model.deviation).float().expand(1, 5, -1)
    names = ["aa", "aa", "m", "aa", "n"]
    opening = mouth_opening(shape_model.decode(closing(coefficients, said(*names)).numpy()))[0]
    before = mouth_opening(shape_model.decode(coefficients.numpy()))[0]
    assert opening[[0, 1, 3, 4]] == pytest.approx(before[[0, 1, 3, 4]], rel=1e-3)
    assert before[2] > 0.2
    assert opening[2] == pytest.approx(closing.closed, abs=0.02)  # some of it lies sideways: noise of this shape model
    half = mouth_opening(shape_model.decode(Closing(shape_model, 0.5)(coefficients, said(*names)).numpy()))[0]
    assert half[2] == pytest.approx((before[2] + closing.closed) / 2, abs=0.02)


def test_lips_that_meet_already_stay(shape_model):
    closing = Closing(shape_model, 1.0)
    shut = closing(torch.zeros(1, 1, 6), said("m"))
    torch.testing.assert_close(closing(shut - 1e-3 * closing.direction, said("m")), shut - 1e-3 * closing.direction)


def test_without_phones_the_network_has_no_such_head():
    names = dict(make_network("talkface", phone_weight=0.0).named_parameters())
    assert not [name for name in names if "phones" in name]
    assert make_network("talkface", phone_weight=0.0, closing=0.7).closing is None


def test_a_voice_without_a_face_teaches_phones_and_moves_no_lip():
    network = make_network("talkface", noise_share=0.0, **PHONES).train()
    sound, faces = noise_for(network, 12), torch.rand(2, 12, 68, 2)
    nobody, phone = torch.zeros(2, 12, dtype=torch.bool), torch.full((2, 12), class_of("aa"))
    network.silence_share = 0.0
    network.loss(Batch(sound, faces, nobody, None, phone)).backward()
    grown = {name: value.grad is not None and bool(value.grad.any()) for name, value in network.named_parameters()}
    assert grown["members.0.phones.weight"]
    assert grown["members.0.conv1.weight"]
    assert not grown["members.0.out.weight"]


def test_where_phones_teach_their_head_alone_no_other_layer_hears_of_them():
    network = make_network("talkface", noise_share=0.0, silence_share=0.0, phone_weight=0.01).train()
    nobody, phone = torch.zeros(2, 12, dtype=torch.bool), torch.full((2, 12), class_of("aa"))
    network.room_share = network.rest_share = 0.0
    network.loss(Batch(noise_for(network, 12), torch.rand(2, 12, 68, 2), nobody, None, phone)).backward()
    grown = {name for name, value in network.named_parameters() if value.grad is not None and bool(value.grad.any())}
    assert grown == {f"members.{member}.phones.{name}" for member in range(3) for name in ("weight", "bias")}


def test_closed_lips_do_not_depend_on_how_speech_is_cut():
    network = make_network("talkface", closing=0.8, **PHONES).eval()
    torch.manual_seed(0)
    sound = noise_for(network, 20)
    with torch.inference_mode():
        whole, _ = network(sound)
        first, state = network(sound[:, : network.before + 9 * 640 + network.after])
        rest, _ = network(sound[:, 10 * 640 :], state)
    torch.testing.assert_close(torch.cat([first, rest], dim=1), whole, atol=1e-5, rtol=0)
