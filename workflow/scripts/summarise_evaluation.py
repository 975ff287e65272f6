"""Means with intervals, models in pairs, and the worst clips, of all models."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.evaluation.comparison import read_steps
    from talkface.evaluation.summary import summarise

    summarise(
        dict(zip(snakemake.params.entries, snakemake.input.tables, strict=True)),
        floors=snakemake.input.floors,
        seeds=snakemake.params.seeds,
        steps=read_steps(dict(zip(snakemake.params.models, snakemake.input.weights, strict=True))),
        summary=snakemake.output.summary,
        pairs=snakemake.output.pairs,
        worst=snakemake.output.worst,
        worst_clips=snakemake.params.worst_clips,
        seed=snakemake.params.seed,
    )
