"""The clips of one person of the demo corpus: speech, the drawn speaker and the landmarks that were drawn."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.corpus.demo import make_clip

    clips = zip(
        snakemake.output.videos,
        snakemake.output.truths,
        snakemake.params.voices,
        snakemake.params.texts,
        strict=True,
    )
    for video, truth, voice, text in clips:
        make_clip(video, truth, voice=voice, text=text)
