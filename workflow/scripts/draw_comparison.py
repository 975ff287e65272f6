"""A film of a clip's video, its landmarks and what models predict for it, in step."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.films.comparison import draw_comparison

    draw_comparison(
        dict(zip(snakemake.params.shown, snakemake.input.predictions, strict=True)),
        snakemake.input.audio,
        snakemake.output.film,
        clip=snakemake.wildcards.clip,
        video=snakemake.input.get("video") or None,
        landmarks=snakemake.input.get("landmarks") or None,
        shapes=snakemake.input.get("shapes") or None,
        sound=snakemake.input.get("sound") or None,
        qc=snakemake.params.qc,
        start_s=snakemake.params.start_s,
        end_s=snakemake.params.end_s,
        models=snakemake.params.models,
        layout=snakemake.params.layout,
        panel=snakemake.params.panel,
        style=snakemake.params.style,
    )
