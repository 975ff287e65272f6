"""One frame of a clip's landmarks as a plot."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.films.plots import draw_plot_frame

    draw_plot_frame(
        snakemake.input.faces,
        snakemake.output.picture,
        clip=snakemake.wildcards.clip,
        frame=int(snakemake.wildcards.frame),
        model=snakemake.wildcards.get("model"),
        shape=snakemake.params.shape,
        method=snakemake.params.method,
        smooth_frames=snakemake.params.smooth_frames,
        look={
            "kind": snakemake.params.kind,
            "numbers": snakemake.params.numbers,
            "mouth_only": snakemake.params.mouth_only,
            "size": snakemake.params.size,
            "colour": snakemake.params.colour,
        },
    )
