"""The table of quality control as a page."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.report.quality_page import write_quality

    write_quality(snakemake.output.page, table=snakemake.input.table)
