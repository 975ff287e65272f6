"""Corpora by name: their splits, the reading of a record, and the way from archives to a sheet."""

import hashlib
import json

import pandas as pd
import pytest

from talkface.corpus import public
from talkface.corpus.public import (
    CORPORA,
    archives_of,
    choose,
    fetch_archive,
    fetch_record,
    licence_text,
    named_sheet,
    no_clips_yet,
    own_files,
    read_listing,
    sheet_of,
    splits_of,
    write_sheet,
)
from talkface.corpus.sheet import find_splits, make_shards, read_sheet
from talkface.errors import TalkfaceError
from tests.local_web import local_web, zipped


@pytest.fixture
def web():
    with local_web() as served:
        yield served


def fetch(web, root, corpus, archives, numbers, **keywords):
    """List a corpus, fetch its archives, write its sheet; gives the sheet as it is read."""
    url = web.add_record(CORPORA_NUMBERS[corpus], archives, **keywords)
    wanted = archives_of(corpus, numbers)
    fetch_record(corpus, url, wanted=wanted, listing=root / "record.tsv", licence=root / "LICENCE.txt")
    for name in wanted:
        contents = root / "contents" / name.replace(".zip", ".tsv")
        fetch_archive(corpus, name, listing=root / "record.tsv", root=root, contents=contents)
    write_sheet(corpus, root, numbers=numbers, output=root / "clips.tsv")
    return read_sheet(root / "clips.tsv")


CORPORA_NUMBERS = {"grid": 3625687, "ravdess": 1188976}
GRID = {
    "s1.zip": {"s1/bbaf2n.mpg": b"1", "s1/lbwe5s.mpg": b"22", "__MACOSX/s1/._bbaf2n.mpg": b"x"},
    "s3.zip": {"s3/bbaf2n.mpg": b"333"},
    "s5.zip": {"s5/swiz3n.mpg": b"4444", "s5/Thumbs.db": b"x"},
    "s6.zip": {"s6/swiz4n.mpg": b"5"},
    "audio_25k.zip": {"audio_25k/s1/bbaf2n.wav": b"x"},
}


def grid_archives():
    return {name: zipped(files) for name, files in GRID.items()}


def test_the_splits_cover_all_and_never_overlap():
    grid, ravdess = CORPORA["grid"], CORPORA["ravdess"]
    assert {split: len(numbers) for split, numbers in grid.splits.items()} == {"train": 27, "valid": 2, "test": 4}
    assert grid.numbers == [n for n in range(1, 35) if n != 21]
    assert {split: len(numbers) for split, numbers in ravdess.splits.items()} == {"train": 20, "valid": 2, "test": 2}
    assert ravdess.numbers == list(range(1, 25))
    for numbers in ravdess.splits.values():
        assert sum(number % 2 for number in numbers) * 2 == len(numbers), "as many men as women"
    for known in CORPORA.values():
        assert len(known.numbers) == len(set(known.numbers))
    assert splits_of("grid", [1, 3, 34]) == {"s1": "test", "s3": "valid", "s34": "train"}
    assert splits_of("ravdess", [1, 21, 24]) == {"actor_01": "train", "actor_21": "valid", "actor_24": "test"}


def test_archives():
    assert archives_of("grid", [1, 34]) == ["s1.zip", "s34.zip"]
    assert archives_of("ravdess", [1, 24]) == [
        "Audio_Speech_Actors_01-24.zip",
        "Video_Speech_Actor_01.zip",
        "Video_Speech_Actor_24.zip",
    ]


def test_whom_to_fetch():
    assert choose("grid", None) == CORPORA["grid"].numbers
    assert choose("grid", [5, 3, 1, 5]) == [1, 3, 5]
    with pytest.raises(TalkfaceError, match=r"corpora\.grid\.speakers: 21 has no videos; known are 1-20, 22-34"):
        choose("grid", [1, 3, 21])
    with pytest.raises(TalkfaceError, match=r"nobody of the split 'test' \(1-2, 20, 22\); name at least one of each"):
        choose("grid", [3, 5, 6])
    with pytest.raises(TalkfaceError, match=r"corpora\.ravdess\.actors: 25 has no videos; known are 1-24"):
        choose("ravdess", [1, 21, 25])


