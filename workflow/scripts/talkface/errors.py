"""Exceptions whose message is written for the user; their class says what is at fault."""

import errno


class TalkfaceError(Exception):
    """A fault in what was asked for: one line that names the file, what was found, what was expected, what to do."""


class InputError(TalkfaceError):
    """A fault of a file that was given; of a clip of a corpus it is a verdict, and the other clips go on."""


class MachineError(TalkfaceError):
    """A fault of the machine, which says nothing about any file: the job fails, and the same command goes on later."""


# Errors of the system that say nothing about a file's content, and what to do.
MACHINE_FAULTS = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "the disk quota is used up; free some space and run the same command again",
    errno.EROFS: "the file system is read-only; choose a writable folder with --directory",
    errno.EACCES: "permission denied; give this user the right to it, or choose another folder with --directory",
    errno.ENOMEM: "no memory is left; run the same command again with fewer --cores",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n) and run the same command again",
    errno.ENFILE: "too many files are open on this machine; run the same command again",
    errno.ESTALE: "the network folder has gone; mount it and run the same command again",
}
