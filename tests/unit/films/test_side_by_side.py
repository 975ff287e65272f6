"""Films of the worst clips: what is predicted for them, and what the films show."""

import re

import av
import cv2
import h5py
import numpy as np
import pandas as pd
import pytest

from talkface.drawing.canvas import to_bgr
from talkface.drawing.style import BLUE, INK
from talkface.evaluation import metrics
from talkface.evaluation.shown_clips import predict_worst
from talkface.face import points
from talkface.face.template import load_template
from talkface.films.side_by_side import HEAD, PANEL, SIZE, draw_worst, film_pair, paint_pairs
from talkface.media.video import probe
from talkface.models import checkpoint
from talkface.models.registry import build_network
from talkface.training.dataset import read_part, read_shape_model
from tests.toy_corpus import toy_dataset
from tests.toy_evaluation import write_surroundings


def talking(frames, *, height=0.15):
    """Template faces (frames, 68, 2) whose lips part and meet."""
    shapes = np.repeat(load_template()[None], frames, axis=0)
    for index in (65, 66, 67, 55, 56, 57, 58, 59):
        shapes[:, index, 1] += height * (1 - np.cos(np.arange(frames) / 2)) / 2
    return shapes


def frames_of(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1])
    return frames


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Two seconds: the truth speaks, the prediction keeps its mouth closed; a click at 1 s."""
    path = tmp_path_factory.mktemp("film") / "cnn" / "a b.mp4"
    sound = np.zeros(16_000, np.int16)
    sound[8_000:8_400] = 20_000
    shared = {"rate": 8_000, "title": "a b, speaker x", "note": "lip error 3.21 %", "model": "cnn"}
    film_pair(talking(50), talking(49, height=0), path, sound=sound, **shared)
    return path


def test_a_film_has_picture_and_sound_at_25_frames_a_second(film):
    media = probe(film)
    assert (media.width, media.height, media.fps) == (*SIZE, 25)
    assert media.duration_s == pytest.approx(2, abs=0.04)
    assert media.has_audio
    assert [path.name for path in film.parent.iterdir()] == ["a b.mp4"]
    with av.open(str(film)) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
        rate = container.streams.audio[0].rate
    assert np.flatnonzero(np.abs(sound) > 0.2)[0] / rate == pytest.approx(1.0, abs=0.02)


def test_the_truth_stands_left_and_the_prediction_right(film):
    frames = np.array(frames_of(film), np.int16)
    assert len(frames) == 50
    heights = []
    for left in (0, PANEL[0]):
        mouth = frames[:, HEAD + 230 : HEAD + 400, left + 140 : left + 340]
        red = (mouth[..., 2] > 140) & (mouth[..., 1] < 100)  # the lips
        heights.append((red * np.arange(red.shape[1])[:, None]).sum(axis=(1, 2)) / red.sum(axis=(1, 2)))
    assert np.std(heights[0]) > 3
    assert np.std(heights[1]) < 1  # there the line of the true lips alone moves
    # what is written above the faces: the truth in the colour of the text, the model in its own
    for place, colour in ((0, INK), (PANEL[0], BLUE)):
        label = frames[0, HEAD : HEAD + 30, place : place + 120].astype(float)
        assert np.abs(label - to_bgr(colour)).sum(axis=-1).min() < 60


def test_the_cursor_moves_with_time():
    pictures = paint_pairs(talking(5), talking(5), title="a", note="b", model="m", frames=5)
    strips = [picture[HEAD + PANEL[1] : SIZE[1]].astype(int).copy() for picture in pictures]
    places = [np.abs(strip - strips[(k + 1) % 5]).sum(axis=0) for k, strip in enumerate(strips)]
    assert all(row.max() > 500 for row in places)


@pytest.fixture(scope="module")
def predicted(tmp_path_factory):
    """worst.h5 of a network and of predictions from elsewhere, on a toy corpus."""
    folder = tmp_path_factory.mktemp("worst")
    dataset = toy_dataset(folder / "toy.h5", rates=(8_000,))
    shared, _, _ = write_surroundings(folder, dataset)
    shape_model = read_shape_model(dataset).first(2)
    network = build_network("cnn", shape_model, {})
    content = checkpoint.pack_network(network, name="cnn", arguments={}, shape_model=shape_model)
    checkpoint.save_file(folder / "weights.pt", content | {"facts": {"steps": 7}})
    part = read_part(dataset, "test", rate=8_000)
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    for index, clip in enumerate(part.clips):
        np.save(elsewhere / f"{clip}.npy", part.shape_of(index) * 40 + 100)
    rows = [
        ("test", model, clip, "toy", 2.5, correlation)
        for model, correlation in (("cnn", np.nan), ("external-theirs", 0.5), ("gone", 0.1))
        for clip in part.clips[:2]
    ]
    columns = ("split", "model", "clip", "speaker", "lip_rmse", "opening_correlation")
    pd.DataFrame(rows, columns=columns).to_csv(folder / "worst.tsv", sep="\t", index=False)
    predict_worst(
        folder / "worst.tsv", folder / "worst.h5", dataset=dataset, audio=shared["audio"],
        weights={"cnn": folder / "weights.pt"}, folders={"external-theirs": elsewhere}, seed=1, device="cpu",
    )  # fmt: skip
    return folder, part


def test_predictions_truth_and_sound_are_those_of_the_evaluation(predicted):
    folder, part = predicted
    with h5py.File(folder / "worst.h5") as file:
        assert sorted(file["prediction"]) == ["cnn", "external-theirs"]  # the third has neither weights nor folder
        assert sorted(file["truth"]) == sorted(part.clips[:2])
        clip = part.clips[0]
        assert file[f"truth/{clip}"][:] == pytest.approx(part.shape_of(0))
        assert np.array_equal(file[f"sound/{clip}"][:], part.audio_of(0))
        theirs = file[f"prediction/external-theirs/{clip}"]
        assert metrics.rmse(theirs[:], part.shape_of(0), indices=points.LIPS) < 3  # brought into the template frame
        assert theirs.attrs["lip_rmse"] == 2.5
        shape = file[f"prediction/cnn/{clip}"].shape
        assert abs(shape[0] - len(part.shape_of(0))) <= 1
        assert shape[1:] == (68, 2)


def test_every_prediction_becomes_a_film(predicted, tmp_path):
    folder, part = predicted
    draw_worst(folder / "worst.h5", tmp_path / "worst")
    films = sorted(str(path.relative_to(tmp_path / "worst")) for path in (tmp_path / "worst").rglob("*.*"))
    assert films == sorted(f"{model}/{clip}.mp4" for model in ("cnn", "external-theirs") for clip in part.clips[:2])
    assert all(re.fullmatch(r"[\w-]+/\w+\.mp4", name) for name in films)
    assert probe(tmp_path / "worst" / films[0]).has_audio


def test_no_clips_make_an_empty_folder(tmp_path):
    columns = "split\tmodel\tclip\tspeaker\tlip_rmse\topening_correlation\n"
    (tmp_path / "worst.tsv").write_text(columns)
    predict_worst(
        tmp_path / "worst.tsv", tmp_path / "worst.h5", dataset="none", audio=[], weights={}, folders={}, seed=1
    )
    draw_worst(tmp_path / "worst.h5", tmp_path / "worst")
    assert list((tmp_path / "worst").iterdir()) == []
