"""Identity-free shapes of one speaker's clips, in three dimensions."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.face3d.records import shapes_in_space

    shapes_in_space(snakemake.params.files, snakemake.output.shapes)
