import dataclasses
import math
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from talkface.errors import TalkfaceError
from talkface.face.depth import load_depth
from talkface.face.template import load_template
from talkface.models.checkpoint import load_network, read_file
from talkface.models.registry import network_class
from talkface.prediction.streaming import predict_samples
from talkface.training import loop, train
from talkface.training.batches import steps_per_epoch
from talkface.training.dataset import read_part, read_shape_model, write_dataset
from talkface.training.recipe import Recipe
from tests.toy_corpus import SINGLE, toy_clip, toy_dataset

BLOCK = {
    "network": "talkface",
    "components": 2,
    "stretches": 4,
    "frames": 30,
    "learning_rate": 0.01,
    "schedule": "cosine",
    "average": 0.9,
    "max_epochs": 12,
    "patience_epochs": 0,
    "arguments": SINGLE | {"bands": 16, "channels": 16, "hidden": 16},
}
# The toy's mouth follows its loudness, which random gain would hide.
PLAIN = SINGLE | {"bands": 16, "channels": 32, "hidden": 32, "gain_db": [0, 0], "mask": [0, 1, 1], "warp": 0.0}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return toy_dataset(tmp_path_factory.mktemp("toy") / "toy.h5")


def train_toy(dataset, folder, *, block=BLOCK, seed=1, model="toy"):
    train.train_model(
        dataset,
        folder=folder,
        model=model,
        block=block,
        seed=seed,
        device="cpu",
    )
    return read_file(folder / "weights.pt")


def parts_of(dataset, rate=16_000):
    return {split: read_part(dataset, split, rate=rate) for split in ("train", "valid")}


def fit(dataset, *, seed=1, **changed):
    settings = Recipe.read(BLOCK | changed, name="toy")
    shape_model = read_shape_model(dataset).first(settings.components)
    return loop.fit(parts_of(dataset), shape_model, settings, seed=seed)


def assert_same_weights(first, second):
    assert first.keys() == second.keys()
    for key in first:
        assert torch.equal(first[key], second[key]), key


def test_it_learns_and_says_what_it_did(dataset, tmp_path):
    content = train_toy(dataset, tmp_path, block=BLOCK | {"max_epochs": 40, "arguments": PLAIN})
    network = load_network(tmp_path / "weights.pt")
    assert not network.training
    part = read_part(dataset, "test", rate=16_000)
    truth = np.concatenate([part.shape_of(index)[:, 66, 1] for index in range(len(part))])
    told = np.concatenate(
        [predict_samples(network, part.audio_of(i))[: len(part.shape_of(i)), 66, 1] for i in range(3)]
    )
    assert np.corrcoef(truth, told)[0, 1] > 0.9
    curve = pd.read_csv(tmp_path / "curve.tsv", sep="\t")
    assert list(curve) == ["step", "epoch", "train_loss", "valid_loss", "seconds"]
    assert curve["valid_loss"].iloc[-1] < 0.6 * curve["valid_loss"].iloc[0]
    assert curve["step"].iloc[-1] == content["facts"]["steps"] == 40 * curve["step"].iloc[0]
    resolved = yaml.safe_load((tmp_path / "config.yaml").read_text())["models"]["toy"]
    assert resolved["seed"] == 1
    assert resolved["patience_epochs"] == 0
    assert resolved["weight_decay"] == 0.0  # a default the block did not name
    card = (tmp_path / "card.md").read_text()
    for said in (
        "# toy",
        "12 training clips",
        "3 validation clips",
        "seed 1",
        "ran to its limit",
        "Faces as `dlib` sees them",
        f"{content['facts']['steps']:,} steps",
    ):
        assert said in card
    assert not list((tmp_path / "state").glob("*.pt"))
    assert list((tmp_path / "state" / "tensorboard").rglob("events*"))


@pytest.fixture(scope="module")
def deep_dataset(tmp_path_factory):
    """The toy in three dimensions: what falls swings back."""
    clips = []
    for split, number in (("train", 4), ("valid", 1), ("test", 1)):
        for _ in range(number):
            clip = toy_clip(f"{split}{len(clips)}", seed=len(clips), split=split)
            depth = load_depth()[:, :1] - 0.5 * (clip.shape[..., 1:] - load_template()[:, 1:])
            clips.append(
                dataclasses.replace(clip, shape=np.concatenate([clip.shape, depth], axis=2).astype(np.float32))
            )
    path = tmp_path_factory.mktemp("deep") / "deep.h5"
    write_dataset(path, clips, corpus="deep")
    return path


@pytest.mark.parametrize(
    ("network", "arguments", "dimensions"),
    [
        ("talkface", SINGLE | {"bands": 16, "channels": 16, "hidden": 16, "room_share": 0.5}, 3),
        ("cnn", {}, 3),
        ("lstm", {"hidden": 8}, 2),  # landmarks in the plane, as published
        ("fft_cnn", {}, 2),
    ],
)
def test_faces_in_three_dimensions_are_learnt(deep_dataset, tmp_path, network, arguments, dimensions):
    block = {"network": network, "components": 2, "stretches": 2, "frames": 20, "max_epochs": 1, "max_steps": 2}
    train_toy(deep_dataset, tmp_path, block=block | {"arguments": arguments})
    learnt = load_network(tmp_path / "weights.pt")
    part = read_part(deep_dataset, "test", rate=learnt.rate)
    assert part.shape_of(0).shape[1:] == (68, 3)
    told = predict_samples(learnt, part.audio_of(0) / np.float32(32_768))
    assert told.shape[1:] == (68, dimensions)
    assert np.isfinite(told).all()


