"""The video of a clip, cropped around the face."""

from pathlib import Path

from talkface.errors import TalkfaceError
from talkface.face.measured import read_measured
from talkface.files import writing
from talkface.media.crop import face_crop
from talkface.media.encoding import encode, speech
from talkface.media.video import probe, read_frames

SOURCE = 480  # pixels, both ways, of the video cropped around the face


def crop_source(
    video: str | Path, output: str | Path, *, landmarks: str | Path, audio: str | Path, clip: str,
    start_s: float | None, end_s: float | None, size: int = SOURCE,
) -> None:  # fmt: skip
    """Write a clip's video at 25 fps, cropped around the face, with its sound; it lasts as long as the picture.

    Parameters
    ----------
    video : path
    output : path
        An mp4, H.264 and AAC.
    landmarks, audio : path
        The shard of the clip, results/landmarks/ and results/audio/.
    clip : str
    start_s, end_s : float or None
        Stretch of the video in seconds.
    size : int
        Pixels, both ways, even.

    Raises
    ------
    TalkfaceError
        If the video does not decode.
    """
    measured = read_measured(landmarks, clip)
    if not len(measured.landmarks):
        raise TalkfaceError(f"{clip}: no picture to crop: {measured.rejected}")
    crop = face_crop(measured.landmarks, width=measured.width, height=measured.height)
    frames = read_frames(probe(video), start_s=start_s, end_s=end_s, pixels="yuv420p", crop=crop, size=size)
    with speech(audio, clip, frames=len(measured.landmarks)) as wav, writing(output) as film:
        encode(frames, film, size=(size, size), audio=wav, pixels="yuv420p")
