"""Command line: `talkface animate`, `predict`, `weights`, `head`, `landmarks`, `sheet`.

Exit status: 0 when all went well; 1 when something could not be made, with one line that says why, after the rest was
made; 2 for a command that cannot be understood.
"""

import argparse
import contextlib
import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath
from typing import Any

from talkface import __version__
from talkface.conventions import SPEECH_SUFFIXES, SPLITS, VIDEO_SUFFIXES, VOICE_MODEL
from talkface.errors import TalkfaceError
from talkface.files import is_litter
from talkface.logs import machine_fault
from talkface.threads import settle_threads

ANIMATE = """examples:
  talkface animate hello.wav                     hello.mp4, by the model that comes along
  talkface animate -m weights.pt -o films *.wav  a film of each, in the folder films
  talkface animate voices -o films               a film of each file in the folder voices
  talkface animate hello.wav -o hello.gif        24 frames a second, no sound
  talkface animate hello.wav -m D40_C3.h5 --delay 1        weights of Eskimez et al. 2018
  talkface animate hello.wav -m model.pt --shape-model data  of 2020, with mean_shape.npy, eigen_vectors.npy .. in data
"""
PREDICT = """examples:
  talkface predict hello.wav                     hello.npy: (frames, 68, 2), 25 a second, outer eye corners 1 apart
  talkface predict -o faces *.wav                a file of each, in the folder faces
"""
WEIGHTS = """examples:
  talkface weights hello.wav                     hello.csv: ARKit's 52 weights as Live Link Face has them, 60 a second
  talkface weights hello.wav -o hello.json       as NVIDIA's Audio2Face does
  talkface weights hello.wav -o hello.glb --face-model ict_facekit.npz   a head that speaks, glTF 2.0
"""
HEAD = """examples:
  talkface head me.mp4 hello.wav --face-model ict_facekit.npz              hello.mp4, and hello_face.mp4: I say hello
  talkface head clips hello.wav --face-model ict_facekit.npz --person me   videos of a folder; what is known stays in me
"""
LANDMARKS = """example:
  talkface landmarks video.mp4                   video.npy: (frames, 68, 2) pixels, 25 frames a second
"""
SHEET = """example:
  talkface sheet videos -o my_clips.tsv          a row a video; the sub-folders of videos are the speakers
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    given = _parser().parse_args(arguments)
    try:
        return int(given.run(given))
    except TalkfaceError as error:
        return _say(error)
    except (OSError, MemoryError) as error:
        fault = machine_fault(error)
        if fault is None:
            raise
        return _say(TalkfaceError(fault))
    except KeyboardInterrupt:
        sys.stderr.write("talkface: interrupted; what was finished stays\n")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="talkface", description="A face that speaks from audio alone.")
    parser.add_argument("--version", action="version", version=f"talkface {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], help_: str, examples: str) -> Any:
        made = commands.add_parser(
            name, help=help_, description=help_[0].upper() + help_[1:] + ".", epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip
        made.set_defaults(run=run)
        return made

    for name, run, help_, examples, made in (
        ("animate", _animate, "films of a face that says what is heard", ANIMATE, "an .mp4 or .gif"),
        ("predict", _predict, "the landmarks of a face that says what is heard", PREDICT, "an .npy"),
        ("weights", _weights, "ARKit's weights of a face that says what is heard", WEIGHTS, "a .csv, .json or .glb"),
    ):
        one = command(name, run, help_, examples)
        one.add_argument(
            "sounds", nargs="+", type=Path, metavar="SOUND", help="a file of sound, a video, or a folder of such"
        )
        one.add_argument("-m", "--model", default=VOICE_MODEL, help=f"a name, or a file of weights ({VOICE_MODEL})")
        one.add_argument("--shape-model", type=Path, metavar="FOLDER", help="of a state dict of Eskimez et al. 2020")
        one.add_argument("--delay", type=int, metavar="FRAMES", help="of weights of Eskimez et al. 2018: D40 has 1")
        one.add_argument(
            "--device", choices=("auto", "cpu", "cuda"), default="auto", help="where it is computed (auto)"
        )
        one.add_argument("--seed", type=int, default=0, help="of what is drawn at random (0)")
        _output(one, made)
    films = commands.choices["animate"]
    films.add_argument(
        "--style", choices=("shaded", "flat"), help="a lit portrait, or plain colours (shaded; gif: flat)"
    )
    films.add_argument("--size", type=int, help="pixels, both ways, even (1000; gif: 400)")
    films.add_argument("--no-blink", action="store_true", help="keep the lids as predicted")
    engines = commands.choices["weights"]
    engines.add_argument(
        "--fps", type=int, choices=(30, 60), default=60, help="frames a second, of .csv and .json (60)"
    )
    engines.add_argument("--face-model", type=Path, metavar="FILE", help="an .npz of ICT-FaceKit, for a .glb")
    person = command("head", _head_films, "films of a filmed person who says what is heard", HEAD)
    person.add_argument("video", type=Path, metavar="VIDEO", help="of the person, or a folder of such")
    person.add_argument("sound", type=Path, metavar="SOUND", help="a file of sound, or a video")
    person.add_argument("--face-model", type=Path, metavar="FILE", required=True, help="an .npz of ICT-FaceKit")
    person.add_argument("--person", type=Path, metavar="FOLDER", help="where what is known of the person is kept")
    person.add_argument(
        "--how", choices=("ridge", "gru", "atc"), default="ridge", help="how the mouth follows the sound (ridge)"
    )
    person.add_argument(
        "--pose", choices=("video", "matched", "key_poses"), default="video", help="frames behind (video)"
    )
    person.add_argument(
        "--picture", choices=("real", "mesh"), default="real", help="own mouths, or a textured head (real)"
    )
    person.add_argument("--mark", action="store_true", help="write on the picture that it is synthetic")
    _output(person, "an .mp4")
    seen = command("landmarks", _landmarks, "the landmarks of the face in videos", LANDMARKS)
    seen.add_argument("videos", nargs="+", type=Path, metavar="VIDEO", help="a video, or a folder of videos")
    seen.add_argument("--detector", choices=("dlib", "mesh"), default="dlib", help="whose eyes (dlib)")
    _output(seen, "an .npy")
    sheet = command("sheet", _sheet, "a sample sheet of a folder of videos, for the workflow", SHEET)
    sheet.add_argument("folder", type=Path)
    sheet.add_argument("-o", "--output", type=Path, default=Path("config/my_clips.tsv"), help="config/my_clips.tsv")
    sheet.add_argument("--pattern", help="regular expression whose first group, searched in the path, is the speaker")
    sheet.add_argument("--split-by", choices=("speaker", "clip"), default="speaker", help="what a split is drawn of")
    sheet.add_argument("--seed", type=int, default=1, help="of the splits (1)")
    sheet.add_argument("--force", action="store_true", help="replace a sheet that exists")
    return parser


def _output(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("-o", "--output", type=Path, help=f"{what}, or a folder (the working folder)")
    parser.add_argument("--force", action="store_true", help="replace files that exist")


def _animate(given: argparse.Namespace) -> int:
    settle_threads(os.cpu_count() or 1)
    from talkface import api  # with torch

    model = _model(given)

    def make(sound: Path, output: Path) -> None:
        gif = output.suffix.lower() == ".gif"
        face = api.predict(model, sound, seed=given.seed, progress=True)
        api.animate(
            face, sound, output, style=given.style or ("flat" if gif else "shaded"),
            size=given.size or (400 if gif else 1000), blink=not given.no_blink, seed=given.seed, progress=True,
        )  # fmt: skip

    return _each(_files(given.sounds), given, make, suffixes=(".mp4", ".gif"))


def _predict(given: argparse.Namespace) -> int:
    settle_threads(os.cpu_count() or 1)
    import numpy as np

    from talkface import api
    from talkface.files import writing

    model = _model(given)

    def make(sound: Path, output: Path) -> None:
        with writing(output) as temporary:
            np.save(temporary, api.predict(model, sound, seed=given.seed, progress=True))

    return _each(_files(given.sounds), given, make, suffixes=(".npy",))


def _weights(given: argparse.Namespace) -> int:
    settle_threads(os.cpu_count() or 1)
    import numpy as np

    from talkface import api
    from talkface.export.weights import write_arkit, write_json
    from talkface.face3d.records import Motion

    model, files = _model(given), _files(given.sounds)
    head = _head(given)

    def make(sound: Path, output: Path) -> None:
        found = api.weights(api.predict(model, sound, seed=given.seed, progress=True))
        motion = Motion(found, np.zeros((len(found), 3)))
        suffix = output.suffix.lower()
        if suffix == ".csv":
            write_arkit(motion, output, fps=given.fps)
        elif suffix == ".json":
            write_json(motion, output, fps=given.fps, sound=sound.name)
        else:
            from talkface.export.gltf import write_gltf

            write_gltf(head, motion, output)

    return _each(files, given, make, suffixes=(".csv", ".json", ".glb"))


def _head_films(given: argparse.Namespace) -> int:
    settle_threads(os.cpu_count() or 1)
    from talkface import api

    videos = _files([given.video], sound=False)
    (output,) = _outputs([given.sound], given.output, (".mp4",))
    face = output.with_name(f"{output.stem}_face.mp4")
    beside = given.video.is_dir() and output.resolve().parent == given.video.resolve()
    if beside or {output.resolve(), face.resolve()} & {path.resolve() for path in (*videos, given.sound)}:
        raise TalkfaceError(
            f"{output}: would replace what it is made from, or be learnt from as a video of the person the next time; "
            "name another with -o"
        )
    _refuse_existing([output, face], given)
    api.talking_head(
        videos, given.sound, output, face_model=given.face_model, person=given.person, face=face, how=given.how,
        pose=given.pose,
        picture=given.picture, mark=given.mark,
    )  # fmt: skip
    sys.stdout.write(f"{output}\n{face}\n")
    return 0


def _head(given: argparse.Namespace) -> Any:
    """Load the face model where a .glb is wanted."""
    if given.output is None or given.output.suffix.lower() != ".glb":
        return None
    if given.face_model is None:
        raise TalkfaceError(
            f"{given.output}: a head in space needs a face model; give --face-model ict_facekit.npz, which "
            "snakemake resources/face_models/ict_facekit.npz makes in the workflow"
        )
    from talkface.face3d.face_model import load_arkit_model

    return load_arkit_model(given.face_model)


def _landmarks(given: argparse.Namespace) -> int:
    import numpy as np

    from talkface import api
    from talkface.files import writing

    def make(video: Path, output: Path) -> None:
        with writing(output) as temporary:
            np.save(temporary, api.landmarks(video, detector=given.detector, progress=True))

    return _each(_files(given.videos, sound=False), given, make, suffixes=(".npy",))


def _sheet(given: argparse.Namespace) -> int:
    from talkface.corpus.folders import sheet_from_folder

    _refuse_existing([given.output], given)
    sheet = sheet_from_folder(
        given.folder, output=given.output, split_by=given.split_by, pattern=given.pattern, seed=given.seed,
        say=lambda line: sys.stderr.write(f"talkface: {line}\n"),
    )  # fmt: skip
    counts = sheet.split.value_counts()
    sys.stdout.write(
        f"{given.output}: {len(sheet)} clips of {sheet.speaker.nunique()} speakers "
        f"({', '.join(f'{counts.get(split, 0)} {split}' for split in SPLITS)})\n"
        f"Use it: snakemake --cores 2 train_all --config {_setting('clips', given.output)} "
        f"corpus={_corpus_of(given.output)}" + (" split_by=clip\n" if given.split_by == "clip" else "\n")
    )
    return 0


def _setting(key: str, path: Path) -> str:
    """Write a setting that is a path as a shell and Snakemake's `--config` both take it."""
    text = next((text for text in (str(path), os.path.join(".", path)) if _is_text(text)), json.dumps(str(path)))
    return shlex.quote(f"{key}={text}")


