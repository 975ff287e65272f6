"""The curves of training of all models."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.report.figures import plot_curves

    plot_curves(
        dict(zip(snakemake.params.models, snakemake.input.curves, strict=True)),
        snakemake.output.picture,
    )
