"""Landmarks of a person's videos, and whether they will do."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.head.material import track_person

    track_person(
        snakemake.input.videos,
        snakemake.output.landmarks,
        snakemake.output.quality,
        person=snakemake.wildcards.person,
        start_s=snakemake.params.start_s,
        end_s=snakemake.params.end_s,
        mesh=snakemake.params.mesh,
        predictor=snakemake.params.predictor,
        max_gap_frames=snakemake.params.max_gap_frames,
        recount_frames=snakemake.params.recount_frames,
    )
