"""The corpus as a training file of Eskimez et al. 2018."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.training.export import export_a

    export_a(
        snakemake.output.file,
        quality=snakemake.input.quality,
        audio=snakemake.input.audio,
        shapes=snakemake.input.shapes,
        landmarks=snakemake.input.landmarks,
    )
