"""ARKit's names, and the table of bases at the landmarks."""

import numpy as np

from talkface.face import points
from talkface.face.mesh.networks import BLENDSHAPES
from talkface.face3d import arkit
from talkface.face3d.bases import DETECTORS, load_bases


def test_the_52_names_in_the_order_of_live_link_face():
    assert len(set(arkit.NAMES)) == 52
    assert set(BLENDSHAPES) == set(arkit.NAMES) - {"tongueOut"}
    assert arkit.NAMES[:3] == ("eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft")
    # The app has the right before the left for the jaw and the mouth, libraries the reverse.
    assert arkit.NAMES[14:19] == ("jawForward", "jawRight", "jawLeft", "jawOpen", "mouthClose")
    assert arkit.NAMES[21:23] == ("mouthRight", "mouthLeft")
    assert arkit.NAMES[-1] == "tongueOut"


def test_left_and_right_are_each_others():
    assert (arkit.MIRROR[arkit.MIRROR] == np.arange(52)).all()
    assert arkit.NAMES[arkit.MIRROR[arkit.INDEX["mouthSmileLeft"]]] == "mouthSmileRight"
    assert arkit.MIRROR[arkit.INDEX["jawOpen"]] == arkit.INDEX["jawOpen"]


def test_ict_makes_all_but_the_tongue():
    names = [one for name in arkit.NAMES for one in arkit.ict_names(name)]
    assert len(names) == len(set(names)) == 53
    assert not {"PupilDilate_L", "cheekRaiser_L"} & set(names)
    moved = arkit.from_ict(np.ones((53, 2, 3)), names)
    assert moved[arkit.INDEX["tongueOut"]].max() == 0
    assert moved[arkit.INDEX["browInnerUp"]].max() == 2  # both sides


def test_weights_move_the_side_of_the_face_that_they_name():
    bases = load_bases()
    left, right = (bases.expression[arkit.INDEX[f"mouthSmile{side}"]] for side in ("Left", "Right"))
    np.testing.assert_allclose(left[points.MIRROR] * [-1, 1, 1], right, atol=2e-4)
    assert left[54, 1] < -0.05  # the person's left corner rises: y points down
    assert abs(left[48, 1]) < 0.005
    assert bases.neutral[54, 0] > 0 > bases.neutral[48, 0]  # the person's left is the picture's right
    assert bases.expression[arkit.INDEX["jawLeft"], 8, 0] > 0.05


def test_bases_are_those_of_a_face_in_the_template_frame():
    bases = load_bases()
    assert bases.neutral.shape == (68, 3)
    assert bases.identity.shape == (100, 68, 3)
    assert bases.expression.shape == (52, 68, 3)
    np.testing.assert_allclose(points.outer_eye_distance(bases.neutral), 1, atol=1e-3)
    nearest = int(bases.neutral[:, 2].argmax())
    assert nearest == 30  # the tip of the nose
    opening = points.mouth_opening(bases.neutral + bases.expression[arkit.INDEX["jawOpen"]])
    assert opening > 0.3 > 0.05 > points.mouth_opening(bases.neutral)
    assert set(bases.seen) == set(DETECTORS)
    for detector in DETECTORS:
        np.testing.assert_allclose(bases.as_seen_by(detector).neutral, bases.neutral, atol=0.25)
