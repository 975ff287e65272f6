"""The noises of the evaluation, made by formula."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.noise.evaluation_formulas import make_test_noises

    make_test_noises(snakemake.output.noises)
