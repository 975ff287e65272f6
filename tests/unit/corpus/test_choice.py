"""Which clips are asked for when jobs are planned."""

from talkface.corpus.quality import accepted, decoded


def test_rejected_clips_are_left_out_once_that_is_known(tmp_path):
    table = tmp_path / "clips.tsv"
    assert accepted(["a", "b"], table) == ["a", "b"]  # nothing is known yet
    table.write_text("clip\tspeaker\taccepted\na\ts\tno\nb\ts\tno\nc\ts\tyes\nno\ts\tyes\n", encoding="utf-8")
    assert accepted(["a", "c", "b", "no", "new"], table) == ["c", "no", "new"]
    assert accepted(["a", "b"], table) == []


def test_what_does_not_decode_is_left_out_once_that_is_known(tmp_path):
    table = tmp_path / "clips.tsv"
    assert decoded(["a", "b"], table) == ["a", "b"]
    table.write_text("clip\taccepted\tframes\na\tno\t0\nb\tno\t75\nc\tyes\t70\n", encoding="utf-8")
    assert decoded(["a", "b", "c", "new"], table) == ["b", "c", "new"]
