# expects: results/dataset/{corpus}.h5, results/models/{model}/, results/audio/{shard}.h5, results/evaluation/noise.h5,
# results/evaluation/detector/{shard}.h5
# produces: results/evaluation/clips/{model}.tsv, floors.tsv (layout: talkface/evaluation.py), summary.tsv, pairs.tsv,
# worst.tsv (layout: talkface/summary.py), zoo.tsv (layout: talkface/comparison.py), curves.svg
# reads from config: evaluate, split_by, seed, training.device


# An imported model was not trained here.
CURVES = [model for model in SELECTED if model not in IMPORTED]
# What has a table of clips of its own: models, their further seeds, predictions made elsewhere.
ENTRIES = [*TRAINED, *EXTERNAL]
JUDGED_SHARDS = list(dict.fromkeys(SHARD_OF[clip] for clip in CLIPS.index[CLIPS["split"].isin(EVALUATED)]))
JUDGED_AUDIO = expand("results/audio/{shard}.h5", shard=JUDGED_SHARDS)


rule evaluate_model:
    input:
        dataset=f"results/dataset/{CORPUS}.h5",
        audio=JUDGED_AUDIO,
        noise="results/evaluation/noise.h5",
        training_noise=lambda w: [*filter(None, [MODELS[w.model].get("noise")])],
        sheet=str(SHEET),
        weights="results/models/{model}/weights.pt",
    output:
        table="results/evaluation/clips/{model}.tsv",
    log:
        "results/logs/evaluate_model/{model}.log",
    benchmark:
        "results/benchmarks/evaluate_model/{model}.tsv"
    wildcard_constraints:
        model=but(EXTERNAL),
    conda:
        "../../envs/torch.yaml"
    # Clips are short: models side by side take less time than threads that wait for each other.
    threads: 1
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        code=code_of("evaluate_model"),
        splits=EVALUATED,
        split_by=config["split_by"],
        snr_db=config["evaluate"]["snr_db"],
        seed=config["seed"],
        device=config["training"]["device"],
    message:
        "Measuring {wildcards.model}, clean and in noise"
    script:
        "../scripts/evaluate_model.py"


rule measure_floors:
    input:
        dataset=f"results/dataset/{CORPUS}.h5",
        audio=JUDGED_AUDIO,
        detector=expand("results/evaluation/detector/{shard}.h5", shard=JUDGED_SHARDS),
        sheet=str(SHEET),
    output:
        table="results/evaluation/floors.tsv",
    log:
        "results/logs/measure_floors/floors.log",
    benchmark:
        "results/benchmarks/measure_floors/floors.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        code=code_of("measure_floors"),
        splits=EVALUATED,
        split_by=config["split_by"],
    message:
        "Measuring what knows nothing, and what knows nearly all"
    script:
        "../scripts/measure_floors.py"


rule summarise_evaluation:
    input:
        tables=expand("results/evaluation/clips/{model}.tsv", model=ENTRIES),
        floors="results/evaluation/floors.tsv",
        weights=expand("results/models/{model}/weights.pt", model=SELECTED),
    output:
        summary="results/evaluation/summary.tsv",
        pairs="results/evaluation/pairs.tsv",
        worst="results/evaluation/worst.tsv",
    log:
        "results/logs/summarise_evaluation/summary.log",
    benchmark:
        "results/benchmarks/summarise_evaluation/summary.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        code=code_of("summarise_evaluation"),
        entries=ENTRIES,
        models=SELECTED,
        seeds=SEEDED,
        worst_clips=config["evaluate"]["worst"],
        seed=config["seed"],
    message:
        "Gathering the measures of all models"
    script:
        "../scripts/summarise_evaluation.py"


rule compare_models:
    input:
        summary="results/evaluation/summary.tsv",
        weights=expand("results/models/{model}/weights.pt", model=SELECTED),
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
        code=code_of("compare_models"),
        models=SELECTED,
        split=EVALUATED[0],
    message:
        "Putting the models side by side"
    script:
        "../scripts/compare_models.py"


rule plot_curves:
    input:
        curves=expand("results/models/{model}/curve.tsv", model=CURVES),
    output:
        picture=report(
            "results/evaluation/curves.svg",
            caption="../report/curves.rst",
            category="3. Training",
            labels={"figure": "losses by step"},
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
        code=code_of("plot_curves"),
        models=CURVES,
    message:
        "Drawing the curves of training"
    script:
        "../scripts/plot_curves.py"


rule evaluate_all:
    input:
        "results/evaluation/summary.tsv",
        "results/evaluation/curves.svg",
        "results/evaluation/summary.html",
