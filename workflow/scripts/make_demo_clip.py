"""One clip of the demo corpus: speech, its drawn speaker and the landmarks that were drawn."""

from talkface.logs import log_to

with log_to(snakemake.log[0]):
    from talkface.corpus.demo import make_clip

    make_clip(
        snakemake.output.video,
        snakemake.output.truth,
        voice=snakemake.params.voice,
        text=snakemake.params.text,
    )
