"""Tables that engines read, by name and by position: Live Link Face's, Audio2Face's; resampling keeps closures."""

import csv
import json

import numpy as np
import pytest
import soundfile

from talkface.errors import TalkfaceError
from talkface.export.resample import resample
from talkface.export.sound import write_sound
from talkface.export.weights import timecode, write_arkit, write_json
from talkface.face3d import arkit
from talkface.face3d.records import Motion

# The head of a recording of the app.
APP = (
    "Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,EyeLookUpLeft,EyeSquintLeft,"
    "EyeWideLeft,EyeBlinkRight,EyeLookDownRight,EyeLookInRight,EyeLookOutRight,EyeLookUpRight,EyeSquintRight,"
    "EyeWideRight,JawForward,JawRight,JawLeft,JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft,"
    "MouthSmileLeft,MouthSmileRight,MouthFrownLeft,MouthFrownRight,MouthDimpleLeft,MouthDimpleRight,MouthStretchLeft,"
    "MouthStretchRight,MouthRollLower,MouthRollUpper,MouthShrugLower,MouthShrugUpper,MouthPressLeft,MouthPressRight,"
    "MouthLowerDownLeft,MouthLowerDownRight,MouthUpperUpLeft,MouthUpperUpRight,BrowDownLeft,BrowDownRight,BrowInnerUp,"
    "BrowOuterUpLeft,BrowOuterUpRight,CheekPuff,CheekSquintLeft,CheekSquintRight,NoseSneerLeft,NoseSneerRight,"
    "TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,RightEyePitch,RightEyeRoll"
)


def motion(frames=50):
    rng = np.random.default_rng(0)
    return Motion(rng.uniform(0, 1, (frames, 52)).astype(np.float32), rng.uniform(-0.5, 0.5, (frames, 3)))


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("fps", [30, 60])
def test_a_table_is_the_apps_by_name_and_by_position(tmp_path, fps):
    made = motion()
    write_arkit(made, tmp_path / "arkit.csv", fps=fps)
    head, *rows = rows_of(tmp_path / "arkit.csv")
    assert head == APP.split(",")
    assert len(rows) == 2 * fps
    assert {len(row) for row in rows} == {63}
    assert {row[1] for row in rows} == {"61"}
    assert rows[0][0] == "00:00:00:00.000"
    assert rows[fps + 3][0] == "00:00:01:03.000"
    first = dict(zip(head, rows[0], strict=True))
    for name in ("JawOpen", "JawLeft", "JawRight", "MouthLeft", "MouthRight", "EyeBlinkLeft"):
        weight = made.weights[0, arkit.INDEX[name[0].lower() + name[1:]]]
        assert float(first[name]) == pytest.approx(weight, abs=1e-5)
    assert float(rows[0][2 + 17]) == pytest.approx(made.weights[0, arkit.INDEX["jawOpen"]], abs=1e-5)
    assert float(first["HeadYaw"]) == pytest.approx(made.turn[0, 0], abs=1e-5)
    values = np.array([row[2:54] for row in rows], float)
    assert values.min() >= 0
    assert values.max() <= 1


def test_eyes_turn_as_their_weights_say(tmp_path):
    weights = np.zeros((2, 52), np.float32)
    weights[:, arkit.INDEX["eyeLookOutLeft"]] = weights[:, arkit.INDEX["eyeLookInRight"]] = 1  # to the person's left
    weights[1, arkit.INDEX["eyeLookDownLeft"]] = 1
    write_arkit(Motion(weights, np.zeros((2, 3))), tmp_path / "arkit.csv", fps=30)
    head, *rows = rows_of(tmp_path / "arkit.csv")
    first, last = (dict(zip(head, row, strict=True)) for row in (rows[0], rows[-1]))
    assert float(first["LeftEyeYaw"]) == float(first["RightEyeYaw"]) == 0.5
    assert float(last["LeftEyePitch"]) > 0 == float(last["RightEyePitch"])


@pytest.mark.parametrize("fps", [30, 60])
def test_closures_are_kept(fps):
    rng = np.random.default_rng(1)
    course = rng.uniform(0.2, 1, (200, 1))
    course[5::7] = 0.0
    found = resample(course, fps)
    assert len(found) == round(200 * fps / 25)
    assert (found == 0).sum() >= (course == 0).sum()
    for frame in np.flatnonzero(course == 0):
        near = found[max(0, round(frame * fps / 25) - 1) : round(frame * fps / 25) + 2]
        assert near.min() == 0
    steady = np.linspace(0, 1, 26)[:, None]
    np.testing.assert_allclose(
        resample(steady, fps)[:, 0], np.minimum(np.arange(len(resample(steady, fps))) / fps, 1), atol=1e-9
    )


def test_other_rates_are_refused(tmp_path):
    with pytest.raises(TalkfaceError, match=r"export\.fps: 25; 30 or 60 was expected"):
        write_arkit(motion(), tmp_path / "arkit.csv", fps=25)
    assert timecode(3 * 3600 * 30 + 29, 30) == "03:00:00:29.000"


def test_the_json_is_audio2faces(tmp_path):
    made = motion()
    write_json(made, tmp_path / "weights.json", fps=30, sound="speech.wav")
    content = json.loads((tmp_path / "weights.json").read_text())
    assert set(content) == {"exportFps", "trackPath", "numPoses", "numFrames", "facsNames", "weightMat"}
    assert (content["exportFps"], content["numPoses"], content["numFrames"]) == (30.0, 52, 60)
    assert content["facsNames"] == list(arkit.NAMES)
    assert np.shape(content["weightMat"]) == (60, 52)
    assert content["weightMat"][0] == pytest.approx(made.weights[0].tolist(), abs=1e-5)


def test_nothing_exports_as_nothing(tmp_path):
    empty = Motion(np.empty((0, 52), np.float32), np.empty((0, 3)))
    write_arkit(empty, tmp_path / "arkit.csv", fps=60)
    assert len(rows_of(tmp_path / "arkit.csv")) == 1


@pytest.mark.parametrize("seconds", [0.5, 4.0])
def test_the_sound_is_as_long_as_the_face(tmp_path, seconds):
    samples = (8_000 * np.sin(np.arange(round(16_000 * seconds)) / 9)).astype(np.int16)
    soundfile.write(tmp_path / "in.wav", samples, 16_000)
    write_sound(tmp_path / "in.wav", tmp_path / "out.wav", frames=50)
    found, rate = soundfile.read(tmp_path / "out.wav", dtype="int16")
    assert (len(found), rate) == (32_000, 16_000)
    kept = min(len(samples), 32_000)
    assert (found[:kept] == samples[:kept]).all()
    assert not found[kept:].any()
