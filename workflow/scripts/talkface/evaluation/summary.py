"""Summary of an evaluation: means with intervals, models in pairs, the worst clips.

Read: results/evaluation/clips/{model}.tsv and floors.tsv, a row a clip, condition and control (layout:
`evaluation.evaluate`). Written, each tab-separated:

results/evaluation/summary.tsv, one row a number:

| column | holds |
|---|---|
| model | entry of the catalogue, external-<name>, or a floor or ceiling; `<model>:<control>` is a control |
| corpus, split | on what |
| detector | whose landmarks the truth is: dlib, mesh |
| condition, snr_db | clean; a kind of noise, and its ratio in dB; all: mean over the kinds, clip by clip |
| measure | see `evaluation.metrics`; training_steps; <measure>_over_seeds |
| value | mean over clips; with further seeds, first over the seeds of each clip |
| low, high | 95 % interval of that mean, by drawing speakers and their clips anew |
| clips | how many count; a clip whose measure is not defined does not |

Rows <measure>_over_seeds: the standard deviation of the means of the seeds, the smallest and the largest of them, and
how many there are.

results/evaluation/pairs.tsv, one row two models and a condition, each pair in both orders:

| column | holds |
|---|---|
| model, other | the two |
| detector | as above |
| split, condition, snr_db, measure | clean, and `all` at each ratio |
| difference, low, high | mean of model less other, with its 95 % interval |
| gain, gain_low, gain_high | percent, positive where model is better: of the other's error; of 1 for correlations |
| p | of no difference: paired permutation test over clips |
| clips | how many count |

results/evaluation/worst.tsv: split, detector, model, clip, speaker, lip_rmse, opening_correlation; the clips of the
largest lip error in clean speech, worst first.
"""

import itertools
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from talkface.evaluation.metrics import MEASURES
from talkface.evaluation.statistics import Draws, nanmean, paired_test, percentiles
from talkface.evaluation.tables import ALL, CLEAN, KEYS, read_clips, write_table

log = logging.getLogger(__name__)
COLUMNS = (
    *("model", "corpus", "detector", "split", "condition", "snr_db", "measure", "value", "low", "high", "clips"),
)
PAIRS = (
    *("model", "other", "detector", "split", "condition", "snr_db", "measure", "difference", "low", "high"),
    *("gain", "gain_low", "gain_high", "p", "clips"),
)
WORST = ("split", "detector", "model", "clip", "speaker", "lip_rmse", "opening_correlation")
COMPARED = ("lip_rmse", "opening_correlation")  # in pairs, and over seeds


def summarise(
    tables: Mapping[str, str | Path],
    *,
    floors: str | Path,
    seeds: Mapping[str, Sequence[str]],
    steps: Mapping[str, int],
    summary: str | Path,
    pairs: str | Path,
    worst: str | Path,
    worst_clips: int,
    seed: int,
) -> None:
    """Write the three tables above.

    Parameters
    ----------
    tables : mapping of entry to its results/evaluation/clips/{model}.tsv
        Those of `seeds` and predictions made elsewhere.
    floors : path
        results/evaluation/floors.tsv.
    seeds : mapping of model to its entries
        One for each seed; predictions made elsewhere are not named here.
    steps : mapping of model to its steps of training
    summary, pairs, worst : paths
        To write.
    worst_clips : int
        Of each split and model.
    seed : int
        Of the intervals and the tests.
    """
    read = {entry: read_clips(path) for entry, path in tables.items()}
    belongs = {entry: model for model, entries in seeds.items() for entry in entries}
    models = list(dict.fromkeys(belongs.get(entry, entry) for entry in read))
    by_seed = {model: [add_all(read[entry]) for entry in seeds.get(model, [model])] for model in models}
    clips = {model: mean_of_seeds(found, model) for model, found in by_seed.items()}
    measured = pd.concat([*clips.values(), read_clips(floors)], ignore_index=True)
    rows = [tidy(part, seed=seed) for part in _by_label(measured)]
    rows += [spread(found, model) for model, found in by_seed.items() if len(found) > 1]
    where = tuple(measured[["corpus", "detector"]].iloc[0])
    none = (np.nan, np.nan, 0)
    trained = [(model, *where, "train", CLEAN, np.nan, "training_steps", n, *none) for model, n in steps.items()]
    table = pd.concat([*rows, pd.DataFrame(trained, columns=COLUMNS)], ignore_index=True)
    write_table(table, summary)
    write_table(compare(clips, seed=seed), pairs)
    write_table(find_worst(clips.values(), count=worst_clips), worst)
    clean = table[(table["condition"] == CLEAN) & table["measure"].isin(COMPARED)]
    log.info("%d rows; clean:\n%s", len(table), clean.drop(columns=["condition", "snr_db"]).to_string(index=False))


