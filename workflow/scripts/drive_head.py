"""What a person's face does at new speech."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.head.hearing.voice import drive_person

    drive_person(
        snakemake.input.voice,
        snakemake.input.audio,
        snakemake.output.expression,
        model=snakemake.input.weights,
    )
