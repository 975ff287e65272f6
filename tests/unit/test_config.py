"""The configuration: strict, with one clear line for each fault."""

import copy

import pytest
import yaml

from talkface.config import (
    Catalogue,
    add_published,
    add_seeds,
    check_config,
    known,
    name_weights,
    published_networks,
    resolve_models,
)
from talkface.errors import TalkfaceError


@pytest.fixture
def config(project):
    return yaml.safe_load((project / "config" / "config.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def schema(project):
    return project / "workflow" / "schemas" / "config.schema.yaml"


def test_the_shipped_config_is_right(config, schema):
    check_config(config, schema)


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        (("identty",), {}, "unknown key 'identty'; did you mean 'identity'?"),
        (("identity", "treshold"), 1, "config, identity: unknown key 'treshold'; did you mean 'threshold'?"),
        (("identity", "method"), "best", "config, identity.method: 'best' is not one of"),
        (("seed",), "one", "config, seed: 'one' is not of type 'integer'"),
        (("corpus",), "../up", "config, corpus"),
    ],
)
def test_faults(config, schema, path, value, found):
    changed = copy.deepcopy(config)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(TalkfaceError) as error:
        check_config(changed, schema)
    assert found in str(error.value)
    assert "\n" not in str(error.value)


def test_every_object_of_the_schema_is_strict(schema):
    """A level that takes any key would let a misspelt one through."""

    def visit(node, path):
        if isinstance(node, dict):
            if node.get("type") == "object":
                assert "additionalProperties" in node, path
                assert node["additionalProperties"] is not True, path
            for key, value in node.items():
                visit(value, f"{path}.{key}")

    visit(yaml.safe_load(schema.read_text(encoding="utf-8")), "schema")


def test_every_line_of_the_config_says_what_it_is(project):
    """A sentence (and a unit) on every line that carries a value."""
    for number, line in enumerate((project / "config" / "config.yaml").read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            assert "#" in line, f"config.yaml, line {number}: {line}"


def test_catalogue():
    models = Catalogue("model", {"talkface": 1, "cnn": 2})
    assert models["cnn"] == 2
    with pytest.raises(TalkfaceError, match="'talkfce' is not a known model; did you mean 'talkface'"):
        models["talkfce"]
    assert known("x", []) == "known are: none"
    assert known("x", [f"clip{i}" for i in range(30)]).endswith("and 10 more")


def test_an_entry_takes_from_another_what_it_does_not_say():
    models = {
        "a": {"network": "n", "frames": 3, "arguments": {"x": 1, "y": 2}},
        "b": {"like": "a", "arguments": {"y": 5}},
        "c": {"like": "b", "frames": 9, "published": True},
    }
    resolved = resolve_models(models)
    assert resolved["b"] == {"network": "n", "frames": 3, "arguments": {"x": 1, "y": 5}}
    assert resolved["c"] == {"network": "n", "frames": 9, "arguments": {"x": 1, "y": 5}, "published": True}
    assert resolved["a"] == models["a"]
    assert models["b"] == {"like": "a", "arguments": {"y": 5}}


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ({"a": {"like": "b"}}, "models.a: like 'b' is no entry; known are: a"),
        ({"a": {"like": "b"}, "b": {"like": "a"}}, "is like itself"),
        ({"a": {"frames": 3}}, "models.a: no network"),
    ],
)
def test_entries_like_nothing_are_named(models, message):
    with pytest.raises(TalkfaceError, match=message):
        resolve_models(models)


def test_a_folder_of_weights_is_their_file(tmp_path):
    """As `train.py -m folder` of Eskimez et al. 2020 takes it."""
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "SPCH2FLM.pt").touch()
    (tmp_path / "made" / "notes.txt").touch()
    models = {"a": {"init": str(tmp_path / "made")}, "b": {"weights": "somewhere.h5", "init": None}}
    assert name_weights(models) == {"a": {"init": str(tmp_path / "made" / "SPCH2FLM.pt")}, "b": models["b"]}
    for file, count in ((None, 0), ("talkingFaceModel.h5", 2)):
        folder = tmp_path / ("made" if file else ".")
        if file:
            (folder / file).touch()
        with pytest.raises(
            TalkfaceError, match=rf"models\.a\.init: .* is a folder, in which one of .*; {count} were found"
        ):
            name_weights({"a": {"init": str(folder)}})


def test_a_further_seed_is_an_entry():
    models = {"a": {"network": "n", "frames": 3}, "b": {"network": "n", "weights": "b.pt"}, "c": {"network": "n"}}
    assert add_seeds(models, ["a", "b"], [2, 1, 5], seed=1) == {"a": ["a", "a-seed2", "a-seed5"], "b": ["b"]}
    assert models["a-seed5"] == {"network": "n", "frames": 3, "seed": 5}
    assert set(models) == {"a", "b", "c", "a-seed2", "a-seed5"}
    with pytest.raises(TalkfaceError, match=r"models\.a-seed2: training\.seeds names an entry so"):
        add_seeds(models, ["a"], [2], seed=1)


