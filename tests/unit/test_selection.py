"""Which clips and models a run is about."""

import copy
import json
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from talkface.errors import TalkfaceError
from talkface.selection import Selection, asks_to_train

ROWS = """clip speaker split video start_s end_s
a1 ann train a1.mp4
a2 ann train a2.mp4 0.5 1.5
b1 bob valid b1.mp4
c1 cid test c1.mp4
c2 cid test c2.mp4
d1 dan unseen d1.mp4"""


@pytest.fixture
def select(tmp_path, project, monkeypatch):
    """A selection from a sheet of six clips, with changes of the shipped configuration."""
    monkeypatch.chdir(tmp_path)
    for row in ROWS.splitlines()[1:]:
        (tmp_path / row.split()[3]).touch()
    rows = [row.split(" ") + [""] * (6 - len(row.split(" "))) for row in ROWS.splitlines()]
    (tmp_path / "sheet.tsv").write_text("\n".join("\t".join(row) for row in rows) + "\n")
    config = yaml.safe_load((project / "config" / "config.yaml").read_text(encoding="utf-8"))
    config |= {"corpus": "mine", "clips": "sheet.tsv"}

    def make(trains=True, **changes):
        changed = copy.deepcopy(config)
        for key, value in changes.items():
            changed[key] = changed[key] | value if isinstance(value, dict) else value
        return Selection(changed, home=project, trains=trains)

    return make


def test_clips_by_shard_speaker_and_split(select):
    selection = select(media={"clips_per_shard": 10**9})
    assert selection.corpus == "mine"
    assert selection.shards == {
        "ann-0000000000": ["a2", "a1"], "bob-0000000000": ["b1"], "cid-0000000000": ["c2", "c1"],
        "dan-0000000000": ["d1"],
    }  # fmt: skip
    assert selection.shard_of["c2"] == "cid-0000000000"
    assert selection.clips_of("cid-0000000000") == ["c2", "c1"]
    assert selection.clips_of("c2") == ["c2"]  # a clip alone, for who looks at one
    assert selection.speakers["ann"] == ["a1", "a2"]
    assert selection.speaker_of["d1"] == "dan"
    assert selection.splits == ["test", "unseen"]
    assert selection.evaluated_clips == ["c1", "c2", "d1"]
    assert selection.evaluated_shards == ["cid-0000000000", "dan-0000000000"]
    assert selection.evaluated_in("cid-0000000000") == ["c2", "c1"]
    assert selection.evaluated_in("ann-0000000000") == []
    assert selection.clips_beside("ann-0000000000") == ["a1", "a2"]
    assert selection.of_split("valid") == ["b1"]
    assert (selection.start_s("a1"), selection.start_s("a2"), selection.end_s("a2")) == (None, 0.5, 1.5)
    assert selection.counts()["speakers"] == {"train": 1, "valid": 1, "test": 1, "unseen": 1, "all": 4}
    with pytest.raises(TalkfaceError, match="'nobody' is not a known clip of the sheet"):
        selection.shard_of["nobody"]


def test_known_rejections_are_left_out(select, tmp_path):
    selection = select()
    assert selection.usable("test") == ["c1", "c2"]
    (tmp_path / "results" / "qc").mkdir(parents=True)
    (tmp_path / "results" / "qc" / "clips.tsv").write_text("clip\taccepted\tframes\nc1\tno\t50\nd1\tno\t0\n")
    assert selection.usable("test") == ["c2"]
    assert selection.usable() == ["a1", "a2", "b1", "c2"]
    assert selection.pictured() == ["a1", "a2", "b1", "c1", "c2"]
    assert selection.film_clip == "c2"


def test_models_by_what_is_done_with_them(select, tmp_path):
    (tmp_path / "theirs").mkdir()
    np.save(tmp_path / "theirs" / "c1.npy", np.zeros((1, 68, 2)))
    selection = select(
        training={"models": ["talkface", "talkface_demo", "cnn", "cnn_nr"], "seeds": [7]},
        external={"theirs": "theirs"}, animate={"model": "cnn_tc_published"},
    )  # fmt: skip
    assert selection.entries["cnn"] == ["cnn", "cnn-seed7"]
    assert selection.trained == [
        "talkface", "talkface-seed7", "talkface_demo", "cnn", "cnn-seed7", "cnn_nr", "cnn_nr-seed7",
    ]  # fmt: skip
    assert selection.imported == ["talkface_demo", "talkface_voice"]
    assert selection.with_curve == ["talkface", "cnn", "cnn_nr"]
    assert selection.compared == [*selection.selected, "external-theirs"]
    assert selection.evaluated == [*selection.trained, "external-theirs"]
    assert selection.shown == selection.compared
    assert selection.shown_of("c1")[-1] == "external-theirs"
    assert selection.shown_of("c2") == selection.selected
    assert selection.shown_here == selection.selected
    assert selection.shown_elsewhere == {"external-theirs": "theirs"}
    assert selection.networks["cnn_nr"] == "cnn"
    assert selection.networks["external-theirs"] == "elsewhere"
    assert selection.needed_networks == ["cnn", "talkface"]
    assert selection.twins == [("cnn_nr", "cnn")]
    assert selection.animated == "cnn_tc_published"


