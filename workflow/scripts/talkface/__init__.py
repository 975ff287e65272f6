"""A face that speaks from audio alone: load a model, predict landmarks from speech, draw a film.

    import talkface
    model = talkface.load_model("talkface_voice")
    face = talkface.predict(model, "hello.wav")
    talkface.animate(face, "hello.wav", "hello.mp4")

Importing the package loads nothing; its functions load what they need when they are asked for (PEP 562).
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from talkface.api import animate, landmarks, load_model, predict, talking_head, weights
    from talkface.errors import TalkfaceError
    from talkface.prediction.streaming import Stream

__version__ = "0.2.0"
__all__ = ["Stream", "TalkfaceError", "__version__", "animate", "landmarks", "load_model", "predict",
           "talking_head", "weights"]  # fmt: skip
_HOMES = dict.fromkeys(
    ("Stream", "animate", "landmarks", "load_model", "predict", "talking_head", "weights"), "talkface.api"
)
_HOMES["TalkfaceError"] = "talkface.errors"


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
