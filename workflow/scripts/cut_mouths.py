"""Pictures of all mouths of a person."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.face3d.records import Stretch
    from talkface.head.actor import cut_person

    cut_person(
        snakemake.output.mouths,
        {name: Stretch(*stretch) for name, stretch in snakemake.params.stretches.items()},
        faces=snakemake.input.faces,
        identity=snakemake.input.identity,
        face_model=snakemake.input.face_model,
    )
