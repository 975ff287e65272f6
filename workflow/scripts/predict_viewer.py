"""What the viewer shows of each model, beside the truth."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.evaluation.shown_clips import predict_viewer

    predict_viewer(
        dict(zip(snakemake.params.evaluated, snakemake.input.tables, strict=True)),
        snakemake.output.faces,
        dataset=snakemake.input.dataset,
        audio=snakemake.input.audio,
        weights=dict(zip(snakemake.params.models, snakemake.input.weights, strict=True)),
        folders=snakemake.params.folders,
        splits=snakemake.params.splits,
        clips=snakemake.params.clips,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
        device=snakemake.params.device,
    )
