# expects: results/qc/clips.tsv, results/evaluation/ (tables and figures), results/comparison/{model}/{clip}.mp4
# produces: what report.html shows beside the figures: results/report/settings.html and .yaml, quality.html,
# evaluation.html, front.html, films/{model}.html
# reads from config: all of it; comparison
from functools import cache

from snakemake import __version__ as SNAKEMAKE


report: "../report/workflow.rst"


# A film of a clip without a face shows little, one without a sound cannot be made: the first clip of the first evaluated
# split that the quality table accepts. It is asked for while jobs are planned, so make report makes the table beforehand.
FILM_CLIP = cache(lambda: [*usable(EVALUATED[0]), *CLIPS.index[CLIPS["split"] == EVALUATED[0]]][0])


wildcard_constraints:
    shown=only(LOOKED),


rule write_settings:
    input:
        shipped=HOME / "config" / "config.yaml",
        envs=sorted((HOME / "envs").glob("*.yaml")),
    output:
        page=report(
            "results/report/settings.html",
            caption="../report/settings.rst",
            category="1. Settings",
            labels={"page": "settings, models, versions"},
        ),
        resolved="results/report/settings.yaml",
    log:
        "results/logs/write_settings/settings.log",
    benchmark:
        "results/benchmarks/write_settings/settings.tsv"
    conda:
        "../../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("write_settings"),
        settings=config,
        models={model: MODELS[model] for model in SELECTED},
        clips=CLIPS["split"].value_counts(sort=False).to_dict(),
        speakers=CLIPS.groupby("split")["speaker"].nunique().to_dict() | {"all": CLIPS["speaker"].nunique()},
        snakemake=SNAKEMAKE,
    message:
        "Writing down the settings"
    script:
        "../scripts/write_settings.py"


rule write_quality:
    input:
        table="results/qc/clips.tsv",
    output:
        page=report(
            "results/report/quality.html",
            caption="../report/quality.rst",
            category="2. Clips",
            labels={"page": "quality, clip by clip"},
        ),
    log:
        "results/logs/write_quality/quality.log",
    benchmark:
        "results/benchmarks/write_quality/quality.tsv"
    conda:
        "../../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("write_quality"),
    message:
        "Writing the page of quality control"
    script:
        "../scripts/write_quality.py"


rule write_tables:
    input:
        summary="results/evaluation/summary.tsv",
        pairs="results/evaluation/pairs.tsv",
        worst="results/evaluation/worst.tsv",
        zoo="results/evaluation/zoo.tsv",
        clips=JUDGED_CLIPS,
        quality="results/qc/clips.tsv",
    output:
        page=report(
            "results/report/evaluation.html",
            caption="../report/tables.rst",
            category="4. Evaluation",
            labels={"split": "all", "figure": "tables"},
        ),
        front="results/report/front.html",
    log:
        "results/logs/write_tables/tables.log",
    benchmark:
        "results/benchmarks/write_tables/tables.tsv"
    conda:
        "../../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=20,
    params:
        code=code_of("write_tables"),
        networks=NETWORKS,
        twins=TWINS,
        splits=EVALUATED,
        corpus=CORPUS,
        trained=CURVES,
        seed=config["seed"],
    message:
        "Writing the tables of the report"
    script:
        "../scripts/write_tables.py"


rule write_film:
    input:
        film=lambda w: f"results/comparison/{w.shown}/{FILM_CLIP()}.mp4",
    output:
        page=report(
            "results/report/films/{shown}.html",
            caption="../report/films.rst",
            category="5. Films",
            labels=lambda w: {"model": w.shown, "clip": FILM_CLIP()},
        ),
    log:
        "results/logs/write_film/{shown}.log",
    benchmark:
        "results/benchmarks/write_film/{shown}.tsv"
    conda:
        "../../envs/drawing.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("write_film"),
        title=lambda w: f"{FILM_CLIP()} as {w.shown} predicts it",
        text="Source video, its landmarks and the prediction, in step, with the sound.",
        clip=lambda w: FILM_CLIP(),
        split=EVALUATED[0],
        layout=config["comparison"]["layout"],
        panel=config["comparison"]["panel"],
        style=config["comparison"]["style"],
    message:
        "Preparing the film of {wildcards.shown} for the report"
    script:
        "../scripts/write_film.py"


rule report_all:
    input:
        rules.write_settings.output,
        rules.write_quality.output,
        rules.write_tables.output,
        rules.evaluate_all.input,
        expand("results/evaluation/{figure}_{split}.svg", figure=["noise", "gain", "speakers"], split=EVALUATED),
        expand("results/report/films/{shown}.html", shown=LOOKED),
        "results/viewer.html",
