"""Errors that the user can fix: the commands print one line without a traceback."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager


def first_names(names: Sequence[str], most: int) -> str:
    """A list for a message: the first names, and how many there are: 'a, b, c … (12 in all)'."""
    more = f' … ({len(names)} in all)' if len(names) > most else ''
    return ', '.join(names[:most]) + more


class UserError(RuntimeError):
    """An input is wrong: a file, a key, a path.

    The message names the file (line, key), what was found and what to do. A data loader's worker
    process passes it on: torch raises it again with the traceback of the worker in front, so the
    last line is always the message itself.
    """


class InvalidValueError(UserError, ValueError):
    """A value is wrong, of an argument or in the data; a ValueError for callers in Python."""


class NotFiniteError(UserError):
    """Scores of an image are NaN or infinite: the model has diverged, or its file is damaged."""


@contextmanager
def errors_of(name: str) -> Iterator[None]:
    """Put a name (an image, a file) before the message of an InvalidValueError."""
    try:
        yield
    except InvalidValueError as error:
        raise InvalidValueError(f'{name}: {error}') from error
