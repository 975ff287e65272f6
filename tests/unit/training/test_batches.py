from collections import Counter

import numpy as np
import pytest
import torch

from talkface.errors import TalkfaceError
from talkface.models.registry import build_network
from talkface.noise.bank import NoiseBank
from talkface.training.batches import (
    Batches,
    add_noisy_copies,
    batches,
    count_stretches,
    plan_epoch,
    resplit,
    steps_per_epoch,
)
from talkface.training.dataset import read_part, read_shape_model
from talkface.training.recipe import Recipe
from tests.toy_corpus import toy_clip, toy_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return toy_dataset(tmp_path_factory.mktemp("corpus") / "toy.h5", train=8, valid=2, test=1)


def test_an_epoch_visits_each_clip_as_often_as_it_has_room():
    lengths = np.array([75, 16, 9, 160, 20])
    for seed in range(20):
        plan = plan_epoch(lengths, 16, np.random.default_rng(seed))
        assert Counter(plan[:, 0].tolist()) == {0: 5, 1: 1, 2: 1, 3: 10, 4: 1}
        for clip, start in plan:
            assert 0 <= start <= max(0, lengths[clip] - 16)


def test_each_frame_counts_alike():
    """The ends of a clip, where mouths are closed, as much as its middle."""
    seen = np.zeros(75)
    for seed in range(400):
        for _, start in plan_epoch(np.array([75]), 16, np.random.default_rng(seed)):
            seen[start : start + 16] += 1
    assert seen.min() > 0.6 * seen.mean()
    assert seen.max() < 1.6 * seen.mean()
    alone = {plan_epoch(np.array([20]), 16, np.random.default_rng(seed))[0, 1] for seed in range(60)}
    assert alone == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(("name", "rate"), [("talkface", 16_000)])
def test_a_stretch_holds_the_sound_and_the_faces_of_its_frames(dataset, name, rate):
    network = build_network(name, read_shape_model(dataset), {"level": "peak"})
    part = read_part(dataset, "train", rate=rate)
    corpus = Batches(part, network, torch.device("cpu"))
    clip, start, frames = 3, 40, 20  # clip 3 has 53 frames: 7 lie beyond its end
    batch = corpus.cut(torch.tensor([clip, 0]), torch.tensor([start, 0]), frames)
    made = toy_clip("x", frames=53, seed=3)
    np.testing.assert_array_equal(batch.target[0, :13].numpy(), made.shape[40:])
    assert batch.known[0].tolist() == [True] * 13 + [False] * 7
    assert batch.known[1].all()
    padded = np.pad(made.audio[rate].astype(float), (network.before, 40_000))
    expected = padded[start * network.hop :][: batch.sound.shape[1]] / np.abs(made.audio[rate].astype(float)).max()
    np.testing.assert_allclose(batch.sound[0].numpy(), expected, atol=1e-6)
    assert (batch.sound[1, : network.before] == 0).all()  # before the clip's first sample


def test_steps_are_the_same_from_wherever_they_are_taken_up(dataset):
    settings = Recipe(network="talkface", stretches=4, frames=30)
    network = build_network("talkface", read_shape_model(dataset), {})
    corpus = Batches(read_part(dataset, "train", rate=16_000), network, torch.device("cpu"))
    whole = dict(batches(corpus, settings, seed=1, first_step=0, last_step=14))
    rest = dict(batches(corpus, settings, seed=1, first_step=5, last_step=14))
    assert list(whole) == list(range(14))
    assert list(rest) == list(range(5, 14))
    for step, batch in rest.items():
        assert torch.equal(batch.sound, whole[step].sound)


@pytest.mark.parametrize(("kind", "sizes"), [("drop", [6, 6]), ("keep", [6, 6, 4]), ("wrap", [6, 6, 6])])
def test_what_fills_no_batch(dataset, kind, sizes):
    """16 stretches: batches of 6 leave 4 over."""
    settings = Recipe(network="talkface", stretches=6, frames=30, last_batch=kind)
    network = build_network("talkface", read_shape_model(dataset), {})
    corpus = Batches(read_part(dataset, "train", rate=16_000), network, torch.device("cpu"))
    total = int(count_stretches(corpus.lengths, 30).sum())
    assert total == 16
    per_epoch = steps_per_epoch(corpus.lengths, settings)
    made = dict(batches(corpus, settings, seed=1, first_step=0, last_step=2 * per_epoch))
    assert [len(made[step].sound) for step in range(per_epoch)] == sizes
    rest = dict(batches(corpus, settings, seed=1, first_step=per_epoch, last_step=2 * per_epoch))
    assert all(torch.equal(rest[step].sound, made[step].sound) for step in rest)


