# expects: results/audio/{clip}.wav, results/predictions/{model}/{clip}.npy; of a clip of the sheet also its file of marks,
# results/shapes/{speaker}.h5, results/landmarks/{shard}.h5, results/audio/{shard}.h5; results/dataset/{corpus}.h5
# produces: results/curves/{clip}.svg, results/curves/{model}/{clip}.svg, results/evaluation/rmse_{clip}.tsv,
# results/evaluation/{model}/rmse_{clip}.tsv (layout: talkface/clip_rmse.py)
# reads from config: look, qc, seed
from talkface.style import colour_of

# Whose face a clip's truth is, and why there is none: shapes from identity, reasons from quality.
JUDGING = modules("views", "identity", "quality", "sync", "points", "predicted", "metrics")


def truth_of(clip):
    """What says how a clip of the sheet really moves; its names are those of the rules' inputs."""
    shard = SHARD_OF[clip]
    return {
        "shapes": f"results/shapes/{CLIPS.at[clip, 'speaker']}.h5",
        "landmarks": f"results/landmarks/{shard}.h5",
        "sound": f"results/audio/{shard}.h5",
    }


def known_of(clip):
    """The same with the marks, where the sheet names any; nothing of a speech file."""
    if clip not in CLIPS.index:
        return {}
    marks = CLIPS.at[clip, "marks"]
    return truth_of(clip) | ({"marks": marks} if marks else {})


def looked(clip):
    """The models to show that have this clip: predictions made elsewhere may be of some clips alone."""
    return [model for model in LOOKED if model not in EXTERNAL or clip in FOUND[model]]


rule draw_curves:
    input:
        unpack(lambda w: known_of(w.clip)),
        audio="results/audio/{clip}.wav",
        predictions=lambda w: [f"results/predictions/{model}/{w.clip}.npy" for model in looked(w.clip)],
        code=JUDGING + modules("clip_curves", "spectrogram", "marks", "figures", "style"),
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
        models=lambda w: looked(w.clip),
        colours=colour_of(LOOKED),
        qc=config["qc"],
        start_s=lambda w: stretch(w.clip, "start_s"),
        end_s=lambda w: stretch(w.clip, "end_s"),
    message:
        "Drawing the mouth opening of {wildcards.clip} over its sound"
    script:
        "../scripts/draw_curves.py"


use rule draw_curves as draw_curves_of_model with:
    input:
        unpack(lambda w: known_of(w.clip)),
        audio="results/audio/{clip}.wav",
        predictions=lambda w: [SOURCES[w.model] and f"results/predictions/{w.model}/{w.clip}.npy"],
        code=JUDGING + modules("clip_curves", "spectrogram", "marks", "figures", "style"),
    output:
        picture="results/curves/{model}/{clip}.svg",
    log:
        "results/logs/draw_curves_of_model/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/draw_curves_of_model/{model}/{clip}.tsv"
    params:
        models=lambda w: [w.model],
        colours=lambda w: colour_of([*LOOKED, w.model]),
        qc=config["qc"],
        start_s=lambda w: stretch(w.clip, "start_s"),
        end_s=lambda w: stretch(w.clip, "end_s"),
    message:
        "Drawing the mouth opening of {wildcards.clip} as {wildcards.model} predicts it, over its sound"


rule curves_all:
    input:
        expand("results/curves/{clip}.svg", clip=CLIPS.index[CLIPS.split == "test"]),


rule measure_rmse:
    input:
        unpack(lambda w: truth_of(w.clip)),
        predictions=lambda w: [f"results/predictions/{model}/{w.clip}.npy" for model in looked(w.clip)],
        dataset=f"results/dataset/{CORPUS}.h5",
        code=JUDGING + modules("clip_rmse"),
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
        models=lambda w: looked(w.clip),
        qc=config["qc"],
        seed=config["seed"],
    message:
        "Measuring {wildcards.clip} as the replication toolkit does"
    script:
        "../scripts/measure_rmse.py"


use rule measure_rmse as measure_rmse_of_model with:
    input:
        unpack(lambda w: truth_of(w.clip)),
        predictions=lambda w: [SOURCES[w.model] and f"results/predictions/{w.model}/{w.clip}.npy"],
        dataset=f"results/dataset/{CORPUS}.h5",
        code=JUDGING + modules("clip_rmse"),
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
        qc=config["qc"],
        seed=config["seed"],
    message:
        "Measuring {wildcards.clip} as {wildcards.model} predicts it, as the replication toolkit does"


rule rmse_all:
    input:
        expand("results/evaluation/rmse_{clip}.tsv", clip=CLIPS.index),
