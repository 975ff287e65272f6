"""Library functions: a model from its name or file, a face from speech, a film from a face.

They are handed out by `talkface` itself, which loads this module (and with it torch) when one of them is asked for.

Axes: T frames at 25 fps, S samples, 68 iBUG landmarks, D coordinates (2 or 3).
"""

import contextlib
import importlib.util
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from talkface.config import known
from talkface.conventions import FPS, VOICE_MODEL
from talkface.errors import TalkfaceError
from talkface.face.shape_files import find_shape_files
from talkface.face3d.weights import weights_of
from talkface.media.sound import frames_of
from talkface.models.base import BaseNetwork
from talkface.models.devices import choose_device
from talkface.models.registry import network_class, network_names
from talkface.prediction.streaming import Stream, predict_samples, predict_sound
from talkface.training.importing import Source, open_weights, read_weights

__all__ = ["Stream", "animate", "landmarks", "load_model", "predict", "talking_head", "weights"]

# Weights that come along: in an installed package beside this module, in a clone in resources/models/.
SHIPPED = (Path(__file__).parent / "weights", Path(__file__).resolve().parents[3] / "resources" / "models")
# What the extras of the package bring, by an import that only they serve.
EXTRAS = {"films": ("cv2", "ffmpeg", "av"), "landmarks": ("dlib", "face_recognition_models", "cv2", "ffmpeg", "av")}


def shipped_models() -> dict[str, Path]:
    """Find the weights that come along, by name."""
    return {path.stem: path for folder in reversed(SHIPPED) for path in sorted(folder.glob("*.pt"))}


def load_model(
    model: str | Path = VOICE_MODEL,
    *,
    shape_model: str | Path | Mapping[str, str | Path] | None = None,
    device: str = "cpu",
    **arguments: Any,
) -> BaseNetwork:
    """Load a model, ready to predict.

    Parameters
    ----------
    model : str or path
        Name of weights that come along (`talkface_voice` of real people, `talkface_demo` of drawn ones), or a file: a
        weights.pt of this project, an .h5 of Eskimez et al. 2018, a state dict of Eskimez et al. 2020; or the folder of
        a weights.pt.
    shape_model : path or mapping, optional
        Of a state dict of 2020: the folder of its mean_shape.npy, eigen_vectors.npy, mean.npy and tcboost.npy, or these
        files by mean, components, template, boosts. By default the folder of the state dict.
    device : {"cpu", "cuda", "auto"}
    **arguments
        Of the network, where a file of another project does not decide them, as `delay=1` of Eskimez et al. 2018; by
        default as they were published.

    Returns
    -------
    BaseNetwork
        A torch module in eval mode; `rate` is the rate it listens at, Hz.

    Raises
    ------
    TalkfaceError
        If there is no such model, or its files do not fit each other.

    Examples
    --------
    >>> import talkface
    >>> talkface.load_model("talkface_voice").rate
    16000
    """
    path = _find_weights(model)
    source = read_weights(path)
    block: dict[str, Any] = {"network": _network_of(source), "arguments": arguments}
    if source.kind != "own":
        published = network_class(block["network"]).PUBLISHED.get("arguments", {})
        block["arguments"] = published | arguments
    if shape_model is not None or source.kind == "torch":
        files = path.parent if shape_model is None else shape_model
        block["shape_model"] = dict(files) if isinstance(files, Mapping) else find_shape_files(files)
    network = open_weights(source, block, model=str(model)).network
    return network.to(choose_device(device)).eval()


def _find_weights(model: str | Path) -> Path:
    names = shipped_models()
    if str(model) in names:
        return names[str(model)]
    path = Path(model) / "weights.pt" if Path(model).is_dir() else Path(model)
    if not path.is_file():
        raise TalkfaceError(
            f"{model}: neither a file of weights nor a model that comes along; {known(str(model), list(names))}"
        )
    return path


def _network_of(source: Source) -> str:
    if source.kind == "own":
        return str(source.content["network"])
    takers = [name for name in network_names() if hasattr(network_class(name), f"from_{source.kind}")]
    return takers[0]