def test_wrapped_around_each_stretch_is_seen_once_a_turn(dataset, monkeypatch):
    """Batches run over the ends of permutations, also where one batch holds several of them."""
    network = build_network("talkface", read_shape_model(dataset), {})
    corpus = Batches(read_part(dataset, "train", rate=16_000), network, torch.device("cpu"))
    seen = []
    monkeypatch.setattr(corpus, "cut", lambda clip, *_: seen.extend(clip.tolist()))
    for size in (6, 40):
        seen.clear()
        settings = Recipe(network="talkface", stretches=size, frames=30, last_batch="wrap")
        list(batches(corpus, settings, seed=1, first_step=0, last_step=96 // size + 1))
        assert len(seen) == size * (96 // size + 1)
        for turn in range(3):
            assert Counter(seen[16 * turn : 16 * (turn + 1)]) == dict.fromkeys(range(8), 2)


def test_an_empty_clip_stands_behind_the_others(dataset):
    network = build_network("lstm", read_shape_model(dataset), {"delay": 1, "features": "differences"})
    part = read_part(dataset, "train", rate=44_100)
    plain, more = (Batches(part, network, torch.device("cpu"), empty_clip=empty) for empty in (False, True))
    assert more.lengths.tolist() == [*plain.lengths.tolist(), 75]
    batch = more.cut(torch.tensor([8, 0]), torch.tensor([0, 0]), 75)
    assert batch.known[0].all()
    assert not batch.sound[0].any()
    assert not batch.target[0].any()
    assert torch.equal(batch.sound[1], plain.cut(torch.tensor([0]), torch.tensor([0]), 75).sound[0])
    with pytest.raises(TalkfaceError, match="empty_clip is for networks that hear frames"):
        Batches(part, build_network("cnn", read_shape_model(dataset), {}), torch.device("cpu"), empty_clip=True)


def splits(dataset, how, seed=1):
    parts = [read_part(dataset, split, rate=16_000) for split in ("train", "valid")]
    return resplit(parts, how, seed=seed), parts


def test_the_sheet_divides_unless_a_model_wants_otherwise(dataset):
    made, parts = splits(dataset, "sheet")
    assert [part.clips for part in made] == [part.clips for part in parts]


def test_undivided_all_clips_are_learnt_from(dataset):
    (train, valid), parts = splits(dataset, "none")
    assert train.clips == valid.clips == parts[0].clips + parts[1].clips
    assert train.known is None or train.known.all()


def test_by_window_both_sides_hold_all_clips_and_no_frame_stands_on_both(dataset):
    (train, valid), parts = splits(dataset, "window")
    assert train.clips == valid.clips == parts[0].clips + parts[1].clips
    np.testing.assert_array_equal(train.known, ~valid.known)
    assert 0.04 < valid.known.mean() < 0.12
    corpus = Batches(valid, build_network("talkface", read_shape_model(dataset), {}), torch.device("cpu"))
    batch = corpus.cut(torch.tensor([1]), torch.tensor([0]), 60)
    np.testing.assert_array_equal(batch.known[0].numpy(), valid.known[60:120])


def test_by_clip_a_tenth_or_so_goes_to_the_other_side_whole(dataset):
    (train, valid), parts = splits(dataset, "clip")
    assert sorted(train.clips + valid.clips) == sorted(parts[0].clips + parts[1].clips)
    assert len(valid) == 1
    whole = {clip: part.audio_of(index) for part in parts for index, clip in enumerate(part.clips)}
    for part in (train, valid):
        for index, clip in enumerate(part.clips):
            np.testing.assert_array_equal(part.audio_of(index), whole[clip])
            assert len(part.shape_of(index)) in (53, 60)
    assert splits(dataset, "clip")[0][1].clips == valid.clips
    assert {splits(dataset, "clip", seed)[0][1].clips[0] for seed in range(8)} != {valid.clips[0]}


def test_one_speaker_cannot_be_divided_by_speaker(dataset):
    with pytest.raises(TalkfaceError, match=r"split is 'speaker', but .* have one speaker only; choose split"):
        splits(dataset, "speaker")


def test_noisy_copies_hold_the_same_faces_and_the_noise_asked_for(dataset):
    part = read_part(dataset, "train", rate=16_000)
    bank = NoiseBank([np.random.default_rng(0).standard_normal(50_000)])
    made = add_noisy_copies(part, bank, copies=2, snr_db=(7, 7), seed=1)
    assert made.clips == 3 * part.clips
    for index in range(3 * len(part)):
        clean, sound = part.audio_of(index % len(part)).astype(float), made.audio_of(index).astype(float)
        np.testing.assert_array_equal(made.shape_of(index), part.shape_of(index % len(part)))
        if index < len(part):
            np.testing.assert_array_equal(sound, clean)
        else:  # where the sum would not fit, it is quieter as a whole
            gain = np.dot(sound, clean) / np.dot(clean, clean)
            snr = 10 * np.log10(np.square(gain * clean).mean() / np.square(sound - gain * clean).mean())
            assert snr == pytest.approx(7, abs=0.5)
    again = add_noisy_copies(part, bank, copies=2, snr_db=(7, 7), seed=1)
    np.testing.assert_array_equal(made.audio, again.audio)
    assert (made.audio_of(len(part)) != made.audio_of(2 * len(part))).any()
