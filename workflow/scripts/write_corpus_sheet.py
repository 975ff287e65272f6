"""The sheet of a corpus that has been fetched."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.corpus.public import write_sheet

    write_sheet(
        snakemake.wildcards.corpus,
        snakemake.params.root,
        numbers=snakemake.params.numbers,
        output=snakemake.output.sheet,
    )
