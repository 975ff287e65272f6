import cv2
import numpy as np
import pytest
import soundfile

from talkface.drawing.canvas import to_bgr
from talkface.errors import TalkfaceError
from talkface.face import points
from talkface.face.depth import Skin, in_space
from talkface.face.template import load_template, resting_face
from talkface.films import wires
from talkface.films.wires import WirePainter, draw_wires, headings, make_net, paint_wires, project, turn
from talkface.media.video import probe

SIZE = 300


def talking(frames, amount=0.1):
    """Template faces (frames, 68, 2) whose lips part and meet."""
    shapes = np.repeat(load_template()[None], frames, axis=0)
    opening = amount * (1 - np.cos(np.arange(frames)))
    for index in (65, 66, 67, 55, 56, 57, 58, 59):
        shapes[:, index, 1] += opening
    return shapes


def faces_of(shapes):
    return Skin().follow(in_space(shapes, rest=resting_face()))


def painted(shapes, heading, size=SIZE):
    painter = WirePainter(size)
    painter.paint(faces_of(shapes[None])[0], heading)
    return painter.frame


def like(picture, colour, *, within=40):
    """Where a picture has nearly this colour."""
    return np.abs(picture.astype(float) - to_bgr(colour)).sum(axis=-1) < within


def luma(picture):
    return cv2.cvtColor(picture, cv2.COLOR_YUV2BGR_I420)


def test_the_net_is_a_symmetric_surface_with_holes_for_eyes_and_mouth():
    net, skin = make_net(), Skin()
    rest = np.concatenate([skin.rest, skin.relief])
    other = [int(np.argmin(np.linalg.norm(rest - vertex * [-1, 1, 1], axis=1))) for vertex in rest]
    triangles = {frozenset(triangle) for triangle in net.triangles.tolist()}
    assert len(triangles) == len(net.triangles)
    assert triangles == {frozenset(other[k] for k in triangle) for triangle in triangles}
    assert set(net.triangles.ravel()) == set(range(len(rest)))
    first, second, third = (rest[corner, :2] for corner in net.triangles.T)
    assert (np.cross(second - first, third - first) > 0).all()  # none is folded over
    for hole in (points.INNER_LIP, points.RIGHT_EYE, points.LEFT_EYE):
        outline = rest[list(hole), :2].astype(np.float32)
        centres = rest[net.triangles, :2].mean(axis=1)
        assert max(cv2.pointPolygonTest(outline, centre.tolist(), False) for centre in centres) < 0
    for name, (indices, closed) in points.LINES.items():
        assert len(net.features[name]) == len(indices) - (not closed)
    for edge, sides in zip(net.edges, net.sides, strict=True):
        assert all(set(edge) <= set(net.triangles[side]) for side in sides)


def test_headings():
    assert set(headings(5, turn_s=0)) == {wires.STILL_VIEW}
    swing = headings(101, turn_s=4)
    assert swing[[0, 50, 100]] == pytest.approx(0, abs=1e-12)
    assert (swing[25], swing[75]) == pytest.approx((wires.SWING, -wires.SWING))


def test_a_turned_head_shows_parallax():
    face = faces_of(load_template()[None])[0]
    places = {degrees: project(turn(face, np.radians(degrees)), size=1000) for degrees in (-20, 0, 20)}

    def nose(pixels):  # right of the middle of the eye corners
        return pixels[30, 0] - pixels[[36, 45], 0].mean()

    assert nose(places[0]) == pytest.approx(0, abs=1e-6)
    assert nose(places[20]) > 40
    assert nose(places[-20]) == pytest.approx(-nose(places[20]))
    # the half that turns towards the viewer gets wider, and its jaw is nearer than the other
    assert places[20][27, 0] - places[20][36, 0] > places[20][45, 0] - places[20][27, 0]
    assert turn(face, np.radians(20))[0, 2] > turn(face, np.radians(20))[16, 2]


def test_pictures_show_the_turn():
    shapes = talking(4)[3]
    middle = {}
    for degrees in (-25, 0, 25):
        picture = painted(shapes, np.radians(degrees))
        skull = np.flatnonzero(~like(picture, wires.GROUND, within=15).all(axis=0))
        columns = np.nonzero(like(picture, wires.CAVITY))[1]
        middle[degrees] = columns.mean() - (skull[0] + skull[-1]) / 2
    assert abs(middle[0]) < 2
    assert middle[-25] < -12
    assert middle[25] > 12


