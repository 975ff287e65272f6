"""The video of a clip at 25 frames a second, cropped around the face."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.films.source import crop_source

    crop_source(
        snakemake.input.video,
        snakemake.output.film,
        landmarks=snakemake.input.landmarks,
        audio=snakemake.input.audio,
        clip=snakemake.wildcards.clip,
        start_s=snakemake.params.start_s,
        end_s=snakemake.params.end_s,
    )
