# expects: results/qc/clips.tsv, results/evaluation/ (tables and figures), results/models/{corpus}/{model}/curve.tsv,
# results/comparison/{model}/{clip}.mp4, results/head/{person}/{clip}.mp4 and quality.tsv
# produces: results/evaluation/summary.html, and what report.html shows beside the figures: results/report/settings.html and
# .yaml, quality.html, evaluation.html, front.html, films/{model}.html,
# heads/{person}/{clip}.html
# reads from config: all of it; comparison
from snakemake import __version__ as snakemake_version


report: "../report/workflow.rst"


wildcard_constraints:
    shown=only(selection.shown),


rule write_page:
    input:
        summary="results/evaluation/summary.tsv",
        pairs="results/evaluation/pairs.tsv",
        worst="results/evaluation/worst.tsv",
        zoo="results/evaluation/zoo.tsv",
        clips=expand("results/evaluation/clips/{model}.tsv", model=selection.networks),
        curves=[f"{selection.own_folder(model)}/curve.tsv" for model in selection.with_curve],
        films="results/evaluation/worst",
        # Linked by the page.
        pictures=[
            "results/evaluation/curves.svg",
            *expand(
                "results/evaluation/{figure}_{split}.svg", figure=["noise", "gain", "speakers"], split=selection.splits
            ),
        ],
    output:
        page="results/evaluation/summary.html",
    log:
        "results/logs/write_page/summary.log",
    benchmark:
        "results/benchmarks/write_page/summary.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=20,
    params:
        code=code_of("write_page"),
        networks=selection.networks,
        twins=selection.twins,
        trained=selection.with_curve,
        splits=selection.splits,
    message:
        "Writing the page of the evaluation"
    script:
        "../scripts/write_page.py"


rule write_settings:
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
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        **selection.counts(),
        code=code_of("write_settings"),
        # A Path is no cause to run again: where the workflow lies does not matter, what stands in its files does.
        home=selection.home,
        home_content=selection.content_of("config/config.yaml", "envs/*.yaml"),
        settings=config,
        models={model: selection.models[model] for model in selection.selected},
        snakemake=snakemake_version,
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
        "../../envs/report.yaml"
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
        clips=expand("results/evaluation/clips/{model}.tsv", model=selection.networks),
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
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=20,
    params:
        code=code_of("write_tables"),
        networks=selection.networks,
        twins=selection.twins,
        splits=selection.splits,
        corpus=selection.corpus,
        trained=selection.with_curve,
        seed=config["seed"],
    message:
        "Writing the tables of the report"
    script:
        "../scripts/write_tables.py"


rule write_film:
    input:
        film=lambda w: f"results/comparison/{w.shown}/{selection.film_clip}.mp4",
    output:
        page=report(
            "results/report/films/{shown}.html",
            caption="../report/films.rst",
            category="5. Films",
            labels=lambda w: {"model": w.shown, "clip": selection.film_clip},
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
        title=lambda w: f"{selection.film_clip} as {w.shown} predicts it",
        text="Source video, its landmarks and the prediction, in step, with the sound.",
        clip=lambda w: selection.film_clip,
        split=lambda w: selection.splits[0],
        layout=config["comparison"]["layout"],
        panel=config["comparison"]["panel"],
        style=config["comparison"]["style"],
    message:
        "Preparing the film of {wildcards.shown} for the report"
    script:
        "../scripts/write_film.py"


# Of talking heads that were made when jobs are planned.
rule write_head_film:
    input:
        film="results/head/{person}/{clip}.mp4",
        table="results/head/{person}/{clip}/quality.tsv",
    output:
        page=report(
            "results/report/heads/{person}/{clip}.html",
            caption="../report/heads.rst",
            category="6. Talking heads",
            labels={"person": "{person}", "speech": "{clip}"},
        ),
    log:
        "results/logs/write_head_film/{person}/{clip}.log",
    benchmark:
        "results/benchmarks/write_head_film/{person}/{clip}.tsv"
    conda:
        "../../envs/drawing.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("write_head_film"),
        title=lambda w: f"{w.person} says {w.clip}",
        pose=config["head"]["pose"],
        picture=config["head"]["picture"],
    message:
        "Preparing the film of {wildcards.person} who says {wildcards.clip} for the report"
    script:
        "../scripts/write_head_film.py"


rule report_all:
    input:
        rules.write_settings.output,
        rules.write_quality.output,
        rules.write_tables.output,
        rules.evaluate_all.input,
        expand("results/evaluation/{figure}_{split}.svg", figure=["noise", "gain", "speakers"], split=selection.splits),
        expand("results/report/films/{shown}.html", shown=selection.shown),
        [f"results/report/heads/{person}/{clip}.html" for person, clip in selection.heads],
        "results/viewer.html",
