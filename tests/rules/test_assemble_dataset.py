"""One job: what earlier stages made, gathered for the selected networks."""

import h5py
import numpy as np
import pandas as pd
import yaml

from talkface.media.phone_names import SILENCE, UNKNOWN, class_of
from talkface.training.dataset import read_part, read_rates
from tests.toy_corpus import shapes
from tests.workflow.conftest import run_snakemake


def test_assemble_dataset(project, tmp_path):
    sheet = pd.DataFrame(
        [
            (f"{speaker}{i}", speaker, split)
            for speaker, split in (("a", "train"), ("b", "valid"), ("c", "test"))
            for i in "12"
        ],
        columns=["clip", "speaker", "split"],
    )
    sheet["video"] = "video.mp4"
    sheet["marks"] = ["a1.tsv"] + [""] * 5
    (tmp_path / "a1.tsv").write_text("0.4\t0.8\tM\n0.8\t1.2\tAA\n")
    (tmp_path / "video.mp4").touch()
    sheet.to_csv(tmp_path / "clips.tsv", sep="\t", index=False)
    for folder in ("audio", "landmarks", "shapes", "qc"):
        (tmp_path / "results" / folder).mkdir(parents=True)
    generator = np.random.default_rng(0)
    for clip, speaker in zip(sheet["clip"], sheet["speaker"], strict=True):
        with h5py.File(tmp_path / "results" / "audio" / f"{clip}.h5", "w") as file:
            file[clip] = generator.integers(-5_000, 5_000, 88_200).astype(np.int16)
            file[clip].attrs.update(rate=44_100, source="video.mp4", digest=clip, rejected="")
        with h5py.File(tmp_path / "results" / "landmarks" / f"{clip}.h5", "w") as file:
            file.create_group(clip).attrs["rejected"] = ""
        with h5py.File(tmp_path / "results" / "shapes" / f"{speaker}.h5", "a") as file:
            file[f"{clip}/shape"] = shapes(generator.uniform(size=50))
    sheet.assign(accepted=sheet["clip"] != "a2", reason="").to_csv(
        tmp_path / "results" / "qc" / "clips.tsv", sep="\t", index=False
    )
    arguments = {"talkface": {"arguments": {"phone_weight": 0.0}}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"media": {"clips_per_shard": 1}, "models": arguments}))
    run_snakemake(
        project, "--cores", "1", "--configfile", "mine.yaml", "--config", "clips=clips.tsv",
        "--allowed-rules", "assemble_dataset", "--", "results/dataset/demo.h5", cwd=tmp_path,
    )  # fmt: skip
    path = tmp_path / "results" / "dataset" / "demo.h5"
    assert read_rates(path) == [8_000, 16_000]
    assert read_part(path, "train", rate=8_000).clips == ["a1"]
    assert read_part(path, "test", rate=8_000).clips == ["c1", "c2"]
    assert read_part(path, "train", rate=8_000).phone is None
    (tmp_path / "mine.yaml").write_text("media: {clips_per_shard: 1}\n")
    run_snakemake(
        project, "--cores", "1", "--configfile", "mine.yaml", "--config", "clips=clips.tsv",
        "--allowed-rules", "find_phones", "assemble_dataset", "--", "results/dataset/demo.h5", cwd=tmp_path,
    )  # fmt: skip
    phone = read_part(path, "train", rate=8_000).phone
    assert phone[9:12].tolist() == [SILENCE, class_of("m"), class_of("m")]
    assert phone[20] == class_of("aa")
    assert (read_part(path, "test", rate=8_000).phone == UNKNOWN).all()  # nobody said anything that is known
