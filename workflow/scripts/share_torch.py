"""A model as a state dict of Eskimez et al. 2020, with its shape model."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.training.sharing import share_torch

    share_torch(
        snakemake.input.weights,
        snakemake.output.state_dict,
        mean=snakemake.output.mean,
        components=snakemake.output.components,
        shape_model=snakemake.params.shape_model,
    )
