"""Frames of one clip as pictures."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.media.video import save_frames

    save_frames(
        snakemake.input.video,
        snakemake.output.folder,
        start_s=snakemake.params.start_s,
        end_s=snakemake.params.end_s,
        jpeg_scale=snakemake.params.jpeg_scale,
        first_frame=snakemake.params.first_frame,
    )
