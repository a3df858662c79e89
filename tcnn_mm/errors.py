"""Errors that the user can fix: the commands print one line without a traceback."""


class UserError(RuntimeError):
    """An input is wrong: a file, a key, a path.

    The message names the file (line, key), what was found and what to do. A data loader's worker
    process passes it on: torch raises it again with the traceback of the worker in front, so the
    last line is always the message itself.
    """


class InvalidValueError(UserError, ValueError):
    """A value is wrong, of an argument or in the data; a ValueError for callers in Python."""
