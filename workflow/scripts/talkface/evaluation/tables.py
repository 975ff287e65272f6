"""Tables of an evaluation (results/evaluation/): reading, writing, and look-up of what pages and figures show."""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from talkface.errors import TalkfaceError
from talkface.files import writing

KEYS = (  # of a table of clips
    *("model", "corpus", "detector", "split", "clip", "speaker", "phones", "condition", "snr_db", "control"),
)
ALL = "all"
CLEAN = "clean"
Row = dict[Hashable, Any]  # column: value
OWN = "talkface"  # our own network; the others re-implement published systems, or the predictions come from elsewhere


def write_table(table: pd.DataFrame, output: str | Path) -> None:
    """Write a table, whole or not at all."""
    with writing(output) as temporary:
        table.to_csv(temporary, sep="\t", index=False, float_format="%.5g")


def read_table(path: str | Path, columns: Iterable[str]) -> pd.DataFrame:
    """Read a table of results/evaluation/; raise a TalkfaceError if it lacks a column."""
    texts = dict.fromkeys(("other", *KEYS), str) | {"snr_db": float}
    table = pd.read_csv(path, sep="\t", keep_default_na=False, na_values=[""], dtype=texts)  # a clip may be called 007
    missing = [name for name in columns if name not in table]
    if missing:
        raise TalkfaceError(
            f"{path}: no column {', '.join(missing)}; {', '.join(columns)} were expected; delete it and run again"
        )
    return table


def read_summary(path: str | Path) -> pd.DataFrame:
    """Read results/evaluation/summary.tsv."""
    return read_table(
        path,
        ("model", "corpus", "detector", "split", "condition", "snr_db", "measure", "value", "low", "high", "clips"),
    )


def read_pairs(path: str | Path) -> pd.DataFrame:
    """Read results/evaluation/pairs.tsv."""
    names = ("model", "other", "split", "condition", "snr_db", "measure", "gain", "gain_low", "gain_high", "p")
    return read_table(path, names)


def read_worst(path: str | Path) -> pd.DataFrame:
    """Read results/evaluation/worst.tsv."""
    return read_table(path, ("split", "model", "clip", "speaker", "lip_rmse", "opening_correlation"))


def read_clips(path: str | Path, columns: Iterable[str] = KEYS) -> pd.DataFrame:
    """Read results/evaluation/clips/{model}.tsv or floors.tsv; `control` is empty where there is none."""
    return read_table(path, columns).fillna({"control": ""})


def read_clean_clips(tables: Mapping[str, str | Path]) -> pd.DataFrame:
    """Read results/evaluation/clips/{model}.tsv of all models: the rows without noise and control."""
    names = (*KEYS, "lip_rmse", "opening_correlation")
    both = pd.concat([read_clips(path, names) for path in tables.values()], ignore_index=True)
    return both[(both["condition"] == CLEAN) & (both["control"] == "")]


def own_of(networks: Mapping[str, str]) -> list[str]:
    """Return the models whose network is our own."""
    return [model for model, network in networks.items() if network == OWN]


def values_of(summary: pd.DataFrame, *, split: str, measure: str, condition: str = "clean") -> pd.Series:
    """Return the values of one measure by model, in a condition without a ratio."""
    chosen = summary[(summary["split"] == split) & (summary["measure"] == measure)]
    return chosen[chosen["condition"] == condition].set_index("model")["value"]


def best_of(summary: pd.DataFrame, models: Sequence[str], *, split: str, snr_db: float | None = None) -> str | None:
    """Return the model with the smallest lip error on a split: clean, or at an SNR over all kinds of noise."""
    rows = summary if snr_db is None else summary[summary["snr_db"] == snr_db]
    values = values_of(rows, split=split, measure="lip_rmse", condition="clean" if snr_db is None else "all")
    values = values[values.index.isin(models)].dropna()
    return None if values.empty else str(values.idxmin())


