"""The table of clips: what is measured, what is refused, and what stops the corpus."""

import h5py
import numpy as np
import pandas as pd
import pytest

from talkface.corpus import quality
from tests.toy_corpus import envelope, shapes, sound

LIMITS = {
    "min_detected_share": 0.9,
    "min_face_px": 40,
    "max_faces": 1,
    "max_jitter_percent": 5.0,
    "min_duration_s": 0.4,
    "min_audio_dbfs": -60.0,
    "max_silence_share": 0.95,
}
RATE = 8_000


def face(count=50, *, wobble=0.0):
    """Landmarks with an outer-eye distance of 50 pixels."""
    points = np.zeros((count, 68, 2), np.float32)
    points[:, 45, 0] = 50
    points[::2] += wobble
    return points


def write(folder, clip, *, samples=None, rejected="", audio_rejected="", drop=(), **changes):
    """A shard of one clip in both forms."""
    count = len(changes.get("landmarks", face()))
    arrays = {
        "landmarks": face(),
        "detected": np.ones(count, bool),
        "box": np.tile(np.float32([10, 10, 90, 90]), (count, 1)),
        "faces": np.r_[1, np.full(count - 1, -1)].astype(np.int16),
        "spread": np.tile(np.float32([0.002, 0.002]), (count, 1)),
    } | changes
    if samples is None:
        samples = (8_000 * np.sin(np.arange(2 * RATE))).astype(np.int16)
    with h5py.File(folder / f"{clip}.landmarks.h5", "w") as file:
        group = file.create_group(clip)
        group.attrs.update(rejected=rejected, duration_s=count / 25)
        for name in arrays.keys() - set(drop):
            group[name] = arrays[name]
    with h5py.File(folder / f"{clip}.audio.h5", "w") as file:
        file.create_dataset(clip, data=samples).attrs.update(rate=RATE, rejected=audio_rejected)


def check(folder, clips, *, splits=None, **changes):
    return quality.check_quality(
        folder / "qc" / "clips.tsv",
        clips=clips,
        speakers=["anna"] * len(clips),
        splits=splits or ["train"] * len(clips),
        audio=[folder / f"{clip}.audio.h5" for clip in clips],
        landmarks=[folder / f"{clip}.landmarks.h5" for clip in clips],
        silence_dbfs=-50.0,
        **(LIMITS | changes),
    )


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, "good")
    return tmp_path


def test_a_good_clip(folder):
    check(folder, ["good"])
    table = pd.read_csv(folder / "qc" / "clips.tsv", sep="\t", keep_default_na=False)
    assert tuple(table.columns) == quality.COLUMNS
    row = table.iloc[0]
    assert row["accepted"] == "yes"
    assert row["reason"] == ""
    assert row["detected_share"] == 1
    assert row["face_size_px"] == 80
    assert row["faces"] == 1
    assert row["jitter_percent"] == 0
    assert row["mouth_motion_percent"] == 0
    assert row["mouth_doubt_share"] == 0
    assert row["longest_gap_frames"] == 0
    assert row["audio_dbfs"] == pytest.approx(20 * np.log10(8_000 / 32_768 / np.sqrt(2)), abs=0.05)
    assert row["silence_share"] == 0
    assert (row["frames"], row["duration_s"]) == (50, 2)


BAD = {
    "min_detected_share": {"detected": np.arange(50) >= 6},
    "min_face_px": {"box": np.tile(np.float32([0, 0, 30, 30]), (50, 1))},
    "max_faces": {"faces": np.r_[2, np.full(49, -1)].astype(np.int16)},
    "max_jitter_percent": {"landmarks": face(wobble=2.0)},
    "min_duration_s": {"landmarks": face(9)},
    "min_audio_dbfs": {"samples": np.ones(RATE, np.int16)},
    "max_silence_share": {"samples": np.r_[np.full(300, 20_000), np.zeros(4 * RATE)].astype(np.int16)},
}


@pytest.mark.parametrize("limit", BAD)
def test_each_limit_refuses_in_words(limit, folder):
    write(folder, "bad", **BAD[limit])
    row = check(folder, ["good", "bad"]).iloc[1]
    assert row["accepted"] == "no"
    assert f"qc.{limit}" in row["reason"]
    assert "\n" not in row["reason"]
    # Another limit lets it pass.
    loose = {key: 0 if key.startswith("min") else 100 for key in LIMITS} | {"min_audio_dbfs": -120}
    assert check(folder, ["good", "bad"], **loose).iloc[1]["accepted"] == "yes"


