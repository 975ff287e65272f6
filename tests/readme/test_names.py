"""What the documents name exists: targets plan, settings are accepted; commands, options, files, models are there."""

import copy
import importlib
import inspect
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from talkface import cli
from talkface.config import add_published, check_config, resolve_models
from talkface.corpus.sheet import OPTIONAL, REQUIRED
from tests.readme.examples import DOCUMENTS, PROJECT, read_blocks
from tests.workflow.conftest import run_snakemake

MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
# What a name in angle brackets or braces stands for where a target is planned: a clip of the demo corpus, a model that
# needs no training.
FILLED = {
    "clip": "iris_1", "shard": "iris_1", "speaker": "iris", "model": "talkface_demo", "frame": "40", "corpus": "demo",
    "name": "name", "person": "ada", "speech": "hello",
}  # fmt: skip
TRAINED = "talkface"  # one that the workflow trains: it has a curve, and films of its worst clips
WHOLE = ("results/evaluation/worst",)  # folders that a rule makes as one: what lies in them is no target
# What stands for files of the user's own, in the folder that targets are planned in.
OWN = {
    "models": {"mine": {"like": "lstm_d40_c3"}},
    "external": {"name": "theirs"},
    "voices": {"folder": "resources/speech"},
    "face_model": "ict",
}
SPEECH = ("hello.wav", "a.flac", "x.mp3")
# Made by a reader who follows the text, or named as an example of a name.
FILE = r"\.(yaml|tsv|txt|md|pt|h5|html|svg|png)$"
NOT_OURS = {"config/my_clips.tsv", "resources/speech/a.flac"}


@dataclass(frozen=True)
class Span:
    """A piece of text set as code: where it stands, and the cells of its table's row, if any."""

    document: str
    line: int
    column: int | None
    row: str
    text: str

    @property
    def place(self):
        return f"{self.document}:{self.line}"


def read_spans(document):
    """All code spans outside of fenced blocks; what the originals' commands were is left out."""
    spans, fenced, theirs = [], False, False
    for number, line in enumerate((PROJECT / document).read_text(encoding="utf-8").splitlines(), start=1):
        if re.match(r" {0,3}```", line):
            fenced = not fenced
        if fenced:
            continue
        theirs = (theirs or line.startswith("| published |")) and line.startswith("|")
        cells = line.strip("|").split("|") if line.startswith("|") else [line]
        for column, cell in enumerate(cells):
            if theirs and column == 0:
                continue
            for text in re.findall(r"(?<!`)`([^`]+)`(?!`)", cell):
                spans.append(Span(document, number, column if len(cells) > 1 else None, line, text))
    return spans


SPANS = [span for document in DOCUMENTS for span in read_spans(document)]
CONFIG = yaml.safe_load((PROJECT / "config" / "config.yaml").read_text(encoding="utf-8"))