def test_every_model_of_a_published_system_has_its_twin(project):
    models = yaml.safe_load((project / "config" / "config.yaml").read_text(encoding="utf-8"))["models"]
    assert published_networks() == ["cnn", "fft_cnn", "lstm"]
    schedules = yaml.safe_load((project / "config" / "published.yaml").read_text(encoding="utf-8"))["models"]
    found = add_published(models)
    twins = set(found) - set(models)
    assert twins == {f"{name}_published" for name in set(models) - {"talkface", "talkface_demo", "talkface_voice"}}
    assert found["cnn_nr_published"] == {"like": "cnn_nr", "published": True}
    assert resolve_models(found)["cnn_nr_published"] == resolve_models(models)["cnn_nr"] | {"published": True}
    # Each brings its schedule, whoever it is like; what the config says of its name stands above that.
    changed = models | {"cnn_published": {"max_epochs": 3}, "mine": {"like": "lstm_d40_c3_published", "frames": 9}}
    resolved = resolve_models(add_published(changed, schedules))
    for name, of in (("cnn_tc_nr", "cnn"), ("lstm_d80_c3", "lstm_d0_c3"), ("fft_cnn", "fft_cnn")):
        assert schedules[of].items() <= resolved[f"{name}_published"].items()
        assert not schedules[of].items() <= resolved[name].items()
    assert (resolved["cnn_published"]["max_epochs"], resolved["cnn_published"]["max_steps"]) == (3, 0)
    assert (resolved["mine"]["frames"], resolved["mine"]["stretches"], resolved["mine"]["max_epochs"]) == (9, 128, 200)


def test_texts_of_the_command_line_get_their_types(project):
    """`--config 'qc={min_face_px: 30}'` hands over '30'."""
    schema = project / "workflow" / "schemas" / "config.schema.yaml"
    shipped = yaml.safe_load((project / "config" / "config.yaml").read_text(encoding="utf-8"))
    config = copy.deepcopy(shipped)
    config["qc"] |= {"min_face_px": "30", "max_offset_ms": "null"}
    config["overlay"]["boxes"] = "false"
    config["landmarks"]["predictor"] = "null"
    config["evaluate"]["snr_db"] = ["0", "10", "5"]
    config["corpora"]["folder"]["videos"] = "2024"  # a folder's name
    config["models"]["cnn"]["arguments"]["dropout"] = "0.1"
    config["models"]["cnn"]["max_steps"] = "7"
    config["models"]["talkface"]["arguments"]["gain_db"] = ["-12", "0"]
    config["dataset"]["correct_offset"] = "-20"
    check_config(config, schema)
    assert config["models"]["talkface"]["arguments"]["gain_db"] == [-12, 0]
    assert config["dataset"]["correct_offset"] == -20
    assert (config["qc"]["min_face_px"], config["qc"]["max_offset_ms"]) == (30, None)
    assert (config["overlay"]["boxes"], config["landmarks"]["predictor"]) == (False, None)
    assert config["evaluate"]["snr_db"] == [0, 10, 5]
    assert config["corpora"]["folder"]["videos"] == "2024"
    assert (config["models"]["cnn"]["arguments"]["dropout"], config["models"]["cnn"]["max_steps"]) == (0.1, 7)
    assert config["models"]["cnn"]["arguments"]["level"] == "running"
    untouched = copy.deepcopy(shipped)
    check_config(untouched, schema)
    assert untouched == shipped
    config["qc"]["min_face_px"] = "wide"
    with pytest.raises(TalkfaceError, match=r"config, qc\.min_face_px: 'wide' is not of type 'number'"):
        check_config(config, schema)


def test_a_file_of_weights_decides_the_context():
    """Inherited, it yields to the width of the file's inputs; said by the entry itself, it must fit."""
    models = {
        "base": {"network": "lstm", "arguments": {"context": 3, "delay": 1}},
        "theirs": {"like": "base", "weights": "D40_C5.h5"},
        "said": {"like": "base", "weights": "D40_C5.h5", "arguments": {"context": 5}},
    }
    resolved = resolve_models(models)
    assert resolved["theirs"]["arguments"] == {"delay": 1}
    assert resolved["said"]["arguments"] == {"delay": 1, "context": 5}


def test_a_twin_can_be_changed_taken_from_and_replaced():
    models = {
        "base": {"network": "cnn", "frames": 4, "arguments": {"a": 1}},
        "base_published": {"frames": 9},  # changed
        "theirs": {"like": "base_published", "weights": "theirs.pt"},  # taken from; imported, so without a twin
        "mine": {"like": "base"},
        "mine_published": {"like": "base", "frames": 5},  # an entry of its own
        "plain": {"network": "talkface"},
    }
    found = add_published(models)
    assert set(found) == set(models)
    resolved = resolve_models(found)
    assert resolved["base_published"] == {"network": "cnn", "frames": 9, "arguments": {"a": 1}, "published": True}
    assert resolved["theirs"]["frames"] == 9
    assert resolved["theirs"]["published"]
    assert "published" not in resolved["mine_published"]
    assert "base_published_published" not in found


def test_entries_that_are_like_each_other_are_still_refused():
    with pytest.raises(TalkfaceError, match="is like itself"):
        resolve_models(add_published({"a": {"like": "b"}, "b": {"like": "a"}}))
    with pytest.raises(TalkfaceError, match="'nobody' is no entry"):
        resolve_models(add_published({"a": {"like": "nobody"}}))


@pytest.mark.parametrize("name", ["compare.yaml", "zoo.yaml", "published.yaml"])
def test_shipped_config_files_fit_the_shipped_config(project, name):
    shipped = yaml.safe_load((project / "config" / "config.yaml").read_text(encoding="utf-8"))
    extra = yaml.safe_load((project / "config" / name).read_text(encoding="utf-8"))
    for model, block in extra.get("models", {}).items():
        shipped["models"].setdefault(model, {}).update(block)
    for model in extra.get("training", {}).get("models", []):
        assert model in shipped["models"]
    check_config(shipped, project / "workflow" / "schemas" / "config.schema.yaml")
