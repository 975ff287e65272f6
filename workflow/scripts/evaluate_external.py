"""The measures of predictions made elsewhere on the clips that decide."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.evaluation.external import evaluate_external

    evaluate_external(
        snakemake.input.dataset,
        snakemake.output.table,
        audio=snakemake.input.audio,
        phones=snakemake.input.phones,
        sheet=snakemake.params.sheet,
        folder=snakemake.params.folder,
        model=snakemake.wildcards.model,
        splits=snakemake.params.splits,
        split_by=snakemake.params.split_by,
        seed=snakemake.params.seed,
    )
