"""Picture of identity removal: the face at rest that each closed-mouth rule takes, and the clip before and after.

Beside the frame that a rule takes stand the runners-up; the clip before and after is shown beside the template.

Axes: T frames at 25 fps, 68 landmarks, 2 coordinates (x, y).
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import h5py
import numpy as np
from numpy.typing import NDArray

from talkface.conventions import FPS
from talkface.drawing.canvas import SHIFT, fixed, to_bgr, triple
from talkface.drawing.landmarks import draw_lines, draw_points
from talkface.drawing.lettering import measure, wrap, write
from talkface.drawing.style import GROUND, INK, ORANGE, RULE, SKY, SOFT
from talkface.errors import TalkfaceError
from talkface.face import points
from talkface.face.faces import load_shapes
from talkface.face.identity import STORED_LIP_PAIRS, align, align_procrustes, closure_order, neutral_shapes
from talkface.face.template import load_template
from talkface.files import writing
from talkface.films.plots import Frame, align_faces, fit, read_faces
from talkface.media.video import probe, read_frames

WIDTH, MARGIN, GAP = 1200, 30, 18  # pixels
SHOWN = 3  # frames of each rule: the one it takes, and runners-up
TILE = ((WIDTH - 2 * MARGIN - (SHOWN - 1) * GAP) // SHOWN, 262)  # pixels, width and height
PANEL = (TILE[0], 400)  # of a whole face
TITLE, HEADING, TEXT = 50, 40, 30  # pixels, heights of letters
MOUTH = 0.95  # width of what a tile shows, outer-eye distances
COURSE = 200  # as many frames of a clip are drawn on each other at most
SEARCH, REMOVAL = 1.3, 0.1  # the published thresholds, standard deviations
APART = 5  # frames between those shown, where possible


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a closed-mouth rule says of a clip.

    Attributes
    ----------
    name, explanation : str
        The rule in words.
    pairs : pairs of inner upper and lower lip points
        Whose distances are least in the frame that it takes.
    frames : int array
        Most closed first, as `identity.closure_order` gives them; empty if none passes the threshold.
    score : (T,) array
        Mouth width, standard deviations from the clip's mean.
    averaged : int
        How many of the first frames are the reference.
    in_force : bool
        Whether the configuration names this rule.
    """

    name: str
    explanation: str
    pairs: Sequence[tuple[int, int]]
    frames: NDArray = field(repr=False)
    score: NDArray = field(repr=False)
    averaged: int = 1
    in_force: bool = False

    def shown(self) -> list[int]:
        """Return the places in `frames` of the one taken and of the runners-up, `APART` frames apart where possible."""
        places: list[int] = []
        for place, frame in enumerate(self.frames):
            if all(abs(frame - self.frames[other]) >= APART for other in places):
                places.append(place)
            if len(places) == SHOWN:
                return places
        rest = [place for place in range(len(self.frames)) if place not in places]
        return sorted(places + rest[: SHOWN - len(places)])


