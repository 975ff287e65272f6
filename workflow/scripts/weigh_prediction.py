"""ARKit's weights of the face that a model predicts."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.face3d.records import weigh_prediction

    weigh_prediction(snakemake.input.predictions, snakemake.output.table)
