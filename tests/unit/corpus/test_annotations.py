"""Marks of a clip: the formats of aligners, and one clear line for a file that is none."""

import h5py
import pytest

from talkface.corpus.annotations import Mark, read_marks
from talkface.errors import TalkfaceError

HEAD = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n'
# As the Montreal Forced Aligner and Praat write it; the words come first.
LONG = (
    HEAD
    + '''xmin = 0
xmax = 1.5
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "IntervalTier"
        name = "anna - words"
        xmin = 0
        xmax = 1.5
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 1.5
            text = "no"
    item [2]:
        class = "TextTier"
        name = "claps"
        xmin = 0
        xmax = 1.5
        points: size = 1
        points [1]:
            number = 0.4
            mark = "clap"
    item [3]:
        class = "IntervalTier"
        name = "anna - phones"
        xmin = 0
        xmax = 1.5
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.25
            text = ""
        intervals [2]:
            xmin = 0.25
            xmax = 0.5
            text = "n ""soft"""
        intervals [3]:
            xmin = 0.5
            xmax = 1.5
            text = "oʊ"
'''
)
SHORT = (
    HEAD
    + """0 ! from here
1.5
<exists>
1
"IntervalTier"
"words"
0
1.5
2
0
.5e0
"no"
0.5
1.5
""
"""
)
PHONES = [Mark("", 0.0, 0.25), Mark('n "soft"', 0.25, 0.5), Mark("oʊ", 0.5, 1.5)]


@pytest.fixture
def write(tmp_path):
    def write(name, text, encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["a.TextGrid", "a.textgrid"])
def test_textgrid(write, name, encoding):
    assert read_marks(write(name, LONG, encoding)) == PHONES


def test_short_textgrid_without_phones_gives_its_first_intervals(write):
    assert read_marks(write("a.TextGrid", SHORT)) == [Mark("no", 0.0, 0.5), Mark("", 0.5, 1.5)]


def test_short_textgrid_of_older_programs(write):
    """Their head has no names; times need not begin at 0, and neighbours may overlap by a rounding."""
    text = 'File type = "ooTextFile short"\n"TextGrid"\n\n9.5\n11\n<exists>\n2\n"IntervalTier"\n"mute"\n9.5\n11\n0\n'
    text += '"IntervalTier"\n"phone"\n9.5\n11\n2\n9.5\n10.0000001\n"R"\n10\n11\n"AY1"\n'
    assert read_marks(write("a.TextGrid", text)) == [Mark("R", 9.5, 10.0000001), Mark("AY1", 10.0, 11.0)]


def test_align_of_grid(write):
    path = write("bbaf2n.align", "0 23750 sil\n23750 29500 bin\n29500 34000 blue\n")
    assert read_marks(path) == [Mark("sil", 0, 0.95), Mark("bin", 0.95, 1.18), Mark("blue", 1.18, 1.36)]


@pytest.mark.parametrize("name", ["labels.txt", "labels.tsv"])
def test_labels_of_audacity(write, name):
    text = "0.5\t0.75\ttwo words\n\\\t100.0\t2000.0\n0.25\t0.5\tone\n\n0.75\t0.75\t\n"
    expected = [Mark("one", 0.25, 0.5), Mark("two words", 0.5, 0.75), Mark("", 0.75, 0.75)]
    assert read_marks(write(name, text)) == expected
    assert read_marks(write(name, "start_s\tend_s\tname\n" + text)) == expected


def test_phonemes_of_the_demo_corpus(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["phonemes/name"], file["phonemes/start_s"], file["phonemes/end_s"] = ["", "ʌ"], [0.0, 0.12], [0.12, 0.2]
    assert read_marks(tmp_path / "a.h5") == [Mark("", 0.0, 0.12), Mark("ʌ", 0.12, 0.2)]


def test_a_stretch_shifts_the_marks(write):
    path = write("a.tsv", "0\t1\ta\n1\t2\tb\n2\t3\tc\n3\t4\td\n")
    assert read_marks(path, start_s=1.5, end_s=2.5) == [Mark("b", 0.0, 0.5), Mark("c", 0.5, 1.0)]
    assert read_marks(path, start_s=3.0) == [Mark("d", 0.0, 1.0)]
    assert read_marks(path, start_s=9.0) == []


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.csv", "0,1,a", "marks ending in .csv; one of .TextGrid, .align, .tsv, .txt, .h5 was expected"),
        ("a", "0 1 a", "marks ending in nothing"),
        ("a.align", "", "no marks in it"),
        ("a.align", "0 100 sil\nbin blue\n", "line 2: 'bin blue'; start, end and a name were expected"),
        ("a.align", "0 100 sil\n200 100 bin\n", "'bin' from 0.008 to 0.004 s; times that do not run backwards"),
        ("a.tsv", "0\t1\ta\n1,2,b\n", "line 2: '1,2,b'"),
        ("a.txt", "nan\t1\ta\n", "'a' from nan to 1 s"),
        ("a.txt", b"\xc3\x28\t1", "not a text in UTF-8"),
        ("a.TextGrid", "0 100 sil", "'0' instead of a text"),
        ("a.TextGrid", HEAD.replace("TextGrid", "Pitch 1"), "no TextGrid in Praat's text format"),
        ("a.TextGrid", HEAD + "0 1 <absent>", "no tier of intervals"),
        ("a.TextGrid", SHORT[:-10], "the end of the file instead of a number"),
        ("a.TextGrid", SHORT.replace("IntervalTier", "TextTier"), "instead of a text"),
        ("a.TextGrid", SHORT.replace("<exists>\n1", "<exists>\n1e999"), "inf instead of how many"),
        ("a.TextGrid", HEAD + '0 1 <exists> 1 "TextTier" "claps" 0 1 1 0.5 "clap"', "no tier of intervals"),
        ("a.TextGrid", b"ooBinaryFile\x08TextGrid\x00", "a TextGrid in Praat's text format was expected"),
        ("a.h5", "0 1 a", "no HDF5 with phonemes/name"),
    ],
)
def test_faults_are_one_line(write, name, text, found):
    path = write(name, text)
    with pytest.raises(TalkfaceError) as error:
        read_marks(path)
    assert str(error.value).startswith(f"{path}: ")
    assert found in str(error.value)
    assert str(error.value).endswith("mend the file, or leave the clip's column marks empty")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["none.align", "none.h5"])
def test_a_file_that_is_not_there(tmp_path, name):
    with pytest.raises(TalkfaceError, match=r"cannot be read \(No such file or directory\)"):
        read_marks(tmp_path / name)


def test_an_h5_of_something_else(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["shape"] = [1.0]
    with pytest.raises(TalkfaceError, match="phonemes/end_s; these were expected"):
        read_marks(tmp_path / "a.h5")