def test_a_face_counted_once_too_many_is_forgiven(folder):
    faces = np.full(50, -1, np.int16)
    faces[[0, 20, 40]] = 1, 2, 1
    write(folder, "poster", faces=faces)
    row = check(folder, ["poster"]).iloc[0]
    assert row["accepted"] == "yes"
    assert row["faces"] == 2


def test_reasons_of_earlier_stages_stand_in_the_table(folder):
    gone = {"drop": ("landmarks", "detected", "box", "faces")}
    write(folder, "letter", rejected="letter.mp4: no video", audio_rejected="letter.mp4: no video", samples=[], **gone)
    write(folder, "mute", audio_rejected="mute.mp4: no audio stream", samples=np.zeros(0, np.int16))
    detected = np.arange(50) >= 12
    landmarks = np.where(detected[:, None, None], face(), np.nan)
    write(folder, "late", rejected="late.mp4: no face in frames 0 to 11", detected=detected, landmarks=landmarks)
    table = check(folder, ["good", "letter", "mute", "late"]).set_index("clip")
    assert list(table["accepted"]) == ["yes", "no", "no", "no"]
    assert table.at["letter", "reason"] == "letter.mp4: no video"
    assert table.at["letter", "frames"] == 0
    assert table.at["mute", "reason"] == "mute.mp4: no audio stream"
    assert table.at["late", "reason"] == "late.mp4: no face in frames 0 to 11"
    assert table.at["late", "longest_gap_frames"] == 12
    assert table.at["late", "detected_share"] == pytest.approx(0.76)
    assert table.at["late", "jitter_percent"] == 0


def test_levels():
    full = np.tile(np.array([32_767, -32_768], np.int16), 4_000)
    assert quality.measure_audio(full, rate=RATE, silence_dbfs=-50)["audio_dbfs"] == pytest.approx(0, abs=0.01)
    half = np.r_[full, np.zeros(8_000, np.int16)]
    measured = quality.measure_audio(half, rate=RATE, silence_dbfs=-50)
    assert measured["audio_dbfs"] == pytest.approx(-3.01, abs=0.01)
    assert measured["silence_share"] == 0.5
    assert measured["audio_s"] == 2
    silent = quality.measure_audio(np.zeros(800, np.int16), rate=RATE, silence_dbfs=-50)
    assert silent["audio_dbfs"] == -120
    assert silent["silence_share"] == 1


def test_a_mouth_that_is_not_seen_or_does_not_speak_is_refused(folder):
    covered = np.tile(np.float32([0.002, 0.002]), (50, 1))
    covered[:15, 0] = 0.01
    tilted = np.full((50, 2), 0.01, np.float32)  # the whole face is in doubt, and no more the mouth than the rest
    opening = (200 + 100 * shapes(np.linspace(0, 1, 50) % 0.25)).astype(np.float32)
    write(folder, "covered", spread=covered, landmarks=opening)
    write(folder, "tilted", spread=tilted, landmarks=opening)
    write(folder, "older", drop=("spread",), landmarks=opening)  # than the measure
    clips = ["good", "covered", "tilted", "older"]
    table = check(folder, clips, max_mouth_doubt_share=0.2, min_mouth_motion_percent=1.0).set_index("clip")
    assert list(table["accepted"]) == ["no", "no", "yes", "yes"]
    assert "hardly moves (0.0 % of the outer-eye distance)" in table.at["good", "reason"]
    assert "(qc.min_mouth_motion_percent: 1)" in table.at["good", "reason"]
    assert "hardly to be seen in 30% of the frames" in table.at["covered", "reason"]
    assert "(qc.max_mouth_doubt_share: 0.2)" in table.at["covered", "reason"]
    assert table.at["covered", "mouth_doubt_share"] == pytest.approx(0.3)
    assert np.isnan(table.at["older", "mouth_doubt_share"])
    assert set(check(folder, clips)["accepted"]) == {"yes"}  # limits of null


