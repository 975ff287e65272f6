"""Films of the worst clips, the truth beside the prediction."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.films.side_by_side import draw_worst

    draw_worst(snakemake.input.faces, snakemake.output.films)
