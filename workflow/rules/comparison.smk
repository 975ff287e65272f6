# expects: the videos of the sheet, results/landmarks/{shard}.h5, results/shapes/{speaker}.h5, results/audio/{shard}.h5,
# results/audio/{clip}.wav, results/predictions/{model}/{clip}.npy
# produces: results/comparison/{clip}.mp4, results/comparison/{model}/{clip}.mp4
# reads from config: comparison, qc; through look.smk look

# A speech file has neither video nor landmarks: its film shows predictions alone.
FILMED = {name: OF_SPEECH[name] for name in ("video", "landmarks", "shapes", "sound")}


rule draw_comparison:
    input:
        **FILMED,
        audio="results/audio/{clip}.wav",
        predictions=lambda w: [f"results/predictions/{model}/{w.clip}.npy" for model in looked(w.clip)],
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
        shown=lambda w: looked(w.clip),
        models=LOOKED,
        qc=config["qc"],
        start_s=lambda w: stretch(w.clip, "start_s"),
        end_s=lambda w: stretch(w.clip, "end_s"),
        layout=config["comparison"]["layout"],
        panel=config["comparison"]["panel"],
        style=config["comparison"]["style"],
    message:
        "Filming {wildcards.clip}, its landmarks and what models predict"
    script:
        "../scripts/draw_comparison.py"


# One model beside the clip, in the colour that it has among all.
use rule draw_comparison as draw_model_comparison with:
    input:
        **FILMED,
        audio="results/audio/{clip}.wav",
        predictions=lambda w: [OF_MODEL["predictions"](w)],
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
        lambda w: expand("results/comparison/{clip}.mp4", clip=usable("test")),
