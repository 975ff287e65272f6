"""The page to look at clips: source, landmarks and faces in step."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.report.viewer import write_viewer

    write_viewer(
        snakemake.output.page,
        faces=snakemake.input.faces,
        films=snakemake.input.films,
        corpus=snakemake.params.corpus,
        models=snakemake.params.models,
    )
