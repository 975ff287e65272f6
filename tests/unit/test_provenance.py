"""What re-runs: digests of the code that a script's imports lead to."""

import re
import shutil
import time
from pathlib import Path

import pytest

from talkface import provenance
from talkface.provenance import SCRIPTS, code_of, essence, files_of, modules_of

RULES = Path(__file__).resolve().parents[2] / "workflow" / "rules"


@pytest.fixture
def code(tmp_path):
    """Digest of a script in a copy of the scripts, whose files can be edited."""
    copy = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, copy, ignore=shutil.ignore_patterns("__pycache__"))

    def digest(name):
        for cached in vars(provenance).values():
            getattr(cached, "cache_clear", int)()
        return code_of(name, scripts=copy)

    digest.folder = copy
    yield digest
    digest("train_model")  # no cached file of a copy that is gone


def edit(code, module, before, after):
    """Replace text of a module, which must be there."""
    path = code.folder / module
    text = path.read_text(encoding="utf-8")
    assert before in text, f"{module}: no {before!r}"
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(x: int, *, y: str = 'a') -> int:\n    return x", "def f(x, *, y='a'):\n    return x"),
        ("x: int = 1", "x: float = 1"),
        ("class A:\n    '''Doc.'''\n    x: int = 1", "class A:\n    x: str = 1"),
        ("from typing import Any\nfrom collections.abc import Sequence\nx = 1", "x = 1"),
        ("'''Head.'''\n# comment\nx = (1 +\n  2)", "x = 1 + 2"),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\nx = 1", "x = 1"),
        ("def f():\n    '''Only a docstring.'''", "def f():\n    '''Another.'''"),
    ],
)
def test_what_decides_no_result_is_left_out(one, other):
    assert essence(one) == essence(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 2"),
        ("x = 'a'", "x = 'b'"),
        ("def f(x=1): return x", "def f(x=2): return x"),
        ("import numpy", "import scipy"),
        ("def f(x): return x", "def g(x): return x"),
        ("@a\ndef f(): pass", "def f(): pass"),
        ("x = 1\ny = 2", "y = 2\nx = 1"),
        ("'''Head.'''\nx = 1\n'text'", "x = 1\n'other'"),  # no docstring: it does not come first
        ("x = 1", "x = True"),
    ],
)
def test_what_decides_results_is_kept(one, other):
    assert essence(one) != essence(other)


def test_each_scripted_rule_carries_the_digest_of_its_script():
    found = {}
    for path in RULES.glob("*.smk"):
        for block in re.split(r"^ *(?:rule|use rule)\b", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
            script = re.search(r'script:\s*"\.\./scripts/(\w+)\.py"', block)
            if script:
                found[script.group(1)] = re.findall(r'^ +code=code_of\("(\w+)"\),$', block, flags=re.M)
    assert len(found) > 50
    # An edit must not fetch gigabytes again.
    fetching = {"fetch_archive", "fetch_face_model"}
    assert [found.pop(name) for name in sorted(fetching)] == [[], []]
    assert {name: carried for name, carried in found.items() if carried != [name]} == {}
    assert set(found) | fetching == {path.stem for path in SCRIPTS.glob("*.py")}


def test_every_table_and_page_of_the_package_belongs_to_a_module():
    named = {file for module in (SCRIPTS / "talkface").rglob("*.py") for file in files_of(module)}
    there = {
        path
        for path in (SCRIPTS / "talkface").rglob("*.*")
        if path.is_file()
        and path.suffix not in (".py", ".pyc", ".nbc", ".nbi", ".typed")
        and "__pycache__" not in path.parts
    }
    assert named == there
    assert len(there) > 10


def test_imports_are_followed_wherever_they_stand(code):
    trained = {
        path.relative_to(code.folder).as_posix() for path in modules_of(code.folder / "train_model.py", code.folder)
    }
    assert "talkface/training/loop.py" in trained
    assert "talkface/models/base.py" in trained
    assert "talkface/face/__init__.py" in trained
    assert not [name for name in trained if "networks/" in name and name != "talkface/models/networks/__init__.py"]
    assert not [name for name in trained if name in ("talkface/errors.py", "talkface/files.py", "talkface/logs.py")]
    summed = {path.name for path in modules_of(code.folder / "summarise_evaluation.py", code.folder)}
    assert {"comparison.py", "summary.py", "statistics.py"} <= summed


@pytest.mark.parametrize(
    ("module", "before", "after"),
    [
        ("talkface/training/loop.py", '"""', '"""Another thought. '),
        ("talkface/training/loop.py", "# steps; reading", "# steps: reading"),
        ("talkface/training/loop.py", "schedule: str) -> float:", "schedule: object) -> float:"),
        ("talkface/errors.py", "class TalkfaceError", "WORDS = 1\n\n\nclass TalkfaceError"),
        ("talkface/logs.py", "def machine_fault", "WORDS = 1\n\n\ndef machine_fault"),
        ("talkface/drawing/skin.py", "def paint_skin", "SHADE = 1\n\n\ndef paint_skin"),
        ("train_model.py", '"""', '"""Another thought. '),
    ],
)
def test_such_an_edit_retrains_nothing(code, module, before, after):
    training = code("train_model")
    edit(code, module, before, after)
    assert code("train_model") == training


def test_an_edit_of_a_layer_concerns_the_networks_that_have_it(code):
    names = ("talkface", "cnn", "lstm", "fft_cnn")

    def digests():
        return {name: code(f"talkface/models/networks/{name}") for name in names}

    before, training = digests(), code("train_model")
    edit(code, "talkface/models/layers/lstm_kernels.py", "LINEAR,", "LINEAR_,")
    after = digests()
    assert [name for name in names if before[name] != after[name]] == ["lstm"]
    edit(code, "talkface/models/networks/cnn.py", "class Network", "WIDTH = 1\n\n\nclass Network")
    assert [name for name in names if digests()[name] != after[name]] == ["cnn"]
    assert code("train_model") == training
    edit(code, "talkface/models/base.py", "def masked_mean", "WIDTH = 1\n\n\ndef masked_mean")
    assert not [name for name in names if digests()[name] == after[name]]
    assert code("train_model") != training


def test_an_edit_of_a_page_or_table_counts(code):
    before = code("write_page"), code("write_quality"), code("train_model")
    edit(code, "talkface/report/assets/page.html", "<main", "<main ")
    assert code("write_page") != before[0]
    assert code("write_quality") == before[1]
    page = code("write_page")
    edit(code, "talkface/report/assets/page_style.css", "main", "main ")  # included by the pages
    assert code("write_page") != page
    assert code("write_quality") != before[1]
    assert code("train_model") == before[2]
    edit(code, "talkface/face/template.tsv", "\n", "\n\n")
    assert code("draw_animation") != before[2]


def test_it_is_the_same_in_another_folder(code):
    assert code("train_model") == code_of("train_model")


def test_it_takes_little_time(code):
    start = time.perf_counter()
    for script in code.folder.glob("*.py"):
        code_of(script.stem, scripts=code.folder)
    assert time.perf_counter() - start < 5  # 0.5 s on an idle core