def test_what_faces_away_is_hidden():
    face = load_template()
    jaw = slice(1, 5)  # right side of the person: left in the picture

    def drawn(degrees):
        pixels = project(turn(faces_of(face[None])[0], np.radians(degrees)), size=SIZE)[jaw]
        dark = painted(face, np.radians(degrees)).sum(axis=-1) < 420
        return np.mean([dark[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3].any() for x, y in pixels])

    assert drawn(25) == 1
    assert drawn(-28) < 0.5


def test_an_open_mouth_is_seen():
    dark = [like(painted(shapes, wires.STILL_VIEW), wires.CAVITY).sum() for shapes in talking(4)[[0, 1, 3]]]
    assert dark[0] < 60 < 2 * dark[1] < dark[2]


def test_a_still_head_keeps_its_view_and_a_turning_one_does_not():
    upper = slice(0, int(0.35 * SIZE))
    for turn_s, moves in ((0, False), (2, True)):
        pictures = [luma(picture).astype(int) for picture in paint_wires(talking(12), size=SIZE, turn_s=turn_s)]
        above = max(np.abs(picture[upper] - pictures[0][upper]).max() for picture in pictures)
        assert (above > 50) == moves
        assert np.abs(pictures[3][upper.stop :] - pictures[0][upper.stop :]).max() > 50


@pytest.mark.parametrize("swing", [0, 0.5])
def test_what_changed_is_painted_as_if_all_were(swing):
    painter, shapes = WirePainter(SIZE), talking(5)
    shapes[3, 17:22, 1] -= 0.05
    for number, face in enumerate(faces_of(shapes)):
        windows = painter.paint(face, number * swing)
        alone = WirePainter(SIZE)
        alone.paint(face, number * swing)
        # a still head's vertices wait until they moved a tenth of a pixel
        assert np.abs(painter.frame.astype(int) - alone.frame).max() <= (0 if swing else 70)
        if number == 1 and not swing:
            assert windows[0][0].start > 0.3 * SIZE  # a word changes the lower face alone
    assert painter.paint(face, 4 * swing) == []


def test_wild_faces_do_not_end_the_film():
    for shapes in (load_template() * 1e4, load_template() + 50, load_template() * 0):
        deep = np.concatenate([shapes, 40 * shapes[:, :1]], axis=1)
        for wild in (shapes, deep):
            assert len(list(paint_wires(np.stack([load_template()[:, [0, 1, 1][: wild.shape[1]]], wild]), size=SIZE,
                                        turn_s=1))) == 2  # fmt: skip


@pytest.mark.parametrize("coordinates", [2, 3])
def test_a_film_lasts_as_long_as_its_speech(tmp_path, coordinates):
    soundfile.write(tmp_path / "speech.wav", np.random.default_rng(0).normal(0, 0.1, 45_000), 44_100)
    shapes = talking(25)
    if coordinates == 3:
        shapes = in_space(shapes, rest=resting_face())
    np.save(tmp_path / "face.npy", shapes.astype(np.float32))
    draw_wires(tmp_path / "face.npy", tmp_path / "speech.wav", tmp_path / "film.mp4", size=SIZE, turn_s=1)
    media = probe(tmp_path / "film.mp4")
    assert (media.width, media.height, media.fps, media.has_audio) == (SIZE, SIZE, 25, True)
    assert media.duration_s == pytest.approx(45_000 / 44_100, abs=1 / 25)


def test_nan_is_refused(tmp_path):
    soundfile.write(tmp_path / "speech.wav", np.zeros(44_100), 44_100)
    np.save(tmp_path / "face.npy", np.full((25, 68, 3), np.nan))
    with pytest.raises(TalkfaceError, match=r"face\.npy: 25 of 25 frames hold NaN"):
        draw_wires(tmp_path / "face.npy", tmp_path / "speech.wav", tmp_path / "film.mp4", size=SIZE, turn_s=0)
    assert not (tmp_path / "film.mp4").exists()
