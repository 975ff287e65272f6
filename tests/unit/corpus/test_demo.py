import importlib.util
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import dlib
import h5py
import numpy as np
import pandas as pd
import pytest

from talkface.conventions import FPS
from talkface.corpus.demo import PAUSE_S, RATE_WPM, SIZE, make_clip, perform
from talkface.corpus.visemes import CLOSED, LIP_ON_TEETH, sounds
from talkface.drawing.characters import PEOPLE, Build, neutral_face, person_of
from talkface.errors import TalkfaceError
from talkface.evaluation import metrics
from talkface.face import points
from talkface.face.detection import track_face
from talkface.face.identity import neutral_shapes
from talkface.face.predictor import predictor_path
from talkface.face.template import load_template
from talkface.media.espeak import speak
from talkface.media.video import probe, read_frames

PROJECT = Path(__file__).resolve().parents[3]
CLIPS = pd.read_csv(PROJECT / "config" / "demo.tsv", sep="\t")
SHEET = pd.read_csv(PROJECT / "config" / "clips.tsv", sep="\t")
VOICES = list(CLIPS.voice.unique())


def read_clip(path):
    """Frames (T, H, W, 3) red, green, blue of a clip."""
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1][..., ::-1])
    return np.stack(frames)


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """The first clip of every voice: {voice: (video, truth, measured (T, 68, 2), faces found (T,))}."""
    folder = tmp_path_factory.mktemp("demo")
    models = Path(importlib.util.find_spec("face_recognition_models").origin).parent / "models"
    first = CLIPS.drop_duplicates("voice")

    def make(row):
        make_clip(folder / f"{row.clip}.mp4", folder / f"{row.clip}.h5", voice=row.voice, text=row.text)
        frames = read_clip(folder / f"{row.clip}.mp4")
        with h5py.File(folder / f"{row.clip}.h5") as file:
            truth = {name: file[name][:] for name in ("landmarks", "shape", "rest")}
            names, *times = (file[f"phonemes/{name}"][:] for name in ("name", "start_s", "end_s"))
            truth["phonemes"] = list(zip((name.decode() for name in names), *times, strict=True))
        # detectors keep state: one for each thread
        detect = dlib.get_frontal_face_detector()
        predict = dlib.shape_predictor(str(models / "shape_predictor_68_face_landmarks.dat"))
        found, measured = [], []
        for frame in np.ascontiguousarray(frames):
            boxes = detect(frame)
            found.append(len(boxes))
            part = predict(frame, boxes[0] if boxes else dlib.rectangle(0, 0, SIZE, SIZE))
            measured.append([(p.x, p.y) for p in part.parts()])
        return folder / f"{row.clip}.mp4", truth, np.array(measured, float), np.array(found)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(first.voice, pool.map(make, first.itertuples(index=False)), strict=True))


def test_the_shipped_sheet_names_what_the_rule_draws():
    assert list(SHEET["clip"]) == list(CLIPS["clip"])
    assert (SHEET.video == "resources/demo/" + SHEET["clip"] + ".mp4").all()
    assert (SHEET.marks == "resources/demo/truth/" + SHEET["clip"] + ".h5").all()
    assert len(CLIPS) >= 24
    assert len(VOICES) >= 6
    assert CLIPS.text.is_unique
    assert set(VOICES) <= set(PEOPLE)


def test_speakers_stand_in_one_split_and_have_one_voice():
    assert set(SHEET.split) == {"train", "valid", "test"}
    assert (SHEET.groupby("speaker").split.nunique() == 1).all()
    voices = CLIPS.set_index("clip").voice[SHEET["clip"]].to_numpy()
    assert (pd.Series(voices).groupby(SHEET.speaker).nunique() == 1).all()
    assert pd.Series(voices).groupby(SHEET.split).nunique().min() >= 2


@pytest.mark.slow
@pytest.mark.parametrize("voice", VOICES)
def test_dlib_finds_one_face_in_every_frame(clips, voice):
    assert (clips[voice][3] == 1).all()


