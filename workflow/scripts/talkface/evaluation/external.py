"""Measures of predictions made elsewhere, as those of a model of our own."""

from collections.abc import Sequence
from pathlib import Path

from talkface.errors import TalkfaceError
from talkface.evaluation import evaluate, leaks
from talkface.media.sound import count_frames
from talkface.prediction.external import read_prediction


def evaluate_external(
    dataset: str | Path,
    output: str | Path,
    *,
    audio: Sequence[str | Path],
    phones: Sequence[str | Path],
    sheet: str | Path,
    folder: str | Path,
    model: str,
    splits: Sequence[str],
    split_by: str,
    seed: int,
) -> None:
    """Write the measures of predictions made elsewhere, as `evaluate.evaluate_model` has them; clean sound alone.

    Parameters
    ----------
    dataset : path
        results/dataset/{corpus}.h5; its clips, all of them accepted by quality control, are measured.
    output : path
        results/evaluation/clips/external-{name}.tsv.
    audio : sequence of paths
        results/audio/{shard}.h5 of the clips.
    phones : sequence of paths
        results/phones/{shard}.tsv of the clips.
    sheet : path
    folder : path
        Of the predictions, {clip}.npy.
    model : str
        external-{name}.
    splits : sequence of str
    split_by : {"speaker", "clip"}
        What the splits must not share, see `leaks.check_splits`.
    seed : int
        Of the control.

    Raises
    ------
    TalkfaceError
        If a clip has no prediction, or one that cannot be used.
    """
    leaks.check_splits(dataset, sheet=sheet, split_by=split_by)
    table = evaluate.Table.of(dataset, model=model)
    for split in splits:
        material = evaluate.read_material(dataset, split, audio=audio, phones=phones)
        predictions = []
        for item in material:
            path = Path(folder) / f"{item.clip}.npy"
            if not path.is_file():
                raise TalkfaceError(
                    f"{folder}: no {path.name}; predictions of all accepted {split} clips were expected "
                    f"({len(material)}); add it, or take {model.removeprefix('external-')} out of `external` in the "
                    "config"
                )
            predictions.append(read_prediction(path, frames=count_frames(len(item.samples), item.rate)))
        table.add_clean(material, predictions, seed=seed)
    table.write(output)
