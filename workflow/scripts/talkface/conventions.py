"""Constants that all stages share."""

FPS = 25  # the frame rate of every later stage (GRID's own, and that of the published systems)
FULL_SCALE = 32_768.0  # of int16
SPLITS = ("train", "valid", "test")  # each needs a clip
UNSEEN = "unseen"  # a second test: of speakers who stand in no other split, also where `split_by` is clip
VOICE_MODEL = "talkface_voice"  # comes along; for voices that nobody has filmed
# Of files that are looked for in a folder; of two with one name the first kind goes before.
SPEECH_SUFFIXES = (
    ".wav", ".flac", ".mp3", ".ogg", ".m4a", ".opus", ".oga", ".aac", ".aif", ".aiff", ".aifc", ".wma", ".amr", ".caf",
    ".ac3",
)  # fmt: skip
VIDEO_SUFFIXES = (
    ".mp4", ".mpg", ".mpeg", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".wmv", ".flv", ".mts", ".m2ts", ".ts", ".3gp",
    ".vob", ".3g2", ".asf", ".divx", ".dv", ".f4v", ".m2t", ".m2v", ".mod", ".mpe", ".mxf", ".nut", ".ogm", ".ogv",
    ".qt", ".rm", ".rmvb", ".tod", ".y4m",
)  # fmt: skip
