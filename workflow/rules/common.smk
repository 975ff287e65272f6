# The selection of clips and models, and the functions every rule file uses. No rules.
# expects: config/config.yaml, the sheet it names, files in resources/speech/
# produces: selection (talkface/selection.py), code_of(), only(), but(), named(), of_clip(), of_speech(), by_clip(), of_speaker(),
# identity_of(), head_model(), of_person(), videos_of(), stretches_of(), stretch_of(), refinement_of(), weights_of(),
# weights_named(), of_model(), of_shown(), evaluated_audio(), evaluated_phones(), recorded_voices(), colours(), judged_at()
# reads from config: voices, what talkface/selection.py reads
import functools
import importlib.machinery
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

scripts = Path(workflow.basedir) / "workflow" / "scripts"
# Snakemake appends the scripts' folder to the path of a job: a package of this name that is installed would win there.
installed = importlib.machinery.PathFinder.find_spec("talkface", [path for path in sys.path if path != str(scripts)])
if installed and installed.origin and not Path(installed.origin).resolve().is_relative_to(scripts.resolve()):
    raise WorkflowError(
        f"{installed.origin}: another talkface is installed, and jobs would run its code instead of {scripts}; "
        "take it out of this environment (pip uninstall talkface), or run Snakemake from another one"
    )
for path, odd, what in (
    (workflow.basedir, r"[{}]", "the workflow's folder"),
    (sys.executable, r"[^\w./+,@%=~^-]", "the Python that runs Snakemake"),
):
    if re.search(odd, str(path)):
        raise WorkflowError(
            f"{path}: jobs cannot start from {what} when its path holds {re.search(odd, str(path))[0]!r}; move or rename "
            "that folder: letters, digits and _ - . + , do"
        )
if sum(word.split("=")[0] in ("--configfile", "--configfiles") for word in sys.argv) > 1:
    raise WorkflowError(
        "--configfile is given more than once, and Snakemake reads the last one alone; name all files behind one, a "
        "later one wins: --configfile config/published.yaml mine.yaml"
    )
sys.path.insert(0, str(scripts))

from talkface.config import Catalogue
from talkface.drawing.style import colour_of
from talkface.errors import TalkfaceError
from talkface.machine import settle_machine
from talkface.noise.training_formulas import find_recordings
from talkface.provenance import code_of
from talkface.selection import Selection, asks_to_train, nameable
from talkface.training.model_folder import take_over

# A job of a cluster sees its own target alone; what is trained was decided where all jobs were planned.
trains = workflow.is_main_process and asks_to_train(sys.argv[1:])
if workflow.is_main_process:
    for before, after in take_over().items():
        logger.info(f"{before}: moved to {after}, where models of that corpus lie")
try:
    settled = settle_machine(".snakemake/tmp")
    if settled:
        logger.info(settled)
    selection = Selection(config, home=Path(workflow.basedir), trains=trains)
except TalkfaceError as error:
    raise WorkflowError(str(error)) from None
for name, path in selection.renamed.items():
    logger.info(f"{path}: goes by the name {name}: results/anim/{name}.mp4")


if workflow.is_main_process and selection.absent:
    logger.info(
        f"{selection.sheet}: videos of {len(selection.absent)} of {len(selection.clips)} clips are gone, the first "
        f"{selection.videos[selection.absent[0]]}; needed for what is not made yet, and not for dropped-in speech"
    )


def only(names):
    """Pattern of a wildcard that is one of these names and nothing else."""
    return "|".join(sorted(names)) or "(?!)"


def but(names):
    """Pattern of a wildcard that is any name but these."""
    return (rf"(?!(?:{only(names)})[./])" if names else "") + r"[A-Za-z0-9][A-Za-z0-9_-]*"


def named(paths):
    """Input: these files by paths that Snakemake takes as they are."""
    return [nameable(path) for path in paths]


def of_clip(name):
    """Input: where what was measured of a clip lies; a clip that the sheet lacks is refused."""
    return {
        "video": lambda w: selection.videos[w.clip],
        "landmarks": lambda w: f"results/landmarks/{selection.shard_of[w.clip]}.h5",
        "sound": lambda w: f"results/audio/{selection.shard_of[w.clip]}.h5",
        "shapes": lambda w: f"results/shapes/{selection.speaker_of[w.clip]}.h5",
    }[name]


