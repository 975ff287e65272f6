"""Viewer of clips: results/viewer.html, a page in one file that opens from disk.

Layout, style and program stand in viewer.html, page_colours.css, viewer.css, viewer_faces.js and viewer.js; they draw
the faces from arrays that are written into the page. All that comes from names is escaped; nothing is loaded from
elsewhere.

Arrays in the page are base64. Landmarks are little-endian int16, (T, 68, 2) times `QUANTUM`: steps of 1/8192 of the
outer-eye distance (template frame) or of the film's side (landmarks in the film); `MISSING` where they are NaN.
"""

import base64
import json
import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from talkface.conventions import FPS
from talkface.drawing.style import INK, colour_of
from talkface.face.points import INNER_LIP, LINES, LIPS, OUTER_LIP, mouth_opening
from talkface.face.template import load_template
from talkface.files import writing
from talkface.media.sound import film_frames
from talkface.report.templates import find_template, read_assets

log = logging.getLogger(__name__)

QUANTUM, MISSING = 8192, -32_768
STYLE = ("page_colours.css", "viewer.css")  # one after the other
PROGRAM = ("viewer_faces.js", "viewer.js")  # likewise
LOUDNESS_HZ = 100  # values of the waveform a second
FEW = 8  # clips that need no search


def pack(values: NDArray) -> str:
    """Encode an array's bytes, little-endian, as base64."""
    return base64.b64encode(np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"))).tobytes()).decode()


def pack_faces(faces: NDArray) -> str:
    """Encode landmarks (T, 68, 2) as steps of 1/8192; see the head of this module."""
    steps = np.clip(np.round(np.asarray(faces, np.float64) * QUANTUM), MISSING + 1, -MISSING - 1)
    return pack(np.where(np.isfinite(steps), steps, MISSING).astype(np.int16))


def waveform(samples: NDArray[np.int16], rate: int) -> NDArray[np.uint8]:
    """Return the largest magnitude of the samples (S,) in each hundredth of a second, 0-255 of the loudest."""
    step = max(1, rate // LOUDNESS_HZ)
    sizes = np.abs(samples.astype(np.int32))
    sizes = np.pad(sizes, (0, -len(sizes) % step)).reshape(-1, step).max(axis=1)
    return np.round(255 * sizes / max(1, sizes.max(initial=0))).astype(np.uint8)


def number(value: float, digits: int = 4) -> float | None:
    """Round a number for JSON, which has null for NaN."""
    return round(float(value), digits) if math.isfinite(value) else None


def openings(faces: NDArray) -> list[float | None]:
    """Return the mouth opening in each frame, percent of the outer-eye distance."""
    return [number(100 * value, 2) for value in mouth_opening(faces)]


def list_clips(faces: h5py.File, models: Sequence[str]) -> list[dict[str, Any]]:
    """List the clips with their measures, the worst first: mean lip error over the models that have one."""
    clips = []
    for clip, truth in faces.get("truth", {}).items():
        sound = faces[f"sound/{clip}"]
        attributes = [faces[f"prediction/{model}/{clip}"].attrs for model in models]
        errors = [number(each["lip_rmse"]) for each in attributes]
        known = [error for error in errors if error is not None]
        clips.append(
            {
                "clip": clip,
                "speaker": str(truth.attrs["speaker"]),
                "split": str(truth.attrs["split"]),
                "frames": film_frames(len(sound), int(sound.attrs["rate"])),
                "error": number(sum(known) / len(known)) if known else None,
                "errors": errors,
                "correlations": [number(each["opening_correlation"], 3) for each in attributes],
            }
        )
    return sorted(clips, key=lambda each: -math.inf if each["error"] is None else each["error"], reverse=True)


def show_clip(faces: h5py.File, films: Path, clip: str, models: Sequence[str]) -> dict[str, Any]:
    """Collect all that the page draws of a clip."""
    truth, sound = faces[f"truth/{clip}"][:], faces[f"sound/{clip}"]
    predictions = [faces[f"prediction/{model}/{clip}"][:] for model in models]
    with h5py.File(films / "landmarks.h5", "r") as file:
        landmarks, detected = file[f"{clip}/landmarks"][:], file[f"{clip}/detected"][:]
    return {
        "film": base64.b64encode((films / f"{clip}.mp4").read_bytes()).decode(),
        "landmarks": pack_faces(landmarks),
        "interpolated": np.flatnonzero(~detected).tolist(),
        "truth": pack_faces(truth),
        "predictions": [pack_faces(faces) for faces in predictions],
        "openings": [openings(each) for each in (truth, *predictions)],
        "waveform": pack(waveform(sound[:], int(sound.attrs["rate"]))),
        "seconds": number(len(sound) / int(sound.attrs["rate"])),
    }


def as_json(content: Mapping[str, Any]) -> Markup:
    """Write JSON that may stand in a script element, whatever the names in it are."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


def write_viewer(
    output: str | Path, *, faces: str | Path, films: str | Path, corpus: str, models: Sequence[str]
) -> None:
    """Write the viewer of clips.

    Parameters
    ----------
    output : path
        results/viewer.html.
    faces : path
        results/viewer/faces.h5, layout: `talkface.evaluation.shown_clips`.
    films : path
        results/viewer/sources/, layout: `talkface.films.viewer_clips`.
    corpus : str
    models : sequence of str
        In the order of the page, each with a prediction of each clip.
    """
    with h5py.File(faces, "r") as file:
        clips = list_clips(file, models)
        shown = (as_json(show_clip(file, Path(films), each["clip"], models)) for each in clips)
        index = {
            "fps": FPS,
            "quantum": QUANTUM,
            "missing": MISSING,
            "loudness_hz": LOUDNESS_HZ,
            "truth": INK,
            "models": [{"name": name, "colour": colour} for name, colour in colour_of(list(models)).items()],
            "clips": clips,
            "lines": [[list(indices), closed] for indices, closed in LINES.values()],
            "lips": {"all": LIPS, "outer": OUTER_LIP, "inner": INNER_LIP},
            "rest": np.round(load_template(), 4).tolist(),
        }
        page = find_template("viewer.html")
        content = {
            "corpus": corpus,
            "count": len(clips),
            "searchable": len(clips) > FEW,
            "style": read_assets(STYLE),
            "program": read_assets(PROGRAM),
            "index": as_json(index),
            "clips": shown,
        }
        with writing(output) as temporary, open(temporary, "w", encoding="utf-8") as stream:
            stream.writelines(page.generate(content))
    log.info("%s: %d clips, %d models, %.1f MB", output, len(clips), len(models), Path(output).stat().st_size / 1e6)
