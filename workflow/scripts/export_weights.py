"""Weights of a face as engines and cartoonists read them."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.export.cues import find_cues, write_cues
    from talkface.export.weights import write_arkit, write_json
    from talkface.face3d.records import read_weights

    motion, sound = read_weights(snakemake.input.weights), "speech.wav"
    write_arkit(motion, snakemake.output.arkit, fps=snakemake.params.fps)
    write_json(motion, snakemake.output.json, fps=snakemake.params.fps, sound=sound)
    write_cues(
        find_cues(motion.weights),
        table=snakemake.output.cues,
        json_file=snakemake.output.cues_json,
        sound=sound,
    )