def ordinal(place: int) -> str:
    """Write a place, counted from 0, as an ordinal number."""
    number = place + 1
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def ask_rules(
    landmarks: NDArray, *, method: str, threshold: float, reference_frames: int, smooth_frames: int
) -> list[Choice]:
    """Apply each closed-mouth rule to a clip.

    Parameters
    ----------
    landmarks : (T, 68, 2) array
        Of one clip, any unit.
    method : {"fixed", "published"}
        Which rule is in force: talkface's own, or the published toolkit's with `threshold`.
    threshold, reference_frames, smooth_frames
        As in the configuration, see `talkface.face.identity.neutral_shapes`.

    Returns
    -------
    list of Choice
        talkface's own; the toolkit's search, its removal, and with its method another threshold; the paper's.
    """
    own = align(landmarks, load_template(), smooth_frames=smooth_frames)
    published = align_procrustes(landmarks)
    explanation = f"Least distance of lip points that lie above each other; width within {describe_limit(threshold)}."
    if reference_frames > 1:
        explanation += f" The reference is the mean of its first {reference_frames} frames."
    choices = [
        _ask(
            own, "talkface's own rule", explanation, pairs=points.LIP_PAIRS, threshold=threshold,
            averaged=reference_frames, in_force=method == "fixed",
        )
    ]  # fmt: skip
    names = {SEARCH: "Published toolkit: search", REMOVAL: "Published toolkit: removal"}
    if method == "published":
        names.setdefault(threshold, "Published toolkit: threshold of the configuration")
    for limit, name in names.items():
        explanation = (
            f"Least distance of lip points in stored order, not above each other; width within {describe_limit(limit)}."
        )
        in_force = method == "published" and limit == threshold
        choices.append(_ask(published, name, explanation, pairs=STORED_LIP_PAIRS, threshold=limit, in_force=in_force))
    explanation = "Least distance of lip points that lie above each other, however wide or narrow."
    return [*choices, _ask(own, "The paper: lip distance alone", explanation, pairs=points.LIP_PAIRS, threshold=np.inf)]


def _ask(
    aligned: NDArray, name: str, explanation: str, *, pairs: Sequence[tuple[int, int]], threshold: float,
    averaged: int = 1, in_force: bool = False,
) -> Choice:  # fmt: skip
    """Apply one rule to aligned landmarks (T, 68, 2)."""
    width = points.distance(aligned, 60, 64)
    score = (width - np.nanmean(width)) / max(np.nanstd(width), 1e-9)
    frames = closure_order(aligned, threshold=threshold, pairs=pairs)
    frames = frames[np.abs(score[frames]) < threshold]  # where none passes, the picture says so
    return Choice(
        name=name, explanation=explanation, pairs=pairs, frames=frames, score=score, averaged=averaged,
        in_force=in_force,
    )  # fmt: skip


def describe_limit(threshold: float) -> str:
    """Write a threshold of the mouth width in words."""
    return f"{threshold:g} standard deviation{'' if threshold == 1 else 's'} of the mean"


def sheet(height: int, *, width: int = WIDTH) -> NDArray[np.uint8]:
    """Return an empty part of the picture, (height, width, 3)."""
    return np.full((height, width, 3), triple(to_bgr(GROUND)), np.uint8)


def paint_text(text: str, *, size: int, colour: str, bold: bool = False, right: str = "") -> NDArray[np.uint8]:
    """Paint lines of text as wide as the picture, with a word set off at the right edge of the first."""
    room = WIDTH - 2 * MARGIN - (measure(right, size=size, bold=True) + MARGIN if right else 0)
    lines = wrap(text, size=size, width=room, bold=bold)
    picture = sheet(round(1.3 * size) * len(lines))
    for place, line in enumerate(lines):
        write(picture, line, (MARGIN, round(1.3 * size) * place + size), size=size, colour=colour, bold=bold)
    if right:
        room = measure(right, size=TEXT, bold=True)
        ends = (WIDTH - MARGIN - room - 28, round(0.02 * size)), (WIDTH - MARGIN - 1, round(1.2 * size))
        cv2.rectangle(picture, *ends, triple(to_bgr(INK)), cv2.FILLED)
        end = (WIDTH - MARGIN - 14, round(0.61 * size + 0.36 * TEXT))
        write(picture, right, end, size=TEXT, colour=GROUND, bold=True, anchor="right")
    return picture


