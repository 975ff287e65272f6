# expects: results/dataset/{corpus}.h5
# produces: results/models/{model}/ (weights.pt, curve.tsv, config.yaml, card.md); rolling state in results/state/{model}/
# reads from config: training, models.<name>, seed
# entries with `weights` are imported instead (import.smk)


rule train_model:
    input:
        dataset=lambda w: MODELS[w.model].get("dataset") or f"results/dataset/{CORPUS}.h5",
        noise=lambda w: MODELS[w.model].get("noise") or [],
        init=lambda w: MODELS[w.model].get("init") or [],
        shape_model=lambda w: [*MODELS[w.model].get("shape_model", {}).values()],
    output:
        weights="results/models/{model}/weights.pt",
        curve="results/models/{model}/curve.tsv",
        config="results/models/{model}/config.yaml",
        card="results/models/{model}/card.md",
    log:
        "results/logs/train_model/{model}.log",
    benchmark:
        "results/benchmarks/train_model/{model}.tsv"
    wildcard_constraints:
        model=but(IMPORTED),
    conda:
        "../../envs/torch.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=720,
        gpu=1,
    params:
        code=code_of("train_model"),
        network=lambda w: code_of(f"talkface/models/networks/{MODELS[w.model]['network']}"),
        block=lambda w: MODELS[w.model],
        seed=config["seed"],
        device=config["training"]["device"],
        # Not an output: what is declared is deleted when a job fails, and this is what lets it go on.
        state=lambda w: f"results/state/{w.model}",
    message:
        "Training {wildcards.model}"
    script:
        "../scripts/train_model.py"


rule train_all:
    input:
        expand("results/models/{model}/weights.pt", model=TRAINED),
