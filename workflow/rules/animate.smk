# expects: results/predictions/{model}/{clip}.npy, results/audio/{clip}.wav
# produces: results/anim/{model}/{clip}.mp4; results/anim/{clip}.mp4 by the model that config names
# reads from config: animate, drawing, seed


rule draw_animation:
    input:
        predictions="results/predictions/{model}/{clip}.npy",
        audio="results/audio/{clip}.wav",
        code=PAINTING,
        template=HOME / "workflow" / "scripts" / "talkface" / "template.tsv",
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
        code=PAINTING,
        template=HOME / "workflow" / "scripts" / "talkface" / "template.tsv",
    output:
        film="results/anim/{clip}.mp4",
    log:
        "results/logs/draw_chosen_animation/{clip}.log",
    benchmark:
        "results/benchmarks/draw_chosen_animation/{clip}.tsv"
    message:
        f"Animating {{wildcards.clip}} as {ANIMATED} predicts it"


rule animate_all:
    input:
        expand("results/anim/{clip}.mp4", clip=CLIPS.index[CLIPS.split == "test"]),