def predict(
    model: BaseNetwork, sound: str | Path | ArrayLike, *, rate: int | None = None, seed: int = 0, progress: bool = False
) -> NDArray[np.float32]:
    """Predict the landmarks of a face that says what is heard.

    Parameters
    ----------
    model : BaseNetwork
        From `load_model`.
    sound : path or (S,) array
        A file of any rate and length (wav, flac and what else libsndfile reads; for others, and for videos, the extra
        `films`), or samples: floats in [-1, 1] or int16, one channel.
    rate : int, optional
        Hz, of samples.
    seed : int
        For models that draw while they predict.
    progress : bool
        Show a bar, of a file.

    Returns
    -------
    (T, 68, D) float32 array
        Template frame: outer eye corners 1 apart, origin midway between them, x to the right of the picture, y down.
        25 frames a second, the first at the first sample.

    Raises
    ------
    TalkfaceError
        If the sound cannot be read, is empty, or holds samples that are no numbers.

    Examples
    --------
    >>> import talkface
    >>> model = talkface.load_model("talkface_voice")
    >>> talkface.predict(model, np.zeros(16_000), rate=16_000).shape  # one second
    (26, 68, 2)
    """
    device = next(model.parameters()).device
    if isinstance(sound, str | Path):
        with _readable(sound) as path:
            frames, chunks = predict_sound(model, path, seed=seed, device=device)
            faces = [np.zeros((0, 68, model.coordinates), np.float32)]
            with _bar("predicting", frames, progress) as bar:
                for chunk in chunks:
                    faces.append(chunk)
                    bar.update(len(chunk))
            return np.concatenate(faces)
    if rate is None:
        raise TalkfaceError("samples without a rate; give rate=, in Hz")
    samples = np.asarray(sound)
    if samples.ndim != 1 or not len(samples) or not np.isfinite(samples).all():
        raise TalkfaceError(f"samples of shape {samples.shape}: one channel of finite numbers was expected")
    return predict_samples(model, samples, rate=rate, seed=seed, device=device)


def weights(face: ArrayLike) -> NDArray[np.float32]:
    """Find ARKit's 52 weights of a face.

    Parameters
    ----------
    face : (T, 68, 2 or 3) array
        From `predict`.

    Returns
    -------
    (T, 52) float32 array
        0 .. 1, in the order of `talkface.face3d.arkit.NAMES`, which is Live Link Face's; tongueOut is 0.

    Raises
    ------
    TalkfaceError
        If these are no faces.

    Examples
    --------
    >>> import talkface
    >>> model = talkface.load_model("talkface_voice")
    >>> talkface.weights(talkface.predict(model, np.zeros(16_000), rate=16_000)).shape
    (26, 52)
    """
    return weights_of(face)


def animate(
    face: ArrayLike, sound: str | Path, output: str | Path, *, style: str = "shaded", size: int = 1000,
    blink: bool = True, seed: int = 0, progress: bool = False,
) -> None:  # fmt: skip
    """Write a film of a face with its speech.

    Parameters
    ----------
    face : (T, 68, 2 or 3) array
        From `predict`.
    sound : path
        The speech; any file of sound, or a video.
    output : path
        An .mp4 (H.264, AAC), or a .gif; an existing file is replaced when the film is finished.
    style : {"shaded", "flat"}
    size : int
        Pixels, both ways, even.
    blink : bool
        Let the eyes blink at random times.
    seed : int
        Of those times and of the strands of hair.
    progress : bool
        Show a bar.

    Raises
    ------
    TalkfaceError
        If the extra `films` is not installed, the face or the sound cannot be used, or ffmpeg fails.

    Examples
    --------
    >>> import tempfile, talkface
    >>> from talkface.media.espeak import speak
    >>> model = talkface.load_model("talkface_voice")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     hello, film = Path(folder) / "hello.wav", Path(folder) / "hello.mp4"
    ...     said = speak("Hello.", voice="en-us+f3")
    ...     soundfile.write(hello, said.audio, said.rate)
    ...     talkface.animate(talkface.predict(model, hello), hello, film, size=200)
    ...     film.stat().st_size > 1_000
    True
    """
    _need("films", "films")
    from talkface.films import animation, gif  # with OpenCV, of the extra

    shapes = np.asarray(face, np.float64)
    if shapes.ndim != 3 or shapes.shape[1:2] != (68,) or shapes.shape[2] not in (2, 3) or not len(shapes):
        raise TalkfaceError(f"a face of shape {shapes.shape}: (T, 68, 2) or (T, 68, 3) was expected, from predict")
    if not np.isfinite(shapes).all():
        raise TalkfaceError("a face with NaN or infinite coordinates; finite ones were expected; predict it again")
    shapes = shapes[..., :2]
    with _readable(sound) as audio:
        options: dict[str, Any] = {"style": style, "size": size, "blink": blink, "seed": seed}
        if Path(output).suffix.lower() == ".gif":
            gif.write_gif(gif.resample(shapes, frames_of(audio, fps=gif.GIF_FPS)), output, **options)
        else:
            animation.animate(shapes, output, audio=audio, progress=progress, **options)


