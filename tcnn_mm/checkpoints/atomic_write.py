"""Write files that are complete or absent."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

AnyPath = str | os.PathLike


@contextmanager
def atomic_path(path: AnyPath, suffix: str = '') -> Iterator[str]:
    """Give a temporary path to write to; it replaces `path` when the block ends without error.

    Args:
        path: The file. An older one stays until then, and stays if the block fails.
        suffix: Ending of the temporary name, for writers that ask for one. Defaults to ''.

    Yields:
        The temporary path, in the same folder.
    """
    draft = f'{os.fspath(path)}.{os.getpid()}.tmp{suffix}'
    try:
        yield draft
        os.replace(draft, path)
    finally:
        if os.path.exists(draft):
            os.remove(draft)


@contextmanager
def atomic_write(path: AnyPath) -> Iterator[TextIO]:
    """Open a text file (UTF-8) that replaces `path` when the block ends without error."""
    # newline='': csv writes its own line ends.
    with atomic_path(path) as draft, open(draft, 'w', encoding='utf-8', newline='') as file:
        yield file
