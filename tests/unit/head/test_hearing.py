"""What a person's mouth does at what is heard."""

import numpy as np
import pytest
import torch

import talkface
from talkface.errors import TalkfaceError
from talkface.face3d import arkit
from talkface.head.hearing import gru, regression
from talkface.head.hearing.listening import OUTPUTS, Heard, Lesson, Listener, listener_of
from talkface.head.hearing.regression import folds, in_context
from talkface.head.hearing.voice import drive, learn, read_voice, write_voice
from talkface.head.lips import lip_distance, opening
from talkface.head.published import atc
from talkface.head.published.mfcc import WIDTH
from talkface.head.region import SPOKEN
from talkface.media.phone_names import CLASSES, SILENCE, class_of

FRAMES, FEATURES = 300, 40
JAW, CLOSE = arkit.INDEX["jawOpen"], arkit.INDEX["mouthClose"]


def speech(frames=FRAMES, *, seed=0, loud=1.0, late=0):
    """Features that tell how far a jaw opens, the phones, and outputs `late` frames behind."""
    rng = np.random.default_rng(seed)
    course = np.convolve(rng.standard_normal(frames + 8), np.hanning(9) / 2, "valid")
    features = rng.standard_normal((frames, FEATURES))
    features[:, :8] = course[:, None] * np.linspace(0.5, 1.5, 8) + 0.2 * rng.standard_normal((frames, 8))
    phones = np.zeros((frames, CLASSES), np.float32)
    phones[:, class_of("aa")] = 1
    target = np.zeros((frames, OUTPUTS))
    target[:, JAW] = (0.3 + 0.15 * np.roll(course, late)).clip(0, 1)
    target[:, arkit.COUNT] = 0.02 * course
    features[:, :8] *= loud
    return Lesson(features, phones, target, np.zeros(frames, int))


@pytest.fixture(scope="module")
def voice():
    return learn(speech())


def test_what_is_heard_moves_the_jaw(voice):
    assert voice.error < 0.6 * voice.error_of_mean
    assert voice.correlation > 0.8
    assert 0 < voice.interval < voice.error
    new = speech(seed=3)
    motion = drive(voice, Heard(new.features, new.phones))
    assert motion.weights.shape == (FRAMES, 52)
    assert motion.turn.shape == (FRAMES, 3)
    assert np.corrcoef(motion.weights[:, JAW], new.target[:, JAW])[0, 1] > 0.8
    assert motion.weights[:, ~SPOKEN].max() == 0


def test_a_picture_that_comes_late_is_found_and_not_repeated():
    voice = learn(speech(late=2))
    assert voice.offset == 2
    new = speech(seed=3)
    moved = drive(voice, Heard(new.features, new.phones)).weights[:, JAW]
    lead = np.argmax([np.corrcoef(moved[k : 200 + k], new.target[:200, JAW])[0, 1] for k in range(5)])
    assert lead == 0  # new films are in step


def test_a_faint_voice_moves_as_far_as_the_person_does(voice):
    faint = speech(seed=4, loud=0.5)
    motion = drive(voice, Heard(faint.features, faint.phones))
    assert opening(motion.weights).std() == pytest.approx(voice.opening_spread, rel=0.15)


def test_lips_meet_where_a_p_is_heard_and_the_mouth_rests_in_silence(voice):
    new = speech(seed=5)
    phones = new.phones.copy()
    phones[100:106], phones[200:] = 0, 0
    phones[100:106, class_of("p")] = phones[200:, SILENCE] = 1
    moved = opening(drive(voice, Heard(new.features, phones)).weights)
    closed, rest = (float(opening(weights[None])[0]) for weights in (voice.closed, voice.rest))
    assert moved[102:104].max() < closed + 0.02
    np.testing.assert_allclose(moved[210:], rest, atol=1e-3)
    assert moved[40:90].mean() > closed + 0.02


