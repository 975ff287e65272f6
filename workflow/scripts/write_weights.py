"""ARKit's weights of a clip, fitted to its landmarks."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.face3d.records import write_clip

    write_clip(snakemake.input.faces, snakemake.wildcards.clip, snakemake.output.table)
