"""A finished model gives way to a finished newer one alone, whenever a training is killed."""

import os
import shutil
from pathlib import Path

import pytest
import yaml

from talkface.training.model_folder import FILES, describe_origin, find_changes, place_model, read_origin, take_over

CARD = "# talkface\n\n- **Data**: corpus `grid`, 3 training clips\n"


def fill(folder, text):
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (folder / name).write_text(f"{name} {text}")


def held(folder):
    """What the four files of a folder say, the name left out; one text where they agree."""
    texts = {(folder / name).read_text().split()[1] for name in FILES}
    return texts.pop() if len(texts) == 1 else texts


def test_the_first_training(tmp_path):
    fill(tmp_path / "new", "one")
    place_model(tmp_path / "new", tmp_path)
    assert held(tmp_path) == "one"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)


def test_the_one_before_is_kept_and_the_one_before_that_is_not(tmp_path):
    for text in ("one", "two", "three"):
        fill(tmp_path / "state" / "new", text)
        place_model(tmp_path / "state" / "new", tmp_path)
    assert (held(tmp_path), held(tmp_path / "before")) == ("three", "two")


class Killed(BaseException):
    """A stand-in for SIGKILL: nothing after it is done."""


@pytest.mark.parametrize("moment", range(14))
def test_killed_at_any_moment_there_are_weights_and_the_next_run_ends_well(moment, tmp_path, monkeypatch):
    for text in ("zero", "one"):
        fill(tmp_path / "new", text)
        place_model(tmp_path / "new", tmp_path)
    fill(tmp_path / "new", "two")
    calls = iter(range(100))

    def dying(real):
        def call(*arguments, **keywords):
            if next(calls) == moment:
                raise Killed
            return real(*arguments, **keywords)

        return call

    with monkeypatch.context() as patch:
        for module, names in ((os, ["replace"]), (shutil, ["copy2", "rmtree"]), (Path, ["rename", "mkdir"])):
            for name in names:
                patch.setattr(module, name, dying(getattr(module, name)))
        try:
            place_model(tmp_path / "new", tmp_path)
            assert moment == 13  # so no moment is left out
        except Killed:
            assert (tmp_path / "weights.pt").read_text() in ("weights.pt one", "weights.pt two")
    fill(tmp_path / "new", "two")  # what the rolling state leads to again
    place_model(tmp_path / "new", tmp_path)
    assert (held(tmp_path), held(tmp_path / "before")) == ("two", "one")


CONFIG = {
    "corpus": "demo", "seed": 1, "media": {"audio_rate": 44100, "jpeg_scale": 2}, "landmarks": {"max_gap_frames": 5},
    "qc": {"min_face_px": 40}, "identity": {"method": "fixed"}, "dataset": {"components": 16},
    "noise": {"folder": None},
}  # fmt: skip
BLOCK = {"network": "cnn", "arguments": {"snr_db": [6, 30, 3]}}


def origin(*, config=CONFIG, block=BLOCK, clips="d1"):
    return describe_origin(config, model="cnn", block=block, clips=clips)


def test_what_has_changed_since(tmp_path):
    then = origin()
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"corpus": "demo", "models": {}, "origin": then}))
    assert read_origin(tmp_path) == then
    for changed, words in (
        (origin(), []),
        (origin(config=CONFIG | {"qc": {"min_face_px": 30}}), ["qc.min_face_px"]),
        (origin(config=CONFIG | {"seed": 2}, clips="d2"), ["seed", "the sheet"]),
        (origin(config=CONFIG | {"media": {"audio_rate": 44100, "jpeg_scale": 9}}), []),  # of pictures to look at
        (origin(config=CONFIG | {"noise": {"folder": "hall"}}), []),  # which it does not train with
        (origin(block=BLOCK | {"arguments": {"snr_db": [0, 30, 3]}}), ["models.cnn.arguments.snr_db"]),
        (then | {"code": "other"}, ["the code"]),
    ):
        assert find_changes(then, changed) == words


def test_a_training_file_of_its_own_has_nothing_to_do_with_the_sheet():
    block = BLOCK | {"dataset": "theirs.hdf5"}
    assert origin(block=block) == origin(block=block, clips="d2", config=CONFIG | {"qc": {"min_face_px": 1}})


@pytest.mark.parametrize("text", ["", "[]", "cnn: {network: cnn}", "origin: {corpus: demo}", "a: b: c", "\x00"])
def test_a_config_that_does_not_say(text, tmp_path):
    assert read_origin(tmp_path) is None
    (tmp_path / "config.yaml").write_text(text)
    assert read_origin(tmp_path) is None


def test_old_folders_are_taken_over(tmp_path):
    models = tmp_path / "models"
    for name in ("talkface", "grid", "odd", "taken"):
        fill(models / name, "old")
        (models / name / "card.md").write_text(CARD)
    (models / "odd" / "card.md").write_text("says no corpus")
    fill(models / "grid" / "taken", "new")
    fill(models / "theirs", "imported")
    (models / "theirs" / "curve.tsv").unlink()
    (tmp_path / "state" / "talkface").mkdir(parents=True)
    (tmp_path / "state" / "talkface" / "0123.pt").touch()
    assert take_over(tmp_path) == {models / name: models / "grid" / name for name in ("grid", "talkface")}
    assert (models / "grid" / "talkface" / "weights.pt").read_text() == "weights.pt old"
    assert (models / "grid" / "talkface" / "state" / "0123.pt").exists()
    assert (models / "grid" / "grid" / "weights.pt").exists()
    assert not (models / "talkface").exists()
    assert held(models / "grid" / "taken") == "new"
    assert (models / "theirs" / "weights.pt").exists()
    assert take_over(tmp_path) == {}
