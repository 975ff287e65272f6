import logging

import cv2
import numpy as np
import pytest

from talkface.face import depth, points
from talkface.face.depth import Skin, in_space, load_depth, load_relief
from talkface.face.shape_files import read_shape_model_files
from talkface.face.template import resting_face

REST = resting_face()


def opened(amount, *, drop=0.0, narrower=0.0):
    """The resting face with the lower lip and the chin lowered, and the mouth narrowed: (1, 68, 2)."""
    face = REST.copy()
    face[[55, 56, 57, 58, 59, 65, 66, 67], 1] += amount
    face[5:12, 1] += drop
    face[list(points.LIPS), 0] *= 1 - narrower / points.mouth_width(REST)
    return face[None]


def test_the_table_is_a_face_that_looks_at_the_viewer():
    z, swing, narrowing = load_depth().T
    assert np.argmax(z) == 30  # the tip of the nose
    assert z[[36, 45]] == pytest.approx(0, abs=1e-5)
    assert 0.8 < z[30] - z[[0, 16]].mean() < 1.3
    assert np.allclose(load_depth()[points.MIRROR], load_depth(), atol=1e-4)
    assert not swing[17:48].any()  # brows, eyes and nose keep their depth
    assert not narrowing[:48].any()


def test_depth_is_that_of_a_shape_model_made_elsewhere(shared_data):
    folder = shared_data / "reference"
    files = {"mean": folder / "eskimez2020_mean_shape.npy", "components": folder / "eskimez2020_eigen_vectors.npy"}
    theirs = read_shape_model_files(files)[0].mean.reshape(68, 3)[17:, 2]
    ours = load_depth()[17:, 0]
    assert np.corrcoef(ours, theirs)[0, 1] > 0.93
    assert np.abs(ours - theirs).mean() < 0.07


def test_the_tables_are_what_the_model_gives(shared_data, resource):
    maker = resource("measure_depth")
    table, relief = maker.measure(maker.Head(shared_data / "models" / "ict_facekit.npz"))
    assert table == pytest.approx(load_depth(), abs=2e-4)
    assert relief == pytest.approx(load_relief(), abs=2e-4)


def test_a_jaw_that_drops_swings_back():
    still, moved = in_space(opened(0), rest=REST)[0], in_space(opened(0.2, drop=0.15), rest=REST)[0]
    back = still[:, 2] - moved[:, 2]
    assert 0.1 < back[8] < 0.4
    assert 0.1 < back[66] < 0.4
    assert abs(back[62]) < 0.05  # the upper lip stays
    assert not back[17:48].any()
    assert back[8] > back[5] > back[2] - 1e-9


def test_a_head_that_nods_drops_no_jaw():
    lower = REST[None] + [0, 0.2]
    assert in_space(lower, rest=REST)[..., 2] == pytest.approx(load_depth()[None, :, 0])


def test_a_mouth_that_narrows_pushes_the_lips_forward():
    narrow = in_space(opened(0, narrower=0.15), rest=REST)[0, :, 2] - load_depth()[:, 0]
    assert (narrow[list(points.LIPS)] > 0.03).all()
    assert narrow[48] > narrow[57]


def test_three_coordinates_keep_their_depth_and_look_at_the_viewer(caplog):
    deep = in_space(REST[None].repeat(3, axis=0), rest=REST) * [1, 1, 1.5] + [0, 0, 7]
    for sign, told in ((1, False), (-1, True)):
        caplog.clear()
        with caplog.at_level(logging.INFO, logger="talkface.face.depth"):
            space = in_space(deep * [1, 1, sign], rest=REST)
        assert space == pytest.approx(deep - [0, 0, 7])
        assert ("turned round" in caplog.text) == told


def test_a_third_coordinate_without_relief_counts_as_none(caplog):
    flat = np.concatenate([opened(0.1), np.full((1, 68, 1), 3.0)], axis=-1)
    with caplog.at_level(logging.WARNING, logger="talkface.face.depth"):
        assert in_space(flat, rest=REST) == pytest.approx(in_space(opened(0.1), rest=REST))
    assert "no relief" in caplog.text


def test_the_skin_moves_with_the_head():
    skin = Skin()
    whole = np.concatenate([skin.rest, skin.relief])
    for matrix in (np.eye(3), 1.2 * np.eye(3), np.diag([1, 1.1, 1.4]), cv2.Rodrigues(np.array([0.2, -0.4, 0.1]))[0]):
        followed = skin.follow((skin.rest @ matrix + [0.3, -0.2, 0.5])[None])[0]
        assert followed == pytest.approx(whole @ matrix + [0.3, -0.2, 0.5], abs=1e-9)


def test_the_skin_turns_with_the_head():
    skin = Skin()
    whole = np.concatenate([skin.rest, skin.relief])
    turns = [cv2.Rodrigues(np.array([0, angle, angle / 3]))[0] for angle in (-0.3, 0, 0.3)]
    followed = skin.follow(np.stack([skin.rest @ turn + [0.1, 0.2, 0] for turn in turns]))
    still = np.stack([(face - [0.1, 0.2, 0]) @ turn.T for face, turn in zip(followed, turns, strict=True)])
    assert np.abs(still - still[0]).max() < 1e-9  # a stiff head
    assert np.abs(still[0] - whole)[:, :2].max() < 0.02


def test_a_word_moves_the_cheeks_and_not_the_forehead():
    skin = Skin()
    faces = in_space(np.concatenate([opened(0), opened(0.25, drop=0.25)]), rest=REST)
    rest, word = skin.follow(faces)[:, 68:]
    moved = np.linalg.norm(word - rest, axis=1)
    assert moved[skin.relief[:, 1] < 0].max() < 0.003
    assert moved[skin.relief[:, 1] > 1].min() > 0.1


def test_raised_brows_do_not_lift_the_skull():
    raised = REST[None].repeat(8, axis=0)
    raised[4:, 17:27, 1] -= 0.06
    followed = Skin().follow(in_space(raised, rest=REST))
    top = np.argmin(followed[0, :, 1])
    assert abs(followed[-1, top, 1] - followed[0, top, 1]) < 0.025
    fold = 68 + np.argmin(np.linalg.norm(load_relief()[:, :2] - [-0.44, -0.51], axis=1))
    assert followed[-1, fold, 1] < followed[0, fold, 1] - 0.005  # the skin above them goes along


def test_tables_are_written_as_they_are_read(tmp_path):
    depth.save_depth(load_depth(), tmp_path / "depth.tsv", origin="here")
    depth.save_relief(load_relief(), tmp_path / "relief.tsv", origin="here")
    for name, table in (("depth.tsv", depth.DEPTH), ("relief.tsv", depth.RELIEF)):
        assert (tmp_path / name).read_text().splitlines()[1:] == table.read_text().splitlines()[1:]
