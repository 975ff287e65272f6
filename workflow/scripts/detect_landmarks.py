"""Landmarks of the clips of one shard."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.face.detection import landmark_shard

    landmark_shard(
        snakemake.input.videos,
        snakemake.output.landmarks,
        clips=snakemake.params.clips,
        start_s=snakemake.params.start_s,
        end_s=snakemake.params.end_s,
        detector=snakemake.params.detector,
        predictor=snakemake.params.predictor,
        mesh=snakemake.params.mesh,
        max_gap_frames=snakemake.params.max_gap_frames,
        redetect_frames=snakemake.params.redetect_frames,
        recount_frames=snakemake.params.recount_frames,
    )
