# expects: results/evaluation/clips/{model}.tsv, results/dataset/{corpus}.h5, results/audio/{shard}.h5, results/models/{model}/,
# results/landmarks/{shard}.h5, the videos of the sheet
# produces: results/viewer/ (faces.h5, sources/; layouts: talkface/worst.py, talkface/viewer_films.py) and results/viewer.html
# reads from config: viewer, look, seed, training.device


LOOKED_HERE = [model for model in LOOKED if model not in EXTERNAL]
LOOKED_ELSEWHERE = [model for model in LOOKED if model in EXTERNAL]
# Those of them that the evaluation has measured: what `worst` is taken from.
LOOKED_MEASURED = [model for model in LOOKED if model in ENTRIES]
LOOKED_CLIPS = list(CLIPS.index[CLIPS["split"].isin(EVALUATED)])


rule predict_viewer:
    input:
        tables=expand("results/evaluation/clips/{model}.tsv", model=LOOKED_MEASURED),
        dataset=f"results/dataset/{CORPUS}.h5",
        audio=JUDGED_AUDIO,
        weights=expand("results/models/{model}/weights.pt", model=LOOKED_HERE),
        # A clip that quality control rejects needs none, so what is missing is known when it runs.
        predictions=[path for model in LOOKED_ELSEWHERE for clip, path in FOUND[model].items() if clip in LOOKED_CLIPS],
    output:
        faces="results/viewer/faces.h5",
    log:
        "results/logs/predict_viewer/viewer.log",
    benchmark:
        "results/benchmarks/predict_viewer/viewer.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        code=code_of("predict_viewer"),
        evaluated=LOOKED_MEASURED,
        models=LOOKED_HERE,
        folders={model: EXTERNAL[model] for model in LOOKED_ELSEWHERE},
        splits=EVALUATED,
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
        videos=[VIDEOS[clip] for clip in LOOKED_CLIPS],
        landmarks=expand("results/landmarks/{shard}.h5", shard=JUDGED_SHARDS),
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
        clips=LOOKED_CLIPS,
        stretches=[(stretch(clip, "start_s"), stretch(clip, "end_s")) for clip in LOOKED_CLIPS],
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
        "../../envs/plot.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=20,
    params:
        code=code_of("write_viewer"),
        corpus=CORPUS,
        models=LOOKED,
    message:
        "Writing the viewer"
    script:
        "../scripts/write_viewer.py"
