"""A filmed person: fitted faces of all frames, and pictures of all mouths.

results/persons/{person}/mouths.h5: `pictures` (N, h, w, 3) uint8, blue green red, cut around the lower face at the
video's own resolution; `corner` (N, 2) int32, left and top of each in its frame; `inside` (N, 3) float32, how much of
dark, teeth and tongue is seen between the lips, in squared outer-eye distances.

Axes: N frames of all videos of the person one after the other, V vertices of the region (`region`), 52 weights.
"""

import itertools
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import h5py
import numpy as np
from numpy.typing import NDArray

from talkface.conventions import FPS
from talkface.errors import TalkfaceError
from talkface.face3d.camera import DISTANCE, Camera, turn_of
from talkface.face3d.face_model import load_arkit_model
from talkface.face3d.records import Stretch, read_identity
from talkface.files import writing
from talkface.head.choice import BLOCK, Filmed, distances
from talkface.head.region import SPOKEN, Region

log = logging.getLogger(__name__)

SHORT_S = 12.0  # seconds: of less video it is said how near its mouths lie
AWAY = 20.0  # degrees of turn that a place one outer-eye distance beside counts as
MARGIN = 0.22  # outer-eye distances kept around the lower face
DARK, GREY = 0.45, 0.55  # of the brightness of the skin; of its saturation, below which what is bright is a tooth


class Actor:
    """A person whose frames were fitted.

    Parameters
    ----------
    region : Region
    faces : path
        results/persons/{person}/faces.h5.
    identity : path
        results/persons/{person}/identity.h5.

    Attributes
    ----------
    region : Region
    identity : (I,) array
    person : (V - 1, 3) array
        The region of the resting face.
    clips : list of str
        Names of the videos that were taken.
    weights : (N, 52) float32 array
    turn : (N, 3) float64 array
        Yaw, pitch, roll, radians.
    place : (N, 3) float64 array
    starts : list of int
        First frame of each video, and N.
    eyes : float
        Outer-eye distance, pixels, of the first video.
    """

    def __init__(self, region: Region, faces: str | Path, identity: str | Path):
        self.region, self.identity = region, read_identity(identity)
        self.person = region.person(self.identity)
        weights, turns, places, self._cameras, self.starts = [], [], [], [], [0]
        with h5py.File(faces, "r") as file:
            self.clips = [clip for clip in file if not file[clip].attrs["rejected"]]
            if not self.clips:
                raise TalkfaceError(f"{faces}: no video that can be used; results/persons/ says why in quality.tsv")
            for clip in self.clips:
                group = file[clip]
                weights.append(group["weights"][:])
                turns.append(group["turn"][:].astype(np.float64))
                places.append(group["place"][:].astype(np.float64))
                self._cameras.append(Camera(float(group.attrs["focal"]), group.attrs["centre"]))
                self.starts.append(self.starts[-1] + len(weights[-1]))
        self.weights, self.turn, self.place = (np.concatenate(parts) for parts in (weights, turns, places))
        self._turn = turn_of(self.turn)
        self.video = np.repeat(np.arange(len(self.clips)), self.lengths)
        self.eyes = self._cameras[0].focal / DISTANCE

    def __len__(self) -> int:
        """Return N."""
        return len(self.weights)

    @property
    def lengths(self) -> list[int]:
        """Frames of each video."""
        return [last - first for first, last in itertools.pairwise(self.starts)]

    def eyes_of(self, n: int) -> float:
        """Outer-eye distance in a frame's video, pixels."""
        return self._cameras[self.video[n]].focal / DISTANCE

    def filmed(self, mouths: "Mouths") -> Filmed:
        """Return what mouths are chosen by."""
        return Filmed(self.region.compare(self.weights), self.turn, mouths.inside, self.video)

    def nearest_pose(self, rows: NDArray, among: NDArray) -> NDArray[np.int64]:
        """Return the frame among some (M,) whose head is turned and placed most as in each of `rows` (T,)."""
        turned = np.degrees(np.linalg.norm(self.turn[rows][:, None] - self.turn[among], axis=2))
        away = np.linalg.norm(self.place[rows][:, None] - self.place[among], axis=2)
        return among[(np.square(turned) + np.square(AWAY * away)).argmin(axis=1)]

    def spoken(self, n: int | NDArray, weights: NDArray) -> NDArray[np.float32]:
        """Return weights (.., 52) of faces that speak by `weights` below and are those of frames `n` above."""
        return np.where(SPOKEN, weights, self.weights[n]).astype(np.float32)

    def seen(self, n: int, weights: NDArray | None = None) -> NDArray[np.float32]:
        """Return the region's vertices (V, 3) in frame `n`, by default as filmed: pixels, pixels, nearness."""
        return self.before(n, self.region.shown(self.person, self.weights[n] if weights is None else weights))

    def turned(self, n: int) -> NDArray[np.float64]:
        """Return the turn (3, 3) of the head in frame `n`."""
        return self._turn[n]

    def before(self, n: int, face: NDArray) -> NDArray[np.float32]:
        """Place vertices (V, 3) of the template frame as the head is in frame `n`: pixels, pixels, nearness."""
        placed = face @ self._turn[n].T + self.place[n]
        return np.column_stack([self._cameras[self.video[n]].project(placed), placed[:, 2]]).astype(np.float32)

    def middle(self, n: int) -> NDArray[np.float64]:
        """Return the place (2,) between the eyes in frame `n`, pixels."""
        return self._cameras[self.video[n]].project(self.place[n])


def load_actor(face_model: str | Path, faces: str | Path, identity: str | Path) -> Actor:
    """Load a person whose videos were fitted."""
    return Actor(Region(load_arkit_model(face_model)), faces, identity)


