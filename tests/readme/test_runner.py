"""How examples are found, taken apart and run: on documents made for it."""

import subprocess
import time

import pytest

from tests.readme.examples import (
    DOCUMENTS,
    INSIDE,
    PROJECT,
    Block,
    ExampleError,
    Reader,
    copy_project,
    find_blocks,
    read_blocks,
    split_commands,
    to_run,
)

GUIDE = """# A title

```console
echo one    # a comment
```

Text with ```ticks``` in it.

```console long
echo two
```

````text
```console
echo never: this one is quoted
```
````

```yaml
corpus: mine
```

   ```yaml mine.yaml
corpus: other
```

```console
# only said
cat mine.yaml

echo three \\
  four
```
"""


@pytest.fixture
def reader(tmp_path):
    folder = tmp_path / "a folder"
    folder.mkdir()
    return Reader(folder)


def block_of(text, *, line=7, words=("console",)):
    return Block("guide.md", line, words, text)


def test_blocks_are_found_with_their_lines_and_words():
    found = [(block.line, block.words) for block in find_blocks(GUIDE, document="guide.md")]
    assert found == [
        (4, ("console",)),
        (10, ("console", "long")),
        (14, ("text",)),
        (20, ("yaml",)),
        (24, ("yaml", "mine.yaml")),
        (28, ("console",)),
    ]
    assert find_blocks(GUIDE, document="guide.md")[2].text.count("```") == 2
    with pytest.raises(ExampleError, match=r"guide\.md:2: a block is opened and never closed"):
        find_blocks("text\n```console\necho", document="guide.md")


def test_what_runs_in_ci_and_what_runs_when_all_is_asked_for():
    blocks = find_blocks(GUIDE, document="guide.md")
    assert [block.line for block in to_run(blocks, long=False)] == [4, 24, 28]
    assert [block.line for block in to_run(blocks, long=True)] == [4, 10, 24, 28]


def test_commands_are_split_and_keep_their_lines():
    last = find_blocks(GUIDE, document="guide.md")[-1]
    assert [(command.line, command.text) for command in split_commands(last)] == [
        (29, "cat mine.yaml"),
        (31, "echo three \\\n  four"),
    ]
    with pytest.raises(ExampleError, match=r"guide\.md:8: a command ends in a backslash"):
        split_commands(block_of("echo a\necho b \\\n"))


def test_commands_run_in_order_in_one_folder_and_one_shell(reader):
    blocks = to_run(find_blocks(GUIDE, document="guide.md"), long=True)
    assert [block.text for block in blocks if block.language == "yaml"] == ["corpus: other\n"]
    said = []
    for block in blocks:
        if block.language == "yaml":
            reader.follow(block)
        else:
            said += [reader.run(command) for command in split_commands(block)]
    assert said == ["one\n", "two\n", "corpus: other\n", "three four\n"]
    reader.follow(block_of("export GREETING='good day'\nmkdir inner\ncd inner\n"))
    (command,) = split_commands(block_of('echo "$GREETING" > said.txt\n'))
    reader.run(command)
    assert (reader.folder / "inner" / "said.txt").read_text() == "good day\n"


def test_a_failure_names_document_line_and_what_was_printed(reader):
    with pytest.raises(ExampleError) as caught:
        reader.follow(block_of("echo fine > first\n# said\nls no_such_file\necho late > second\n"))
    text = str(caught.value)
    assert text.startswith("guide.md:9: exit status 2: ls no_such_file\n")
    assert "No such file or directory" in text
    assert (reader.folder / "first").exists()
    assert not (reader.folder / "second").exists()
    for line in ("false | true", "false; true", 'echo "never closed'):
        with pytest.raises(ExampleError, match=r"guide\.md:7: exit status"):
            reader.follow(block_of(line + "\n"))


def test_a_command_that_waits_for_an_answer_gets_none(reader):
    with pytest.raises(ExampleError, match="exit status 1"):
        reader.follow(block_of("read answer\n"))


def test_a_command_that_does_not_end_is_ended_with_all_it_started(tmp_path):
    reader, begin = Reader(tmp_path, limit_s=0.5), time.monotonic()
    with pytest.raises(ExampleError, match=r"guide\.md:7: not ended after 0.5 s: (.|\n)*begun"):
        reader.follow(block_of("echo begun; sleep 100 & wait\n"))
    assert time.monotonic() - begin < 60  # all that held the output open has ended


def test_nothing_of_these_tests_reaches_an_example(reader, monkeypatch):
    monkeypatch.setenv("MAKEFLAGS", "n")
    fresh = Reader(reader.folder)
    (command,) = split_commands(block_of("env\n"))
    names = dict(line.split("=", 1) for line in fresh.run(command).splitlines() if "=" in line)
    assert not [name for name in names if name.startswith(("PYTEST_", "MAKE", "VIRTUAL_ENV"))]
    assert names[INSIDE] == "1"
    (command,) = split_commands(block_of("command -v snakemake || echo none\n"))
    assert fresh.run(command) == "none\n" or not fresh.run(command).startswith(str(PROJECT))


@pytest.fixture
def origin(tmp_path):
    """A small project with what make asks for, a result and a file that git does not hold."""
    folder = tmp_path / "origin"
    for name in ("results", "envs"):
        (folder / name).mkdir(parents=True)
    (folder / "envs" / "talkface_home.py").touch()
    for name in (*sorted(PINS - {"envs"}), "note.md", "left", "results/a.tsv"):
        (folder / name).write_text(name)
    return folder


def names_in(folder):
    return {path.name for path in folder.iterdir()} - {".venv"}


PINS = {"requirements.txt", "requirements-mesh.txt", "constraints.txt", "requirements-dev.txt", "envs"}


def test_a_copy_of_a_project_without_git_leaves_results_out(origin, tmp_path):
    copy_project(origin, tmp_path / "copy")
    assert names_in(tmp_path / "copy") == PINS | {"note.md", "left"}


def test_a_copy_is_what_git_holds_and_make_finds_it_set_up(origin, tmp_path):
    for command in (["init", "--quiet"], ["add", "*requirements*.txt", "constraints.txt", "envs", "*.md"]):
        subprocess.run(["git", *command], cwd=origin, check=True)
    (origin / "note.md").write_text("changed since")
    copy = tmp_path / "copy"
    copy_project(origin, copy)
    assert names_in(copy) == PINS | {"note.md"}
    assert (copy / "note.md").read_text() == "changed since"
    (copy / "Makefile").write_bytes((PROJECT / "Makefile").read_bytes())
    for stamp in (".venv/run", ".venv/dev"):
        done = subprocess.run(["make", "--question", stamp], cwd=copy, check=False)
        assert done.returncode == 0, f"{stamp} would be made again"
    version = [".venv/bin/python", "-c", "import sys, snakemake; print(sys.prefix)"]
    assert (
        subprocess.run(version, cwd=copy, check=True, capture_output=True, text=True).stdout.strip().endswith(".venv")
    )


def test_the_documents_use_known_fences_alone():
    """A misspelt one would be left out in silence."""
    for block in read_blocks(PROJECT):
        known = (
            block.words in (("console",), ("console", "long"), ("python",), ("mermaid",))
            or (block.language == "yaml" and len(block.words) <= 2)
        )  # fmt: skip
        assert known, f"{block.place}: ```{' '.join(block.words)}"


def test_the_documents_have_examples():
    found = {block.document for block in to_run(read_blocks(PROJECT), long=False)}
    assert found == {"README.md", "docs/targets.md", "docs/engines.md", "docs/look.md", "config/README.md"}
    assert found <= set(DOCUMENTS)
