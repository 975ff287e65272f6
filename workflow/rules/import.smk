# expects: a file of weights that models.<name>.weights names, and with those of Eskimez et al. 2020 its shape model
# produces: results/models/{model}/ (weights.pt, config.yaml, card.md) of the entries that have `weights`; the others are
# trained (train.smk)
# reads from config: models.<name>


rule import_weights:
    input:
        # What is missing is left to the script, which says so in one line; what the workflow makes is waited for.
        files=lambda w: [
            path
            for path in (MODELS[w.model]["weights"], *MODELS[w.model].get("shape_model", {}).values())
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
        model=only(IMPORTED),
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code_of("import_weights"),
        network=lambda w: code_of(f"talkface/models/networks/{MODELS[w.model]['network']}"),
        weights_file=lambda w: MODELS[w.model]["weights"],
        block=lambda w: MODELS[w.model],
    message:
        "Importing {wildcards.model}"
    script:
        "../scripts/import_weights.py"
