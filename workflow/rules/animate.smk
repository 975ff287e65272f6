# expects: results/predictions/{model}/{clip}.npy, results/audio/{clip}.wav
# produces: results/anim/{model}/{clip}.mp4 and .gif, results/anim3d/{model}/{clip}.mp4; the same without {model} by the model
# that config names
# reads from config: animate, drawing, gif, anim3d, seed


rule draw_animation:
    input:
        predictions=OF_MODEL["predictions"],
        audio="results/audio/{clip}.wav",
    output:
        film="results/anim/{model}/{clip}.mp4",
    log:
        "results/logs/draw_animation/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/draw_animation/{model}/{clip}.tsv"
    conda:
        "../../envs/drawing.yaml"
    threads: 2
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


# The film a user asks for by the clip's name alone.
use rule draw_animation as draw_chosen_animation with:
    input:
        predictions=f"results/predictions/{ANIMATED}/{{clip}}.npy",
        audio="results/audio/{clip}.wav",
    output:
        film="results/anim/{clip}.mp4",
    log:
        "results/logs/draw_chosen_animation/{clip}.log",
    benchmark:
        "results/benchmarks/draw_chosen_animation/{clip}.tsv"
    message:
        f"Animating {{wildcards.clip}} as {ANIMATED} predicts it"


rule draw_gif:
    input:
        predictions=OF_MODEL["predictions"],
        audio="results/audio/{clip}.wav",
    output:
        film="results/anim/{model}/{clip}.gif",
    log:
        "results/logs/draw_gif/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/draw_gif/{model}/{clip}.tsv"
    conda:
        "../../envs/drawing.yaml"
    threads: 2
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


use rule draw_gif as draw_chosen_gif with:
    input:
        predictions=f"results/predictions/{ANIMATED}/{{clip}}.npy",
        audio="results/audio/{clip}.wav",
    output:
        film="results/anim/{clip}.gif",
    log:
        "results/logs/draw_chosen_gif/{clip}.log",
    benchmark:
        "results/benchmarks/draw_chosen_gif/{clip}.tsv"
    message:
        f"Drawing {{wildcards.clip}} as a GIF, as {ANIMATED} predicts it"


rule draw_wires:
    input:
        predictions=OF_MODEL["predictions"],
        audio="results/audio/{clip}.wav",
    output:
        film="results/anim3d/{model}/{clip}.mp4",
    log:
        "results/logs/draw_wires/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/draw_wires/{model}/{clip}.tsv"
    conda:
        "../../envs/drawing.yaml"
    threads: 2
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


use rule draw_wires as draw_chosen_wires with:
    input:
        predictions=f"results/predictions/{ANIMATED}/{{clip}}.npy",
        audio="results/audio/{clip}.wav",
    output:
        film="results/anim3d/{clip}.mp4",
    log:
        "results/logs/draw_chosen_wires/{clip}.log",
    benchmark:
        "results/benchmarks/draw_chosen_wires/{clip}.tsv"
    message:
        f"Drawing {{wildcards.clip}} as wires in space, as {ANIMATED} predicts it"


rule animate_all:
    input:
        lambda w: expand("results/anim/{clip}.mp4", clip=usable("test")),


rule gif_all:
    input:
        lambda w: expand("results/anim/{clip}.gif", clip=usable("test")),


rule anim3d_all:
    input:
        lambda w: expand("results/anim3d/{clip}.mp4", clip=usable("test")),
