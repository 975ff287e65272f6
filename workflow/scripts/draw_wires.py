"""A film of a face as wires in space that speaks as a model predicts it."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.films.wires import draw_wires

    draw_wires(
        snakemake.input.predictions,
        snakemake.input.audio,
        snakemake.output.film,
        size=snakemake.params.size,
        turn_s=snakemake.params.turn_s,
    )
