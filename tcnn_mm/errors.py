"""Errors that a user can act on: one line, shown by the tools without a traceback."""


class UserError(RuntimeError):
    """Something outside the code is wrong: a file, a key, a path.

    The message is one line that names the file (line, key), what was found and what to do.
    It survives a data loader's worker process: torch re-raises it with the worker's traceback
    in front, so the last line is always the message itself.
    """
