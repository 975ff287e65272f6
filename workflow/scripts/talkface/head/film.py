"""Films of a person who speaks new audio.

results/head/{person}/{speech}/frames.tsv: a row a frame of the film, 25 a second, with `time`, s; `video` and `frame`
of the person that lies behind it; `path`, the frame whose mouth is shown in detail; `near1` .. and `share1` .., frames
of the low band and their shares; `distance`, from the wanted mouth to the nearest filmed one, % of the outer-eye
distance. Frames are counted through all videos of the person.

Axes: T frames of the film, N of the person, 52 weights.
"""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from talkface.conventions import FPS
from talkface.drawing.lettering import write
from talkface.drawing.style import GROUND, INK
from talkface.errors import TalkfaceError
from talkface.face3d.records import Motion, Stretch, read_weights
from talkface.files import writing
from talkface.head import pose
from talkface.head.actor import Actor, Mouths, load_actor
from talkface.head.choice import Chosen, choose, fade
from talkface.head.filmed import Frames, held
from talkface.head.picture import Layers, Mouth, Painter
from talkface.head.refine.unet import read_refiner
from talkface.head.textured import TexturedPainter, reference_frame
from talkface.media.encoding import encode
from talkface.media.sound import frames_of

log = logging.getLogger(__name__)

PICTURES = ("real", "mesh")
POSES = ("video", "matched", "key_poses")
FACE_PX = 256  # both sides of the film of the face alone
FACE_SIDE = 2.6  # outer-eye distances that it shows
FACE_DOWN = 0.35  # outer-eye distances: its middle lies so far below the eyes
CALM_FRAMES = 6  # standard deviation of the smoothing of a head's wanted course, which would else go to and fro
STEADY_FRAMES = 12  # standard deviation of the smoothing of its middle
MARKED = "synthetic"  # what films say of themselves


def choose_background(actor: Actor, motion: Motion, *, how: str) -> NDArray[np.int64]:
    """Choose the person's frame behind each frame of a film, (T,); `how` is one of `POSES`."""
    if how == "video":
        return pose.to_and_fro(actor.starts, actor.turn, len(motion.weights))
    if how == "matched":
        calm = gaussian_filter1d(motion.turn, CALM_FRAMES, axis=0, mode="nearest")
        return pose.nearest_path(actor.starts, actor.turn, calm)
    if how == "key_poses":
        return pose.key_poses(actor.starts, actor.turn, motion.turn)
    raise TalkfaceError(f"head.pose: {how!r}; one of {', '.join(POSES)} was expected")


def choose_mouths(actor: Actor, mouths: Mouths, motion: Motion, behind: NDArray) -> Chosen:
    """Choose the filmed mouths that show a motion on the frames (T,) behind it."""
    wanted = actor.spoken(behind, motion.weights)
    return choose(actor.region.compare(wanted), actor.turn[behind], actor.filmed(mouths))


def choose_frames(
    expression: str | Path, output: str | Path, *, audio: str | Path, faces: str | Path, identity: str | Path,
    mouths: str | Path, face_model: str | Path, how: str,
) -> None:  # fmt: skip
    """Write which of a person's frames a film is made of.

    Parameters
    ----------
    expression : path
        results/head/{person}/{speech}/expression.tsv.
    output : path
        results/head/{person}/{speech}/frames.tsv.
    audio : path
        The speech: the film lasts as long.
    faces, identity, mouths : path
        Of the person, results/persons/{person}/.
    face_model : path
    how : {"video", "matched", "key_poses"}
        Of the background.
    """
    actor, pictures = load_actor(face_model, faces, identity), Mouths(mouths)
    motion = held(read_weights(expression), frames_of(audio))
    behind = choose_background(actor, motion, how=how)
    chosen = choose_mouths(actor, pictures, motion, behind)
    table = pd.DataFrame({
        "time": np.arange(len(behind)) / FPS, "video": [actor.clips[k] for k in actor.video[behind]], "frame": behind,
        "path": chosen.path, **{f"near{k + 1}": chosen.near[:, k] for k in range(chosen.near.shape[1])},
        **{f"share{k + 1}": chosen.share[:, k] for k in range(chosen.near.shape[1])}, "distance": chosen.distance,
    })  # fmt: skip
    with writing(output) as temporary:
        table.to_csv(temporary, sep="\t", index=False, float_format="%.4f")
    log.info("%d frames; nearest mouths %.2f %% away in the mean", len(table), chosen.distance.mean())


