"""The measures of one trained model on the clips that decide, clean and in noise."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.evaluation.evaluate import evaluate_model

    evaluate_model(
        snakemake.input.dataset,
        snakemake.output.table,
        audio=snakemake.input.audio,
        phones=snakemake.input.phones,
        noise=snakemake.input.noise,
        training_noise=snakemake.input.training_noise,
        sheet=snakemake.params.sheet,
        weights=snakemake.input.weights,
        model=snakemake.wildcards.model,
        splits=snakemake.params.splits,
        split_by=snakemake.params.split_by,
        snr_db=snakemake.params.snr_db,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
        device=snakemake.params.device,
    )
