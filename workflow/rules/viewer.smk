# expects: results/evaluation/clips/{model}.tsv, results/dataset/{corpus}.h5, results/audio/{shard}.h5, results/models/{corpus}/{model}/,
# results/landmarks/{shard}.h5, the videos of the sheet
# produces: results/viewer/ (faces.h5, sources/; layouts: talkface/evaluation/shown_clips.py, talkface/films/viewer_clips.py)
# and results/viewer.html
# reads from config: viewer, look, seed, training.device


rule predict_viewer:
    input:
        tables=expand("results/evaluation/clips/{model}.tsv", model=selection.shown_evaluated),
        dataset=f"results/dataset/{selection.corpus}.h5",
        audio=evaluated_audio(),
        weights=lambda w: [weights_named(model) for model in selection.shown_here],
        # A clip that quality control rejects needs none, so what is missing is known when it runs.
        predictions=[
            path
            for model in selection.shown_elsewhere
            for clip, path in selection.predictions[model].items()
            if clip in selection.evaluated_clips
        ],
    output:
        faces="results/viewer/faces.h5",
    log:
        "results/logs/predict_viewer/viewer.log",
    benchmark:
        "results/benchmarks/predict_viewer/viewer.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        code=code_of("predict_viewer"),
        evaluated=selection.shown_evaluated,
        models=selection.shown_here,
        folders=selection.shown_elsewhere,
        splits=selection.splits,
        clips=config["viewer"]["clips"],
        seed=config["seed"],
        device=config["training"]["device"],
    message:
        "Predicting the worst clips for the viewer"
    script:
        "../scripts/predict_viewer.py"


rule cut_viewer:
    input:
        faces="results/viewer/faces.h5",
        # Of all evaluated clips: which of them are the worst is known when it runs.
        videos=[selection.videos[clip] for clip in selection.evaluated_clips],
        landmarks=expand("results/landmarks/{shard}.h5", shard=selection.evaluated_shards),
    output:
        films=directory("results/viewer/sources"),
    log:
        "results/logs/cut_viewer/viewer.log",
    benchmark:
        "results/benchmarks/cut_viewer/viewer.tsv"
    conda:
        "../../envs/drawing.yaml"
    threads: 2
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        code=code_of("cut_viewer"),
        clips=selection.evaluated_clips,
        stretches=[(selection.start_s(clip), selection.end_s(clip)) for clip in selection.evaluated_clips],
    message:
        "Cutting the videos of the viewer around the face"
    script:
        "../scripts/cut_viewer.py"


rule write_viewer:
    input:
        faces="results/viewer/faces.h5",
        films="results/viewer/sources",
    output:
        page="results/viewer.html",
    log:
        "results/logs/write_viewer/viewer.log",
    benchmark:
        "results/benchmarks/write_viewer/viewer.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=20,
    params:
        code=code_of("write_viewer"),
        corpus=selection.corpus,
        models=selection.shown,
    message:
        "Writing the viewer"
    script:
        "../scripts/write_viewer.py"
