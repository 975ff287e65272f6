# expects: results/qc/clips.tsv, results/audio/{shard}.h5, results/shapes/{speaker}.h5, results/landmarks/{shard}.h5
# produces: results/dataset/export_a.hdf5, export_b.hdf5 (training files of the published systems: talkface/exchange.py)
# reads from config: nothing


rule export_a:
    input:
        quality="results/qc/clips.tsv",
        audio=expand("results/audio/{shard}.h5", shard=SHARDS),
        shapes=expand("results/shapes/{speaker}.h5", speaker=SPEAKERS),
        landmarks=expand("results/landmarks/{shard}.h5", shard=SHARDS),
    output:
        file="results/dataset/export_a.hdf5",
    log:
        "results/logs/export_a/export_a.log",
    benchmark:
        "results/benchmarks/export_a/export_a.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=code_of("export_a"),
    message:
        "Writing a training file as Eskimez et al. 2018 have it"
    script:
        "../scripts/export_a.py"


rule export_b:
    input:
        quality="results/qc/clips.tsv",
        audio=expand("results/audio/{shard}.h5", shard=SHARDS),
        shapes=expand("results/shapes/{speaker}.h5", speaker=SPEAKERS),
    output:
        file="results/dataset/export_b.hdf5",
    log:
        "results/logs/export_b/export_b.log",
    benchmark:
        "results/benchmarks/export_b/export_b.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        code=code_of("export_b"),
    message:
        "Writing a training file as Eskimez et al. 2020 have it"
    script:
        "../scripts/export_b.py"
