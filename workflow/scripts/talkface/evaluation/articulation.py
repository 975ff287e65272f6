"""What predicted lips do at the sounds that need them: meet at /p b m/, go round at /o u w/, touch the teeth at /f v/.

A mean error hardly sees whether a mouth closes: these sounds are short and few. All lengths are percent of the
outer-eye distance in the template frame, where lips that meet are as far apart as the template's. A sound counts where
its middle lies within the prediction; a clip without such a sound, or whose phones are not known, has no number.

Axes: T frames, 68 points, 2 coordinates, N steps of 10 ms.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from talkface.conventions import FPS
from talkface.face import points
from talkface.face.template import load_template
from talkface.media.phone_names import BILABIAL, LABIODENTAL, ROUNDED, plain

STEP_S = 0.01
# Lips meet before the sound of /p b m/ and part after it; where the picture is a frame off, they meet within this.
WINDOW_S = (-0.04, 0.02)  # before its start, after its end
# Percent of the outer-eye distance: lips that meet; at rest they are 2.6 apart. As mesh sees GRID's speaker s1, 99 % of
# the sounds /p b m/ lie below and 11 % of open vowels; as dlib does, whose lips hardly meet, 22 % and 3 %.
CLOSED_PERCENT = 4.0
Span = tuple[float, float]  # start and end, seconds


@dataclass(frozen=True)
class Spoken:
    """When the sounds that need lips are spoken in a clip, and all of its phones, in seconds; and how that is known."""

    bilabial: Sequence[Span] = ()
    rounded: Sequence[Span] = ()
    labiodental: Sequence[Span] = ()
    phones: Sequence[Span] = ()
    names: Sequence[str] = ()  # of the phones
    source: str = ""  # of `phones.SOURCES`, or why there are none

    def earlier(self, seconds: float) -> "Spoken":
        """Return the same, spoken earlier by so much."""
        if not seconds:
            return self
        kinds = (self.bilabial, self.rounded, self.labiodental, self.phones)
        lips, rounded, teeth, every = ([(start - seconds, end - seconds) for start, end in spans] for spans in kinds)
        return Spoken(lips, rounded, teeth, every, self.names, self.source)


def spoken_in(table: pd.DataFrame) -> dict[str, Spoken]:
    """Gather by clip when the sounds are spoken that a table of phones has (`phones.read_phones`)."""
    names = table["name"].map(plain)
    kinds = (BILABIAL, ROUNDED, LABIODENTAL)
    found = {}
    for clip, rows in table.groupby("clip", sort=False):
        spans = [*zip(names.loc[rows.index], rows["start_s"], rows["end_s"], strict=True)]
        lips, rounded, teeth = ([span[1:] for span in spans if span[0] in kind] for kind in kinds)
        every = [(name, start, end) for name, start, end in spans if name]
        found[str(clip)] = Spoken(
            lips, rounded, teeth, [span[1:] for span in every], [span[0] for span in every], str(rows["source"].iloc[0])
        )
    return found


def closure_gap(prediction: ArrayLike, truth: ArrayLike, *, spoken: Spoken) -> float:
    """Gap of the lips at /p b m/: the least mouth opening from 40 ms before each to 20 ms after it, averaged over them.

    Parameters
    ----------
    prediction, truth : (T, 68, 2 or 3) arrays
        Template frame; the truth is not looked at: its own number is what a prediction should have.
    spoken : Spoken

    Returns
    -------
    float
        Percent of the outer-eye distance (`points.mouth_opening`); NaN where there is no such sound.

    Examples
    --------
    >>> face = np.zeros((25, 68, 2))
    >>> face[:, 65:68, 1] = 0.1
    >>> round(closure_gap(face, face, spoken=Spoken(bilabial=[(0.2, 0.3)])), 6)
    10.0
    """
    return _mean(_gaps(prediction, spoken))


def closure_rate(prediction: ArrayLike, truth: ArrayLike, *, spoken: Spoken) -> float:
    """Share of the sounds /p b m/ at which the lips meet: their gap is at most 4 % of the outer-eye distance.

    Gap and parameters as in `closure_gap`.

    Returns
    -------
    float
        0 .. 1; NaN where there is no such sound.
    """
    return _mean([gap <= CLOSED_PERCENT for gap in _gaps(prediction, spoken)])


def _gaps(prediction: ArrayLike, spoken: Spoken) -> list[float]:
    return _at(spoken.bilabial, 100 * points.mouth_opening(_flat(prediction)), np.min, window_s=WINDOW_S)


def lip_rounding(prediction: ArrayLike, truth: ArrayLike, *, spoken: Spoken) -> float:
    """How much narrower the mouth is at /o u w/ than on average while speaking.

    Parameters as in `closure_gap`.

    Returns
    -------
    float
        Percent of the outer-eye distance (`points.mouth_width`), positive where it is narrower; NaN where there is no
        such sound.
    """
    width = 100 * points.mouth_width(_flat(prediction))
    rounded, whole = (_at(spans, width, np.mean) for spans in (spoken.rounded, spoken.phones))
    return _mean(whole) - _mean(rounded)


def lip_teeth_gap(prediction: ArrayLike, truth: ArrayLike, *, spoken: Spoken) -> float:
    """Height that the lower lip lacks at /f v/ to where the lips meet at rest, which is where the upper teeth are.

    The teeth are fixed to the skull, and no landmark sees them: their edge counts as the middle of the template's inner
    lips, as far below the nose. The least height of the inner lower lip below it, averaged over the sounds. Parameters
    as in `closure_gap`.

    Returns
    -------
    float
        Percent of the outer-eye distance; about 0 where the lip touches the teeth, NaN where there is no such sound.
    """
    prediction, rest = np.asarray(prediction), load_template()
    edge = rest[[62, 66], 1].mean() - rest[33, 1]
    below = prediction[:, 65:68, 1].mean(axis=1) - prediction[:, 33, 1] - edge
    return _mean(_at(spoken.labiodental, 100 * below, np.min))


def _flat(prediction: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(prediction, np.float64)[..., :2]


def _at(
    spans: Sequence[Span],
    series: NDArray,
    reduce: Callable[[NDArray], float],
    *,
    window_s: tuple[float, float] = (0.0, 0.0),
) -> list[float]:
    """Reduce a series (T,) to a number within each span, at steps of 10 ms, linear between frames."""
    if not len(series):
        return []
    end_s = (len(series) - 1) / FPS
    steps = np.arange(0, end_s + STEP_S / 2, STEP_S)
    fine = np.interp(steps, np.arange(len(series)) / FPS, series)  # (N,)
    found = []
    for start, stop in spans:
        first, last = np.searchsorted(steps, (start + window_s[0] - 1e-9, stop + window_s[1] + 1e-9))
        if first < last and (start + stop) / 2 <= end_s:
            found.append(float(reduce(fine[first:last])))
    return found


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
