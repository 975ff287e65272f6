"""The rules of the talking head: a stranger of nine seconds speaks new audio, end to end."""

import json
import subprocess

import cv2
import h5py
import numpy as np
import pandas as pd
import pytest
import soundfile

from talkface import cli
from talkface.api import talking_head
from talkface.face3d import arkit
from talkface.face3d.records import Stretch, read_weights
from talkface.head.actor import Mouths, load_actor
from talkface.head.film import POSES, choose_background, choose_mouths, faces_of
from talkface.head.filmed import Frames
from talkface.head.measure import asked_landmarks, mouth_box, psnr
from talkface.head.picture import Mouth, Painter
from talkface.head.textured import TexturedPainter, reference_frame
from talkface.media.encoding import encode
from talkface.media.program import ffmpeg_program
from talkface.media.sound import frames_of
from talkface.media.video import probe, read_frames
from tests.workflow.conftest import run_snakemake

RULES = (
    "track_person", "sound_of_person", "identity_of_person", "fit_person", "cut_mouths", "learn_voice", "drive_head",
    "choose_frames", "draw_head", "draw_head_face", "draw_mesh_of_person", "measure_head", "import_weights",
    "extract_wav", "learn_refinement",
)  # fmt: skip
SECONDS = 3  # of speech
JAW = arkit.INDEX["jawOpen"]


@pytest.fixture(scope="module")
def folder(shared_data, tmp_path_factory):
    """A working folder with a person of three clips, one of a single clip, and a voice."""
    root = tmp_path_factory.mktemp("head")
    videos = sorted((shared_data / "grid" / "others").glob("s33_*.mpg"))
    rows = [("woman", video) for video in videos] + [("short", videos[0]), ("gone", "away.mp4")]
    pd.DataFrame(rows, columns=["person", "video"]).to_csv(root / "people.tsv", sep="\t", index=False)
    (root / "resources" / "speech").mkdir(parents=True)
    sound, rate = soundfile.read(shared_data / "speech" / "tcd_03Fsi1201.wav")
    soundfile.write(root / "resources" / "speech" / "voice.wav", sound[: SECONDS * rate], rate)
    model = shared_data / "models" / "ict_facekit.npz"
    (root / "mine.yaml").write_text(f"face_model: {model}\npersons: people.tsv\nhead: {{mark: true}}\n")
    return root


@pytest.fixture(scope="module")
def make(project, folder):
    """Ask for targets in that folder, with the rules of this file alone."""

    def call(*targets, check=True, config=()):
        return run_snakemake(
            project, "--cores", "2", "--configfile", "mine.yaml", *config, "--allowed-rules", *RULES, "--", *targets,
            cwd=folder, check=check,
        )  # fmt: skip

    return call


@pytest.fixture(scope="module")
def made(make, folder):
    make(
        "results/head/woman/voice.mp4", "results/head/woman/voice_face.mp4", "results/head/woman/voice/quality.tsv",
        "results/persons/woman/video1.mp4",
    )  # fmt: skip
    return folder / "results"


@pytest.fixture(scope="module")
def woman(made, folder, shared_data):
    """The person as fitted, with all frames."""
    person = made / "persons" / "woman"
    actor = load_actor(shared_data / "models" / "ict_facekit.npz", person / "faces.h5", person / "identity.h5")
    videos = pd.read_csv(folder / "people.tsv", sep="\t")["video"][:3]
    stretches = {f"video{number}": Stretch(video) for number, video in enumerate(videos, start=1)}
    return actor, Mouths(person / "mouths.h5"), Frames(stretches, actor, np.arange(len(actor)))


def tags(path):
    """What a film says of itself."""
    return subprocess.run([ffmpeg_program(), "-i", str(path)], capture_output=True, text=True).stderr


def test_both_films_last_as_long_as_the_speech_and_say_that_they_are_synthetic(made, folder):
    frames = frames_of(folder / "resources" / "speech" / "voice.wav")
    for name, size in (("voice.mp4", (360, 288)), ("voice_face.mp4", (256, 256))):
        info = probe(made / "head" / "woman" / name)
        assert (info.width, info.height) == size
        assert info.duration_s == pytest.approx(frames / 25, abs=0.05)
        assert info.has_audio
        assert "synthetic: talkface" in tags(made / "head" / "woman" / name)
    assert (made / "persons" / "woman" / "video1.mp4").stat().st_size > 10_000