@pytest.mark.slow
@pytest.mark.parametrize("voice", VOICES)
def test_the_measured_mouth_follows_the_drawn_one(clips, voice):
    _, truth, measured, _ = clips[voice]
    drawn = truth["landmarks"]
    for length, least in ((points.mouth_opening, 0.9), (points.mouth_width, 0.85)):
        assert np.corrcoef(length(measured), length(drawn))[0, 1] >= least
    error = np.linalg.norm(measured - drawn, axis=-1)[:, list(points.LIPS)] / points.outer_eye_distance(drawn).mean()
    assert error.mean() < 0.037  # of the outer-eye distance: 1.7 times what the ten measure on average


@pytest.mark.slow
@pytest.mark.parametrize("voice", VOICES)
def test_the_drawn_truth_measures_landmarking_and_identity_removal(clips, voice):
    """Our own tracker's points, freed of identity, against the motion that was drawn on the face of nobody."""
    video, truth, *_ = clips[voice]
    track = track_face(read_frames(probe(video)), predictor=predictor_path())
    assert track.detected.all()
    drawn = truth["landmarks"]
    error = (
        np.linalg.norm(track.landmarks - drawn, axis=-1)[:, list(points.LIPS)] / points.outer_eye_distance(drawn).mean()
    )
    assert error.mean() < 0.025
    template = load_template()
    motion = truth["shape"] - truth["rest"] + template
    errors, shapes = {}, {}
    for method, threshold, frames in (("fixed", 1.0, 5), ("published", 0.1, 1)):
        shapes[method], _ = neutral_shapes(
            [track.landmarks],
            template=template,
            method=method,
            threshold=threshold,
            reference_frames=frames,
            smooth_frames=9,
            reference="clip",
        )
        errors[method] = metrics.rmse(shapes[method], motion, indices=points.LIPS)
    # Not so published: within 0.1 deviations of the mean width a short clip may hold no closed mouth at all, and the
    # lips of those that are more closed than its reference cross.
    assert np.corrcoef(points.mouth_opening(shapes["fixed"]), points.mouth_opening(motion))[0, 1] > 0.9
    still = metrics.rmse(np.broadcast_to(template, motion.shape), motion, indices=points.LIPS)
    assert errors["fixed"] < 0.5 * still
    assert errors["fixed"] < errors["published"]


@pytest.mark.slow
@pytest.mark.parametrize("voice", VOICES)
def test_lips_close_part_and_round_with_the_sounds(clips, voice):
    video, truth, *_ = clips[voice]
    frames = read_clip(video)
    opening, width = points.mouth_opening(truth["shape"]), points.mouth_width(truth["shape"])
    for name, start, end in truth["phonemes"]:
        inside = slice(max(int(np.ceil(start * FPS - 0.7)), 0), int(end * FPS + 0.7) + 1)
        if name in CLOSED:
            assert opening[inside].min() < 0.004, name
        elif name in LIP_ON_TEETH:
            at = inside.start + np.argmin(np.abs(opening[inside] - 0.035))
            assert 0.01 < opening[at] < 0.06, name
            lips = truth["landmarks"][at][[61, 62, 63, 65, 66, 67]]
            low, high = np.floor(lips.min(axis=0)).astype(int), np.ceil(lips.max(axis=0)).astype(int)
            between = frames[at][low[1] : high[1] + 1, low[0] : high[0] + 1].mean(axis=-1)
            assert between.max() > 130, name  # teeth
        elif name and name[0] in "aɑæ" and end - start > 0.1:
            assert opening[inside].max() > 0.10, name
        elif name and name[0] in "uo" and end - start > 0.1:
            assert width[inside].min() < np.median(width) - 0.03, name


