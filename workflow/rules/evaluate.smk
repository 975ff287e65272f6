# expects: results/dataset/{corpus}.h5, results/models/{model}/
# produces: results/evaluation/{model}.tsv, summary.tsv (layout: talkface/evaluation.py), zoo.tsv (layout:
# talkface/comparison.py), curves.svg
# reads from config: evaluate, seed, training.device


# An imported model was not trained here.
CURVES = [model for model in SELECTED if model not in IMPORTED]


# A model may be named like a table.
ruleorder: summarise_evaluation > compare_models > evaluate_model


rule evaluate_model:
    input:
        dataset=f"results/dataset/{CORPUS}.h5",
        weights="results/models/{model}/weights.pt",
        code=modules("evaluation", "metrics", "prediction", "features"),
    output:
        table="results/evaluation/{model}.tsv",
    log:
        "results/logs/evaluate_model/{model}.log",
    benchmark:
        "results/benchmarks/evaluate_model/{model}.tsv"
    wildcard_constraints:
        model=but(EXTERNAL),
    conda:
        "../../envs/torch.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        split=EVALUATED[0],
        seed=config["seed"],
        device=config["training"]["device"],
    message:
        "Measuring {wildcards.model} on the test clips"
    script:
        "../scripts/evaluate_model.py"


rule summarise_evaluation:
    input:
        tables=expand("results/evaluation/{model}.tsv", model=COMPARED),
        dataset=f"results/dataset/{CORPUS}.h5",
        code=modules("evaluation", "metrics"),
    output:
        table="results/evaluation/summary.tsv",
    log:
        "results/logs/summarise_evaluation/summary.log",
    benchmark:
        "results/benchmarks/summarise_evaluation/summary.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=20,
    params:
        models=COMPARED,
        split=EVALUATED[0],
        seed=config["seed"],
    message:
        "Gathering the measures of all models"
    script:
        "../scripts/summarise_evaluation.py"


rule compare_models:
    input:
        summary="results/evaluation/summary.tsv",
        weights=expand("results/models/{model}/weights.pt", model=SELECTED),
        code=modules("comparison"),
    output:
        table="results/evaluation/zoo.tsv",
    log:
        "results/logs/compare_models/zoo.log",
    benchmark:
        "results/benchmarks/compare_models/zoo.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        models=SELECTED,
    message:
        "Putting the models side by side"
    script:
        "../scripts/compare_models.py"


rule plot_curves:
    input:
        curves=expand("results/models/{model}/curve.tsv", model=CURVES),
        code=modules("figures"),
    output:
        picture=report(
            "results/evaluation/curves.svg",
            caption="../report/curves.rst",
            category="Training",
        ),
    log:
        "results/logs/plot_curves/curves.log",
    benchmark:
        "results/benchmarks/plot_curves/curves.tsv"
    conda:
        "../../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        models=CURVES,
    message:
        "Drawing the curves of training"
    script:
        "../scripts/plot_curves.py"


rule evaluate_all:
    input:
        "results/evaluation/summary.tsv",
        "results/evaluation/curves.svg",
