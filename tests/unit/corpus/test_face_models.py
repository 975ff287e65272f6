"""ICT-FaceKit's files are fetched by a list, checked, and gathered in one file that the face model is read from."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from talkface.corpus.face_models import ADDRESS, COMMIT, LISTING, fetch_ict
from talkface.errors import TalkfaceError
from talkface.face3d.face_model import ICT_VERTICES
from talkface.face3d.ict import LANDMARKS, NEUTRAL, pack, read_obj
from tests.local_web import Web

PLACES = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.5], [2, 2, 2]], np.float32)


def obj(places):
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in places]
    return "\n".join(["# a mesh", *lines, "vt 0 0", "f 1/1 2/1 3/1 4/1", "f 3/1 4/1 5/1", ""]).encode()


@pytest.fixture
def web():
    served = Web()
    yield served
    served.close()


@pytest.fixture
def listing(web, tmp_path):
    """A list of three meshes, and a server that has them."""
    meshes = {NEUTRAL: PLACES, "jawOpen": PLACES - np.array([0, 1, 0]), "identity000": PLACES * 2}
    rows = []
    for name, places in meshes.items():
        path, content = f"FaceXModel/{name}.obj", obj(places)
        web.files[f"/ict/{path}"] = content
        rows.append((path, len(content), hashlib.sha256(content).hexdigest()))
    pd.DataFrame(rows, columns=["path", "bytes", "sha256"]).to_csv(tmp_path / "list.tsv", sep="\t", index=False)
    return tmp_path / "list.tsv"


def test_meshes_become_one_file(web, listing, tmp_path):
    output = tmp_path / "models" / "ict.npz"
    fetch_ict(output, address=f"{web.url}/ict", listing=listing)
    with np.load(output) as file:
        np.testing.assert_allclose(file["neutral"], PLACES)
        assert file["expr_names"].tolist() == ["jawOpen"]
        np.testing.assert_allclose(file["expr_delta"], [np.tile([0, -1, 0], (5, 1))])
        np.testing.assert_allclose(file["id_delta"], [PLACES])
        assert file["quads"].tolist() == [[0, 1, 2, 3]]
        assert file["tris"].tolist() == [[2, 3, 4]]
        assert file["landmark_vertices"].shape == (68,)
    assert [path.name for path in output.parent.iterdir()] == ["ict.npz"]


def test_an_interrupted_run_goes_on(web, listing, tmp_path):
    output, path = tmp_path / "ict.npz", "/ict/FaceXModel/jawOpen.obj"
    whole = web.files.pop(path)
    with pytest.raises(TalkfaceError, match=r"jawOpen\.obj"):
        fetch_ict(output, address=f"{web.url}/ict", listing=listing)
    assert not output.exists()
    asked = len(web.ranges("/ict/FaceXModel/identity000.obj")) + len(web.ranges(f"/ict/FaceXModel/{NEUTRAL}.obj"))
    web.files[path] = whole
    fetch_ict(output, address=f"{web.url}/ict", listing=listing)
    again = len(web.ranges("/ict/FaceXModel/identity000.obj")) + len(web.ranges(f"/ict/FaceXModel/{NEUTRAL}.obj"))
    assert again <= asked + 1  # the neutral mesh had arrived
    assert output.exists()


def test_another_file_than_listed_is_refused(web, listing, tmp_path):
    path = "/ict/FaceXModel/jawOpen.obj"
    web.files[path] = web.files[path].replace(b"-1.000000", b"-2.000000")
    with pytest.raises(
        TalkfaceError, match=r"jawOpen\.obj: twice a wrong checksum \(sha256 \w{64}, its listing says \w{64}\)"
    ):
        fetch_ict(tmp_path / "ict.npz", address=f"{web.url}/ict", listing=listing)
    assert not (tmp_path / "ict.npz").exists()


def test_the_list_that_comes_along(shared_data):
    table = pd.read_csv(LISTING, sep="\t", comment="#")
    assert len(table) == 158
    assert COMMIT in ADDRESS
    assert COMMIT in LISTING.read_text().splitlines()[0]
    assert table["sha256"].str.fullmatch(r"[0-9a-f]{64}").all()
    theirs = pd.read_csv(shared_data / "models" / "ict_files.tsv", sep="\t", comment="#")
    assert set(table.itertuples(index=False)) <= set(theirs.itertuples(index=False))
    with np.load(shared_data / "models" / "ict_facekit.npz") as file:
        assert file["landmark_vertices"].tolist() == list(LANDMARKS)
        assert max(LANDMARKS) < ICT_VERTICES == len(file["neutral"])
        names = {path.split("/")[1].removesuffix(".obj") for path in table["path"]}
        assert names == {NEUTRAL, *file["expr_names"].tolist(), *file["id_names"].tolist()}


def test_what_are_no_meshes_is_refused(tmp_path):
    (tmp_path / "x.obj").write_text("v 1 2 three\n")
    with pytest.raises(TalkfaceError, match=r"x\.obj: no OBJ mesh"):
        read_obj(tmp_path / "x.obj")
    (tmp_path / f"{NEUTRAL}.obj").write_bytes(obj(PLACES))
    (tmp_path / "jawOpen.obj").write_bytes(obj(PLACES[:4]))
    with pytest.raises(TalkfaceError, match=r"jawOpen\.obj: 4 vertices; 5 were expected"):
        pack([tmp_path / f"{NEUTRAL}.obj", tmp_path / "jawOpen.obj"], tmp_path / "ict.npz")
    with pytest.raises(TalkfaceError, match=f"no {NEUTRAL}.obj among 1 files"):
        pack([tmp_path / "jawOpen.obj"], tmp_path / "ict.npz")
