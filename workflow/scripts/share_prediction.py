"""A prediction and its speech as Eskimez et al. 2020 save them."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.prediction.sharing import share_prediction

    share_prediction(
        snakemake.input.prediction,
        snakemake.input.sound,
        faces=snakemake.output.faces,
        speech=snakemake.output.speech,
        shape_model=snakemake.params.shape_model,
    )
