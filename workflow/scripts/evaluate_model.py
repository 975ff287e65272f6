"""The measures of one trained model on the clips of a split."""

from talkface.logs import log_to

with log_to(snakemake.log[0]):
    from talkface.evaluation import evaluate_model

    evaluate_model(
        snakemake.input.dataset,
        snakemake.output.table,
        weights=snakemake.input.weights,
        model=snakemake.wildcards.model,
        split=snakemake.params.split,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
        device=snakemake.params.device,
    )