def test_which_sheet():
    assert sheet_of("grid", "config/clips.tsv") == named_sheet("grid") == "resources/corpora/grid/clips.tsv"
    assert sheet_of("folder", "config/clips.tsv") == "resources/corpora/folder/clips.tsv"
    assert sheet_of("demo", "config/clips.tsv") == "config/clips.tsv"
    assert sheet_of("grid", "mine.tsv") == "mine.tsv"
    with pytest.raises(TalkfaceError, match="demo cannot be fetched; known are: grid, ravdess, folder"):
        named_sheet("demo")


def test_what_stands_for_a_sheet_to_come(tmp_path):
    """It passes for a sheet wherever one is read at planning."""
    clips = no_clips_yet("resources/corpora/grid/clips.tsv")
    assert find_splits(clips, ["unseen"]) == ["unseen"]
    assert len(make_shards(clips, clips_per_shard=1)) == 4
    assert clips.video.str.contains("first run: snakemake fetch_corpus").all()
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.mp4").touch()
    rows = [(name, name, split, f"{name}.mp4") for name, split in zip("abc", ("train", "valid", "test"))]
    pd.DataFrame(rows, columns=["clip", "speaker", "split", "video"]).to_csv(tmp_path / "s.tsv", sep="\t", index=False)
    real = read_sheet(tmp_path / "s.tsv")
    assert list(clips.columns) == list(real.columns)
    assert clips.index.name == real.index.name


@pytest.mark.parametrize("layout", ["list", "entries"])
def test_both_forms_of_a_listing(web, layout):
    url = web.add_record(1, {"s1.zip": b"abc", "s2.zip": b"de"}, layout=layout)
    files = read_listing(json.loads(web.files["/api/records/1"]), where=url)
    assert list(files) == ["s1.zip", "s2.zip"]
    assert (files["s1.zip"].size, files["s1.zip"].md5) == (3, hashlib.md5(b"abc").hexdigest())
    assert files["s1.zip"].url == f"{url}/files/s1.zip/content"


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        {},
        {"files": None},
        {"files": [None, {}, {"key": "s1.zip"}]},
        {"files": {"enabled": False}},
        {"files": [{"key": "s1.zip", "size": 1, "checksum": "sha256:00", "links": {"self": "https://x"}}]},
        {"files": [{"key": "s1.zip", "size": 0, "checksum": "md5:" + "0" * 32, "links": {"self": "https://x"}}]},
        {"files": [{"key": "s1.zip", "size": "1", "checksum": "md5:" + "0" * 32, "links": {"self": "https://x"}}]},
    ],
)
def test_no_listing(record):
    with pytest.raises(TalkfaceError, match="x: no listing of files with size, md5 and address"):
        read_listing(record, where="x")


def test_the_licence_is_told(web, tmp_path):
    url = web.add_record(1, grid_archives())
    text = fetch_record(
        "grid", url, wanted=["s1.zip", "s3.zip"], listing=tmp_path / "record.tsv", licence=tmp_path / "LICENCE.txt"
    )
    assert (tmp_path / "LICENCE.txt").read_text() == text
    for part in ("GRID", "Licence: cc-by-4.0", "any purpose", "2 archives", url, "A corpus; Doe, Jane", "zenodo.1"):
        assert part in text
    assert "NOT" not in text
    assert [path for path, _, _ in web.asked] == ["/api/records/1"], "before the first byte"
    table = pd.read_csv(tmp_path / "record.tsv", sep="\t")
    assert list(table.columns) == ["name", "size", "md5", "url"]
    assert set(table["name"]) == set(GRID)


