"""How each model was trained and how well it does, side by side."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.evaluation.comparison import compare_models

    compare_models(
        snakemake.input.summary,
        snakemake.output.table,
        split=snakemake.params.split,
        weights=dict(zip(snakemake.params.models, snakemake.input.weights, strict=True)),
    )
