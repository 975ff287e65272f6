"""What a corpus consists of and under which terms, shown before anything of it is fetched."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    import sys

    from talkface.corpus.public import fetch_record

    sys.stderr.write(
        fetch_record(
            snakemake.wildcards.corpus,
            snakemake.params.record,
            wanted=snakemake.params.archives,
            listing=snakemake.output.listing,
            licence=snakemake.output.licence,
        )
    )