def choose_pairs(
    summary: pd.DataFrame, twins: Sequence[Sequence[str]], *, split: str, networks: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Choose the pairs whose gain is drawn: the best own model and the best other one, then the given twins."""
    own = own_of(networks)
    best = best_of(summary, own, split=split), best_of(summary, [m for m in networks if m not in own], split=split)
    return ([(best[0], best[1])] if best[0] and best[1] else []) + [(model, other) for model, other in twins]


def gains_of(pairs: pd.DataFrame, model: str, other: str, *, split: str, measure: str) -> pd.DataFrame:
    """Return the rows of pairs.tsv of `model` over `other`, by SNR, clean last."""
    rows = pairs[(pairs["split"] == split) & (pairs["measure"] == measure)]
    return rows[(rows["model"] == model) & (rows["other"] == other)].sort_values("snr_db", na_position="last")


def floor_of(summary: pd.DataFrame, *, split: str) -> float | None:
    """Return the lip error of the mean face on a split."""
    values = values_of(summary, split=split, measure="lip_rmse")
    return float(values["floor:mean_face"]) if "floor:mean_face" in values.index else None


def first_number(*values: float) -> float:
    """Return the first finite number of several, infinity if there is none.

    Examples
    --------
    >>> first_number(math.nan, 2.5, 3.0)
    2.5
    >>> first_number(math.nan)
    inf
    """
    return next((float(value) for value in values if math.isfinite(value)), math.inf)


class Results:
    """An evaluation: its tables and the models shown.

    Parameters
    ----------
    summary, pairs, clips, worst : DataFrame
        See `read_summary`, `read_pairs`, `read_clean_clips`, `read_worst`.
    networks : mapping of model to its network
        In the order of the selection.
    """

    def __init__(
        self,
        *,
        summary: pd.DataFrame,
        pairs: pd.DataFrame,
        clips: pd.DataFrame,
        worst: pd.DataFrame,
        networks: Mapping[str, str],
    ) -> None:
        self.summary, self.pairs, self.clips, self.worst = summary, pairs, clips, worst
        self.networks = dict(networks)
        self.models = list(networks)
        self.own = own_of(networks)
        self.detector = str(summary["detector"].iloc[0])  # whose landmarks the truth is
        known = summary["snr_db"].dropna().unique()
        self.snr_db = float(min(known, key=abs)) if len(known) else None  # of the sweep, the one nearest to 0 dB
        self._rows = {
            (row["split"], row["model"], row["condition"], _level(row["snr_db"]), row["measure"]): row
            for row in summary.to_dict("records")
        }
        self._gains = {
            (row["model"], row["other"], row["split"], _level(row["snr_db"]), row["measure"]): row
            for row in pairs.to_dict("records")
        }

    def row(
        self, split: str, model: str, measure: str, *, snr_db: float | None = None, kind: str = "all"
    ) -> Row | None:
        """Return the row of summary.tsv: clean, or at an SNR in a kind of noise; None if there is none."""
        condition = "clean" if snr_db is None else kind
        return self._rows.get((split, model, condition, _level(snr_db), measure))

    def value(self, split: str, model: str, measure: str, **where: Any) -> float:
        """Return the value of a row (see `row`), NaN if there is none."""
        row = self.row(split, model, measure, **where)
        return math.nan if row is None else float(row["value"])

    def ranked(self, split: str) -> list[str]:
        """Rank the models by lip error, the best first; those that were not measured last."""
        return sorted(self.models, key=lambda model: first_number(self.value(split, model, "lip_rmse")))

    def rivals(self, split: str, snr_db: float | None = None) -> tuple[str | None, str | None]:
        """Return the best model, and the one it is judged against.

        That is the best one of the others when the best is our own, and the best own one when it is not; else the next.
        """
        best = best_of(self.summary, self.models, split=split, snr_db=snr_db)
        across = [model for model in self.models if (model in self.own) != (best in self.own)]
        rest = [model for model in self.models if model != best]
        rival = best_of(self.summary, across, split=split, snr_db=snr_db)
        return best, rival or best_of(self.summary, rest, split=split, snr_db=snr_db)

    def gain(
        self, model: str, other: str, split: str, *, snr_db: float | None = None, measure: str = "lip_rmse"
    ) -> Row | None:
        """Return the row of pairs.tsv of one model over another: clean, or at an SNR over all kinds of noise."""
        return self._gains.get((model, other, split, _level(snr_db), measure))

    def count(self, split: str, column: str) -> int:
        """Count the clips or speakers that were measured."""
        return int(self.clips.loc[self.clips["split"] == split, column].nunique())


def _level(snr_db: float | None) -> float:
    return math.inf if snr_db is None or math.isnan(snr_db) else float(snr_db)
