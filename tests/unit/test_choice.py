"""Which clips are asked for when jobs are planned."""

from talkface.choice import accepted


def test_rejected_clips_are_left_out_once_that_is_known(tmp_path):
    table = tmp_path / "clips.tsv"
    assert accepted(["a", "b"], table) == ["a", "b"]  # nothing is known yet
    table.write_text("clip\tspeaker\taccepted\na\ts\tno\nb\ts\tno\nc\ts\tyes\nno\ts\tyes\n", encoding="utf-8")
    assert accepted(["a", "c", "b", "no", "new"], table) == ["c", "no", "new"]
    assert accepted(["a", "b"], table) == []
