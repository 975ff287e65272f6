"""Sounds of a clip whose words are known: forced alignment by pocketsphinx, an extra (`pip install pocketsphinx`).

Names are those of ARPAbet as CMU's dictionary has them (P, B, M, AA, UW, ...), without stress. English alone.

Axis: S samples.
"""

import importlib.util
from collections.abc import Sequence

from numpy.typing import NDArray

from talkface.corpus.annotations import Mark
from talkface.errors import TalkfaceError

RATE = 16_000  # Hz, of the acoustic model
STEP_S = 0.01  # of its times
SILENT = ("SIL", "+NSN+", "+SPN+")
# Lips meet; they are round; they are spread; the mouth is open.
CLOSED = ("P", "B", "M")
ROUNDED = ("UW", "OW", "W", "AO", "UH")
SPREAD = ("IY", "EY", "IH", "EH", "S")
OPEN = ("AA", "AE", "AO", "AW", "AY", "EH", "EY", "OW")


def align_words(samples: NDArray, words: Sequence[str]) -> list[Mark]:
    """Find when each sound of the words is spoken.

    Parameters
    ----------
    samples : (S,) int16 array
        At `RATE`.
    words : sequence of str
        What is said, in order; letters are spelt.

    Returns
    -------
    list of Mark
        In order of time, pauses left out.

    Raises
    ------
    TalkfaceError
        If pocketsphinx is not installed, does not know a word, or cannot fit the words to the sound.
    """
    if importlib.util.find_spec("pocketsphinx") is None:
        raise TalkfaceError("sounds of words need pocketsphinx, which is not installed; pip install pocketsphinx")
    from pocketsphinx import Decoder

    said = " ".join(words).lower()
    decoder, sound = Decoder(samprate=RATE, lm=None, loglevel="FATAL"), samples.tobytes()
    try:
        decoder.set_align_text(said)
        # Words first, then their sounds.
        for second in (False, True):
            if second:
                decoder.set_alignment()
            decoder.start_utt()
            decoder.process_raw(sound, full_utt=True)
            decoder.end_utt()
        found = [sound for word in decoder.get_alignment() for sound in word]
    except RuntimeError as error:
        raise TalkfaceError(
            f"{said!r}: does not fit the sound ({error}); the words that are spoken were expected"
        ) from None
    return [
        Mark(each.name, STEP_S * each.start, STEP_S * (each.start + each.duration))
        for each in found
        if each.name not in SILENT
    ]
