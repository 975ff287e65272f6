import h5py
import numpy as np
import pandas as pd
import pytest

from talkface.errors import TalkfaceError
from talkface.models import inputs
from talkface.training import dataset
from tests.toy_corpus import shapes, toy_clip, toy_dataset

CLIPS = (
    ("a", "one", "train"),
    ("b", "one", "valid"),
    ("c", "two", "test"),
    ("d", "two", "train"),
    ("e", "two", "train"),
)


@pytest.fixture
def stages(tmp_path):
    """What earlier stages leave behind: clip d is rejected by quality control, e has no sound at all."""
    rows = []
    for index, (clip, speaker, split) in enumerate(CLIPS):
        generator = np.random.default_rng(index)
        accepted = clip not in "de"
        rows.append((clip, speaker, split, accepted, "" if accepted else "no face"))
        with h5py.File(tmp_path / f"audio_{clip}.h5", "w") as file:
            samples = generator.integers(-9_000, 9_000, 0 if clip == "e" else 132_300 - 1_764 * index).astype(np.int16)
            file[clip] = samples
            file[clip].attrs.update(rate=44_100, source=f"{clip}.mp4", digest=f"digest-{clip}", rejected="")
        with h5py.File(tmp_path / f"landmarks_{clip}.h5", "w") as file:
            group = file.create_group(clip)
            group["landmarks"] = np.full((75 - index, 68, 2), index, np.float32)
            group.attrs.update(fps=25, rejected="")
        with h5py.File(tmp_path / f"{speaker}.h5", "a") as file:
            group = file.create_group(clip)
            if accepted:
                group["shape"] = shapes(generator.uniform(size=75 - index))
            group.attrs["rejected"] = "" if accepted else "no face"
    columns = ["clip", "speaker", "split", "accepted", "reason"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "clips.tsv", sep="\t", index=False)
    return tmp_path


def assemble(stages, **changed):
    options = {
        "corpus": "toy",
        "quality": stages / "clips.tsv",
        "audio": [stages / f"audio_{clip}.h5" for clip in "abcde"],
        "shapes": [stages / "one.h5", stages / "two.h5"],
        "landmarks": [stages / f"landmarks_{clip}.h5" for clip in "abcde"],
        "networks": ["cnn"],
        "components": 4,
    } | changed
    dataset.assemble_dataset(stages / "toy.h5", **options)
    return stages / "toy.h5"


def test_what_is_assembled_comes_back(stages):
    path = assemble(stages, networks=["cnn", "talkface"])
    for index, split in enumerate(("train", "valid", "test")):
        part = dataset.read_part(path, split, rate=8_000)
        clip, speaker, _ = CLIPS[index]
        assert (part.clips, part.speakers) == ([clip], [speaker])
        with h5py.File(stages / f"{speaker}.h5") as file:
            np.testing.assert_array_equal(part.shape_of(0), file[clip]["shape"][:])
        assert len(part.audio_of(0)) == 24_000 - 320 * index
        assert len(dataset.read_part(path, split, rate=16_000).audio_of(0)) == 48_000 - 640 * index
    assert dataset.read_corpus(path) == "toy"
    assert dataset.read_rates(path) == [8_000, 16_000]


def test_layout_is_the_documented_one(stages):
    with h5py.File(assemble(stages)) as file:
        assert set(file) == {
            *("shape", "frame_offsets", "audio", "audio_offsets", "clip", "speaker", "split", "digest", "shape_model"),
            "correction_ms",
        }
        assert file["shape"].shape == (75 + 74 + 73, 68, 2)
        assert file["shape"].dtype == np.float32
        assert file["frame_offsets"][:].tolist() == [0, 75, 149, 222]
        assert list(file["audio"]) == ["8000"]  # only what the selected networks hear
        assert file["audio/8000"].dtype == np.int16
        assert file["digest"].asstr()[:].tolist() == ["digest-a", "digest-b", "digest-c"]
        assert file["shape_model/components"].shape == (4, 136)
        assert file.attrs["fps"] == 25


def test_the_shape_model_knows_the_training_split_alone(stages):
    path = assemble(stages)
    expected = dataset.read_part(path, "train", rate=8_000).shape.mean(axis=0)
    np.testing.assert_allclose(dataset.read_shape_model(path).mean, expected, atol=1e-6)


def test_by_whose_eyes_it_is_seen(stages):
    assert dataset.read_detector(assemble(stages)) == "dlib"  # of files that do not say it
    speakers = {speaker for clip, speaker, _ in CLIPS if clip not in "de"}
    for speaker in speakers:
        with h5py.File(stages / f"{speaker}.h5", "a") as file:
            for clip in file:
                file[clip].attrs["detector"] = "mesh"
    assert dataset.read_detector(assemble(stages)) == "mesh"
    with h5py.File(stages / f"{CLIPS[0][1]}.h5", "a") as file:
        file[CLIPS[0][0]].attrs["detector"] = "dlib"
    with pytest.raises(TalkfaceError, match=r"faces as two detectors see them .*; one was expected"):
        assemble(stages)


