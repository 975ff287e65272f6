"""Verdict of an evaluation in sentences: which model is best, by how much, and how sure that is."""

import math

from markupsafe import Markup

from talkface.evaluation.tables import Results, Row
from talkface.face.points import mouth_opening
from talkface.face.template import load_template
from talkface.report.cells import counted, name_model, number, percent

CLIPS = {"train": "training clip", "valid": "validation clip", "test": "test clip", "unseen": "clip of unseen speakers"}
FEW_SPEAKERS = 5  # with fewer, intervals over speakers are rough
LITTLE = 0.05  # a model that is not by this share better than the mean face has hardly learnt to hear


def clips_of(split: str, count: int) -> str:
    """Write the count and kind of the clips of a split."""
    noun, *rest = CLIPS[split].split(" of ")
    return " of ".join([counted(count, noun), *rest])


def judge(results: Results, split: str) -> list[Markup]:
    """Write what the tables say of a split, the most important sentence first; model names are escaped."""
    best, rival = results.rivals(split)
    if best is None:
        return [Markup("On the clips of this split no lip error was measured.")]
    row = results.row(split, best, "lip_rmse")
    assert row is not None  # `best` comes from these rows
    words = clips_of(split, int(row["clips"])), name_model(best), number(row["value"], 2), _within(row)
    what = "the smallest lip error" if len(results.models) > 1 else "this lip error"
    said = [
        Markup("On {} <b>{}</b> has {what}: <b>{}\xa0%</b>{}.").format(*words, what=what),
        compare(results, split, best, rival),
        _correlation(results, split, best),
        _closures(results, split, best),
        _rooms(results, split, best),
        _in_noise(results, split),
        _floors(results, split),
        _caution(results, split),
    ]
    return [sentence for sentence in said if sentence]


def compare(results: Results, split: str, model: str, other: str | None, snr_db: float | None = None) -> Markup:
    """Write by how much one model is better than another, with the interval; nothing where that was not measured."""
    row = other and results.gain(model, other, split, snr_db=snr_db)
    if not row:
        return Markup("")
    kind = "model"
    if (model in results.own) != (other in results.own):
        elsewhere = str(other).startswith("external-")
        kind = "model of our own" if other in results.own else "from elsewhere" if elsewhere else "published system"
    sure = row["gain_low"] > 0 or row["gain_high"] < 0
    ending = "which excludes zero" if sure else "which holds zero: on these clips the two cannot be told apart"
    words = (
        percent(abs(row["gain"])),
        "below" if row["gain"] >= 0 else "above",
        "next best" if kind == "model" else "best",
        kind,
        name_model(other or ""),
        percent(row["gain_low"]),
        percent(row["gain_high"]),
        ending,
    )
    return Markup("That is <b>{}\xa0% {}</b> the {} {}, {} (95\xa0% interval {} to {}\xa0%, {}).").format(*words)


def _correlation(results: Results, split: str, best: str) -> Markup:
    """Write the correlation of the best model, and the model with the highest one."""
    values = {model: results.value(split, model, "opening_correlation") for model in results.models}
    known = {model: value for model, value in values.items() if not math.isnan(value)}
    row = results.row(split, best, "opening_correlation")
    if row is None or best not in known:
        return Markup("")
    said = Markup("Its mouth opens as the true one with a correlation of <b>{}</b>{}").format(
        number(row["value"], 2), _within(row, "")
    )
    first = max(known, key=lambda model: known[model])
    if first != best:
        said += Markup("; {} has the highest, {}").format(name_model(first), number(known[first], 2))
    hearing = {"loudness alone": "floor:loudness", "phones and a table": "floor:phones"}
    floors = {text: results.value(split, name, "opening_correlation") for text, name in hearing.items()}
    told = [f"{text} {number(value, 2)}" for text, value in floors.items() if not math.isnan(value)]
    return said + (f"; what learns nothing: {', '.join(told)}." if told else ".")