def test_lengths_of_sound_and_picture_are_compared(folder):
    for clip, seconds in (("short", 0.7), ("shorter", 0.5), ("long", 3.5)):
        write(folder, clip, samples=(8_000 * np.sin(np.arange(round(seconds * RATE)))).astype(np.int16))
    table = check(folder, ["good", "short", "shorter", "long"], max_length_gap_s=1.4).set_index("clip")
    assert list(table["accepted"]) == ["yes", "yes", "no", "no"]
    assert table.at["shorter", "reason"] == "0.50 s of sound and 2.00 s of picture (qc.max_length_gap_s: 1.4)"
    assert list(table["audio_s"]) == [2, 0.7, 0.5, 3.5]
    (said,) = quality.find_doubtful(table.reset_index()).values()
    assert said == ["short: 0.70 s of sound and 2.00 s of picture"]


def test_the_last_line_names_what_is_worth_a_look(tmp_path):
    rows = [(f"c{i}", "yes", 10.0, 0.9, 2.0, 2.0) for i in range(6)]
    rows += [("late", "yes", 320.0, 0.99, 2.0, 2.0), ("early", "yes", -150.0, 0.75, 2.0, 2.0)]
    rows += [(f"other{i}", "yes", 300.0, 0.5 + i / 100, 2.0, 2.0) for i in range(5)]
    rows += [
        ("gone", "no", 390.0, 0.9, 2.0, 2.0),
        ("cut", "yes", 0.0, 0.9, 0.9, 1.4),
        ("mute", "yes", None, None, 2, 2),
    ]
    columns = ["clip", "accepted", "av_offset_ms", "av_certainty", "audio_s", "duration_s"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "clips.tsv", sep="\t", index=False)
    said = quality.closing_line(tmp_path / "clips.tsv")
    assert "\n" not in said
    assert "clips.tsv: 15 of 16 clips accepted; 2 with sound and picture more than 100 ms apart (late: " in said
    assert "(late: sound 320 ms late, certainty 0.99, early: sound 150 ms early, certainty 0.75)" in said
    assert "certainty below 0.7" in said
    assert "(other0: 0.50, other1: 0.51, other2: 0.52, and 2 more)" in said
    assert "(cut: 0.90 s of sound and 1.40 s of picture)" in said
    assert "gone" not in said
    fine = pd.DataFrame(rows[:6], columns=columns)
    assert quality.find_doubtful(fine) == {}


def test_sound_that_is_late_is_listed_and_refused_when_asked(folder):
    def loudness(per_frame):
        return envelope(100, np.random.default_rng(2), per_frame=per_frame)

    landmarks = (200 + 100 * shapes(loudness(1))).astype(np.float32)
    samples = sound(loudness(RATE // 25), RATE, np.random.default_rng(0))
    for clip, late in (("late", 0.2), ("early", -0.2), ("fine", 0.0)):
        moved = np.roll(samples, round(late * RATE))
        arrays = {"landmarks": landmarks, "faces": np.ones(100, np.int16)}
        write(folder, clip, samples=moved, **arrays)
    with h5py.File(folder / "late.landmarks.h5", "a") as file:
        file["late"].attrs["source_fps"] = 29.97
    clips = ["good", "late", "early", "fine"]
    table = check(folder, clips).set_index("clip")
    assert list(table["accepted"]) == ["yes"] * 4
    np.testing.assert_allclose(table["av_offset_ms"], [np.nan, 200, -200, 0], atol=12)
    assert table["av_certainty"][1:].min() > 0.8
    assert table.at["late", "source_fps"] == 29.97
    assert table["drift_ms"].isna().all()
    table = check(folder, clips, max_offset_ms=100).set_index("clip")
    assert list(table["accepted"]) == ["yes", "no", "no", "yes"]
    assert table.at["late", "reason"].endswith("ms late (qc.max_offset_ms: 100)")
    assert table.at["early", "reason"].endswith("ms early (qc.max_offset_ms: 100)")


def test_an_offset_that_is_not_certain_refuses_nobody():
    row = {"detected_share": 1, "face_size_px": 80, "faces": 1, "counts": np.ones(1), "jitter_percent": 0}
    row |= {"mouth_motion_percent": 5.0, "mouth_doubt_share": 0.0}
    row |= {"duration_s": 3, "audio_s": 3, "audio_dbfs": -20, "silence_share": 0, "av_offset_ms": 300.0}
    assert quality.judge(row | {"av_certainty": 0.7}, **LIMITS, max_offset_ms=100) == ""
    assert quality.judge(row | {"av_certainty": 0.9}, **LIMITS, max_offset_ms=None) == ""
    said = "the sound is 300 ms late (qc.max_offset_ms: 100)"
    assert quality.judge(row | {"av_certainty": 0.9}, **LIMITS, max_offset_ms=100) == said