def measures_of(table: pd.DataFrame) -> list[str]:
    """Return the columns of measures, in the order of the registry."""
    return [name for name in MEASURES if name in table]


def _means(table: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Average the measures of the rows that agree in `by`; NaN does not count."""
    return table.groupby(list(by), dropna=False, sort=False, as_index=False)[measures_of(table)].mean()


def add_all(table: pd.DataFrame) -> pd.DataFrame:
    """Add the condition `all` to a table of clips: of each clip the mean over kinds of noise, ratio by ratio."""
    noisy = table[table["condition"] != CLEAN]
    if noisy.empty:
        return table
    means = _means(noisy, [key for key in KEYS if key != "condition"]).assign(condition=ALL)
    return pd.concat([table, means[table.columns]], ignore_index=True)


def mean_of_seeds(tables: Sequence[pd.DataFrame], model: str) -> pd.DataFrame:
    """Average the seeds of a model, clip by clip."""
    joined = pd.concat([table.assign(model=model) for table in tables], ignore_index=True)
    return joined if len(tables) == 1 else _means(joined, KEYS)


def _by_label(table: pd.DataFrame) -> Iterable[pd.DataFrame]:
    """Yield the clips of one model or control and one split at a time; a control is named <model>:<control>."""
    label = table["model"].where(table["control"] == "", table["model"] + ":" + table["control"])
    for _, part in table.assign(model=label).groupby(["model", "split"], sort=False):
        yield part


def _blocks(part: pd.DataFrame) -> tuple[list[str], list[tuple], np.ndarray]:
    """Return speakers (C,), conditions with their ratio (B,), and measures (C, B, M) of one model and split."""
    clips = sorted(part["clip"].unique())
    found = list(part.groupby(["condition", "snr_db"], dropna=False, sort=False))
    names = measures_of(part)
    values = [rows.set_index("clip").reindex(clips)[names].to_numpy(np.float64) for _, rows in found]
    return _speakers(part), [key for key, _ in found], np.stack(values, axis=1)


def tidy(part: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Make the rows of summary.tsv from the clips of one model and split."""
    speakers, conditions, values = _blocks(part)
    found = Draws(speakers, seed=seed).interval(values.reshape(len(speakers), -1))
    whose = tuple(part[["model", "corpus", "detector", "split"]].iloc[0])
    names = itertools.product(conditions, measures_of(part))
    columns = zip(names, found.value, found.low, found.high, found.clips, strict=True)
    rows = [(*whose, *condition, measure, *numbers) for (condition, measure), *numbers in columns]
    return pd.DataFrame(rows, columns=COLUMNS)


def spread(tables: Sequence[pd.DataFrame], model: str) -> pd.DataFrame:
    """Make the rows <measure>_over_seeds of a model from the table of each of its seeds."""
    keys = ["corpus", "detector", "split", "condition", "snr_db"]
    own = [table[table["control"] == ""] for table in tables]
    means = pd.concat([_means(table, keys)[[*keys, *COMPARED]] for table in own], ignore_index=True)
    found = means.groupby(keys, dropna=False, sort=False)[list(COMPARED)].agg(["std", "min", "max", "count"])
    parts = []
    for measure in COMPARED:
        numbers = found[measure].set_axis(["value", "low", "high", "clips"], axis=1).reset_index()
        parts.append(numbers.assign(model=model, measure=f"{measure}_over_seeds"))
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def compare(clips: Mapping[str, pd.DataFrame], *, seed: int) -> pd.DataFrame:
    """Make the rows of pairs.tsv from the tables of clips of all models."""
    rows = []
    every = pd.concat(clips.values(), ignore_index=True)
    every = every[(every["control"] == "") & every["condition"].isin([CLEAN, ALL])]
    for split, part in every.groupby("split", sort=False):
        draws = Draws(_speakers(part), seed=seed)
        ratios = sorted(part["snr_db"].dropna().unique())
        columns = list(itertools.product([(CLEAN, np.nan), *((ALL, snr) for snr in ratios)], COMPARED))
        values = {str(model): _matrix(own, part, ratios) for model, own in part.groupby("model", sort=False)}
        for model, other in itertools.combinations(values, 2):
            for names, numbers in _both_orders(model, other, values, draws=draws, seed=seed):
                for ((condition, snr), measure), found in zip(columns, numbers, strict=True):
                    if found[-1]:
                        rows.append((*names, part["detector"].iloc[0], split, condition, snr, measure, *found))
    return pd.DataFrame(rows, columns=PAIRS)


def _speakers(part: pd.DataFrame) -> list[str]:
    """Return the speaker of each clip of a table, in the order of the clips' names."""
    return list(part.drop_duplicates("clip").sort_values("clip")["speaker"])


def _matrix(own: pd.DataFrame, part: pd.DataFrame, ratios: Sequence[float]) -> np.ndarray:
    """Return the measures (C, M) of one model: clean, then at each ratio, two each; clips as in the whole `part`."""
    clips = sorted(part["clip"].unique())
    blocks = [own[own["condition"] == CLEAN], *(own[own["snr_db"] == snr] for snr in ratios)]
    return np.hstack([block.set_index("clip").reindex(clips)[list(COMPARED)].to_numpy(np.float64) for block in blocks])


def _both_orders(
    model: str, other: str, values: Mapping[str, np.ndarray], *, draws: Draws, seed: int
) -> Iterator[tuple[tuple[str, str], Iterable[tuple]]]:
    """Compare two models in both orders: yield their names, and of each column the numbers from `difference` on."""
    errors = np.array([MEASURES[measure].better == "low" for measure in COMPARED] * (values[model].shape[1] // 2))
    known = np.isfinite(values[model]) & np.isfinite(values[other])
    pair = [np.where(known, values[name], np.nan) for name in (model, other)]  # (C, M) each
    p = paired_test(pair[0] - pair[1], seed=seed)
    means, drawn = [nanmean(one) for one in pair], [draws.means(one) for one in pair]
    for own, its in ((0, 1), (1, 0)):
        difference, gain = means[own] - means[its], _gain(means[own], means[its], errors)
        low, high = percentiles(drawn[own] - drawn[its])
        gain_low, gain_high = percentiles(_gain(drawn[own], drawn[its], errors))
        names = (model, other) if own == 0 else (other, model)
        yield names, zip(difference, low, high, gain, gain_low, gain_high, p, known.sum(axis=0), strict=True)


def _gain(own: np.ndarray, its: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Compute by how many percent `own` is better: of the other's error, or of 1 for correlations."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(errors, 100 * (its - own) / its, 100 * (own - its))


def find_worst(clips: Iterable[pd.DataFrame], *, count: int) -> pd.DataFrame:
    """Make the rows of worst.tsv, `count` a split and model."""
    table = pd.concat(clips, ignore_index=True)
    table = table[(table["condition"] == CLEAN) & (table["control"] == "")]
    table = table.sort_values("lip_rmse", ascending=False, kind="stable")
    rank = table.groupby(["split", "model"]).cumcount()
    order = {name: place for place, name in enumerate(dict.fromkeys(table.sort_index()["model"]))}
    table = table[rank < count].sort_values(
        ["split", "model"],
        key=lambda names: names.map(order).fillna(0) if names.name == "model" else names,
        kind="stable",
    )
    return table[list(WORST)]
