"""Page of an evaluation: results/evaluation/summary.html, one file, made from the tables beside it.

Layout and style stand in page.html and what it includes. All that comes from names is escaped; nothing is loaded from
elsewhere, and links lead to tables, figures and films in the page's own folder.
"""

import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from talkface.evaluation.metrics import MEASURES
from talkface.evaluation.tables import (
    Results,
    choose_pairs,
    floor_of,
    read_clean_clips,
    read_pairs,
    read_summary,
    read_table,
    read_worst,
)
from talkface.report import evaluation_tables, figures
from talkface.report.cells import BAR, counted
from talkface.report.templates import fill
from talkface.report.verdict import judge

log = logging.getLogger(__name__)
TITLES = {"train": "Training clips", "valid": "Validation clips", "test": "Test clips", "unseen": "Unseen speakers"}
BETTER = {"low": "low", "high": "high", "zero": "0", "one": "1"}
EXPLANATIONS = {
    "Lip error": "root of the mean squared distance of the 20 lip points between prediction and truth, in percent of "
    "the distance between the outer corners of the eyes. Low is good.",
    "Correlation": "of the predicted and the true opening of the mouth over time. 1 is perfect, 0 is chance.",
    "Interval": "95 %: speakers, and then their clips, drawn anew again and again. Where the interval of a difference "
    "excludes zero, the choice of clips does not explain the difference.",
    "Floors": "what hears or learns nothing: the mean face; a mouth that opens as the sound is loud, or by a table of "
    "phones; a model's own frames in random order; its prediction from another clip's sound. A model that does no "
    "better has not learnt to follow speech.",
    "Opening in rooms": "where nobody speaks, before, between and after the words, in a noise 20 dB below the speech. "
    "At rest a mouth has 2.6 %.",
    "Ceilings": "how near anything comes: the truth one or two frames late, and the truth measured again on pictures "
    "that were encoded anew and moved by a pixel.",
    "Closed at /p b m/": "share of these sounds at which the lips meet. The truth has a share of its own, by whose "
    "landmarks it is: dlib's lips hardly meet. What the mean face and a prediction from another clip's sound have is "
    "chance.",
    "Noise": "recordings that no model was trained with; the ratio is that of speech, where someone speaks, to noise.",
}
FILES = {
    "summary.tsv": "every number: model, split, condition, SNR, measure, value, interval",
    "pairs.tsv": "every pair of models: difference, gain, interval, p",
    "worst.tsv": "the worst clips",
    "zoo.tsv": "how each model was trained",
    "curves.svg": "losses by step",
}


def both_widths(draw: Callable[[bool], Figure], *, prefix: str) -> dict[str, Markup]:
    """Draw a figure for wide screens and for telephones, as SVG elements of the page."""
    return {
        width: Markup(figures.inline_svg(draw(width == "narrow"), prefix=f"{prefix}-{width}"))
        for width in ("wide", "narrow")
    }


def show_split(
    results: Results,
    split: str,
    *,
    looks: evaluation_tables.Looks,
    twins: Sequence[tuple[str, str]],
    films: Path | None,
    drawn: bool = True,
) -> dict[str, Any]:
    """Collect all that page.html shows of a split, with figures if `drawn`."""
    networks, floor = results.networks, floor_of(results.summary, split=split)
    chosen = choose_pairs(results.summary, twins, split=split, networks=networks)
    chosen = [pair for pair in chosen if results.gain(*pair, split) is not None]

    def both(name: str, draw: Callable[[bool], Figure]) -> dict[str, Markup] | None:
        """Draw a figure of the split in both widths, if figures are wanted."""
        return both_widths(draw, prefix=f"{name}-{split}") if drawn else None

    shown: dict[str, Any] = {
        "key": split,
        "title": TITLES[split],
        "scope": scope(results, split),
        "phones": phones_of(results, split),
        "verdict": judge(results, split),
        "main": evaluation_tables.main_table(results, split, looks),
        "has_floor": floor is not None,
        "full": evaluation_tables.full_table(results, split, looks),
        "noise": None,
        "gains": None,
        "pairs": evaluation_tables.pair_tables(results, split, looks),
        "seeds": evaluation_tables.seeds_table(results, split, looks),
        "clips": evaluation_tables.clip_table(results, split, looks),
        "worst": evaluation_tables.worst_table(results, split, looks, films=films),
        "speakers": both(
            "speakers",
            lambda narrow: figures.speakers_figure(
                results.clips, split=split, networks=networks, floor=floor, narrow=narrow
            ),
        ),
    }
    if results.snr_db is not None:
        shown["noise"] = {
            "tables": evaluation_tables.noise_tables(results, split, looks),
            "figure": both(
                "noise",
                lambda narrow: figures.noise_figure(results.summary, split=split, networks=networks, narrow=narrow),
            ),
        }
    if chosen:
        shown["gains"] = {
            "table": evaluation_tables.gain_table(results, split, chosen),
            "figure": both(
                "gain",
                lambda narrow: figures.gain_figure(results.pairs, split=split, chosen=chosen, narrow=narrow),
            ),
        }
    return shown


