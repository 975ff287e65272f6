"""The measures of predictions made elsewhere on the clips of a split."""

from talkface.logs import log_to

with log_to(snakemake.log[0]):
    from talkface.external import evaluate_external

    evaluate_external(
        snakemake.input.dataset,
        snakemake.output.table,
        folder=snakemake.params.folder,
        model=snakemake.wildcards.model,
        split=snakemake.params.split,
        seed=snakemake.params.seed,
    )
