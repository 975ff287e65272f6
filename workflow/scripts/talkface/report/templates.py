"""Templates of pages in assets/: what is not Markup is escaped, and a name without a value is an error."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from talkface.files import writing

ASSETS = Path(__file__).parent / "assets"


def find_template(name: str) -> jinja2.Template:
    """Load a template of assets/ by its name."""
    loader = jinja2.FileSystemLoader(ASSETS)
    world = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return world.get_template(name)


def fill(template: str, output: str | Path, content: Mapping[str, Any]) -> None:
    """Write a page from a template."""
    text = find_template(template).render(content)
    with writing(output) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_assets(names: Sequence[str]) -> Markup:
    """Read files of assets/, joined one after the other."""
    return Markup("".join((ASSETS / name).read_text(encoding="utf-8") for name in names))
