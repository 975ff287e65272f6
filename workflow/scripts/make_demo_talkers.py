"""What the talkers say that compete with the speech of an evaluation."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.noise.talkers import make_talkers

    make_talkers(snakemake.output.talkers, voices=snakemake.params.voices, texts=snakemake.params.texts)
