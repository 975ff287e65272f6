"""Which frames of a person a film is made of."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.head.film import choose_frames

    choose_frames(
        snakemake.input.expression,
        snakemake.output.frames,
        audio=snakemake.input.audio,
        faces=snakemake.input.faces,
        identity=snakemake.input.identity,
        mouths=snakemake.input.mouths,
        face_model=snakemake.input.face_model,
        how=snakemake.params.how,
    )
