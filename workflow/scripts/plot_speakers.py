"""Lip error of all models, speaker by speaker."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.report.figures import plot_speakers

    plot_speakers(
        dict(zip(snakemake.params.networks, snakemake.input.clips, strict=True)),
        snakemake.output.picture,
        summary=snakemake.input.summary,
        split=snakemake.wildcards.split,
        networks=snakemake.params.networks,
    )
