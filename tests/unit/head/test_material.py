"""What a person's videos must show."""

import h5py
import numpy as np
import pandas as pd
import pytest

from talkface.errors import TalkfaceError
from talkface.head import material
from tests.unit.face3d.test_fit import film

LANDMARKS = film(100)[0].astype(np.float32)


@pytest.fixture
def track(tmp_path, monkeypatch):
    """Track videos of a person of which landmarking says so much."""

    def call(*videos, names=()):
        def landmark(paths, output, *, clips, **given):
            assert given["detector"] == "mesh"
            with h5py.File(output, "w") as file:
                for clip, (frames, several, reason) in zip(clips, videos, strict=True):
                    group = file.create_group(clip)
                    group.attrs.update(width=640, height=480, rejected=reason)
                    group["landmarks"] = np.resize(LANDMARKS, (frames, 68, 2))
                    group["detected"] = np.ones(frames, bool)
                    faces = np.full(frames, -1, np.int16)
                    faces[::10] = 1 + several
                    group["faces"] = faces

        monkeypatch.setattr(material, "landmark_shard", landmark)
        monkeypatch.setattr(material, "mouth_doubt", lambda video, *_: 0.5 if video == "hand.mp4" else 0.01)
        names = names or [f"{number}.mp4" for number in range(len(videos))]
        material.track_person(
            names, tmp_path / "landmarks.h5", tmp_path / "quality.tsv", person="ada", start_s=[None] * len(names),
            end_s=[None] * len(names),
        )  # fmt: skip
        return pd.read_csv(tmp_path / "quality.tsv", sep="\t", keep_default_na=False)

    return call


def test_enough_video_is_taken(track, caplog):
    table = track((300, 0, ""), (100, 0, ""))
    assert table["seconds"].tolist() == [12, 4]
    assert table["refused"].tolist() == ["", ""]
    assert not caplog.records


def test_little_is_warned_of_and_what_will_not_do_is_left_out(track, caplog, tmp_path):
    table = track((200, 0, ""), (200, 1, ""), (50, 0, "2.mp4: cut at frame 7 (0.28 s)"))
    assert "8.0 s of video; from 12 s on" in caplog.text
    assert table["refused"][1].startswith("1.mp4: two faces or more in 100 % of the counts, first 0.0 s into")
    assert "cut at frame 7" in table["refused"][2]
    with h5py.File(tmp_path / "landmarks.h5") as file:
        assert [bool(file[name].attrs["rejected"]) for name in file] == [False, True, True]


def test_too_little_is_refused_and_nothing_made(track, tmp_path):
    with pytest.raises(TalkfaceError, match=r"ada: 4\.0 s of video that can be used, of 6\.0 s; 6 s in sum") as error:
        track((100, 0, ""), (50, 0, "1.mp4: no face in any of 50 frames"))
    assert "no face in any of 50 frames" in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_hand_before_the_mouth_is_said(track, caplog):
    table = track((200, 0, ""), (200, 0, ""), names=("a.mp4", "hand.mp4"))
    assert table["mouth_doubt"].tolist() == [0.01, 0.5]
    assert "hand.mp4: the mouth is in doubt in 50 % of the frames" in caplog.text
    assert "a.mp4: the mouth" not in caplog.text
