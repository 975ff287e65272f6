"""Noise of evaluation: recordings of each kind gathered in one file.

results/evaluation/noise.h5: a group a kind (`KINDS`), in it a dataset a recording, (S,) int16 at 16 kHz; attributes of
each: `rate` (Hz) and `digest` (sha256 of the file it was made from; of several, separated by commas).

Every recording lasts 10 s or more (a shorter one is repeated), its long pauses are shortened, and its root mean square
is 20 dB below full scale (less where its peaks forbid). Babble is the sum of several talkers of one level each.

Axes: S samples at 16 kHz.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import h5py
import librosa
import numpy as np
from numpy.typing import NDArray

from talkface.conventions import FULL_SCALE
from talkface.errors import TalkfaceError
from talkface.files import digest, writing
from talkface.media.sound import read_blocks
from talkface.noise.evaluation_formulas import to_level
from talkface.noise.training_formulas import RATE

log = logging.getLogger(__name__)

KINDS = ("environment", "babble", "talker", "music", "white", "pink")
SECONDS = 20.0  # of babble
SHORTEST_S = 10.0
TALKERS = 5  # voices in babble: none can be followed, and the rhythm of syllables is still heard
FEWEST_TALKERS = 3
BABBLES = 4  # recordings of babble, of different voices
PAUSE_S = {"environment": 1.0, "talker": 0.3}  # longest that is kept
PAUSE_DB = 40.0  # below the loudest 128 ms: a pause
_JOINT_S = 0.02  # of cross-fade where a recording begins anew


def assemble_test_noise(
    output: str | Path,
    *,
    environment: Sequence[str | Path],
    speech: Sequence[str | Path],
    music: Sequence[str | Path],
    white: Sequence[str | Path],
    pink: Sequence[str | Path],
    seed: int = 0,
) -> None:
    """Gather the noise of an evaluation in one file, layout above.

    Parameters
    ----------
    output : path
    environment, music, white, pink : sequences of paths
        Sound files of any rate and number of channels; each becomes a recording.
    speech : sequence of paths
        One talker each. Those that last 10 s without their pauses are used; where they are fewer than `TALKERS`, the
        longest of the others are repeated.
    seed : int
        Chooses the talkers of each babble.

    Raises
    ------
    TalkfaceError
        If a file cannot be read or is silent, two of a kind have the same name, or there are too few talkers.
    """
    talkers = _choose_talkers({Path(path): _read(path, pause_s=PAUSE_S["talker"]) for path in speech})
    given = {"environment": environment, "music": music, "white": white, "pink": pink}
    with writing(output) as temporary, h5py.File(temporary, "w") as file:
        for kind in KINDS:
            group = file.create_group(kind)
            if kind == "talker":
                for path, samples in talkers.items():
                    _store(group, path.stem, samples, [path])
            elif kind == "babble":
                for number in range(1, BABBLES + 1):
                    rng = np.random.default_rng([seed, number])
                    chosen = sorted(rng.permutation(len(talkers))[:TALKERS])
                    paths = [list(talkers)[index] for index in chosen]
                    samples = make_babble([talkers[path] for path in paths], rng=rng)
                    _store(group, f"babble_{number}", samples, paths)
            else:
                for path in map(Path, given[kind]):
                    _store(group, path.stem, _read(path, pause_s=PAUSE_S.get(kind)), [path])
            log.info("%s: %d recordings", kind, len(group))


def _choose_talkers(speech: dict[Path, NDArray]) -> dict[Path, NDArray]:
    """Choose the talkers that last long enough, and the longest of the others where these are too few."""
    if len(speech) < FEWEST_TALKERS:
        raise TalkfaceError(
            f"evaluate.noise.speech: {len(speech)} sound files; babble needs {FEWEST_TALKERS} talkers or more; "
            "add recordings, or set null for talkers that are made by rules"
        )
    by_length = sorted(speech, key=lambda path: -len(speech[path]))
    long = sum(len(samples) >= SHORTEST_S * RATE for samples in speech.values())
    chosen = set(by_length[: max(TALKERS, long)])
    return {path: samples for path, samples in speech.items() if path in chosen}


def _read(path: str | Path, *, pause_s: float | None) -> NDArray[np.float64]:
    """Read samples (S,) of a file at 16 kHz, full scale 1, pauses cut to `pause_s` seconds (None: as they are)."""
    samples = np.concatenate(list(read_blocks(path, RATE))) / FULL_SCALE
    samples -= samples.mean()
    if not samples.any():
        raise TalkfaceError(f"{path}: digital silence; noise was expected; leave this recording out")
    return samples if pause_s is None else shorten_pauses(samples, longest_s=pause_s)


def shorten_pauses(samples: NDArray, *, longest_s: float) -> NDArray:
    """Drop from samples (S,) what is more than half of `longest_s` seconds away from any sound.

    What lies 40 dB under the loudest 128 ms counts as a pause (`librosa.effects.split`).
    """
    loud = librosa.effects.split(samples, top_db=PAUSE_DB)
    keep, margin = np.zeros(len(samples), bool), round(longest_s / 2 * RATE)
    for begin, end in loud:
        keep[max(0, begin - margin) : end + margin] = True
    return samples[keep]


def lengthen(samples: NDArray, size: int) -> NDArray:
    """Repeat samples (S,) until they are at least `size` long, cross-faded where they begin anew."""
    joint = min(round(_JOINT_S * RATE), len(samples) // 2)
    rising = np.sin(np.linspace(0, np.pi / 2, joint))
    whole = samples
    while len(whole) < size:
        seam = whole[len(whole) - joint :] * rising[::-1] + samples[:joint] * rising
        whole = np.concatenate([whole[: len(whole) - joint], seam, samples[joint:]])
    return whole


def make_babble(talkers: Sequence[NDArray], *, rng: np.random.Generator) -> NDArray:
    """Mix several talkers, (S,): each at the same root mean square, repeated, from a random start."""
    size = round(SECONDS * RATE)
    total = np.zeros(size)
    for samples in talkers:
        # Turned first: where a recording ends and begins people are silent, so that nothing clicks there.
        voice = lengthen(np.roll(samples, rng.integers(len(samples))), size)[:size]
        total += voice / np.sqrt(np.square(voice).mean())
    return total


def _store(group: h5py.Group, name: str, samples: NDArray, paths: Sequence[Path]) -> None:
    if name in group:
        raise TalkfaceError(f"{paths[0]}: another recording of {group.name[1:]} has the same stem; rename one of them")
    data = group.create_dataset(name, data=to_level(lengthen(samples, round(SHORTEST_S * RATE))))
    data.attrs.update(rate=RATE, digest=",".join(digest(path) for path in paths))
