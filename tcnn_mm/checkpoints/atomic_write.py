"""Files that stand in their place when they are complete, and only then."""

import os
from contextlib import contextmanager


@contextmanager
def draft_of(path, suffix=''):
    """A file's name to write to; it takes the place of `path` when the block ends well.

    Args:
        path (str): The file. An older one stays as it is until then, and if the block fails.
        suffix (str): Of the draft's name, for writers that add one of their own. Defaults to ''.

    Yields:
        str: The draft's path, in the same folder.
    """
    draft = f'{path}.{os.getpid()}.tmp{suffix}'
    try:
        yield draft
        os.replace(draft, path)
    finally:
        if os.path.exists(draft):
            os.remove(draft)


@contextmanager
def replacing(path):
    """Open a text file that takes the place of `path` when it is complete."""
    # newline='': csv writes its own line ends.
    with draft_of(path) as draft, open(draft, 'w', encoding='utf-8', newline='') as file:
        yield file
