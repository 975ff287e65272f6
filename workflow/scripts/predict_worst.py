"""Predictions, truth and sound of the worst clips."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.evaluation.shown_clips import predict_worst

    predict_worst(
        snakemake.input.worst,
        snakemake.output.faces,
        dataset=snakemake.input.dataset,
        audio=snakemake.input.audio,
        weights=dict(zip(snakemake.params.models, snakemake.input.weights, strict=True)),
        folders=snakemake.params.folders,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
        device=snakemake.params.device,
    )
