"""The sound of a clip, as long as its exported face."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.export.sound import write_sound
    from talkface.face3d.records import read_weights

    motion = read_weights(snakemake.input.weights)
    write_sound(snakemake.input.audio, snakemake.output.sound, frames=len(motion.weights))
