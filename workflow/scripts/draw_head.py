"""Film of a person who speaks new audio."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.face3d.records import Stretch
    from talkface.head.film import draw_head

    draw_head(
        snakemake.input.expression,
        snakemake.input.frames,
        snakemake.output.film,
        audio=snakemake.input.audio,
        videos={name: Stretch(*stretch) for name, stretch in snakemake.params.stretches.items()},
        faces=snakemake.input.faces,
        identity=snakemake.input.identity,
        mouths=snakemake.input.mouths,
        face_model=snakemake.input.face_model,
        view=snakemake.params.view,
        picture=snakemake.params.picture,
        refine=snakemake.input.get("refine"),
        mark=snakemake.params.mark,
    )
