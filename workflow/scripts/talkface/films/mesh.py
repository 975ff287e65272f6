"""Films of a clip with the head in space that was fitted to it laid over the face.

Below the picture stand the clip, the time of the frame and how far the fitted landmarks lie from the measured ones.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import h5py
import numpy as np
from numpy.typing import NDArray

from talkface.conventions import FPS
from talkface.drawing.canvas import to_bgr, triple
from talkface.drawing.lettering import clock, write
from talkface.drawing.style import GROUND, INK, MARK
from talkface.errors import TalkfaceError
from talkface.face3d.camera import Camera, Pose, turn_of
from talkface.face3d.face_model import load_arkit_model
from talkface.face3d.looks import colours_of
from talkface.face3d.rasteriser import rasterise, shade
from talkface.face3d.records import read_identity
from talkface.files import writing
from talkface.films.overlay import LETTERS, film_size
from talkface.media.encoding import encode, speech
from talkface.media.video import probe, read_frames

COVER = 0.72  # how much of the picture the head covers: enough of it to be judged, and of what lies below


class MeshPainter:
    """Painter of a fitted head on the frames of a clip.

    Parameters
    ----------
    faces : path
        results/face3d/{shard}.h5.
    identity : path
        results/face3d/identity/{speaker}.h5.
    clip : str
    face_model : path
    size : (width, height)
        Of the source, pixels.

    Raises
    ------
    TalkfaceError
        If the clip was rejected.
    """

    def __init__(self, faces: Path, identity: Path, *, clip: str, face_model: Path, size: tuple[int, int]):
        with h5py.File(faces, "r") as file:
            group = file[clip]
            if group.attrs["rejected"]:
                raise TalkfaceError(f"{clip}: rejected ({group.attrs['rejected']}); a clip with a face was expected")
            self.weights, self.error = group["weights"][:], group["error"][:]
            self.interpolated = group["interpolated"][:]
            self.pose = Pose(turn_of(group["turn"][:]), group["place"][:].astype(np.float64))
            camera = Camera(float(group.attrs["focal"]), group.attrs["centre"])
        self.model = load_arkit_model(face_model)
        self.person = self.model.person(read_identity(identity))
        self.colours = colours_of(self.model)[:, ::-1].copy()  # blue first, as pictures are
        self.width, self.height = film_size(*size)
        scale = self.width / size[0]
        self.camera = Camera(camera.focal * scale, (camera.centre + 0.5) * scale - 0.5)
        self.clip, self.letters = clip, max(9, round(LETTERS * self.width))
        self.strip = 2 * round(1.4 * self.letters)

    def head(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the vertices (V, 3) of a frame, pixels and nearness, and their lit colours (V, 3)."""
        face = self.model.shown(self.person, self.weights[number])
        placed = (face @ self.pose.turn[number].T + self.pose.place[number]).astype(np.float32)
        lit = shade(placed, self.model.triangles, self.colours)
        return np.column_stack([self.camera.project(placed), placed[:, 2]]).astype(np.float32), lit

    def paint(self, number: int, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the picture of a frame, (height + strip, width, 3)."""
        vertices, lit = self.head(number)
        drawn = frame.astype(np.float32)
        near = rasterise(vertices, self.model.triangles, lit, drawn)
        picture = np.full((self.height + self.strip, self.width, 3), triple(to_bgr(GROUND)), np.uint8)
        cover = np.where(np.isfinite(near), COVER, 0.0)[..., None].astype(np.float32)
        picture[: self.height] = frame + cover * (drawn - frame)
        margin, row = round(0.8 * self.letters), self.height + round(1.75 * self.letters)
        write(picture, clock(number, fps=FPS), (margin, row), size=self.letters, colour=INK)
        said = "interpolated" if self.interpolated[number] else f"{self.error[number]:.1f} % off"
        colour = MARK if self.interpolated[number] else INK
        write(picture, said, (self.width // 2, row), size=self.letters, colour=colour, anchor="centre")
        write(picture, self.clip, (self.width - margin, row), size=self.letters, colour=INK, bold=True, anchor="right",
              width=self.width // 3)  # fmt: skip
        return picture


def draw_mesh(
    video: str | Path, output: str | Path, *, faces: str | Path, identity: str | Path, audio: str | Path,
    face_model: str | Path, clip: str, start_s: float | None, end_s: float | None,
) -> None:  # fmt: skip
    """Write the film of a clip with its fitted head.

    Parameters
    ----------
    video : path
        The source.
    output : path
        An mp4, H.264 and AAC.
    faces, identity, clip, face_model
        See `MeshPainter`.
    audio : path
        results/audio/{shard}.h5.
    start_s, end_s : float or None
        Stretch of the video in seconds.
    """
    info = probe(video)
    painter = MeshPainter(
        Path(faces), Path(identity), clip=clip, face_model=Path(face_model), size=(info.width, info.height)
    )
    cv2.setNumThreads(1)

    def pictures() -> Iterator[NDArray[np.uint8]]:
        size = (painter.width, painter.height)
        frames = read_frames(info, start_s=start_s, end_s=end_s, pixels="bgr24", size=size)
        for number, frame in zip(range(len(painter.weights)), frames, strict=False):
            yield painter.paint(number, frame)

    size = (painter.width, painter.height + painter.strip)
    with speech(audio, clip, frames=len(painter.weights)) as wav, writing(output) as film:
        encode(pictures(), film, size=size, audio=wav)
