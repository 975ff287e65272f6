"""Mono master audio of the clips of one shard."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.media.audio import extract_audio_shard

    extract_audio_shard(
        snakemake.input.sources,
        snakemake.output.audio,
        clips=snakemake.params.clips,
        start_s=snakemake.params.start_s,
        end_s=snakemake.params.end_s,
        rate=snakemake.params.rate,
    )
