"""Mono master audio of one clip or speech file, as wav."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.media.audio import extract_wav

    extract_wav(
        snakemake.input.source,
        snakemake.output.wav,
        rate=snakemake.params.rate,
        as_float=snakemake.params.as_float,
        start_s=snakemake.params.start_s,
        end_s=snakemake.params.end_s,
    )
