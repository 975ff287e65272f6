# The sheet, the configuration, their checks, and the names every rule file uses. No rules.
# expects: config/config.yaml, the sheet it names
# produces: CLIPS, SHARDS, SHARD_OF, SPEAKERS, SPEECH, VIDEOS, SOUNDS, MODELS, EXTERNAL, SOURCES, SELECTED, SEEDED, TRAINED,
# ANIMATED, IMPORTED, COMPARED, LOOKED, EVALUATED, CORPUS, code_of(), stretch(), only(), but()
# reads from config: corpus, clips, split_by, seed, media.clips_per_shard, models, external, training.models and seeds,
# animate.model, evaluate.splits, look.models
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

HOME = Path(workflow.basedir)
sys.path.insert(0, str(HOME / "workflow" / "scripts"))

from talkface.corpus.public import no_clips_yet, sheet_of
from talkface.errors import TalkfaceError
from talkface.provenance import code_of
from talkface.config import Catalogue, add_seeds, check_config, resolve_models
from talkface.corpus.sheet import find_speech, find_splits, make_shards, read_sheet

SPEECH_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".m4a")


def find_beside(name):
    """A file that the workflow brings along: in the working folder, else beside the workflow."""
    return Path(name) if Path(name).exists() else HOME / name


try:
    check_config(config, HOME / "workflow" / "schemas" / "config.schema.yaml")
    NAMED_SHEET = sheet_of(config["corpus"], config["clips"])
    SHEET = find_beside(NAMED_SHEET)
    if NAMED_SHEET != config["clips"] and not SHEET.exists():
        CLIPS = no_clips_yet(NAMED_SHEET)  # fetch_corpus writes it; any other target fails at planning
    else:
        CLIPS = read_sheet(
            SHEET,
            split_by=config["split_by"],
            shipped=SHEET.resolve() == (HOME / "config" / "clips.tsv").resolve(),
        )
    SPEECH = Catalogue(
        "speech file",
        find_speech("resources/speech", suffixes=SPEECH_SUFFIXES, clips=CLIPS.index),
    )
    MODELS = Catalogue("model", resolve_models(config["models"]))
    for block in MODELS.values():
        if str(block.get("weights")).startswith("resources/"):
            block["weights"] = str(find_beside(block["weights"]))
    SELECTED = [name for name in config["training"]["models"] if MODELS[name]]
    SEEDED = add_seeds(MODELS, SELECTED, config["training"]["seeds"], seed=config["seed"])
    EXTERNAL = {f"external-{name}": folder for name, folder in config["external"].items()}
    # What can be compared and animated: entries of the catalogue and predictions made elsewhere.
    SOURCES = Catalogue("model", MODELS | EXTERNAL)
    ANIMATED = config["animate"]["model"] if SOURCES[config["animate"]["model"]] else None
    EVALUATED = find_splits(CLIPS, config["evaluate"]["splits"])
    # Whose predictions stand beside the truth in what is made to be looked at.
    LOOKED = [name for name in config["look"]["models"] or [*SELECTED, *EXTERNAL] if SOURCES[name]]
except TalkfaceError as error:
    raise WorkflowError(str(error)) from None

IMPORTED = [name for name, block in MODELS.items() if block.get("weights")]
COMPARED = [*SELECTED, *EXTERNAL]
TRAINED = [entry for entries in SEEDED.values() for entry in entries]
CORPUS = config["corpus"]
SHARDS = Catalogue("shard", make_shards(CLIPS, clips_per_shard=config["media"]["clips_per_shard"]))
SHARD_OF = Catalogue("clip of the sheet", {clip: shard for shard, clips in SHARDS.items() for clip in clips})
SPEAKERS = Catalogue(
    "speaker",
    {name: list(rows.index) for name, rows in CLIPS.groupby("speaker", sort=False)},
)
VIDEOS = Catalogue("clip of the sheet", dict(CLIPS["video"]))
# What can be heard: the clips of the sheet and the files dropped into resources/speech/.
SOUNDS = Catalogue("clip of the sheet or file in resources/speech/", dict(CLIPS["audio"]) | SPEECH)


def stretch(clip, edge):
    """start_s or end_s of a clip; None where the sheet has none, and for a speech file."""
    value = CLIPS.at[clip, edge] if clip in CLIPS.index else float("nan")
    return None if value != value else float(value)


def only(names):
    """Pattern of a wildcard that is one of these names and nothing else."""
    return "|".join(sorted(names)) or "(?!)"


def but(names):
    """Pattern of a wildcard that is any name but these."""
    return (rf"(?!(?:{only(names)})[./])" if names else "") + r"[A-Za-z0-9][A-Za-z0-9_-]*"


wildcard_constraints:
    clip=r"[A-Za-z0-9][A-Za-z0-9_-]*",
    shard=r"[A-Za-z0-9][A-Za-z0-9_-]*",
    speaker=r"[A-Za-z0-9][A-Za-z0-9_-]*",
    model=r"[A-Za-z0-9][A-Za-z0-9_-]*",
    corpus=r"[A-Za-z0-9][A-Za-z0-9_-]*",
    frame=r"\d+",
