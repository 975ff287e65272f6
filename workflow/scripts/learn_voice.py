"""How a person's mouth and head follow the voice."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.head.hearing.voice import learn_voice

    learn_voice(
        snakemake.input.faces,
        snakemake.input.audio,
        snakemake.output.voice,
        model=snakemake.input.weights,
        kind=snakemake.params.kind,
        seed=snakemake.params.seed,
        general=snakemake.input.get("general"),
        epochs=snakemake.params.epochs,
        threads=snakemake.threads,
    )
