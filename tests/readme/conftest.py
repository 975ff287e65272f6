"""The examples of the documents: which of them run, and the folder that they run in.

`pytest tests/readme --long` (make test-readme) runs all blocks, else those that are not `console long`.
"""

import os
import re
import stat
import sys

import pytest
import soundfile

from talkface.corpus.demo import make_clip
from talkface.media.espeak import speak
from tests.local_web import local_web, zipped
from tests.readme.examples import INSIDE, PROJECT, Reader, copy_project, read_blocks, to_run

if os.environ.get(INSIDE):
    collect_ignore_glob = ["test_*.py"]  # `make test` as an example of README.md

# Who speaks in the folder `videos` that README.md talks of, and in the corpus that the local server has. Drawn.
PEOPLE = {
    "anna": ("en-us+f3", "Bin blue at F two now."),
    "bert": ("en-us+m3", "Lay white by S five again."),
    "cleo": ("en-us+f4", "Set red with A nine soon."),
}
SPEAKERS = (5, 3, 1)  # of GRID: train, valid, test
RECORD = 3625687
STEPS = 12  # of each training: what it would learn is not asked here

# What the text says beside `$EDITOR config/my_clips.tsv`: each clip gets its split.
EDITOR = f"""#!{sys.executable}
import sys
rows = [line.split("\\t") for line in open(sys.argv[1], encoding="utf-8").read().splitlines()]
split, speaker = rows[0].index("split"), rows[0].index("speaker")
for row in rows[1:]:
    row[split] = {{"bert": "valid", "cleo": "test"}}.get(row[speaker], "train")
open(sys.argv[1], "w", encoding="utf-8").write("".join("\\t".join(row) + "\\n" for row in rows))
"""


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="run the examples tagged `console long`, too")


def pytest_generate_tests(metafunc):
    """A test a block, named by document and line."""
    if "block" in metafunc.fixturenames:
        chosen = to_run(read_blocks(PROJECT), long=metafunc.config.getoption("--long", default=False))
        metafunc.parametrize("block", chosen, ids=lambda block: block.place)


def change(path, pattern, replacement):
    """Change settings of the copy; a pattern that is not there is an error."""
    text, count = re.subn(pattern, replacement, path.read_text(encoding="utf-8"))
    assert count, f"{path.name}: nothing like {pattern}"
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """A short film of each person, in a folder of its own."""
    folder = tmp_path_factory.mktemp("people")
    for name, (voice, text) in PEOPLE.items():
        (folder / "videos" / name).mkdir(parents=True)
        make_clip(folder / "videos" / name / f"{name}_1.mp4", folder / f"{name}.npz", voice=voice, text=text)
    return folder / "videos"


@pytest.fixture(scope="module")
def web(videos):
    """A record of GRID with an archive of each speaker that the copy asks for."""
    films = [path.read_bytes() for path in sorted(videos.rglob("*.mp4"))]
    with local_web() as served:
        archives = {
            f"s{number}.zip": zipped({f"s{number}/bbaf2n.mpg": film})
            for number, film in zip(SPEAKERS, films, strict=True)
        }
        served.add_record(RECORD, archives)
        yield served


@pytest.fixture(scope="module")
def reader(tmp_path_factory, videos, web):
    """A reader in a copy of the project, with the files that the text speaks of.

    The copy differs in three settings, so that an afternoon becomes minutes: GRID comes from a server on this machine
    and has three speakers, and every training ends after a few steps.
    """
    folder = tmp_path_factory.mktemp("reader") / "talkface"
    copy_project(PROJECT, folder)
    settings = folder / "config" / "config.yaml"
    change(settings, r"https://zenodo.org/api/records/3625687", f"{web.url}/api/records/{RECORD}")
    change(settings, r"(?<=\n    speakers: )null", str(sorted(SPEAKERS)))
    for path in (folder / "config").glob("*.yaml"):
        if "max_steps" in path.read_text(encoding="utf-8"):
            change(path, r"(?<=max_steps: )\d+", str(STEPS))
            change(path, r"(?<=min_steps: )\d+", "0") if "min_steps" in path.read_text(encoding="utf-8") else None
    (folder / "videos").symlink_to(videos)
    greeting = speak("Hello, nice to see you.", voice="en-us+f2")
    soundfile.write(folder / "hello.wav", greeting.audio, greeting.rate)
    editor = folder.parent / "editor"
    editor.write_text(EDITOR, encoding="utf-8")
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    data = os.environ.get("TALKFACE_DATA", PROJECT.parent / "shared" / "data")
    pins = folder.parent / "pins.txt"
    pins.write_text("torch==2.13.0\n", encoding="utf-8")  # as the workflow has it
    return Reader(folder, environment={"EDITOR": str(editor), "TALKFACE_DATA": str(data), "PIP_CONSTRAINT": str(pins)})
