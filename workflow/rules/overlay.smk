# expects: the videos of the sheet, results/landmarks/{shard}.h5, results/audio/{shard}.h5; with a model also
# results/shapes/{speaker}.h5 and results/predictions/{model}/{clip}.npy
# produces: results/overlay/{clip}.mp4, {clip}/{frame}.png, the same below results/overlay/{model}/; results/source/{clip}.mp4
# reads from config: overlay, qc; through common.smk look


rule draw_overlay:
    input:
        video=of_clip("video"),
        landmarks=of_clip("landmarks"),
        audio=of_clip("sound"),
    output:
        film="results/overlay/{clip}.mp4",
    log:
        "results/logs/draw_overlay/{clip}.log",
    benchmark:
        "results/benchmarks/draw_overlay/{clip}.tsv"
    conda:
        "../../envs/drawing.yaml"
    threads: 2
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        code=code_of("draw_overlay"),
        start_s=lambda w: selection.start_s(w.clip),
        end_s=lambda w: selection.end_s(w.clip),
        boxes=config["overlay"]["boxes"],
        numbers=config["overlay"]["numbers"],
        qc=config["qc"],
    message:
        "Drawing the landmarks on the video of {wildcards.clip}"
    script:
        "../scripts/draw_overlay.py"


use rule draw_overlay as draw_overlay_of_model with:
    input:
        video=of_clip("video"),
        landmarks=of_clip("landmarks"),
        audio=of_clip("sound"),
        shapes=of_clip("shapes"),
        predictions=of_model,
    output:
        film="results/overlay/{model}/{clip}.mp4",
    log:
        "results/logs/draw_overlay_of_model/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/draw_overlay_of_model/{model}/{clip}.tsv"
    params:
        colour=lambda w: colours(w.model)[w.model],
    message:
        "Drawing the prediction of {wildcards.model} on the video of {wildcards.clip}"


rule draw_overlay_frame:
    input:
        video=of_clip("video"),
        landmarks=of_clip("landmarks"),
        audio=of_clip("sound"),
    output:
        picture="results/overlay/{clip}/{frame}.png",
    log:
        "results/logs/draw_overlay_frame/{clip}/{frame}.log",
    benchmark:
        "results/benchmarks/draw_overlay_frame/{clip}/{frame}.tsv"
    conda:
        "../../envs/drawing.yaml"
    threads: 2
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code_of("draw_overlay_frame"),
        start_s=lambda w: selection.start_s(w.clip),
        end_s=lambda w: selection.end_s(w.clip),
        boxes=config["overlay"]["boxes"],
        numbers=config["overlay"]["numbers"],
        qc=config["qc"],
    message:
        "Drawing the landmarks on frame {wildcards.frame} of {wildcards.clip}"
    script:
        "../scripts/draw_overlay_frame.py"


use rule draw_overlay_frame as draw_overlay_frame_of_model with:
    input:
        video=of_clip("video"),
        landmarks=of_clip("landmarks"),
        audio=of_clip("sound"),
        shapes=of_clip("shapes"),
        predictions=of_model,
    output:
        picture="results/overlay/{model}/{clip}/{frame}.png",
    log:
        "results/logs/draw_overlay_frame_of_model/{model}/{clip}/{frame}.log",
    benchmark:
        "results/benchmarks/draw_overlay_frame_of_model/{model}/{clip}/{frame}.tsv"
    params:
        colour=lambda w: colours(w.model)[w.model],
    message:
        "Drawing the prediction of {wildcards.model} on frame {wildcards.frame} of {wildcards.clip}"


rule crop_source:
    input:
        video=of_clip("video"),
        landmarks=of_clip("landmarks"),
        audio=of_clip("sound"),
    output:
        film="results/source/{clip}.mp4",
    log:
        "results/logs/crop_source/{clip}.log",
    benchmark:
        "results/benchmarks/crop_source/{clip}.tsv"
    conda:
        "../../envs/drawing.yaml"
    threads: 2
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code_of("crop_source"),
        start_s=lambda w: selection.start_s(w.clip),
        end_s=lambda w: selection.end_s(w.clip),
    message:
        "Cropping the video of {wildcards.clip} around the face"
    script:
        "../scripts/crop_source.py"


rule overlay_all:
    input:
        lambda w: expand("results/overlay/{clip}.mp4", clip=selection.pictured()),


rule source_all:
    input:
        lambda w: expand("results/source/{clip}.mp4", clip=selection.pictured()),
