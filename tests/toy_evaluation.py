"""What an evaluation needs beside a dataset, made up: masters, a sheet, noises, shapes that were detected again."""

import h5py
import numpy as np
import pandas as pd

from talkface.corpus.phones import COLUMNS
from talkface.training.dataset import read_index, read_part, read_rates

NOISE_RATE = 16_000
PHONES = ("B", "UW", "F")  # of every clip, from 0.2 s on, 0.1 s each


def write_noise(path, kinds=("babble", "white"), *, seconds=4.0):
    """A file of noises: two recordings a kind, of one level."""
    generator = np.random.default_rng(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for kind in kinds:
            for name in ("one", "two"):
                samples = 3_000 * generator.standard_normal(int(seconds * NOISE_RATE))
                data = file.create_dataset(f"{kind}/{name}", data=samples.clip(-32_768, 32_767).astype(np.int16))
                data.attrs.update(rate=NOISE_RATE, digest=f"noise-{kind}-{name}")
    return path


def write_surroundings(folder, dataset, *, splits=("test",)):
    """Write results/audio and results/evaluation/ of the clips of these splits, and sheet.tsv of all, into a folder.

    Gives the keywords that evaluations share.
    """
    results = folder / "results"
    rate = max(rate for rate in read_rates(dataset) if rate <= 44_100)
    (results / "audio").mkdir(parents=True, exist_ok=True)
    for name in ("evaluation/detector", "phones"):
        (results / name).mkdir(parents=True, exist_ok=True)
    audio, detector, phones = [], [], []
    for split in splits:
        part = read_part(dataset, split, rate=rate)
        for index, clip in enumerate(part.clips):
            audio.append(results / "audio" / f"{clip}.h5")
            with h5py.File(audio[-1], "w") as file:
                file[clip] = part.audio_of(index)
                file[clip].attrs.update(rate=rate, digest=f"digest-{clip}", rejected="")
            detector.append(results / "evaluation" / "detector" / f"{clip}.h5")
            with h5py.File(detector[-1], "w") as file:
                file[f"{clip}/shape"] = part.shape_of(index) + 0.001
            phones.append(results / "phones" / f"{clip}.tsv")
            spoken = [(clip, name, 0.2 + 0.1 * n, 0.3 + 0.1 * n, "words") for n, name in enumerate(PHONES)]
            pd.DataFrame(spoken, columns=list(COLUMNS)).to_csv(phones[-1], sep="\t", index=False)
    clips = read_index(dataset)
    pd.DataFrame({"clip": clips.index, "speaker": clips["speaker"], "split": clips["split"], "video": "x.mp4"}).to_csv(
        folder / "sheet.tsv", sep="\t", index=False
    )
    noise = write_noise(results / "evaluation" / "noise.h5")
    return {"audio": audio, "phones": phones, "sheet": folder / "sheet.tsv", "split_by": "clip"}, noise, detector
