# expects: results/dataset/{corpus}.h5, results/models/{corpus}/{model}/, results/audio/{shard}.h5, results/evaluation/noise.h5,
# results/evaluation/detector/{shard}.h5, results/phones/{shard}.tsv, <folder>/<clip>.npy of external models; for
# one clip also what was measured of it
# produces: in results/evaluation/ clips/{model}.tsv, floors.tsv
# (layout: talkface/evaluation/evaluate.py, floors.py), summary.tsv, pairs.tsv, worst.tsv (layout: talkface/evaluation/summary.py),
# zoo.tsv (layout: talkface/evaluation/comparison.py), worst.h5 (layout: talkface/evaluation/shown_clips.py),
# rmse_{clip}.tsv, {model}/rmse_{clip}.tsv (layout: talkface/evaluation/toolkit_rmse.py)
# reads from config: evaluate, split_by, seed, training.device, qc; through common.smk look


rule evaluate_model:
    input:
        dataset=f"results/dataset/{selection.corpus}.h5",
        audio=evaluated_audio(),
        phones=evaluated_phones(),
        noise="results/evaluation/noise.h5",
        training_noise=lambda w: [*filter(None, [selection.models[w.model].get("noise")])],
        weights=weights_of,
    output:
        table="results/evaluation/clips/{model}.tsv",
    log:
        "results/logs/evaluate_model/{model}.log",
    benchmark:
        "results/benchmarks/evaluate_model/{model}.tsv"
    wildcard_constraints:
        model=but(selection.external),
    conda:
        "../../envs/training.yaml"
    # Clips are short: models side by side take less time than threads that wait for each other.
    threads: 1
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        code=code_of("evaluate_model"),
        splits=selection.splits,
        split_by=config["split_by"],
        # A Path is no cause to run again: where the sheet lies does not matter, what stands in it does.
        sheet=selection.sheet,
        sheet_content=selection.sheet_content,
        snr_db=config["evaluate"]["snr_db"],
        seed=config["seed"],
        device=config["training"]["device"],
    message:
        "Measuring {wildcards.model}, clean and in noise"
    script:
        "../scripts/evaluate_model.py"


rule evaluate_external:
    input:
        dataset=f"results/dataset/{selection.corpus}.h5",
        # A clip that quality control rejects needs none, so what is missing is known when it runs.
        predictions=lambda w: [
            path
            for clip, path in selection.predictions[w.model].items()
            if clip in selection.clips.index and selection.clips.at[clip, "split"] in selection.splits
        ],
        audio=lambda w: evaluated_audio(),
        phones=evaluated_phones(),
    output:
        table="results/evaluation/clips/{model}.tsv",
    log:
        "results/logs/evaluate_external/{model}.log",
    benchmark:
        "results/benchmarks/evaluate_external/{model}.tsv"
    wildcard_constraints:
        model=only(selection.external),
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=20,
    params:
        code=code_of("evaluate_external"),
        folder=lambda w: selection.external[w.model],
        splits=selection.splits,
        split_by=config["split_by"],
        # A Path is no cause to run again: where the sheet lies does not matter, what stands in it does.
        sheet=selection.sheet,
        sheet_content=selection.sheet_content,
        seed=config["seed"],
    message:
        "Measuring {wildcards.model}"
    script:
        "../scripts/evaluate_external.py"


rule measure_floors:
    input:
        dataset=f"results/dataset/{selection.corpus}.h5",
        audio=evaluated_audio(),
        phones=evaluated_phones(),
        detector=expand("results/evaluation/detector/{shard}.h5", shard=selection.evaluated_shards),
    output:
        table="results/evaluation/floors.tsv",
    log:
        "results/logs/measure_floors/floors.log",
    benchmark:
        "results/benchmarks/measure_floors/floors.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        code=code_of("measure_floors"),
        splits=selection.splits,
        split_by=config["split_by"],
        # A Path is no cause to run again: where the sheet lies does not matter, what stands in it does.
        sheet=selection.sheet,
        sheet_content=selection.sheet_content,
    message:
        "Measuring what knows nothing, and what knows nearly all"
    script:
        "../scripts/measure_floors.py"


