"""The noises of the demo, made by formula."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.noise.training_formulas import make_noises

    make_noises(snakemake.output.noises)
