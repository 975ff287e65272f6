"""A picture of how a clip was freed of identity: the face at rest by each rule, the clip before and after."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.films.identity import draw_identity

    draw_identity(
        snakemake.input.faces,
        snakemake.output.picture,
        clip=snakemake.wildcards.clip,
        model=snakemake.wildcards.get("model"),
        shapes=snakemake.input.get("shapes"),
        video=snakemake.input.get("video"),
        start_s=snakemake.params.start_s,
        end_s=snakemake.params.end_s,
        method=snakemake.params.method,
        threshold=snakemake.params.threshold,
        reference_frames=snakemake.params.reference_frames,
        smooth_frames=snakemake.params.smooth_frames,
        colour=snakemake.params.colour,
    )
