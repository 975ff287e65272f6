"""Speech synthesis by espeak-ng, with the time of every phoneme.

espeak-ng (GPL-3) comes as a library with the wheel espeakng-loader and is called through ctypes. What it says depends
on what the process said before, so every utterance is spoken by a process of its own: `speak` starts this module.
"""

import ctypes
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from talkface.errors import TalkfaceError
from talkface.media.phoneme import Phoneme

# From espeak-ng's speak_lib.h (1.52)
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_PHONEME_EVENTS, _INITIALIZE_PHONEME_IPA, _INITIALIZE_DONT_EXIT = 0x1, 0x2, 0x8000
_CHARS_UTF8 = 1
_POS_CHARACTER = 1
_PARAMETER_RATE = 1
_EVENT_PHONEME = 7
_OK = 0
_TIMEOUT_S = 60  # a sentence takes a tenth of a second


@dataclass(frozen=True)
class Utterance:
    """Audio (S,) int16 mono at `rate`, and its phonemes in order."""

    audio: NDArray[np.int16]
    rate: int
    phonemes: list[Phoneme]


def speak(text: str, *, voice: str, rate_wpm: int = 160) -> Utterance:
    """Speak a text in a process of its own.

    Parameters
    ----------
    text : str
        What to say.
    voice : str
        A language of espeak-ng with an optional variant, such as "en-us+f3".
    rate_wpm : int
        Words a minute, 80-450.

    Raises
    ------
    TalkfaceError
        If there is no such voice or variant, or the text gives no sound.
    """
    order = json.dumps({"text": text, "voice": voice, "rate_wpm": rate_wpm})
    scripts = str(Path(__file__).resolve().parents[2])
    code = f"import sys; sys.path.insert(0, {scripts!r}); from talkface.media import espeak; espeak.main()"
    done = subprocess.run(
        [sys.executable, "-c", code], input=order.encode(), capture_output=True, timeout=_TIMEOUT_S, check=False
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit status {done.returncode}"]
        raise TalkfaceError(f"voice {voice!r}: {said[-1]}")
    head, _, body = done.stdout.partition(b"\n")
    head_of = json.loads(head)
    return Utterance(
        np.frombuffer(body, np.int16).copy(), head_of["rate"], [Phoneme(*phoneme) for phoneme in head_of["phonemes"]]
    )


def main() -> None:
    """Speak the order on standard input (JSON); write a line of JSON, then the samples, to standard output."""
    order = json.loads(sys.stdin.buffer.read())
    try:
        utterance = _synthesize(order["text"], voice=order["voice"], rate_wpm=order["rate_wpm"])
    except TalkfaceError as error:
        sys.exit(str(error))
    phonemes = [[p.name, p.start_s, p.end_s, p.stressed] for p in utterance.phonemes]
    sys.stdout.buffer.write(json.dumps({"rate": utterance.rate, "phonemes": phonemes}).encode() + b"\n")
    sys.stdout.buffer.write(utterance.audio.tobytes())


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # milliseconds
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


def _synthesize(text: str, *, voice: str, rate_wpm: int) -> Utterance:
    import espeakng_loader

    data = Path(espeakng_loader.get_data_path())
    variant = voice.partition("+")[2]
    # The library takes an unknown variant for none and reports no error.
    if variant and not (data / "voices" / "!v" / variant).is_file():
        raise TalkfaceError(f"espeak-ng has no variant {variant!r}; see the names in its folder voices/!v")
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    options = _INITIALIZE_PHONEME_EVENTS | _INITIALIZE_PHONEME_IPA | _INITIALIZE_DONT_EXIT
    rate = library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, str(data).encode(), options)
    if rate <= 0:
        raise TalkfaceError(f"espeak-ng did not start (it returned {rate}); reinstall espeakng-loader")
    library.espeak_ng_SetRandSeed(ctypes.c_long(1))  # breath of a voice is drawn, by the time of day unless told

    samples: list[NDArray[np.int16]] = []
    marks: list[tuple[float, str]] = []
    callback_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))

    @callback_type
    def receive(wave: "ctypes._Pointer[ctypes.c_short]", count: int, events: "ctypes._Pointer[_Event]") -> int:
        if wave and count > 0:
            samples.append(np.ctypeslib.as_array(wave, (count,)).astype(np.int16))
        index = 0
        while events[index].type:  # the list ends with type 0
            event = events[index]
            if event.type == _EVENT_PHONEME:
                name = bytes(event.id.string).split(b"\0")[0].decode("utf-8", errors="ignore")
                marks.append((event.audio_position / 1000, name))
            index += 1
        return 0

    library.espeak_SetSynthCallback(receive)
    # An unknown language returns 2 and is spoken in another one all the same.
    status = library.espeak_SetVoiceByName(voice.encode())
    if status != _OK:
        raise TalkfaceError(f"espeak-ng refused this voice (status {status}); `espeak-ng --voices` lists them")
    status = library.espeak_SetParameter(_PARAMETER_RATE, rate_wpm, 0)
    if status != _OK:
        raise TalkfaceError(f"espeak-ng refused the rate {rate_wpm} (status {status}); give 80-450 words a minute")
    line = text.encode() + b"\0"
    status = library.espeak_Synth(line, len(line), 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None)
    if status == _OK:
        status = library.espeak_Synchronize()
    if status != _OK:
        raise TalkfaceError(f"espeak-ng failed on {text!r} (status {status})")
    audio = np.concatenate(samples) if samples else np.zeros(0, np.int16)
    if not audio.any():
        raise TalkfaceError(f"espeak-ng made no sound of {text!r}; give a text with words")
    return Utterance(audio, rate, _phonemes(marks, end_s=len(audio) / rate))


def _phonemes(marks: list[tuple[float, str]], *, end_s: float) -> list[Phoneme]:
    """Make phonemes of (start, name) in order: each lasts until the next, and the ends of the audio are pauses."""
    phonemes = []
    if not marks or marks[0][0] > 0:
        marks = [(0.0, ""), *marks]
    for (start, name), (end, _) in zip(marks, [*marks[1:], (end_s, "")], strict=True):
        if end > start:
            plain = name.replace("ˈ", "").replace("ˌ", "")
            phonemes.append(Phoneme(plain, start, end, "ˈ" in name))
    return phonemes


if __name__ == "__main__":
    main()
