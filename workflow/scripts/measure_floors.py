"""The measures of what needs no training or no hearing, of the truth come late, and of the detector's own noise."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.evaluation.floors import measure_floors

    measure_floors(
        snakemake.input.dataset,
        snakemake.output.table,
        audio=snakemake.input.audio,
        phones=snakemake.input.phones,
        detector=snakemake.input.detector,
        sheet=snakemake.params.sheet,
        splits=snakemake.params.splits,
        split_by=snakemake.params.split_by,
    )
