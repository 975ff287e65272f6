"""A prediction made elsewhere, as one of ours."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.prediction.external import import_prediction

    import_prediction(
        snakemake.input.source,
        snakemake.output.landmarks,
        audio=snakemake.input.audio,
    )
