"""The tables of the evaluation and the opening of the report."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.report.front import write_tables

    write_tables(
        snakemake.output.page,
        snakemake.output.front,
        tables={name: snakemake.input[name] for name in ("summary", "pairs", "worst", "zoo")},
        clips=dict(zip(snakemake.params.networks, snakemake.input.clips, strict=True)),
        networks=snakemake.params.networks,
        twins=snakemake.params.twins,
        splits=snakemake.params.splits,
        quality=snakemake.input.quality,
        corpus=snakemake.params.corpus,
        trained=snakemake.params.trained,
        seed=snakemake.params.seed,
    )
