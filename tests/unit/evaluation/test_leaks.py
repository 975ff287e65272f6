"""What stands on both sides is found and named."""

import h5py
import numpy as np
import pandas as pd
import pytest

from talkface.errors import TalkfaceError
from talkface.evaluation.leaks import check_noise, check_splits, read_digests
from talkface.training.dataset import write_dataset
from tests.toy_corpus import toy_clip

CLIPS = (("a", "ann", "train"), ("b", "bob", "valid"), ("c", "cid", "test"), ("d", "dan", "unseen"))


def write(folder, *, clips=CLIPS, digests=None, stretches=None):
    """A dataset and its sheet; digests and stretches by clip where they are not the clip's own."""
    made = []
    for name, speaker, split in clips:
        clip = toy_clip(name, frames=20, rates=(8_000,), split=split, speaker=speaker)
        made.append(clip.__class__(**clip.__dict__ | {"digest": (digests or {}).get(name, f"digest-{name}")}))
    write_dataset(folder / "toy.h5", made, corpus="toy")
    table = pd.DataFrame([(name, *(stretches or {}).get(name, ("", ""))) for name, *_ in clips])
    table.set_axis(["clip", "start_s", "end_s"], axis=1).to_csv(folder / "sheet.tsv", sep="\t", index=False)
    return folder / "toy.h5"


def check(folder, split_by="speaker"):
    check_splits(folder / "toy.h5", sheet=folder / "sheet.tsv", split_by=split_by)


def test_a_clean_dataset_passes(tmp_path):
    write(tmp_path)
    check(tmp_path)


@pytest.mark.parametrize(("one", "other"), [("a", "c"), ("b", "d"), ("a", "b")])
def test_one_recording_in_two_splits(tmp_path, one, other):
    write(tmp_path, digests={one: "same", other: "same"})
    for split_by in ("speaker", "clip"):
        with pytest.raises(TalkfaceError, match=rf"{one} \(\w+\) and {other} \(\w+\) are the same recording"):
            check(tmp_path, split_by)


def test_stretches_of_one_recording(tmp_path):
    digests = {"a": "same", "c": "same"}
    write(tmp_path, digests=digests, stretches={"a": ("", "4.0"), "c": ("4.0", "")})
    check(tmp_path, "clip")
    write(tmp_path, digests=digests, stretches={"a": ("", "4.1"), "c": ("4.0", "")})
    with pytest.raises(TalkfaceError, match="are the same recording"):
        check(tmp_path, "clip")


def test_one_recording_twice_in_one_split_is_well(tmp_path):
    write(tmp_path, clips=(*CLIPS, ("e", "ann", "train")), digests={"a": "same", "e": "same"})
    check(tmp_path)


def test_speakers(tmp_path):
    write(tmp_path, clips=(*CLIPS, ("e", "ann", "test")))
    with pytest.raises(TalkfaceError, match="speaker ann stands in the splits test and train"):
        check(tmp_path)
    check(tmp_path, "clip")
    write(tmp_path, clips=(*CLIPS, ("e", "ann", "unseen")))
    with pytest.raises(TalkfaceError, match="speaker ann stands in the splits train and unseen"):
        check(tmp_path, "clip")


def noise(path, **digests):
    with h5py.File(path, "w") as file:
        for name, digest in digests.items():
            file[name.replace("__", "/")] = np.ones(10, np.int16)
            if digest:
                file[name.replace("__", "/")].attrs["digest"] = digest
    return path


def test_noise(tmp_path):
    dataset = write(tmp_path)
    judged = noise(tmp_path / "judged.h5", babble__one="x,y", white__one="z")
    assert read_digests(judged) == {"x": "babble/one", "y": "babble/one", "z": "white/one"}
    keywords = {"dataset": dataset, "model": "m"}
    check_noise(judged, training=[], **keywords)
    check_noise(judged, training=[noise(tmp_path / "other.h5", street="w", theirs="")], **keywords)
    check_noise(judged, training=[noise(tmp_path / "nameless.h5", street="")], **keywords)
    with pytest.raises(
        TalkfaceError, match=r"judged\.h5: babble/one is street of .*same\.h5, with which m was trained"
    ):
        check_noise(judged, training=[noise(tmp_path / "same.h5", street="y")], **keywords)
    clip = noise(tmp_path / "clip.h5", talker__one="digest-a")
    with pytest.raises(TalkfaceError, match="talker/one is the clip a of the corpus"):
        check_noise(clip, training=[], **keywords)
    (tmp_path / "text.h5").write_text("noise")
    with pytest.raises(TalkfaceError, match=r"text\.h5: not readable as HDF5"):
        check_noise(tmp_path / "text.h5", training=[], **keywords)
