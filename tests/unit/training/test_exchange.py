"""Training files of the published systems: what is written comes back and trains, what is wrong is said in one line."""

import h5py
import numpy as np
import pytest
import torch

from talkface.errors import TalkfaceError
from talkface.face.points import OUTER_EYE_CORNERS
from talkface.media.sound import resample
from talkface.models.inputs import digest_arrays
from talkface.models.registry import build_network, network_class
from talkface.training import exchange, export
from talkface.training.batches import Batches
from talkface.training.dataset import read_part, read_shape_model, write_dataset
from talkface.training.recipe import Recipe
from talkface.training.train import read_material
from tests.foreign import write_shape_files
from tests.toy_corpus import toy_clip, toy_shape_model
from tests.toy_stages import write_stages

PUBLISHED = network_class("cnn").PUBLISHED["arguments"]
ROWS = {"a": 1, "b": 3, "c": 1, "d": 2}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """What earlier stages leave, and the dataset of the same clips."""
    folder = tmp_path_factory.mktemp("corpus")
    write_dataset(folder / "corpus.h5", write_stages(folder), corpus="toy")
    return folder


@pytest.fixture(scope="module")
def stages(corpus):
    results = corpus / "results"
    return {
        "quality": results / "qc" / "clips.tsv",
        "audio": sorted((results / "audio").glob("*.h5")),
        "shapes": sorted((results / "shapes").glob("*.h5")),
    }


@pytest.fixture(scope="module")
def file_a(corpus, stages):
    landmarks = sorted((corpus / "results" / "landmarks").glob("*.h5"))
    export.export_a(corpus / "export_a.hdf5", **stages, landmarks=landmarks)
    return corpus / "export_a.hdf5"


@pytest.fixture(scope="module")
def file_b(corpus, stages):
    export.export_b(corpus / "export_b.hdf5", **stages)
    return corpus / "export_b.hdf5"


@pytest.mark.parametrize(
    ("which", "shapes"),
    [
        ("file_a", {"MelFeatures": (7, 75, 128), "flmark": (7, 75, 136)}),
        ("file_b", {"landmarks": (7, 75, 6), "speech": (7, 24_000)}),
    ],
)
def test_the_layouts_are_the_published_ones(which, shapes, request):
    with h5py.File(request.getfixturevalue(which)) as file:
        assert {name: file[name].shape for name in shapes} == shapes
        assert all(file[name].dtype == np.float32 and np.isfinite(file[name][:]).all() for name in shapes)
        clips = list(file["clip"].asstr()[:])
        assert {name: clips.count(name) for name in dict.fromkeys(clips)} == ROWS  # no clip of the test split
        assert [str(speaker) for speaker in file["speaker"].asstr()[:]] == ["one"] * 4 + ["two"] * 3


def test_coefficients_and_sound_come_back(corpus, file_b):
    part, shape_model = exchange.read_training_file(file_b)
    stored = read_shape_model(corpus / "corpus.h5")
    np.testing.assert_allclose(shape_model.mean, stored.mean, atol=1e-9)
    np.testing.assert_allclose(shape_model.components, stored.components, atol=1e-6)
    assert (len(part), part.rate) == (7, 8_000)
    whole = read_part(corpus / "corpus.h5", "train", rate=8_000)
    np.testing.assert_allclose(part.shape[75 : 75 + 160], whole.shape_of(1), atol=1e-3)  # what six coefficients hold
    np.testing.assert_allclose(part.targets[:75], stored.encode(whole.shape_of(0)), atol=1e-6)
    assert (part.targets[75 + 160 : 4 * 75] == part.targets[75 + 159]).all()  # the last frame, repeated
    own = resample(toy_clip("b", frames=160, seed=1).audio[44_100], 44_100, 8_000).astype(float)
    sound = part.audio[24_000 : 4 * 24_000].astype(float)
    np.testing.assert_allclose(sound[: len(own)] / 32_768, own / np.abs(own).max(), atol=1e-4)
    assert np.abs(sound).max() == 32_768  # each clip at full scale
    assert not sound[160 * 320 :].any()  # then silence


def test_features_and_faces_come_back(corpus, file_a):
    part, shape_model = exchange.read_training_file(file_a, components=4)
    assert len(shape_model) == 4
    assert part.features.shape == (525, 128)
    assert part.targets.shape == (525, 136)
    assert 0 < part.targets.min() < part.targets.max() < 1
    corners = part.shape[:, list(OUTER_EYE_CORNERS)]
    np.testing.assert_allclose(corners, np.broadcast_to([[-0.5, 0], [0.5, 0]], corners.shape), atol=1e-6)
    # The made-up face does not move its eyes, so it comes back but for where it stood in its first frame.
    whole = read_part(corpus / "corpus.h5", "train", rate=8_000)
    moved = whole.shape_of(1) - whole.shape_of(1)[0]
    np.testing.assert_allclose(part.shape[75:235] - part.shape[75], moved, atol=0.02)
    assert not part.features[0].any()  # no differences before the first frame
    assert part.features[76].any()
    assert part.features[149:151].any(axis=1).all()  # a row that goes on with a clip does


