"""A network that refines the mouths of a person."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.face3d.records import Stretch
    from talkface.head.refine.unet import learn_refinement

    learn_refinement(
        snakemake.output.refine,
        {name: Stretch(*stretch) for name, stretch in snakemake.params.stretches.items()},
        faces=snakemake.input.faces,
        identity=snakemake.input.identity,
        mouths=snakemake.input.mouths,
        face_model=snakemake.input.face_model,
        steps=snakemake.params.steps,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
