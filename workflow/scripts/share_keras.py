"""A model as Keras 2 saved those of Eskimez et al. 2018."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.training.sharing import share_keras

    share_keras(snakemake.input.weights, snakemake.output.model)
