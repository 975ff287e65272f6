"""A film of a clip with the head in space that was fitted to it."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.films.mesh import draw_mesh

    draw_mesh(
        snakemake.input.video,
        snakemake.output.film,
        faces=snakemake.input.faces,
        identity=snakemake.input.identity,
        audio=snakemake.input.audio,
        face_model=snakemake.input.face_model,
        clip=snakemake.wildcards.clip,
        start_s=snakemake.params.start_s,
        end_s=snakemake.params.end_s,
    )
