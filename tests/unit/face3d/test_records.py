"""Files of faces in space: from landmarks of a shard to a table of weights, and back."""

import h5py
import numpy as np
import pandas as pd
import pytest

from talkface.errors import TalkfaceError
from talkface.face.mesh.networks import BLENDSHAPES
from talkface.face.template import load_template
from talkface.face3d import arkit
from talkface.face3d.bases import load_bases
from talkface.face3d.camera import DISTANCE, Camera, Pose, turn_of
from talkface.face3d.records import (
    Motion,
    fit_shard,
    fit_speaker,
    read_identity,
    read_motion,
    read_weights,
    weigh_prediction,
    write_clip,
    write_weights,
)
from tests.unit.face3d.test_fit import film


@pytest.fixture(scope="module")
def shard(tmp_path_factory):
    """Landmarks of a clip by the mesh, of one without a face, and their fit."""
    folder = tmp_path_factory.mktemp("shard")
    landmarks, *_ = film(40)
    with h5py.File(folder / "landmarks.h5", "w") as file:
        one, other = file.create_group("ada_1"), file.create_group("ada_2")
        one["landmarks"], one["depth"] = landmarks.astype(np.float32), np.zeros((40, 68), np.float32)
        one["detected"] = np.arange(40) != 7
        scores = np.zeros((40, len(BLENDSHAPES)), np.float32)
        scores[:, BLENDSHAPES.index("eyeLookUpLeft")] = 0.6
        one["blendshapes"] = scores
        one.attrs.update(rejected="", detector="mesh", width=640, height=480)
        other.attrs.update(rejected="no face in 40 frames", detector="mesh", width=640, height=480)
    fit_speaker({"ada_1": folder / "landmarks.h5", "ada_2": folder / "landmarks.h5"}, folder / "ada.h5")
    fit_shard(folder / "landmarks.h5", folder / "ada.h5", folder / "faces.h5")
    return folder


def test_a_shard_is_fitted(shard):
    assert read_identity(shard / "ada.h5").shape == (100,)
    assert read_identity(None).shape == (0,)
    with h5py.File(shard / "faces.h5") as file:
        assert list(file.attrs["names"]) == list(arkit.NAMES)
        group = file["ada_1"]
        assert np.flatnonzero(group["interpolated"]).tolist() == [7]
        assert group["place"].shape == group["turn"].shape == (40, 3)
        assert 0 < group["error"][:].mean() < 6  # the toy's points lie on the model's, and not where the mesh sees them
    motion = read_motion(shard / "faces.h5", "ada_1")
    np.testing.assert_allclose(motion.weights[:, arkit.INDEX["eyeLookUpLeft"]], 0.6, atol=1e-6)  # the mesh's own
    with pytest.raises(TalkfaceError, match=r"ada_2: rejected \(no face in 40 frames\)"):
        read_motion(shard / "faces.h5", "ada_2")


def test_a_person_without_a_face_or_by_two_detectors_is_refused(shard, tmp_path):
    with pytest.raises(TalkfaceError, match=r"landmarks\.h5: no clip with a face"):
        fit_speaker({"ada_2": shard / "landmarks.h5"}, tmp_path / "x.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file, h5py.File(shard / "landmarks.h5") as source:
        source.copy("ada_1", file, name="ada_9")
        file["ada_9"].attrs["detector"] = "dlib"
    with pytest.raises(TalkfaceError, match="landmarks of dlib and mesh"):
        fit_speaker({"ada_1": shard / "landmarks.h5", "ada_9": tmp_path / "other.h5"}, tmp_path / "x.h5")
    assert not (tmp_path / "x.h5").exists()


def test_a_face_from_the_side_alone_is_said(shard, tmp_path):
    t = np.arange(30)
    bases = load_bases()
    pose = Pose(turn_of(np.column_stack([1.1 + 0.05 * np.sin(t), 0 * t, 0 * t])), np.tile([0, 0, -DISTANCE], (30, 1)))
    camera = Camera.for_face(110, width=640, height=480)
    with h5py.File(tmp_path / "side.h5", "w") as file:
        group = file.create_group("ada_3")
        group["landmarks"] = camera.project(pose.apply(bases.neutral)).astype(np.float32)
        group["detected"] = np.ones(30, bool)
        group.attrs.update(rejected="", detector="mesh", width=640, height=480)
    fit_shard(tmp_path / "side.h5", shard / "ada.h5", tmp_path / "faces.h5")
    said = r"ada_3: rejected \(the face is seen from the side alone, turned by \d\d degrees or more"
    with pytest.raises(TalkfaceError, match=said):
        read_motion(tmp_path / "faces.h5", "ada_3")
    with pytest.raises(TalkfaceError, match="no clip with a face"):
        fit_speaker({"ada_3": tmp_path / "side.h5"}, tmp_path / "x.h5")


def test_tables_hold_what_was_fitted(shard, tmp_path):
    write_clip(shard / "faces.h5", "ada_1", tmp_path / "ada_1.tsv")
    table = pd.read_csv(tmp_path / "ada_1.tsv", sep="\t")
    assert list(table) == ["time", *arkit.NAMES, "headYaw", "headPitch", "headRoll"]
    assert table["time"].tolist() == pytest.approx([frame / 25 for frame in range(40)])
    read, fitted = read_weights(tmp_path / "ada_1.tsv"), read_motion(shard / "faces.h5", "ada_1")
    np.testing.assert_allclose(read.weights, fitted.weights, atol=6e-5)
    np.testing.assert_allclose(read.turn, fitted.turn, atol=6e-5)


def test_a_prediction_is_weighed(tmp_path):
    np.save(tmp_path / "face.npy", np.repeat(load_template()[None], 4, axis=0))
    weigh_prediction(tmp_path / "face.npy", tmp_path / "face.tsv")
    motion = read_weights(tmp_path / "face.tsv")
    assert motion.weights.shape == (4, 52)
    assert motion.weights.max() < 0.01
    np.save(tmp_path / "bad.npy", np.zeros((4, 60, 2)))
    with pytest.raises(TalkfaceError, match=r"bad\.npy: an array \(4, 60, 2\)"):
        weigh_prediction(tmp_path / "bad.npy", tmp_path / "bad.tsv")
    (tmp_path / "bad.npy").write_bytes(b"a face")
    with pytest.raises(TalkfaceError, match=r"bad\.npy: not an \.npy array"):
        weigh_prediction(tmp_path / "bad.npy", tmp_path / "bad.tsv")
    assert not (tmp_path / "bad.tsv").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.rename(columns={"jawOpen": "JawOpen"}), "unknown column JawOpen"),
        (lambda table: table.drop(columns=["jawOpen", "headYaw"]), "no column jawOpen, headYaw"),
        (lambda table: table.assign(jawOpen=1.2), "values outside 0 .. 1 in jawOpen"),
        (lambda table: table.assign(jawOpen=np.nan), "values that are no numbers in jawOpen"),
        (lambda table: table.assign(jawOpen="wide"), "values that are no numbers in jawOpen"),
    ],
)
def test_another_table_is_refused(tmp_path, change, said):
    write_weights(Motion(np.zeros((3, 52), np.float32), np.zeros((3, 3))), tmp_path / "weights.tsv")
    change(pd.read_csv(tmp_path / "weights.tsv", sep="\t")).to_csv(tmp_path / "weights.tsv", sep="\t", index=False)
    with pytest.raises(TalkfaceError, match=f"weights.tsv: {said}"):
        read_weights(tmp_path / "weights.tsv")
