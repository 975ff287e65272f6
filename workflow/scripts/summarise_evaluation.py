"""One table of all trained models."""

from talkface.logs import log_to

with log_to(snakemake.log[0]):
    from talkface.evaluation import summarise

    summarise(
        dict(zip(snakemake.params.models, snakemake.input.tables, strict=True)),
        snakemake.output.table,
        dataset=snakemake.input.dataset,
        split=snakemake.params.split,
        seed=snakemake.params.seed,
    )
