"""The page of an evaluation."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.report.evaluation_page import write_page

    write_page(
        snakemake.output.page,
        summary=snakemake.input.summary,
        pairs=snakemake.input.pairs,
        clips=dict(zip(snakemake.params.networks, snakemake.input.clips, strict=True)),
        worst=snakemake.input.worst,
        zoo=snakemake.input.zoo,
        curves=dict(zip(snakemake.params.trained, snakemake.input.curves, strict=True)),
        films=snakemake.input.films,
        networks=snakemake.params.networks,
        twins=snakemake.params.twins,
        splits=snakemake.params.splits,
    )
