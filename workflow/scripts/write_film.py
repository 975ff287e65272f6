"""A film as a page that plays it."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.report.film_page import write_film

    write_film(
        snakemake.output.page,
        film=snakemake.input.film,
        title=snakemake.params.title,
        text=snakemake.params.text,
    )