rule summarise_evaluation:
    input:
        tables=expand("results/evaluation/clips/{model}.tsv", model=selection.evaluated),
        floors="results/evaluation/floors.tsv",
        weights=lambda w: [weights_named(model) for model in selection.selected],
    output:
        summary="results/evaluation/summary.tsv",
        pairs="results/evaluation/pairs.tsv",
        worst="results/evaluation/worst.tsv",
    log:
        "results/logs/summarise_evaluation/summary.log",
    benchmark:
        "results/benchmarks/summarise_evaluation/summary.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        code=code_of("summarise_evaluation"),
        entries=selection.evaluated,
        models=selection.selected,
        seeds=selection.entries,
        worst_clips=config["evaluate"]["worst"],
        seed=config["seed"],
    message:
        "Gathering the measures of all models"
    script:
        "../scripts/summarise_evaluation.py"


rule compare_models:
    input:
        summary="results/evaluation/summary.tsv",
        weights=lambda w: [weights_named(model) for model in selection.selected],
    output:
        table="results/evaluation/zoo.tsv",
    log:
        "results/logs/compare_models/zoo.log",
    benchmark:
        "results/benchmarks/compare_models/zoo.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=code_of("compare_models"),
        models=selection.selected,
        split=lambda w: selection.splits[0],
    message:
        "Putting the models side by side"
    script:
        "../scripts/compare_models.py"


rule predict_worst:
    input:
        worst="results/evaluation/worst.tsv",
        dataset=f"results/dataset/{selection.corpus}.h5",
        audio=evaluated_audio(),
        weights=lambda w: [weights_named(model) for model in selection.selected],
    output:
        faces="results/evaluation/worst.h5",
    log:
        "results/logs/predict_worst/worst.log",
    benchmark:
        "results/benchmarks/predict_worst/worst.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        code=code_of("predict_worst"),
        models=selection.selected,
        folders=selection.external,
        seed=config["seed"],
        device=config["training"]["device"],
    message:
        "Predicting the worst clips"
    script:
        "../scripts/predict_worst.py"


rule measure_rmse:
    input:
        shapes=of_clip("shapes"),
        landmarks=of_clip("landmarks"),
        sound=of_clip("sound"),
        predictions=of_shown,
        dataset=f"results/dataset/{selection.corpus}.h5",
    output:
        table="results/evaluation/rmse_{clip}.tsv",
    log:
        "results/logs/measure_rmse/{clip}.log",
    benchmark:
        "results/benchmarks/measure_rmse/{clip}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=code_of("measure_rmse"),
        models=lambda w: selection.shown_of(w.clip),
        qc=config["qc"],
        seed=config["seed"],
    message:
        "Measuring {wildcards.clip} as the replication toolkit does"
    script:
        "../scripts/measure_rmse.py"


use rule measure_rmse as measure_rmse_of_model with:
    input:
        shapes=of_clip("shapes"),
        landmarks=of_clip("landmarks"),
        sound=of_clip("sound"),
        predictions=lambda w: [of_model(w)],
        dataset=f"results/dataset/{selection.corpus}.h5",
    output:
        table="results/evaluation/{model}/rmse_{clip}.tsv",
    log:
        "results/logs/measure_rmse_of_model/{model}/{clip}.log",
    benchmark:
        "results/benchmarks/measure_rmse_of_model/{model}/{clip}.tsv"
    wildcard_constraints:
        model=but(["clips"]),  # whose tables another rule writes
    params:
        models=lambda w: [w.model],
    message:
        "Measuring {wildcards.clip} as {wildcards.model} predicts it, as the replication toolkit does"


rule rmse_all:
    input:
        lambda w: expand("results/evaluation/rmse_{clip}.tsv", clip=selection.usable()),


rule evaluate_all:
    input:
        "results/evaluation/summary.tsv",
        "results/evaluation/curves.svg",
        "results/evaluation/summary.html",
