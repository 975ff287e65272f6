# expects: results/qc/clips.tsv, results/audio/{shard}.h5, results/shapes/{speaker}.h5, results/landmarks/{shard}.h5; files
# of weights that models.<name>.weights names, and with those of Eskimez et al. 2020 their shape model
# produces: results/dataset/{corpus}.h5 (layout: talkface/training/dataset.py), results/dataset/export_a.hdf5 and
# export_b.hdf5 (training files of the published systems: talkface/training/exchange.py), results/models/{corpus}/{model}/
# (weights.pt, curve.tsv, config.yaml, card.md; in state/ the rolling state, in before/ the training before), of imported
# models results/models/{model}/ (no curve)
# reads from config: dataset, training, models.<name>, animate.model, seed

from types import SimpleNamespace


rule assemble_dataset:
    input:
        quality=lambda w: selection.divided and "results/qc/clips.tsv",
        audio=expand("results/audio/{shard}.h5", shard=selection.shards),
        shapes=expand("results/shapes/{speaker}.h5", speaker=selection.speakers),
        landmarks=expand("results/landmarks/{shard}.h5", shard=selection.shards),
        phones=expand("results/phones/{shard}.tsv", shard=selection.taught_shards),
    output:
        dataset="results/dataset/{corpus}.h5",
    log:
        "results/logs/assemble_dataset/{corpus}.log",
    benchmark:
        "results/benchmarks/assemble_dataset/{corpus}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        code=code_of("assemble_dataset"),
        networks=selection.needed_networks,
        components=config["dataset"]["components"],
        correct_offset=config["dataset"]["correct_offset"],
    message:
        "Gathering the accepted clips of {wildcards.corpus}"
    script:
        "../scripts/assemble_dataset.py"


rule export_a:
    input:
        quality=lambda w: selection.divided and "results/qc/clips.tsv",
        audio=expand("results/audio/{shard}.h5", shard=selection.shards),
        shapes=expand("results/shapes/{speaker}.h5", speaker=selection.speakers),
        landmarks=expand("results/landmarks/{shard}.h5", shard=selection.shards),
    output:
        file="results/dataset/export_a.hdf5",
    log:
        "results/logs/export_a/export_a.log",
    benchmark:
        "results/benchmarks/export_a/export_a.tsv"
    conda:
        "../../envs/training.yaml"
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
        quality=lambda w: selection.divided and "results/qc/clips.tsv",
        audio=expand("results/audio/{shard}.h5", shard=selection.shards),
        shapes=expand("results/shapes/{speaker}.h5", speaker=selection.speakers),
    output:
        file="results/dataset/export_b.hdf5",
    log:
        "results/logs/export_b/export_b.log",
    benchmark:
        "results/benchmarks/export_b/export_b.tsv"
    conda:
        "../../envs/training.yaml"
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


rule train_model:
    input:
        dataset=lambda w: selection.models[w.model].get("dataset") or f"results/dataset/{selection.corpus}.h5",
        noise=lambda w: selection.models[w.model].get("noise") or [],
        voices=lambda w: selection.models[w.model].get("voices") or [],
        init=lambda w: weights_of(w) and selection.models[w.model].get("init") or [],
        shape_model=lambda w: [*selection.shape_files(w.model).values()],
    output:
        weights=f"results/models/{selection.corpus}/{{model}}/weights.pt",
        curve=f"results/models/{selection.corpus}/{{model}}/curve.tsv",
        config=f"results/models/{selection.corpus}/{{model}}/config.yaml",
        card=f"results/models/{selection.corpus}/{{model}}/card.md",
    log:
        "results/logs/train_model/{model}.log",
    benchmark:
        "results/benchmarks/train_model/{model}.tsv"
    wildcard_constraints:
        # Where all jobs are planned, one that is finished is none of this rule's; a job of a cluster may find it made.
        model=but(selection.imported + (selection.finished if workflow.is_main_process else [])),
    conda:
        "../../envs/training.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=720,
        gpu=1,
    params:
        code=code_of("train_model"),
        network=lambda w: code_of(f"talkface/models/networks/{selection.models[w.model]['network']}"),
        block=lambda w: selection.models[w.model],
        seed=config["seed"],
        device=config["training"]["device"],
        folder=lambda w: selection.own_folder(w.model),
        # A namespace is no cause to run again: what it holds leads to other results, or does not matter.
        origin=lambda w: SimpleNamespace(**selection.origin_of(w.model)),
    message:
        "Training {wildcards.model}"
    script:
        "../scripts/train_model.py"


# A model that is there is kept until the newer one is finished: Snakemake deletes no output that is to be updated.
use rule train_model as retrain_model with:
    output:
        weights=update(f"results/models/{selection.corpus}/{{model}}/weights.pt"),
        curve=update(f"results/models/{selection.corpus}/{{model}}/curve.tsv"),
        config=update(f"results/models/{selection.corpus}/{{model}}/config.yaml"),
        card=update(f"results/models/{selection.corpus}/{{model}}/card.md"),
    log:
        "results/logs/retrain_model/{model}.log",
    benchmark:
        "results/benchmarks/retrain_model/{model}.tsv"
    wildcard_constraints:
        model=only(selection.finished if trains else []) if workflow.is_main_process else but(selection.imported),
    message:
        "Training {wildcards.model} anew; the model there is stays until that is finished"


rule import_weights:
    input:
        # What is missing is left to the script, which says so in one line; what the workflow makes is waited for.
        files=lambda w: [
            path
            for path in (
                selection.models[w.model]["weights"],
                *selection.shape_files(w.model).values(),
            )
            if Path(path).exists() or path.startswith("results/")
        ],
    output:
        weights="results/models/{model}/weights.pt",
        config="results/models/{model}/config.yaml",
        card="results/models/{model}/card.md",
    log:
        "results/logs/import_weights/{model}.log",
    benchmark:
        "results/benchmarks/import_weights/{model}.tsv"
    wildcard_constraints:
        model=only(selection.imported),
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code_of("import_weights"),
        network=lambda w: code_of(f"talkface/models/networks/{selection.models[w.model]['network']}"),
        # A Path is no cause to run again: where weights lie that come along does not matter, what stands in them does.
        weights_file=lambda w: selection.weights_file(w.model),
        weights_content=lambda w: selection.content_along(selection.models[w.model]["weights"]),
        block=lambda w: selection.models[w.model],
    message:
        "Importing {wildcards.model}"
    script:
        "../scripts/import_weights.py"


rule train_all:
    input:
        [f"{selection.own_folder(model)}/weights.pt" for model in selection.trained],
