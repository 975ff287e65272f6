"""Selection of a run: clips by shard, speaker and split, and models by what is done with them.

Made once, while Snakemake plans; rules ask it for names, and lay out the paths themselves.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from talkface.config import Catalogue, add_published, add_seeds, check_config, name_weights, resolve_models
from talkface.conventions import VOICE_MODEL
from talkface.corpus.persons import read_persons
from talkface.corpus.public import CORPORA, archives_of, choose, no_clips_yet, sheet_of
from talkface.corpus.quality import accepted, decoded
from talkface.corpus.sheet import (
    MADE_BY_RULES,
    check_divided,
    find_predictions,
    find_speech,
    find_splits,
    make_shards,
    read_sheet,
)
from talkface.errors import TalkfaceError
from talkface.files import digest, without_braces
from talkface.training import model_folder

SPEECH_FOLDER = "resources/speech"
LINKS_FOLDER = ".snakemake/links"  # of files in whose names stand braces
ICT_FILE = "resources/face_models/ict_facekit.npz"
HEADS_FOLDER = "results/head"
QUALITY_TABLE = "results/qc/clips.tsv"
MODELS_FOLDER = "results/models"
# Targets that train what is missing or has changed, and begin with these paths; any other takes the models there are.
TRAINING = ("all", "train_all", "evaluate_all", "animate_all", "report_all", "train_model", "retrain_model")
TRAINED = (f"{MODELS_FOLDER}/", "results/evaluation/")


def nameable(path: str | Path) -> str:
    """Return a path of a user's file that Snakemake takes as it is; see `files.without_braces`."""
    return without_braces(path, LINKS_FOLDER)


def asks_to_train(words: Sequence[str]) -> bool:
    """Tell whether the words of a command line ask for models as they are configured, or to see what there is.

    Figures are of models as they are configured: a target that gathers them, a path below results/models/ or
    results/evaluation/, or no target at all. Snakemake knows its targets when jobs are planned, and which rules there
    are before, so the words themselves are read.

    Examples
    --------
    >>> [asks_to_train(words.split()) for words in ("--cores 8", "train_all", "-n results/anim/hello.mp4")]
    [True, True, False]
    """
    paths = [os.path.relpath(word) if os.path.isabs(word) else os.path.normpath(word) for word in words]
    if set(words) & set(TRAINING) or any(path.startswith(TRAINED) for path in paths):
        return True
    return not any(path.startswith(("results/", "resources/")) or path.endswith("_all") for path in paths)


