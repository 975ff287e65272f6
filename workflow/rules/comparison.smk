# expects: the videos of the sheet, results/landmarks/{shard}.h5, results/shapes/{speaker}.h5, results/audio/{shard}.h5,
# results/audio/{clip}.wav, results/predictions/{model}/{clip}.npy
# produces: results/comparison/{clip}.mp4, results/comparison/{model}/{clip}.mp4
# reads from config: comparison, qc; through common.smk look
# A speech file has neither video nor landmarks: its film shows predictions alone.


rule draw_comparison:
    input:
        video=of_speech("video"),
        landmarks=of_speech("landmarks"),
        shapes=of_speech("shapes"),
        sound=of_speech("sound"),
        audio="results/audio/{clip}.wav",
        predictions=of_shown,
    output:
        film="results/comparison/{clip}.mp4",
    log:
        "results/logs/draw_comparison/{clip}.log",
    benchmark:
        "results/benchmarks/draw_comparison/{clip}.tsv"
    conda:
        "../../envs/drawing.yaml"
    threads: 2
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        code=code_of("draw_comparison"),
        shown=lambda w: selection.shown_of(w.clip),
        models=selection.shown,
        qc=config["qc"],
        start_s=lambda w: selection.start_s(w.clip),
        end_s=lambda w: selection.end_s(w.clip),
        layout=config["comparison"]["layout"],
        panel=config["comparison"]["panel"],
        style=config["comparison"]["style"],
    message:
        "Filming {wildcards.clip}, its landmarks and what models predict"
    script:
        "../scripts/draw_comparison.py"


use rule draw_comparison as draw_model_comparison with:
    input:
        video=of_speech("video"),
        landmarks=of_speech("landmarks"),
        shapes=of_speech("shapes"),
        sound=of_speech("sound"),
        audio="results/audio/{clip}.wav",
        predictions=lambda w: [of_model(w)],
    output:
        film="results/comparison/{model}/{clip}.mp4",
    log:
        "results/logs/draw_model_comparison/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/draw_model_comparison/{model}/{clip}.tsv"
    params:
        shown=lambda w: [w.model],
    message:
        "Filming {wildcards.clip}, its landmarks and what {wildcards.model} predicts"


rule comparison_all:
    input:
        lambda w: expand("results/comparison/{clip}.mp4", clip=selection.usable("test")),
