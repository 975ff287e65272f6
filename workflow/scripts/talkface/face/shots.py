"""Cuts: where a film jumps to another picture, told from where a detector alone jumps.

The picture around the face and the whole picture are compared from frame to frame, freed of brightness and contrast; a
cut changes both at once, and by many times what they usually change by. A face that is found at another place though
nothing of that happened was never lost: the detector goes to and fro.

Axes: H height, W width of a picture, grey.
"""

import math

import numpy as np

_REACH_FRAMES = 12  # around a frame, in which the usual change is measured
_CUT_CONTRAST = 0.33  # change of the face's surroundings from one frame to the next
_CUT_RATIO = 6.0  # and in units of the usual change around it
_CUT_WHOLE = 2.0  # the same of the whole picture: less, and it is not the picture that has jumped
_CUT_WHOLE_CONTRAST = 0.1  # change of the whole picture at least, where a face is found again at another place
_THIN_PX = 8  # each so many rows and columns of the whole picture are compared


def _evened(picture: np.ndarray) -> np.ndarray:
    """Free a picture of its brightness and contrast."""
    picture = picture.astype(np.float32)
    return (picture - picture.mean()) / max(1.0, float(picture.std()))


def _change(before: np.ndarray, after: np.ndarray) -> float:
    """Measure how one evened picture differs from another; of another size, it is all another."""
    return float(np.abs(after - before).mean()) if before.shape == after.shape else math.inf


class Shots:
    """What a film shows from frame to frame, as far as cuts are told by it."""

    def __init__(self) -> None:
        self.jumps: list[tuple[int, int]] = []  # last frame of a face, first one of another or at another place
        self._changes: dict[int, float] = {}  # of the face's surroundings since the frame before
        self._whole: list[float] = []  # likewise of the whole picture
        self._thin: np.ndarray | None = None
        self._patch: tuple[int, np.ndarray] | None = None

    def push(self, frame: np.ndarray) -> None:
        """Take the next frame, (H, W)."""
        thin = _evened(frame[::_THIN_PX, ::_THIN_PX])
        self._whole.append(0.0 if self._thin is None else _change(self._thin, thin))
        self._thin = thin

    def compare(self, number: int, patch: np.ndarray) -> None:
        """Take the surroundings of the face of a frame, brought to one size, (H, W)."""
        thin = _evened(patch)
        if self._patch is not None and self._patch[0] == number - 1:
            self._changes[number] = _change(self._patch[1], thin)
        self._patch = number, thin

    def cuts(self) -> list[int]:
        """Find the first frames of new shots: sudden changes of the picture around the face, or where it jumps."""
        numbers = np.array(sorted(self._changes), int)
        values = np.array([self._changes[number] for number in numbers])
        found = set()
        for number, value in zip(numbers, values, strict=True):
            if value > _CUT_CONTRAST and self._picture_jumps(number):
                around = values[(np.abs(numbers - number) <= _REACH_FRAMES) & (numbers != number)]
                if len(around) and value > _CUT_RATIO * np.median(around):
                    found.add(int(number))
        for last, first in self.jumps:
            if (cut := self._cut_between(last, first)) is not None:
                found.add(cut)
        return sorted(found)

    def strays(self) -> list[tuple[int, int]]:
        """Find where the detector leaves a face for another place though the picture does not jump: pairs of frames."""
        return [jump for jump in self.jumps if self._cut_between(*jump) is None]

    def _cut_between(self, last: int, first: int) -> int | None:
        """Find the frame between a face and the next one at which the picture jumps; None where it does not."""
        cut = max(range(last + 1, first + 1), key=self._whole.__getitem__)
        jumps = self._whole[cut] > _CUT_WHOLE_CONTRAST and self._picture_jumps(cut, ratio=_CUT_RATIO)
        return cut if jumps else None

    def _picture_jumps(self, number: int, *, ratio: float = _CUT_WHOLE) -> bool:
        """Tell whether the whole picture changes at a frame by much more than it usually does around it."""
        before = self._whole[max(1, number - _REACH_FRAMES) : number]
        around = before + self._whole[number + 1 : number + 1 + _REACH_FRAMES]
        return self._whole[number] > ratio * float(np.median(around or [0.0]))
