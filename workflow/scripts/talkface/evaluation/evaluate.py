"""Measures of every clip, clean and in noise, with floors and ceilings.

Tables of clips, tab-separated: results/evaluation/clips/{model}.tsv, and floors.tsv, a row a clip, condition and
control.

| column | holds |
|---|---|
| model | entry of the catalogue, external-<name>, or one of the floors and ceilings |
| corpus, split, clip, speaker | on what |
| detector | whose landmarks the truth is: dlib, mesh |
| phones | how it is known what is said when: marks, words, recognised (`corpus.phones`); where it is not, why |
| condition | of the sound: clean, or a kind of noise |
| snr_db | ratio of speech to noise, dB; nothing when clean |
| control | nothing; shuffled: frames in random order; other_audio: the prediction from another clip's sound |
| lip_rmse and others | the measures of `evaluation.metrics`; nothing where not defined |

Floors and ceilings, clean alone, stand in floors.tsv: see `evaluation.floors`.

Each mixture of a clip, a kind of noise and a ratio draws from a seed of its own, so that all models are given the same.
"""

import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from talkface.conventions import FULL_SCALE
from talkface.corpus.phones import read_phones
from talkface.errors import TalkfaceError
from talkface.evaluation import leaks, metrics
from talkface.evaluation.articulation import Spoken, spoken_in
from talkface.evaluation.rooms import BELOW_DB, Plan, Rooms, add_rooms, look_into
from talkface.evaluation.tables import CLEAN, KEYS, write_table
from talkface.face.shape_model import ShapeModel
from talkface.models.checkpoint import learnt_by, load_network
from talkface.models.devices import choose_device
from talkface.noise.mixing import TestNoises, active_level, add_noise, seed_of, to_rate
from talkface.prediction.streaming import predict_samples
from talkface.training.dataset import (
    move_earlier,
    read_corpus,
    read_corrections,
    read_detector,
    read_part,
    read_rates,
    read_shape_model,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Material:
    """A clip that predictions are measured on: its true shapes and its sound.

    Attributes
    ----------
    clip, speaker, split : str
    truth : (T, 68, 2) array
        Template frame.
    samples : (S,) int16 array
        The master, moved in time as in the dataset.
    rate : int
        Hz.
    loudness : (T,) array
        dB, see `metrics.frame_loudness`.
    spoken : Spoken
        When the sounds that need lips are spoken; empty where that is not known.
    """

    clip: str
    speaker: str
    split: str
    truth: NDArray
    samples: NDArray
    rate: int
    loudness: NDArray
    spoken: Spoken = field(default_factory=Spoken)

    @property
    def sound(self) -> NDArray[np.float64]:
        """The samples (S,) where full scale is 1."""
        return self.samples / FULL_SCALE


def read_material(
    dataset: str | Path, split: str, *, audio: Sequence[str | Path], phones: Sequence[str | Path] = ()
) -> list[Material]:
    """Read the clips of a split.

    Parameters
    ----------
    dataset : path
        results/dataset/{corpus}.h5.
    split : str
    audio : sequence of paths
        results/audio/{shard}.h5, which hold the masters of these clips at least.
    phones : sequence of paths
        results/phones/{shard}.tsv; clips that are in none have no phones.

    Raises
    ------
    TalkfaceError
        If the sound of a clip is missing.
    """
    part = read_part(dataset, split, rate=read_rates(dataset)[0])
    masters: dict[str, tuple[NDArray, int]] = {}
    for path in audio:
        with h5py.File(path, "r") as file:
            masters |= {clip: (file[clip][:], int(file[clip].attrs["rate"])) for clip in part.clips if clip in file}
    found, spoken, moved_ms = [], spoken_in(read_phones(phones)), read_corrections(dataset)
    for index, (clip, speaker) in enumerate(zip(part.clips, part.speakers, strict=True)):
        if clip not in masters:
            raise TalkfaceError(
                f"{dataset}: no sound of {clip} in results/audio; its master was expected; assemble the dataset again"
            )
        (samples, rate), truth = masters[clip], part.shape_of(index)
        samples = move_earlier(samples, moved_ms[clip], rate=rate)
        loudness = metrics.frame_loudness(samples, rate=rate, frames=len(truth))
        said = spoken.get(clip, Spoken()).earlier(moved_ms[clip] / 1000)
        found.append(Material(clip, speaker, split, truth, samples, rate, loudness, said))
    return found


class Table:
    """A table of clips, filled row by row.

    Parameters
    ----------
    model, corpus, detector : str
    shape_model : ShapeModel
        Of the training frames.
    """

    def __init__(self, *, model: str, corpus: str, detector: str, shape_model: ShapeModel):
        self.model, self.corpus, self.detector, self.shape_model = model, corpus, detector, shape_model
        self.rows: list[dict[str, Any]] = []

    @classmethod
    def of(cls, dataset: str | Path, *, model: str) -> "Table":
        """Begin a table of a model on a dataset, results/dataset/{corpus}.h5."""
        return cls(
            model=model,
            corpus=read_corpus(dataset),
            detector=read_detector(dataset),
            shape_model=read_shape_model(dataset),
        )

    def add(
        self,
        item: Material,
        prediction: ArrayLike,
        *,
        model: str | None = None,
        condition: str = CLEAN,
        snr_db: float = float("nan"),
        control: str = "",
        rooms: Rooms | None = None,
    ) -> None:
        """Measure a prediction (T, 68, 2 or 3) of a clip, and what was predicted in rooms, if that is known."""
        where = (self.corpus, self.detector, item.split, item.clip, item.speaker, item.spoken.source)
        keys = (model or self.model, *where, condition, snr_db, control)
        known = {"loudness": item.loudness, "shape_model": self.shape_model, "spoken": item.spoken, "rooms": rooms}
        measured = metrics.measure_all(prediction, item.truth, **known)
        self.rows.append(dict(zip(KEYS, keys, strict=True)) | measured)

    def add_clean(
        self,
        material: Sequence[Material],
        predictions: Sequence[NDArray],
        *,
        seed: int,
        rooms: Sequence[Rooms | None] | None = None,
    ) -> None:
        """Measure the predictions from clean sound of all clips of a split, and their controls."""
        for index, (item, prediction) in enumerate(zip(material, predictions, strict=True)):
            generator = np.random.default_rng(seed_of(seed, item.clip, "shuffled"))
            self.add(item, prediction, rooms=rooms[index] if rooms else None)
            self.add(item, metrics.shuffled(prediction, generator), control="shuffled")
            other = find_other([each.speaker for each in material], index)
            if other is not None:
                self.add(item, predictions[other], control="other_audio")

    def write(self, output: str | Path) -> None:
        """Write what was measured."""
        write_table(pd.DataFrame(self.rows, columns=[*KEYS, *metrics.MEASURES]), output)
        log.info("%s: %d rows of %s", output, len(self.rows), self.model)


def find_other(speakers: Sequence[str], index: int) -> int | None:
    """Return the index of another clip, for the control: the next of another speaker, else the next.

    None where there is no other clip.

    Examples
    --------
    >>> find_other(["anna", "anna", "ben"], 0)
    2
    """
    following = [*range(index + 1, len(speakers)), *range(index)]
    others = [other for other in following if speakers[other] != speakers[index]]
    return next(iter(others or following), None)


def mixtures(
    material: Iterable[Material], noises: TestNoises, *, snr_db: Sequence[float], seed: int
) -> Iterator[tuple[Material, str, float, NDArray]]:
    """Mix each clip with each kind of noise at each ratio; yield clip, kind, dB, and the sound (S,) at its own rate."""
    for item in material:
        sound = item.sound
        level = active_level(sound, item.rate)
        for kind in noises.kinds:
            for snr in snr_db:
                generator = np.random.default_rng(seed_of(seed, item.clip, kind, f"{snr:g}"))
                noise = noises.cut(kind, samples=len(sound), rate=item.rate, generator=generator)
                yield item, kind, snr, add_noise(sound, noise, snr_db=snr, level_db=level)


def in_rooms(material: Iterable[Material], noises: TestNoises, *, seed: int) -> Iterator[tuple[Plan, NDArray]]:
    """Put each clip into rooms with a kind of noise, drawn, all through; yield the plan, and its sound (S,)."""
    for item in material:
        plan = add_rooms(item.sound, metrics.relative_loudness(item.loudness), rate=item.rate)
        generator = np.random.default_rng(seed_of(seed, item.clip, "rooms"))
        kind = generator.choice(sorted(noises.kinds))
        noise = noises.cut(kind, samples=len(plan.sound), rate=item.rate, generator=generator)
        level = active_level(item.sound, item.rate)
        yield plan, add_noise(plan.sound, noise, snr_db=BELOW_DB, level_db=level)


def ratios(bounds: Sequence[float]) -> list[float]:
    """Return the ratios from bounds[0] to bounds[1] in steps of bounds[2], dB; raise a TalkfaceError if there are none.

    Examples
    --------
    >>> ratios([-10, 30, 20])
    [-10.0, 10.0, 30.0]
    """
    if len(bounds) != 3 or bounds[1] < bounds[0] or bounds[2] <= 0:
        raise TalkfaceError(
            f"config, evaluate.snr_db: {list(bounds)} holds no value; [lowest, highest, step] was expected, as in "
            "[-10, 30, 5]"
        )
    lowest, highest, step = bounds
    return [float(value) for value in np.arange(lowest, highest + step / 1e3, step)]


def evaluate_model(
    dataset: str | Path,
    output: str | Path,
    *,
    audio: Sequence[str | Path],
    phones: Sequence[str | Path],
    noise: str | Path,
    training_noise: Sequence[str | Path],
    sheet: str | Path,
    weights: str | Path,
    model: str,
    splits: Sequence[str],
    split_by: str,
    snr_db: Sequence[float],
    seed: int,
    threads: int = 1,
    device: str = "auto",
) -> None:
    """Write the measures of one trained model, a row a clip and condition.

    Parameters
    ----------
    dataset : path
        results/dataset/{corpus}.h5, whose shapes are the truth.
    output : path
        results/evaluation/clips/{model}.tsv.
    audio : sequence of paths
        results/audio/{shard}.h5 of the clips.
    phones : sequence of paths
        results/phones/{shard}.tsv of the clips.
    noise : path
        results/evaluation/noise.h5.
    training_noise : sequence of paths
        The file of noise the model was trained with, if any; it must share no recording.
    sheet : path
    weights : path
    model : str
        Name of the entry.
    splits : sequence of str
    split_by : {"speaker", "clip"}
        What the splits must not share, see `leaks.check_splits`.
    snr_db : (lowest, highest, step)
        dB.
    seed : int
        Of the mixtures, of the control, and of networks that draw while predicting.
    threads : int
        Of the CPU.
    device : str
        "auto", "cpu" or "cuda".

    Raises
    ------
    TalkfaceError
        If the splits share a recording or a speaker, or the noise is known from training.
    """
    torch.set_num_threads(threads)
    leaks.check_splits(dataset, sheet=sheet, split_by=split_by)
    leaks.check_noise(noise, training=training_noise, dataset=dataset, model=model)
    chosen = choose_device(device)
    network = load_network(weights).to(chosen)
    table, learnt = Table.of(dataset, model=model), learnt_by(weights)
    if learnt and learnt != table.detector:
        log.warning(
            "%s: learnt from faces as %s sees them, and is measured by those of %s; they differ in amplitude, so that "
            "only correlations and skill compare",
            model,
            learnt,
            table.detector,
        )
    noises, steps = TestNoises(noise), ratios(snr_db)

    def predict(sound: NDArray, rate: int) -> NDArray:
        return predict_samples(network, to_rate(sound, rate, network.rate), seed=seed, device=chosen)

    for split in splits:
        material = read_material(dataset, split, audio=audio, phones=phones)
        clean = [predict(item.sound, item.rate) for item in material]
        rooms = [
            look_into(plan, predict(sound, item.rate), faces)
            for (plan, sound), item, faces in zip(in_rooms(material, noises, seed=seed), material, clean, strict=True)
        ]
        table.add_clean(material, clean, seed=seed, rooms=rooms)
        total = len(material) * len(noises.kinds) * len(steps)
        mixed = mixtures(material, noises, snr_db=steps, seed=seed)
        bar = tqdm(mixed, total=total, desc=f"{model}, {split}", unit="mixture", mininterval=2.0, file=sys.stderr)
        for item, kind, snr, sound in bar:
            table.add(item, predict(sound, item.rate), condition=kind, snr_db=snr)
    table.write(output)