def test_what_is_dropped_in_can_be_heard(select, tmp_path):
    (tmp_path / "resources" / "speech").mkdir(parents=True)
    (tmp_path / "resources" / "speech" / "hello.wav").touch()
    selection = select()
    assert selection.sounds["hello"] == "resources/speech/hello.wav"
    assert selection.start_s("hello") is None
    assert selection.marks("hello") == ""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training": {"models": ["talkfce"]}}, "'talkfce' is not a known model; did you mean 'talkface'"),
        ({"animate": {"model": "talkfce"}}, "'talkfce' is not a known model"),
        ({"look": {"models": ["talkfce"]}}, "'talkfce' is not a known model"),
        ({"external": {"theirs": "nowhere"}}, "external.theirs: nowhere is no folder"),
        ({"clips": "none.tsv"}, "none.tsv: there is no such sheet"),
        ({"evaluate": {"worst": -1}}, "evaluate.worst"),
    ],
)
def test_mistakes_are_refused_at_once(select, changes, message):
    with pytest.raises(TalkfaceError, match=message):
        select(**changes)


def test_where_the_workflow_lies_does_not_matter(select, tmp_path, project):
    selection = select()
    weights = "resources/models/talkface_demo.pt"
    assert selection.weights_file("talkface_demo") == project / weights
    assert len(selection.content_along(weights)) == 16
    (tmp_path / weights).parent.mkdir(parents=True)
    (tmp_path / weights).touch()
    assert str(selection.weights_file("talkface_demo")) == weights
    assert selection.content_along(weights) == ""
    assert len(selection.sheet_content) == 64


def test_who_speaks_in_a_voice_that_is_dropped_in(select, tmp_path, project):
    """In the demo nobody filmed the voice; where a corpus of one's own is trained on, that is whose voice it is."""
    (tmp_path / "resources/speech").mkdir(parents=True)
    (tmp_path / "resources/speech/hello.wav").touch()
    assert select().animated_in("hello") == "talkface"
    assert select(animate={"speech_model": "cnn"}).animated_in("hello") == "cnn"
    demo = select(clips=str(project / "config/clips.tsv"))
    assert (demo.animated_in("hello"), demo.animated_in("iris_1")) == ("talkface_voice", "talkface")
    with pytest.raises(TalkfaceError, match="'talkfce' is not a known model"):
        select(animate={"speech_model": "talkfce"})


def test_a_training_may_start_from_a_model_of_the_catalogue(select):
    models = {"mine": {"like": "talkface", "init": "talkface_voice"}, "more": {"like": "talkface", "init": "mine"}}
    chosen = select(models=models)
    assert chosen.models["mine"]["init"] == "results/models/talkface_voice/weights.pt"
    assert chosen.models["more"]["init"] == "results/models/mine/mine/weights.pt"


def test_phones_are_sought_of_what_is_judged_and_of_what_is_learnt_from(select, tmp_path):
    """Recognising those of all clips would take hours of a large corpus, and none of them would be learnt from."""
    selection = select()
    assert selection.taught_shards == []
    assert [selection.spoken_in(shard) for shard in selection.shards] == [[], [], ["c2", "c1"], ["d1"]]
    sheet = (tmp_path / "sheet.tsv").read_text().splitlines()
    rows = [sheet[0] + "\tmarks", *(row + ("\ta1.align" if row.startswith("a1\t") else "\t") for row in sheet[1:])]
    (tmp_path / "sheet.tsv").write_text("\n".join(rows) + "\n")
    (tmp_path / "a1.align").touch()
    selection = select()
    (shard,) = selection.taught_shards
    assert selection.spoken_in(shard) == ["a1"]
    off = {"talkface": {"arguments": {"phone_weight": 0.0}}}
    assert (
        select(models=select().models | {"talkface": select().models["talkface"] | off["talkface"]}).taught_shards == []
    )


