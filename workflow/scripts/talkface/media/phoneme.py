"""A phoneme with its time."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Phoneme:
    """A phoneme as it was spoken.

    Attributes
    ----------
    name : str
        IPA, without stress marks; "" for a pause.
    start_s, end_s : float
        Seconds from the start of the audio.
    stressed : bool
        Whether it carries primary stress.
    """

    name: str
    start_s: float
    end_s: float
    stressed: bool = False
