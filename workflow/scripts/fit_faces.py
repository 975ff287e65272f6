"""Weights and poses of the faces of a shard's clips."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.face3d.records import fit_shard

    fit_shard(snakemake.input.landmarks, snakemake.input.identity, snakemake.output.faces)
