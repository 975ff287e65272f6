# expects: the videos of the sheet, results/landmarks/{shard}.h5, results/shapes/{speaker}.h5, results/audio/{clip}.wav,
# results/predictions/{model}/{clip}.npy
# produces: results/comparison/{clip}.mp4, results/comparison/{model}/{clip}.mp4
# reads from config: comparison, look


# A speech file has neither video nor landmarks: its film shows predictions alone.
def video_of(w):
    """The video of a clip of the sheet."""
    return VIDEOS[w.clip] if w.clip in VIDEOS else []


def landmarks_of(w):
    """The landmarks of a clip of the sheet."""
    return f"results/landmarks/{SHARD_OF[w.clip]}.h5" if w.clip in SHARD_OF else []


def shapes_of(w):
    """The identity-free shapes of a clip of the sheet."""
    return f"results/shapes/{CLIPS.at[w.clip, 'speaker']}.h5" if w.clip in CLIPS.index else []


COMPARING = [*PAINTING, *SHOWING, *modules("comparison_film", "panels", "predicted", "crop", "video", "identity")]


rule draw_comparison:
    input:
        video=video_of,
        landmarks=landmarks_of,
        shapes=shapes_of,
        audio="results/audio/{clip}.wav",
        predictions=[f"results/predictions/{model}/{{clip}}.npy" for model in LOOKED],
        code=COMPARING,
        template=HOME / "workflow" / "scripts" / "talkface" / "template.tsv",
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
        shown=LOOKED,
        models=LOOKED,
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
        video=video_of,
        landmarks=landmarks_of,
        shapes=shapes_of,
        audio="results/audio/{clip}.wav",
        predictions=["results/predictions/{model}/{clip}.npy"],
        code=COMPARING,
        template=HOME / "workflow" / "scripts" / "talkface" / "template.tsv",
    output:
        film="results/comparison/{model}/{clip}.mp4",
    log:
        "results/logs/draw_model_comparison/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/draw_model_comparison/{model}/{clip}.tsv"
    params:
        shown=lambda w: [w.model],
        models=LOOKED,
        start_s=lambda w: stretch(w.clip, "start_s"),
        end_s=lambda w: stretch(w.clip, "end_s"),
        layout=config["comparison"]["layout"],
        panel=config["comparison"]["panel"],
        style=config["comparison"]["style"],
    message:
        "Filming {wildcards.clip}, its landmarks and what {wildcards.model} predicts"


rule comparison_all:
    input:
        expand("results/comparison/{clip}.mp4", clip=CLIPS.index[CLIPS.split == "test"]),