def test_rows_of_a_clip_stay_on_one_side(file_b):
    settings = Recipe.read({"network": "cnn"}, name="cnn")
    parts, _, corpus = read_material(file_b, settings, model="cnn", seed=1)
    assert corpus == "export_b"
    assert not set(parts["train"].clips) & set(parts["valid"].clips)


@pytest.mark.parametrize(
    ("which", "block"),
    [
        ("file_a", {"network": "lstm", "arguments": {"features": "differences", "hidden": 8}, "frames": 20}),
        ("file_b", {"network": "cnn", "frames": 6}),
    ],
)
def test_they_train(which, block, request):
    from talkface.training.loop import fit

    settings = Recipe.read({**block, "stretches": 2, "max_steps": 3}, name="mine")
    parts, shape_model, _ = read_material(request.getfixturevalue(which), settings, model="mine", seed=1)
    run = fit(parts, shape_model, settings, seed=1)
    assert run.step == 3
    assert np.isfinite(run.best_loss)
    assert digest_arrays(*parts.values()) == digest_arrays(*parts.values())


@pytest.mark.parametrize(
    ("which", "network", "found"),
    [
        ("file_a", "cnn", r"export_a\.hdf5: holds features of sound at 44100 Hz; network 'cnn' hears sound at 8000 Hz"),
        ("file_b", "lstm", r"export_b\.hdf5: holds sound at 8000 Hz; network 'lstm' hears features of sound at 44100"),
        ("file_b", "talkface", "network 'talkface' hears sound at 16000 Hz; give cnn as its network"),
    ],
)
def test_a_network_that_hears_something_else_is_refused(which, network, found, request):
    settings = Recipe.read({"network": network}, name="mine")
    with pytest.raises(TalkfaceError, match=found):
        read_material(request.getfixturevalue(which), settings, model="mine", seed=1)


def write_a(path, *, rows=3, last_empty=False, **changed):
    generator = np.random.default_rng(0)
    faces = 0.5 + 0.4 * toy_shape_model().mean
    arrays = {
        "MelFeatures": generator.standard_normal((rows, 75, 128)),
        "flmark": faces.reshape(-1) + 0.01 * generator.standard_normal((rows, 75, 136)),
    }
    if last_empty:
        for array in arrays.values():
            array[-1] = 0
    with h5py.File(path, "w") as file:
        for name, array in (arrays | changed).items():
            if array is not None:
                file[name] = array
    return path


def write_b(path, *, rows=3, **changed):
    generator = np.random.default_rng(0)
    arrays = {"landmarks": generator.standard_normal((rows, 75, 6)), "speech": generator.uniform(-1, 1, (rows, 24_000))}
    with h5py.File(path, "w") as file:
        for name, array in (arrays | changed).items():
            if array is not None:
                file[name] = array
    return path


def test_the_empty_last_row_is_dropped(tmp_path, caplog):
    part, _ = exchange.read_training_file(write_a(tmp_path / "a.hdf5", last_empty=True))
    assert len(part) == 2
    assert part.features.shape == (150, 128)
    assert "a.hdf5: the last row is empty" in caplog.text
    with pytest.raises(TalkfaceError, match="no row but an empty one"):
        exchange.read_training_file(write_a(tmp_path / "b.hdf5", rows=1, last_empty=True))


def test_a_file_of_2020_as_it_was_written(tmp_path):
    """Whole numbers, and the three-dimensional shape model in files of its own."""
    files = write_shape_files(tmp_path)
    speech = np.random.default_rng(1).integers(-30_000, 30_000, (3, 24_000)).astype(np.int16)
    part, shape_model = exchange.read_training_file(write_b(tmp_path / "b.hdf5", speech=speech), files)
    np.testing.assert_array_equal(part.audio.reshape(3, -1), speech)
    assert shape_model.mean.shape == (68, 3)
    assert part.shape.shape == (225, 68, 2)
    np.testing.assert_allclose(part.shape[5], shape_model.decode(part.targets[5])[:, :2], atol=1e-5)


