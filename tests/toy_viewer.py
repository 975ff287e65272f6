"""What the viewer is written from, made up: a mouth that opens in known frames, films whose grey tells the frame."""

import h5py
import numpy as np
import soundfile

from talkface.media.encoding import encode
from talkface.report.viewer import write_viewer
from tests.toy_corpus import shapes

MODELS = ("talkface", "cnn")
FRAMES, SIZE, RATE = 40, 96, 16_000
# Lip errors of both models: c, b, a is the order by their mean.
ERRORS = {"a": (1.0, 1.5), "b": (2.0, 2.5), "c": (3.0, 4.0)}
SPEAKERS = {"a": "ada", "b": "bruno", "c": "</script><script>boom()</script>"}


def loudness(frames=FRAMES):
    """How far the mouth is open, (frames,): closed for ten frames, open for ten, and so on."""
    return (np.arange(frames) // 10 % 2).astype(float)


def grey(frame):
    """The grey of a film's frame, 0-255."""
    return 30 + 5 * frame


def film(path, *, frames=FRAMES, size=SIZE, rate=RATE):
    """A film of plain frames, each a little lighter than the one before, with a tone."""
    speech = path.with_suffix(".wav")
    soundfile.write(speech, 0.2 * np.sin(np.arange(frames * rate // 25) / 20), rate)
    pictures = (np.full((size, size, 3), grey(frame), np.uint8) for frame in range(frames))
    encode(pictures, path, size=(size, size), audio=speech, crf=12, g=12)
    speech.unlink()


def write_parts(folder, *, errors=ERRORS):
    """Write faces.h5 and sources/ under a folder: `talkface` is the truth, `cnn` never opens its mouth."""
    sources = folder / "sources"
    sources.mkdir(parents=True)
    truth, still = shapes(loudness()), shapes(0 * loudness())
    with h5py.File(folder / "faces.h5", "w") as faces, h5py.File(sources / "landmarks.h5", "w") as points:
        for clip, both in errors.items():
            faces[f"truth/{clip}"] = truth
            faces[f"truth/{clip}"].attrs.update(speaker=SPEAKERS.get(clip, "x"), split="test")
            faces[f"sound/{clip}"] = (8_000 * np.sin(np.arange(FRAMES * RATE // 25) / 20)).astype(np.int16)
            faces[f"sound/{clip}"].attrs["rate"] = RATE
            for model, error, prediction in zip(MODELS, both, (truth, still), strict=True):
                faces[f"prediction/{model}/{clip}"] = prediction
                told = {"lip_rmse": error, "opening_correlation": 0.9 if model == "talkface" else np.nan}
                faces[f"prediction/{model}/{clip}"].attrs.update(told, speaker=SPEAKERS.get(clip, "x"))
            points[f"{clip}/landmarks"] = (0.5 + 0.2 * truth).astype(np.float32)
            points[f"{clip}/detected"] = np.arange(FRAMES) != 3
            film(sources / f"{clip}.mp4")
    return folder / "faces.h5", sources


def write_page(folder, *, errors=ERRORS):
    """The page of these clips."""
    faces, films = write_parts(folder / "viewer", errors=errors)
    write_viewer(folder / "viewer.html", faces=faces, films=films, corpus="toy", models=MODELS)
    return folder / "viewer.html"
