"""Phones of a clip: from marks, from words, recognised."""

import h5py
import numpy as np
import pytest

from talkface.corpus import phones
from talkface.corpus.annotations import Mark, read_marks
from talkface.media import phone_names
from talkface.media.audio import extract_audio


def marks(*names):
    return [Mark(name, 0.1 * n, 0.1 * n + 0.1) for n, name in enumerate(names)]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("sil", "B", "IH1", "N", "sp"), True),  # the Montreal Forced Aligner, with stress
        (("h#", "pcl", "p", "axr", "q"), True),  # TIMIT
        (("", "ˈiː", "tʰ", "oʊ", "ʃ"), True),  # IPA
        (("bin", "blue", "at", "f", "two", "now"), False),
        (("a", "b", "c"), True),  # letters alone: what is spelt here could be either
        (("你好", "世界"), False),
        (("für", "alle"), False),
        (("sil", ""), False),
        ((), False),
    ],
)
def test_phones_are_told_from_words(names, expected):
    assert phone_names.are_phones(marks(*names)) is expected


def test_phones_have_classes_whatever_they_are_called():
    assert phone_names.class_of("P") == phone_names.class_of("pʰ") == phone_names.class_of("pcl")
    assert phone_names.class_of("OW2") == phone_names.class_of("ˈəʊ") == phone_names.class_of("oʊ")
    assert phone_names.class_of("") == phone_names.class_of("h#") == phone_names.SILENCE
    assert phone_names.class_of("ʘ") == phone_names.UNKNOWN
    classes = {phone_names.class_of(name) for name in phone_names.ARPABET - {"q"}} - {phone_names.UNKNOWN}
    assert classes == set(range(2, phone_names.CLASSES))
    for lips in (phone_names.BILABIAL, phone_names.ROUNDED, phone_names.LABIODENTAL, phone_names.OPEN):
        assert phone_names.UNKNOWN not in {phone_names.class_of(name) for name in lips}


def test_marks_that_are_phones_are_taken_as_they_are():
    found, source = phones.find_phones(np.zeros(8000, np.int16), marks("sil", "B", "IH1", "", "N"))
    assert [mark.name for mark in found] == ["B", "IH1", "N"]
    assert source == "marks"


def test_without_pocketsphinx_the_table_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(phones, "aligner", lambda: "")
    (tmp_path / "a.align").write_text("0 25000 bin\n25000 50000 blue\n")
    with h5py.File(tmp_path / "s.h5", "w") as file:
        for clip in ("a", "b", "silent"):
            file[clip] = np.zeros(0 if clip == "silent" else 32_000, np.int16)
            file[clip].attrs.update(rate=16_000)
    phones.write_phones(
        tmp_path / "s.h5", tmp_path / "s.tsv", clips=["a", "b", "silent", "gone"], marks={"a": tmp_path / "a.align"},
        start_s=[None] * 4, end_s=[None] * 4,
    )  # fmt: skip
    table = phones.read_phones([tmp_path / "s.tsv"])
    assert list(table["clip"]) == ["a", "b"]
    assert set(table["source"]) == {phones.MISSING}
    assert set(table["name"]) == {""}
    assert phones.read_phones([]).empty


def test_words_of_grid_are_aligned_and_without_them_recognised(shared_data, tmp_path, caplog):
    pytest.importorskip("pocketsphinx")
    clip, align = shared_data / "grid/s1/bbaf4p.mpg", shared_data / "grid/align/bbaf4p.align"
    samples = extract_audio(clip, rate=16_000)
    words = read_marks(align)
    found, source = phones.find_phones(samples, words)
    assert source == "words"
    assert [mark.name for mark in found[:3]] == ["B", "IH", "N"]  # bin
    said = next(word for word in words if word.name == "bin")
    assert abs(found[0].start_s - said.start_s) < 0.1
    assert phones.find_phones(samples)[1] == "recognised"
    # A word that nobody knows, and marks that cannot be read: the phones are recognised instead.
    assert phones.find_phones(samples, marks("xqzt", "bin"))[1] == "recognised"
    (tmp_path / "bad.align").write_text("no times\n")
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file["a"] = samples
        file["a"].attrs.update(rate=16_000)
    phones.write_phones(
        tmp_path / "s.h5", tmp_path / "s.tsv", clips=["a"], marks={"a": tmp_path / "bad.align"},
        start_s=[None], end_s=[None],
    )  # fmt: skip
    assert "bad.align: line 1" in caplog.text
    assert set(phones.read_phones([tmp_path / "s.tsv"])["source"]) == {"recognised"}


def test_long_sound_is_cut_and_its_phones_keep_their_times(shared_data):
    pytest.importorskip("pocketsphinx")
    samples, words, expected, begin = [], [], [], 0.0
    for clip in sorted((shared_data / "grid/s1").glob("*.mpg"))[:6]:
        sound, own = extract_audio(clip, rate=16_000), read_marks(shared_data / "grid/align" / f"{clip.stem}.align")
        expected += [(mark.name, begin + mark.start_s) for mark in phones.find_phones(sound, own)[0]]
        words += [Mark(mark.name, begin + mark.start_s, begin + mark.end_s) for mark in own]
        samples.append(sound)
        begin += len(sound) / 16_000
    joined = np.concatenate(samples)
    pieces = list(phones._pieces(joined))
    assert len(pieces) >= 2
    assert all(len(piece) <= phones.PIECE_S * phones.RATE for _, piece in pieces)
    assert sum(len(piece) for _, piece in pieces) == len(joined)
    found, source = phones.find_phones(joined, words)
    assert source == "words"
    starts = np.array([mark.start_s for mark in found if phone_names.plain(mark.name) in phone_names.BILABIAL])
    wanted = np.array([start for name, start in expected if phone_names.plain(name) in phone_names.BILABIAL])
    assert len(wanted) >= 6
    assert np.median(np.abs(starts[:, None] - wanted).min(axis=0)) < 0.02  # each as when its clip stands alone
