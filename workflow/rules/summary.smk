# expects: results/evaluation/ (summary.tsv, pairs.tsv, worst.tsv, zoo.tsv, clips/{model}.tsv), results/models/{model}/,
# results/dataset/{corpus}.h5, results/audio/{shard}.h5
# produces: results/evaluation/summary.html, noise_{split}.svg, gain_{split}.svg, speakers_{split}.svg,
# worst.h5 (layout: talkface/worst.py), worst/{model}/{clip}.mp4
# reads from config: seed, training.device


# Figures colour a model by its network; predictions made elsewhere share a colour.
NETWORKS = {model: MODELS[model]["network"] if model in SELECTED else "elsewhere" for model in COMPARED}
# Models trained with noise, and the same without; and, for the ones without memory, those that know their last face.
TWINS = [
    (model, other)
    for model in COMPARED
    if "_nr" in model
    for other in dict.fromkeys([model.replace("_nr", ""), model.replace("_nr", "_tc")])
    if other in COMPARED
]
JUDGED_CLIPS = expand("results/evaluation/clips/{model}.tsv", model=NETWORKS)


wildcard_constraints:
    split=only(EVALUATED),


rule plot_noise:
    input:
        summary="results/evaluation/summary.tsv",
    output:
        picture=report(
            "results/evaluation/noise_{split}.svg",
            caption="../report/noise.rst",
            category="4. Evaluation",
            labels={"split": "{split}", "figure": "over noise"},
        ),
    log:
        "results/logs/plot_noise/{split}.log",
    benchmark:
        "results/benchmarks/plot_noise/{split}.tsv"
    conda:
        "../../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("plot_noise"),
        networks=NETWORKS,
    message:
        "Drawing errors over noise, {wildcards.split}"
    script:
        "../scripts/plot_noise.py"


rule plot_gain:
    input:
        pairs="results/evaluation/pairs.tsv",
        summary="results/evaluation/summary.tsv",
    output:
        picture=report(
            "results/evaluation/gain_{split}.svg",
            caption="../report/gain.rst",
            category="4. Evaluation",
            labels={"split": "{split}", "figure": "gains"},
        ),
    log:
        "results/logs/plot_gain/{split}.log",
    benchmark:
        "results/benchmarks/plot_gain/{split}.tsv"
    conda:
        "../../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("plot_gain"),
        networks=NETWORKS,
        twins=TWINS,
    message:
        "Drawing gains over noise, {wildcards.split}"
    script:
        "../scripts/plot_gain.py"


rule plot_speakers:
    input:
        clips=JUDGED_CLIPS,
        summary="results/evaluation/summary.tsv",
    output:
        picture=report(
            "results/evaluation/speakers_{split}.svg",
            caption="../report/speakers.rst",
            category="4. Evaluation",
            labels={"split": "{split}", "figure": "by speaker"},
        ),
    log:
        "results/logs/plot_speakers/{split}.log",
    benchmark:
        "results/benchmarks/plot_speakers/{split}.tsv"
    conda:
        "../../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("plot_speakers"),
        networks=NETWORKS,
    message:
        "Drawing errors speaker by speaker, {wildcards.split}"
    script:
        "../scripts/plot_speakers.py"


rule predict_worst:
    input:
        worst="results/evaluation/worst.tsv",
        dataset=f"results/dataset/{CORPUS}.h5",
        audio=JUDGED_AUDIO,
        weights=expand("results/models/{model}/weights.pt", model=SELECTED),
    output:
        faces="results/evaluation/worst.h5",
    log:
        "results/logs/predict_worst/worst.log",
    benchmark:
        "results/benchmarks/predict_worst/worst.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        code=code_of("predict_worst"),
        models=SELECTED,
        folders=EXTERNAL,
        seed=config["seed"],
        device=config["training"]["device"],
    message:
        "Predicting the worst clips"
    script:
        "../scripts/predict_worst.py"


rule draw_worst:
    input:
        faces="results/evaluation/worst.h5",
    output:
        films=directory("results/evaluation/worst"),
    log:
        "results/logs/draw_worst/worst.log",
    benchmark:
        "results/benchmarks/draw_worst/worst.tsv"
    conda:
        "../../envs/drawing.yaml"
    threads: 2
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        code=code_of("draw_worst"),
    message:
        "Filming the worst clips beside the truth"
    script:
        "../scripts/draw_worst.py"


rule write_page:
    input:
        summary="results/evaluation/summary.tsv",
        pairs="results/evaluation/pairs.tsv",
        worst="results/evaluation/worst.tsv",
        zoo="results/evaluation/zoo.tsv",
        clips=JUDGED_CLIPS,
        curves=expand("results/models/{model}/curve.tsv", model=CURVES),
        films="results/evaluation/worst",
        # Linked by the page.
        pictures=[
            "results/evaluation/curves.svg",
            *expand("results/evaluation/{figure}_{split}.svg", figure=["noise", "gain", "speakers"], split=EVALUATED),
        ],
    output:
        page="results/evaluation/summary.html",
    log:
        "results/logs/write_page/summary.log",
    benchmark:
        "results/benchmarks/write_page/summary.tsv"
    conda:
        "../../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=20,
    params:
        code=code_of("write_page"),
        networks=NETWORKS,
        twins=TWINS,
        trained=CURVES,
        splits=EVALUATED,
    message:
        "Writing the page of the evaluation"
    script:
        "../scripts/write_page.py"
