"""Tables of clips, made up, and what becomes of them."""

import numpy as np
import pandas as pd
import pytest

from talkface.evaluation import summary, tables
from talkface.evaluation.metrics import MEASURES

CLIPS = {"a1": "ann", "a2": "ann", "b1": "bob"}
NOISY = [(kind, snr) for kind in ("pink", "babble") for snr in (0.0, 10.0)]


def table(model, errors, *, noise=True, controls=True):
    """A table of clips; errors maps a clip to its clean lip error, noise adds 1 (pink) or 2 (babble) at 0 dB."""
    rows = []
    for clip, error in errors.items():
        conditions = [("clean", np.nan, "", error)]
        if controls:
            conditions.append(("clean", np.nan, "shuffled", error + 5))
        if noise:
            added = {("pink", 0.0): 1, ("babble", 0.0): 2, ("pink", 10.0): 0, ("babble", 10.0): 0}
            conditions += [(kind, snr, "", error + added[kind, snr]) for kind, snr in NOISY]
        for condition, snr, control, value in conditions:
            measures = dict.fromkeys(MEASURES, 1.0) | {"lip_rmse": value, "opening_correlation": 1 - value / 10}
            keys = (model, "toy", "dlib", "test", clip, CLIPS[clip], "words", condition, snr, control)
            rows.append(dict(zip(tables.KEYS, keys, strict=True)) | measures)
    return pd.DataFrame(rows)


