"""A film of a face that speaks as a model predicts it."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.films.animation import draw_animation

    draw_animation(
        snakemake.input.predictions,
        snakemake.input.audio,
        snakemake.output.film,
        style=snakemake.params.style,
        size=snakemake.params.size,
        blink=snakemake.params.blink,
        seed=snakemake.params.seed,
    )