def test_the_film_shows_what_was_asked(made):
    table = pd.read_csv(made / "head" / "woman" / "voice" / "quality.tsv", sep="\t").set_index("measure")
    film, person = table["film"], table["person"]
    assert film["lips found less lips asked, by mesh"] < 1.0
    assert film["opening found and asked, correlation, by mesh"] > 0.9
    assert film["opening found and asked, correlation, by dlib"] > 0.85
    assert 0.75 < film["opening found to asked, amplitude, by mesh"] < 1.25
    assert film["mouth, second difference in time"] < 1.15 * person["mouth, second difference in time"]
    assert film["dlib's 128 numbers, distance"] < 0.4
    assert film["nearest filmed mouth"] < 2
    assert person["sound, lips of held-out seconds"] < 0.95 * person["sound, the same of the mean expression"]


def test_motion_and_frames_can_be_looked_at(made):
    motion = read_weights(made / "head" / "woman" / "voice" / "expression.tsv")
    assert motion.weights[:, JAW].std() > 0.02
    frames = pd.read_csv(made / "head" / "woman" / "voice" / "frames.tsv", sep="\t")
    assert frames["video"].nunique() == 1  # never across two videos
    assert frames["frame"].diff().abs().max() == 1
    np.testing.assert_allclose(frames.filter(like="share").sum(axis=1), 1, atol=1e-3)
    quality = pd.read_csv(made / "persons" / "woman" / "quality.tsv", sep="\t")
    assert quality["face_share"].tolist() == [1, 1, 1]


def test_a_frame_that_is_to_show_what_it_shows_is_left_alone(woman):
    actor, mouths, frames = woman
    frame = frames[20]
    bent = Painter(actor, mouths).paint(frame, 20, actor.weights[20], None)
    box = mouth_box(asked_landmarks(actor, np.array([20]), actor.weights[20:21])[0, 48:], actor.eyes)
    assert psnr(bent[box], frame[box]) > 45
    own = Painter(actor, mouths).paint(frame, 20, actor.weights[20], Mouth({20: 1.0}, {20: 1.0}))
    assert psnr(own[box], frame[box]) > 38


def test_only_the_lower_face_is_painted(woman):
    actor, mouths, frames = woman
    weights = actor.weights[20].copy()
    weights[JAW] = 0.5
    opened = Painter(actor, mouths).paint(frames[20], 20, weights, Mouth({20: 0.6, 21: 0.4}, {25: 1.0}))
    changed = np.abs(opened.astype(int) - frames[20]).max(axis=2) > 3
    rows, _ = np.nonzero(changed)
    marks = asked_landmarks(actor, np.array([20]), actor.weights[20:21])[0]
    assert rows.min() > marks[17:27, 1].mean()  # below the brows
    assert changed[:, :20].sum() == 0
    assert changed.mean() > 0.005


def test_the_published_picture_is_a_textured_head(woman):
    actor, _, frames = woman
    reference = reference_frame(actor)
    painter = TexturedPainter(actor, reference, frames[reference])
    same = painter.paint(frames[reference], reference, actor.weights[reference])
    marks = asked_landmarks(actor, np.array([reference]), actor.weights[reference : reference + 1])[0]
    left, top = marks[[31, 29]].min(axis=0).astype(int)  # beside the nose, where nothing moves
    cheek = (slice(top - 5, top + 10), slice(left - 30, left - 10))
    assert psnr(same[cheek], frames[reference][cheek]) > 25
    other = painter.paint(frames[5], 5, np.where(np.arange(52) == JAW, 0.5, 0))
    assert np.abs(other.astype(int) - frames[5]).max() > 30
    assert (other[:, :5] == frames[5][:, :5]).all()


@pytest.mark.parametrize("how", POSES)
def test_every_way_of_posing_shows_frames_of_one_video(woman, made, how):
    actor, mouths, _ = woman
    motion = read_weights(made / "head" / "woman" / "voice" / "expression.tsv")
    behind = choose_background(actor, motion, how=how)
    assert len(behind) == len(motion.weights)
    assert len(set(actor.video[behind])) == 1
    assert len(choose_mouths(actor, mouths, motion, behind).path) == len(behind)


def test_the_face_alone_follows_the_head_calmly(woman):
    actor, _, frames = woman
    rows = np.arange(30)
    shown = list(faces_of((frames[n] for n in rows.tolist()), actor, rows))
    assert {picture.shape for picture in shown} == {(256, 256, 3)}
    middle = np.stack([actor.middle(n) for n in rows])
    assert np.abs(middle - middle.mean(axis=0)).max() < 40


def test_everything_is_the_same_again(made, make, folder):
    before = {path: path.read_bytes() for path in (made / "head" / "woman" / "voice").glob("*.tsv")}
    voice = (made / "persons" / "woman" / "voice.npz").read_bytes()
    for path in (*before, made / "persons" / "woman" / "voice.npz", made / "head" / "woman" / "voice.mp4"):
        path.unlink()
    make("results/head/woman/voice/frames.tsv")
    with np.load(made / "persons" / "woman" / "voice.npz") as file:
        assert len(voice) == (made / "persons" / "woman" / "voice.npz").stat().st_size
        assert file["kind"] == "ridge"
    for name in ("expression.tsv", "frames.tsv"):
        path = made / "head" / "woman" / "voice" / name
        assert path.read_bytes() == before[path]


