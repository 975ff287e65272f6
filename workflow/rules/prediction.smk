# expects: results/audio/{clip}.wav (a row of the sheet or a file of resources/speech/), for published models of Eskimez et
# al. 2018 results/audio/float/{clip}.wav; results/models/{corpus}/{model}/weights.pt;
# <folder>/<clip>.npy for each entry `name: folder` of external
# produces: results/predictions/{model}/{clip}.npy, (T, 68, 2 or 3) float32, template frame, 25 fps
# reads from config: training.device, external, seed


rule predict_landmarks:
    input:
        audio=lambda w: f"results/audio/{'float/' if selection.hears_floats(w.model) else ''}{w.clip}.wav",
        weights=weights_of,
    output:
        landmarks="results/predictions/{model}/{clip}.npy",
    log:
        "results/logs/predict_landmarks/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/predict_landmarks/{model}/{clip}.tsv"
    wildcard_constraints:
        model=but(selection.external),
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=20,
    params:
        code=code_of("predict_landmarks"),
        seed=config["seed"],
        device=config["training"]["device"],
    message:
        "Predicting the face of {wildcards.clip} with {wildcards.model}"
    script:
        "../scripts/predict_landmarks.py"


rule import_prediction:
    input:
        source=lambda w: selection.predictions[w.model][w.clip],
        audio="results/audio/{clip}.wav",
    output:
        landmarks="results/predictions/{model}/{clip}.npy",
    log:
        "results/logs/import_prediction/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/import_prediction/{model}/{clip}.tsv"
    wildcard_constraints:
        model=only(selection.external),
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        code=code_of("import_prediction"),
    message:
        "Taking in the prediction {wildcards.model} has of {wildcards.clip}"
    script:
        "../scripts/import_prediction.py"