def test_another_licence_than_expected_is_told():
    record = {"metadata": {"license": {"id": "cc-by-nc-4.0"}, "title": "<b>A &amp; B</b>\x1b[2J\n"}}
    text = licence_text("grid", record, url="u", files=[])
    assert "NOT cc-by-4.0, which was expected" in text
    assert "Says:    A & B [2J;" in text
    assert "\x1b" not in text
    assert "not named by the record" in licence_text("grid", {}, url="u", files=[])
    newer = {"metadata": {"rights": [{"id": "cc-by-4.0"}]}}
    assert "NOT" not in licence_text("grid", newer, url="u", files=[])


def test_a_listing_that_lacks_a_file(web, tmp_path):
    url = web.add_record(1, grid_archives())
    with pytest.raises(TalkfaceError, match=r"lists no s2\.zip, s4\.zip but audio_25k\.zip, s1\.zip.*record of grid\?"):
        fetch_record(
            "grid", url, wanted=["s1.zip", "s2.zip", "s4.zip"], listing=tmp_path / "r.tsv", licence=tmp_path / "L.txt"
        )
    assert list(tmp_path.iterdir()) == []
    assert len(web.asked) == 1
    with pytest.raises(TalkfaceError, match="HTTP 404"):
        fetch_record("grid", f"{web.url}/none", wanted=[], listing=tmp_path / "r.tsv", licence=tmp_path / "L.txt")


def test_grid(web, tmp_path):
    clips = fetch(web, tmp_path, "grid", grid_archives(), [1, 3, 5])
    assert list(clips.index) == ["s1_bbaf2n", "s1_lbwe5s", "s3_bbaf2n", "s5_swiz3n"]
    assert list(clips.speaker) == ["s1", "s1", "s3", "s5"]
    assert list(clips.split) == ["test", "test", "valid", "train"]
    assert clips.video["s1_bbaf2n"] == str(tmp_path / "videos" / "s1" / "s1" / "bbaf2n.mpg")
    assert not list((tmp_path / "archives").iterdir()), "an archive that is unpacked takes no more space"
    assert {path for path, _, _ in web.asked if "audio" in path} == set(), "only what is needed"
    found = (tmp_path / "contents" / "s1.tsv").read_text().splitlines()
    assert found[1:] == ["file\tbytes", "s1/bbaf2n.mpg\t1", "s1/lbwe5s.mpg\t2"]
    # A second time: nothing of it is fetched, and the sheet names but those that are asked for.
    web.asked.clear()
    clips = fetch(web, tmp_path, "grid", grid_archives(), [1, 3, 5, 6])
    assert sorted(path.split("/")[-2] for path, _, _ in web.asked[1:]) == ["s6.zip"]
    assert "s6" in set(clips.speaker)
    assert "s6" not in set(fetch(web, tmp_path, "grid", grid_archives(), [1, 3, 5]).speaker)


def test_what_was_fetched_is_checked_when_asked_again(web, tmp_path):
    archives = grid_archives()
    fetch(web, tmp_path, "grid", archives, [1, 3, 5])

    def fetched():
        web.asked.clear()
        fetch(web, tmp_path, "grid", archives, [1, 3, 5])
        return sorted(path.split("/")[-2] for path, _, _ in web.asked[1:])

    assert fetched() == []
    (tmp_path / "videos" / "s1" / "s1" / "lbwe5s.mpg").unlink()
    assert fetched() == ["s1.zip"]
    (tmp_path / "videos" / "s3" / "s3" / "bbaf2n.mpg").write_bytes(b"33")
    assert fetched() == ["s3.zip"]
    archives["s5.zip"] = zipped({"s5/swiz3n.mpg": b"a new edition"})
    assert fetched() == ["s5.zip"]
    assert (tmp_path / "videos" / "s5" / "s5" / "swiz3n.mpg").read_bytes() == b"a new edition"


def test_an_archive_that_lies_there_is_taken(web, tmp_path):
    archives = grid_archives()
    (tmp_path / "archives").mkdir()
    (tmp_path / "archives" / "s1.zip").write_bytes(archives["s1.zip"])
    fetch(web, tmp_path, "grid", archives, [1, 3, 5])
    assert sorted(path.split("/")[-2] for path, _, _ in web.asked[1:]) == ["s3.zip", "s5.zip"]


