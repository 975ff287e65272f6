"""Digests of code: what decides a result, a script and all modules of the package that its imports lead to.

Rules carry it as a parameter, so that Snakemake makes a result anew when the code that decides it has changed, and only
then: comments, docstrings and annotations are left out, and so are `SILENT` modules, which change no number. The tables
and pages that a module names belong to it.
"""

import ast
import functools
import hashlib
from pathlib import Path
from typing import NamedTuple

SCRIPTS = Path(__file__).resolve().parents[1]
PACKAGE = "talkface"
# What users are told, where files are put, how settings are read: whoever edits these changes no result.
SILENT = ("__init__", "errors", "files", "logs", "machine", "config", "provenance", "training/model_folder")
# Modules of names for annotations alone.
TYPING = ("__future__", "collections.abc", "numpy.typing", "types", "typing")
ASSETS = "assets"  # folder beside the modules of a room: pages and what several of them share
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Source(NamedTuple):
    """Content of a module's source.

    Attributes
    ----------
    digest : str
        Of what decides results.
    names : frozenset of str
        Dotted names of the package that it imports, anywhere in it.
    texts : frozenset of str
        Its string constants, docstrings left out.
    """

    digest: str
    names: frozenset[str]
    texts: frozenset[str]


def essence(source: str) -> str:
    r"""Reduce a module's source to what decides its results: its syntax tree as text, the same in all Pythons.

    Examples
    --------
    >>> documented = "def double(x: int) -> int:\n    '''Twice.'''\n    return 2 * x  # why not"
    >>> essence(documented) == essence("def double(x):\n    return 2 * x")
    True
    """
    return _Reader().read(source)


class _Reader:
    """Writes a module's syntax tree as text and gathers, in the same walk, what it names (see `Source`)."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.texts: set[str] = set()

    def read(self, source: str) -> str:
        """Write a source without what stands under `if TYPE_CHECKING:` at its top."""
        tree = ast.parse(source)
        tree.body = [node for node in tree.body if not _for_type_checkers(node)]
        return self._dump(tree)

    def _dump(self, node: object) -> str:
        """Write a tree without docstrings, annotations, imports for annotations, and empty fields."""
        if isinstance(node, list):
            return f"[{' '.join([self._dump(item) for item in node if not _for_annotations(item)])}]"
        if not isinstance(node, ast.AST):
            return repr(node)
        self._gather(node)
        fields = []
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "type_comment", "kind"):
                continue
            if name == "body" and isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
                value = value[1:]
            if value is not None and value != []:
                fields.append(f"{name}={self._dump(value)}")
        return f"{type(node).__name__}({' '.join(fields)})"

    def _gather(self, node: ast.AST) -> None:
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                self.texts.add(node.value)
        elif isinstance(node, ast.Import):
            self.names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            self.names |= {f"{node.module}.{alias.name}" for alias in node.names}


def _for_type_checkers(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _for_annotations(node: object) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module in TYPING


@functools.cache
def read_source(path: Path) -> Source:
    """Read a module."""
    reader = _Reader()
    digest = hashlib.sha256(reader.read(path.read_text(encoding="utf-8")).encode()).hexdigest()
    ours = frozenset(name for name in reader.names if name.split(".")[0] == PACKAGE)
    return Source(digest, ours, frozenset(reader.texts))


@functools.cache
def _files_named(name: str, scripts: Path) -> tuple[Path, ...]:
    """Find the files of a dotted name: `__init__.py` of the folders on the way, the module; none of its contents."""
    path, found = scripts, []
    for part in name.split("."):
        path = path / part
        found += [file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()]
    return tuple(found)


@functools.cache
def modules_of(path: Path, scripts: Path = SCRIPTS) -> tuple[Path, ...]:
    """List a script or module and all modules that its imports lead to, but for `SILENT` ones; sorted."""
    silent = {scripts / PACKAGE / f"{name}.py" for name in SILENT}
    found, waiting = {path}, [path]
    while waiting:
        names = read_source(waiting.pop()).names
        new = {file for name in names for file in _files_named(name, scripts)} - found - silent
        found |= new
        waiting += new
    return tuple(sorted(found))


@functools.cache
def files_of(path: Path) -> tuple[Path, ...]:
    """List the tables and pages that a module names in its code, and those that these include; sorted."""
    folders = (path.parent, path.parent / ASSETS)
    known = {file.name: file for folder in folders for file in folder.glob("*.*") if file.suffix not in (".py", ".pyc")}
    found: set[Path] = set()
    waiting = [known[name] for name in read_source(path).texts if name in known]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            text = file.read_text(encoding="utf-8")
            waiting += [other for name, other in known.items() if f'"{name}"' in text]
    return tuple(sorted(found))


@functools.cache
def _line(file: Path, scripts: Path) -> str:
    digest = read_source(file).digest if file.suffix == ".py" else hashlib.sha256(file.read_bytes()).hexdigest()
    return f"{file.relative_to(scripts).as_posix()} {digest}\n"


@functools.cache
def code_of(name: str, *, scripts: Path = SCRIPTS) -> str:
    """Compute the digest of the code that decides what a script makes: 16 hexadecimal digits.

    Parameters
    ----------
    name : str
        A script, or a module as a path below `scripts`; without ".py".
    scripts : path
        Folder that holds the scripts and the package.

    Returns
    -------
    str
        The same wherever the folder lies, and whatever version of Python runs it.

    Examples
    --------
    >>> code_of("train_model") == code_of("predict_landmarks")
    False
    """
    whole = hashlib.sha256()
    for module in modules_of(scripts / f"{name}.py", scripts):
        for file in (module, *files_of(module)):
            whole.update(_line(file, scripts).encode())
    return whole.hexdigest()[:16]
