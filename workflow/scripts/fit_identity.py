"""The identity in space that all clips of a speaker share."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.face3d.records import fit_speaker

    fit_speaker(snakemake.params.files, snakemake.output.identity)