def of_speech(name):
    """Input: the same where speech files are welcome, of which nothing was measured."""
    return lambda w: of_clip(name)(w) if w.clip in selection.clips.index else []


def by_clip(folder):
    """Params: where what a stage knows of each clip of a speaker lies."""
    return lambda w: {clip: f"results/{folder}/{selection.shard_of[clip]}.h5" for clip in selection.speakers[w.speaker]}


def of_speaker(folder):
    """Input: the files that these are, each once."""
    return lambda w: sorted(set(by_clip(folder)(w).values()))


def identity_of(w):
    """Input: the face in space of whoever speaks in a clip; of dropped-in speech nobody saw it."""
    known = w.clip in selection.clips.index
    return f"results/face3d/identity/{selection.speaker_of[w.clip]}.h5" if known else []


def head_model(w):
    """Input: the file of the face model that config names."""
    return selection.face_model


def of_person(name):
    """Input and params: a column of the rows of a person."""
    return lambda w: getattr(selection.persons[w.person], name)


def videos_of(w):
    """Input: the videos of a person, which must be there."""
    return selection.videos_of(w.person)


def stretches_of(w):
    """Params: videos of a person by name, with where they begin and end."""
    return dict(zip(selection.persons[w.person].names, zip(*selection.persons[w.person][1:])))


def stretch_of(w):
    """Params: one of them, which goes by the name of the film."""
    return Catalogue(f"video of {w.person}", stretches_of(w))[w.clip]


def refinement_of(w):
    """Input: the network that refines a person's mouths, where config asks for one; a mesh is drawn as it is."""
    wanted = config["head"]["refine"] != "none" and config["head"]["picture"] == "real"
    return f"results/persons/{w.person}/refine.pt" if wanted else []


def weights_of(w):
    """Input: the weights of a model; the run says once which are taken."""
    return weights_named(w.model)


@functools.cache
def weights_named(model):
    """The same of one model by its name."""
    said = selection.known[model] and workflow.is_main_process and selection.describe_taken(model)
    if said:
        logger.info(said)
    return f"{selection.folder_of(model)}/weights.pt"


def of_model(w):
    """Input: what a model predicts for a clip."""
    return selection.known[w.model] and f"results/predictions/{w.model}/{w.clip}.npy"


def of_shown(w):
    """Input: what all models to show predict for a clip."""
    return [f"results/predictions/{model}/{w.clip}.npy" for model in selection.shown_of(w.clip)]


def evaluated_audio():
    """Input: the sound of the clips of the evaluated splits."""
    return expand("results/audio/{shard}.h5", shard=selection.evaluated_shards)


def evaluated_phones():
    """Input: when which sound is spoken in these clips."""
    return expand("results/phones/{shard}.tsv", shard=selection.evaluated_shards)


def recorded_voices():
    """Input: sound files of voices whose faces nobody saw."""
    if not config["voices"]["folder"]:
        raise WorkflowError("voices.folder is null, and results/voices.h5 is asked for; name a folder of sound files")
    return find_recordings(config["voices"]["folder"], key="voices.folder")


def colours(*further):
    """The colour of each model to show, and of further ones, which take the next."""
    return colour_of([*selection.shown, *further])


def judged_at():
    """When the table of quality control was written; a run that writes it sums it up in its last line."""
    path = Path("results/qc/clips.tsv")
    return path.stat().st_mtime_ns if path.is_file() else 0


judged_before = judged_at()


wildcard_constraints:
    clip=r"[A-Za-z0-9][A-Za-z0-9_-]*",
    shard=r"[A-Za-z0-9][A-Za-z0-9_-]*",
    speaker=r"[A-Za-z0-9][A-Za-z0-9_-]*",
    model=r"[A-Za-z0-9][A-Za-z0-9_-]*",
    corpus=r"[A-Za-z0-9][A-Za-z0-9_-]*",
    person=r"[A-Za-z0-9][A-Za-z0-9_-]*",
    frame=r"\d+",
