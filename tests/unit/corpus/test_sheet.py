"""The sample sheet: what is accepted, and one clear line for each fault."""

import re
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from talkface.corpus.folders import sheet_from_folder, speaker_of
from talkface.corpus.public import own_files
from talkface.corpus.sheet import (
    LONG_BYTES,
    check_divided,
    clean_name,
    find_speech,
    find_splits,
    make_shards,
    read_sheet,
)
from talkface.errors import TalkfaceError

ROWS = [("a1", "anna", "train", "v/a1.mp4"), ("b1", "bert", "valid", "v/b1.mp4"), ("c1", "cleo", "test", "v/c1.mp4")]


@pytest.fixture
def sheet(tmp_path):
    """Write a sheet of rows beside three empty videos; give its path."""
    (tmp_path / "v").mkdir()
    for row in ROWS:
        (tmp_path / row[3]).touch()

    def write(rows=ROWS, columns=("clip", "speaker", "split", "video"), name="clips.tsv"):
        pd.DataFrame(rows, columns=list(columns)).to_csv(tmp_path / name, sep="\t", index=False)
        return tmp_path / name

    return write


def test_read(sheet, tmp_path):
    clips = read_sheet(
        sheet([(*row, "", "1.5") for row in ROWS], ("clip", "speaker", "split", "video", "start_s", "end_s"))
    )
    assert list(clips.index) == ["a1", "b1", "c1"]
    assert clips.video["a1"] == str(tmp_path / "v" / "a1.mp4")
    assert clips.start_s.isna().all()
    assert (clips.end_s == 1.5).all()


def test_a_sound_file_of_its_own(sheet, tmp_path):
    columns = ("clip", "speaker", "split", "video", "audio")
    (tmp_path / "v" / "a1.wav").touch()
    clips = read_sheet(sheet([(*row, "v/a1.wav" if row[0] == "a1" else "") for row in ROWS], columns))
    assert clips.audio["a1"] == str(tmp_path / "v" / "a1.wav")
    assert clips.audio["b1"] == clips.video["b1"]
    assert (read_sheet(sheet()).audio == read_sheet(sheet()).video).all()
    with pytest.raises(TalkfaceError, match=r"clip 'a1': there is no file .*a2\.wav'; mend the column audio"):
        read_sheet(sheet([(*row, "v/a2.wav") for row in ROWS], columns))


def test_marks(sheet, tmp_path):
    columns = ("clip", "speaker", "split", "video", "marks")
    (tmp_path / "v" / "a1.align").touch()
    clips = read_sheet(sheet([(*row, " v/a1.align" if row[0] == "a1" else " ") for row in ROWS], columns))
    assert list(clips.marks) == [str(tmp_path / "v" / "a1.align"), "", ""]
    assert list(read_sheet(sheet()).marks) == ["", "", ""]
    with pytest.raises(TalkfaceError, match=r"clip 'a1': there is no file .*a2\.align'; mend the column marks"):
        read_sheet(sheet([(*row, "v/a2.align") for row in ROWS], columns))


def test_unseen_speakers_stand_nowhere_else(sheet):
    rows = [*ROWS, ("a2", "anna", "test", "v/a1.mp4"), ("d1", "dora", "unseen", "v/a1.mp4")]
    clips = read_sheet(sheet(rows), split_by="clip")
    assert find_splits(clips, ["unseen", "test"]) == ["unseen", "test"]
    assert find_splits(read_sheet(sheet()), ["test", "unseen"]) == ["test"]
    with pytest.raises(TalkfaceError, match=r"no clip in unseen; name one of test, train, valid"):
        find_splits(read_sheet(sheet()), ["unseen"])
    with pytest.raises(TalkfaceError, match="speaker 'anna' stands in the split unseen and in another"):
        read_sheet(sheet([*rows, ("a3", "anna", "unseen", "v/a1.mp4")]), split_by="clip")


