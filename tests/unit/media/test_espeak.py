import itertools
import time

import numpy as np
import pytest

from talkface.errors import TalkfaceError
from talkface.media.espeak import _phonemes, speak
from talkface.media.phoneme import Phoneme


@pytest.fixture(scope="module")
def utterance():
    return speak("Mum may pay Bob.", voice="en-us+f3", rate_wpm=140)


def test_phonemes_follow_each_other_and_fill_the_audio(utterance):
    phonemes = utterance.phonemes
    assert phonemes[0].start_s == 0
    assert phonemes[-1].end_s == pytest.approx(len(utterance.audio) / utterance.rate, abs=0.03)
    assert all(p.end_s > p.start_s for p in phonemes)
    assert all(a.end_s == b.start_s for a, b in itertools.pairwise(phonemes))


def test_phonemes_are_those_of_the_text(utterance):
    names = [p.name for p in utterance.phonemes if p.name]
    assert names == ["m", "ʌ", "m", "m", "eɪ", "p", "eɪ", "b", "ɑː", "b"]
    assert any(p.stressed for p in utterance.phonemes)


def test_phoneme_times_are_those_of_the_sound(utterance):
    # the vowels are louder than the closure of p by far
    def level(phoneme):
        a, b = (int(t * utterance.rate) for t in (phoneme.start_s, phoneme.end_s))
        return np.sqrt(np.mean(utterance.audio[a:b].astype(float) ** 2))

    vowels = [level(p) for p in utterance.phonemes if p.name in ("eɪ", "ʌ", "ɑː")]
    stops = [level(p) for p in utterance.phonemes if p.name == "p"]
    assert min(vowels) > 2 * max(stops)


def test_the_same_words_give_the_same_samples():
    first, second = (speak("Hello there.", voice="en+m3") for _ in range(2))
    assert np.array_equal(first.audio, second.audio)
    assert first.phonemes == second.phonemes


@pytest.mark.parametrize(
    ("text", "voice", "word"),
    [
        ("Hello.", "xx", "refused this voice"),
        ("Hello.", "en-us+nobody", "no variant 'nobody'"),
        ("Hello.", "en-us+../f2", "no variant"),
        ("", "en-us", "no sound"),
        (" ... ", "en-us", "no sound"),
    ],
)
def test_what_cannot_be_spoken_is_refused_in_one_line(text, voice, word):
    with pytest.raises(TalkfaceError, match=word) as error:
        speak(text, voice=voice)
    assert "\n" not in str(error.value)


def test_text_is_spoken_not_executed(tmp_path):
    target = tmp_path / "x"
    spoken = speak(f"$(touch {target}) `touch {target}`", voice="en-us")
    assert spoken.audio.any()
    assert not target.exists()


def test_stress_marks_leave_the_name():
    found = _phonemes([(0.1, "ˈaɪ"), (0.2, "ˌm"), (0.2, "x")], end_s=0.5)
    assert found == [
        Phoneme("", 0.0, 0.1),
        Phoneme("aɪ", 0.1, 0.2, True),
        Phoneme("x", 0.2, 0.5),
    ]


def test_a_voice_with_breath_is_the_same_at_any_time():
    first = speak("Hello.", voice="en-us+f2").audio
    time.sleep(1.1)  # what it draws began with the time of day in seconds
    np.testing.assert_array_equal(speak("Hello.", voice="en-us+f2").audio, first)
