"""The training data of the corpus in one file."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.training.dataset import assemble_dataset

    assemble_dataset(
        snakemake.output.dataset,
        corpus=snakemake.wildcards.corpus,
        quality=snakemake.input.quality,
        audio=snakemake.input.audio,
        shapes=snakemake.input.shapes,
        landmarks=snakemake.input.landmarks,
        phones=snakemake.input.phones,
        networks=snakemake.params.networks,
        components=snakemake.params.components,
        correct_offset=snakemake.params.correct_offset,
    )
