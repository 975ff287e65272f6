"""Voices whose faces nobody saw: gathered with their phones, and learnt from beside a corpus."""

import dataclasses

import numpy as np
import pytest
import soundfile
import torch

from talkface.corpus import phones
from talkface.errors import TalkfaceError
from talkface.media.phone_names import SILENCE, UNKNOWN, class_of
from talkface.models.registry import build_network
from talkface.training.batches import Batches, batches, joined
from talkface.training.dataset import read_part, read_shape_model
from talkface.training.loop import fit
from talkface.training.phone_lips import lend_faces
from talkface.training.recipe import Recipe
from talkface.training.voices import assemble_voices, read_voices
from tests.toy_corpus import toy_dataset

MARKS = "0.2\t0.4\tB\n0.4\t0.8\tAA1\n"


def speak(folder, name, *, seconds=1.0, marks=MARKS):
    """A sound file that hisses, with its marks beside it."""
    hiss = np.random.default_rng(len(name)).uniform(-0.1, 0.1, int(seconds * 22_050))
    soundfile.write(folder / f"{name}.wav", hiss, 22_050)
    if marks:
        (folder / f"{name}.tsv").write_text(marks)
    return folder / f"{name}.wav"


@pytest.fixture(scope="module")
def voices(tmp_path_factory):
    folder = tmp_path_factory.mktemp("voices")
    output = folder / "voices.h5"
    assemble_voices([speak(folder, "anna"), speak(folder, "bert", seconds=4.0)], output)
    return output


def test_phones_of_voices_come_from_the_marks_beside_them(voices):
    part = read_voices(voices, rate=16_000)
    assert part.clips == ["anna", "bert"]
    assert part.frame_offsets.tolist() == [0, 25, 125]
    assert part.audio_offsets.tolist() == [0, 16_000, 80_000]
    assert not part.known.any()
    spoken = [SILENCE] * 5 + [class_of("b")] * 5 + [class_of("aa")] * 10 + [SILENCE] * 5
    assert part.phone[:25].tolist() == spoken


def test_a_voice_without_phones_is_left_out_and_said(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(phones, "aligner", lambda: "")
    with caplog.at_level("WARNING"):
        assemble_voices([speak(tmp_path, "anna"), speak(tmp_path, "dumb", marks="")], tmp_path / "voices.h5")
    assert read_voices(tmp_path / "voices.h5", rate=16_000).clips == ["anna"]
    assert "dumb.wav: left out: pocketsphinx is not installed" in caplog.text
    with pytest.raises(TalkfaceError, match="no phone is known of any of 1 files; pip install pocketsphinx"):
        assemble_voices([tmp_path / "dumb.wav"], tmp_path / "none.h5")
    assert not (tmp_path / "none.h5").exists()


def test_other_files_and_rates_are_refused(voices, tmp_path):
    with pytest.raises(TalkfaceError, match="sound at 16000 Hz; this network listens at 8000 Hz"):
        read_voices(voices, rate=8_000)
    with pytest.raises(TalkfaceError, match="no file of voices"):
        read_voices(toy_dataset(tmp_path / "toy.h5", train=2, valid=1, test=1), rate=16_000)
    (tmp_path / "text.h5").write_text("x")
    with pytest.raises(TalkfaceError, match="not readable as HDF5"):
        read_voices(tmp_path / "text.h5", rate=16_000)
    with pytest.raises(TalkfaceError, match="same stem"):
        assemble_voices([speak(tmp_path, "a"), tmp_path / "a.flac"], tmp_path / "voices.h5")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return toy_dataset(tmp_path_factory.mktemp("corpus") / "toy.h5", train=6, valid=2, test=1)


def test_voices_stand_beside_the_corpus_in_each_step(dataset, voices):
    network = build_network("talkface", read_shape_model(dataset), {"noise_share": 0.0})
    corpus = Batches(read_part(dataset, "train", rate=16_000), network, torch.device("cpu"))
    beside = Batches(read_voices(voices, rate=16_000), network, torch.device("cpu"))
    recipe = Recipe(network="talkface", stretches=4, frames=20)
    more = dataclasses.replace(recipe, stretches=3, last_batch="wrap")
    drawn = {"seed": 1, "first_step": 0, "last_step": 9}
    seen = 0
    for _, batch in joined(batches(corpus, recipe, **drawn), batches(beside, more, **drawn)):
        assert batch.sound.shape[0] == batch.target.shape[0] == 7
        assert (batch.phone[:4] == UNKNOWN).all()
        assert batch.known[:4].any(dim=1).all()
        assert not batch.known[4:].any()
        seen += int((batch.phone[4:] == class_of("aa")).sum())
    assert seen


def test_a_training_learns_the_phones_of_voices(dataset, voices):
    parts = {split: read_part(dataset, split, rate=16_000) for split in ("train", "valid")}
    arguments = {"noise_share": 0.0, "members": 1, "channels": 16, "hidden": 16, "phone_weight": 0.1}
    recipe = Recipe(
        network="talkface", components=6, arguments=arguments, stretches=2, frames=20, learning_rate=0.01,
        min_steps=12, max_steps=12, max_epochs=1, voice_stretches=4,
    )  # fmt: skip
    part = read_voices(voices, rate=16_000)
    runs = [fit(parts, read_shape_model(dataset), recipe, seed=0, voices=part) for _ in range(2)]
    weights = [run.network.members[0].phones.weight for run in runs]
    assert torch.equal(*weights)
    said = runs[0].network.members[0].phones.bias.detach().unflatten(0, (4, -1)).mean(dim=0)
    assert said[[SILENCE, class_of("aa"), class_of("b")]].min() > said[[class_of("k"), class_of("zh")]].max()


def test_voices_get_the_faces_that_the_corpus_has_at_their_phones(dataset, voices):
    """Mouths of this corpus are open at aa, shut at b and half open in silence, and it never says uh."""
    part = read_voices(voices, rate=16_000)
    generator = np.random.default_rng(0)
    said = generator.choice([SILENCE, class_of("aa"), class_of("b"), class_of("uw")], 400).repeat(6).astype(np.uint8)
    opening = np.array([0.0, 0.2, 0.5, 0.0])[(said == SILENCE) + 2 * (said == class_of("aa"))]
    face = np.zeros((len(said), 68, 2), np.float32)
    face[:, [65, 66, 67], 1] = opening[:, None]
    corpus = dataclasses.replace(
        read_part(dataset, "train", rate=16_000), shape=face, phone=said, known=None, clips=["one"],
        frame_offsets=np.array([0, len(said)]),
    )  # fmt: skip
    lent = lend_faces(part, corpus)
    assert lent.known.all()
    middle = {"b": 7, "aa": 14, "silence": 21}  # frames of anna, away from where phones change
    found = {name: float(lent.shape[frame, 66, 1]) for name, frame in middle.items()}
    assert found == pytest.approx({"b": 0.0, "aa": 0.5, "silence": 0.2}, abs=0.04)
    other = lend_faces(dataclasses.replace(part, phone=np.full_like(part.phone, class_of("uh"))), corpus)
    assert other.shape[50, 66, 1] == pytest.approx(0.0, abs=0.04)  # as it says uw


def test_without_phones_in_the_corpus_voices_stay_without_faces(dataset, voices, caplog):
    part = read_voices(voices, rate=16_000)
    with caplog.at_level("INFO"):
        assert lend_faces(part, read_part(dataset, "train", rate=16_000)) is part
    assert "voices get no faces: phones of 0 frames of the corpus are known" in caplog.text