def test_the_same_seed_gives_the_same_numbers(dataset):
    first, again, other = fit(dataset), fit(dataset), fit(dataset, seed=2)
    assert_same_weights(first.best, again.best)
    assert [row["valid_loss"] for row in first.curve] == [row["valid_loss"] for row in again.curve]
    assert first.best_loss != other.best_loss


def test_the_published_settings_learn_too(dataset):
    settings = Recipe.read({"network": "cnn", "components": 2, "stretches": 4, "frames": 8, "max_steps": 3}, name="cnn")
    run = loop.fit(parts_of(dataset, 8_000), read_shape_model(dataset).first(2), settings, seed=1)
    assert (run.step, len(run.curve)) == (3, 1)
    assert isinstance(run.optimizer, torch.optim.Adam)
    assert not isinstance(run.optimizer, torch.optim.AdamW)


# Killed at any moment ---------------------------------------------------------------------------------------------

CHILD = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from talkface.training import loop
from tests.unit.training.test_train import BLOCK, train_toy
loop.SAVE_EVERY_S = {save_every_s}
train_toy(Path({dataset!r}), Path({folder!r}))
"""


def start(dataset, folder, *, save_every_s):
    path = [entry for entry in sys.path if entry]
    code = textwrap.dedent(CHILD).format(path=path, dataset=str(dataset), folder=str(folder), save_every_s=save_every_s)
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)


def states_in(folder):
    """Finished files; what is being written has a name that begins with a dot."""
    return [path for path in folder.glob("*.pt") if not path.name.startswith(".")]


def test_killed_and_started_again_it_ends_with_the_same_numbers(dataset, tmp_path):
    """SIGKILL in the middle of a run, at a moment the child knows nothing of; what it saved must be whole."""
    whole = train_toy(dataset, tmp_path / "whole")
    (tmp_path / "cut").mkdir()
    seen = []
    for delay_s in (0.05, 0.2):
        child = start(dataset, tmp_path / "cut", save_every_s=0.0)
        deadline = time.monotonic() + 60
        while child.poll() is None and time.monotonic() < deadline:
            states = states_in(tmp_path / "cut" / "state")
            if states and read_file(states[0])["step"] > max(seen, default=0):
                time.sleep(delay_s)
                break
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL, "it was done before it could be killed"
        assert not (tmp_path / "cut" / "weights.pt").exists()
        (state,) = states_in(tmp_path / "cut" / "state")
        seen.append(read_file(state)["step"])
    assert 0 < seen[0] < seen[1] < whole["facts"]["steps"]
    (tmp_path / "cut" / "state" / f".{state.stem}.999999.pt").write_bytes(b"killed while saving")
    resumed = train_toy(dataset, tmp_path / "cut")
    assert not list((tmp_path / "cut" / "state").glob("*.pt"))
    assert_same_weights(whole["weights"], resumed["weights"])
    losses = [pd.read_csv(tmp_path / run / "curve.tsv", sep="\t").drop(columns="seconds") for run in ("whole", "cut")]
    pd.testing.assert_frame_equal(*losses)


def test_a_state_of_other_settings_data_or_seed_is_not_taken_up(dataset):
    settings = Recipe.read(BLOCK, name="toy")
    names = {
        loop.fingerprint(settings, data="a", seed=1),
        loop.fingerprint(settings, data="b", seed=1),
        loop.fingerprint(settings, data="a", seed=2),
        loop.fingerprint(Recipe.read(BLOCK | {"learning_rate": 0.02}, name="toy"), data="a", seed=1),
        loop.fingerprint(Recipe.read(BLOCK | {"arguments": {}}, name="toy"), data="a", seed=1),
    }
    assert len(names) == 5
    assert loop.fingerprint(Recipe.read(dict(reversed(BLOCK.items())), name="toy"), data="a", seed=1) in names


def test_a_broken_state_is_named(dataset, tmp_path):
    (tmp_path / "state").mkdir()
    settings = Recipe.read(BLOCK, name="toy")
    path = tmp_path / "state.pt"
    path.write_bytes(b"half a file")
    with pytest.raises(TalkfaceError, match=r"state\.pt: not readable as weights"):
        loop.fit(parts_of(dataset), read_shape_model(dataset).first(2), settings, seed=1, state=path)


# When it ends -----------------------------------------------------------------------------------------------------


def test_patience_stops_it_and_the_best_weights_are_kept(dataset, monkeypatch):
    losses = iter([5.0, 3.0, 4.0, 4.0, 4.0, 1.0])
    kept = []
    monkeypatch.setattr(loop, "validate", lambda network, corpus: next(losses))
    judge = loop.Run.judge

    def remember(run, loss):
        judge(run, loss)
        kept.append({key: value.clone() for key, value in run.best.items()})

    monkeypatch.setattr(loop.Run, "judge", remember)
    run = fit(dataset, patience_epochs=3)
    assert [row["valid_loss"] for row in run.curve] == [5.0, 3.0, 4.0, 4.0, 4.0]
    assert run.best_step == run.curve[1]["step"]
    assert_same_weights(run.best, kept[1])
    with pytest.raises(AssertionError):
        assert_same_weights(run.best, run.averaged.state_dict())


def test_the_last_weights_are_kept_where_they_are_wanted(dataset, monkeypatch):
    """Eskimez et al. 2018 and Li et al. 2017 keep those, however they do."""
    losses = iter([5.0, 3.0, 4.0])
    monkeypatch.setattr(loop, "validate", lambda network, corpus: next(losses))
    run = fit(dataset, keep="last", max_epochs=3)
    assert (run.best_step, run.best_loss) == (run.step, 4.0)
    assert_same_weights(run.best, run.averaged.state_dict())
    with pytest.raises(TalkfaceError, match=r"toy\.keep is 'first'; one of best, last"):
        Recipe.read(BLOCK | {"keep": "first"}, name="toy")


def test_steps_and_epochs_limit_it(dataset):
    per_epoch = steps_per_epoch(np.diff(parts_of(dataset)["train"].frame_offsets), Recipe.read(BLOCK, name=""))
    assert fit(dataset, max_epochs=2).step == 2 * per_epoch
    run = fit(dataset, max_steps=per_epoch + 1)
    assert run.step == per_epoch + 1
    assert [row["epoch"] for row in run.curve] == [1, 2]


@pytest.mark.parametrize("where", ["train", "valid"])
def test_a_loss_that_is_no_number_ends_it_in_one_line(dataset, where):
    parts = parts_of(dataset)
    parts[where].shape[:] = np.nan
    settings = Recipe.read(BLOCK, name="toy")
    with pytest.raises(TalkfaceError, match=r"models\.toy: the loss is nan at step \d+") as caught:
        loop.fit(parts, read_shape_model(dataset).first(2), settings, seed=1, model="toy")
    assert "\n" not in str(caught.value)


def test_unknown_keys_and_too_many_components_are_named(dataset, tmp_path):
    with pytest.raises(TalkfaceError, match=r"models\.toy has no key 'learning_rat'; known are network, "):
        train_toy(dataset, tmp_path, block=BLOCK | {"learning_rat": 1})
    with pytest.raises(TalkfaceError, match=r"models\.toy\.components is 7, .* has 6"):
        train_toy(dataset, tmp_path, block=BLOCK | {"components": 7})
    assert not list(tmp_path.rglob("*.pt"))


def test_published_stands_above_all_other_keys(monkeypatch):
    monkeypatch.setattr(
        network_class("talkface"), "PUBLISHED", {"split": "window", "frames": 1, "arguments": {"level": "recorded"}}
    )
    plain = Recipe.read(BLOCK, name="toy")
    published = Recipe.read(BLOCK | {"published": True, "split": "clip"}, name="toy")
    assert (plain.split, plain.frames, plain.arguments) == ("sheet", 30, BLOCK["arguments"])
    assert (published.split, published.frames) == ("window", 1)
    assert published.arguments == BLOCK["arguments"] | {"level": "recorded"}
    with pytest.raises(TalkfaceError, match=r"toy\.split is 'frame'; one of sheet, none, window, clip, speaker"):
        Recipe.read(BLOCK | {"split": "frame"}, name="toy")


@pytest.mark.parametrize("split", ["window", "clip"])
def test_a_model_may_divide_its_clips_itself(dataset, tmp_path, split):
    facts = train_toy(dataset, tmp_path, block=BLOCK | {"split": split, "max_epochs": 1})["facts"]
    assert facts["train_clips"] + facts["valid_clips"] == (30 if split == "window" else 15)


def test_the_learning_rate_rises_and_falls():
    factors = [loop.learning_rate_factor(step, 100, "cosine") for step in range(100)]
    assert factors[0] == pytest.approx(0.2)
    assert np.argmax(factors) == 4
    assert factors[50] == pytest.approx(0.5, abs=0.01)
    assert 0 < factors[-1] < 0.001
    assert {loop.learning_rate_factor(step, 100, "constant") for step in range(100)} == {1.0}


# What a batch holds -----------------------------------------------------------------------------------------------


@pytest.mark.gpu
def test_a_graphics_card_learns_as_well(dataset):
    if not torch.cuda.is_available():
        pytest.skip("no NVIDIA card here")
    settings = Recipe.read(BLOCK, name="toy")
    shape_model = read_shape_model(dataset).first(2)
    runs = [loop.fit(parts_of(dataset), shape_model, settings, seed=1, device=name) for name in ("cpu", "cuda")]
    assert runs[1].best_loss == pytest.approx(runs[0].best_loss, rel=0.2)
    assert math.isfinite(runs[1].best_loss)
