"""An animation as GIF, 24 frames a second, of a face that speaks as a model predicts it."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.films.gif import draw_gif

    draw_gif(
        snakemake.input.predictions,
        snakemake.input.audio,
        snakemake.output.film,
        style=snakemake.params.style,
        size=snakemake.params.size,
        blink=snakemake.params.blink,
        seed=snakemake.params.seed,
    )
