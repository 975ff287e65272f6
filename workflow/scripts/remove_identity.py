"""Identity-free shapes of one speaker's clips."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.face.identity import shapes_of_speaker
    from talkface.face.template import load_template

    shapes_of_speaker(
        snakemake.params.files,
        output=snakemake.output.shapes,
        template=load_template(),
        aligned_to=load_template(snakemake.params.detector),
        method=snakemake.params.method,
        threshold=snakemake.params.threshold,
        reference_frames=snakemake.params.reference_frames,
        smooth_frames=snakemake.params.smooth_frames,
        reference=snakemake.params.reference,
        max_doubt_share=snakemake.params.max_doubt_share,
        min_motion_percent=snakemake.params.min_motion_percent,
    )
