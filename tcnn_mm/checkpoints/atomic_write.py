"""Write files that are complete or absent."""

import glob
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

AnyPath = str | os.PathLike

# NAME.PID.tmp, perhaps with an ending that a writer asks for.
_DRAFT = re.compile(r'\.(\d+)\.tmp(\.\w+)?$')
# Of a file name on the usual file systems, bytes.
_LONGEST = 255


@contextmanager
def atomic_path(path: AnyPath, suffix: str = '', durable: bool = False) -> Iterator[str]:
    """Give a temporary path to write to; it replaces `path` when the block ends without error.

    Args:
        path: The file. An older one stays until then, and stays if the block fails.
        suffix: Ending of the temporary name, for writers that ask for one. Defaults to ''.
        durable: Wait until the content is on disk before it replaces `path`, so that it survives
            a power cut too. Defaults to False.

    Yields:
        The temporary path, in the same folder.
    """
    draft = _draft_path(os.fspath(path), suffix)
    try:
        yield draft
        if durable:
            _sync(draft)
        os.replace(draft, path)
    except OSError as error:
        # Writes and closes of a full disk name no file; the draft is of no interest.
        if error.filename in (None, draft):
            error.filename = os.fspath(path)
            if error.filename2 is not None:
                del error.filename2
        raise
    finally:
        if os.path.exists(draft):
            os.remove(draft)


@contextmanager
def atomic_write(path: AnyPath, durable: bool = False, errors: str = 'strict') -> Iterator[TextIO]:
    """Open a text file (UTF-8) that replaces `path` when the block ends without error.

    Args:
        path: The file.
        durable: As for :func:`atomic_path`.
        errors: What becomes of file names that are not UTF-8, as for `open`: 'backslashreplace'
            is the escape of JSON, 'surrogateescape' writes the bytes of the name. Defaults to an
            error.
    """
    # newline='': csv writes its own line ends. The file is closed before it is renamed.
    with (
        atomic_path(path, durable=durable) as draft,
        open(draft, 'w', encoding='utf-8', errors=errors, newline='') as file,
    ):
        yield file


def remove_stale_drafts(folder: AnyPath) -> list[str]:
    """Remove the temporary files in a folder that killed processes of this machine left.

    Those of processes that run, this one apart, stay. Subfolders are not looked into.

    Returns:
        The removed paths.
    """
    removed = []
    for path in sorted(glob.glob(os.path.join(glob.escape(os.fspath(folder)), '*.tmp*'))):
        found = _DRAFT.search(path)
        if not found or not os.path.isfile(path):
            continue
        owner = int(found.group(1))
        if owner == os.getpid() or not _runs(owner):
            os.remove(path)
            removed.append(path)
    return removed


def _draft_path(path: str, suffix: str) -> str:
    """NAME.PID.tmp in the folder of a file; of a long name the start, so that any name fits."""
    folder, name = os.path.split(path)
    ending = f'.{os.getpid()}.tmp{suffix}'
    while len(os.fsencode(name)) > _LONGEST - len(ending):
        name = name[:-1]
    return os.path.join(folder, name + ending)


def _sync(path: str) -> None:
    """Wait until a file's content is on disk."""
    with open(path, 'r+b') as file:
        os.fsync(file.fileno())


def _runs(process: int) -> bool:
    """Whether a process of this machine runs; on Windows, where this is not asked, True."""
    if os.name == 'nt':  # os.kill would end it
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True
