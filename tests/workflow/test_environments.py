"""What a rule's script imports stands in the rule's environment file, with the version that pip pins."""

import ast
import re
import sys
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
SCRIPTS = PROJECT / "workflow" / "scripts"

# Import name -> name in requirements.txt, and name in the environment files where conda-forge has another.
PIP_NAMES = {
    "cv2": "opencv-python-headless",
    "dlib": "dlib-bin",
    "ffmpeg": "ffmpeg-python",
    "imageio_ffmpeg": "imageio-ffmpeg",
    "espeakng_loader": "espeakng-loader",
    "yaml": "PyYAML",
    "jinja2": "Jinja2",
    "markupsafe": "MarkupSafe",
}
CONDA_NAMES = {
    "dlib-bin": "dlib",
    "torch": "pytorch",
    "soxr": "soxr-python",
    "soundfile": "pysoundfile",
    "PyYAML": "pyyaml",
    "Jinja2": "jinja2",
    "MarkupSafe": "markupsafe",
}
# Extras: looked for before they are imported, and done without where they are not there.
EXTRAS = {"pocketsphinx", "pygltflib"}
# dlib-bin's own numbering of its builds has no counterpart in conda-forge.
VERSIONS = {"dlib": "20.0.1"}


def rules_of(path):
    """(rule, script, environment) of each scripted rule of a rule file."""
    for block in re.split(r"^(?:rule|checkpoint)\s+", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
        name = block.split(":", 1)[0].strip()
        script = re.search(r'script:\s*"\.\./scripts/([^"]+)"', block)
        env = re.search(r'conda:\s*"\.\./\.\./envs/([^"]+)"', block)
        if script:
            yield name, script.group(1), env.group(1) if env else None


SCRIPTED = [rule for path in sorted((PROJECT / "workflow" / "rules").glob("*.smk")) for rule in rules_of(path)]


def imports_of(path, seen):
    """Top-level names of third-party modules a file imports, through the package's own modules."""
    if path in seen:
        return set()
    seen.add(path)
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            top = name.split(".")[0]
            if top == "talkface":
                module = SCRIPTS / Path(*name.split("."))
                for candidate in (module.with_suffix(".py"), module / "__init__.py"):
                    if candidate.exists():
                        found |= imports_of(candidate, seen)
            elif top not in sys.stdlib_module_names and top != "snakemake":
                found.add(top)
    return found


def pins():
    """Package -> version of requirements.txt."""
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))


def packages_of(env):
    """Package -> version of an environment file, pip's section included."""
    found = {}
    for entry in yaml.safe_load((PROJECT / "envs" / env).read_text(encoding="utf-8"))["dependencies"]:
        for line in entry["pip"] if isinstance(entry, dict) else [entry]:
            name, version = re.fullmatch(r"([\w.-]+?)\s*={1,2}\s*([\w.]+)", line).groups()
            found[name] = version
    return found


def test_there_are_scripted_rules():
    assert len(SCRIPTED) >= 10


@pytest.mark.parametrize(("rule", "script", "env"), SCRIPTED, ids=[rule for rule, _, _ in SCRIPTED])
def test_a_rule_carries_its_scripts_imports(rule, script, env):
    assert env, f"rule {rule} names no environment"
    have = packages_of(env)
    for name in sorted(imports_of(SCRIPTS / script, set()) - EXTRAS):
        package = PIP_NAMES.get(name, name)
        assert package in have or CONDA_NAMES.get(package) in have, f"{env} lacks {package}, which {script} imports"


@pytest.mark.parametrize("env", sorted(path.name for path in (PROJECT / "envs").glob("*.yaml")))
def test_versions_agree_with_the_pins(env):
    ours = {
        CONDA_NAMES.get(name, name): VERSIONS.get(CONDA_NAMES.get(name), version) for name, version in pins().items()
    }
    ours |= pins()
    for package, version in packages_of(env).items():
        if package not in ("python", "ffmpeg"):
            expected = VERSIONS.get(package, ours.get(package))
            assert version == expected, f"{env}: {package} {version}, requirements.txt has {expected}"


@pytest.mark.parametrize("env", sorted(path.name for path in (PROJECT / "envs").glob("*.yaml")))
def test_every_environment_is_used(env):
    assert env in {used for _, _, used in SCRIPTED}


@pytest.mark.parametrize(("rule", "script", "env"), SCRIPTED, ids=[rule for rule, _, _ in SCRIPTED])
def test_scripts_only_bind(rule, script, env):
    """Layers: a script is named as its rule, defines nothing, is short, and opens with its log."""
    path = SCRIPTS / script
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert path.stem == rule
    assert not [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.If))]
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 60
    assert isinstance(tree.body[2], ast.With), "after the docstring and one import, `with log_to(...)`"


@pytest.mark.parametrize("path", sorted((SCRIPTS / "talkface").rglob("*.py")), ids=lambda path: path.stem)
def test_the_package_knows_no_workflow(path):
    """Layers: the package never imports snakemake; landmarking never imports torch, training never dlib."""
    names = imports_of(path, set())
    source = path.read_text(encoding="utf-8")
    if path.parent.name == "talkface" and path.stem in ("api", "cli"):
        names -= {"dlib"}  # each function imports what it needs: tests/unit/test_api.py
    if (path.parent.name, path.stem) == ("head", "whole"):
        names -= {"dlib"}  # all stages in one process, for the command line; rules take them one by one
    assert not re.search(r"^\s*(from|import) snakemake", source, flags=re.M)
    assert not {"torch", "dlib"} <= names, f"{path.name} needs torch and dlib together"


def test_no_name_is_given_twice_among_the_rules():
    """Rule files share one name space: a second assignment would change what the first one's rules read."""
    given = [
        (match, path.name)
        for path in sorted((PROJECT / "workflow" / "rules").glob("*.smk"))
        for match in sorted(set(re.findall(r"^(?:def )?([A-Za-z_]\w*)(?: = |\()", path.read_text(), re.MULTILINE)))
        if match not in ("include", "report")
    ]
    names = [name for name, _ in given]
    assert len(names) > 5
    assert not [pair for pair in given if names.count(pair[0]) > 1]
