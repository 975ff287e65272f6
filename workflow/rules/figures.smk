# expects: results/evaluation/ (summary.tsv, pairs.tsv, clips/{model}.tsv, worst.h5), results/models/{corpus}/{model}/curve.tsv; of a
# clip results/audio/{clip}.wav, results/predictions/{model}/{clip}.npy and, of one of the sheet, its file of marks,
# results/shapes/{speaker}.h5, results/landmarks/{shard}.h5, results/audio/{shard}.h5
# produces: results/evaluation/curves.svg, noise_{split}.svg, gain_{split}.svg, speakers_{split}.svg,
# results/evaluation/worst/{model}/{clip}.mp4; results/curves/{clip}.svg, results/curves/{model}/{clip}.svg
# reads from config: qc; through common.smk look


wildcard_constraints:
    split=only(selection.splits),


rule plot_curves:
    input:
        curves=[f"{selection.own_folder(model)}/curve.tsv" for model in selection.with_curve],
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
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("plot_curves"),
        models=selection.with_curve,
    message:
        "Drawing the curves of training"
    script:
        "../scripts/plot_curves.py"


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
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("plot_noise"),
        networks=selection.networks,
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
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("plot_gain"),
        networks=selection.networks,
        twins=selection.twins,
    message:
        "Drawing gains over noise, {wildcards.split}"
    script:
        "../scripts/plot_gain.py"


rule plot_speakers:
    input:
        clips=expand("results/evaluation/clips/{model}.tsv", model=selection.networks),
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
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("plot_speakers"),
        networks=selection.networks,
    message:
        "Drawing errors speaker by speaker, {wildcards.split}"
    script:
        "../scripts/plot_speakers.py"


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


rule draw_curves:
    input:
        shapes=of_speech("shapes"),
        landmarks=of_speech("landmarks"),
        sound=of_speech("sound"),
        marks=lambda w: selection.marks(w.clip) or [],
        audio="results/audio/{clip}.wav",
        predictions=of_shown,
    output:
        picture="results/curves/{clip}.svg",
    log:
        "results/logs/draw_curves/{clip}.log",
    benchmark:
        "results/benchmarks/draw_curves/{clip}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code_of("draw_curves"),
        models=lambda w: selection.shown_of(w.clip),
        colours=colours(),
        qc=config["qc"],
        start_s=lambda w: selection.start_s(w.clip),
        end_s=lambda w: selection.end_s(w.clip),
    message:
        "Drawing the mouth opening of {wildcards.clip} over its sound"
    script:
        "../scripts/draw_curves.py"


use rule draw_curves as draw_curves_of_model with:
    input:
        shapes=of_speech("shapes"),
        landmarks=of_speech("landmarks"),
        sound=of_speech("sound"),
        marks=lambda w: selection.marks(w.clip) or [],
        audio="results/audio/{clip}.wav",
        predictions=lambda w: [of_model(w)],
    output:
        picture="results/curves/{model}/{clip}.svg",
    log:
        "results/logs/draw_curves_of_model/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/draw_curves_of_model/{model}/{clip}.tsv"
    params:
        models=lambda w: [w.model],
        colours=lambda w: colours(w.model),
    message:
        "Drawing the mouth opening of {wildcards.clip} as {wildcards.model} predicts it, over its sound"


rule curves_all:
    input:
        lambda w: expand("results/curves/{clip}.svg", clip=selection.usable("test")),
