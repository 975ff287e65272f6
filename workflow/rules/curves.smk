# expects: results/audio/{clip}.wav, results/predictions/{model}/{clip}.npy; of a clip of the sheet also its file of marks,
# results/shapes/{speaker}.h5, results/landmarks/{shard}.h5, results/audio/{shard}.h5; results/dataset/{corpus}.h5
# produces: results/curves/{clip}.svg, results/curves/{model}/{clip}.svg, results/evaluation/rmse_{clip}.tsv,
# results/evaluation/{model}/rmse_{clip}.tsv (layout: talkface/clip_rmse.py)
# reads from config: look, qc, seed

# The file that says what is said when, where the sheet names one.
MARKS = lambda w: CLIPS.at[w.clip, "marks"] or [] if w.clip in CLIPS.index else []


rule draw_curves:
    input:
        shapes=OF_SPEECH["shapes"],
        landmarks=OF_SPEECH["landmarks"],
        sound=OF_SPEECH["sound"],
        marks=MARKS,
        audio="results/audio/{clip}.wav",
        predictions=lambda w: [f"results/predictions/{model}/{w.clip}.npy" for model in looked(w.clip)],
    output:
        picture="results/curves/{clip}.svg",
    log:
        "results/logs/draw_curves/{clip}.log",
    benchmark:
        "results/benchmarks/draw_curves/{clip}.tsv"
    conda:
        "../../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code_of("draw_curves"),
        models=lambda w: looked(w.clip),
        colours=colours(),
        qc=config["qc"],
        start_s=lambda w: stretch(w.clip, "start_s"),
        end_s=lambda w: stretch(w.clip, "end_s"),
    message:
        "Drawing the mouth opening of {wildcards.clip} over its sound"
    script:
        "../scripts/draw_curves.py"


use rule draw_curves as draw_curves_of_model with:
    input:
        shapes=OF_SPEECH["shapes"],
        landmarks=OF_SPEECH["landmarks"],
        sound=OF_SPEECH["sound"],
        marks=MARKS,
        audio="results/audio/{clip}.wav",
        predictions=lambda w: [OF_MODEL["predictions"](w)],
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
        lambda w: expand("results/curves/{clip}.svg", clip=usable("test")),


rule measure_rmse:
    input:
        shapes=OF_CLIP["shapes"],
        landmarks=OF_CLIP["landmarks"],
        sound=OF_CLIP["sound"],
        predictions=lambda w: [f"results/predictions/{model}/{w.clip}.npy" for model in looked(w.clip)],
        dataset=f"results/dataset/{CORPUS}.h5",
    output:
        table="results/evaluation/rmse_{clip}.tsv",
    log:
        "results/logs/measure_rmse/{clip}.log",
    benchmark:
        "results/benchmarks/measure_rmse/{clip}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code_of("measure_rmse"),
        models=lambda w: looked(w.clip),
        qc=config["qc"],
        seed=config["seed"],
    message:
        "Measuring {wildcards.clip} as the replication toolkit does"
    script:
        "../scripts/measure_rmse.py"


use rule measure_rmse as measure_rmse_of_model with:
    input:
        shapes=OF_CLIP["shapes"],
        landmarks=OF_CLIP["landmarks"],
        sound=OF_CLIP["sound"],
        predictions=lambda w: [OF_MODEL["predictions"](w)],
        dataset=f"results/dataset/{CORPUS}.h5",
    output:
        table="results/evaluation/{model}/rmse_{clip}.tsv",
    log:
        "results/logs/measure_rmse_of_model/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/measure_rmse_of_model/{model}/{clip}.tsv"
    wildcard_constraints:
        model=but(["clips"]),  # whose tables another rule writes
    params:
        models=lambda w: [w.model],
    message:
        "Measuring {wildcards.clip} as {wildcards.model} predicts it, as the replication toolkit does"


rule rmse_all:
    input:
        lambda w: expand("results/evaluation/rmse_{clip}.tsv", clip=usable()),
