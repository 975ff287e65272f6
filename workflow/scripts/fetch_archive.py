"""One archive of a corpus, fetched, checked and unpacked."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.corpus.public import fetch_archive

    fetch_archive(
        snakemake.wildcards.corpus,
        f"{snakemake.wildcards.archive}.zip",
        listing=snakemake.input.listing,
        root=snakemake.params.root,
        contents=snakemake.output.contents,
    )
