"""One model of the catalogue, trained."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.training.train import train_model

    train_model(
        snakemake.input.dataset,
        folder=snakemake.params.folder,
        model=snakemake.wildcards.model,
        block=snakemake.params.block,
        seed=snakemake.params.seed,
        origin=vars(snakemake.params.origin),
        threads=snakemake.threads,
        device=snakemake.params.device,
    )
