"""What the viewer is made from: which clips, whose predictions, films around the face, arrays in the page."""

import base64
import json
import re

import cv2
import h5py
import numpy as np
import pytest
import soundfile

from talkface.errors import TalkfaceError
from talkface.evaluation import metrics
from talkface.evaluation.shown_clips import choose_rows, predict_viewer
from talkface.evaluation.tables import KEYS
from talkface.face.points import mouth_opening
from talkface.films.viewer_clips import cut_clips
from talkface.media.crop import face_crop
from talkface.media.encoding import encode
from talkface.media.video import probe
from talkface.models import checkpoint
from talkface.models.registry import build_network
from talkface.prediction.streaming import predict_file
from talkface.report.viewer import MISSING, QUANTUM, list_clips, pack_faces, waveform, write_viewer
from talkface.training.dataset import read_part, read_shape_model
from tests.toy_corpus import shapes, toy_dataset
from tests.toy_evaluation import write_surroundings
from tests.toy_tables import clips_table
from tests.toy_viewer import FRAMES, MODELS, write_page, write_parts


def unpack(text, kind="<i2"):
    return np.frombuffer(base64.b64decode(text), kind)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A toy dataset of three test clips, weights of a network, predictions from elsewhere: the truth in pixels."""
    folder = tmp_path_factory.mktemp("corpus")
    dataset = toy_dataset(folder / "toy.h5", rates=(8_000, 44_100))
    shared, _, _ = write_surroundings(folder, dataset)
    shape_model = read_shape_model(dataset).first(2)
    network = build_network("cnn", shape_model, {})
    content = checkpoint.pack_network(network, name="cnn", arguments={}, shape_model=shape_model)
    checkpoint.save_file(folder / "weights.pt", content | {"facts": {"steps": 7}})
    part = read_part(dataset, "test", rate=8_000)
    (folder / "elsewhere").mkdir()
    for index, clip in enumerate(part.clips):
        np.save(folder / "elsewhere" / f"{clip}.npy", part.shape_of(index) * 40 + 100)
    rows = "".join(
        f"cnn\tc\tdlib\ttest\t{clip}\ttoy\t\tclean\t\t\t{error}\t0.5\n" for clip, error in zip(part.clips, (2, 9, 4))
    )
    heads = "\t".join((*KEYS, "lip_rmse", "opening_correlation")) + "\n"
    (folder / "cnn.tsv").write_text(heads + rows + "cnn\tc\tdlib\ttest\ttest0\ttoy\t\tbabble\t0\t\t99\t0\n")
    return folder, dataset, shared["audio"], part


def predicted(corpus, output, *, tables, clips=2):
    folder, dataset, audio, _ = corpus
    predict_viewer(
        tables, output, dataset=dataset, audio=audio, weights={"cnn": folder / "weights.pt"},
        folders={"external-theirs": folder / "elsewhere"}, splits=["test"], clips=clips, seed=1, device="cpu",
    )  # fmt: skip
    return output


def test_the_worst_clips_are_those_of_the_largest_mean_error(tmp_path):
    tables = {model: tmp_path / f"{model}.tsv" for model in ("talkface", "cnn")}
    for model, path in tables.items():
        clips_table(model, splits=("test",)).to_csv(path, sep="\t", index=False)
    clean = [clips_table(model, splits=("test",)).query("condition == 'clean' and control == ''") for model in tables]
    means = (clean[0].set_index("clip")["lip_rmse"] + clean[1].set_index("clip")["lip_rmse"]) / 2
    index = clean[0].set_index("clip")[["speaker", "split"]]
    index.loc["other"] = ["x", "train"]
    chosen = choose_rows(tables, index, models=["talkface", "cnn", "new"], splits=["test"], clips=3)
    expected = list(means.sort_values(ascending=False).index[:3])
    assert chosen.groupby("model", sort=False)["clip"].apply(list).to_dict() == dict.fromkeys(
        ("talkface", "cnn", "new"), expected
    )
    assert np.isnan(chosen.loc[chosen["model"] == "new", "lip_rmse"]).all()
    told = chosen[chosen["model"] == "cnn"].set_index("clip")["lip_rmse"]
    assert told[expected[0]] == pytest.approx(clean[1].set_index("clip")["lip_rmse"][expected[0]])
    nothing = choose_rows({}, index, models=["new"], splits=["test"], clips=2)
    assert list(nothing["clip"]) == list(index.index[:2])


def test_predictions_are_those_of_the_models(corpus, tmp_path):
    folder, _, _, part = corpus
    path = predicted(corpus, tmp_path / "faces.h5", tables={"cnn": folder / "cnn.tsv"})
    with h5py.File(path) as file:
        assert sorted(file["truth"]) == sorted([part.clips[1], part.clips[2]])  # 9 and 4: the worst two
        clip = part.clips[1]
        assert file[f"prediction/cnn/{clip}"].attrs["lip_rmse"] == 9  # as the evaluation has it
        theirs = file[f"prediction/external-theirs/{clip}"]
        assert theirs.attrs["lip_rmse"] < 1  # was not evaluated: measured here
        assert theirs.attrs["lip_rmse"] == pytest.approx(metrics.LIP(theirs[:], part.shape_of(1)), abs=1e-4)
        assert file[f"truth/{clip}"].attrs["split"] == "test"
        soundfile.write(tmp_path / "a.wav", file[f"sound/{clip}"][:], int(file[f"sound/{clip}"].attrs["rate"]))
        predict_file(tmp_path / "a.wav", tmp_path / "a.npy", weights=folder / "weights.pt", seed=1, device="cpu")
        assert np.load(tmp_path / "a.npy")[..., :2] == pytest.approx(file[f"prediction/cnn/{clip}"][:], abs=1e-4)


def test_models_that_were_not_evaluated_are_shown_all_the_same(corpus, tmp_path):
    with h5py.File(predicted(corpus, tmp_path / "faces.h5", tables={}, clips=9)) as file:
        clips = list_clips(file, ["cnn", "external-theirs"])
    assert len(clips) == 3
    errors = [clip["error"] for clip in clips]
    assert errors == sorted(errors, reverse=True)
    assert all(clip["errors"][0] > 1 > clip["errors"][1] for clip in clips)


def test_a_prediction_that_is_missing_is_one_line(corpus, tmp_path):
    _, dataset, audio, _ = corpus
    (tmp_path / "empty").mkdir()
    with pytest.raises(TalkfaceError, match="there is no such file"):
        predict_viewer(
            {}, tmp_path / "faces.h5", dataset=dataset, audio=audio, weights={},
            folders={"external-theirs": tmp_path / "empty"}, splits=["test"], clips=1, seed=1,
        )  # fmt: skip
    assert not (tmp_path / "faces.h5").exists()


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """A video of 30 frames, 320x240, with a white square where the chin is; faces.h5 has sound of 40 frames."""
    folder = tmp_path_factory.mktemp("videos")
    face = 160 + 40 * shapes(np.zeros(30)).astype(float) - [0, 60]
    frames = np.full((30, 240, 320, 3), 60, np.uint8)
    for k, (x, y) in enumerate(np.round(face[:, 8]).astype(int)):
        frames[k, y - 6 : y + 7, x - 6 : x + 7] = 255
    encode(frames, folder / "a.mp4", size=(320, 240))
    with h5py.File(folder / "a.h5", "w") as file:
        group = file.create_group("a")
        group["landmarks"], group["detected"] = face.astype(np.float32), np.ones(30, bool)
        group["box"] = np.zeros((30, 4), np.float32)
        group.attrs.update(width=320, height=240, rejected="")
    with h5py.File(folder / "faces.h5", "w") as file:
        file["sound/a"] = np.zeros(16_000 * 40 // 25, np.int16)
        file["sound/a"].attrs["rate"] = 16_000
    return folder, face


def test_films_are_cut_around_the_face_and_last_as_long_as_the_sound(videos, tmp_path):
    folder, face = videos
    cut_clips(
        folder / "faces.h5", tmp_path / "sources", landmarks=[folder / "a.h5"], videos={"a": folder / "a.mp4"},
        stretches={"a": (None, None)}, size=128,
    )  # fmt: skip
    media = probe(tmp_path / "sources" / "a.mp4")
    assert (media.width, media.height, media.fps, media.has_audio) == (128, 128, 25, True)
    assert media.duration_s == pytest.approx(1.6, abs=0.05)
    crop = face_crop(face, width=320, height=240)
    with h5py.File(tmp_path / "sources" / "landmarks.h5") as file:
        placed, detected = file["a/landmarks"][:], file["a/detected"][:]
    assert placed[:, 8] * 128 - 0.5 == pytest.approx(crop.place(face[:, 8], size=128), abs=0.01)  # middle of a pixel
    assert detected.all()
    capture = cv2.VideoCapture(str(tmp_path / "sources" / "a.mp4"))
    frames = [capture.read()[1] for _ in range(40)]
    x, y = np.floor(placed[0, 8] * 128).astype(int)
    for frame in (frames[0], frames[29], frames[39]):  # the last one is held
        assert frame[y, x].min() > 200 > 100 > frame[10, 10].max()
    assert [path.name for path in tmp_path.iterdir()] == ["sources"]


def test_a_video_that_does_not_decode_leaves_nothing(videos, tmp_path):
    folder, _ = videos
    (tmp_path / "bad.mp4").write_bytes((folder / "a.mp4").read_bytes()[:900])
    with pytest.raises(TalkfaceError, match=r"bad\.mp4"):
        cut_clips(
            folder / "faces.h5", tmp_path / "sources", landmarks=[folder / "a.h5"],
            videos={"a": tmp_path / "bad.mp4"}, stretches={"a": (None, None)},
        )  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["bad.mp4"]


def test_landmarks_in_the_page_are_within_a_step():
    faces = np.random.default_rng(0).uniform(-1.5, 1.5, (7, 68, 2))
    faces[2, 5] = np.nan
    raw = unpack(pack_faces(faces)).reshape(7, 68, 2)
    assert (raw[2, 5] == MISSING).all()
    known = np.isfinite(faces)
    assert raw[known] / QUANTUM == pytest.approx(faces[known], abs=0.5001 / QUANTUM)


def test_the_waveform_is_the_loudest_of_each_hundredth():
    samples = np.zeros(16_050, np.int16)
    samples[[800, 16_040]] = -20_000, 10_000
    sizes = waveform(samples, 16_000)
    assert len(sizes) == 101
    assert (sizes[5], sizes[100], sizes.sum()) == (255, 128, 383)
    assert waveform(np.zeros(320, np.int16), 16_000).max() == 0


def test_the_page_holds_everything(tmp_path):
    page = write_page(tmp_path)
    text = page.read_text(encoding="utf-8")
    assert not re.search(r'(?:src|href)="(?!data:)', text)  # nothing is loaded from elsewhere
    assert "<script>boom" not in text
    blocks = re.findall(r'<script type="application/json" id="([\w-]+)">(.*?)</script>', text, flags=re.S)
    assert [name for name, _ in blocks] == ["index", "clip-0", "clip-1", "clip-2"]
    index, clip = json.loads(blocks[0][1]), json.loads(blocks[1][1])
    assert [each["clip"] for each in index["clips"]] == ["c", "b", "a"]
    assert [model["name"] for model in index["models"]] == list(MODELS)
    assert index["clips"][0]["frames"] == FRAMES
    assert clip["interpolated"] == [3]
    faces = unpack(clip["truth"]).reshape(-1, 68, 2) / QUANTUM
    assert clip["openings"][0] == pytest.approx(100 * mouth_opening(faces), abs=0.05)
    assert base64.b64decode(clip["film"])[4:8] == b"ftyp"


def test_a_page_without_clips_is_written(tmp_path):
    faces, films = write_parts(tmp_path / "viewer", errors={})
    write_viewer(tmp_path / "viewer.html", faces=faces, films=films, corpus="toy", models=MODELS)
    assert "0 clips" in (tmp_path / "viewer.html").read_text(encoding="utf-8")