def table(heading, *, document):
    """Rows of all tables whose head begins so, as lists of cells."""
    rows, within = [], False
    for line in (PROJECT / document).read_text(encoding="utf-8").splitlines():
        if within and line.startswith("|") and not line.startswith("|--"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        within = line.startswith(heading) or (within and line.startswith("|"))
    assert rows, f"{document}: no table {heading}"
    return rows


def codes(cell):
    return re.findall(r"`([^`]+)`", cell)


def fill(text):
    """The path of a target, its placeholders filled; a folder without its slash."""
    text = re.sub(r"[<{](\w+)[>}]", lambda match: FILLED[match[1]], text)
    text = text.replace("*", FILLED["clip"]).rstrip("/")
    return next((folder for folder in WHOLE if text.startswith(f"{folder}/")), text)


def beside(names):
    """Names of one cell: one without a folder lies in the folder of the one before."""
    folder, full = None, []
    for name in names:
        full.append(name if "/" in name or folder is None else f"{folder}/{name}")
        folder = full[-1].rpartition("/")[0] or None
    return full


def targets_of_the_text():
    """Each target that a document names: paths below results/, and names of rules that collect."""
    for span in SPANS:
        if (span.text.startswith("results/") and span.text != "results/") or re.fullmatch(r"\w+_all", span.text):
            yield span.place, span.text
        if span.text.startswith("snakemake "):
            for word in shlex.split(span.text)[1:]:
                if word.startswith("results/") or word.endswith("_all"):
                    yield span.place, word
    for cells in table("| target |", document="docs/targets.md"):
        for name in beside(codes(cells[0])):
            if not name.startswith("make ") and name != "fetch_corpus":  # that one an example runs
                yield "docs/targets.md", name
    for cells in table("| path under `results/` |", document="docs/targets.md"):
        for name in beside(codes(cells[0])):
            if name.endswith("/"):
                # A folder: what the next cell names in it. Logs, states and the like are no targets.
                for inner in codes(cells[1]):
                    if re.search(FILE, inner):
                        yield "docs/targets.md, paths", f"results/{name}{inner}".replace("{model}", TRAINED)
            else:
                yield "docs/targets.md, paths", f"results/{name}".replace("{model}", TRAINED)


def test_every_target_plans(tmp_path):
    """One dry run for all of them; what it does not know it names."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "resources" / "speech").mkdir(parents=True)
    for row in (PROJECT / "config" / "clips.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        (tmp_path / "theirs" / f"{row.partition(chr(9))[0]}.npy").touch()
    for name in SPEECH:
        (tmp_path / "resources" / "speech" / name).touch()
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(OWN), encoding="utf-8")
    wanted = {}
    for place, name in targets_of_the_text():
        if f"--report {name}" not in MAKEFILE:  # Snakemake's own report, which is no target
            wanted.setdefault(fill(name), place)
    assert len(wanted) > 30
    arguments = ("--dry-run", "--quiet", "rules", "--configfile", "own.yaml", "--")
    done = run_snakemake(PROJECT, *arguments, *wanted, cwd=tmp_path, check=False)
    if done.returncode:
        told = done.stdout.rpartition("Building DAG of jobs")[2]
        pytest.fail(f"{ {place: target for target, place in wanted.items() if target in told} }\n{told[-3000:]}")


def test_every_make_target_exists():
    known = set(re.findall(r"^([a-z][a-z0-9-]*):", MAKEFILE, flags=re.M))
    variables = set(re.findall(r"^([A-Z_]+) \?=", MAKEFILE, flags=re.M)) | set(re.findall(r"\$\(([A-Z]+)\)", MAKEFILE))
    named = [span for span in SPANS if span.text.startswith("make ")]
    assert len(named) > 5
    for span in named:
        words = span.text.split()[1:]
        for word in words:
            if "=" in word:
                assert word.partition("=")[0] in variables, f"{span.place}: {span.text}"
            else:
                assert word in known, f"{span.place}: {span.text}"


def test_every_option_exists(tmp_path):
    known = set(re.findall(r"--[a-z][a-z-]+", run_snakemake(PROJECT, "--help", cwd=tmp_path).stdout))
    for command in cli._parser()._subparsers._group_actions[0].choices.values():
        known |= set(command._option_string_actions)
    ours = [span for span in SPANS if not span.text.startswith("pip ")]
    options = [(span.place, option) for span in ours for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", span.text)]
    for block in read_blocks(PROJECT):
        if block.language == "console":
            options += [(block.place, option) for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", block.text)]
    assert len(options) > 5
    for place, option in options:
        assert option in known, f"{place}: neither snakemake nor talkface has an option {option}"


def with_settings(place, settings):
    """The shipped configuration with these settings, checked as the workflow does it."""
    config = copy.deepcopy(CONFIG)

    def merge(into, given):
        for key, value in given.items():
            if isinstance(value, dict) and isinstance(into.get(key), dict):
                merge(into[key], value)
            else:
                into[key] = value

    merge(config, settings)
    try:
        check_config(config, PROJECT / "workflow" / "schemas" / "config.schema.yaml")
        resolve_models(add_published(config["models"]))
    except Exception as error:
        pytest.fail(f"{place}: {settings}: {error}")


def nested(name, value):
    """{"a": {"b": value}} of "a.b"."""
    first, _, rest = name.partition(".")
    return {first: nested(rest, value) if rest else value}


def test_every_configuration_is_accepted():
    blocks = [block for block in read_blocks(PROJECT) if block.language == "yaml"]
    assert len(blocks) >= 2
    for block in blocks:
        with_settings(block.place, yaml.safe_load(block.text))


def test_every_setting_named_with_a_value_is_accepted():
    """Of the whole (`landmarks.predictor: file`) or of a model's block (`init: start.pt`)."""
    named = [span for span in SPANS if re.match(r"[a-z_][a-z_.]*: \S", span.text)]
    assert len(named) > 8
    for span in named:
        text = re.sub(r"\{\.\.\.\}", "{mean: mean.npy, components: components.npy}", span.text)
        given = yaml.safe_load(f"{{{text}}}")
        if set(given) == {"mine"}:
            with_settings(span.place, {"models": given})
        elif all(key.partition(".")[0] in CONFIG for key in given):
            for key, value in given.items():
                with_settings(span.place, nested(key, value))
        else:
            with_settings(span.place, {"models": {"mine": {"like": "cnn"} | given}})


def test_every_setting_named_by_its_path_exists():
    named = []
    for span in SPANS:
        match = re.fullmatch(r"([a-z_0-9]+)\.([a-z_0-9]+(?:\.[a-z_0-9]+)*)", span.text)
        if match and match[1] in CONFIG and not re.search(FILE, span.text):
            named.append(span)
            place = CONFIG
            for part in span.text.split("."):
                assert isinstance(place, dict), f"{span.place}: {span.text}"
                assert part in place, f"{span.place}: config.yaml has no {span.text}"
                place = place[part]
    assert len(named) >= 5


def test_the_columns_of_a_sheet_are_those_that_are_read():
    named = [name for cells in table("| column |", document="config/README.md") for name in codes(cells[0])]
    assert named == [*REQUIRED, *OPTIONAL]


def test_every_file_exists():
    """Paths below a folder of the project, and bare names of files; what rules make is asked for as a target."""
    folders = {path.name for path in PROJECT.iterdir() if path.is_dir()} - {"results"}
    made = {name for block in read_blocks(PROJECT) for name in block.words[1:]}
    made |= {Path(name).name for _, name in targets_of_the_text()}
    count = 0
    for span in SPANS:
        first = span.text.partition("/")[0]
        if re.search(r"[\s*]", span.text) or span.text in NOT_OURS:
            continue
        if "/" in span.text and first in folders | {"talkface"}:
            path = re.sub(r"/[^/]*[<{].*", "", span.text)
            path = path.replace("talkface/", "workflow/scripts/talkface/", 1) if first == "talkface" else path
            assert (PROJECT / path).exists() or path in {"resources/corpora"}, f"{span.place}: {span.text}"
            count += 1
        elif re.fullmatch(rf"[a-z_]+{FILE}", span.text) and span.text not in made:
            places = [PROJECT / document for document in DOCUMENTS] + [PROJECT / "docs" / "tables" / "x"]
            assert any((place.parent / span.text).exists() for place in places), f"{span.place}: {span.text}"
            count += 1
    assert count > 10


def test_every_model_of_the_tables_exists():
    compared = yaml.safe_load((PROJECT / "config" / "compare.yaml").read_text(encoding="utf-8"))
    known = set(resolve_models(add_published(CONFIG["models"])))
    entries = [name for cells in table("| entry |", document="docs/models.md") for name in codes(cells[0])]
    assert {name for name in known if not name.endswith("_published")} <= set(entries)
    for name in entries:
        assert name in known or "<" in name, f"docs/models.md: no model {name}"
    judged = {name for span in SPANS if span.row.startswith("| `") and span.column == 0 for name in [span.text]}
    judged = {name for name in judged if re.match(r"(talkface|lstm|cnn|fft_cnn)(_\w+)?$", name)}
    assert judged <= known | set(compared["models"]), judged - known
    for name in known:
        if not name.endswith("_published") and not name.startswith("talkface"):
            assert f"{name}_published" in known


def test_the_switches_are_those_of_the_networks():
    """Name, repaired and published value of each row of the table."""
    entries = resolve_models(add_published(CONFIG["models"]))
    network, checked = None, {}
    for cells in table("| switch |", document="docs/models.md"):
        label = re.match(r"(LSTM|CNN|FFT): ", cells[0])
        network = {"LSTM": "lstm", "CNN": "cnn", "FFT": "fft_cnn"}[label[1]] if label else network
        (switch,) = codes(cells[0])
        repaired, published = (yaml.safe_load(re.match(r"`?([\w.]+)", cell)[1]) for cell in cells[1:3])
        network_class = importlib.import_module(f"talkface.models.networks.{network}").Network
        ours = inspect.signature(network_class).parameters
        was = network_class.PUBLISHED | network_class.PUBLISHED["arguments"]
        assert was[switch] == published, f"{network}: {switch} was {was[switch]}, not {published}"
        blocks = [block for block in entries.values() if block["network"] == network]
        block_keys = {"split": "sheet", "keep": "best", "last_batch": "drop", "empty_clip": False}
        repairs = [block_keys | block["arguments"] for block in blocks]
        usual = [ours[switch].default] if switch in ours else []
        assert repaired in [values.get(switch) for values in repairs] + usual, f"{network}: {switch}: {repaired}"
        checked.setdefault(network, set()).add(switch)
    for network, switches in checked.items():
        published = importlib.import_module(f"talkface.models.networks.{network}").Network.PUBLISHED
        assert switches >= set(published["arguments"]), f"{network}: {set(published['arguments']) - switches}"


def test_the_tables_of_figures_are_those_of_docs_tables():
    """`make tables` changes nothing; each file says by what and at which commit it was made."""
    maker = importlib.import_module("docs.make_tables")
    for name in maker.DOCUMENTS:
        text = (PROJECT / name).read_text(encoding="utf-8")
        assert maker.render(text) == text, f"{name}: make tables"
        assert "<!-- table" in text
    for path in sorted((PROJECT / "docs" / "tables").glob("*.tsv")):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert re.fullmatch(
            r"# talkface \d+\.\d+\.\d+, commit [0-9a-f]{7,}, \d{4}-\d\d-\d\d, make [a-z0-9-]+(, as .+)?",
            first,
        ), path


def test_every_link_between_documents_leads_somewhere():
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)\)", (PROJECT / document).read_text(encoding="utf-8")):
            assert (PROJECT / document).parent.joinpath(target).exists(), f"{document}: {target}"


def test_the_front_door_is_one_page():
    assert len((PROJECT / "README.md").read_text(encoding="utf-8").splitlines()) <= 135