@pytest.mark.parametrize("scale", [0.05, 1.0, 900.0])
def test_a_file_of_2020_is_learnt_from_at_its_own_level(tmp_path, scale):
    """Published: samples as they are stored, floats of any scale; repaired: at the level of generation."""
    speech = scale * np.random.default_rng(1).uniform(-1, 1, (3, 24_000))
    path = write_b(tmp_path / "b.hdf5", speech=speech)
    part, shape_model = exchange.read_training_file(path, write_shape_files(tmp_path))
    clip, start = torch.tensor([1]), torch.tensor([20])
    published = build_network("cnn", shape_model, PUBLISHED)
    sound = Batches(part, published, torch.device("cpu")).cut(clip, start, 1).sound[0].numpy()
    middle = 320 * (20 + 3) + 160  # the 20th window that is learnt from begins with frame 20
    np.testing.assert_allclose(sound[160:], speech[1, middle - 1120 : middle + 1120], rtol=1e-6, atol=scale * 1e-7)
    repaired = build_network("cnn", shape_model, {})
    sound = Batches(part, repaired, torch.device("cpu")).cut(clip, start, 1).sound[0].numpy()
    assert 0.6 < np.abs(sound).max() <= 1.001


def test_only_whole_windows_of_a_clip_are_learnt_from_as_published(tmp_path):
    """Rows of 75 frames give windows 0 .. 66, whose middle frames are 3 .. 69."""
    part, shape_model = exchange.read_training_file(write_b(tmp_path / "b.hdf5"), write_shape_files(tmp_path))
    published = build_network("cnn", shape_model, PUBLISHED)
    corpus = Batches(part, published, torch.device("cpu"))
    assert corpus.lengths.tolist() == [67, 67, 67]
    batch = corpus.cut(torch.tensor([0, 2]), torch.tensor([0, 66]), 2)
    assert batch.known.tolist() == [[True, True], [True, False]]
    np.testing.assert_array_equal(batch.target[0, 0].numpy(), part.targets[3])
    np.testing.assert_array_equal(batch.target[1, 0].numpy(), part.targets[2 * 75 + 69])
    assert Batches(part, build_network("cnn", shape_model, {}), torch.device("cpu")).lengths.tolist() == [75] * 3


def nan(shape, row):
    array = np.full(shape, 0.5)
    array[row, 3] = np.nan
    return array


@pytest.mark.parametrize(
    ("write", "changed", "found"),
    [
        (write_a, {"flmark": nan((3, 75, 136), 2)}, r"flmark holds NaN or infinite values in row 2; numbers were exp"),
        (write_a, {"MelFeatures": nan((3, 75, 128), 0)}, r"MelFeatures holds NaN or infinite values in row 0"),
        (write_b, {"speech": nan((3, 24_000), 1)}, r"speech holds NaN or infinite values in row 1"),
        (write_a, {"flmark": np.zeros((3, 75, 68))}, r"flmark has the shape \(3, 75, 68\); \(rows, 75, 136\) was exp"),
        (write_a, {"MelFeatures": np.zeros((3, 74, 128))}, r"\(3, 74, 128\); \(rows, 75, 128\) was expected"),
        (
            write_b,
            {"speech": np.zeros((3, 23_824))},
            r"speech has the shape \(3, 23824\); \(rows, 24000\) was exp",
        ),
        (write_b, {"landmarks": np.zeros((3, 75))}, r"landmarks has the shape \(3, 75\); \(rows, 75, K\) was expected"),
        (write_b, {"landmarks": np.zeros((0, 75, 6))}, "landmarks has no rows"),
        (write_b, {"landmarks": np.zeros((2, 75, 6))}, "landmarks has 2 rows and speech 3; as many were expected"),
        (write_b, {"landmarks": np.zeros((3, 75, 5))}, "landmarks has 5 coefficients a frame; 6 were expected"),
        (write_b, {"speech": np.full((3, 24_000), b"x")}, r"speech is no array of numbers; \(rows, 24000\) was exp"),
        (write_b, {"speech": None}, "holds landmarks; a training file with MelFeatures and flmark, or with"),
        (write_a, {"flmark": np.full((3, 75, 136), 0.5)}, r"outer eye corners at one place in row 0, frame 0"),
    ],
)
def test_faults_are_one_line(tmp_path, write, changed, found):
    path = write(tmp_path / "file.hdf5", **changed)
    with pytest.raises(TalkfaceError, match=r"file\.hdf5: .*" + found) as error:
        exchange.read_training_file(path, write_shape_files(tmp_path))
    assert "\n" not in str(error.value)


def test_coefficients_without_a_shape_model(tmp_path):
    with pytest.raises(TalkfaceError, match=r"file\.hdf5: holds coefficients and no shape model; give its files mean"):
        exchange.read_training_file(write_b(tmp_path / "file.hdf5"))


def test_no_hdf5(tmp_path):
    (tmp_path / "file.hdf5").write_text("landmarks")
    with pytest.raises(TalkfaceError, match=r"file\.hdf5: not readable as HDF5"):
        exchange.read_training_file(tmp_path / "file.hdf5")
