import cv2
import numpy as np
import pytest

from talkface.corpus.visemes import TARGETS
from talkface.drawing.characters import PEOPLE, Appearance, Build, mouth_points, neutral_face
from talkface.drawing.painters import FlatPainter, ShadedPainter, blink_amounts, close_eyes
from talkface.drawing.windows import contains, remainders, union
from talkface.face.points import LIPS

SIZE, UNIT, ORIGIN = 320, 80.0, np.array([160.0, 140.0])
STYLES = ("flat", "shaded")


def face(sound="", build=Build()):  # noqa: B008 - frozen
    """A face in pixels that makes one sound."""
    shape = neutral_face(build)
    track = np.array([TARGETS[sound][:4]])
    shape[list(LIPS)] += (mouth_points(build, track) - mouth_points(build, np.zeros((1, 4))))[0]
    return shape * UNIT + ORIGIN


def painter_of(style, look=Appearance()):  # noqa: B008 - frozen
    if style == "flat":
        return FlatPainter(face(), size=(SIZE, SIZE))
    return ShadedPainter(face(), look=look, size=(SIZE, SIZE), rng=np.random.default_rng(1))


def painted(style, landmarks, **options):
    painter = painter_of(style, **options)
    painter.paint(landmarks)
    return painter.frame


def around(frame, points, margin=2):
    low, high = points.min(axis=0).astype(int) - margin, points.max(axis=0).astype(int) + margin
    return frame[low[1] : high[1], low[0] : high[0]].astype(float)


def light_and_dark(landmarks, frame):
    """Shares of the area between the lips' corners that are as light as teeth and as dark as the open mouth."""
    inner = landmarks[[61, 62, 63, 65, 66, 67]]
    part = around(frame, inner, margin=0).mean(axis=-1)
    return (part > 165).mean(), (part < 60).mean()


@pytest.mark.parametrize("style", STYLES)
def test_every_frame_depends_on_its_own_landmarks_alone(style):
    painter = painter_of(style)
    frames = [close_eyes(face("a"), 1.0), face("m") + np.array([5.0, 3.0]), face("u")]
    for landmarks in frames:
        painter.paint(landmarks)
    assert np.abs(painter.frame.astype(int) - painted(style, frames[-1])).max() <= 1


@pytest.mark.parametrize("style", STYLES)
def test_windows_hold_all_that_changed(style):
    painter = painter_of(style)
    before = painter.frame.copy()
    for landmarks in (face("a"), face("m") + 2.0, close_eyes(face("o"), 0.6), face("f") - [6.0, 0.0]):
        outside = np.ones(before.shape[:2], bool)
        for window in painter.paint(landmarks):
            outside[window] = False
        assert np.array_equal(before[outside], painter.frame[outside])
        before = painter.frame.copy()


@pytest.mark.parametrize("style", STYLES)
def test_the_mouth_shows_what_its_landmarks_say(style):
    teeth_open, dark_open = light_and_dark(face("a"), painted(style, face("a")))
    teeth_lip, dark_lip = light_and_dark(face("f"), painted(style, face("f")))
    assert dark_open > 0.15
    assert teeth_open > 0.15
    assert teeth_lip > 0.25  # the lower lip lies on the upper teeth
    assert dark_lip < 0.1
    lips = face("m")[list(LIPS)]
    assert (around(painted(style, face("m")), lips).mean(axis=-1) > 185).mean() < 0.3  # no teeth between closed lips


@pytest.mark.parametrize("style", STYLES)
def test_eyes_close(style):
    open_, shut = face(), close_eyes(face(), 1.0)
    eye = open_[36:42]
    white = [(around(painted(style, f), eye).min(axis=-1) > 200).mean() for f in (open_, shut)]
    assert white[0] > 0.05
    assert white[1] < 0.4 * white[0]


@pytest.mark.parametrize("style", STYLES)
def test_edges_are_smooth_and_move_by_parts_of_a_pixel(style):
    still = painted(style, face("a")).astype(float)
    moved = painted(style, face("a") + np.array([0.25, 0.0])).astype(float)
    mouth = face("a")[list(LIPS)]
    change = np.abs(around(moved, mouth) - around(still, mouth))
    assert change.max() > 5
    whole = np.abs(around(painted(style, face("a") + np.array([2.0, 0.0])).astype(float), mouth) - around(still, mouth))
    assert change.mean() < 0.5 * whole.mean()


@pytest.mark.parametrize("style", STYLES)
def test_the_head_may_leave_the_picture(style):
    painter = painter_of(style)
    for shift in ((-400.0, 0.0), (0.0, 900.0), (150.0, -150.0)):
        painter.paint(face("a") + shift)
    painter.paint(face())
    assert np.isfinite(painter.frame).all()


