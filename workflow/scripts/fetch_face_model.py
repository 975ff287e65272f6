"""The open face model ICT-FaceKit, fetched and checked."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.corpus.face_models import fetch_ict

    fetch_ict(snakemake.output.model)