def train_toy(folder, text="corpus: x"):
    """What a finished training leaves, as far as planning looks."""
    folder.mkdir(parents=True)
    (folder / "weights.pt").touch()
    (folder / "config.yaml").write_text(text)


def test_which_trained_model_is_taken(select, tmp_path, project):
    """Its own corpus's; where nothing is trained, that of another; said is what differs, as far as it is recorded."""
    own = "results/models/mine/cnn"
    assert select().folder_of("cnn") == select().own_folder("cnn") == own
    assert select().folder_of("talkface_demo") == "results/models/talkface_demo"
    train_toy(tmp_path / "results/models/other/cnn")
    takes = select(trains=False)
    assert (takes.folder_of("cnn"), takes.finished) == ("results/models/other/cnn", [])
    assert takes.describe_taken("cnn").endswith("; there is none of corpus mine: train_all would train it")
    assert select().folder_of("cnn") == own
    train_toy(tmp_path / own)
    takes = select(trains=False)
    assert (takes.folder_of("cnn"), takes.finished) == (own, ["cnn"])
    assert "; changed since: what it was made from (not recorded); train_all" in takes.describe_taken("cnn")
    origin = yaml.safe_dump({"origin": json.loads(json.dumps(takes.origin_of("cnn")))})
    (tmp_path / own / "config.yaml").write_text(origin)
    assert re.fullmatch(r"cnn: trained on corpus mine, [-\d]{10} [:\d]{5}", select(trains=False).describe_taken("cnn"))
    assert select().describe_taken("cnn") == ""
    said = select(seed=7).describe_taken("cnn")
    assert said.endswith("; replaced once a newer one is finished, since changed: seed")
    assert takes.describe_taken("talkface_demo") == takes.describe_taken("talkface") == ""


def test_videos_may_be_gone_where_nothing_is_trained(select, tmp_path):
    (tmp_path / "a2.mp4").unlink()
    with pytest.raises(TalkfaceError, match=r"there is no file 'a2.mp4'"):
        select()
    assert select(trains=False).absent == ["a2"]


def test_a_trained_model_by_its_old_path(select):
    with pytest.raises(
        TalkfaceError, match=r"there is no results/models/cnn/weights.pt; .* write results/models/mine/cnn"
    ):
        select(models={"further": {"like": "cnn", "init": "results/models/cnn/weights.pt"}})


@pytest.mark.parametrize(
    ("words", "trains"),
    [
        ("--cores 8", True),
        ("-n all", True),
        ("results/anim/x.mp4 train_all", True),
        ("results/models/demo/cnn/weights.pt", True),
        ("./results//models/demo/cnn/card.md", True),
        ("results/evaluation/summary.html", True),
        ("-R train_model -- results/anim/x.mp4", True),
        ("results/anim/x.mp4 --config corpus=all", False),
        ("-- results/predictions/cnn/x.npy", False),
        ("speech_all", False),
        ("overlay_all curves_all", False),
    ],
)
def test_what_asks_to_train(words, trains):
    assert asks_to_train(words.split()) is trains
    assert asks_to_train([str(Path.cwd() / word) if "/" in word else word for word in words.split()]) is trains


def test_persons_and_the_films_that_are_there(select, tmp_path):
    (tmp_path / "people.tsv").write_text("person\tvideo\nann\ta1.mp4\nbob\tgone.mp4\n")
    selection = select(persons="people.tsv", face_model="ict")
    assert list(selection.persons) == ["ann", "bob"]
    assert selection.videos_of("ann") == ["a1.mp4"]
    with pytest.raises(TalkfaceError, match=r"people\.tsv: bob: there is no file 'gone\.mp4'; mend the column video"):
        selection.videos_of("bob")
    with pytest.raises(TalkfaceError, match=r"'cid' is not a known person of people\.tsv; known are: ann, bob"):
        selection.videos_of("cid")
    for name in ("ann/c1.mp4", "ann/c1_face.mp4", "cid/c1.mp4", "bob/other.mp4"):
        (tmp_path / "results" / "head" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "results" / "head" / name).touch()
    assert selection.heads == [("ann", "c1")]
    assert select(persons="people.tsv").heads == []  # without a face model nothing of them can be measured
    assert selection.train_shards == ["ann-0000000000"]


def test_the_demo_has_a_person_whose_videos_rules_make(select):
    assert select().videos_of("ada")[0] == "resources/demo/ada_1.mp4"