def draw_head(
    expression: str | Path, frames: str | Path, output: str | Path, *, audio: str | Path, videos: Mapping[str, Stretch],
    faces: str | Path, identity: str | Path, mouths: str | Path, face_model: str | Path, view: str = "full",
    picture: str = "real", refine: str | Path | None = None, mark: bool = False,
) -> None:  # fmt: skip
    """Write a film of a person who speaks new audio.

    Parameters
    ----------
    expression, frames : path
        results/head/{person}/{speech}/.
    output : path
        An mp4.
    audio : path
        The speech.
    videos : mapping of name to Stretch
        Of the person.
    faces, identity, mouths : path
        results/persons/{person}/.
    face_model : path
    view : {"full", "face"}
        The whole frame, or the face alone.
    picture : {"real", "mesh"}
        See `picture`.
    refine : path, optional
        results/persons/{person}/refine.pt: a trained network that refines real mouths.
    mark : bool
        Write on the picture that it is synthetic; the file says so in any case.
    """
    actor, pictures = load_actor(face_model, faces, identity), Mouths(mouths)
    table = pd.read_csv(frames, sep="\t")
    motion = held(read_weights(expression), len(table))
    behind = table["frame"].to_numpy()
    further = [reference_frame(actor)] if picture == "mesh" else []
    filmed = Frames(videos, actor, np.append(behind, further).astype(int))
    cv2.setNumThreads(1)
    painted = paint(actor, pictures, motion, table, filmed, picture=picture, refine=refine)
    height, width = filmed[int(behind[0])].shape[:2]
    size = (width - width % 2, height - height % 2)
    if view == "face":
        painted, size = faces_of(painted, actor, behind), (FACE_PX, FACE_PX)
    shown = (_marked(frame[: size[1], : size[0]], mark) for frame in painted)
    with writing(output) as film:
        encode(shown, film, size=size, audio=audio, metadata=f"comment={MARKED}: talkface")


def paint(
    actor: Actor, mouths: Mouths, motion: Motion, table: pd.DataFrame, filmed: Mapping[int, NDArray] | Frames, *,
    picture: str = "real", refine: str | Path | None = None,
) -> Iterator[NDArray[np.uint8]]:  # fmt: skip
    """Yield the frames of a film, (H, W, 3) blue green red; `table` is that of `choose_frames`."""
    if picture not in PICTURES:
        raise TalkfaceError(f"head.picture: {picture!r}; one of {', '.join(PICTURES)} was expected")
    refined = read_refiner(refine) if refine else Layers.composed  # a rule without one gives an empty list
    painter: Painter | TexturedPainter = Painter(actor, mouths, refined)
    if picture == "mesh":
        reference = reference_frame(actor)
        painter = TexturedPainter(actor, reference, filmed[reference])
    sharp = fade(table["path"].to_numpy(), actor.video)
    near, share = (table.filter(regex=rf"^{name}\d+$").to_numpy().tolist() for name in ("near", "share"))
    for t, n in enumerate(table["frame"].tolist()):
        low = dict(zip(near[t], share[t], strict=True))
        yield painter.paint(filmed[n], n, motion.weights[t], Mouth(sharp[t], low))


def faces_of(frames: Iterator[NDArray[np.uint8]], actor: Actor, behind: NDArray) -> Iterator[NDArray[np.uint8]]:
    """Yield the face alone of each frame, (FACE_PX, FACE_PX, 3); the camera follows the head smoothly."""
    middle = np.stack([actor.middle(n) for n in behind])
    middle = gaussian_filter1d(middle, STEADY_FRAMES, axis=0, mode="nearest")
    for frame, n, (x, y) in zip(frames, behind, middle, strict=True):
        eyes = actor.eyes_of(n)
        scale = FACE_PX / (FACE_SIDE * eyes)
        shift = FACE_PX / 2 - scale * (np.array([x, y + FACE_DOWN * eyes]) + 0.5) - 0.5
        matrix = np.array([[scale, 0, shift[0] + scale * 0.5], [0, scale, shift[1] + scale * 0.5]])
        flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        face = cv2.warpAffine(frame, matrix, (FACE_PX, FACE_PX), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        yield np.asarray(face, np.uint8)


def _marked(frame: NDArray[np.uint8], mark: bool) -> NDArray[np.uint8]:
    if not mark:
        return frame
    shown = frame.copy()
    size = max(9, round(0.035 * frame.shape[0]))
    write(shown, MARKED, (size, frame.shape[0] - size), size=size, colour=GROUND, halo=INK)
    return shown