def _is_text(text: str) -> bool:
    """Tell whether Snakemake's `--config` takes a value for a text, and for no number, mapping or other YAML."""
    import yaml

    try:
        float(text)
    except ValueError:
        with contextlib.suppress(yaml.YAMLError):
            return bool(yaml.safe_load(text) == text)
    return False


def _corpus_of(sheet: Path) -> str:
    """Name a corpus after its sheet: a name for paths, and no number."""
    from talkface.corpus.sheet import clean_name

    name = clean_name(sheet.stem) or "mine"
    return name if _is_text(name) else f"corpus_{name}"


def _model(given: argparse.Namespace) -> Any:
    from talkface import api

    arguments = {} if given.delay is None else {"delay": given.delay}
    return api.load_model(given.model, shape_model=given.shape_model, device=given.device, **arguments)


def _files(sources: Sequence[Path], *, sound: bool = True) -> list[Path]:
    """Put the files of a folder in its place: videos and, where wanted, sound, by name."""
    suffixes = {*VIDEO_SUFFIXES, *(SPEECH_SUFFIXES if sound else ())}
    files = []
    for source in sources:
        found = [source]
        if source.is_dir():
            inside = (path for path in source.iterdir() if path.suffix.lower() in suffixes)
            found = sorted(path for path in inside if not is_litter(PurePath(path.name)))
            if not found:
                raise TalkfaceError(f"{source}: holds no file of {'sound or ' * sound}video; name another folder")
        files += found
    return files


