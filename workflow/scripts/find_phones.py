"""The phones of a shard's clips: when which sound is spoken."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.corpus.phones import write_phones

    write_phones(
        snakemake.input.audio,
        snakemake.output.table,
        clips=snakemake.params.clips,
        marks=dict(zip(snakemake.params.marked, snakemake.input.marks, strict=True)),
        start_s=snakemake.params.start_s,
        end_s=snakemake.params.end_s,
    )