def paint_row(tiles: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Put tiles of one size beside each other."""
    picture = sheet(tiles[0].shape[0])
    for place, tile in enumerate(tiles):
        left = MARGIN + place * (TILE[0] + GAP)
        picture[:, left : left + TILE[0]] = tile
    return picture


def paint_mouth(
    landmarks: NDArray, *, pairs: Sequence[tuple[int, int]], eyes: float, colour: str,
    frame: NDArray[np.uint8] | None,
) -> NDArray[np.uint8]:  # fmt: skip
    """Paint the mouth of a frame, on the video if there is one, with its lips and the pairs that a rule looks at.

    Parameters
    ----------
    landmarks : (68, 2) array
        Pixels of the frame, or any unit without one.
    pairs : pairs of lip points
    eyes : float
        Outer-eye distance of the clip in that unit: tiles of a clip have one scale.
    colour : str
        Colour of the lips.
    frame : (H, W, 3) uint8 array or None
    """
    width, height = TILE
    scale = width / (MOUTH * eyes)
    lips = landmarks[list(points.LIPS)]
    view = Frame(scale, np.array([width, height]) / 2 - scale * (lips.min(axis=0) + lips.max(axis=0)) / 2)
    tile = sheet(height, width=width)
    if frame is not None:
        # The middle of pixel 0 stands at 0 in the source and in the tile alike.
        matrix = np.column_stack([np.eye(2) * scale, view.offset])
        warped = cv2.warpAffine(frame, matrix, TILE, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        tile = np.asarray(warped, np.uint8)
    placed = view.place(landmarks)
    draw_lines(tile, placed, colour=colour, width=2 if frame is not None else 4, mouth_only=True)
    draw_points(tile, placed, colour=colour, radius=4, mouth_only=True)
    ends = [fixed(placed[list(pair)]) for pair in pairs]
    cv2.polylines(tile, ends, False, triple(to_bgr(GROUND if frame is not None else INK)), 3, cv2.LINE_AA, SHIFT)
    return tile


def paint_choice(
    choice: Choice, landmarks: NDArray, *, frames: dict[int, NDArray[np.uint8]], colour: str, note: str = ""
) -> NDArray[np.uint8]:
    """Paint a rule with the frames it takes: name, what it looks at, mouths, and their measures.

    Parameters
    ----------
    choice : Choice
    landmarks : (T, 68, 2) array
        Pixels of the video, or the template frame.
    frames : mapping of frame to its picture
        Empty for a prediction: lips are drawn as lines.
    colour : str
        Colour of the lips.
    note : str
        A further sentence.
    """
    eyes = float(np.nanmedian(points.outer_eye_distance(landmarks)))
    parts = [
        sheet(26),
        paint_text(choice.name, size=HEADING, colour=INK, bold=True, right="in force" if choice.in_force else ""),
        paint_text(f"{choice.explanation} {note}", size=TEXT, colour=SOFT),
        sheet(10),
    ]
    tiles, captions = [], []
    places = choice.shown()
    for column in range(SHOWN):
        caption, tile = sheet(3 * 38 + 8, width=TILE[0]), sheet(TILE[1], width=TILE[0])
        if column < len(places):
            place = places[column]
            frame = int(choice.frames[place])
            tile = paint_mouth(landmarks[frame], pairs=choice.pairs, eyes=eyes, colour=colour, frame=frames.get(frame))
            if place < choice.averaged:
                cv2.rectangle(tile, (4, 4), (TILE[0] - 5, TILE[1] - 5), triple(to_bgr(INK)), 8)
            else:
                cv2.rectangle(tile, (0, 0), (TILE[0] - 1, TILE[1] - 1), triple(to_bgr(RULE)), 2)
            lines = [
                f"{ordinal(place)}: frame {frame}, {frame / FPS:.2f} s",
                *measures(choice, landmarks[frame], frame),
            ]
            for row, line in enumerate(lines):
                write(
                    caption, line, (0, 38 * row + 34), size=TEXT, colour=SOFT if row else INK, bold=not row,
                    width=TILE[0],
                )  # fmt: skip
        elif not column:
            write(caption, "no frame passes", (0, 34), size=TEXT, colour=SOFT)
        tiles.append(tile)
        captions.append(caption)
    return np.vstack([*parts, paint_row(tiles), paint_row(captions)])


def measures(choice: Choice, landmarks: NDArray, frame: int) -> list[str]:
    """Write width and opening of a mouth (68, 2), percent of its outer-eye distance, in words."""
    percent = 100 / points.outer_eye_distance(landmarks)
    score = f"{choice.score[frame].round(1) + 0.0:+.1f}".replace("-", "−")  # + 0.0: no minus zero
    opening = f"opening {points.mouth_opening(landmarks) * percent:.1f}"
    if choice.pairs != points.LIP_PAIRS:
        theirs = np.mean([points.distance(landmarks, *pair) for pair in choice.pairs]) * percent
        opening += f", pairs {theirs:.1f}"
    return [f"width {points.distance(landmarks, 60, 64) * percent:.0f} %, deviation {score}", f"{opening} %"]


def paint_course(faces: NDArray, view: Frame, *, colour: str) -> NDArray[np.uint8]:
    """Paint all frames of a clip as faint lines on each other, and their mean on top, with the template's lines."""
    panel = sheet(PANEL[1], width=PANEL[0])
    some = faces[np.linspace(0, len(faces) - 1, min(len(faces), COURSE)).round().astype(int)]
    often = np.zeros(panel.shape[:2], np.float32)
    for face in some:
        stroke = np.zeros_like(panel)
        draw_lines(stroke, view.place(face), colour="#ffffff", width=2)
        often += stroke[..., 0]
    cover = 0.6 * np.sqrt(often[..., None] / (255 * len(some)))
    panel = np.rint(panel * (1 - cover) + to_bgr(colour) * cover).astype(np.uint8)
    draw_lines(panel, view.place(load_template()), colour=ORANGE, width=4)
    draw_lines(panel, view.place(np.nanmean(faces, axis=0)), colour=colour, width=3)
    return panel


def paint_change(before: NDArray, after: NDArray, *, colour: str) -> NDArray[np.uint8]:
    """Paint the template, and a clip (T, 68, 2) before and after identity removal, template frame."""
    template = load_template()
    ends = np.concatenate([template, np.nanmean(before, axis=0), np.nanmean(after, axis=0)])
    view = fit(ends.min(axis=0), ends.max(axis=0), box=(26, 20, PANEL[0] - 26, PANEL[1] - 34))
    first = sheet(PANEL[1], width=PANEL[0])
    draw_lines(first, view.place(template), colour=ORANGE, width=4)
    panels = [first, *(paint_course(faces, view, colour=colour) for faces in (before, after))]
    captions = []
    for panel, name in zip(panels, ("the template", "before: aligned", "after: identity-free"), strict=True):
        cv2.rectangle(panel, (0, 0), (PANEL[0] - 1, PANEL[1] - 1), triple(to_bgr(RULE)), 2)
        caption = sheet(46, width=PANEL[0])
        write(caption, name, (0, 34), size=TEXT, colour=INK, bold=True, width=PANEL[0])
        captions.append(caption)
    explanation = f"All {len(before)} frames as faint lines, their mean as a dark one, the template in orange."
    if colour != INK:
        explanation = explanation.replace("as a dark one", "as a strong one")
    return np.vstack(
        [
            sheet(26),
            paint_text("Before and after", size=HEADING, colour=INK, bold=True),
            paint_text(explanation, size=TEXT, colour=SOFT),
            sheet(10),
            paint_row(panels),
            paint_row(captions),
        ]
    )


def frames_at(
    video: str | Path, numbers: set[int], *, start_s: float | None, end_s: float | None
) -> dict[int, NDArray[np.uint8]]:
    """Decode the frames of a clip with these numbers; decoding ends with the last of them."""
    found: dict[int, NDArray[np.uint8]] = {}
    pictures = read_frames(probe(video), start_s=start_s, end_s=end_s, pixels="bgr24")
    with contextlib.closing(pictures):
        for number, picture in enumerate(pictures):
            if number in numbers:
                found[number] = picture
            if len(found) == len(numbers):
                break
    return found


def draw_identity(
    faces: str | Path, output: str | Path, *, clip: str, method: str, threshold: float, reference_frames: int,
    smooth_frames: int, colour: str = INK, model: str | None = None, shapes: str | Path | None = None,
    video: str | Path | None = None, start_s: float | None = None, end_s: float | None = None,
) -> None:  # fmt: skip
    """Write the picture of a clip, or of what a model predicts for it.

    Parameters
    ----------
    faces : path
        results/landmarks/{shard}.h5, or with a model results/predictions/{model}/{clip}.npy.
    output : path
        A png.
    clip : str
    method, threshold, reference_frames, smooth_frames
        Of the configuration, see `talkface.face.identity.neutral_shapes`.
    colour : str
        Colour of the faces, "#rrggbb".
    model : str, optional
    shapes : path, optional
        results/shapes/{speaker}.h5; needed without a model.
    video : path, optional
        Of the clip; without a model its mouths are shown.
    start_s, end_s : float, optional
        Its stretch of the video.

    Raises
    ------
    TalkfaceError
        If the clip was rejected; the reason stands in the message.
    """
    source, reference, frame = "measured in the video", "", 0
    if model:
        source = f"predicted by {model}"
        landmarks = load_shapes(faces)
        before = align_faces(landmarks, method=method, smooth_frames=smooth_frames)
        after, _ = neutral_shapes(
            [landmarks], template=load_template(), reference="clip", method=method, threshold=threshold,
            reference_frames=reference_frames, smooth_frames=smooth_frames,
        )  # fmt: skip
    else:
        assert shapes is not None  # without a model they are given
        landmarks = read_faces(faces, clip=clip, shape="raw", method=method, smooth_frames=smooth_frames)
        before = align_faces(landmarks, method=method, smooth_frames=smooth_frames)
        after = read_faces(shapes, clip=clip, shape="identity_free", method=method, smooth_frames=smooth_frames)
        with h5py.File(shapes, "r") as file:
            attributes = file[clip].attrs
            if "reference_clip" not in attributes:
                raise TalkfaceError(
                    f"{clip}: landmarks.dimensions is 3, so its shape is a fit in space and no closed mouth was "
                    "chosen; to see how identity is removed, set it to 2; to see the fit, ask for results/mesh/"
                )
            reference, frame = str(attributes["reference_clip"]), int(attributes["reference_frame"])
    choices = ask_rules(
        landmarks, method=method, threshold=threshold, reference_frames=reference_frames, smooth_frames=smooth_frames
    )
    numbers = {int(choice.frames[place]) for choice in choices for place in choice.shown()}
    pictures = {} if model or video is None else frames_at(video, numbers, start_s=start_s, end_s=end_s)
    parts = [
        sheet(24),
        paint_text(f"{clip}: the mouth at rest", size=TITLE, colour=INK, bold=True),
        paint_text(source, size=TEXT, colour=colour if model else SOFT),
    ]
    for choice in choices:
        note = ""
        taken = len(choice.frames) and int(choice.frames[0])
        if choice.in_force and reference and (reference, frame) != (clip, taken):
            note = f"For all of the speaker's clips: frame {frame} of {reference} is the reference."
        lips = colour if model else SKY
        parts.append(paint_choice(choice, landmarks, frames=pictures, colour=lips, note=note))
    about = (
        "Width: from 60 to 64, the inner corners of the mouth. Opening: mean of 61-67, 62-66 and 63-65; pairs: that of "
        "the pairs as stored. All in percent of the frame's outer-eye distance. Deviation: of the width from the "
        "clip's mean, in standard deviations. Runners-up are at least 0.2 s apart. Thick frame: what the rule takes."
    )
    parts += [
        paint_change(before, after, colour=colour),
        sheet(14),
        paint_text(about, size=TEXT, colour=SOFT),
        sheet(24),
    ]
    with writing(output) as picture:
        cv2.imwrite(str(picture), np.vstack(parts))