@pytest.mark.slow
def test_files_are_what_a_camera_would_give(clips):
    for path, truth, *_ in clips.values():
        media = probe(path)
        count = len(read_clip(path))
        assert (media.width, media.height, media.fps) == (SIZE, SIZE, FPS)
        assert media.has_audio
        assert 2.0 < media.duration_s < 4.0
        assert media.duration_s == pytest.approx(count / FPS, abs=1 / FPS)
        assert truth["landmarks"].shape == (count, 68, 2)
        assert np.isfinite(truth["landmarks"]).all()
        assert truth["phonemes"][0][:2] == ("", 0.0)
        assert truth["phonemes"][0][2] == pytest.approx(PAUSE_S)


@pytest.mark.slow
def test_people_differ(clips):
    means = np.array([read_clip(video)[0].mean(axis=(0, 1)) for video, *_ in clips.values()])
    faces = np.array([truth["rest"] for _, truth, *_ in clips.values()])
    apart = np.linalg.norm(faces[:, None] - faces[None], axis=-1).mean(axis=-1) + np.eye(len(faces))
    assert apart.min() > 0.005
    colours = np.linalg.norm(means[:, None] - means[None], axis=-1) + 1e3 * np.eye(len(means))
    assert colours.min() > 3


def test_the_same_row_gives_the_same_clip(tmp_path):
    for name in ("a", "b"):
        make_clip(tmp_path / f"{name}.mp4", tmp_path / f"{name}.h5", voice="en+m1", text="Hello.")
    assert np.array_equal(*(read_clip(tmp_path / f"{name}.mp4") for name in "ab"))
    with h5py.File(tmp_path / "a.h5") as first, h5py.File(tmp_path / "b.h5") as second:
        assert np.array_equal(first["landmarks"][:], second["landmarks"][:])
        assert first.attrs["text"] == "Hello."


def test_nothing_is_left_of_a_clip_that_failed(tmp_path):
    with pytest.raises(TalkfaceError, match="no sound"):
        make_clip(tmp_path / "a.mp4", tmp_path / "a.h5", voice="en+m1", text="")
    assert not list(tmp_path.iterdir())


def test_shape_is_the_landmarks_without_the_head():
    utterance = speak("Five boats.", voice="en-us+f2", rate_wpm=RATE_WPM)
    acting = perform(utterance, build=person_of("en-us+f2").build, rng=np.random.default_rng(0))
    assert np.allclose(acting.shape[:, [36, 45]], [[-0.5, 0], [0.5, 0]], atol=1e-9)
    for landmarks, shape in zip(acting.landmarks[::9], acting.shape[::9], strict=True):
        # a similarity takes one to the other
        a, b = (x - x.mean(axis=0) for x in (shape, landmarks))
        u, scale, vt = np.linalg.svd(a.T @ b)
        assert np.allclose(a @ (u @ vt) * scale.sum() / (a**2).sum(), b, atol=1e-6)
    moved = acting.landmarks[:, 30] - acting.landmarks[0, 30]
    assert 0.5 < np.abs(moved).max() < 25  # pixels: a slight motion


def test_rest_is_closed_and_upright():
    for person in PEOPLE.values():
        face = neutral_face(person.build)
        assert points.mouth_opening(face) == pytest.approx(0, abs=1e-9)
        assert np.allclose(face[[36, 45]], [[-0.5, 0], [0.5, 0]], atol=1e-9)
        assert np.allclose(face[points.MIRROR] * [-1, 1], face, atol=1e-9)


def test_an_unknown_voice_gets_a_person_of_its_own():
    first, again, other = (person_of(voice) for voice in ("en-us+m5", "en-us+m5", "en-us+m6"))
    assert first == again
    assert first.build != other.build
    assert first.build != Build()


def test_every_sentence_has_lips_and_vowels():
    # a split that never closes its lips could not show that they close
    for split, rows in SHEET.groupby("split"):
        text = " ".join(CLIPS.set_index("clip").text[rows["clip"]]).lower()
        assert set("mbpfvow") <= set(text), split
    assert {part[0] for part in sounds(speak("Bob may fix it.", voice="en-us").phonemes)} >= {"b", "m", "f"}
