"""One model of the catalogue, from weights that are there already."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.training.importing import import_weights

    import_weights(
        snakemake.params.weights_file,
        weights=snakemake.output.weights,
        config=snakemake.output.config,
        card=snakemake.output.card,
        model=snakemake.wildcards.model,
        block=snakemake.params.block,
    )
