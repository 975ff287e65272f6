"""Constants that all stages share."""

FPS = 25  # the frame rate of every later stage (GRID's own, and that of the published systems)
FULL_SCALE = 32_768.0  # of int16
SPLITS = ("train", "valid", "test")  # each needs a clip
UNSEEN = "unseen"  # a second test: of speakers who stand in no other split, also where `split_by` is clip
SPEECH_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".m4a")  # of files of sound that are looked for in a folder
VIDEO_SUFFIXES = (".mp4", ".mpg", ".mpeg", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".wmv", ".flv")
