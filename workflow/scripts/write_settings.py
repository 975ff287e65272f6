"""The configuration that was used, as a page and as a file."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.report.settings_page import write_settings

    write_settings(
        snakemake.output.page,
        snakemake.output.resolved,
        settings=snakemake.params.settings,
        shipped=snakemake.params.home / "config" / "config.yaml",
        envs=sorted((snakemake.params.home / "envs").glob("*.yaml")),
        models=snakemake.params.models,
        clips=snakemake.params.clips,
        speakers=snakemake.params.speakers,
        snakemake=snakemake.params.snakemake,
    )
