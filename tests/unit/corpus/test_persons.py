"""The table of persons."""

import pytest

from talkface.corpus.persons import read_persons
from talkface.errors import TalkfaceError


def write(folder, *lines, head="person\tvideo\tstart_s\tend_s"):
    path = folder / "persons.tsv"
    path.write_text("\n".join(["# whose", head, *lines]) + "\n")
    return path


def test_rows_of_one_person_belong_together(tmp_path):
    table = write(tmp_path, "ada\ta.mp4\t\t", "bob\tb.mp4\t1\t9.5", "ada\tc d.mp4\t2\t")
    found = read_persons(table, nameable=str.upper)
    assert list(found) == ["ada", "bob"]
    assert found["ada"].videos == [str(tmp_path / name).upper() for name in ("a.mp4", "c d.mp4")]
    assert found["ada"].names == ["video1", "video2"]
    assert found["ada"].start_s == [None, 2.0]
    assert found["bob"].end_s == [9.5]


def test_videos_of_the_demo_are_made_by_rules(tmp_path):
    table = write(tmp_path, "ada\tresources/demo/ada_1.mp4\t\t")
    assert read_persons(table, shipped=True)["ada"].videos == ["resources/demo/ada_1.mp4"]
    assert read_persons(table)["ada"].videos == [str(tmp_path / "resources" / "demo" / "ada_1.mp4")]


def test_seconds_may_be_left_out_and_a_path_may_hold_a_number_sign(tmp_path):
    found = read_persons(write(tmp_path, "NA\ttake#2.mp4", head="person\tvideo"))
    assert found["NA"].end_s == [None]
    assert found["NA"].videos == [str(tmp_path / "take#2.mp4")]
    assert read_persons(write(tmp_path)) == {}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a b\ta.mp4\t\t", r"'a b'"),
        ("../a\ta.mp4\t\t", r"'\.\./a'"),
        ("ada\t\t\t", "ada: no video"),
        ("ada\ta.mp4\t5\t4", "ends before it begins"),
        ("ada\ta.mp4\t-1\t", "ends before it begins"),
        ("ada\ta.mp4\t\tinf", "ends before it begins"),
        ("ada\ta.mp4\tsoon\t", "start_s is 'soon'; expected seconds or nothing"),
    ],
)
def test_faults_are_one_line(tmp_path, line, said):
    with pytest.raises(TalkfaceError, match=said) as error:
        read_persons(write(tmp_path, line))
    assert "\n" not in str(error.value)
    assert "persons.tsv" in str(error.value)


def test_another_table_is_refused(tmp_path):
    with pytest.raises(TalkfaceError, match="columns clip, video; person, video"):
        read_persons(write(tmp_path, "a\tb", head="clip\tvideo"))
    with pytest.raises(TalkfaceError, match="columns person, video, stop"):
        read_persons(write(tmp_path, "a\tb\t1", head="person\tvideo\tstop"))
    with pytest.raises(TalkfaceError, match=r"none\.tsv: there is no such sheet; write one"):
        read_persons(tmp_path / "none.tsv")
