"""The film of a talking head as a page that plays it."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.report.film_page import write_head_film

    write_head_film(
        snakemake.output.page,
        film=snakemake.input.film,
        table=snakemake.input.table,
        title=snakemake.params.title,
    )
