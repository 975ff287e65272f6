"""All stages of a talking head in a row, for one video and one speech file, without a table and without Snakemake."""

import logging
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import h5py

from talkface.corpus.persons import names_of
from talkface.errors import TalkfaceError
from talkface.face3d.records import Stretch, fit_shard, fit_speaker
from talkface.files import digest
from talkface.head.actor import cut_person
from talkface.head.film import choose_frames, draw_head
from talkface.head.hearing.voice import drive_person, learn_voice, read_voice
from talkface.head.material import track_person
from talkface.media.audio import extract_audio_shard

log = logging.getLogger(__name__)


def by_name(videos: Sequence[Stretch]) -> dict[str, Stretch]:
    """Name a person's videos as files of results/persons/ do."""
    return dict(zip(names_of(len(videos)), videos, strict=True))


def prepare(
    videos: Sequence[Stretch], folder: Path, *, face_model: str | Path, voice: str | Path, kind: str
) -> dict[str, float]:
    """Make all that is known of a person: results/persons/{person}/ in `folder`.

    Parameters
    ----------
    videos : sequence of Stretch
    folder : path
        Files that are there already are taken, if they are of the same videos.
    face_model : path
        Of ICT-FaceKit.
    voice : path
        Weights of the voice model.
    kind : {"ridge", "gru"}
        See `voice.learn`.

    Returns
    -------
    dict of str to float
        Seconds that each file took.

    Raises
    ------
    TalkfaceError
        If the videos will not do, or the folder is of others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _refuse_others(videos, folder)
    if (folder / "voice.npz").exists() and read_voice(folder / "voice.npz").kind != kind:
        (folder / "voice.npz").unlink()
    names = names_of(len(videos))
    files, begin, end = [v.video for v in videos], [v.start_s for v in videos], [v.end_s for v in videos]
    stages = {
        "landmarks.h5": lambda path: track_person(
            files, path, folder / "quality.tsv", person=folder.name, start_s=begin, end_s=end
        ),
        "audio.h5": lambda path: extract_audio_shard(files, path, clips=names, start_s=begin, end_s=end, rate=44_100),
        "identity.h5": lambda path: fit_speaker(dict.fromkeys(names, folder / "landmarks.h5"), path),
        "faces.h5": lambda path: fit_shard(
            folder / "landmarks.h5", folder / "identity.h5", path, face_model=face_model,
            videos=by_name(videos),
        ),
        "mouths.h5": lambda path: cut_person(
            path, by_name(videos), faces=folder / "faces.h5", identity=folder / "identity.h5",
            face_model=face_model,
        ),
        "voice.npz": lambda path: learn_voice(folder / "faces.h5", folder / "audio.h5", path, model=voice, kind=kind),
    }  # fmt: skip
    seconds = {}
    for name, make in stages.items():
        if not (folder / name).exists():
            begun = time.perf_counter()
            make(folder / name)
            seconds[name] = time.perf_counter() - begun
            log.info("%s: %.1f s", name, seconds[name])
    return seconds


def _refuse_others(videos: Sequence[Stretch], folder: Path) -> None:
    """Raise a TalkfaceError if what is known in a folder is of other videos."""
    if not (folder / "landmarks.h5").exists():
        return
    with h5py.File(folder / "landmarks.h5", "r") as file:
        known = [(str(file[clip].attrs["source"]), str(file[clip].attrs["digest"])) for clip in file]
    if [content for _, content in known] != [digest(stretch.video) for stretch in videos]:
        names = ", ".join(name for name, _ in known[:3]) + (" .." if len(known) > 3 else "")
        raise TalkfaceError(
            f"{folder}: what is known there is of other videos ({names}); name another folder, or remove this one"
        )


def speak(
    person: Path, audio: str | Path, output: str | Path, *, videos: Sequence[Stretch], face_model: str | Path,
    voice: str | Path, pose: str = "video", picture: str = "real", view: str = "full", mark: bool = False,
) -> None:  # fmt: skip
    """Write a film of a prepared person who speaks a sound file; parameters as in `prepare` and `film.draw_head`."""
    files = {name: person / f"{name}.h5" for name in ("faces", "identity", "mouths")}
    with tempfile.TemporaryDirectory() as folder:
        expression, frames = Path(folder) / "expression.tsv", Path(folder) / "frames.tsv"
        drive_person(person / "voice.npz", audio, expression, model=voice)
        choose_frames(expression, frames, audio=audio, face_model=face_model, how=pose, **files)
        draw_head(
            expression, frames, output, audio=audio, videos=by_name(videos), face_model=face_model, view=view,
            picture=picture, mark=mark, **files,
        )  # fmt: skip
