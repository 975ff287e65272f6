"""The sheet of a folder of one's own."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.corpus.folders import sheet_from_folder

    sheet_from_folder(
        snakemake.params.folder,
        output=snakemake.output.sheet,
        split_by=snakemake.params.split_by,
        seed=snakemake.params.seed,
    )
