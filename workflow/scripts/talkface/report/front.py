"""Opening of the report and its tables: what was trained on what, which model is best and how sure that is."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from talkface.files import writing
from talkface.report.cells import counted, name_model
from talkface.report.evaluation_page import TITLES, write_page
from talkface.report.quality_page import read_quality
from talkface.report.verdict import judge

log = logging.getLogger(__name__)


def listed(names: Sequence[str]) -> Markup:
    """Join model names for a sentence."""
    found = [name_model(name) for name in names]
    return Markup(" and ").join([Markup(", ").join(found[:-1]), found[-1]] if len(found) > 1 else found)


def describe(
    quality: str | Path, *, corpus: str, trained: Sequence[str], others: Sequence[str], seed: int
) -> list[Markup]:
    """Write what was trained on what, as sentences."""
    table = read_quality(quality)
    used = table[table["accepted"] == "yes"]
    training = used[used["split"] == "train"]
    minutes = float(training["duration_s"].sum()) / 60
    said = [
        Markup("Corpus {}: {} of {}, {} of them used.").format(
            name_model(corpus), counted(len(table), "clip"), counted(table["speaker"].nunique(), "speaker"), len(used)
        )
    ]
    if trained:
        words = listed(trained), counted(len(training), "clip"), counted(training["speaker"].nunique(), "speaker")
        said.append(Markup("Trained on {1} of {2} ({3:.1f} minutes), seed {4}: {0}.").format(*words, minutes, seed))
    if others:
        said.append(Markup("Made elsewhere: {}.").format(listed(others)))
    return said


def write_tables(
    page: str | Path,
    front: str | Path,
    *,
    tables: Mapping[str, str | Path],
    clips: Mapping[str, str | Path],
    networks: Mapping[str, str],
    twins: Sequence[Sequence[str]],
    splits: Sequence[str],
    quality: str | Path,
    corpus: str,
    trained: Sequence[str],
    seed: int,
) -> None:
    """Write the tables of the evaluation without figures, and the opening of the report.

    Parameters
    ----------
    page : path
        results/report/evaluation.html; its folder holds none of the tables, so that it links nothing.
    front : path
        results/report/front.html: paragraphs, to stand in a page.
    tables : mapping
        `summary`, `pairs`, `worst` and `zoo`: tables of results/evaluation/.
    clips, networks, twins, splits
        See `evaluation_page.write_page`.
    quality : path
        results/qc/clips.tsv.
    corpus : str
    trained : sequence of str
        Models that were trained here.
    seed : int
    """
    results = write_page(
        page, **tables, clips=clips, curves={}, films=None, networks=networks, twins=twins, splits=splits, drawn=False
    )  # fmt: skip
    others = [model for model in networks if model not in trained]
    opening = Markup(" ").join(describe(quality, corpus=corpus, trained=trained, others=others, seed=seed))
    parts = [Markup("<p>{}</p>").format(opening)]
    for split in splits:
        sentences = Markup(" ").join(judge(results, split))
        parts.append(Markup("<h2>{}</h2>\n<p>{}</p>").format(TITLES[split], sentences))
    with writing(front) as temporary:
        temporary.write_text("\n".join(parts) + "\n", encoding="utf-8")
    log.info("%s, %s", page, front)
