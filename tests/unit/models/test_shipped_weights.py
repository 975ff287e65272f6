"""The weights that come along: what they are, and that they speak."""

from pathlib import Path

import numpy as np
import pytest

from talkface.face import points
from talkface.face.template import load_template
from talkface.media.espeak import speak
from talkface.media.sound import resample
from talkface.models.checkpoint import load_network, read_file
from talkface.prediction.streaming import Stream, predict_samples

FILE = Path(__file__).parents[3] / "resources" / "models" / "talkface_demo.pt"
TEXT = "Bob may open the blue umbrella for my mother."
VOICES = ("en-us+f3", "en-gb-x-rp+m2")  # in no clip it was trained on


def test_what_they_are():
    content = read_file(FILE)
    assert FILE.stat().st_size < 5_000_000
    assert (content["network"], content["facts"]["corpus"]) == ("talkface", "demo")
    assert content["config"]["noise"] == "results/noise.h5"


@pytest.mark.parametrize("voice", VOICES)
def test_they_open_the_mouth_as_the_words_want(voice):
    said = speak(TEXT, voice=voice)
    network = load_network(FILE)
    faces = predict_samples(network, resample(said.audio, said.rate, network.rate))
    opening = points.mouth_opening(faces)
    vowels = [p for p in said.phonemes if p.name.startswith(("a", "ɑ", "ɔ", "o", "ʌ"))]
    lips_closed = [p for p in said.phonemes if p.name in ("b", "m", "p")]
    middle = [[opening[round(25 * (p.start_s + p.end_s) / 2)] for p in group] for group in (vowels, lips_closed)]
    assert np.mean(middle[0]) > 2 * np.mean(middle[1])
    silent = predict_samples(network, np.zeros(2 * network.rate, np.int16))
    assert points.mouth_opening(silent).max() < points.mouth_opening(load_template()) + 0.05


def test_they_speak_while_they_listen():
    said = speak(TEXT, voice=VOICES[0])
    network = load_network(FILE)
    whole = predict_samples(network, resample(said.audio, said.rate, network.rate))
    stream = Stream(network, rate=said.rate)
    parts = [stream.push(block) for block in np.array_split(said.audio, 37)]
    np.testing.assert_allclose(np.concatenate([*parts, stream.finish()]), whole, rtol=0, atol=1e-6)
