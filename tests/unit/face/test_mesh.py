"""Geometry and file of the face mesh; what it sees: tests/real/test_mesh.py."""

import itertools

import numpy as np
import pytest

from talkface.errors import TalkfaceError
from talkface.face.mesh import networks as mesh
from talkface.face.mesh import tracking as mesh_tracking


def test_the_file_is_checked(tmp_path):
    assert mesh.mesh_path().name == mesh.MESH_NAME
    (tmp_path / "mine.task").write_bytes(b"PK")
    with pytest.raises(TalkfaceError, match=r"mine\.task: sha256 .* is not 64184e229b26"):
        mesh.mesh_path(tmp_path / "mine.task")
    with pytest.raises(TalkfaceError, match=r"gone\.task: no such file"):
        mesh.mesh_path(tmp_path / "gone.task")


def test_a_missing_package_is_one_line(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(TalkfaceError, match=r"requirements-mesh\.txt") as caught:
        mesh.mesh_path()
    assert "\n" not in str(caught.value)


def test_its_terms_are_named(project):
    (line,) = [line for line in (project / "THIRD_PARTY.md").read_text().splitlines() if mesh.MESH_NAME in line]
    assert "Apache-2.0" in line
    assert mesh.MESH_SHA256[:8] in line
    wanted = (project / "requirements-mesh.txt").read_text().splitlines()[-1]
    for name in ("face", "head"):
        assert wanted in (project / "envs" / f"{name}.post-deploy.sh").read_text()


def test_names_and_maps_are_whole():
    assert len(mesh.BLENDSHAPES) == len(set(mesh.BLENDSHAPES)) == 51
    assert len(mesh.OF_68) == len(set(mesh.OF_68)) == 68
    assert len(mesh._OF_BLENDSHAPES) == len(set(mesh._OF_BLENDSHAPES)) == 146


@pytest.mark.parametrize("degrees", [0, 30, 90, 180, -135])
def test_a_square_turns_with_the_face(degrees):
    rng = np.random.default_rng(0)
    points = rng.uniform(-50, 50, (478, 3))
    points[[33, 263], :2] = [-30, 0], [30, 0]
    turn = mesh._turn(np.radians(degrees))
    plain = mesh.square_of_mesh(points)
    moved = points.copy()
    moved[:, :2] = points[:, :2] @ turn.T + [300, 200]
    square = mesh.square_of_mesh(moved)
    assert square.side == pytest.approx(plain.side)
    assert np.cos(square.angle - np.radians(degrees)) == pytest.approx(1)
    np.testing.assert_allclose(square.centre, turn @ plain.centre + [300, 200], atol=1e-9)


def test_boxes_overlap():
    box = np.array([0.0, 0.0, 10.0, 10.0])
    others = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], float)
    np.testing.assert_allclose(mesh.overlap(box, others), [1, 1 / 3, 0])


@pytest.mark.parametrize(("length", "size"), [(720, 360), (1920, 1200), (1080, 200), (100, 300)])
def test_tiles_cover_a_length(length, size):
    starts = mesh_tracking._starts(length, size)
    assert starts[0] == 0
    assert max(starts[-1] + size, length) == max(length, size)
    assert all(later - earlier <= size / 2 + 1 for earlier, later in itertools.pairwise(starts))


class Scripted:
    """Stands in for the networks: a face where the picture is white, a score by its light."""

    def __init__(self, monkeypatch):
        self.sought = []
        monkeypatch.setattr(mesh_tracking, "find_faces", self.find)
        monkeypatch.setattr(mesh_tracking, "read_mesh", self.read)
        monkeypatch.setattr(mesh_tracking, "blendshapes_of", lambda networks, points: np.zeros(51, np.float32))
        monkeypatch.setattr(mesh_tracking, "square_of_detection", lambda place: place)
        monkeypatch.setattr(mesh_tracking, "square_of_mesh", lambda points: points)

    def place(self, picture):
        rows, columns = np.nonzero(picture[..., 1] > 100)
        return (columns.min(), rows.min(), np.ptp(columns)) if len(rows) else None

    def find(self, networks, picture):
        self.sought.append(picture.shape[:2])
        place = self.place(picture)
        # As the detector: nothing below a tenth of the picture.
        return [place] if place and place[2] >= 0.1 * max(picture.shape[:2]) else []

    def read(self, networks, picture, near):
        place = self.place(picture)
        points = np.zeros((478, 3))
        if place is None:
            return mesh.Mesh(points, 0.0)
        grid = np.random.default_rng(0).uniform(0, 1, (478, 2))
        points[:, :2] = np.array(place[:2]) + grid * place[2]
        return mesh.Mesh(points, picture[..., 1].max() / 255)


def picture(*, at=None, side=80, light=255, shape=(400, 600)):
    frame = np.random.default_rng(1).integers(0, 60, (*shape, 3)).astype(np.uint8)
    if at:
        frame[at[1] : at[1] + side, at[0] : at[0] + side] = light
    return frame


def track(frames, **options):
    tracker = mesh_tracking.MeshTracker(None, recount_frames=options.pop("recount_frames", 100))
    for frame in frames:
        tracker.push(frame)
    tracker.finish()
    return tracker


def test_a_face_is_sought_once_and_followed(monkeypatch):
    scripted = Scripted(monkeypatch)
    found = track([picture(at=(100 + 3 * i, 90)) for i in range(20)])
    assert sorted(found.landmarks) == list(range(20))
    assert len(scripted.sought) == 1
    assert found.faces == {0: 1}
    assert found.shots.jumps == []


def test_a_small_face_is_sought_in_tiles_and_followed_back(monkeypatch):
    Scripted(monkeypatch)
    empty, small = picture(shape=(700, 1200)), picture(at=(900, 400), side=40, shape=(700, 1200))
    found = track([empty] * 3 + [small] * 10)
    assert sorted(found.landmarks) == list(range(3, 13))
    assert found.boxes[3][0] == pytest.approx(900, abs=2)


def test_a_weak_face_is_followed_but_not_entered(monkeypatch):
    Scripted(monkeypatch)
    strong, weak = picture(at=(100, 90)), picture(at=(100, 90), light=170)
    assert sorted(track([strong] * 5 + [weak] * 5).landmarks) == list(range(10))
    assert not track([weak] * 5).landmarks


def test_lost_and_found_elsewhere_is_a_jump(monkeypatch):
    Scripted(monkeypatch)
    found = track([picture(at=(50, 50))] * 5 + [picture()] * 3 + [picture(at=(450, 250))] * 5)
    assert found.shots.jumps == [(4, 8)]
    assert sorted(found.landmarks) == [*range(5), *range(8, 13)]


def test_grey_frames_are_not_even_searched(monkeypatch):
    scripted = Scripted(monkeypatch)
    track([np.full((400, 600, 3), 128, np.uint8)] * 10)
    assert scripted.sought == []
