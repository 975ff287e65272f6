"""What some models gain over others in noise."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.report.figures import plot_gain

    plot_gain(
        snakemake.input.pairs,
        snakemake.output.picture,
        summary=snakemake.input.summary,
        split=snakemake.wildcards.split,
        networks=snakemake.params.networks,
        twins=snakemake.params.twins,
    )