def test_a_wrong_checksum_leaves_nothing(web, tmp_path, monkeypatch):
    monkeypatch.setattr(public, "fetch_file", lambda remote, path: corpora_fetch(remote, path, pause_s=0.001))
    with pytest.raises(TalkfaceError, match=r"s1\.zip.*twice a wrong checksum"):
        fetch(web, tmp_path, "grid", grid_archives(), [1, 3, 5], checksums={"s1.zip": "0" * 32})
    assert not (tmp_path / "videos").exists()
    assert not (tmp_path / "contents").exists()


corpora_fetch = public.fetch_file


def test_an_archive_with_names_that_lead_elsewhere(web, tmp_path):
    archives = grid_archives() | {"s1.zip": zipped({"s1/bbaf2n.mpg": b"1", "../../../evil.mpg": b"x"})}
    with pytest.raises(TalkfaceError, match=r"evil\.mpg' is no path within a folder"):
        fetch(web, tmp_path / "a" / "b" / "c", "grid", archives, [1, 3, 5])
    assert not list(tmp_path.rglob("*.mpg"))


def test_a_clip_keeps_its_name_whoever_is_fetched(web, tmp_path):
    archives = {f"s{number}.zip": zipped({f"s{number}/bbaf{number}n.mpg": b"1"}) for number in (1, 3, 5)}
    assert list(fetch(web, tmp_path, "grid", archives, [1, 3, 5]).index) == ["s1_bbaf1n", "s3_bbaf3n", "s5_bbaf5n"]


def test_a_speaker_without_clips(web, tmp_path):
    archives = grid_archives() | {"s1.zip": zipped({"other/film.mpg": b"1"})}
    with pytest.raises(TalkfaceError, match="no clip of s1; expected some of each of 3 speakers"):
        fetch(web, tmp_path, "grid", archives, [1, 3, 5])


def test_ravdess(web, tmp_path):
    """Pictures of an utterance with their sound-only file; songs are not asked for."""
    actors = [1, 2, 21, 24]
    utterance = "01-05-02-01-01-{:02d}"
    sounds = {f"Actor_{actor:02d}/03-{utterance.format(actor)}.wav": b"sound" for actor in range(1, 25) if actor != 21}
    archives = {"Audio_Speech_Actors_01-24.zip": zipped(sounds), "Video_Song_Actor_01.zip": zipped({"a.mp4": b"x"})}
    for actor in actors:
        name = utterance.format(actor)
        films = {f"Actor_{actor:02d}/{kind}-{name}.mp4": kind.encode() for kind in ("01", "02")}
        archives[f"Video_Speech_Actor_{actor:02d}.zip"] = zipped(films)
    clips = fetch(web, tmp_path, "ravdess", archives, actors, licence="cc-by-nc-sa-4.0")
    assert list(clips.index) == [f"01-{utterance.format(actor)}" for actor in actors]
    assert list(clips.speaker) == ["actor_01", "actor_02", "actor_21", "actor_24"]
    assert list(clips.split) == ["train", "train", "valid", "test"]
    folder = tmp_path / "videos" / "Audio_Speech_Actors_01-24" / "Actor_24"
    assert clips.audio["01-01-05-02-01-01-24"] == str(folder / "03-01-05-02-01-01-24.wav")
    assert clips.audio["01-01-05-02-01-01-21"] == clips.video["01-01-05-02-01-01-21"]
    assert "no commercial use" in (tmp_path / "LICENCE.txt").read_text()


def test_a_folder_of_ones_own(tmp_path):
    with pytest.raises(TalkfaceError, match=r"corpora\.folder\.videos: None is no folder"):
        own_files(None)
    with pytest.raises(TalkfaceError, match="is no folder"):
        own_files(str(tmp_path / "none"))
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / "a.mp4").touch()
    (tmp_path / "anna" / "notes.txt").touch()
    assert own_files(str(tmp_path)) == [str(tmp_path / "anna" / "a.mp4")]
