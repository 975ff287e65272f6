"""A speaking head as glTF, read by a reader that is not ours."""

import numpy as np
import pygltflib
import pytest
import trimesh

from talkface.export.gltf import METRES, write_gltf
from talkface.face3d import arkit
from talkface.face3d.camera import FLIP, turn_of
from talkface.face3d.face_model import load_face_model
from talkface.face3d.records import Motion
from tests.toy_head import write_toy_head

JAW = arkit.INDEX["jawOpen"]


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    return load_face_model(write_toy_head(tmp_path_factory.mktemp("head") / "head.npz"))


@pytest.fixture(scope="module")
def made(head, tmp_path_factory):
    """The file, and what moves in it."""
    rng = np.random.default_rng(0)
    motion = Motion(rng.uniform(0, 1, (20, 52)).astype(np.float32), rng.uniform(-0.3, 0.3, (20, 3)))
    path = tmp_path_factory.mktemp("glb") / "face.glb"
    write_gltf(head, motion, path, identity=[0.5, -1.0])
    return path, motion


def values(file, index):
    """The array of an accessor that is not sparse."""
    accessor = file.accessors[index]
    view = file.bufferViews[accessor.bufferView]
    width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor.type]
    raw = file.binary_blob()[view.byteOffset : view.byteOffset + view.byteLength]
    return np.frombuffer(raw, {5126: np.float32, 5123: np.uint16, 5125: np.uint32}[accessor.componentType]).reshape(
        accessor.count, width
    )


def test_targets_are_arkits_and_move_what_they_should(made, head):
    path, _ = made
    file = pygltflib.GLTF2().load(str(path))
    (mesh,) = file.meshes
    assert mesh.extras["targetNames"] == list(arkit.NAMES)
    assert {len(primitive.targets) for primitive in mesh.primitives} == {52}
    assert mesh.weights == [0.0] * 52
    names = [material.name for material in file.materials]
    assert set(names) == {"skin", "eyes"}  # the toy has no more
    assert mesh.primitives[0].attributes.COLOR_0 is not None
    sparse = file.accessors[mesh.primitives[0].targets[JAW]["POSITION"]].sparse
    rows, moved = (
        np.frombuffer(file.binary_blob()[view.byteOffset : view.byteOffset + view.byteLength], kind)
        for view, kind in (
            (file.bufferViews[sparse.indices.bufferView], np.uint16),
            (file.bufferViews[sparse.values.bufferView], np.float32),
        )
    )
    chin = int(head.landmarks[8])
    moved = moved.reshape(-1, 3)[np.flatnonzero(rows == chin)[0]]
    np.testing.assert_allclose(moved, METRES * head.expression[JAW, chin] * [1, -1, 1], rtol=1e-5)
    assert moved[1] < -0.01  # the chin drops by more than a centimetre


def test_one_animation_moves_weights_and_head(made):
    path, motion = made
    file = pygltflib.GLTF2().load(str(path))
    (animation,) = file.animations
    paths = {channel.target.path: animation.samplers[channel.sampler] for channel in animation.channels}
    assert set(paths) == {"weights", "rotation"}
    np.testing.assert_allclose(values(file, paths["weights"].input)[:, 0], np.arange(20) / 25, atol=1e-6)
    np.testing.assert_allclose(values(file, paths["weights"].output).reshape(20, 52), motion.weights)
    turns = trimesh.transformations.quaternion_matrix
    for frame, (x, y, z, w) in enumerate(values(file, paths["rotation"].output)):
        upright = FLIP @ turn_of(motion.turn[frame : frame + 1])[0] @ FLIP
        np.testing.assert_allclose(turns([w, x, y, z])[:3, :3], upright, atol=1e-5)


def test_another_reader_opens_it(made, head):
    path, _ = made
    scene = trimesh.load(path)
    assert sum(len(part.faces) for part in scene.geometry.values()) == len(head.triangles)
    person = head.person([0.5, -1.0])
    height = np.ptp(person[:68, 1]) * METRES
    assert scene.extents[1] == pytest.approx(height, rel=0.05)


def test_a_head_that_does_not_move_has_no_animation(head, tmp_path):
    write_gltf(head, Motion(np.empty((0, 52), np.float32), np.empty((0, 3))), tmp_path / "still.glb")
    assert not pygltflib.GLTF2().load(str(tmp_path / "still.glb")).animations
