"""The face that a trained model sees in one sound file."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.prediction.streaming import predict_file

    predict_file(
        snakemake.input.audio,
        snakemake.output.landmarks,
        weights=snakemake.input.weights,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
        device=snakemake.params.device,
    )
