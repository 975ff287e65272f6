"""What was filmed of a person, as films of that person need it.

Axes: T frames of a film, N of the person.
"""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from talkface.errors import TalkfaceError
from talkface.face.faces import hold
from talkface.face3d.records import Motion, Stretch
from talkface.head.actor import Actor

QUALITY = 97  # of the JPEG pictures, 4:4:4, in which a person's frames wait


def held(motion: Motion, frames: int) -> Motion:
    """Bring a motion to so many frames."""
    return Motion(hold(motion.weights, frames), hold(motion.turn, frames))


class Frames:
    """Frames of a person's videos, kept as pictures that need little room, those alone that a film shows.

    Parameters
    ----------
    videos : mapping of name to Stretch
    actor : Actor
    wanted : (T,) int array
    """

    def __init__(self, videos: Mapping[str, Stretch], actor: Actor, wanted: NDArray):
        self._kept: dict[int, NDArray] = {}
        numbers = set(np.unique(wanted).tolist())
        options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
                   cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]  # fmt: skip
        for clip, first, last in zip(actor.clips, actor.starts, actor.starts[1:], strict=False):
            of_video = {n for n in numbers if first <= n < last}
            if not of_video:
                continue
            for n, frame in enumerate(videos[clip].frames("bgr24"), start=first):
                if n in of_video:
                    self._kept[n] = cv2.imencode(".jpg", frame, options)[1]
                if n >= max(of_video):
                    break
        if len(self._kept) < len(numbers):
            raise TalkfaceError("the person's videos have fewer frames than were fitted; have they changed since?")

    def __getitem__(self, n: int) -> NDArray[np.uint8]:
        """Return frame `n`, (H, W, 3) blue green red."""
        return np.asarray(cv2.imdecode(self._kept[n], cv2.IMREAD_COLOR), np.uint8)