def _rooms(results: Results, split: str, best: str) -> Markup:
    """Write how far the mouth opens where nobody speaks."""
    row = results.row(split, best, "rest_opening")
    if row is None or math.isnan(row["value"]):
        return Markup("")
    said = Markup(
        "In rooms with noise 20\xa0dB below the speech, where nobody speaks, it opens to <b>{}\xa0%</b>{}"
    ).format(number(row["value"], 1), _within(row))
    kept = results.value(split, best, "opening_kept")
    said += f"; a mouth at rest has {100 * float(mouth_opening(load_template())):.1f}\xa0%"
    return said + ("." if math.isnan(kept) else f", and the first syllables after them keep {100 * kept:.0f} of 100.")


def _closures(results: Results, split: str, best: str) -> Markup:
    """Write at how many of the sounds that close the lips they meet, and of the truth and the mean face too."""
    own, truth, floor = (results.value(split, name, "closure_rate") for name in (best, "truth", "floor:mean_face"))
    if math.isnan(own) or math.isnan(truth):
        return Markup("")
    said = Markup("At /p b m/ its lips meet <b>{:.0f}</b> times of 100; the true ones, as {} sees them, {:.0f}").format(
        100 * own, results.detector, 100 * truth
    )
    said += "" if math.isnan(floor) else f", those of the mean face {100 * floor:.0f}"
    rates = {model: results.value(split, model, "closure_rate") for model in results.models}
    most = max(rates, key=lambda model: -math.inf if math.isnan(rates[model]) else rates[model])
    if rates[most] > own:
        said += Markup("; {} closes them most often, {:.0f}").format(name_model(most), 100 * rates[most])
    return said + "."


def _in_noise(results: Results, split: str) -> Markup:
    """Write which model is best in noise."""
    if results.snr_db is None:
        return Markup("")
    best, rival = results.rivals(split, results.snr_db)
    if best is None:
        return Markup("")
    row = results.row(split, best, "lip_rmse", snr_db=results.snr_db)
    assert row is not None  # `best` comes from these rows
    said = Markup("In noise at {}\xa0dB, mean over its kinds, {} is best with {}\xa0%{}. ").format(
        f"{results.snr_db:g}", name_model(best), number(row["value"], 2), _within(row)
    )
    floor = results.value(split, "floor:mean_face", "lip_rmse")
    if row["value"] > (1 - LITTLE) * floor:
        return said + Markup("No model is there by more than {:.0f}\xa0% better than the mean face.").format(
            100 * LITTLE
        )
    return said + compare(results, split, best, rival, results.snr_db)


def _floors(results: Results, split: str) -> Markup:
    """Write how far the models are from the mean face and from the ceilings."""
    floor = results.value(split, "floor:mean_face", "lip_rmse")
    if math.isnan(floor):
        return Markup("")
    values = {model: results.value(split, model, "lip_rmse") for model in results.models}
    near = [model for model, value in values.items() if not value < (1 - LITTLE) * floor]
    said = Markup("The mean face, which hears nothing, has {}\xa0%").format(number(floor, 2))
    if near:
        names = Markup(", ").join(name_model(model) for model in near)
        verb = "is" if len(near) == 1 else "are"
        words = (names, verb, f"{100 * LITTLE:.0f}")
        said += Markup("; {} {} not by more than {}\xa0% better.").format(*words)
    else:
        said += "."
    late, again = (results.value(split, f"ceiling:{name}", "lip_rmse") for name in ("shifted_1", "detector"))
    if not math.isnan(late + again):
        said += Markup(" The truth one frame late has {}\xa0%, the truth measured again {}\xa0%.").format(
            number(late, 2), number(again, 2)
        )
    return said


def _caution(results: Results, split: str) -> Markup:
    """Warn of a split with few speakers."""
    speakers = results.count(split, "speaker")
    if speakers >= FEW_SPEAKERS:
        return Markup("")
    voices = counted(speakers, "speaker")
    return Markup("All these clips are of {}: the intervals say little about other voices.").format(voices)


def _within(row: Row, unit: str = "\xa0%") -> str:
    """Write the interval of a row in brackets; nothing where there is none."""
    if not (math.isfinite(row["low"]) and math.isfinite(row["high"])):
        return ""
    return f" (95\xa0% interval {number(row['low'], 2)} to {number(row['high'], 2)}{unit})"
