"""The configuration: strict, with one clear line for each fault."""

import copy

import pytest
import yaml

from talkface.errors import TalkfaceError
from talkface.settings import Catalogue, check_config, known


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
