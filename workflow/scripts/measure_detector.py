"""The clips of one shard measured again, after another encoding and a shift by a pixel."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.face.detector_noise import measure_detector
    from talkface.face.template import load_template

    measure_detector(
        snakemake.input.videos,
        snakemake.output.shapes,
        clips=snakemake.params.clips,
        start_s=snakemake.params.start_s,
        end_s=snakemake.params.end_s,
        landmarks=snakemake.params.files,
        shapes=snakemake.input.shapes,
        template=load_template(snakemake.params.detector),
        method=snakemake.params.method,
        smooth_frames=snakemake.params.smooth_frames,
        detector=snakemake.params.detector,
        predictor=snakemake.params.predictor,
        mesh=snakemake.params.mesh,
        max_gap_frames=snakemake.params.max_gap_frames,
        redetect_frames=snakemake.params.redetect_frames,
        recount_frames=snakemake.params.recount_frames,
    )
