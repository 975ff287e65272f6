"""Names of phones, ARPAbet's and IPA's: which are phones at all, and which need lips."""

import re
from collections.abc import Iterable

from talkface.corpus.annotations import Mark

SILENT = frozenset(("SIL", "+NSN+", "+SPN+", "sil", "sp", "spn", "pau", "h#", "epi", "<eps>"))
# Of CMU's dictionary, and what the hand-made phones of TIMIT have beside them.
ARPABET = frozenset(
    (
        *("aa", "ae", "ah", "ao", "aw", "ay", "eh", "er", "ey", "ih", "iy", "ow", "oy", "uh", "uw"),
        *("b", "ch", "d", "dh", "f", "g", "hh", "jh", "k", "l", "m", "n", "ng", "p", "r", "s", "sh", "t", "th"),
        *("v", "w", "y", "z", "zh"),
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
    >>> are_phones([Mark("B", 0, 0.1), Mark("IH1", 0.1, 0.2)]), are_phones([Mark("bin", 0, 0.2), Mark("a", 0.2, 0.3)])
    (True, False)
    """
    names = {plain(mark.name) for mark in marks if mark.name not in SILENT} - {""}
    # One letter is a word, too, in a list of words; letters that only IPA has are none.
    return bool(names) and all(
        name in ARPABET or len(name) == 1 or (not name.isascii() and IPA.match(name)) for name in names
    )
