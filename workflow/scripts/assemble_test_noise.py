"""What models are judged with, kind by kind, in one file."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.noise.evaluation_noise import assemble_test_noise

    assemble_test_noise(
        snakemake.output.noise,
        environment=snakemake.input.environment,
        speech=snakemake.input.speech,
        music=snakemake.input.music,
        white=snakemake.input.white,
        pink=snakemake.input.pink,
        seed=snakemake.params.seed,
    )
