"""One's own minutes: what few clips of a person bring, from scratch and from a model that knows other people.

    make minutes            results/benchmarks/minutes.tsv

The person is GRID's s1. The model to start from learns from everyone else in the corpus of `make voice` and from its
voices, so that it never met s1; then 10, 30 and 100 clips of 3 s are learnt from with the settings of the config, and
judged on s1's test clips, clean and in pink noise as loud as the speech.
"""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "workflow" / "scripts"), str(HERE)]

from accuracy import command_line, save  # noqa: E402
from strangers import pink  # noqa: E402

from talkface.conventions import FULL_SCALE  # noqa: E402
from talkface.corpus.phones import read_phones  # noqa: E402
from talkface.evaluation import metrics  # noqa: E402
from talkface.evaluation.articulation import Spoken, closure_rate, spoken_in  # noqa: E402
from talkface.face.points import LIPS  # noqa: E402
from talkface.face.shape_model import fit_shape_model  # noqa: E402
from talkface.face.template import load_template  # noqa: E402
from talkface.models.base import BaseNetwork  # noqa: E402
from talkface.models.checkpoint import load_network, pack_network, save_file  # noqa: E402
from talkface.models.inputs import Clips  # noqa: E402
from talkface.noise.bank import NoiseBank, read_noise  # noqa: E402
from talkface.prediction.streaming import predict_samples  # noqa: E402
from talkface.training.dataset import read_part  # noqa: E402
from talkface.training.loop import fit  # noqa: E402
from talkface.training.phone_lips import lend_faces  # noqa: E402
from talkface.training.recipe import Recipe  # noqa: E402
from talkface.training.voices import read_voices  # noqa: E402

PERSON = "s1"
COUNTS = (10, 30, 100)
CLIP_S = 3
RATE = 16_000
FOREIGN_STEPS = 400  # of the training on everyone else: they are few


def recipe(**changes: Any) -> Recipe:
    """Return the config's recipe of `talkface`, with changes."""
    config = yaml.safe_load((HERE.parent / "config" / "config.yaml").read_text(encoding="utf-8"))
    block = config["models"]["talkface"] | {"noise": None}
    arguments = block["arguments"] | changes.pop("arguments", {})
    return Recipe.read(block | changes | {"arguments": arguments}, name="talkface")


def learn(path: Path, parts: dict[str, Clips], settings: Recipe, noise: NoiseBank, voices: Clips | None = None) -> int:
    """Train, write the weights, return the number of steps."""
    shape_model = fit_shape_model(parts["train"].shape, components=settings.components)
    run = fit(parts, shape_model, settings, seed=0, noise=noise, voices=voices, model=path.stem)
    content = pack_network(
        run.network, name=settings.network, arguments=settings.arguments, shape_model=shape_model, weights=run.best
    )
    save_file(path, content)
    return run.step


def judge(network: BaseNetwork | None, part: Clips, spoken: Mapping[str, Spoken]) -> dict[str, float]:
    """Measure a network, or a face that never moves, on each clip of a part: the mean over clips."""
    rows, rng = [], np.random.default_rng(0)
    for index, clip in enumerate(part.clips):
        sound, truth = part.audio_of(index) / FULL_SCALE, part.shape_of(index)
        noisy = sound + pink(len(sound), rng) * np.sqrt(np.square(sound).mean())
        if network is None:
            clean = loud = np.broadcast_to(load_template(), truth.shape)
        else:
            clean, loud = (predict_samples(network, np.float32(heard), seed=1)[..., :2] for heard in (sound, noisy))
        rows.append(
            {
                "lip_error": metrics.rmse(clean, truth, indices=LIPS),
                "lip_error_0_db": metrics.rmse(loud, truth, indices=LIPS),
                "opening_correlation": metrics.opening_correlation(clean, truth),
                "closure_rate": closure_rate(clean, truth, spoken=spoken.get(clip, Spoken())),
            }
        )
    return pd.DataFrame(rows).mean().round(3).to_dict()


def main() -> None:
    """Train, judge, print and save."""
    parser = command_line(__doc__ or "", "minutes")
    parser.add_argument("--corpus", type=Path, default=Path("results/voice/results"), help="results of that corpus")
    given = parser.parse_args()
    dataset, noise = given.corpus / "dataset" / "voice.h5", read_noise(given.corpus / "noise.h5", RATE)
    part = {split: read_part(dataset, split, rate=RATE) for split in ("train", "valid", "test")}
    spoken = spoken_in(read_phones(sorted((given.corpus / "phones").glob("*.tsv"))))
    speakers = np.array(part["train"].speakers)
    own, others = np.flatnonzero(speakers == PERSON), part["train"].take(np.flatnonzero(speakers != PERSON))
    rows = [{"clips": 0, "seconds": 0, "start": "the template, unmoved"} | judge(None, part["test"], spoken)]
    with tempfile.TemporaryDirectory() as folder:
        foreign = Path(folder) / "others.pt"
        settings = recipe(max_epochs=1, min_steps=FOREIGN_STEPS, arguments={"phone_share": 1.0})
        voices = lend_faces(read_voices(given.corpus / "voices.h5", rate=RATE), others)
        steps = learn(foreign, {"train": others, "valid": others}, settings, noise, voices)
        row = {"clips": 0, "seconds": 0, "start": "the others", "steps": steps}
        rows.append(row | judge(load_network(foreign), part["test"], spoken))
        for count in COUNTS:
            parts = {"train": part["train"].take(own[:count]), "valid": part["valid"]}
            for start, init in (("scratch", None), ("the others", str(foreign))):
                path = Path(folder) / f"{count}_{start.split()[-1]}.pt"
                steps = learn(path, parts, recipe(init=init), noise)
                row = {"clips": count, "seconds": CLIP_S * count, "start": start, "steps": steps}
                rows.append(row | judge(load_network(path), part["test"], spoken))
                sys.stdout.write(f"{rows[-1]}\n")
                sys.stdout.flush()
    save(pd.DataFrame(rows), given.output)


if __name__ == "__main__":
    main()
