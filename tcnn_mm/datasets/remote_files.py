"""Image files of other machines: fetched with a limit of time, or one line that says why not."""

import http.client
import os
import urllib.error
import urllib.request

from mmengine import fileio

from tcnn_mm.checkpoints.download import is_offline
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError

# Seconds without a byte, and bytes of one file.
TIMEOUT, LARGEST = 30, 1 << 30
WEB = ('http://', 'https://')
INSTEAD = 'download the file, and give its path'


def is_local(path: str | os.PathLike[str]) -> bool:
    """Whether a path is one of this machine, and not of a server or a remote store.

    Raises:
        UserError: An address that nothing here can read.
    """
    try:
        return isinstance(fileio.get_file_backend(path), fileio.LocalBackend)
    except (KeyError, ImportError) as error:  # no such prefix; the package of a store is missing
        reason = f' ({error})' if isinstance(error, ImportError) else ''
        raise UserError(
            f'{printable(path)}: an address that cannot be read here{reason}; {INSTEAD}'
        ) from error


def is_gone(path: str | os.PathLike[str]) -> bool:
    """Whether a path is one of this machine, and nothing is there."""
    return not os.path.lexists(path) and is_local(path)  # looking is the cheaper question


def fetch(path: str | os.PathLike[str]) -> bytes:
    """Content of a file that is not local: of a web server, or by mmengine's backends.

    Raises:
        UserError: It cannot be reached, has no such file, is too large; TCNN_OFFLINE is set.
    """
    name, where = os.fspath(path), printable(path)
    if is_offline():
        raise UserError(f'{where}: TCNN_OFFLINE is set, so it is not fetched; {INSTEAD}')
    if not name.startswith(WEB):
        return fileio.get(path)
    try:
        with urllib.request.urlopen(name, timeout=TIMEOUT) as answer:
            content = answer.read(LARGEST + 1)
    except urllib.error.HTTPError as error:
        raise UserError(f'{where}: the server answers {error.code} {error.reason}') from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, 'reason', None) or error or type(error).__name__
        raise UserError(f'{where}: cannot be fetched ({reason}); {INSTEAD}') from error
    if len(content) > LARGEST:
        raise UserError(f'{where}: larger than {LARGEST >> 20} MB; {INSTEAD}')
    return content