def cut_mouths(actor: Actor, frames: Iterable[NDArray[np.uint8]], output: str | Path) -> None:
    """Cut the mouths of an actor out of all frames, (H, W, 3) blue green red, in the order of the actor's."""
    boxes = np.array([_box(actor, n) for n in range(len(actor))])  # (N, 4)
    size = (boxes[:, 2:] - boxes[:, :2]).max(axis=0)
    with writing(output) as temporary, h5py.File(temporary, "w") as file:
        pictures = file.create_dataset(
            "pictures", (len(boxes), size[1], size[0], 3), np.uint8, chunks=(1, size[1], size[0], 3)
        )
        inside = np.zeros((len(boxes), 3), np.float32)
        count = 0
        for n, frame in zip(range(len(boxes)), frames, strict=False):
            pictures[n] = cut(frame, boxes[n, :2], size)
            inside[n] = look_inside(pictures[n], actor.seen(n)[:, :2] - boxes[n, :2], actor, actor.eyes_of(n))
            count += 1
        if count < len(boxes):
            raise TalkfaceError(f"{output}: {count} frames of the person's videos; {len(boxes)} were expected")
        file["corner"], file["inside"] = boxes[:, :2].astype(np.int32), inside
    apart = coverage(actor)
    say = log.warning if len(actor) < SHORT_S * FPS else log.info
    say(
        "%s: %.1f s; from a mouth to the nearest a second away %.1f %% of the outer-eye distance, worst twentieth %.1f",
        output, len(actor) / FPS, np.mean(apart), np.quantile(apart, 0.95),
    )  # fmt: skip


def coverage(actor: Actor) -> NDArray[np.float32]:
    """Return how far each mouth lies from the nearest that was filmed a second or more away, % of the eyes, (N,)."""
    shape = actor.region.compare(actor.weights)
    found = np.empty(len(actor), np.float32)
    rows = np.arange(len(actor))
    for first in range(0, len(actor), BLOCK):
        some = rows[first : first + BLOCK]
        apart = distances(shape[some], shape)
        apart[np.abs(some[:, None] - rows) < FPS] = np.inf
        found[some] = apart.min(axis=1)
    return found


def cut(frame: NDArray[np.uint8], corner: NDArray, size: NDArray) -> NDArray[np.uint8]:
    """Cut a window of `size` (width, height) whose upper left is `corner`; what lies beyond the frame repeats it."""
    x = np.arange(corner[0], corner[0] + size[0]).clip(0, frame.shape[1] - 1)
    y = np.arange(corner[1], corner[1] + size[1]).clip(0, frame.shape[0] - 1)
    if x[-1] - x[0] + 1 == size[0] and y[-1] - y[0] + 1 == size[1]:
        return frame[y[0] : y[-1] + 1, x[0] : x[-1] + 1]
    return frame[np.ix_(y, x)]


def _box(actor: Actor, n: int) -> NDArray[np.int64]:
    """Return left, top, right, bottom of what is cut out of a frame: lips and what lies round them."""
    seen = actor.seen(n)[actor.region.compared, :2]
    margin = MARGIN * actor.eyes_of(n)
    return np.concatenate([np.floor(seen.min(axis=0) - margin), np.ceil(seen.max(axis=0) + margin)]).astype(int)


def look_inside(picture: NDArray[np.uint8], seen: NDArray, actor: Actor, eyes: float) -> NDArray[np.float32]:
    """Tell what is seen between the lips: areas of dark, teeth and tongue (3,), squared outer-eye distances."""
    inner, outer = seen[actor.region.inner_lip], seen[actor.region.outer_lip]
    mouth, face = np.zeros(picture.shape[:2], np.uint8), np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(mouth, [np.round(inner).astype(np.int32)], 1)
    wide = outer.mean(axis=0) + 1.6 * (outer - outer.mean(axis=0))
    cv2.fillPoly(face, [np.round(wide).astype(np.int32)], 1)
    cv2.fillPoly(face, [np.round(outer).astype(np.int32)], 0)
    colours = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV).astype(np.float32)
    skin = np.median(colours[face > 0], axis=0) if face.any() else np.array([0, 128, 128], np.float32)
    of = colours[mouth > 0]
    dark = of[:, 2] < DARK * skin[2]
    teeth = ~dark & (of[:, 1] < GREY * skin[1])
    shares = [dark.sum(), teeth.sum(), len(of) - dark.sum() - teeth.sum()]
    return np.array(shares, np.float32) / eyes**2


class Mouths:
    """Pictures of mouths, read from their file when they are needed."""

    def __init__(self, path: str | Path):
        self._file = h5py.File(path, "r")
        self._pictures = self._file["pictures"]
        self.corner, self.inside = self._file["corner"][:], self._file["inside"][:]

    def __len__(self) -> int:
        """Return N."""
        return len(self.corner)

    def picture(self, n: int) -> NDArray[np.uint8]:
        """Return the picture (h, w, 3) of frame `n`."""
        return self._pictures[n]


def cut_person(
    output: str | Path,
    videos: Mapping[str, Stretch],
    *,
    faces: str | Path,
    identity: str | Path,
    face_model: str | Path,
) -> None:
    """Write the mouths of a person's videos, by name, to results/persons/{person}/mouths.h5."""
    actor = load_actor(face_model, faces, identity)
    frames = (frame for clip, count in zip(actor.clips, actor.lengths, strict=True)
              for frame in itertools.islice(videos[clip].frames("bgr24"), count))  # fmt: skip
    cut_mouths(actor, frames, output)