def test_a_small_network_learns_it_too(monkeypatch, tmp_path):
    for name, value in (("KEPT", 12), ("STEPS", 300), ("FOLDS", 2), ("HIDDEN", 12), ("RATE", 5e-3)):
        monkeypatch.setattr(gru, name, value)
    monkeypatch.setattr(regression, "FOLDS", 2)
    found = learn(speech(), kind="gru", seed=2)
    assert found.kind == "gru"
    assert found.error < 0.95 * found.error_of_mean
    assert found.correlation > 0.6
    monkeypatch.setattr(gru, "STEPS", 20)
    one, other = (learn(speech(), kind="gru", seed=2).error for _ in range(2))
    assert one == pytest.approx(other, rel=1e-5)
    write_voice(found, tmp_path / "voice.npz")
    new = speech(seed=3)
    np.testing.assert_allclose(
        read_voice(tmp_path / "voice.npz").outputs(new.features), found.outputs(new.features), atol=1e-4
    )


def test_what_was_learnt_is_read_as_it_was_written(voice, tmp_path):
    write_voice(voice, tmp_path / "voice.npz")
    found = read_voice(tmp_path / "voice.npz")
    new = speech(seed=6)
    np.testing.assert_allclose(found.outputs(new.features), voice.outputs(new.features), atol=1e-3)
    assert (found.kind, found.offset, found.error) == ("ridge", voice.offset, pytest.approx(voice.error))


def test_another_kind_is_refused():
    with pytest.raises(TalkfaceError, match=r"head\.sound: 'forest'; one of ridge, gru, atc was expected"):
        learn(speech(), kind="forest")


def test_stretches_of_cross_validation_keep_apart():
    for learnt, judged in folds(100):
        assert np.abs(learnt[:, None] - judged).min() > regression.APART
    assert np.concatenate([judged for _, judged in folds(100)]).tolist() == list(range(100))


def test_context_repeats_the_ends():
    assert in_context(np.arange(4)[:, None], (-1, 0, 2)).tolist() == [[0, 0, 2], [0, 1, 3], [1, 2, 3], [2, 3, 3]]


def test_context_keeps_to_one_video():
    found = in_context(np.arange(4)[:, None], (-1, 0, 1), video=np.array([0, 0, 1, 1]))
    assert found.tolist() == [[0, 0, 1], [0, 1, 1], [2, 2, 3], [2, 3, 3]]


def test_the_published_network_learns_and_is_read_again(monkeypatch, tmp_path):
    monkeypatch.setattr(atc, "FRAMES", 4)
    rng = np.random.default_rng(0)
    monkeypatch.setattr(atc, "BATCH", 2)
    lesson = speech(20)._replace(features=rng.standard_normal((20, WIDTH)))
    voice = learn(lesson, kind="atc", epochs=1)
    write_voice(voice, tmp_path / "voice.npz")
    found = read_voice(tmp_path / "voice.npz")
    assert found.kind == "atc"
    np.testing.assert_allclose(found.outputs(lesson.features), voice.outputs(lesson.features), atol=1e-4)
    assert drive(found, Heard(lesson.features, lesson.phones)).weights.shape == (20, 52)


def test_cepstra_are_as_many_as_pictures():
    listener = listener_of("atc", talkface.load_model("talkface_voice"))
    noise = (1000 * np.random.default_rng(0).standard_normal(44_100)).astype(np.int16)
    heard = listener(noise, 44_100)
    assert heard.features.shape == (26, WIDTH)
    assert len(heard.phones) == 26


def test_lips_are_measured_in_outer_eye_distances():
    weights = np.zeros((2, 52))
    weights[1, JAW] = 1
    assert 0.1 < opening(weights)[1] - opening(weights)[0] < 0.6
    assert lip_distance(weights[:1], weights[:1]) == 0
    assert 5 < lip_distance(weights[:1], weights[1:]) < 40


def test_the_voice_model_tells_what_it_knows():
    network = talkface.load_model("talkface_voice")
    listener = Listener(network)
    noise = np.random.default_rng(0).standard_normal(16_000).astype(np.float32) / 20
    heard = listener(noise, 16_000)
    assert heard.features.shape == (26, 768)
    np.testing.assert_allclose(heard.phones.sum(axis=1), 1, atol=1e-4)
    silence = listener(np.zeros(16_000, np.float32), 16_000)
    assert silence.phones[5:, SILENCE].min() > 0.5
    assert not any(member.out._forward_pre_hooks for member in network.members)  # nothing stays behind


def test_a_model_without_phones_does_not_listen():
    with pytest.raises(TalkfaceError, match=r"head\.voice: the model tells no phones apart"):
        Listener(torch.nn.Linear(2, 2))
