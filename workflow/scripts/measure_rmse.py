"""Errors of one clip as the replication toolkit measures them, with the shuffled control."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.evaluation.toolkit_rmse import measure_clip

    measure_clip(
        snakemake.output.table,
        clip=snakemake.wildcards.clip,
        predictions=dict(zip(snakemake.params.models, snakemake.input.predictions, strict=True)),
        shapes=snakemake.input.shapes,
        landmarks=snakemake.input.landmarks,
        sound=snakemake.input.sound,
        dataset=snakemake.input.dataset,
        qc=snakemake.params.qc,
        seed=snakemake.params.seed,
    )