def swap(index, value, row=0):
    rows = [list(r) for r in ROWS]
    rows[row][index] = value
    return rows


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (swap(0, "b1"), "stands twice"),
        (swap(0, "B1"), "clips 'B1' and 'b1' differ in capitals alone"),
        (swap(1, "BERT"), "speakers 'BERT' and 'bert' differ in capitals alone"),
        (swap(0, "a 1"), "'a 1'"),
        (swap(0, "-a"), "'-a'"),
        (swap(0, "$(touch x)"), "touch x"),
        (swap(0, "łza"), "łza"),
        (swap(0, "a_face"), "_face"),
        (swap(1, 'an"na'), 'an"na'),
        (swap(2, "training"), "'training'"),
        (swap(3, "v/zz.mp4"), "zz.mp4"),
        (swap(3, ""), "there is no file"),
        (swap(1, "bert"), "several splits"),
        ([], "no rows"),
    ],
)
def test_faults(sheet, rows, found):
    with pytest.raises(TalkfaceError, match=r"clips\.tsv") as error:
        read_sheet(sheet(rows))
    assert found in str(error.value)
    assert "\n" not in str(error.value)


def test_columns(sheet, tmp_path):
    with pytest.raises(TalkfaceError, match="missing column 'video'"):
        read_sheet(sheet([row[:3] for row in ROWS], ("clip", "speaker", "split")))
    with pytest.raises(TalkfaceError, match="unknown column 'vidoe'"):
        read_sheet(sheet([(*row, "") for row in ROWS], ("clip", "speaker", "split", "video", "vidoe")))
    with pytest.raises(TalkfaceError, match="there is no such sheet"):
        read_sheet(tmp_path / "none.tsv")
    (tmp_path / "binary.tsv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(TalkfaceError, match="not a tab-separated table"):
        read_sheet(tmp_path / "binary.tsv")


@pytest.mark.parametrize(("start", "end"), [("2", "1"), ("-1", "2"), ("soon", "")])
def test_times(sheet, start, end):
    columns = ("clip", "speaker", "split", "video", "start_s", "end_s")
    with pytest.raises(TalkfaceError):
        read_sheet(sheet([(*row, start, end) for row in ROWS], columns))


def test_one_speaker_in_two_splits_when_meant(sheet):
    clips = read_sheet(sheet(swap(1, "bert")), split_by="clip")
    assert len(clips) == 3


def test_the_shipped_sheet_needs_no_videos_yet(sheet):
    rows = [(clip, speaker, split, f"resources/demo/{clip}.mp4") for clip, speaker, split, _ in ROWS]
    assert read_sheet(sheet(rows), shipped=True).video["a1"] == "resources/demo/a1.mp4"
    with pytest.raises(TalkfaceError):
        read_sheet(sheet(rows))
    marked = [(*row, f"resources/demo/truth/{row[0]}.h5") for row in rows]
    clips = read_sheet(sheet(marked, ("clip", "speaker", "split", "video", "marks")), shipped=True)
    assert clips.marks["a1"] == "resources/demo/truth/a1.h5"


def test_shards(sheet):
    clips = read_sheet(sheet())
    assert make_shards(clips, clips_per_shard=1) == {"a1": ["a1"], "b1": ["b1"], "c1": ["c1"]}


def many_clips(names, *, speaker="x", **columns):
    given = {"speaker": speaker, "video": "none.mp4", "start_s": np.nan, "end_s": np.nan} | columns
    return pd.DataFrame(given, index=list(names))


def test_an_added_clip_changes_one_shard():
    names = [f"clip{number}" for number in range(1_000)]
    before = make_shards(many_clips(names), clips_per_shard=20)
    assert sorted(clip for clips in before.values() for clip in clips) == sorted(names)
    assert 35 < len(before) < 70  # 20 on average
    for added in ("new", "another", "third", "clip1000", "clip1001"):
        after = make_shards(many_clips([*names, added]), clips_per_shard=20)
        changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
        assert 1 <= len(changed) <= 2  # it joins one, or cuts it in two
        assert sum(len(before.get(name, [])) for name in changed) < 150


def test_shards_do_not_depend_on_the_order_of_rows_and_speakers_never_share_one():
    names = [f"clip{number}" for number in range(60)]
    sheet = pd.concat([many_clips(names[:30]), many_clips(names[30:], speaker="y")])
    shards = make_shards(sheet, clips_per_shard=20)
    assert shards == make_shards(sheet.iloc[::-1], clips_per_shard=20)
    for name, clips in shards.items():
        assert {sheet.speaker[clip] for clip in clips} == {name.split("-")[0]}


def test_a_long_clip_is_a_shard_of_its_own(tmp_path):
    large, small = tmp_path / "large.mp4", tmp_path / "small.mp4"
    with large.open("wb") as file:
        file.truncate(LONG_BYTES + 1)
    small.write_bytes(b"x")
    sheet = many_clips(
        ["whole", "cut", "short", "hour"],
        video=[str(large), str(large), str(small), str(small)],
        start_s=[np.nan, 10.0, np.nan, np.nan],
        end_s=[np.nan, 12.0, np.nan, 3_600.0],
    )
    shards = make_shards(sheet, clips_per_shard=10**9)
    assert sorted(map(sorted, shards.values())) == [["cut", "short"], ["hour"], ["whole"]]


def test_a_number_sign_in_a_name_is_no_comment(tmp_path):
    folder = tmp_path / "videos"
    for speaker in ("a", "b", "c"):
        (folder / speaker).mkdir(parents=True)
        (folder / speaker / f"take #1 'of' \"{speaker}\".mp4").touch()
        (folder / speaker / "._take #1.mp4").touch()  # of macOS
    sheet_from_folder(folder, output=tmp_path / "sheet.tsv")
    text = (tmp_path / "sheet.tsv").read_text()
    (tmp_path / "sheet.tsv").write_text("# taken in May\n" + text)
    clips = read_sheet(tmp_path / "sheet.tsv")
    assert len(clips) == 3
    assert all(Path(video).is_file() and "#1" in video for video in clips["video"])


def drop(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def test_any_file_name_can_be_dropped_in(tmp_path):
    names = {
        "hello.wav": "hello", "my voice.wav": "my_voice", "voice (1).MP3": "voice_1", "Übung.flac": "Ubung",
        "hello.v2.wav": "hello_v2", "$(touch x) & {y}.opus": "touch_x_y", "'quoted\".wma": "quoted", "talk.mp4": "talk",
        "memo.amr": "memo", "scene_face.mov": "scene",
    }  # fmt: skip
    folder = drop(tmp_path / "speech", *names, "你好.wav", "再见.wav", "README.md", "notes.txt")
    found = {Path(path).name: name for name, path in find_speech(folder, clips=[]).items()}
    chinese = [found.pop(name) for name in ("你好.wav", "再见.wav")]
    assert found == names
    assert all(re.fullmatch(r"speech_[0-9a-f]{8}", name) for name in chinese)
    assert len(set(chinese)) == 2


def test_a_clash_of_names_concerns_one_file_alone(tmp_path):
    folder = drop(tmp_path / "speech", "hello.mp3", "a1.wav", "two words.wav")
    before = find_speech(folder, clips=["a1"])
    assert list(before) == ["a1_wav", "hello", "two_words"]  # a1 is a clip of the sheet
    drop(folder, "hello.flac.tmp", "two_words.ogg", "Hello.ogg")
    after = {name: Path(path).name for name, path in find_speech(folder, clips=["a1"]).items()}
    assert after["hello"] == "hello.mp3"
    assert (after["two_words"], after["two_words_wav"]) == ("two_words.ogg", "two words.wav")  # called so
    assert after["Hello_ogg"] == "Hello.ogg"
    assert len(after) == 5


def test_what_systems_leave_behind_is_no_speech(tmp_path):
    folder = drop(tmp_path / "speech", "._hello.wav", ".hidden.wav", "~$hello.wav", "hello.wav.part", "hello.wav")
    (folder / "folder.wav").mkdir()
    assert list(find_speech(folder, clips=[])) == ["hello"]


@pytest.mark.parametrize(
    ("path", "speaker"),
    [
        ("s1/bbaf2n.mpg", "s1"),
        ("s12/video/mpg_6000/bbaf2n.mpg", "s12"),
        ("Actor_03/01-01-05-02-01-01-03.mp4", "actor_03"),
        ("Zoë Łucka/hello.mov", "Zoe_ucka"),
        ("hello.mov", "speaker"),
    ],
)
def test_speaker_of(path, speaker):
    assert speaker_of(Path(path)) == speaker


def test_sheet_from_folder(tmp_path):
    for name in ("s1/bbaf2n.mpg", "s2/bbaf2n.mpg", "s3/lbwe5s.mpg", "s3/notes.txt", "s4/$(touch x) y.mp4"):
        path = tmp_path / "grid" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    output = tmp_path / "sheets" / "grid.tsv"
    written = sheet_from_folder(tmp_path / "grid", output=output)
    clips = read_sheet(output)
    assert list(clips.index) == list(written["clip"]) == ["s1_bbaf2n", "s2_bbaf2n", "s3_lbwe5s", "s4_touch_x_y"]
    assert sorted(clips.split) == ["test", "train", "train", "valid"]
    again = sheet_from_folder(tmp_path / "grid", output=output)
    pd.testing.assert_frame_equal(written, again)


def test_alignments_beside_videos(tmp_path):
    for name in ("a/1.mp4", "a/1.align", "a/1.TextGrid", "b/2.mov", "b/2.align", "c/3.mp4", "c/4.align", "c/3.txt"):
        (tmp_path / "films" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "films" / name).touch()
    written = sheet_from_folder(tmp_path / "films", output=tmp_path / "sheet.tsv")
    assert list(written["marks"]) == ["films/a/1.TextGrid", "films/b/2.align", ""]
    assert read_sheet(tmp_path / "sheet.tsv").marks["1"] == str(tmp_path / "films/a/1.TextGrid")
    listed = own_files(str(tmp_path / "films"))
    assert {Path(file).name for file in listed} == {"1.mp4", "1.TextGrid", "2.mov", "2.align", "3.mp4"}
    for file in (tmp_path / "films").rglob("*[nd]"):
        file.unlink()
    assert "marks" not in sheet_from_folder(tmp_path / "films", output=tmp_path / "sheet.tsv")


UTTERANCES = [f"01-05-02-01-01-{actor}" for actor in ("01", "02", "03")]


def touch_ravdess(folder, *, videos=(), sounds=()):
    """Empty RAVDESS files of three actors in the folders of its archives."""
    for utterance in UTTERANCES:
        for modality in (*videos, *sounds):
            kind = "Audio_Speech" if modality in sounds else "Video_Speech"
            path = folder / kind / f"Actor_{utterance[-2:]}" / f"{modality}-{utterance}{MEDIA[modality]}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


MEDIA = {"01": ".mp4", "02": ".mp4", "03": ".wav"}


def test_ravdess_video_without_sound_is_left_out(tmp_path):
    touch_ravdess(tmp_path, videos=("01", "02"))
    written = sheet_from_folder(tmp_path, output=tmp_path / "r.tsv")
    assert list(written["clip"]) == [f"01-{utterance}" for utterance in UTTERANCES]
    assert "audio" not in written
    for path in tmp_path.rglob("01-*.mp4"):
        path.unlink()
    with pytest.raises(TalkfaceError, match=r"no videos below it \(3 RAVDESS utterances lack picture or sound\)"):
        sheet_from_folder(tmp_path, output=tmp_path / "r.tsv")


@pytest.mark.parametrize(("videos", "taken"), [(("01", "02"), "01"), (("02",), "02")])
def test_ravdess_pictures_are_paired_with_their_sound(tmp_path, videos, taken):
    corpus = tmp_path / "corpus"
    touch_ravdess(corpus, videos=videos, sounds=("03",))
    (corpus / "Audio_Speech" / "Actor_01" / "03-01-06-02-01-01-01.wav").touch()  # without a picture
    (corpus / "music.wav").touch()
    sheet_from_folder(corpus, output=tmp_path / "sheets" / "r.tsv")
    clips = read_sheet(tmp_path / "sheets" / "r.tsv")
    assert list(clips.index) == [f"{taken}-{utterance}" for utterance in UTTERANCES]
    assert list(clips.speaker) == ["actor_01", "actor_02", "actor_03"]
    for utterance, row in zip(UTTERANCES, clips.itertuples(), strict=True):
        actor = f"Actor_{utterance[-2:]}"
        assert Path(row.video).resolve() == corpus / "Video_Speech" / actor / f"{taken}-{utterance}.mp4"
        assert Path(row.audio).resolve() == corpus / "Audio_Speech" / actor / f"03-{utterance}.wav"


def test_only_what_has_a_sound_file_names_one(tmp_path):
    corpus = tmp_path / "corpus"
    touch_ravdess(corpus, videos=("01",), sounds=("03",))
    (corpus / "Audio_Speech" / "Actor_02" / f"03-{UTTERANCES[1]}.wav").unlink()
    (corpus / "other").mkdir()
    (corpus / "other" / "hello.mp4").touch()
    written = sheet_from_folder(corpus, output=tmp_path / "r.tsv", pattern=None).set_index("clip")
    assert (written["audio"] == "").tolist() == [False, True, False, True]
    clips = read_sheet(tmp_path / "r.tsv")
    assert clips.audio["hello"] == clips.video["hello"]


def test_folder_faults(tmp_path):
    with pytest.raises(TalkfaceError, match="not a folder"):
        sheet_from_folder(tmp_path / "none", output=tmp_path / "s.tsv")
    with pytest.raises(TalkfaceError, match="no videos"):
        sheet_from_folder(tmp_path, output=tmp_path / "s.tsv")
    (tmp_path / "a.mp4").touch()
    with pytest.raises(TalkfaceError, match="at least 3"):
        sheet_from_folder(tmp_path, output=tmp_path / "s.tsv")


def test_clean_name():
    assert clean_name("../..") == ""
    assert clean_name("-x 'y'") == "x_y"


def make_files(folder, *names):
    """Empty files; give the folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_files_that_become_no_clip_are_named_with_the_reason(tmp_path):
    folder = make_files(
        tmp_path / "films", "ann/a.mp4", "bob/b.MTS", "cid/c.ogv", "ann/notes.txt", "ann/more.txt", "bob/voice.wav",
        "cid/lost.TextGrid", "ann/01-01-03-01-02-01-12.mp4", "ann/02-01-03-01-02-01-12.mp4", "cid/README",
        "ann/._a.mp4", "@eaDir/a.mp4", "ann/.hidden.mp4", "dan/02-01-03-01-02-01-13.mp4",
    )  # fmt: skip
    said = []
    written = sheet_from_folder(folder, output=tmp_path / "sheet.tsv", say=said.append)
    assert set(written["video"].str.removeprefix("films/")) == {
        "ann/a.mp4", "bob/b.MTS", "cid/c.ogv", "ann/01-01-03-01-02-01-12.mp4",
    }  # fmt: skip
    assert sorted(said) == [
        "left out: 1 file ending in .textgrid: no video of that name lies beside (cid/lost.TextGrid)",
        "left out: 1 file ending in .wav: sound without a picture (bob/voice.wav)",
        "left out: 1 file ending in nothing, which no known kind of video does (cid/README)",
        "left out: 2 files ending in .txt, which no known kind of video does (ann/more.txt)",
        "left out: 2 files of RAVDESS utterances that lack picture or sound, or are taken from another file "
        "(ann/02-01-03-01-02-01-12.mp4)",
    ]


def test_names_that_differ_in_capitals_alone(tmp_path):
    """Speakers become one, files two clips, and both are said; the sheet that is written can be read."""
    folder = make_files(tmp_path / "films", "Ann/a.mp4", "ann/b.mp4", "ann/B.mp4", "bob/c.mp4", "cid/d.mp4")
    said = []
    written = sheet_from_folder(folder, output=tmp_path / "sheet.tsv", say=said.append)
    assert set(written["speaker"]) == {"Ann", "bob", "cid"}
    assert said == [
        "speakers Ann and ann differ in capitals alone, and are taken for one: Ann",
        "ann/B.mp4 and ann/b.mp4 differ in capitals alone, and are taken for two clips",
    ]
    assert len(read_sheet(tmp_path / "sheet.tsv")) == 5


@pytest.mark.parametrize(("written", "there"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_name_in_another_normal_form_is_the_same_file(written, there, sheet, tmp_path):
    """macOS takes accents apart, in folders, too."""
    name = "Zoë/Übung é.mp4"
    make_files(tmp_path, unicodedata.normalize(there, name))
    clips = read_sheet(sheet([[*ROWS[0][:3], unicodedata.normalize(written, name)], *ROWS[1:]]))
    assert clips["video"].iloc[0] == str(tmp_path / unicodedata.normalize(there, name))


def test_a_file_that_is_gone_may_be_no_fault(sheet, tmp_path):
    (tmp_path / ROWS[0][3]).unlink()
    with pytest.raises(TalkfaceError, match="there is no file"):
        read_sheet(sheet())
    assert read_sheet(sheet(), must_exist=False)["video"].iloc[0] == str(tmp_path / ROWS[0][3])


def test_a_split_that_lacks_is_said_where_it_is_needed(sheet):
    clips = read_sheet(sheet(swap(2, "test")))
    with pytest.raises(TalkfaceError, match="no clip in the split 'train'"):
        check_divided(clips, "clips.tsv")
    assert find_splits(clips, ["unseen"]) == []
    with pytest.raises(TalkfaceError, match="name one of"):
        find_splits(read_sheet(sheet()), ["unseen"])
