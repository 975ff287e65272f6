# expects: <folder>/<clip>.npy for each entry `name: folder` of external, results/audio/{clip}.wav, results/dataset/{corpus}.h5
# produces: results/predictions/external-<name>/{clip}.npy, results/evaluation/clips/external-<name>.tsv
# reads from config: external, evaluate, seed
from talkface.corpus.sheet import find_predictions

try:
    FOUND = {
        model: Catalogue(
            f"prediction in {folder}",
            find_predictions(folder, name=model.removeprefix("external-"), clips=SOUNDS),
        )
        for model, folder in EXTERNAL.items()
    }
except TalkfaceError as error:
    raise WorkflowError(str(error)) from None


rule import_prediction:
    input:
        source=lambda w: FOUND[w.model][w.clip],
        audio="results/audio/{clip}.wav",
    output:
        landmarks="results/predictions/{model}/{clip}.npy",
    log:
        "results/logs/import_prediction/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/import_prediction/{model}/{clip}.tsv"
    wildcard_constraints:
        model=only(EXTERNAL),
    conda:
        "../../envs/torch.yaml"
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


rule evaluate_external:
    input:
        dataset=f"results/dataset/{CORPUS}.h5",
        # A clip that quality control rejects needs none, so what is missing is known when it runs.
        predictions=lambda w: [
            path
            for clip, path in FOUND[w.model].items()
            if clip in CLIPS.index and CLIPS.at[clip, "split"] in EVALUATED
        ],
        audio=lambda w: JUDGED_AUDIO,
        sheet=str(SHEET),
    output:
        table="results/evaluation/clips/{model}.tsv",
    log:
        "results/logs/evaluate_external/{model}.log",
    benchmark:
        "results/benchmarks/evaluate_external/{model}.tsv"
    wildcard_constraints:
        model=only(EXTERNAL),
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=20,
    params:
        code=code_of("evaluate_external"),
        folder=lambda w: EXTERNAL[w.model],
        splits=EVALUATED,
        split_by=config["split_by"],
        seed=config["seed"],
    message:
        "Measuring {wildcards.model}"
    script:
        "../scripts/evaluate_external.py"
