"""The rooms of the package: who may import whom, and which library."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "workflow" / "scripts" / "talkface"
# In the order of the road: a room imports those before it.
ROOMS = [
    "media",
    "face",
    "face3d",
    "noise",
    "drawing",
    "models",
    "corpus",
    "training",
    "prediction",
    "evaluation",
    "films",
    "head",
    "export",
    "report",
]
FRONT = {
    "__init__",
    "api",
    "cli",
    "selection",
}  # modules without a room that may import rooms; the others are imported by all
ALLOWED = {
    "torch": {"noise", "models", "training", "prediction", "evaluation", "head"},
    "dlib": {"face", "head/likeness"},
    "pygltflib": {"export"},
    "matplotlib": {"report"},
    "jinja2": {"report"},
    "ffmpeg": {"media"},
    "socket": {"corpus/download"},
    "urllib.request": {"corpus/download"},
    "snakemake": set(),
}
MOST = 15  # modules of a room
MODULES = {path.relative_to(PACKAGE).with_suffix("").as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(path):
    """Dotted names of what a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def targets(path):
    """Modules of the package that a module imports."""
    for name in imports(path):
        parts = name.split(".")[1:] if name.startswith("talkface.") else []
        yield from {"/".join(parts), "/".join(parts[:-1])} & set(MODULES)


def room(module):
    return module.split("/")[0] if "/" in module else ""


def test_no_room_is_too_full_and_its_head_imports_nothing():
    assert {room(module) for module in MODULES} == {"", *ROOMS}
    folders = {path.parent for path in MODULES.values()} - {PACKAGE}
    assert {folder: n for folder in folders if (n := len(list(folder.glob("*.py"))) - 1) > MOST} == {}
    assert [path for path in PACKAGE.glob("*/**/__init__.py") if list(imports(path))] == []


def test_no_import_leads_upwards():
    up = [
        (module, other)
        for module, path in MODULES.items()
        for other in targets(path)
        if (room(other) and not room(module) and module not in FRONT)
        or (room(module) and (other in FRONT or (room(other) and ROOMS.index(room(other)) > ROOMS.index(room(module)))))
    ]
    assert up == []


def test_there_is_no_circle():
    left = {module: set(targets(path)) for module, path in MODULES.items()}
    while free := [module for module, others in left.items() if not others & set(left)]:
        for module in free:
            del left[module]
    assert left == {}, "each of these imports another of them"


def test_libraries_keep_to_their_rooms():
    strays = [
        (module, library)
        for module, path in MODULES.items()
        for library, rooms in ALLOWED.items()
        if any(name == library or name.startswith(f"{library}.") for name in imports(path))
        if not {room(module), module} & rooms
    ]
    assert strays == []
