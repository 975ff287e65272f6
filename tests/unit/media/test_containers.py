"""The right frame and the right sample from every container, by the times that frames and sound carry."""

import pytest

from talkface.media import decoding
from tests.containers import all_cases, few_cases, measure, write_case

SOUND_MS = 5.0


def check(case, folder):
    """Read a film from its start and from two others; the worst that was found."""
    path = write_case(folder, case)
    whole, _, part = case.fps.partition("/")
    half_ms = 500 * int(part or 1) / int(whole)
    reads = []
    for start_s in (None, 1.0, 0.77):
        read = measure(path, start_s=start_s)
        reads.append(read)
        assert read.foreign == 0, (start_s, read)
        assert read.picture_ms <= half_ms + 2, (start_s, read)
        assert read.sound_ms, (start_s, read)
        assert max(map(abs, read.sound_ms)) <= SOUND_MS, (start_s, read)
    return {
        "container": case.kind,
        "picture_ms": max(read.picture_ms for read in reads),
        "frame_ms": 2 * half_ms,
        "sound_ms": max(abs(found) for read in reads for found in read.sound_ms),
    }


@pytest.mark.parametrize("case", few_cases(), ids=lambda case: case.name)
def test_picture_and_sound_are_where_they_were(case, tmp_path):
    check(case, tmp_path)


@pytest.mark.containers
@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_every_combination(case, tmp_path, record_property):
    for name, value in check(case, tmp_path).items():
        record_property(name, str(value))  # docs/make_tables.py reads them


@pytest.mark.parametrize(
    "case", [case for case in few_cases() if "/" in case.fps or case.kind == "mpg"], ids=lambda case: case.name
)
def test_a_deep_start_is_sought_and_is_the_same(case, tmp_path, monkeypatch):
    """As deep as seconds are in these films; where a seek ends too late, another or none takes its place."""
    path = write_case(tmp_path, case)
    plain = {start_s: measure(path, start_s=start_s) for start_s in (1.0, 0.77, 1.9)}
    monkeypatch.setattr(decoding, "DEEP_S", 0.5)
    monkeypatch.setattr(decoding, "MARGIN_S", 0.2)
    for start_s, read in plain.items():
        assert measure(path, start_s=start_s) == read