class Selection:
    """Clips and models of a run.

    Parameters
    ----------
    config : mapping
        The configuration, merged.
    home : path
        Folder of the Snakefile.
    trains : bool
        Whether models that are there are trained anew where something has changed (`asks_to_train`). If not, they are
        taken as they are, and videos of the sheet may be gone.

    Attributes
    ----------
    sheet : Path
        The sample sheet.
    clips : DataFrame
        See `sheet.read_sheet`.
    speech : Catalogue of name to file
        Sound files dropped into resources/speech/.
    renamed : dict of name to file
        Those that go by another name than their own.
    models : Catalogue of name to block
        Entries written out: derived ones (`<name>_published`, `<name>-seed<k>`) among them.
    selected : list of str
        Models that training.models names.
    entries : dict of selected model to list of str
        The model itself and its further seeds.
    external : dict of external-<name> to folder
        Predictions made elsewhere.
    splits : list of str
        Those of evaluate.splits that the sheet has.

    Raises
    ------
    TalkfaceError
        If configuration, sheet or dropped-in files are wrong: one line that says what to do.
    """

    def __init__(self, config: Mapping[str, Any], *, home: Path, trains: bool = True):
        check_config(config, home / "workflow" / "schemas" / "config.schema.yaml")
        self.config, self.home, self.trains = config, home, trains
        named = sheet_of(config["corpus"], config["clips"])
        self.sheet = self.find_beside(named)
        if named != config["clips"] and not self.sheet.exists():
            self.clips = no_clips_yet(named)  # fetch_corpus writes it; any other target fails at planning
        else:
            self.clips = read_sheet(self.sheet, split_by=config["split_by"], shipped=self.is_demo, must_exist=trains)
            if trains:
                check_divided(self.clips, self.sheet)
        for column in ("video", "audio", "marks"):
            self.clips[column] = [nameable(path) for path in self.clips[column]]
        speech = find_speech(SPEECH_FOLDER, clips=self.clips.index)
        self.renamed = {name: path for name, path in speech.items() if Path(path).stem != name}
        self.speech = Catalogue("speech file", {name: nameable(path) for name, path in speech.items()})
        schedules = yaml.safe_load((home / "config" / "published.yaml").read_text(encoding="utf-8"))["models"]
        entries = resolve_models(add_published(config["models"], schedules))
        self.models = Catalogue("model", name_weights(entries))
        for block in self.models.values():
            if block.get("init") in self.models and not Path(block["init"]).exists():
                block["init"] = f"{self.own_folder(block['init'])}/{model_folder.WEIGHTS}"
        self._refuse_old_paths()
        self.selected = [name for name in config["training"]["models"] if self.models[name]]
        self.entries = add_seeds(self.models, self.selected, config["training"]["seeds"], seed=config["seed"])
        self.external = {f"external-{name}": folder for name, folder in config["external"].items()}
        self.splits = find_splits(self.clips, config["evaluate"]["splits"])
        self.animated, self.speech_animated, self.shown, self.predictions, self.speakers_to_fetch  # noqa: B018, refused before any work

    def stamp(self, clip: str) -> str:
        """Return size and date of a speech file: one that is replaced by an older one is another; empty for a clip."""
        if clip not in self.speech:
            return ""
        found = Path(self.speech[clip]).stat()
        return f"{found.st_size} {found.st_mtime_ns}"

    @property
    def absent(self) -> list[str]:
        """Clips of the sheet whose video or sound is gone, where that is no fault (`trains`)."""
        return self.sheet.is_file() * [
            clip
            for clip, video, audio in zip(self.clips.index, self.clips["video"], self.clips["audio"], strict=True)
            if not video.startswith(MADE_BY_RULES) and not (Path(video).exists() and Path(audio).exists())
        ]

    @property
    def is_demo(self) -> bool:
        """Whether the sheet is the demo corpus's, and nobody's own."""
        return self.sheet.resolve() == (self.home / "config" / "clips.tsv").resolve()

    @property
    def corpus(self) -> str:
        """Name of the data set."""
        return self.config["corpus"]

    @property
    def face_model(self) -> str:
        """The file of the face model; a TalkfaceError says how to get one where none is configured."""
        named = self.config["face_model"]
        if named is None:
            raise TalkfaceError(
                "face_model is null in the config, and a head in space is asked for; set it to ict, which fetches "
                "ICT-FaceKit (MIT licence, 405 MB), or to an .npz of it: --config face_model=ict"
            )
        return ICT_FILE if named == "ict" else nameable(named)

    @property
    def speakers_in_space(self) -> list[str]:
        """Speakers whose shapes have three dimensions: all or none."""
        return list(self.speakers) if self.config["landmarks"]["dimensions"] == 3 else []

    @property
    def looks_at_pictures(self) -> bool:
        """Whether fits in space are refined by pictures."""
        return bool(self.config["face3d"]["photometric"] and self.config["face_model"])

    @cached_property
    def persons(self) -> Catalogue:
        """Persons whose talking heads can be made."""
        table = self.find_beside(self.config["persons"])
        shipped = table.resolve() == (self.home / "config" / "persons.tsv").resolve()
        return Catalogue(f"person of {table}", read_persons(table, shipped=shipped, nameable=nameable))

    def videos_of(self, person: str) -> list[str]:
        """List the videos of a person; raise a TalkfaceError if one is gone."""
        videos = self.persons[person].videos
        gone = [video for video in videos if not video.startswith(MADE_BY_RULES) and not Path(video).is_file()]
        if gone:
            raise TalkfaceError(
                f"{self.config['persons']}: {person}: there is no file {gone[0]!r}; mend the column video"
            )
        return videos

    @cached_property
    def heads(self) -> list[tuple[str, str]]:
        """Films of talking heads that are there: person and clip."""
        if self.config["face_model"] is None:  # they cannot be measured
            return []
        films = sorted(Path(HEADS_FOLDER).glob("*/*.mp4"))
        named = [(film.parent.name, film.stem) for film in films]
        return [(person, clip) for person, clip in named if person in self.persons and clip in self.sounds]

    def find_beside(self, name: str | Path) -> Path:
        """Find a file that the workflow brings along: in the working folder, else beside the Snakefile."""
        return self.home / name if (self.home / name).exists() and not Path(name).exists() else Path(name)

    # Models ---------------------------------------------------------------------------------------------------------

    @cached_property
    def known(self) -> Catalogue:
        """What can be compared and animated: entries of the catalogue and predictions made elsewhere."""
        return Catalogue("model", self.models | self.external)

    @cached_property
    def predictions(self) -> dict[str, Catalogue]:
        """Of each model of `external`: file by clip."""
        return {
            model: Catalogue(
                f"prediction in {folder}",
                {
                    clip: nameable(path)
                    for clip, path in find_predictions(
                        folder, name=model.removeprefix("external-"), clips=self.sounds
                    ).items()
                },
            )
            for model, folder in self.external.items()
        }

    @cached_property
    def imported(self) -> list[str]:
        """Models whose weights are there already."""
        return [name for name, block in self.models.items() if block.get("weights")]

    def _refuse_old_paths(self) -> None:
        """Raise a TalkfaceError where an entry starts from a trained model by its path of before 0.3."""
        for name, block in self.models.items():
            for key in ("weights", "init"):
                path = Path(block.get(key) or "")
                other = path.parent.name
                old = path == Path(MODELS_FOLDER, other, model_folder.WEIGHTS) and not path.exists()
                if old and other in self.models and other not in self.imported:
                    raise TalkfaceError(
                        f"config, models.{name}.{key}: there is no {path}; trained models lie below their corpus: "
                        f"write {self.own_folder(other)}/{model_folder.WEIGHTS}"
                    )

    @cached_property
    def trained(self) -> list[str]:
        """Models that `train_all` makes: the selected ones and their further seeds."""
        return [entry for entries in self.entries.values() for entry in entries]

    @cached_property
    def with_curve(self) -> list[str]:
        """Selected models that are trained here, and not imported."""
        return [model for model in self.selected if model not in self.imported]

    @cached_property
    def finished(self) -> list[str]:
        """Models that a training of this corpus has finished."""
        return [model for model in self.models if (Path(self.own_folder(model)) / model_folder.WEIGHTS).is_file()]

    def own_folder(self, model: str) -> str:
        """Return the folder of a model: imported ones belong to no corpus."""
        return f"{MODELS_FOLDER}/{model}" if model in self.imported else f"{MODELS_FOLDER}/{self.corpus}/{model}"

    def folder_of(self, model: str) -> str:
        """Return the folder a model is taken from: its own, or, if nothing is trained now, that of another corpus."""
        own = self.own_folder(model)
        if self.trains or model in self.finished or model in self.imported:
            return own
        return str(next(reversed(model_folder.find_models(MODELS_FOLDER, model).values()), own))

    def origin_of(self, model: str) -> dict[str, Any]:
        """Describe what a training of a model is made from now."""
        return model_folder.describe_origin(
            self.config, model=model, block=self.models[model], clips=self.clips_content
        )

    @cached_property
    def clips_content(self) -> str:
        """Digest of what the sheet says of its clips; where their files lie does not matter."""
        rows = self.clips[["speaker", "split", "start_s", "end_s"]].assign(
            video=[Path(video).name for video in self.clips["video"]]
        )
        return hashlib.sha256(rows.to_csv(sep="\t").encode()).hexdigest()[:16]

    def describe_taken(self, model: str) -> str:
        """Say which trained model is taken or replaced, and why; empty where there is nothing to say."""
        folder = Path(self.folder_of(model))
        if model in self.imported or not (folder / model_folder.WEIGHTS).is_file():
            return ""
        said = model_folder.describe_model(folder)
        if folder.parent.name != self.corpus:
            return f"{said}; there is none of corpus {self.corpus}: train_all would train it"
        changes = self.changes_of(model)
        if self.trains:
            return f"{said}; replaced once a newer one is finished, since changed: {changes}" if changes else ""
        return f"{said}; changed since: {changes}; train_all would train it anew" if changes else said

    def changes_of(self, model: str) -> str:
        """List what has changed since a model was trained: settings, sheet, code, files; empty if nothing has."""
        folder, block = Path(self.own_folder(model)), self.models[model]
        then = model_folder.read_origin(folder)
        if then is None:
            return "what it was made from (not recorded)"
        changes = model_folder.find_changes(then, self.origin_of(model))
        inputs = [
            block.get("dataset") or f"results/dataset/{self.corpus}.h5",
            *(block.get(key) for key in ("noise", "voices", "init")),
        ]
        trained_s = model_folder.trained_s(folder)
        changes += [path for path in inputs if path and Path(path).is_file() and Path(path).stat().st_mtime > trained_s]
        more = f" and {len(changes) - 4} more" if len(changes) > 4 else ""
        return ", ".join(changes[:4]) + more

    @cached_property
    def compared(self) -> list[str]:
        """Models that stand beside each other in tables and figures."""
        return [*self.selected, *self.external]

    @cached_property
    def evaluated(self) -> list[str]:
        """Models with a table of clips of their own: those compared, and further seeds."""
        return [*self.trained, *self.external]

    @cached_property
    def animated(self) -> str:
        """The model of films that are asked for by the clip's name alone."""
        model: str = self.config["animate"]["model"]
        self.known[model]
        return model

    @cached_property
    def speech_animated(self) -> str:
        """The same for dropped-in speech: who speaks there is nobody of the demo corpus."""
        model: str = self.config["animate"]["speech_model"]
        if model == "auto":
            model = VOICE_MODEL if self.is_demo else self.animated
        self.known[model]
        return model

    def animated_in(self, clip: str) -> str:
        """Return the model of the film of a clip or speech file."""
        return self.speech_animated if clip in self.speech else self.animated

    @cached_property
    def shown(self) -> list[str]:
        """Models whose predictions stand beside the truth in what is made to be looked at."""
        return [name for name in self.config["look"]["models"] or self.compared if self.known[name]]

    def shown_of(self, clip: str) -> list[str]:
        """List the models to show that have this clip: predictions made elsewhere may be of some clips alone."""
        return [model for model in self.shown if model not in self.external or clip in self.predictions[model]]

    @cached_property
    def shown_here(self) -> list[str]:
        """Those of them that have weights."""
        return [model for model in self.shown if model not in self.external]

    @cached_property
    def shown_elsewhere(self) -> dict[str, str]:
        """Those of them that were predicted elsewhere, with their folders."""
        return {model: self.external[model] for model in self.shown if model in self.external}

    @cached_property
    def shown_evaluated(self) -> list[str]:
        """Those of them that the evaluation measures."""
        return [model for model in self.shown if model in self.evaluated]

    @cached_property
    def networks(self) -> dict[str, str]:
        """Network of each compared model; "elsewhere" for predictions made elsewhere."""
        return {name: self.models[name]["network"] if name in self.selected else "elsewhere" for name in self.compared}

    def shape_files(self, model: str) -> dict[str, str]:
        """Return the files of an imported model's shape model, by what they are; empty for any other."""
        return {} if model in self.external else self.models[model].get("shape_model", {})

    def hears_floats(self, model: str) -> bool:
        """Tell whether a model predicts from sound that nothing has rounded: argument `resampling` of network lstm."""
        block = self.models[model]
        arguments = block.get("arguments", {})
        return block["network"] == "lstm" and (block.get("published") or arguments.get("resampling") == "float")

    @cached_property
    def needed_networks(self) -> list[str]:
        """Networks whose sound and landmarks the dataset holds."""
        models = [name for name in (*self.selected, self.animated) if name in self.models]
        return sorted({self.models[name]["network"] for name in models})

    @cached_property
    def learns_phones(self) -> bool:
        """Tell whether a model that is trained here learns to tell phones apart."""
        return any(self.models[model].get("arguments", {}).get("phone_weight") for model in self.with_curve)

    @cached_property
    def twins(self) -> list[tuple[str, str]]:
        """Pairs of compared models: trained with noise, and without; with their last face, and without memory."""
        return [
            (model, other)
            for model in self.compared
            if "_nr" in model
            for other in dict.fromkeys([model.replace("_nr", ""), model.replace("_nr", "_tc")])
            if other in self.compared
        ]

    @cached_property
    def divided(self) -> bool:
        """True; raises a TalkfaceError if the sheet lacks a split that training and evaluation need."""
        check_divided(self.clips, self.sheet)
        return True

    # Clips ----------------------------------------------------------------------------------------------------------

    @cached_property
    def shards(self) -> Catalogue:
        """Clips of each shard."""
        return Catalogue("shard", make_shards(self.clips, clips_per_shard=self.config["media"]["clips_per_shard"]))

    def clips_of(self, shard: str) -> list[str]:
        """List the clips of a shard; the name of a clip stands for that clip alone."""
        return [shard] if shard in self.clips.index else self.shards[shard]

    @cached_property
    def shard_of(self) -> Catalogue:
        """Shard of each clip."""
        return Catalogue("clip of the sheet", {clip: shard for shard, clips in self.shards.items() for clip in clips})

    @cached_property
    def speakers(self) -> Catalogue:
        """Clips of each speaker."""
        groups = self.clips.groupby("speaker", sort=False)
        return Catalogue("speaker", {name: list(rows.index) for name, rows in groups})

    @cached_property
    def speaker_of(self) -> Catalogue:
        """Speaker of each clip."""
        return Catalogue("clip of the sheet", dict(self.clips["speaker"]))

    @cached_property
    def videos(self) -> Catalogue:
        """Video of each clip."""
        return Catalogue("clip of the sheet", dict(self.clips["video"]))

    @cached_property
    def sounds(self) -> Catalogue:
        """What can be heard: the clips of the sheet and the files dropped into resources/speech/."""
        return Catalogue(f"clip of the sheet or file in {SPEECH_FOLDER}/", dict(self.clips["audio"]) | self.speech)

    @cached_property
    def evaluated_clips(self) -> list[str]:
        """Clips of the evaluated splits."""
        return list(self.clips.index[self.clips["split"].isin(self.splits)])

    @cached_property
    def evaluated_shards(self) -> list[str]:
        """Shards that hold a clip of the evaluated splits."""
        return list(dict.fromkeys(self.shard_of[clip] for clip in self.evaluated_clips))

    @cached_property
    def train_shards(self) -> list[str]:
        """Shards that hold a clip that is learnt from."""
        return list(dict.fromkeys(self.shard_of[clip] for clip in self.of_split("train")))

    def evaluated_in(self, shard: str) -> list[str]:
        """List the clips of a shard that are evaluated."""
        return [clip for clip in self.clips_of(shard) if self.clips.at[clip, "split"] in self.splits]

    def spoken_in(self, shard: str) -> list[str]:
        """List the clips of a shard whose phones are needed: evaluated ones, and those whose marks are learnt from."""
        evaluated = self.evaluated_in(shard)
        return [c for c in self.clips_of(shard) if c in evaluated or (self.learns_phones and self.marks(c))]

    @cached_property
    def taught_shards(self) -> list[str]:
        """Shards that hold a clip whose phones are learnt from: recognised ones are not, so it has marks."""
        return [shard for shard, clips in self.shards.items() if self.learns_phones and any(map(self.marks, clips))]

    def clips_beside(self, shard: str) -> list[str]:
        """List all clips of the speaker of a shard."""
        return self.speakers[self.speaker_of[self.clips_of(shard)[0]]]

    def of_split(self, split: str) -> list[str]:
        """List the clips of a split."""
        return list(self.clips.index[self.clips["split"] == split])

    def usable(self, split: str | None = None) -> list[str]:
        """List the clips of a split, or all, without those that the quality table rejects while jobs are planned."""
        return accepted(list(self.clips.index) if split is None else self.of_split(split), QUALITY_TABLE)

    @cached_property
    def film_clip(self) -> str:
        """The clip whose films the report shows: of the first evaluated split, the first that can be used.

        A film of a clip without a face shows little, one without a sound cannot be made; so `make report` makes the
        quality table before the report is planned.
        """
        return [*self.usable(self.splits[0]), *self.of_split(self.splits[0])][0]

    def pictured(self) -> list[str]:
        """List all clips but those known not to decode, for what shows rejected clips as well."""
        return decoded(list(self.clips.index), QUALITY_TABLE)

    def start_s(self, clip: str) -> float | None:
        """Return where a clip begins in its file, seconds; None where the sheet does not say, and for a speech file."""
        return self._edges["start_s"].get(clip)

    def end_s(self, clip: str) -> float | None:
        """Return where it ends, likewise."""
        return self._edges["end_s"].get(clip)

    @cached_property
    def _edges(self) -> dict[str, dict[str, float]]:
        """Seconds by clip, for each of the two columns; asked for thousands of times, where pandas is slow."""
        return {
            column: {str(clip): float(value) for clip, value in self.clips[column].dropna().items()}
            for column in ("start_s", "end_s")
        }

    def marks(self, clip: str) -> str:
        """Return the file that says what is said when, where the sheet names one; empty else."""
        return str(self.clips.at[clip, "marks"]) if clip in self.clips.index else ""

    def counts(self) -> dict[str, dict[str, int]]:
        """Count the clips and speakers of each split; `all` speakers, as one may stand in several splits."""
        clips = self.clips["split"].value_counts(sort=False)
        speakers = self.clips.groupby("split")["speaker"].nunique()
        return {
            "clips": {str(split): int(count) for split, count in clips.items()},
            "speakers": {str(split): int(count) for split, count in speakers.items()}
            | {"all": self.clips["speaker"].nunique()},
        }

    # Files that come along ------------------------------------------------------------------------------------------

    @cached_property
    def speakers_to_fetch(self) -> dict[str, list[int]]:
        """Numbers of the speakers that are fetched of each public corpus."""
        return {name: choose(name, self.config["corpora"][name][CORPORA[name].unit]) for name in CORPORA}

    @cached_property
    def archives(self) -> dict[str, list[str]]:
        """Archives that these speakers need."""
        return {name: archives_of(name, numbers) for name, numbers in self.speakers_to_fetch.items()}

    @cached_property
    def demo(self) -> dict[str, pd.DataFrame]:
        """Clips of the demo corpus by the person seen in them, after whom they are named: clip, voice, text."""
        table = pd.read_csv(self.home / "config" / "demo.tsv", sep="\t", comment="#")
        return dict(list(table.groupby(table["clip"].str.partition("_")[0], sort=False)))

    @cached_property
    def talkers(self) -> pd.DataFrame:
        """Talkers that compete with the speech of an evaluation: talker, voice, text."""
        return pd.read_csv(self.home / "config" / "talkers.tsv", sep="\t", comment="#")

    def weights_file(self, model: str) -> Path:
        """Find the file that an imported model is made from."""
        return self.find_beside(self.models[model]["weights"])

    @cached_property
    def sheet_content(self) -> str:
        """Digest of the sheet; empty while fetch_corpus has still to write it."""
        return digest(self.sheet) if self.sheet.is_file() else ""

    def content_of(self, *patterns: str) -> str:
        """Compute the digest of files beside the Snakefile, wherever that lies."""
        return " ".join(digest(path)[:16] for pattern in patterns for path in sorted(self.home.glob(pattern)))

    def content_along(self, name: str) -> str:
        """Compute the digest of a file if it comes along with the workflow; empty if it lies in the working folder."""
        return "" if Path(name).exists() else self.content_of(name)
