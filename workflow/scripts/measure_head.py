"""What a film of a person who speaks new audio shows."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.face3d.records import Stretch
    from talkface.head.measure import measure_film

    measure_film(
        snakemake.input.film,
        snakemake.output.table,
        expression=snakemake.input.expression,
        frames=snakemake.input.frames,
        videos={name: Stretch(*stretch) for name, stretch in snakemake.params.stretches.items()},
        faces=snakemake.input.faces,
        identity=snakemake.input.identity,
        face_model=snakemake.input.face_model,
        voice=snakemake.input.voice,
        predictor=snakemake.params.predictor,
        mesh=snakemake.params.mesh,
    )
