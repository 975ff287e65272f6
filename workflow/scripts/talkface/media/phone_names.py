"""Names of phones, ARPAbet's and IPA's: which are phones at all, and which need lips."""

import math
import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from talkface.conventions import FPS

Mark = tuple[str, float, float]  # name, start and end in seconds

SILENT = frozenset(("SIL", "+NSN+", "+SPN+", "sil", "sp", "spn", "pau", "h#", "epi", "<eps>"))
# Of CMU's dictionary, which networks tell apart in this order; and what the hand-made phones of TIMIT have beside them.
TOLD_APART = (
    *("aa", "ae", "ah", "ao", "aw", "ay", "eh", "er", "ey", "ih", "iy", "ow", "oy", "uh", "uw"),
    *("b", "ch", "d", "dh", "f", "g", "hh", "jh", "k", "l", "m", "n", "ng", "p", "r", "s", "sh", "t", "th"),
    *("v", "w", "y", "z", "zh"),
)
ARPABET = frozenset(
    (
        *TOLD_APART,
        *("ax", "ax-h", "axr", "bcl", "dcl", "dx", "el", "em", "en", "eng", "gcl", "hv", "ix", "kcl", "nx"),
        *("pcl", "q", "tcl", "ux", "wh"),
    )
)
IPA = re.compile("^[a-zæçðøħŋœɐ-ʯβθχᵻ]{1,3}$")  # letters; marks of stress, length and breath are taken off before
MARKS_OF_IPA = re.compile(r"[\dˈˌːˑʰʲʷˠˤ̩̯̃͡'_:]")
# What lips do: meet; go round; the lower one touches the teeth; are spread; the mouth is open.
BILABIAL = frozenset(("p", "b", "m", "em", "pcl", "bcl"))
ROUNDED = frozenset(("uw", "ow", "w", "ao", "uh", "ux", "wh", "u", "o", "ʊ", "ɔ", "ʉ", "ʍ", "oʊ", "əʊ", "əw", "ʉw"))
LABIODENTAL = frozenset(("f", "v"))
SPREAD = frozenset(("iy", "ey", "ih", "eh", "s"))
OPEN = frozenset(("aa", "ae", "ao", "aw", "ay", "eh", "ey", "ow"))
# Classes for networks: 0 is not known, 1 silence, then `TOLD_APART`; and what else counts as one of these.
UNKNOWN, SILENCE = 0, 1
CLASSES = 2 + len(TOLD_APART)
_CLASS = {name: 2 + index for index, name in enumerate(TOLD_APART)} | dict.fromkeys(SILENT, SILENCE) | {"": SILENCE}
_ALSO = {
    "ah": "ax ax-h ɐ ʌ ə",
    "er": "axr ɜ ɚ ɝ",
    "d": "dx dcl ɾ",
    "l": "el ɫ",
    "m": "em",
    "n": "en",
    "ng": "eng ŋ",
    "hh": "hv h",
    "ih": "ix ɪ ᵻ",
    "uw": "ux u ʉ ʉw",
    "w": "wh ʍ",
    "b": "bcl",
    "p": "pcl",
    "t": "tcl",
    "g": "gcl ɡ",
    "k": "kcl",
    "aa": "a ɑ ɒ",
    "ae": "æ",
    "ao": "ɔ",
    "aw": "aʊ",
    "ay": "aɪ",
    "eh": "e ɛ",
    "ey": "eɪ",
    "iy": "i",
    "ow": "o oʊ əʊ əw",
    "oy": "ɔɪ",
    "uh": "ʊ",
    "ch": "tʃ",
    "dh": "ð",
    "jh": "dʒ",
    "r": "ɹ",
    "sh": "ʃ",
    "th": "θ",
    "y": "j",
    "zh": "ʒ",
}
_ALIKE = {other: name for name, others in _ALSO.items() for other in others.split()}


def plain(name: str) -> str:
    """Return the name of a phone in small letters, without stress, length and breath.

    Examples
    --------
    >>> plain("UW1"), plain("ˈoʊ"), plain("pʰ")
    ('uw', 'oʊ', 'p')
    """
    return MARKS_OF_IPA.sub("", name).lower()


def are_phones(marks: Iterable[Mark]) -> bool:
    """Tell whether marks are phones by their names, and not words; pauses do not count.

    Examples
    --------
    >>> are_phones([("B", 0, 0.1), ("IH1", 0.1, 0.2)]), are_phones([("bin", 0, 0.2), ("a", 0.2, 0.3)])
    (True, False)
    """
    names = {plain(name) for name, *_ in marks if name not in SILENT} - {""}
    # One letter is a word, too, in a list of words; letters that only IPA has are none.
    return bool(names) and all(
        name in ARPABET or len(name) == 1 or (not name.isascii() and IPA.match(name)) for name in names
    )


def class_of(name: str) -> int:
    """Return the class of a phone for networks: 0 for one that is not known, 1 for silence.

    Examples
    --------
    >>> class_of("sil"), class_of("AA1"), class_of("ɑː"), class_of("ʘ")
    (1, 2, 2, 0)
    """
    if name in SILENT:
        return SILENCE
    small = plain(name)
    return _CLASS.get(_ALIKE.get(small, small), UNKNOWN)


def classes_at(marks: Sequence[Mark], frames: int) -> NDArray[np.uint8]:
    """Return the class (T,) of the phone that is spoken at each frame of a clip; pauses between phones are silence.

    Examples
    --------
    >>> classes_at([("AA", 0.04, 0.12)], 5).tolist()
    [1, 2, 2, 1, 1]
    """
    found = np.full(frames, SILENCE, np.uint8)
    for name, start_s, end_s in marks:
        found[math.ceil(start_s * FPS - 1e-9) : math.ceil(end_s * FPS - 1e-9)] = class_of(name)
    return found
