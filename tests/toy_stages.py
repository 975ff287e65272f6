"""What the stages before the dataset leave behind, made up: a sheet, sound, landmarks, shapes and the quality table."""

import h5py
import pandas as pd

from tests.toy_corpus import toy_clip

LENGTHS = {"a": 75, "b": 160, "c": 40, "d": 76, "e": 90, "f": 50}  # frames
SPLITS = dict(zip("abcdef", ("train", "train", "valid", "valid", "test", "test"), strict=True))
SPEAKERS = dict(zip("abcdef", ("one", "one", "two", "two", "three", "three"), strict=True))


def write_stages(folder, *, rejected=()):
    """Write sheet.tsv, empty videos and results/ of six clips into a working folder; give the accepted ones."""
    results = folder / "results"
    for name in ("audio", "landmarks", "shapes", "qc"):
        (results / name).mkdir(parents=True)
    clips, rows = [], []
    for name in LENGTHS:
        (folder / f"{name}.mp4").touch()
    pd.DataFrame({"clip": LENGTHS, "speaker": SPEAKERS, "split": SPLITS}).assign(
        clip=lambda table: table.index, video=lambda table: table.index + ".mp4"
    ).to_csv(folder / "sheet.tsv", sep="\t", index=False)
    for seed, (name, frames) in enumerate(LENGTHS.items()):
        clip = toy_clip(name, frames=frames, seed=seed, split=SPLITS[name], speaker=SPEAKERS[name])
        reason = "no face" if name in rejected else ""
        rows.append((name, clip.speaker, clip.split, "no" if reason else "yes", reason))
        with h5py.File(results / "audio" / f"{name}.h5", "w") as file:
            file[name] = clip.audio[44_100]
            file[name].attrs.update(rate=44_100, digest=name, rejected="")
        with h5py.File(results / "landmarks" / f"{name}.h5", "w") as file:
            file.create_group(name).attrs.update(rejected=reason)
            if not reason:
                file[name]["landmarks"] = clip.landmarks
        with h5py.File(results / "shapes" / f"{clip.speaker}.h5", "a") as file:
            file.create_group(name).attrs.update(rejected=reason)
            if not reason:
                file[name]["shape"] = clip.shape
        if not reason:
            clips.append(clip)
    table = pd.DataFrame(rows, columns=["clip", "speaker", "split", "accepted", "reason"])
    table.to_csv(results / "qc" / "clips.tsv", sep="\t", index=False)
    return clips
