"""Recordings of noise in one file."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.noise.bank import assemble_noise

    assemble_noise(snakemake.input.recordings, snakemake.output.noise)
