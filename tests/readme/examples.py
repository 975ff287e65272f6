"""The examples of the documents: fenced blocks, taken apart and run in a copy of the project, as one reader would.

A block ```console or ```python runs in CI, ```console long in `make test-readme` alone; ```yaml is a configuration, and
```yaml NAME is saved by the reader as the file NAME before the next command.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md", "docs/targets.md", "docs/engines.md", "docs/head.md", "docs/look.md", "docs/results.md",
    "docs/models.md", "docs/published.md", "docs/benchmarks.md", "docs/architecture.md", "docs/decisions.md",
    "config/README.md",
)  # fmt: skip
# Set in everything that an example starts: its `make test` leaves the examples out, or they would never end.
INSIDE = "TALKFACE_INSIDE_EXAMPLE"
# Longer than the longest example, `make test`.
LIMIT_S = 3600


@dataclass(frozen=True)
class Block:
    """A fenced block: where its first line stands, the words behind the fence, and its lines."""

    document: str
    line: int
    words: tuple[str, ...]
    text: str

    @property
    def language(self) -> str:
        """What the block is highlighted as: the first word behind the fence."""
        return self.words[0] if self.words else ""

    @property
    def place(self) -> str:
        """Document and line."""
        return f"{self.document}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A command of a block: one line, or several that end in a backslash."""

    document: str
    line: int
    text: str


class ExampleError(Exception):
    """A command of a document failed, or a block cannot be read."""


def find_blocks(text: str, *, document: str) -> list[Block]:
    """All fenced blocks of a document, in order."""
    blocks, opened = [], None
    for number, line in enumerate(text.splitlines(), start=1):
        fence = re.match(r" {0,3}(```+)(.*)", line)
        if opened is None:
            if fence:
                opened = (fence[1], tuple(fence[2].split()), number + 1, [])
            continue
        ticks, words, first, lines = opened
        if fence and len(fence[1]) >= len(ticks) and not fence[2].strip():
            blocks.append(Block(document, first, words, "".join(f"{row}\n" for row in lines)))
            opened = None
        else:
            lines.append(line)
    if opened is not None:
        raise ExampleError(f"{document}:{opened[2] - 1}: a block is opened and never closed")
    return blocks


def read_blocks(project: Path, *, documents: tuple[str, ...] = DOCUMENTS) -> list[Block]:
    """The blocks of the documents, one document after the other."""
    return [
        block
        for document in documents
        for block in find_blocks((project / document).read_text(encoding="utf-8"), document=document)
    ]


def to_run(blocks: list[Block], *, long: bool) -> list[Block]:
    """What a reader types or saves, in order: console blocks (long ones only when asked for) and files."""
    wanted = [("console",), ("python",), *([("console", "long")] if long else [])]
    return [block for block in blocks if block.words in wanted or (block.language == "yaml" and len(block.words) == 2)]


def split_commands(block: Block) -> list[Command]:
    """The commands of a console block, each with its line; comments and empty lines are none."""
    commands, pending = [], None
    for number, line in enumerate(block.text.splitlines(), start=block.line):
        if pending is None and (not line.strip() or line.lstrip().startswith("#")):
            continue
        first, text = pending or (number, "")
        text += line
        pending = (first, text + "\n") if line.endswith("\\") else None
        if pending is None:
            commands.append(Command(block.document, first, text))
    if pending is not None:
        raise ExampleError(f"{block.document}:{pending[0]}: a command ends in a backslash and goes no further")
    return commands


def list_files(project: Path) -> list[Path]:
    """What git holds of a project; of one that came without git, all that is neither hidden nor made by a run."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    if (project / ".git").exists():
        listed = subprocess.run(command, cwd=project, check=True, stdout=subprocess.PIPE).stdout.decode()
        return [Path(name) for name in listed.split("\0") if (project / name).is_file()]
    made = {Path("results"), Path("resources/demo"), Path("resources/corpora")}
    names = []
    for place, folders, files in os.walk(project):
        inside = Path(place).relative_to(project)
        folders[:] = [name for name in folders if name[0] not in "._" and inside / name not in made]
        names += [inside / name for name in files]
    return names


def copy_project(project: Path, target: Path) -> None:
    """Copy a project as it stands now, with an environment that `make` finds set up."""
    for name in list_files(project):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(project / name, target / name)
    environment = target / ".venv"
    environment.mkdir()
    for path in Path(sys.prefix).iterdir():
        if path.name not in ("run", "dev"):
            (environment / path.name).symlink_to(path)
    for name in ("requirements.txt", "requirements-mesh.txt", "constraints.txt", "requirements-dev.txt"):
        os.utime(target / name, (0, 0))  # older than the stamps, so that nothing is installed again
    for name in ("run", "dev"):
        (environment / name).touch()


class Reader:
    """Somebody who types commands into one shell in one folder: what a command exports the next one knows."""

    def __init__(self, folder: Path, *, environment: dict[str, str] | None = None, limit_s: float = LIMIT_S):
        self.folder, self.limit_s = folder, limit_s
        self.state = folder.parent / f"{folder.name}.state"
        own = Path(sys.prefix, "bin").resolve()
        # Without the environment of these tests, so that a forgotten `activate` is found out; make and pytest that
        # started the tests are not the reader's either.
        dropped = ("PYTEST_", "MAKE", "MFLAGS", "VIRTUAL_ENV", "PYTHONPATH", "CORES", "COV_")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
        kept["PATH"] = os.pathsep.join(p for p in kept["PATH"].split(os.pathsep) if Path(p).resolve() != own)
        own_settings = {INSIDE: "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        self.environment = kept | own_settings | (environment or {})

    def run(self, command: Command) -> str:
        """Run a command; gives what it printed.

        Raises
        ------
        ExampleError
            If it fails or does not end: document, line, command, and what it printed last.
        """
        keep = f"{{ export -p; printf 'cd %q\\n' \"$PWD\"; }} > '{self.state}'"
        known = f". '{self.state}'\n" if self.state.exists() else ""
        shell = subprocess.Popen(
            ["bash", "-e", "-o", "pipefail", "-c", f"{known}{command.text}\n{keep}\n"],
            cwd=self.folder, env=self.environment, text=True, errors="replace", start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            said = shell.communicate(timeout=self.limit_s)[0]
            fault = f"exit status {shell.returncode}" if shell.returncode else ""
        except BaseException as stopped:
            # All that the command has started ends with it.
            os.killpg(shell.pid, signal.SIGKILL)
            said, fault = shell.communicate()[0], f"not ended after {self.limit_s} s"
            if not isinstance(stopped, subprocess.TimeoutExpired):
                raise
        if fault:
            raise ExampleError(f"{command.document}:{command.line}: {fault}: {command.text}\n{said[-6000:]}")
        return said

    def follow(self, block: Block) -> None:
        """Do what a block says: save its file, or run its commands one after the other."""
        if block.language == "yaml":
            (self.folder / block.words[1]).write_text(block.text, encoding="utf-8")
            return
        if block.language == "python":
            program = f"PYTHONPATH=workflow/scripts .venv/bin/python - <<'END'\n{block.text}END"
            self.run(Command(block.document, block.line, program))
            return
        for command in split_commands(block):
            self.run(command)
