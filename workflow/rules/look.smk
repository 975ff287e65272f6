# What the rules of pictures and films of one clip share. No rules.
# expects: CLIPS, SHARD_OF, VIDEOS, SOURCES, EXTERNAL, LOOKED of common.smk, FOUND of external.smk; results/qc/clips.tsv
# produces: OF_CLIP, OF_SPEECH, OF_MODEL, OWNERS, looked(), colours(), usable(), pictured()
# reads from config: nothing
from talkface.corpus.quality import accepted, decoded
from talkface.drawing.style import colour_of

OWNERS = Catalogue("clip of the sheet", dict(CLIPS["speaker"]))
# Where what was measured of a clip lies; a rule takes those it needs, and a clip that the sheet lacks is refused.
OF_CLIP = {
    "video": lambda w: VIDEOS[w.clip],
    "landmarks": lambda w: f"results/landmarks/{SHARD_OF[w.clip]}.h5",
    "sound": lambda w: f"results/audio/{SHARD_OF[w.clip]}.h5",
    "shapes": lambda w: f"results/shapes/{OWNERS[w.clip]}.h5",
}
# The same where speech files are welcome, of which nothing was measured.
OF_SPEECH = {name: lambda w, find=find: find(w) if w.clip in CLIPS.index else [] for name, find in OF_CLIP.items()}
# What a model says of it.
OF_MODEL = {"predictions": lambda w: SOURCES[w.model] and f"results/predictions/{w.model}/{w.clip}.npy"}


def looked(clip):
    """The models to show that have this clip: predictions made elsewhere may be of some clips alone."""
    return [model for model in LOOKED if model not in EXTERNAL or clip in FOUND[model]]


def colours(*further):
    """The colour of each model to show, and of further ones, which take the next."""
    return colour_of([*LOOKED, *further])


def usable(split=None):
    """The clips of a split, or all, without those known to be rejected; for `..._all`, asked while jobs are planned."""
    clips = CLIPS.index if split is None else CLIPS.index[CLIPS["split"] == split]
    return accepted(list(clips), "results/qc/clips.tsv")


def pictured():
    """All clips but those known not to decode: what shows a rejected clip as well needs its frames; asked likewise."""
    return decoded(list(CLIPS.index), "results/qc/clips.tsv")