def talking_head(
    videos: str | Path | Sequence[str | Path], sound: str | Path, output: str | Path, *, face_model: str | Path,
    person: str | Path | None = None, face: str | Path | None = None, how: str = "ridge", pose: str = "video",
    picture: str = "real", mark: bool = False,
) -> None:  # fmt: skip
    """Write a film of a filmed person who speaks new audio. Ask whoever is seen before.

    Parameters
    ----------
    videos : path or sequence of paths
        Of one person: 12 s or more in sum are good, 6 s are needed.
    sound : path
        The speech; any file of sound, or a video.
    output : path
        An .mp4 (H.264, AAC) of the whole frame, which says in its metadata that it is synthetic.
    face_model : path
        An .npz of ICT-FaceKit; `snakemake resources/face_models/ict_facekit.npz` makes it.
    person : path, optional
        A folder that keeps what is known of the person, for further speech; what is there already is taken.
    face : path, optional
        An .mp4 of the face alone besides, 256 x 256.
    how : {"ridge", "gru", "atc"}
        How the mouth follows the sound: by regression, a small network, or the published one, which takes long.
    pose : {"video", "matched", "key_poses"}
        Frames behind the speech: as filmed, forwards and backwards; those whose head turns as the sound has it turn;
        the same as Yi et al. 2020 match it.
    picture : {"real", "mesh"}
        The person's own mouths, or a textured head as published.
    mark : bool
        Write on the picture that it is synthetic.

    Raises
    ------
    TalkfaceError
        If the extra `landmarks` is not installed, the videos will not do, or the sound cannot be read.
    """
    _need("landmarks", "talking heads")
    from talkface.face3d.records import Stretch
    from talkface.head import whole  # with OpenCV and dlib, of the extra

    if not Path(face_model).is_file():
        raise TalkfaceError(f"{face_model}: there is no such file; a face model (.npz of ICT-FaceKit) was expected")
    given = [videos] if isinstance(videos, str | Path) else list(videos)
    stretches, voice = [Stretch(video) for video in given], shipped_models()[VOICE_MODEL]
    with tempfile.TemporaryDirectory() as temporary, _readable(sound) as audio:
        folder = Path(temporary) / Path(given[0]).stem if person is None else Path(person)
        whole.prepare(stretches, folder, face_model=face_model, voice=voice, kind=how)
        for view, film in (("full", output), ("face", face)):
            if film is not None:
                whole.speak(
                    folder, audio, film, videos=stretches, face_model=face_model, voice=voice, pose=pose,
                    picture=picture, view=view, mark=mark,
                )  # fmt: skip


def landmarks(
    video: str | Path, *, start_s: float | None = None, end_s: float | None = None, detector: str = "dlib",
    progress: bool = False,
) -> NDArray[np.float32]:  # fmt: skip
    """Find the landmarks of the face in a video.

    Parameters
    ----------
    video : path
    start_s, end_s : float, optional
        Stretch of the video in seconds.
    detector : {"dlib", "mesh"}
        Whose eyes: dlib's 68 points, or Google's face mesh, whose lips close and which sees faces at any tilt.
    progress : bool
        Show a bar.

    Returns
    -------
    (T, 68, 2) float32 array
        Pixels of the upright source; 25 frames a second, gaps of up to five frames filled.

    Raises
    ------
    TalkfaceError
        If the extra `landmarks` is not installed, the video does not decode, or too many frames show no face.
    """
    _need("landmarks", "landmarks")
    from talkface.face.detection import find_tracking  # with dlib, of the extra
    from talkface.media.video import probe, read_frames

    tracking = find_tracking(detector)
    media = probe(video)
    frames = read_frames(media, start_s=start_s, end_s=end_s, pixels=tracking.pixels)
    with _bar("looking", round(media.duration_s * FPS), progress, of=frames) as bar:
        track = tracking.track(bar)
    if track.rejected:
        raise TalkfaceError(f"{video}: {track.rejected}")
    return track.landmarks


def _bar(what: str, frames: int, shown: bool, *, of: Iterator[NDArray] | None = None) -> tqdm:
    return tqdm(of, total=frames, desc=what, unit="frame", file=sys.stderr, disable=not shown)


@contextlib.contextmanager
def _readable(sound: str | Path) -> Iterator[Path]:
    """Give a file that libsndfile reads: the sound itself, or else what ffmpeg makes of it, for a while."""
    path = Path(sound)
    if not path.is_file():
        raise TalkfaceError(f"{path}: there is no such file; speech was expected; correct the path")
    try:
        # A recorder that lost its power leaves a head that says that nothing follows; ffmpeg reads on.
        readable = bool(soundfile.info(str(path)).frames) or bool(_missing("films"))
    except soundfile.LibsndfileError:
        _need("films", f"{path.suffix or 'such'} files")
        readable = False
    if readable:
        yield path
        return
    from talkface.media.audio import extract_wav  # with ffmpeg, of the extra

    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "sound.wav"
        extract_wav(path, wav, rate=None, as_float=True)
        yield wav


def _missing(extra: str) -> list[str]:
    """Return the libraries of an extra that are not installed."""
    return [name for name in EXTRAS[extra] if importlib.util.find_spec(name) is None]


def _need(extra: str, what: str) -> None:
    """Raise a TalkfaceError if a library of an extra is missing."""
    missing = _missing(extra)
    if missing:
        raise TalkfaceError(
            f"{what} need {', '.join(missing)}, which is not installed; install it: pip install 'talkface[{extra}]'"
        )