def test_where_the_sound_ends_early_the_common_part_is_taken(stages):
    before = dataset.read_part(assemble(stages), "test", rate=8_000)
    clip = next(clip for clip, _, split in CLIPS if split == "test")
    with h5py.File(stages / f"audio_{clip}.h5", "a") as file:
        attributes, samples = dict(file[clip].attrs), file[clip][: 30 * 1_764]
        del file[clip]
        file[clip] = samples
        file[clip].attrs.update(attributes)
    after = dataset.read_part(assemble(stages), "test", rate=8_000)
    assert after.frame_offsets[1] == 30
    np.testing.assert_array_equal(after.shape[:30], before.shape[:30])


def test_sound_that_is_surely_late_is_moved_when_that_is_asked_for(stages):
    table = pd.read_csv(stages / "clips.tsv", sep="\t")
    table["av_offset_ms"], table["av_certainty"], table["duration_s"] = 80.0, 0.99, 30.0
    table.loc[table["clip"] == "b", "av_certainty"] = float("nan")  # not known
    table.loc[table["clip"] == "c", "duration_s"] = 3.0  # too short to be sure of
    table.to_csv(stages / "clips.tsv", sep="\t", index=False)
    before, plain = (
        dataset.read_part(assemble(stages), "train", rate=8_000),
        dataset.read_corrections(stages / "toy.h5"),
    )
    after = dataset.read_part(assemble(stages, correct_offset="certain"), "train", rate=8_000)
    assert set(plain.values()) == {0.0}
    assert dataset.read_corrections(stages / "toy.h5") == {"a": 80.0, "b": 0.0, "c": 0.0}
    count = 640  # 80 ms at 8 kHz
    inside = slice(100, 20_000)  # away from the ends, which the resampler sees
    np.testing.assert_allclose(after.audio_of(0)[inside], before.audio_of(0)[count:][inside], atol=1)
    assert (after.audio_of(0)[-count + 100 :] == 0).all()
    assert len(after.audio_of(0)) == len(before.audio_of(0))
    np.testing.assert_array_equal(after.shape, before.shape)
    assemble(stages, correct_offset=-20.0)
    assert dataset.read_corrections(stages / "toy.h5") == {"a": -20.0, "b": -20.0, "c": -20.0}


def test_landmarks_are_kept_when_a_network_wants_them(stages, monkeypatch):
    from talkface.models.networks.cnn import Network

    monkeypatch.setattr(Network, "wants_landmarks", True)
    path = assemble(stages)
    part = dataset.read_part(path, "test", rate=8_000, landmarks=True)
    assert part.landmarks.shape == (73, 68, 2)
    assert (part.landmarks == 2).all()


def test_a_split_left_empty_by_rejections_is_said(stages):
    table = pd.read_csv(stages / "clips.tsv", sep="\t")
    table["reason"] = "too dark"
    table.loc[table["split"] == "test", "accepted"] = False
    table.to_csv(stages / "clips.tsv", sep="\t", index=False)
    with pytest.raises(TalkfaceError, match=r"split test: none of its . clips can be used \(.+: too dark"):
        assemble(stages)
    assert not (stages / "toy.h5").exists()


def test_a_missing_shape_or_sound_is_named(stages):
    with pytest.raises(TalkfaceError, match="no sound of c"):
        assemble(stages, audio=[stages / f"audio_{clip}.h5" for clip in "ab"])
    with h5py.File(stages / "two.h5", "a") as file:
        del file["c/shape"]
    with pytest.raises(TalkfaceError, match=r"two\.h5: no shape of clip c"):
        assemble(stages)


def test_unknown_rates_and_splits_are_named(tmp_path):
    path = toy_dataset(tmp_path / "toy.h5", rates=(8_000,))
    with pytest.raises(TalkfaceError, match=r"sound at 8000 Hz but not at 16000 Hz"):
        dataset.read_part(path, "train", rate=16_000)
    with pytest.raises(TalkfaceError, match="no clip of split 'dev'"):
        dataset.read_part(path, "dev", rate=8_000)


def test_a_broken_file_is_named(tmp_path):
    path = toy_dataset(tmp_path / "toy.h5")
    path.write_bytes(path.read_bytes()[:2_000])
    with pytest.raises(TalkfaceError, match=r"toy\.h5: not readable as HDF5"):
        dataset.read_corpus(path)
    with h5py.File(path, "w") as file:
        file["other"] = 1
    with pytest.raises(TalkfaceError, match="not a dataset of layout"):
        dataset.read_corpus(path)


def test_clips_of_a_split_are_end_to_end(tmp_path):
    path = toy_dataset(tmp_path / "toy.h5", train=5)
    part = dataset.read_part(path, "train", rate=8_000)
    assert np.diff(part.frame_offsets).tolist() == [60, 60, 60, 53, 60]
    expected = toy_clip("train3", frames=53, seed=3)
    np.testing.assert_array_equal(part.shape_of(3), expected.shape)
    np.testing.assert_array_equal(part.audio_of(3), expected.audio[8_000])


def test_the_digest_follows_the_content(tmp_path):
    first, again = (dataset.read_part(toy_dataset(tmp_path / f"{n}.h5"), "train", rate=8_000) for n in range(2))
    other = dataset.read_part(toy_dataset(tmp_path / "o.h5", train=11), "train", rate=8_000)
    assert inputs.digest_arrays(first) == inputs.digest_arrays(again)
    assert inputs.digest_arrays(first) != inputs.digest_arrays(other)
    assert inputs.digest_arrays(first) != inputs.digest_arrays(
        dataset.read_part(tmp_path / "0.h5", "valid", rate=8_000)
    )
