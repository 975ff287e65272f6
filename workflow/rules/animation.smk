# expects: results/predictions/{model}/{clip}.npy, results/audio/{clip}.wav
# produces: results/anim/{model}/{clip}.mp4 and .gif, results/anim3d/{model}/{clip}.mp4; the same without {model} by the model
# that config names
# reads from config: animate, drawing, gif, anim3d, seed


rule draw_animation:
    input:
        predictions=of_model,
        audio="results/audio/{clip}.wav",
    output:
        film="results/anim/{model}/{clip}.mp4",
    log:
        "results/logs/draw_animation/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/draw_animation/{model}/{clip}.tsv"
    conda:
        "../../envs/drawing.yaml"
    # Films of a few seconds are mostly start and painting: two side by side take less time than one after the other.
    threads: 1
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        code=code_of("draw_animation"),
        style=config["drawing"]["style"],
        size=config["drawing"]["size"],
        blink=config["drawing"]["blink"],
        seed=config["seed"],
    message:
        "Animating {wildcards.clip} as {wildcards.model} predicts it"
    script:
        "../scripts/draw_animation.py"


rule draw_gif:
    input:
        predictions=of_model,
        audio="results/audio/{clip}.wav",
    output:
        film="results/anim/{model}/{clip}.gif",
    log:
        "results/logs/draw_gif/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/draw_gif/{model}/{clip}.tsv"
    conda:
        "../../envs/drawing.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        code=code_of("draw_gif"),
        style=config["gif"]["style"],
        size=config["gif"]["size"],
        blink=config["drawing"]["blink"],
        seed=config["seed"],
    message:
        "Drawing {wildcards.clip} as a GIF, as {wildcards.model} predicts it"
    script:
        "../scripts/draw_gif.py"


rule draw_wires:
    input:
        predictions=of_model,
        audio="results/audio/{clip}.wav",
    output:
        film="results/anim3d/{model}/{clip}.mp4",
    log:
        "results/logs/draw_wires/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/draw_wires/{model}/{clip}.tsv"
    conda:
        "../../envs/drawing.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        code=code_of("draw_wires"),
        size=config["anim3d"]["size"],
        turn_s=config["anim3d"]["turn_s"],
    message:
        "Drawing {wildcards.clip} as wires in space, as {wildcards.model} predicts it"
    script:
        "../scripts/draw_wires.py"


# The film that is asked for by the clip's name alone.
rule copy_film:
    input:
        lambda w: f"results/{w.films}/{selection.animated_in(w.clip)}/{w.clip}.{w.suffix}",
    output:
        "results/{films}/{clip}.{suffix}",
    log:
        "results/logs/copy_film/{films}/{clip}.{suffix}.log",
    benchmark:
        "results/benchmarks/copy_film/{films}/{clip}.{suffix}.tsv"
    wildcard_constraints:
        films="anim|anim3d",
        suffix="mp4|gif",
    conda:
        "../../envs/media.yaml"
    threads: 1
    resources:
        mem_mb=100,
        runtime=5,
    message:
        "Taking the film of {wildcards.clip} by the model that config chooses for it"
    shell:
        "cp {input:q} {output:q} 2> {log:q}"


rule animate_all:
    input:
        lambda w: expand("results/anim/{clip}.mp4", clip=selection.usable("test")),


rule speech_all:
    input:
        expand("results/anim/{clip}.mp4", clip=selection.speech),


rule gif_all:
    input:
        lambda w: expand("results/anim/{clip}.gif", clip=selection.usable("test")),


rule anim3d_all:
    input:
        lambda w: expand("results/anim3d/{clip}.mp4", clip=selection.usable("test")),
