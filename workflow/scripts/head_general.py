"""The published network of the talking head, trained on many people."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.head.hearing.voice import learn_general

    learn_general(
        list(zip(snakemake.input.faces, snakemake.input.audio)),
        snakemake.output.weights,
        clips=snakemake.params.clips,
        model=snakemake.input.weights,
        epochs=snakemake.params.epochs,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