TABLES = {
    "good": table("good", {"a1": 1.0, "a2": 2.0, "b1": 3.0}),
    "good-seed2": table("good-seed2", {"a1": 1.4, "a2": 2.4, "b1": 3.4}),
    "bad": table("bad", {"a1": 4.0, "a2": 4.0, "b1": 4.0}),
    "external-x": table("external-x", {"a1": 2.0, "a2": 2.0, "b1": 2.0}, noise=False),
}
FLOORS = table("floor:mean_face", {"a1": 5.0, "a2": 5.0, "b1": 5.0}, noise=False, controls=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("summary")
    for name, rows in TABLES.items():
        tables.write_table(rows, folder / f"{name}.tsv")
    tables.write_table(FLOORS, folder / "floors.tsv")
    names = ("summary", "pairs", "worst")
    summary.summarise(
        {name: folder / f"{name}.tsv" for name in TABLES},
        floors=folder / "floors.tsv",
        seeds={"good": ["good", "good-seed2"], "bad": ["bad"]},
        steps={"good": 7, "bad": 9},
        worst_clips=2,
        seed=1,
        **{name: folder / f"{name}_out.tsv" for name in names},
    )
    return {name: pd.read_csv(folder / f"{name}_out.tsv", sep="\t") for name in names}


def at(rows, model, condition="clean", snr=np.nan, measure="lip_rmse"):
    found = rows[(rows["model"] == model) & (rows["condition"] == condition) & (rows["measure"] == measure)]
    found = found[found["snr_db"].isna() if np.isnan(snr) else found["snr_db"] == snr]
    assert len(found) == 1
    return found.iloc[0]


def test_the_summary_is_tidy(made):
    rows = made["summary"]
    assert tuple(rows) == summary.COLUMNS
    assert not rows.duplicated(["model", "corpus", "split", "condition", "snr_db", "measure"]).any()
    names = {"good", "good:shuffled", "bad", "bad:shuffled", "external-x", "external-x:shuffled", "floor:mean_face"}
    assert set(rows["model"]) == names
    assert set(rows["condition"]) == {"clean", "pink", "babble", "all"}


def test_means_and_intervals(made):
    rows = made["summary"]
    bad = at(rows, "bad")
    assert (bad["value"], bad["low"], bad["high"], bad["clips"]) == (4, 4, 4, 3)
    good = at(rows, "good")
    assert good["value"] == pytest.approx(2.2)  # the mean of both seeds
    assert 1.2 <= good["low"] < 2.2 < good["high"] <= 3.2
    assert at(rows, "good:shuffled")["value"] == pytest.approx(7.2)
    assert at(rows, "floor:mean_face")["value"] == 5


def test_all_kinds_of_noise_together(made):
    rows = made["summary"]
    assert at(rows, "bad", "pink", 0)["value"] == 5
    assert at(rows, "bad", "all", 0)["value"] == 5.5
    assert at(rows, "bad", "all", 10)["value"] == 4
    assert at(rows, "bad", "all", 0)["clips"] == 3


def test_seeds_and_steps(made):
    rows = made["summary"]
    spread = at(rows, "good", measure="lip_rmse_over_seeds")
    assert spread["value"] == pytest.approx(0.4 / np.sqrt(2), rel=1e-4)
    assert (spread["low"], spread["high"], spread["clips"]) == (2.0, 2.4, 2)
    assert at(rows, "good", "all", 0, "opening_correlation_over_seeds")["clips"] == 2
    assert not rows[rows["model"] == "bad"]["measure"].str.endswith("over_seeds").any()
    assert at(rows, "good", measure="training_steps")["value"] == 7
    assert at(rows, "good", measure="training_steps")["split"] == "train"


def test_pairs(made):
    pairs = made["pairs"]
    assert tuple(pairs) == summary.PAIRS
    both = pairs[(pairs["other"] == "bad") & (pairs["measure"] == "lip_rmse")]
    found = at(both[both["model"] == "good"], "good")
    assert found["difference"] == pytest.approx(-1.8)
    assert found["gain"] == pytest.approx(100 * 1.8 / 4)
    assert found["gain_low"] <= found["gain"] <= found["gain_high"]
    assert found["p"] == pytest.approx(2 / 8)
    assert found["clips"] == 3
    noisy = at(both[both["model"] == "good"], "good", "all", 0)
    assert noisy["gain"] == pytest.approx(100 * 1.8 / 5.5, rel=1e-4)
    turned = pairs[(pairs["model"] == "bad") & (pairs["other"] == "good") & (pairs["measure"] == "lip_rmse")]
    assert at(turned, "bad")["gain"] == pytest.approx(-100 * 1.8 / 2.2, rel=1e-4)
    better = pairs[(pairs["other"] == "bad") & (pairs["measure"] == "opening_correlation")]
    assert at(better, "good", measure="opening_correlation")["gain"] == pytest.approx(18)
    external = pairs[pairs["model"] == "external-x"]
    assert set(external["condition"]) == {"clean"}
    assert set(external["other"]) == {"good", "bad"}


def test_the_worst_clips(made):
    worst = made["worst"]
    assert tuple(worst) == summary.WORST
    good = worst[worst["model"] == "good"]
    assert list(good["clip"]) == ["b1", "a2"]
    assert list(good["lip_rmse"]) == [3.2, 2.2]
    assert (worst.groupby("model").size() == 2).all()


def test_what_is_not_defined_stays_so(tmp_path):
    rows = table("one", {"a1": 1.0, "a2": 2.0})
    rows.loc[rows["clip"] == "a1", "opening_correlation"] = np.nan
    rows["sync_truth_ms"] = np.nan
    tables.write_table(rows, tmp_path / "one.tsv")
    found = summary.tidy(tables.read_clips(tmp_path / "one.tsv").query("condition == 'clean' & control == ''"), seed=1)
    found = found.set_index("measure")
    assert found.at["opening_correlation", "clips"] == 1
    assert found.at["opening_correlation", "value"] == pytest.approx(0.8)
    assert found.at["sync_truth_ms", "clips"] == 0
    assert np.isnan(found.at["sync_truth_ms", "value"])


def test_no_worst_clips_and_one_model(tmp_path):
    clips = [TABLES["bad"]]
    assert summary.find_worst(clips, count=0).empty
    assert tuple(summary.compare({"bad": TABLES["bad"]}, seed=1)) == summary.PAIRS