def test_the_skin_follows_the_jaw():
    painter = painter_of("shaded")
    rest, low = face(), face("ɑ")
    low[4:13, 1] += 12 * np.sin(np.linspace(0.2, np.pi - 0.2, 9))
    painter.paint(rest)
    before = painter.frame.copy()
    painter.paint(low)
    # what was at the chin lies twelve pixels lower now
    x, y = rest[8].astype(int)
    was, now = before[y - 12 : y + 6, x - 8 : x + 8], painter.frame[y : y + 18, x - 8 : x + 8]
    assert np.abs(was.astype(float) - now).mean() < 12
    assert np.abs(was.astype(float) - painter.frame[y - 12 : y + 6, x - 8 : x + 8]).mean() > 5
    assert np.array_equal(before[:40], painter.frame[:40])  # the crown stays


def test_the_flat_face_is_that_of_the_published_style():
    frame = painted("flat", face("a"))
    colours = {tuple(c) for c in frame[:: SIZE - 1, :: SIZE - 1].reshape(-1, 3)}
    assert len(colours) == 1  # plain ground in every corner
    points = face("a")
    cheek, lip = points[[2, 48]].mean(axis=0), points[[57, 66]].mean(axis=0)
    skin, red = (frame[int(p[1]), int(p[0])].astype(int) for p in (cheek, lip))
    assert skin[2] > skin[1] > skin[0]  # blue, green, red
    assert red[2] - red[1] > 60


@pytest.mark.parametrize("voice", list(PEOPLE))
def test_lips_stand_out_from_the_skin(voice):
    # dlib reads grey levels: a mouth as light as the skin is not found
    person = PEOPLE[voice]
    rest = neutral_face(person.build) * UNIT + ORIGIN
    painter = ShadedPainter(rest, look=person.look, size=(SIZE, SIZE), rng=np.random.default_rng(0))
    painter.paint(rest)
    grey = cv2.cvtColor(painter.frame, cv2.COLOR_BGR2GRAY).astype(float)
    lips = np.zeros(grey.shape, np.uint8)
    cv2.fillPoly(lips, [rest[48:60].round().astype(np.int32)], 1)
    ring = cv2.dilate(lips, np.ones((9, 9), np.uint8)) - cv2.dilate(lips, np.ones((3, 3), np.uint8))
    assert grey[ring > 0].mean() > 1.25 * grey[lips > 0].mean()


def test_a_portrait_is_the_same_for_the_same_seed():
    first, second = (painted("shaded", face("a")) for _ in range(2))
    assert np.array_equal(first, second)


def test_lids_meet_and_nothing_else_moves():
    rest = face()
    shut = close_eyes(rest, 1.0)
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        assert np.abs(shut[upper] - shut[lower]).max() < 0.1
    still = [i for i in range(68) if i not in (37, 38, 40, 41, 43, 44, 46, 47)]
    assert np.array_equal(shut[still], rest[still])
    many = close_eyes(np.repeat(rest[None], 3, axis=0), np.array([0.0, 0.5, 1.0]))
    assert np.allclose(many[0], rest)
    assert np.allclose(many[2], shut)


def test_people_blink_now_and_then():
    amounts = blink_amounts(25 * 60, fps=25, rng=np.random.default_rng(0))
    shut = amounts > 0.9
    blinks = (np.diff(shut.astype(int)) == 1).sum()
    assert 12 <= blinks <= 30  # a minute
    assert (amounts > 0).mean() < 0.2
    assert (amounts >= 0).all()
    assert (amounts <= 1).all()


def test_windows():
    a, b = (slice(0, 10), slice(0, 10)), (slice(4, 6), slice(2, 20))
    assert union(a, b) == (slice(0, 10), slice(0, 20))
    assert contains(union(a, b), b)
    assert not contains(a, b)
    covered = np.zeros((20, 30), int)
    for part in remainders(a, b):
        covered[part] += 1
    expected = np.zeros((20, 30), int)
    expected[a] = 1
    expected[4:6, 2:10] = 0
    assert np.array_equal(covered, expected)
    assert remainders(b, union(a, b)) == []


@pytest.mark.parametrize("style", STYLES)
def test_slow_drift_is_not_lost(style):
    # each step is too small to repaint brows and eyes; together they are not
    painter = painter_of(style)
    for step in range(201):
        moved = face()
        moved[17:48, 1] += 0.02 * step
        painter.paint(moved)
    whole = painted(style, moved)
    assert np.abs(painter.frame.astype(int) - whole).mean() < 0.15
    assert np.abs(painted(style, face()).astype(int) - whole).mean() > 0.5


@pytest.mark.parametrize("style", STYLES)
def test_eyes_stay_while_brows_come_and_go(style):
    """What is put back where the skin had been moved does not go over eyes that were kept."""
    painter, still = painter_of(style), face()
    for lift in (0.0, 6.0, 0.0, 2.0, 0.0, 6.0, 0.5, 0.0):
        moved = still.copy()
        moved[17:27, 1] -= lift
        moved[36:48, 1] -= 0.001 * lift  # less than counts as moved
        painter.paint(moved)
        for eye in (slice(36, 42), slice(42, 48)):
            alone = around(painted(style, moved), moved[eye])
            assert np.abs(around(painter.frame, moved[eye]) - alone).mean() < 2
