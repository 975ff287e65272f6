"""One frame of a clip with its landmarks drawn on it, and a prediction where there is one."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.films.overlay import draw_overlay_frame

    draw_overlay_frame(
        snakemake.input.video,
        snakemake.output.picture,
        landmarks=snakemake.input.landmarks,
        audio=snakemake.input.audio,
        shapes=snakemake.input.get("shapes"),
        predictions=snakemake.input.get("predictions"),
        clip=snakemake.wildcards.clip,
        model=snakemake.wildcards.get("model"),
        colour=snakemake.params.get("colour"),
        start_s=snakemake.params.start_s,
        end_s=snakemake.params.end_s,
        frame=int(snakemake.wildcards.frame),
        boxes=snakemake.params.boxes,
        numbers=snakemake.params.numbers,
        qc=snakemake.params.qc,
    )
