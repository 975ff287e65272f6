"""Predictions made elsewhere: brought into the template frame, measured like those of a model, faults in one line."""

import numpy as np
import pytest
import soundfile

from talkface.corpus.sheet import find_predictions
from talkface.errors import TalkfaceError
from talkface.evaluation import metrics
from talkface.evaluation.external import evaluate_external
from talkface.evaluation.tables import KEYS, read_clips
from talkface.face.faces import load_shapes
from talkface.prediction.external import import_prediction, read_prediction
from talkface.training.dataset import read_part
from tests.toy_corpus import shapes, toy_dataset
from tests.toy_evaluation import write_surroundings

FACES = shapes(np.linspace(0, 1, 50)).astype(np.float64)


def save(path, array):
    np.save(path, array)
    return path


def in_pixels(faces):
    """Turned, scaled and moved, with a third coordinate, as another system might have them."""
    turn = 120 * np.array([[0.96, 0.28], [-0.28, 0.96]])
    depth = 60 * np.abs(faces[..., :1])
    return np.concatenate([faces @ turn + [320, 240], depth], axis=-1)


def test_one_similarity_for_all_frames(tmp_path):
    moved = in_pixels(FACES)
    moved[:25, :, :2] += 5  # the head moves: this stays
    made = read_prediction(save(tmp_path / "a.npy", moved), frames=50)
    assert made.dtype == np.float32
    corners = made[:, [36, 45], :2].mean(axis=0)
    np.testing.assert_allclose(corners, [[-0.5, 0], [0.5, 0]], atol=1e-6)
    np.testing.assert_allclose(made[25:, :, :2] - made[25, :1, :2], FACES[25:] - FACES[25, :1], atol=1e-5)
    np.testing.assert_allclose(made[..., 2], 0.5 * np.abs(FACES[..., 0]), atol=1e-6)  # scaled alike
    shift = made[0, 33, :2] - made[30, 33, :2]
    assert np.linalg.norm(shift) == pytest.approx(5 * np.sqrt(2) / 120, rel=1e-3)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32])
def test_any_numbers_and_two_coordinates(tmp_path, dtype):
    made = read_prediction(save(tmp_path / "a.npy", in_pixels(FACES)[..., :2].astype(dtype)), frames=50)
    assert made.shape == (50, 68, 2)
    np.testing.assert_allclose(made, FACES, atol=0.03)


def test_what_is_there_already_is_unchanged(tmp_path):
    np.testing.assert_allclose(read_prediction(save(tmp_path / "a.npy", FACES), frames=50), FACES, atol=1e-6)
    strayed = FACES + 0.005  # as predictions of our own models do
    np.testing.assert_allclose(read_prediction(save(tmp_path / "b.npy", strayed), frames=50), strayed, atol=1e-6)


def test_one_frame_less_or_more_is_well(tmp_path):
    path = save(tmp_path / "a.npy", FACES)
    for frames in (49, 50, 51):
        assert len(read_prediction(path, frames=frames)) == 50
    for frames in (48, 52):
        with pytest.raises(TalkfaceError, match=rf"a\.npy: 50 frames; {frames} were expected for its sound"):
            read_prediction(path, frames=frames)


def nan(faces):
    faces = faces.copy()
    faces[7, 3] = np.nan
    return faces


def unseen(faces, *frames):
    faces = faces.copy()
    faces[list(frames)] = np.nan
    return faces


def test_the_first_face_is_held_where_none_was_found_before(tmp_path, caplog):
    """As the replication toolkit writes them: rows of NaN until a face is found."""
    made = read_prediction(save(tmp_path / "a.npy", unseen(FACES, 0, 1, 2)), frames=50)
    np.testing.assert_allclose(made[3:], FACES[3:], atol=1e-6)
    np.testing.assert_array_equal(made[:3], made[[3, 3, 3]])
    assert "a.npy: no face in the first 3 of 50 frames; the first face is held there" in caplog.text