def _each(
    sources: Sequence[Path], given: argparse.Namespace, make: Callable[[Path, Path], None], *, suffixes: Sequence[str]
) -> int:
    """Make a file of each source; one that fails costs the others nothing."""
    outputs = _outputs(sources, given.output, suffixes)
    _refuse_existing(outputs, given)
    status = 0
    for source, output in zip(sources, outputs, strict=True):
        try:
            make(source, output)
            sys.stdout.write(f"{output}\n")
        except TalkfaceError as error:
            status = _say(error)
    return status


def _outputs(sources: Sequence[Path], output: Path | None, suffixes: Sequence[str]) -> list[Path]:
    """Say which file each source becomes: the one that is named, or one in a folder, with the first of the suffixes."""
    if output is not None and output.suffix.lower() in suffixes and not output.is_dir():
        if len(sources) > 1:
            raise TalkfaceError(f"{output} is one file for {len(sources)} sources; give a folder with -o")
        return [output]
    if output is not None and output.suffix and not output.is_dir():
        raise TalkfaceError(f"{output}: a name that ends in {' or '.join(suffixes)}, or a folder, was expected")
    outputs = [(output or Path()) / f"{source.stem}{suffixes[0]}" for source in sources]
    for source, made in zip(sources, outputs, strict=True):
        if outputs.count(made) > 1:
            raise TalkfaceError(f"{source}: another source becomes {made}, too; make them apart, each with its own -o")
    return outputs


def _refuse_existing(outputs: Sequence[Path], given: argparse.Namespace) -> None:
    there = [str(path) for path in outputs if path.exists()]
    if there and not given.force:
        raise TalkfaceError(f"{', '.join(there)} exists; remove it, name another with -o, or replace it with --force")


def _say(error: TalkfaceError) -> int:
    sys.stderr.write(f"talkface: {' '.join(str(error).split())}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