def test_a_refined_film_is_another_that_shows_the_same(made, make, folder):
    plain = (made / "head" / "woman" / "voice_face.mp4").read_bytes()
    (folder / "refined.yaml").write_text("head: {refine: unet, steps: 20}\n")
    make("results/head/woman/voice_face.mp4", config=("refined.yaml",))
    assert (made / "persons" / "woman" / "refine.pt").stat().st_size < 3_000_000
    refined = list(read_frames(probe(made / "head" / "woman" / "voice_face.mp4"), pixels="bgr24"))
    (folder / "before.mp4").write_bytes(plain)
    before = list(read_frames(probe(folder / "before.mp4"), pixels="bgr24"))
    assert len(refined) == len(before)
    apart = [psnr(one, other) for one, other in zip(refined, before, strict=True)]
    assert 28 < np.mean(apart) < 60
    (made / "head" / "woman" / "voice_face.mp4").unlink()


def test_videos_of_other_sizes_belong_to_one_person(woman, made, folder, shared_data):
    """The film is as large as the video behind it, whatever the others are."""
    larger = folder / "larger.mp4"
    source = sorted((shared_data / "grid" / "others").glob("s33_*.mpg"))[0]
    frames = (cv2.resize(frame, (540, 432)) for frame in read_frames(probe(source), end_s=1.0, pixels="bgr24"))
    encode(frames, larger, size=(540, 432), audio=source)
    videos = sorted((shared_data / "grid" / "others").glob("s33_*.mpg"))
    film = folder / "mixed.mp4"
    model = shared_data / "models" / "ict_facekit.npz"
    talking_head([larger, *videos[1:]], folder / "resources/speech/voice.wav", film, face_model=model)
    assert (probe(film).width, probe(film).height) == (360, 288)  # of the longest
    assert len(list(read_frames(probe(film)))) == SECONDS * 25


def test_the_command_takes_what_is_known_of_a_person(made, folder, shared_data, capsys):
    videos = folder / "videos"
    videos.mkdir()
    for video in sorted((shared_data / "grid" / "others").glob("s33_*.mpg")):
        (videos / video.name).symlink_to(video)
    voice, model = folder / "resources/speech/voice.wav", shared_data / "models" / "ict_facekit.npz"
    known = ("--person", str(made / "persons" / "woman"), "--face-model", str(model))
    film = folder / "said.mp4"
    assert cli.main(["head", str(videos), str(voice), *known, "-o", str(film), "--pose", "matched"]) == 0
    assert probe(film).duration_s == pytest.approx(probe(folder / "said_face.mp4").duration_s, abs=0.01)
    assert capsys.readouterr().out.split() == [str(film), str(folder / "said_face.mp4")]
    assert cli.main(["head", str(videos / "s33_b.mpg"), str(voice), *known, "-o", str(folder / "no.mp4")]) == 1
    assert "what is known there is of other videos (s33_b.mpg, s33_bwwy3s.mpg, s33_c.mpg)" in capsys.readouterr().err
    assert not (folder / "no.mp4").exists()


def test_a_person_with_too_little_video_is_refused_in_one_line(make, folder):
    done = make("results/head/short/voice.mp4", check=False)
    assert done.returncode != 0
    assert "short: 3.0 s of video that can be used, of 3.0 s; 6 s in sum were expected, better 12" in done.stdout
    assert not (folder / "results" / "persons" / "short" / "landmarks.h5").exists()


def test_nobody_of_that_name_and_no_face_model_are_one_line(make):
    done = make("results/head/nobody/voice.mp4", check=False)
    assert "'nobody' is not a known person of people.tsv" in done.stdout
    done = make("results/head/gone/voice.mp4", check=False)
    assert "people.tsv: gone: there is no file 'away.mp4'; mend the column video" in done.stdout
    done = make("results/head/short/voice.mp4", check=False, config=("--config", "face_model=null"))
    assert "face_model is null in the config, and a head in space is asked for" in done.stdout


def test_identity_and_mouths_are_those_of_all_videos(made):
    with h5py.File(made / "persons" / "woman" / "mouths.h5") as file:
        assert len(file["pictures"]) == 225
        assert file["pictures"][0].std() > 10
        assert file["inside"].shape == (225, 3)
    with h5py.File(made / "persons" / "woman" / "faces.h5") as file:
        assert list(file) == ["video1", "video2", "video3"]
        assert json.dumps(list(file.attrs["names"])) == json.dumps(list(arkit.NAMES))
