"""Small films of the viewer's clips, cut around the face."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.films.viewer_clips import cut_clips

    cut_clips(
        snakemake.input.faces,
        snakemake.output.films,
        landmarks=snakemake.input.landmarks,
        videos=dict(zip(snakemake.params.clips, snakemake.input.videos, strict=True)),
        stretches=dict(zip(snakemake.params.clips, snakemake.params.stretches, strict=True)),
    )
