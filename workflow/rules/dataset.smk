# expects: results/qc/clips.tsv, results/audio/{shard}.h5, results/shapes/{speaker}.h5, results/landmarks/{shard}.h5
# produces: results/dataset/{corpus}.h5 (layout: talkface/dataset.py)
# reads from config: dataset, the networks of training.models and animate.model


rule assemble_dataset:
    input:
        quality="results/qc/clips.tsv",
        audio=expand("results/audio/{shard}.h5", shard=SHARDS),
        shapes=expand("results/shapes/{speaker}.h5", speaker=SPEAKERS),
        landmarks=expand("results/landmarks/{shard}.h5", shard=SHARDS),
    output:
        dataset="results/dataset/{corpus}.h5",
    log:
        "results/logs/assemble_dataset/{corpus}.log",
    benchmark:
        "results/benchmarks/assemble_dataset/{corpus}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        code=code_of("assemble_dataset"),
        networks=sorted({MODELS[model]["network"] for model in (*SELECTED, ANIMATED) if model in MODELS}),
        components=config["dataset"]["components"],
    message:
        "Gathering the accepted clips of {wildcards.corpus}"
    script:
        "../scripts/assemble_dataset.py"
