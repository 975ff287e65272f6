"""Mouth opening of truth and predictions over the sound of one clip."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.report.clip_curves import draw_curves

    draw_curves(
        snakemake.output.picture,
        clip=snakemake.wildcards.clip,
        audio=snakemake.input.audio,
        predictions=dict(zip(snakemake.params.models, snakemake.input.predictions, strict=True)),
        colours=snakemake.params.colours,
        shapes=snakemake.input.shapes or None,
        landmarks=snakemake.input.landmarks or None,
        sound=snakemake.input.sound or None,
        qc=snakemake.params.qc,
        marks=snakemake.input.marks or None,
        start_s=snakemake.params.start_s,
        end_s=snakemake.params.end_s,
    )
