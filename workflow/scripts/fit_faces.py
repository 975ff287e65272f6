"""Weights and poses of the faces of a shard's clips."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.face3d.records import Stretch, fit_shard

    fit_shard(
        snakemake.input.landmarks,
        snakemake.input.identity,
        snakemake.output.faces,
        face_model=snakemake.input.get("face_model"),
        videos={
            clip: Stretch(*stretch)
            for clip, *stretch in zip(
                snakemake.params.clips,
                snakemake.params.videos,
                snakemake.params.start_s,
                snakemake.params.end_s,
                strict=True,
            )
        },
    )