def scope(results: Results, split: str) -> str:
    """Write how many clips of how many speakers a split has."""
    clips, speakers = results.count(split, "clip"), results.count(split, "speaker")
    return f"{counted(clips, 'clip')} of {counted(speakers, 'speaker')}"


def phones_of(results: Results, split: str) -> str:
    """Write how it is known what is said when in the clips of a split."""
    kinds = {"marks": "from their marks", "words": "from their words, aligned", "recognised": "recognised, with errors"}
    clips = results.clips[results.clips["split"] == split].drop_duplicates("clip")
    sources = clips["phones"].fillna("they are not known").value_counts().items()
    return "; ".join(f"of {counted(int(n), 'clip')} {kinds.get(str(s), f'none: {s}')}" for s, n in sources)


def define_measures() -> list[dict[str, str]]:
    """List the measures as rows: title, name, unit, which values are good, definition, source."""
    rows = []
    for name, measure in MEASURES.items():
        function: Any = measure.function
        settings: dict[str, Any] = {}
        while hasattr(function, "func"):  # a partial has no docstring of its own
            function, settings = function.func, function.keywords | settings
        definition = " ".join((inspect.getdoc(function) or "").split("\n\n")[0].replace("`", "").split())
        constants = [f"{key} = {value}" for key, value in settings.items() if isinstance(value, (int, float, str))]
        definition = definition.rstrip(".") + (f" ({', '.join(constants)})" if constants else "") + "."
        row = {"title": measure.title, "name": name, "unit": measure.unit, "source": measure.source}
        rows.append(row | {"better": BETTER.get(measure.better, measure.better), "definition": definition})
    return rows


def list_files(folder: Path, places: Mapping[str, str]) -> list[tuple[str, str]]:
    """List those files of a folder that exist, as links and what they hold."""
    return [(quote(name), text) for name, text in places.items() if (folder / name).is_file()]


def write_page(
    output: str | Path,
    *,
    summary: str | Path,
    pairs: str | Path,
    clips: Mapping[str, str | Path],
    worst: str | Path,
    zoo: str | Path | None,
    curves: Mapping[str, str | Path],
    films: str | Path | None,
    networks: Mapping[str, str],
    twins: Sequence[Sequence[str]],
    splits: Sequence[str],
    drawn: bool = True,
) -> Results:
    """Write the page of an evaluation.

    Parameters
    ----------
    output : path
        results/evaluation/summary.html.
    summary, pairs, worst : path
        Tables of results/evaluation/.
    clips : mapping of model to its results/evaluation/clips/{model}.tsv
    zoo : path or None
        results/evaluation/zoo.tsv.
    curves : mapping of model to its curve.tsv
    films : path or None
        results/evaluation/worst/; only films that are there are linked.
    networks : mapping of model to its network
        The models shown, in the order of the selection.
    twins : sequence of (model, other)
        Pairs of which the first is the resilient one.
    splits : sequence of str
        In the order of the page.
    drawn : bool
        With figures; without them the page is a few hundred kilobytes.

    Returns
    -------
    Results
        What the tables say.
    """
    results = Results(
        summary=read_summary(summary),
        pairs=read_pairs(pairs),
        clips=read_clean_clips(clips),
        worst=read_worst(worst),
        networks=networks,
    )
    looks = {model: look.sample() for model, look in figures.choose_looks(networks).items()}
    trained = (
        read_table(zoo, ("model", "learnt_from", "steps", "stopped_early", *evaluation_tables.TRAINING))
        if zoo is not None
        else pd.DataFrame()
    )
    training = None
    trained = trained[trained["model"].isin(list(networks))] if len(trained) else trained
    if len(trained):
        curved = (
            both_widths(lambda narrow: figures.curves_figure(curves, narrow=narrow), prefix="curves")
            if curves and drawn
            else None
        )
        training = {"table": evaluation_tables.training_table(trained, looks), "figure": curved}
    folder = None if films is None else Path(films)
    pairs_of_twins = [(model, other) for model, other in twins]
    pictures = {
        f"{name}_{split}.svg": f"{text}, {TITLES[split].lower()}"
        for split in splits
        for name, text in (
            ("noise", "curves over noise"),
            ("gain", "gains in noise"),
            ("speakers", "speaker by speaker"),
        )
    }
    content = {
        "corpus": str(results.summary["corpus"].iloc[0]),
        "detector": results.detector,
        "models": counted(len(networks), "model"),
        "splits": [
            show_split(results, s, looks=looks, twins=pairs_of_twins, films=folder, drawn=drawn) for s in splits
        ],
        "films": folder,
        "training": training,
        "explanations": EXPLANATIONS,
        "measures": define_measures(),
        "files": list_files(Path(output).parent, FILES | pictures),
        "clip_files": list_files(Path(output).parent, {f"clips/{m}.tsv": m for m in networks}),
        "bar": BAR,
    }
    fill("page.html", output, content)
    log.info("%s: %s on %s", output, counted(len(networks), "model"), ", ".join(splits))
    return results
