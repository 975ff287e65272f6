"""Voices whose faces nobody saw, with their phones, in one file."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.training.voices import assemble_voices

    assemble_voices(snakemake.input.recordings, snakemake.output.voices, threads=snakemake.threads)
