"""Lip error and correlation of all models over noise."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.report.figures import plot_noise

    plot_noise(
        snakemake.input.summary,
        snakemake.output.picture,
        split=snakemake.wildcards.split,
        networks=snakemake.params.networks,
    )