class Code:
    """What a pickle would run."""

    def __reduce__(self):
        return print, ("run",)


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (FACES[:, :67], r"an array \(50, 67, 2\); \(frames, 68, 2\) or \(frames, 68, 3\) was expected"),
        (FACES.reshape(50, 136), r"an array \(50, 136\); "),
        (FACES[..., :1], r"an array \(50, 68, 1\); "),
        (FACES[:0], r"0 frames; 50 were expected"),
        (nan(FACES), r"1 of 50 frames hold NaN or infinite values, the first is frame 7"),
        (unseen(FACES, 0, 9), r"1 of 50 frames hold NaN or infinite values, the first is frame 9"),
        (unseen(FACES, *range(50)), r"all 50 frames are NaN; a face was expected"),
        (FACES.astype("U8"), r"an array of <U8; numbers were expected"),
        (FACES + 1j, r"an array of complex128; numbers were expected"),
        (np.array([Code()]), r"not readable \(Object arrays cannot be loaded"),
        (np.ones((50, 68, 2)), r"both outer eye corners at one place"),
        (FACES * [1, -1], r"the chin lies above the eyes; y was expected to point down"),
    ],
)
def test_faults_are_one_line(tmp_path, capsys, array, found):
    with pytest.raises(TalkfaceError, match=r"a\.npy: " + found) as error:
        read_prediction(save(tmp_path / "a.npy", array), frames=50)
    assert "\n" not in str(error.value)
    assert "run" not in capsys.readouterr().out


def test_no_file_and_no_array(tmp_path):
    with pytest.raises(TalkfaceError, match="there is no such file"):
        read_prediction(tmp_path / "none.npy", frames=50)
    (tmp_path / "a.npy").write_bytes(b"landmarks")
    with pytest.raises(TalkfaceError, match=r"a\.npy: not readable"):
        read_prediction(tmp_path / "a.npy", frames=50)


def test_a_prediction_like_ours(tmp_path):
    """Written for the sound it belongs to, and fit to be animated."""
    soundfile.write(tmp_path / "a.wav", np.full(44_100 * 2, 0.1), 44_100)  # 2 s: 51 frames
    import_prediction(save(tmp_path / "a.npy", in_pixels(FACES)), tmp_path / "out.npy", audio=tmp_path / "a.wav")
    made = np.load(tmp_path / "out.npy", allow_pickle=False)
    assert (made.shape, made.dtype) == ((50, 68, 3), np.float32)
    np.testing.assert_allclose(load_shapes(tmp_path / "out.npy"), FACES, atol=1e-5)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return toy_dataset(tmp_path_factory.mktemp("toy") / "toy.h5", rates=(8_000,))


@pytest.fixture
def folder(dataset, tmp_path):
    """Predictions of the test clips: the truth, in pixels, a frame longer."""
    part = read_part(dataset, "test", rate=8_000)
    for index, clip in enumerate(part.clips):
        truth = part.shape_of(index).astype(np.float64)
        save(tmp_path / f"{clip}.npy", in_pixels(np.concatenate([truth, truth[-1:]])))
    return tmp_path


def evaluate(dataset, folder):
    shared = write_surroundings(folder, dataset)[0]
    keywords = shared | {"folder": folder, "model": "external-x", "splits": ["test"], "seed": 1}
    evaluate_external(dataset, folder / "x.tsv", **keywords)
    return read_clips(folder / "x.tsv")


def test_the_table_is_that_of_a_model_without_noise(dataset, folder):
    table = evaluate(dataset, folder)
    assert tuple(table) == (*KEYS, *metrics.MEASURES)
    assert set(table["model"]) == {"external-x"}
    assert set(table["condition"]) == {"clean"}
    assert table.groupby("control").size().to_dict() == {"": 3, "shuffled": 3, "other_audio": 3}
    own = table[table["control"] == ""]
    assert (own["lip_rmse"] < 0.01).all()
    np.testing.assert_allclose(own["opening_correlation"], 1, atol=1e-4)


def test_an_accepted_clip_without_prediction(dataset, folder):
    clip = read_part(dataset, "test", rate=8_000).clips[1]
    (folder / f"{clip}.npy").unlink()
    with pytest.raises(TalkfaceError, match=rf": no {clip}\.npy; predictions of all accepted test clips were expected"):
        evaluate(dataset, folder)
    assert not (folder / "x.tsv").exists()


def test_folders(tmp_path):
    save(tmp_path / "a.npy", FACES)
    save(tmp_path / "other.npy", FACES)
    assert find_predictions(tmp_path, name="x", clips=["a", "b"]) == {"a": str(tmp_path / "a.npy")}
    with pytest.raises(TalkfaceError, match=r"config, external\.x: .* holds no prediction of a known clip"):
        find_predictions(tmp_path, name="x", clips=["b"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(TalkfaceError, match=r"config, external\.x: .*empty holds no prediction of a known clip"):
        find_predictions(tmp_path / "empty", name="x", clips=["a"])
    with pytest.raises(TalkfaceError, match=r"config, external\.x: .*none is no folder"):
        find_predictions(tmp_path / "none", name="x", clips=["a"])
