"""The examples in docstrings are right."""

import doctest
import importlib
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow" / "scripts"
MODULES = [
    ".".join(path.relative_to(SCRIPTS).with_suffix("").parts)
    for path in sorted((SCRIPTS / "talkface").rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("module", MODULES)
def test_examples_give_what_they_say(module):
    found = doctest.testmod(importlib.import_module(module))
    assert found.attempted
    assert not found.failed


def test_there_are_examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    shown = [test.name for name in MODULES for test in finder.find(importlib.import_module(name)) if test.examples]
    assert len(shown) >= 25
