"""The exception whose message is written for the user."""


class TalkfaceError(Exception):
    """A fault in what the user gave: one line that names the file, what was found, what was expected, what to do."""
